// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "log/device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Far above any window; keeps what is computed from it far from overflow. */
#define RING_LIMIT (1ULL << 32)
/* Trims that may happen while the log is copied before copying it is given up. */
#define COPY_TRIES 16
/* Times that the header is looked at before it is said never to be at rest. */
#define SNAPSHOT_TRIES 100000

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

static const struct {
	const char *name, *text;
} pcr_states[] = {
	[ASSAY_PCR_RIGHT] = { "right", "it holds what the log says" },
	[ASSAY_PCR_EXTENDED] = { "extended", "something else has extended it" },
	[ASSAY_PCR_RESET] = { "reset", "the TPM was reset" },
	[ASSAY_PCR_ROLLED_BACK] = { "rolled-back", "an older state of the TPM was restored" },
	[ASSAY_PCR_OTHER_BANKS] = { "other-banks", "the TPM has other banks" },
};
#define PCR_STATES (sizeof(pcr_states) / sizeof(pcr_states[0]))

const char *device_pcr_state_name(uint32_t state)
{
	return state < PCR_STATES ? pcr_states[state].name : "other";
}

const char *device_pcr_state_text(uint32_t state)
{
	return state < PCR_STATES ? pcr_states[state].text : "it is not known what has happened";
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

/*
 * Why a request that writes a record failed. @recnum is what the module left in it, NULL for
 * one that does not say; the ABI says for which errors that is nothing.
 */
static int append_failed(const char *what, int code, const __u64 *recnum, struct assay_error *err)
{
	const char *why;

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
	case EUCLEAN:
		return assay_fail(err, code,
				  "%s: the PCR does not hold what the log says: something else has "
				  "extended it, or the TPM was restarted. Load the module again to "
				  "begin a new log",
				  what);
	case ENODEV:
		why = "there is no TPM";
		break;
	default:
		why = strerror(code);
	}
	if (!recnum)
		return assay_fail(err, code,
				  "%s: anchoring in the TPM failed: %s. See dmesg and assay status",
				  what, why);
	if (*recnum == ASSAY_RECNUM_NONE)
		return assay_fail(err, code, "%s: %s. Nothing was recorded; see dmesg", what, why);
	return assay_fail(err, code,
			  "%s: it is in record %" PRIu64
			  ", but that cannot be anchored in the TPM yet: %s. It is anchored before "
			  "the next one; see dmesg and assay status",
			  what, (uint64_t)*recnum, why);
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
		return append_failed("cannot measure", errno, &request.recnum, err);
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

int device_append(const struct device *device, const struct device_event *events, size_t count,
		  uint64_t *ret_recnum, struct assay_error *err)
{
	struct assay_append request = { .count = (uint32_t)count };
	struct assay_append_entry *entries;
	int r = 0;

	if (count == 0 || count > ASSAY_MAX_BATCH)
		return assay_fail(err, EINVAL, "a batch is 1 to %d events, not %zu",
				  ASSAY_MAX_BATCH, count);
	for (size_t i = 0; i < count; i++) {
		if (events[i].label.size == 0 || events[i].label.size > ASSAY_MAX_LABEL)
			return assay_fail(err, EINVAL, "an event's label is 1 to %d bytes, not %zu",
					  ASSAY_MAX_LABEL, events[i].label.size);
		if (events[i].data.size > ASSAY_MAX_EVENT)
			return assay_fail(err, EINVAL,
					  "an event's data is at most %d bytes, not %zu",
					  ASSAY_MAX_EVENT, events[i].data.size);
	}
	entries = calloc(count, sizeof(*entries));
	if (!entries)
		return assay_fail(err, ENOMEM, "out of memory for %zu events", count);
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct assay_append_entry){
			.label = (uintptr_t)events[i].label.data,
			.data = (uintptr_t)events[i].data.data,
			.label_size = (uint32_t)events[i].label.size,
			.data_size = (uint32_t)events[i].data.size,
		};
	request.entry_size = sizeof(*entries);
	request.entries = (uintptr_t)entries;
	if (ioctl(device->fd, ASSAY_IOC_APPEND, &request) < 0)
		r = append_failed("cannot record the events", errno, &request.recnum, err);
	else if (ret_recnum)
		*ret_recnum = request.recnum;
	free(entries);
	return r;
}

int device_mirror(const struct device *device, const struct bytes *entries, size_t count,
		  uint64_t *ret_recnum, struct assay_error *err)
{
	struct assay_append request = { .flags = ASSAY_APPEND_IMA,
					.count = (uint32_t)count,
					.recnum = ASSAY_RECNUM_NONE };
	struct assay_append_entry *list;
	int r = 0;

	if (count == 0 || count > ASSAY_MAX_BATCH)
		return assay_fail(err, EINVAL, "a batch is 1 to %d entries, not %zu",
				  ASSAY_MAX_BATCH, count);
	list = calloc(count, sizeof(*list));
	if (!list)
		return assay_fail(err, ENOMEM, "out of memory for %zu entries", count);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct assay_append_entry){
			.data = (uintptr_t)entries[i].data,
			.data_size = (uint32_t)entries[i].size,
		};
	request.entry_size = sizeof(*list);
	request.entries = (uintptr_t)list;
	if (ioctl(device->fd, ASSAY_IOC_APPEND, &request) < 0)
		r = append_failed("cannot mirror entries of IMA's list", errno, &request.recnum,
				  err);
	if (ret_recnum)
		*ret_recnum = request.recnum;
	free(list);
	return r;
}

int device_anchor(const struct device *device, uint64_t *ret_records, struct assay_error *err)
{
	struct assay_anchor_request request = { 0 };

	if (ioctl(device->fd, ASSAY_IOC_ANCHOR, &request) < 0)
		return append_failed("cannot anchor the log", errno, NULL, err);
	if (ret_records)
		*ret_records = request.anchored_records;
	return 0;
}

int device_trim(const struct device *device, uint64_t keep, struct assay_trim *ret,
		struct assay_error *err)
{
	struct assay_trim request = { .keep = keep, .recnum = ASSAY_RECNUM_NONE };

	if (ioctl(device->fd, ASSAY_IOC_TRIM, &request) < 0) {
		if (errno == EINVAL)
			return assay_fail(
				err, EINVAL,
				"cannot trim up to record %" PRIu64
				": it is not in the log, or not anchored. Nothing was cut",
				keep);
		if (errno == ENODATA)
			return assay_fail(err, ENODATA,
					  "record %" PRIu64
					  " is the oldest already: there is nothing to cut",
					  keep);
		if (errno == ENOSPC)
			return assay_fail(err, ENOSPC,
					  "cannot trim up to record %" PRIu64
					  ": the log is full, and so little would give no memory "
					  "back. Nothing was cut; cut more",
					  keep);
		if (request.recnum != ASSAY_RECNUM_NONE)
			return append_failed("the log is cut when its TRIM record is anchored",
					     errno, &request.recnum, err);
		return append_failed("cannot trim", errno, &request.recnum, err);
	}
	if (ret)
		*ret = request;
	return 0;
}

int device_seal(const struct device *device, uint64_t first, uint64_t count, uint64_t *ret_sealed,
		struct assay_error *err)
{
	struct assay_seal request = { .first = first, .count = count };

	if (ioctl(device->fd, ASSAY_IOC_SEAL, &request) < 0) {
		if (errno == EINVAL)
			return assay_fail(err, EINVAL,
					  "cannot seal %" PRIu64 " records from %" PRIu64
					  " on: not all of them are in the log",
					  count, first);
		return append_failed("cannot seal", errno, NULL, err);
	}
	if (ret_sealed)
		*ret_sealed = request.sealed;
	return 0;
}

int device_keys(const struct device *device, uint64_t first, size_t count,
		uint8_t (*keys)[ASSAY_KEY_SIZE], size_t *ret_count, struct assay_error *err)
{
	struct assay_keys request = { .count = (uint32_t)count,
				      .first = first,
				      .keys = (uintptr_t)keys };

	if (ioctl(device->fd, ASSAY_IOC_KEYS, &request) < 0)
		return assay_fail(err, errno == ENOTTY ? ENOKEY : errno,
				  "%s does not give the keys of the log's records from %" PRIu64
				  " on: %s",
				  ASSAY_DEVICE_PATH, first, strerror(errno));
	*ret_count = request.count;
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
	else if (header->head_recnum > header->records)
		what = "its head has a number that has not been reached yet";
	for (uint32_t i = 0; !what && i < header->bank_count; i++)
		if (header->banks[i].size == 0 || header->banks[i].size > ASSAY_MAX_DIGEST)
			what = "a PCR bank's digest is of a size that cannot be";
	if (what)
		return assay_fail(err, EPROTO, "the log of %s cannot be read: %s",
				  ASSAY_DEVICE_PATH, what);
	return 0;
}

/* The header as it was at one moment: its members fit each other. */
static int snapshot(const struct assay_log_header *live, struct assay_log_header *ret,
		    struct assay_error *err)
{
	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		uint32_t before = __atomic_load_n(&live->sequence, __ATOMIC_ACQUIRE);

		*ret = *live;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (before % 2 == 0 && __atomic_load_n(&live->sequence, __ATOMIC_RELAXED) == before)
			return 0;
		/* Whoever writes it may have been put aside. */
		if (i % 100 == 99)
			sched_yield();
	}
	return assay_fail(err, EAGAIN, "the log's header changes all the time; try again");
}

/* Map @offset of the device: a header page, and a ring of @ring_size bytes twice. */
static int map_at(const struct device *device, off_t offset, uint64_t ring_size,
		  struct device_log *ret, struct assay_error *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	struct device_log log = {
		.ring_size = ring_size,
		.map_size = (size_t)(page_size + 2 * ring_size),
	};
	struct assay_log_header header;
	int r;

	log.map = mmap(NULL, log.map_size, PROT_READ, MAP_SHARED, device->fd, offset);
	if (log.map == MAP_FAILED)
		return assay_fail(err, errno, "cannot map the log of %s: %s", ASSAY_DEVICE_PATH,
				  strerror(errno));
	log.header = log.map;
	log.ring = (const uint8_t *)log.map + page_size;
	r = snapshot(log.header, &header, err);
	if (r == 0)
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

int device_map_log(const struct device *device, struct device_log *ret, struct assay_error *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
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
	return map_at(device, 0, info.ring_size, ret, err);
}

int device_map_previous(const struct device *device, struct device_log *ret,
			struct assay_error *err)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	const off_t offset = (off_t)ASSAY_MMAP_PREVIOUS;
	struct assay_log_header header;
	void *page;
	int r;

	page = mmap(NULL, page_size, PROT_READ, MAP_SHARED, device->fd, offset);
	if (page == MAP_FAILED && errno == ENODATA)
		return assay_fail(
			err, ENODATA,
			"%s has no log of the boot before: its region does not outlive a "
			"reset, there was none, or the log itself goes on (see assay log)",
			ASSAY_DEVICE_PATH);
	if (page == MAP_FAILED)
		return assay_fail(err, errno, "cannot map the previous log of %s: %s",
				  ASSAY_DEVICE_PATH, strerror(errno));
	r = snapshot(page, &header, err);
	munmap(page, page_size);
	if (r == 0)
		r = device_check_header(&header, page_size, err);
	return r < 0 ? r : map_at(device, offset, header.ring_size, ret, err);
}

void device_unmap_log(struct device_log *log)
{
	if (log->map)
		munmap(log->map, log->map_size);
	*log = (struct device_log){ 0 };
}

int device_log_header(const struct device_log *log, struct assay_log_header *ret,
		      struct assay_error *err)
{
	struct assay_log_header header;
	int r = snapshot(log->header, &header, err);

	if (r == 0)
		r = device_check_header(&header, (uint64_t)(log->ring - (const uint8_t *)log->map),
					err);
	if (r == 0 && header.ring_size != log->ring_size)
		r = assay_fail(err, EPROTO, "the log's ring changed its size");
	if (r == 0)
		*ret = header;
	return r;
}

struct bytes device_log_bytes(const struct device_log *log, uint64_t from, uint64_t to)
{
	/* The second mapping of the ring is what makes this one piece. */
	return BYTES(log->ring + from % log->ring_size, (size_t)(to - from));
}

bool device_log_has(const struct device_log *log, uint64_t from)
{
	/* What was read of it was read before. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&log->header->head, __ATOMIC_RELAXED) <= from;
}

size_t device_start_values(const struct assay_log_header *header, struct assay_digest *values,
			   size_t room)
{
	size_t count = 0;

	for (uint32_t i = 0; i < header->bank_count && count < room; i++) {
		const struct assay_log_bank *bank = &header->banks[i];
		enum assay_hash hash = (enum assay_hash)bank->alg;

		if (assay_hash_size(hash) == 0 || bank->size != assay_hash_size(hash))
			continue;
		values[count] = (struct assay_digest){ .hash = hash, .size = bank->size };
		memcpy(values[count].bytes, bank->start, bank->size);
		count++;
	}
	return count;
}

int device_copy_log(const struct device_log *log, struct device_log_copy *ret,
		    struct assay_error *err)
{
	for (int i = 0; i < COPY_TRIES; i++) {
		struct device_log_copy copy = { 0 };
		int r = device_log_header(log, &copy.header, err);

		if (r < 0)
			return r;
		buffer_append_bytes(&copy.cel,
				    device_log_bytes(log, copy.header.head, copy.header.tail));
		if (copy.cel.failed) {
			buffer_free(&copy.cel);
			return assay_fail(err, ENOMEM,
					  "out of memory for a log of %" PRIu64 " bytes",
					  (uint64_t)(copy.header.tail - copy.header.head));
		}
		/* A trim gives the oldest records' place away: were they still there? */
		if (device_log_has(log, copy.header.head)) {
			*ret = copy;
			return 0;
		}
		buffer_free(&copy.cel);
	}
	return assay_fail(err, EAGAIN,
			  "the log was trimmed %d times while it was copied; try again",
			  COPY_TRIES);
}

static int read_log(int (*map)(const struct device *, struct device_log *, struct assay_error *),
		    struct device_log_copy *ret, struct assay_error *err)
{
	struct device_log log;
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return r;
	r = map(&device, &log, err);
	if (r == 0) {
		r = device_copy_log(&log, ret, err);
		device_unmap_log(&log);
	}
	device_close(&device);
	return r;
}

int device_read_log(struct device_log_copy *ret, struct assay_error *err)
{
	return read_log(device_map_log, ret, err);
}

int device_read_previous(struct device_log_copy *ret, struct assay_error *err)
{
	return read_log(device_map_previous, ret, err);
}

/* Copy what is behind @offset; 0 if there is nothing. */
static int copy_behind(const struct device_log *log, uint64_t *offset, struct buffer *cel,
		       struct assay_error *err)
{
	uint64_t tail = __atomic_load_n(&log->header->tail, __ATOMIC_ACQUIRE);
	uint64_t head = __atomic_load_n(&log->header->head, __ATOMIC_RELAXED);
	size_t before = cel->size;

	if (tail == *offset)
		return 0;
	if (tail < *offset)
		return assay_fail(err, EINVAL,
				  "offset %" PRIu64 " is behind the log's tail, %" PRIu64, *offset,
				  tail);
	/* More than fits in the ring cannot be there, whatever the header says. */
	if (*offset >= head && tail - *offset <= log->ring_size) {
		buffer_append(cel, log->ring + *offset % log->ring_size, (size_t)(tail - *offset));
		if (cel->failed)
			return assay_fail(err, ENOMEM, "out of memory for %" PRIu64 " bytes of log",
					  tail - *offset);
		/* Were they still there when they had been copied? */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		head = __atomic_load_n(&log->header->head, __ATOMIC_RELAXED);
		if (*offset >= head) {
			*offset = tail;
			return 1;
		}
		cel->size = before;
	}
	return assay_fail(err, ESTALE,
			  "the log was trimmed: records from offset %" PRIu64 " to %" PRIu64
			  " are gone",
			  *offset, head);
}

int device_follow(const struct device *device, const struct device_log *log, uint64_t *offset,
		  int timeout_ms, struct buffer *cel, struct assay_error *err)
{
	struct pollfd wait = { .fd = device->fd, .events = POLLIN };
	int r = copy_behind(log, offset, cel, err);

	if (r != 0)
		return r;
	if (lseek(device->fd, (off_t)*offset, SEEK_SET) < 0)
		return assay_fail(err, errno, "cannot follow the log of %s from %" PRIu64 ": %s",
				  ASSAY_DEVICE_PATH, *offset, strerror(errno));
	r = poll(&wait, 1, timeout_ms);
	if (r < 0 && errno == EINTR)
		return -EINTR;
	if (r < 0)
		return assay_fail(err, errno, "cannot wait for the log of %s: %s",
				  ASSAY_DEVICE_PATH, strerror(errno));
	return r == 0 ? 0 : copy_behind(log, offset, cel, err);
}
