// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_joined.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "archive/archive_reader_internal.h"

void archive_tail_add(struct archive_tail *tail, const struct archive_tail_file *file)
{
	if (tail->count == ARCHIVE_TAIL_MAX)
		memmove(&tail->files[0], &tail->files[1], --tail->count * sizeof(tail->files[0]));
	tail->files[tail->count++] = *file;
}

size_t archive_tail_choose(const struct archive_tail *tail, uint64_t first, uint64_t size,
			   uint64_t limit)
{
	size_t chosen = 0;

	while (chosen < tail->count) {
		const struct archive_tail_file *file = &tail->files[tail->count - 1 - chosen];

		/* Not over a gap. */
		if (file->first + file->count != first || file->content > 2 * size ||
		    file->content + size > limit)
			break;
		size += file->content;
		first = file->first;
		chosen++;
	}
	return chosen;
}

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	struct buffer *out = context;

	buffer_append_bytes(out, bytes);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_files(struct archive_joined *joined, enum archive_stream stream, size_t start_count,
		      struct assay_error *err)
{
	struct archive *archive = joined->archive;
	struct archive_header header;
	size_t count;
	const struct archive_file *files = archive_files(archive, stream, &count);
	int r = 0;

	if (count == 0)
		return assay_fail(err, ENODATA, "there is nothing to join");
	for (size_t i = 0; i < count && r == 0; i++) {
		r = archive_header(archive, stream, i, &header, err);
		/* The values of banks that came later would be lost. */
		if (r == 0 && header.start_count != start_count)
			r = assay_fail(err, EINVAL, "they are not of the same banks");
		if (i == 0)
			joined->header = header;
	}
	if (r == 0)
		r = archive_read(archive, stream, files[0].first, collect, &joined->content, err);
	return r;
}

int archive_joined_begin(struct archive_joined *joined, const char *path,
			 enum archive_stream stream, uint64_t from, uint64_t to, uint64_t due,
			 size_t start_count, struct assay_error *err)
{
	int r;

	*joined = (struct archive_joined){ 0 };
	r = archive_open_files(path, stream, from, to, &joined->archive, err);
	if (r < 0)
		return r;
	if (flock(joined->archive->fd, LOCK_EX | LOCK_NB) < 0)
		r = assay_fail(err, errno, "%s is read", path);
	if (r == 0 && archive_end(joined->archive, stream) != due)
		r = assay_fail(err, EBADMSG, "they do not end where they should");
	if (r == 0)
		r = read_files(joined, stream, start_count, err);
	if (r < 0)
		archive_joined_end(joined);
	return r;
}

void archive_joined_end(struct archive_joined *joined)
{
	archive_close(joined->archive);
	joined->archive = NULL;
	buffer_free(&joined->content);
}

int archive_joined_remove(const char *path, enum archive_stream stream, uint64_t from, uint64_t to,
			  struct assay_error *err)
{
	for (uint64_t number = to; number >= from; number--) {
		char name[ARCHIVE_NAME_MAX], file[PATH_MAX];

		archive_file_name(stream, number, name);
		if (snprintf(file, sizeof(file), "%s/%s", path, name) >= (int)sizeof(file))
			return assay_fail(err, ENAMETOOLONG, "%s is too long", path);
		if (unlink(file) < 0 && errno != ENOENT)
			return assay_fail(err, errno, "cannot remove %s: %s", file,
					  strerror(errno));
	}
	return 0;
}
