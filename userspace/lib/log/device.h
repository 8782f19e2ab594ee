/* SPDX-License-Identifier: MIT */
/*
 * The client of /dev/assay: the only place with its ioctls and its mapping. For
 * the commands and assayd; the verifier does not need it.
 */
#ifndef ASSAY_LOG_DEVICE_H
#define ASSAY_LOG_DEVICE_H

#include "base/bytes.h"
#include "uapi/assay.h"

#define ASSAY_DEVICE_PATH "/dev/assay"

struct device {
	int fd;
};

/* What the descriptor is for: MEASURE and APPEND need write permission, the rest does not. */
enum device_access {
	DEVICE_READ,
	DEVICE_WRITE,
};

/* device_open() - -ENOENT without the module, -EACCES without permission; device_close() it. */
int device_open(struct device *device, enum device_access access, struct assay_error *err);
void device_close(struct device *device);

/* device_info() - what the module keeps, and where. */
int device_info(const struct device *device, struct assay_info *ret, struct assay_error *err);

/* enum assay_pcr_state, for programs, and what has happened to the PCR, for people. */
const char *device_pcr_state_name(uint32_t state);
const char *device_pcr_state_text(uint32_t state);

/*
 * device_measure() - have the kernel measure files: one record, one PCR extend
 * @flags: ASSAY_MEASURE_*
 * @entries: .fd is set, the rest zero; results are written into them
 * @count: 1 to ASSAY_MAX_BATCH
 * @ret_recnum: number of the record; may be NULL
 *
 * Return: 0 once the record is anchored; a file that could not be measured has
 *         its negative errno in its .result. Otherwise -errno, and then @err says
 *         whether something was written
 */
int device_measure(const struct device *device, uint32_t flags, struct assay_measure_entry *entries,
		   size_t count, uint64_t *ret_recnum, struct assay_error *err);

/* An event to record: a label of 1 to ASSAY_MAX_LABEL, data of at most ASSAY_MAX_EVENT bytes. */
struct device_event {
	struct bytes label; /* printable ASCII */
	struct bytes data;
};

/*
 * device_append() - record events, in order, in one record
 * @count: 1 to ASSAY_MAX_BATCH
 * @ret_recnum: number of the record; may be NULL
 *
 * Return: as device_measure()
 */
int device_append(const struct device *device, const struct device_event *events, size_t count,
		  uint64_t *ret_recnum, struct assay_error *err);

/*
 * device_mirror() - record entries of IMA's list, in order, in one record of kind IMA
 * @entries: the value of an IMA_ENTRY each, of at most ASSAY_MAX_IMA bytes (ima_mirror_entry())
 * @count: 1 to ASSAY_MAX_BATCH
 * @ret_recnum: number of the record, also where it is written but not anchored;
 *              ASSAY_RECNUM_NONE where nothing was written; may be NULL
 *
 * Return: as device_measure(); -EINVAL also of a module that does not know such records
 */
int device_mirror(const struct device *device, const struct bytes *entries, size_t count,
		  uint64_t *ret_recnum, struct assay_error *err);

/*
 * device_anchor() - have everything in the log anchored that is not
 * @ret_records: records that are anchored; may be NULL
 */
int device_anchor(const struct device *device, uint64_t *ret_records, struct assay_error *err);

/*
 * device_trim() - cut off the records before @keep, which must be anchored
 * @ret: number and offset of the TRIM record, and the new head; may be NULL
 *
 * Needs DEVICE_WRITE and CAP_SYS_ADMIN. -ENODATA if @keep is the oldest record already.
 */
int device_trim(const struct device *device, uint64_t keep, struct assay_trim *ret,
		struct assay_error *err);

/*
 * device_seal() - have no page that holds @count records from @first on opened again
 * @ret_sealed: bytes of these pages; may be NULL
 *
 * Needs DEVICE_WRITE and CAP_SYS_ADMIN.
 */
int device_seal(const struct device *device, uint64_t first, uint64_t count, uint64_t *ret_sealed,
		struct assay_error *err);

/*
 * device_keys() - the keys of records that are anchored, from @first on
 * @keys: room for @count keys, 1 to ASSAY_MAX_BATCH, one behind the other
 * @ret_count: how many there are
 *
 * Return: 0; -ENOKEY where the module gives none, since a virtual TPM has anchored the log, or
 *         since it is of before records had keys
 */
int device_keys(const struct device *device, uint64_t first, size_t count,
		uint8_t (*keys)[ASSAY_KEY_SIZE], size_t *ret_count, struct assay_error *err);

/**
 * struct device_log - the log, mapped read-only
 * @header: the first page; checked when it was mapped, but the kernel goes on
 *          writing head, tail and the members that go with them
 * @ring: @ring_size bytes, twice in a row
 */
struct device_log {
	const struct assay_log_header *header;
	const uint8_t *ring;
	uint64_t ring_size;
	void *map;
	size_t map_size;
};

int device_map_log(const struct device *device, struct device_log *ret, struct assay_error *err);
/* device_map_previous() - likewise the log of the boot before; -ENODATA if there is none. */
int device_map_previous(const struct device *device, struct device_log *ret,
			struct assay_error *err);
void device_unmap_log(struct device_log *log);

/**
 * struct device_log_copy - the log at one moment
 * @header: as it was. .head is the offset of the first byte of @cel in the log,
 *          .tail that behind its last; .anchored and the banks' values may be
 *          older than .tail by the records that were under way
 * @cel: the records; buffer_free() it
 */
struct device_log_copy {
	struct assay_log_header header;
	struct buffer cel;
};

/* device_copy_log() - all complete records, whatever is appended or trimmed meanwhile. */
int device_copy_log(const struct device_log *log, struct device_log_copy *ret,
		    struct assay_error *err);

/* device_log_header() - the header at one moment: its members fit each other */
int device_log_header(const struct device_log *log, struct assay_log_header *ret,
		      struct assay_error *err);

/*
 * device_log_bytes() - what lies between two offsets, both in the log, where it lies
 *
 * TRIM takes it away: whoever has used the bytes asks device_log_has() whether they were still
 * there.
 */
struct bytes device_log_bytes(const struct device_log *log, uint64_t from, uint64_t to);
bool device_log_has(const struct device_log *log, uint64_t from);

/*
 * device_start_values() - what the PCR was before the oldest record, in the banks that have a
 * name here
 * @values: room for @room
 *
 * Return: how many
 */
size_t device_start_values(const struct assay_log_header *header, struct assay_digest *values,
			   size_t room);

/* device_read_log() - open, map and copy in one. */
int device_read_log(struct device_log_copy *ret, struct assay_error *err);
/* device_read_previous() - likewise the log of the boot before; -ENODATA if there is none. */
int device_read_previous(struct device_log_copy *ret, struct assay_error *err);

/*
 * device_follow() - wait for records behind an offset, and copy them
 * @log: of @device, from device_map_log()
 * @offset: of the first record wanted; moved behind the last one copied
 * @timeout_ms: how long to wait for one; -1 for as long as it takes
 * @cel: the records are appended to it
 *
 * No system call while there are records to copy.
 *
 * Return: 1; 0 when the time was over, -EINTR without a message for a signal; -ESTALE if
 *         records from @offset on were trimmed (go on at the header's head); other -errno
 */
int device_follow(const struct device *device, const struct device_log *log, uint64_t *offset,
		  int timeout_ms, struct buffer *cel, struct assay_error *err);

/*
 * device_check_header() - is it a header that this library can read?
 * @page_size: bytes of a page here
 *
 * Return: 0; -EPROTO with what is off
 */
int device_check_header(const struct assay_log_header *header, uint64_t page_size,
			struct assay_error *err);

#endif /* ASSAY_LOG_DEVICE_H */
