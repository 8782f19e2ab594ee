// SPDX-License-Identifier: MIT
/* Removing what is old, and setting aside what is damaged. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive_reader_internal.h"
#include "archive/archive_writer.h"

static int unlink_file(const char *path, enum archive_stream stream, uint64_t number,
		       struct assay_error *err)
{
	char name[ARCHIVE_NAME_MAX], file[PATH_MAX];

	archive_file_name(stream, number, name);
	if (snprintf(file, sizeof(file), "%s/%s", path, name) >= (int)sizeof(file))
		return assay_fail(err, ENAMETOOLONG, "%s is too long", path);
	if (unlink(file) < 0)
		return assay_fail(err, errno, "cannot remove %s: %s", file, strerror(errno));
	return 0;
}

int archive_remove_file(const char *path, enum archive_stream stream, uint64_t number,
			struct assay_error *err)
{
	struct archive_current current;
	struct archive_current_stream *said = &current.streams[stream];
	struct assay_error why;
	int r = archive_current_read(path, &current, &why);

	if (archive_is_unread(r))
		return assay_fail(err, why.code, "%s", why.text);
	if (r == 0 && said->number > 0 && number >= said->number)
		return assay_fail(err, ENODATA, "%s has nothing that is not the newest", path);
	if (r < 0 || said->oldest > number || said->number == 0)
		return unlink_file(path, stream, number, err);
	/* First it is not missed any more: if all ends between, it is only not removed yet. */
	said->oldest = number + 1;
	r = archive_current_write(path, &current, err);
	if (r != -ENOSPC && r != -EDQUOT)
		return r < 0 ? r : unlink_file(path, stream, number, err);
	/* On a full disk there is room for that only where the file was. */
	r = unlink_file(path, stream, number, err);
	return r < 0 ? r : archive_current_write(path, &current, err);
}

int archive_acknowledge(const char *path, enum archive_stream stream, uint64_t number,
			struct assay_error *err)
{
	struct archive_current current;
	int r = archive_current_read(path, &current, err);

	if (r < 0 || current.streams[stream].number == 0)
		return r;
	/* Nobody has seen what is not written yet: it must not go, whatever a verifier says. */
	if (number > current.streams[stream].next)
		number = current.streams[stream].next;
	if (current.streams[stream].acknowledged >= number)
		return 0;
	current.streams[stream].acknowledged = number;
	return archive_current_write(path, &current, err);
}

int archive_remove(const char *path, struct assay_error *err)
{
	enum archive_stream stream;
	struct dirent *entry;
	uint64_t number;
	DIR *directory = opendir(path);
	int r = 0;

	if (!directory)
		return assay_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
	while (r == 0 && (entry = readdir(directory))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (!archive_file_parse(name, &stream, &number) && !archive_is_own(name)))
			continue;
		if (unlinkat(dirfd(directory), name, 0) < 0)
			r = assay_fail(err, errno, "cannot remove %s/%s: %s", path, name,
				       strerror(errno));
	}
	closedir(directory);
	if (r == 0 && rmdir(path) < 0 && errno != ENOTEMPTY)
		r = assay_fail(err, errno, "cannot remove %s: %s", path, strerror(errno));
	return r;
}

/* The newest file there is, its header read or not, and what is due where it begins. */
static int find_newest(const struct archive *archive, enum archive_stream stream, uint64_t *number,
		       uint64_t *due, struct assay_error *err)
{
	const struct archive_listing *listing = &archive->streams[stream];
	const struct archive_file *last = &listing->files[listing->count - 1];
	char name[ARCHIVE_NAME_MAX];
	int r;

	*number = listing->count > 0 ? last->number + 1 : 1;
	*due = archive_end(archive, stream);
	/* A header that can be read is in the listing. */
	r = archive_exists(archive, archive_file_name(stream, *number, name), err);
	if (r != 0)
		return r < 0 ? r : 0;
	*number -= 1;
	*due = listing->count > 0 ? last->first : 0;
	return 0;
}

int archive_set_aside(const char *path, enum archive_stream stream, uint64_t from,
		      struct assay_error *err)
{
	char name[ARCHIVE_NAME_MAX], aside[ARCHIVE_NAME_MAX + sizeof(ARCHIVE_ASIDE)];
	struct archive *archive;
	uint64_t number, due;
	int r = archive_open_newest(path, stream, &archive, err);

	if (r < 0)
		return r;
	r = find_newest(archive, stream, &number, &due, err);
	if (r < 0) {
		archive_close(archive);
		return r;
	}
	archive_file_name(stream, number, name);
	snprintf(aside, sizeof(aside), "%s" ARCHIVE_ASIDE, name);
	if (number == 0 || due < from)
		r = assay_fail(err, ENODATA,
			       "%s/%s cannot be written again: the kernel has nothing of before %s "
			       "%" PRIu64 " any more. Put it back from a copy, or move it away",
			       path, name, archive_stream_unit(stream), from);
	else if (renameat(archive->fd, name, archive->fd, aside) < 0)
		r = assay_fail(err, errno, "cannot rename %s/%s: %s", path, name, strerror(errno));
	archive_close(archive);
	return r;
}
