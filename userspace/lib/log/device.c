// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "log/device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Far above any window; keeps what is computed from it far from overflow. */
#define RING_LIMIT (1ULL << 32)
/* Trims that may happen while the log is copied before copying it is given up. */
#define COPY_TRIES 16

int device_open(struct device *device, enum device_access access, struct assay_error *err)
{
	int fd = open(ASSAY_DEVICE_PATH, (access == DEVICE_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd >= 0) {
		device->fd = fd;
		return 0;
	}
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return assay_fail(err, errno,
				  "there is no %s: load the module (insmod assay.ko) and see dmesg "
				  "if it does not load",
				  ASSAY_DEVICE_PATH);
	case EACCES:
	case EPERM:
		return assay_fail(err, errno, "%s may not be opened: %s; run this as root",
				  ASSAY_DEVICE_PATH, strerror(errno));
	default:
		return assay_fail(err, errno, "cannot open %s: %s", ASSAY_DEVICE_PATH,
				  strerror(errno));
	}
}

void device_close(struct device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}

int device_info(const struct device *device, struct assay_info *ret, struct assay_error *err)
{
	struct assay_info info = { 0 };

	if (ioctl(device->fd, ASSAY_IOC_INFO, &info) < 0)
		return assay_fail(err, errno,
				  "%s does not tell about itself: %s; is another module's device "
				  "there?",
				  ASSAY_DEVICE_PATH, strerror(errno));
	if (info.abi_version == 0 || info.bank_count > ASSAY_MAX_BANKS)
		return assay_fail(err, EPROTO,
				  "%s tells about itself what cannot be (ABI version %" PRIu32
				  ", %" PRIu32 " banks)",
				  ASSAY_DEVICE_PATH, info.abi_version, info.bank_count);
	*ret = info;
	return 0;
}

/* Why a request that writes a record failed; the ABI says for which nothing was written. */
static int append_failed(const char *what, int code, struct assay_error *err)
{
	switch (code) {
	case EINVAL:
		return assay_fail(err, code,
				  "%s: the module refuses the request as malformed; are assay and "
				  "assay.ko of the same version? Nothing was recorded",
				  what);
	case EBADF:
		return assay_fail(err, code,
				  "%s: a descriptor is not open for reading. Nothing was recorded",
				  what);
	case ENOSPC:
		return assay_fail(err, code,
				  "%s: the log is full. Nothing was recorded; see assay status for "
				  "its size, which a larger assay,window in the "
				  "device tree raises",
				  what);
	case ENOMEM:
	case EFAULT:
		return assay_fail(err, code, "%s: %s. Nothing was recorded", what, strerror(code));
	case EPERM:
	case EACCES:
		return assay_fail(err, code, "%s: %s; run this as root. Nothing was recorded", what,
				  strerror(code));
	case ENODEV:
		return assay_fail(err, code,
				  "%s: there is no TPM to anchor the log in. Load the TPM's driver "
				  "(ls /dev/tpm0), then repeat",
				  what);
	default:
		return assay_fail(err, code,
				  "%s: anchoring in the TPM failed: %s. The record may be in the "
				  "log; the next call anchors it first. See dmesg and assay status",
				  what, strerror(code));
	}
}

int device_measure(const struct device *device, uint32_t flags, struct assay_measure_entry *entries,
		   size_t count, uint64_t *ret_recnum, struct assay_error *err)
{
	struct assay_measure request = {
		.flags = flags,
		.count = (uint32_t)count,
		.entry_size = sizeof(*entries),
		.entries = (uintptr_t)entries,
	};

	if (count == 0 || count > ASSAY_MAX_BATCH)
		return assay_fail(err, EINVAL, "a batch is 1 to %d files, not %zu", ASSAY_MAX_BATCH,
				  count);
	if (ioctl(device->fd, ASSAY_IOC_MEASURE, &request) < 0)
		return append_failed("cannot measure", errno, err);
	for (size_t i = 0; i < count; i++)
		if (entries[i].result > 0 || entries[i].digest_size > ASSAY_MAX_DIGEST)
			return assay_fail(err, EPROTO,
					  "%s gives a result that cannot be for file %zu of the "
					  "batch",
					  ASSAY_DEVICE_PATH, i);
	if (ret_recnum)
		*ret_recnum = request.recnum;
	return 0;
}

int device_append(const struct device *device, struct bytes label, struct bytes data,
		  uint64_t *ret_recnum, struct assay_error *err)
{
	struct assay_append request = {
		.label_size = (uint32_t)label.size,
		.label = (uintptr_t)label.data,
		.data = (uintptr_t)data.data,
		.data_size = (uint32_t)data.size,
	};

	if (label.size == 0 || label.size > ASSAY_MAX_LABEL)
		return assay_fail(err, EINVAL, "an event's label is 1 to %d bytes, not %zu",
				  ASSAY_MAX_LABEL, label.size);
	if (data.size > ASSAY_MAX_EVENT)
		return assay_fail(err, EINVAL, "an event's data is at most %d bytes, not %zu",
				  ASSAY_MAX_EVENT, data.size);
	if (ioctl(device->fd, ASSAY_IOC_APPEND, &request) < 0)
		return append_failed("cannot record the event", errno, err);
	if (ret_recnum)
		*ret_recnum = request.recnum;
	return 0;
}

int device_check_header(const struct assay_log_header *header, uint64_t page_size,
			struct assay_error *err)
{
	const char *what = NULL;

	if (memcmp(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic)) != 0)
		what = "its magic is not " ASSAY_LOG_MAGIC;
	else if (header->version != ASSAY_LOG_VERSION)
		what = "its version is not known; are assay and assay.ko of the same version?";
	else if (header->header_size < sizeof(*header) || header->header_size > page_size)
		what = "its header is not of the size it must be";
	else if (header->page_size != page_size)
		what = "its page size is not this system's";
	else if (header->ring_size == 0 || header->ring_size % page_size != 0 ||
		 header->ring_size > RING_LIMIT)
		what = "its ring's size cannot be";
	else if (header->bank_count > ASSAY_MAX_BANKS)
		what = "it has more PCR banks than there can be";
	else if (header->head > header->tail || header->tail - header->head > header->ring_size)
		what = "its head and tail are further apart than its ring is large";
	for (uint32_t i = 0; !what && i < header->bank_count; i++)
		if (header->banks[i].size == 0 || header->banks[i].size > ASSAY_MAX_DIGEST)
			what = "a PCR bank's digest is of a size that cannot be";
	if (what)
		return assay_fail(err, EPROTO, "the log of %s cannot be read: %s",
				  ASSAY_DEVICE_PATH, what);
	return 0;
}

/*
 * The header as it is now. The kernel publishes tail last, with release
 * semantics: what was loaded after it is at least as new. A reader that sees
 * head and tail of two moments apart finds out by loading head again.
 */
static void snapshot(const struct assay_log_header *live, struct assay_log_header *ret)
{
	uint64_t tail = __atomic_load_n(&live->tail, __ATOMIC_ACQUIRE);

	*ret = *live;
	ret->tail = tail;
}

int device_map_log(const struct device *device, struct device_log *ret, struct assay_error *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	struct device_log log = { 0 };
	struct assay_log_header header;
	struct assay_info info;
	int r = device_info(device, &info, err);

	if (r < 0)
		return r;
	if (info.page_size != page_size || info.ring_size == 0 || info.ring_size > RING_LIMIT ||
	    info.ring_size % page_size != 0)
		return assay_fail(err, EPROTO,
				  "%s tells of a log that cannot be (ring of %" PRIu64
				  " bytes, pages of %" PRIu32 ")",
				  ASSAY_DEVICE_PATH, (uint64_t)info.ring_size, info.page_size);
	log.ring_size = info.ring_size;
	log.map_size = (size_t)(page_size + 2 * log.ring_size);
	log.map = mmap(NULL, log.map_size, PROT_READ, MAP_SHARED, device->fd, 0);
	if (log.map == MAP_FAILED)
		return assay_fail(err, errno, "cannot map the log of %s: %s", ASSAY_DEVICE_PATH,
				  strerror(errno));
	log.header = log.map;
	log.ring = (const uint8_t *)log.map + page_size;
	snapshot(log.header, &header);
	r = device_check_header(&header, page_size, err);
	if (r == 0 && header.ring_size != log.ring_size)
		r = assay_fail(err, EPROTO,
			       "the log of %s cannot be read: its ring is not of the size that the "
			       "device tells",
			       ASSAY_DEVICE_PATH);
	if (r < 0) {
		device_unmap_log(&log);
		return r;
	}
	*ret = log;
	return 0;
}

void device_unmap_log(struct device_log *log)
{
	if (log->map)
		munmap(log->map, log->map_size);
	*log = (struct device_log){ 0 };
}

int device_copy_log(const struct device_log *log, struct device_log_copy *ret,
		    struct assay_error *err)
{
	uint64_t page_size = (uint64_t)(log->ring - (const uint8_t *)log->map);

	for (int i = 0; i < COPY_TRIES; i++) {
		struct device_log_copy copy = { 0 };
		uint64_t head;
		int r;

		snapshot(log->header, &copy.header);
		r = device_check_header(&copy.header, page_size, err);
		/* Head and tail of two moments, with a trim between them, need not fit. */
		if (r < 0 &&
		    __atomic_load_n(&log->header->head, __ATOMIC_RELAXED) != copy.header.head)
			continue;
		if (r == 0 && copy.header.ring_size != log->ring_size)
			r = assay_fail(err, EPROTO, "the log's ring changed its size");
		if (r < 0)
			return r;
		/* The second mapping of the ring is what makes this one piece. */
		buffer_append(&copy.cel, log->ring + copy.header.head % log->ring_size,
			      (size_t)(copy.header.tail - copy.header.head));
		if (copy.cel.failed) {
			buffer_free(&copy.cel);
			return assay_fail(err, ENOMEM,
					  "out of memory for a log of %" PRIu64 " bytes",
					  (uint64_t)(copy.header.tail - copy.header.head));
		}
		/* A trim gives the oldest records' place away: were they still there? */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		head = __atomic_load_n(&log->header->head, __ATOMIC_RELAXED);
		if (head == copy.header.head) {
			*ret = copy;
			return 0;
		}
		buffer_free(&copy.cel);
	}
	return assay_fail(err, EAGAIN,
			  "the log was trimmed %d times while it was copied; try again",
			  COPY_TRIES);
}

int device_read_log(struct device_log_copy *ret, struct assay_error *err)
{
	struct device_log log;
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return r;
	r = device_map_log(&device, &log, err);
	if (r == 0) {
		r = device_copy_log(&log, ret, err);
		device_unmap_log(&log);
	}
	device_close(&device);
	return r;
}
