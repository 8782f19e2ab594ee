// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_join.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"

/* Logs that the module may have begun in one boot. */
#define LOGS_MAX 100

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	struct buffer *out = context;

	if (out->size + bytes.size > ARCHIVE_JOIN_MAX)
		return assay_fail(err, EFBIG, "the log has more than %u bytes", ARCHIVE_JOIN_MAX);
	buffer_append_bytes(out, bytes);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* The file that has the record, or the first one that is behind it; also of a boot before. */
static const struct archive_file *find_file(const struct archive *archive, uint64_t from,
					    const struct archive **ret_archive, size_t *ret_index)
{
	const struct archive_listing *listing = &archive->streams[ARCHIVE_LOG];

	if (listing->before && listing->count > 0 && from < listing->files[0].first)
		return find_file(listing->before, from, ret_archive, ret_index);
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->files[i].first + listing->files[i].count <= from)
			continue;
		*ret_archive = archive;
		*ret_index = i;
		return &listing->files[i];
	}
	return NULL;
}

/* Does the ring go on where the archive ends? */
static int check_ends(const struct archive *archive, const struct device_log_copy *copy,
		      uint64_t *ret_end, struct assay_error *err)
{
	const struct archive_listing *listing = &archive->streams[ARCHIVE_LOG];
	uint64_t end = archive_end(archive, ARCHIVE_LOG), offset;
	const struct assay_log_header *header = &copy->header;
	int r;

	r = end < header->head_recnum ? archive_unread(archive, ARCHIVE_LOG, err) : 0;
	if (r < 0)
		return r;
	if (end < header->head_recnum)
		return assay_fail(
			err, ENODATA,
			"records %" PRIu64 " to %" PRIu64
			" are neither in %s nor in the log: they were cut off before they "
			"were archived, or files are missing",
			end, (uint64_t)header->head_recnum - 1, archive->path);
	offset = listing->files[listing->count - 1].offset +
		 listing->files[listing->count - 1].content;
	if (end > header->records || offset < header->head ||
	    offset > header->head + copy->cel.size)
		return assay_fail(err, EBADMSG, "%s is the archive of another log", archive->path);
	*ret_end = offset;
	return 0;
}

/* The header of what begins with another record. */
static void set_begin(struct assay_log_header *header, const struct archive_header *first,
		      uint64_t base)
{
	header->head = base;
	header->head_recnum = first->first;
	for (uint32_t i = 0; i < header->bank_count; i++)
		for (size_t j = 0; j < first->start_count; j++)
			if ((enum assay_hash)header->banks[i].alg == first->start[j].hash)
				memcpy(header->banks[i].start, first->start[j].bytes,
				       first->start[j].size);
}

/* @known: bytes of the ring that are archived as well */
static int append_ring(const struct archive *archive, const struct device_log_copy *copy,
		       size_t known, struct buffer *joined, struct assay_error *err)
{
	size_t both = known < joined->size ? known : joined->size;

	if (both > 0 && memcmp(joined->data + (joined->size - both),
			       copy->cel.data + (known - both), both) != 0)
		return assay_fail(err, EBADMSG, "%s is the archive of another log", archive->path);
	buffer_append(joined, copy->cel.data + known, copy->cel.size - known);
	return joined->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

int archive_join(const struct archive *archive, uint64_t from, struct device_log_copy *copy,
		 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer joined = { 0 };
	uint64_t tail = copy->header.head + copy->cel.size, end = 0;
	const struct archive *holder;
	const struct archive_file *file;
	struct archive_header first;
	size_t index;
	int r;

	if (from >= copy->header.head_recnum)
		return 0;
	file = find_file(archive, from, &holder, &index);
	/* The ring begins earlier than what is left of the archive. */
	if (file && file->first >= copy->header.head_recnum)
		return 0;
	if (!file && archive_end(archive, ARCHIVE_LOG) == 0)
		return assay_fail(err, ENODATA, "%s has no records", archive->path);
	r = check_ends(archive, copy, &end, err);
	if (r == 0)
		r = archive_header(holder, ARCHIVE_LOG, index, &first, err);
	if (r == 0)
		r = archive_read(archive, ARCHIVE_LOG, first.first, collect, &joined, err);
	if (r == 0)
		r = append_ring(archive, copy, (size_t)(end - copy->header.head), &joined, err);
	if (r < 0)
		return r;
	set_begin(&copy->header, &first, tail - joined.size);
	buffer_free(&copy->cel);
	copy->cel = joined;
	joined = (struct buffer){ 0 };
	return 0;
}

/* One of them. */
static int join_one(const char *path, uint64_t from, struct device_log_copy *copy,
		    struct assay_error *err)
{
	struct archive *archive;
	int r = archive_open(path, &archive, err);

	if (r < 0)
		return r;
	r = archive_join(archive, from, copy, err);
	archive_close(archive);
	return r;
}

int archive_join_path(const char *path, uint64_t from, struct device_log_copy *copy,
		      struct assay_error *err)
{
	int last = -ENOENT;

	for (unsigned int i = 0; i < LOGS_MAX; i++) {
		struct assay_error why;
		char other[PATH_MAX];
		int r, length = i == 0 ? snprintf(other, sizeof(other), "%s", path) :
					 snprintf(other, sizeof(other), "%s.%u", path, i);

		if (length >= (int)sizeof(other))
			return assay_fail(err, ENAMETOOLONG, "%s is too long", path);
		r = join_one(other, from, copy, &why);
		if (r == 0)
			return 0;
		/* The error of the last one that is there stays. */
		if (r == -ENOENT && i > 0)
			break;
		last = assay_fail(err, -r, "%s", why.text);
		if (r == -ENOENT || r == -ENOMEM || r == -EFBIG)
			break;
	}
	return last;
}

int archive_join_boot(const char *root, uint64_t from, struct device_log_copy *copy,
		      struct assay_error *err)
{
	char path[PATH_MAX], boot_id[ARCHIVE_BOOT_ID_TEXT];
	int r;

	archive_boot_id_text(copy->header.boot_id, boot_id);
	if (snprintf(path, sizeof(path), "%s/%s", root, boot_id) >= (int)sizeof(path))
		return assay_fail(err, ENAMETOOLONG, "%s is too long", root);
	r = archive_join_path(path, from, copy, err);
	return r == -EBADMSG ? -ENOENT : r;
}

int archive_load(const struct archive *archive, struct buffer *out, uint64_t *ret_base,
		 struct assay_error *err)
{
	uint64_t first = archive_begin(archive, ARCHIVE_LOG);
	const struct archive *holder;
	size_t index;
	const struct archive_file *file = find_file(archive, first, &holder, &index);

	if (!file)
		return assay_fail(err, ENODATA, "%s has no records of the log", archive->path);
	*ret_base = file->offset;
	return archive_read(archive, ARCHIVE_LOG, first, collect, out, err);
}
