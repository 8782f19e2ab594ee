// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archiver_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "log/cel.h"
#include "log/since.h"
#include "privilege.h"

/* Logs that the module may begin in one boot. */
#define LOGS_MAX 100
/* Of a newest file, what is read to find what the PCR was behind it. */
#define CONTENT_MAX (80U << 20)

bool log_archive_is_open(const struct log_archive *archive)
{
	return archive->writer != NULL;
}

static struct bytes ring_from(const struct log_archive *archive,
			      const struct assay_log_header *header, uint64_t from)
{
	return device_log_bytes(&archive->log, from, header->tail);
}

/* ---------------------------------------------------------------- opening */

/* What the PCR was before the record @recnum, by the ring. */
static int ring_values(struct log_archive *archive, const struct assay_log_header *header,
		       uint64_t recnum, struct assay_error *err)
{
	size_t offset;

	archive->value_count = device_start_values(header, archive->values, LOG_ARCHIVE_BANKS);
	return log_since(ring_from(archive, header, header->head), header->pcr, recnum,
			 archive->values, archive->value_count, &offset, err);
}

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	struct buffer *out = context;

	if (out->size + bytes.size > CONTENT_MAX)
		return assay_fail(err, EFBIG, "it is too large");
	buffer_append_bytes(out, bytes);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static bool same_values(const struct assay_digest *a, size_t a_count, const struct assay_digest *b,
			size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		for (size_t j = 0; j < b_count; j++)
			if (a[i].hash == b[j].hash &&
			    memcmp(a[i].bytes, b[j].bytes, a[i].size) != 0)
				return false;
	return true;
}

/*
 * Is the log in the ring the one whose archive is in @path? Then both make the same of the PCR
 * where they meet.
 *
 * Return: 1, also where that cannot be told; 0; -errno
 */
static int is_same_log(const char *path, const struct assay_log_header *header, uint64_t next,
		       const struct assay_digest *values, size_t count, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	struct archive_header last = { 0 };
	struct archive *archive;
	size_t files, offset;
	int r = archive_open_newest(path, ARCHIVE_LOG, &archive, err);

	if (r < 0)
		return r;
	archive_files(archive, ARCHIVE_LOG, &files);
	if (files > 0)
		r = archive_header(archive, ARCHIVE_LOG, files - 1, &last, err);
	if (r == 0 && files > 0)
		r = archive_read(archive, ARCHIVE_LOG, last.first, collect, &content, err);
	archive_close(archive);
	if (r == -EFBIG || files == 0)
		return 1;
	if (r == 0)
		r = log_since(buffer_bytes(&content), header->pcr, next, last.start,
			      last.start_count, &offset, err);
	return r < 0 ? r : same_values(last.start, last.start_count, values, count);
}

/*
 * Does the archive that the writer has open go on in the ring? With what was cut off before it was
 * archived noted, and the PCR's values where it goes on.
 *
 * Return: 1, 0, -errno
 */
static int fits_ring(struct log_archive *archive, const char *path, struct assay_error *err)
{
	uint64_t next = archive_writer_next(archive->writer);
	struct assay_log_header header;
	int r = device_log_header(&archive->log, &header, err);

	if (r < 0)
		return r;
	if (next > header.records)
		return 0;
	archive->lost_from = archive->lost_to = next;
	if (header.head_recnum > next) {
		archive->lost_to = header.head_recnum;
		r = ring_values(archive, &header, header.head_recnum, err);
		return r < 0 ? r : 1;
	}
	r = ring_values(archive, &header, next, err);
	if (r < 0 || archive_writer_is_empty(archive->writer))
		return r < 0 ? r : 1;
	return is_same_log(path, &header, next, archive->values, archive->value_count, err);
}

/*
 * Of a log that was adopted after kexec: the boot that wrote what is above the record of that. The
 * module may have been loaded again in this boot as well, which has a record of the kind too.
 */
static bool find_boot_before(const struct log_archive *archive, const char *boot_id,
			     char before[ARCHIVE_BOOT_ID_TEXT])
{
	struct assay_log_header header;
	struct assay_content content;
	struct cel_record record;
	struct cel_reader reader;
	bool found = false;

	if (device_log_header(&archive->log, &header, NULL) < 0)
		return false;
	cel_begin(&reader, ring_from(archive, &header, header.head), header.head);
	while (cel_next(&reader, &record, NULL) == 1) {
		if (record.type != ASSAY_CEL_CONTENT ||
		    assay_content_parse(&record, &content, NULL) < 0 ||
		    content.kind != ASSAY_KIND_KEXEC ||
		    content.boot_before.size != ARCHIVE_BOOT_ID_TEXT - 1 ||
		    memcmp(content.boot_before.data, boot_id, ARCHIVE_BOOT_ID_TEXT - 1) == 0)
			continue;
		memcpy(before, content.boot_before.data, ARCHIVE_BOOT_ID_TEXT - 1);
		before[ARCHIVE_BOOT_ID_TEXT - 1] = '\0';
		found = true;
	}
	return found && device_log_has(&archive->log, header.head);
}

/*
 * An archive that is empty goes on from that of the boot before kexec, if the ring does. If not,
 * it begins with what the ring has.
 */
static int follow_boot_before(struct log_archive *archive, const char *root, const char *boot_id,
			      struct assay_error *err)
{
	char before[ARCHIVE_BOOT_ID_TEXT];
	uint8_t ignored[ARCHIVE_BOOT_ID];
	CLEANUP(free_pointer) char *path = NULL;
	uint64_t begin, end;
	struct assay_log_header header;
	struct archive *old;
	int r;

	if (!find_boot_before(archive, boot_id, before) || !archive_boot_id_parse(before, ignored))
		return 0;
	if (asprintf(&path, "%s/%s", root, before) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	r = archive_open_newest(path, ARCHIVE_LOG, &old, err);
	/* It may have been removed. What only cannot be read now is tried again. */
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR || r == -EBADMSG || r == -E2BIG ? 0 : r;
	begin = archive_begin(old, ARCHIVE_LOG);
	end = archive_end(old, ARCHIVE_LOG);
	archive_close(old);
	r = device_log_header(&archive->log, &header, err);
	if (r < 0 || begin == end || end < header.head_recnum || end > header.records)
		return r;
	r = ring_values(archive, &header, end, err);
	if (r == 0)
		r = is_same_log(path, &header, end, archive->values, archive->value_count, err);
	return r <= 0 ? r : archive_writer_follow(archive->writer, path, err);
}

static int open_writer(struct log_archive *archive, const char *path, const char *boot_id,
		       struct assay_error *err)
{
	struct assay_log_header header;
	struct assay_error why;
	int r = archive_writer_open(path, ARCHIVE_LOG, boot_id, &archive->writer, err);

	if (r != -EBADMSG)
		return r;
	/* What a damaged file held is written once more, if the ring has it. */
	r = device_log_header(&archive->log, &header, err);
	if (r < 0)
		return r;
	r = archive_set_aside(path, ARCHIVE_LOG, header.head_recnum, &why);
	if (r < 0)
		return assay_fail(err, EBADMSG, "%.400s. %.400s", err->text, why.text);
	archive->is_aside = true;
	return archive_writer_open(path, ARCHIVE_LOG, boot_id, &archive->writer, err);
}

/*
 * @whole: only if nothing is missing between it and the ring
 * Return: 1 if it is the log's archive, 0 if it is another log's, -errno
 */
static int try_path(struct log_archive *archive, const char *root, const char *path,
		    const char *boot_id, bool whole, struct assay_error *err)
{
	int r = open_writer(archive, path, boot_id, err);

	if (r == 0 && archive_writer_is_empty(archive->writer))
		r = follow_boot_before(archive, root, boot_id, err);
	if (r == 0)
		r = fits_ring(archive, path, err);
	if (r == 1 && whole && archive->lost_from < archive->lost_to)
		r = 0;
	if (r == 1) {
		archive_writer_join(archive->writer, archive->join_limit);
	} else {
		archive_writer_close(archive->writer);
		archive->writer = NULL;
	}
	return r;
}

/* The directory of number @i; NULL without memory. */
static char *path_of(const char *root, const char *boot_id, unsigned int i)
{
	char *path;
	int r = i == 0 ? asprintf(&path, "%s/%s", root, boot_id) :
			 asprintf(&path, "%s/%s.%u", root, boot_id, i);

	return r < 0 ? NULL : path;
}

/* Return: as try_path(); -ENOENT where there is no directory of number @i, and @existing is wanted
 */
static int try_number(struct log_archive *archive, const char *root, const char *boot_id,
		      unsigned int i, bool existing, struct assay_error *err)
{
	char *path = path_of(root, boot_id, i);
	struct stat status;
	int r;

	if (!path)
		return assay_fail(err, ENOMEM, "out of memory");
	if (existing && stat(path, &status) < 0)
		r = -ENOENT;
	else
		r = try_path(archive, root, path, boot_id, existing, err);
	if (r == 1)
		archive->path = path;
	else
		free(path);
	return r;
}

/*
 * Which of the archives of this boot is the log's? One that the ring goes on from; if there is
 * none, records were lost, and the log is the newest one's, or has none yet.
 */
static int find_archive(struct log_archive *archive, const char *root, const char *boot_id,
			struct assay_error *err)
{
	unsigned int count = 0;
	int r = 0;

	while (count < LOGS_MAX && r == 0)
		r = try_number(archive, root, boot_id, count++, true, err);
	if (r == -ENOENT) {
		r = 0;
		count--;
	}
	for (unsigned int i = count > 0 ? count - 1 : 0; i < LOGS_MAX && r == 0; i++)
		r = try_number(archive, root, boot_id, i, false, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return assay_fail(err, EMFILE,
			  "%s has archives of %d logs of this boot, and none is of this one", root,
			  LOGS_MAX);
}

int log_archive_open(struct log_archive *archive, const char *root, const char *boot_id,
		     struct assay_error *err)
{
	int r;

	if (mkdir(root, 0750) < 0 && errno != EEXIST)
		return assay_fail(err, errno, "cannot make %s: %s", root, strerror(errno));
	archive->is_aside = archive->differs = false;
	r = device_open(&archive->device, DEVICE_READ, err);
	if (r < 0) {
		archive->device.fd = -1;
		return r;
	}
	r = device_map_log(&archive->device, &archive->log, err);
	if (r == 0)
		r = find_archive(archive, root, boot_id, err);
	if (r < 0)
		log_archive_close(archive);
	return r;
}

void log_archive_close(struct log_archive *archive)
{
	archive_writer_close(archive->writer);
	archive->writer = NULL;
	device_unmap_log(&archive->log);
	device_close(&archive->device);
	free(archive->path);
	archive->path = NULL;
}

/* ---------------------------------------------------------------- looking */

/* Where the next file begins: what was cut off before is lost. */
static uint64_t due_offset(const struct log_archive *archive, uint64_t head)
{
	uint64_t offset = archive_writer_offset(archive->writer);

	return archive_writer_is_empty(archive->writer) || offset < head ? head : offset;
}

uint64_t log_archive_waiting(const struct log_archive *archive)
{
	const struct assay_log_header *live = archive->log.header;
	uint64_t anchored = __atomic_load_n(&live->anchored, __ATOMIC_RELAXED);
	uint64_t due = due_offset(archive, __atomic_load_n(&live->head, __ATOMIC_RELAXED));

	return anchored > due ? anchored - due : 0;
}

unsigned int log_archive_used(const struct log_archive *archive)
{
	const struct assay_log_header *live = archive->log.header;
	uint64_t tail = __atomic_load_n(&live->tail, __ATOMIC_RELAXED);
	uint64_t head = __atomic_load_n(&live->head, __ATOMIC_RELAXED);

	return (unsigned int)((tail - head) * 100 / archive->log.ring_size);
}

/* ---------------------------------------------------------------- writing */

struct reading {
	const struct log_archive *archive;
	uint64_t from;
};

static int is_unchanged(void *context, struct assay_error *err)
{
	const struct reading *reading = context;

	if (device_log_has(&reading->archive->log, reading->from))
		return 0;
	return assay_fail(err, ESTALE, "the log was cut while it was archived");
}

/* Whole records, as many as fit; at least one. */
static int find_records(struct bytes bytes, uint64_t first, uint64_t limit,
			struct archive_batch *batch, struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, bytes, 0);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		if (record.recnum != first + batch->count)
			return assay_fail(err, EBADMSG,
					  "there is record %" PRIu64 " where %" PRIu64 " is due",
					  record.recnum, first + batch->count);
		if (batch->count > 0 && record.offset + record.size > limit)
			break;
		batch->count++;
		batch->bytes = BYTES(bytes.data, (size_t)(record.offset + record.size));
	}
	return r < 0 ? r : 0;
}

/* Does the log make the PCR that the module keeps, where both end? */
static bool makes_pcr(const struct assay_log_header *header, const struct assay_digest *values,
		      size_t count)
{
	for (uint32_t i = 0; i < header->bank_count; i++)
		for (size_t j = 0; j < count; j++)
			if ((enum assay_hash)header->banks[i].alg == values[j].hash &&
			    memcmp(header->banks[i].value, values[j].bytes, values[j].size) != 0)
				return false;
	return true;
}

/* Where the ring's head is behind what is due, the archive has a gap, and begins anew there. */
static int begin_batch(struct log_archive *archive, const struct assay_log_header *header,
		       struct archive_batch *batch, struct assay_error *err)
{
	uint64_t next = archive_writer_next(archive->writer);
	bool lost = archive_writer_is_empty(archive->writer) || next < header->head_recnum;

	batch->first = lost ? header->head_recnum : next;
	batch->offset = lost ? header->head : archive_writer_offset(archive->writer);
	batch->gap = lost;
	if (lost && header->head_recnum > next) {
		archive->lost_from = next;
		archive->lost_to = header->head_recnum;
	}
	/* The banks are not known before there is a TPM. */
	if (lost || archive->value_count != header->bank_count)
		return ring_values(archive, header, batch->first, err);
	return 0;
}

int log_archive_write(struct log_archive *archive, uint64_t limit, struct assay_error *err)
{
	struct assay_digest after[LOG_ARCHIVE_BANKS];
	struct assay_log_header header;
	struct archive_batch batch = { 0 };
	struct reading reading = { .archive = archive };
	size_t offset;
	int r = device_log_header(&archive->log, &header, err);

	if (r == 0)
		r = begin_batch(archive, &header, &batch, err);
	if (r < 0 || batch.offset >= header.anchored)
		return r;
	reading.from = batch.offset;
	r = find_records(device_log_bytes(&archive->log, batch.offset, header.anchored),
			 batch.first, limit, &batch, err);
	memcpy(after, archive->values, sizeof(after));
	if (r == 0)
		r = log_since(batch.bytes, header.pcr, batch.first + batch.count, after,
			      archive->value_count, &offset, err);
	/* What cannot be read may only have been cut off meanwhile. */
	if (r < 0)
		return is_unchanged(&reading, NULL) < 0 ? is_unchanged(&reading, err) : r;
	batch.start = archive->values;
	batch.start_count = archive->value_count;
	batch.unchanged = is_unchanged;
	batch.context = &reading;
	r = archive_write(archive->writer, &batch, err);
	if (r < 0)
		return r;
	memcpy(archive->values, after, sizeof(after));
	if (batch.offset + batch.bytes.size == header.anchored)
		archive->differs = !makes_pcr(&header, after, archive->value_count);
	archive->files++;
	archive->records += batch.count;
	archive->bytes += batch.bytes.size;
	return 1;
}

int log_archive_trim(struct log_archive *archive, const struct device *device,
		     struct assay_error *err)
{
	uint64_t next = archive_writer_next(archive->writer);
	struct assay_log_header header;
	int r = device_log_header(&archive->log, &header, err);

	/* The newest stays: by it the ring and the archive are seen to belong together. */
	if (r < 0 || next == 0 || next - 1 <= header.head_recnum || next > header.anchored_records)
		return r;
	r = privilege_raise(CAP_SYS_ADMIN, err);
	if (r < 0)
		return r;
	r = device_trim(device, next - 1, NULL, err);
	privilege_drop();
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	archive->trimmed += next - 1 - header.head_recnum;
	return 1;
}
