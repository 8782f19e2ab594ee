// SPDX-License-Identifier: MIT
/* A boot's directory: opened, looked through, and what is known of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"

/* Archives of boots in a row, each by kexec from the one before. */
#define BOOTS_MAX 64
/* Files that archive_open_newest() looks at. */
#define NEWEST_MAX 64
/* A writer that joins files keeps readers out so long, about. */
#define LOCK_TRIES 200
#define LOCK_PAUSE 10000000 /* ns */

#define ALL_STREAMS ((1U << ARCHIVE_STREAMS) - 1)

static int new_archive(const char *path, struct archive **ret, struct assay_error *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return assay_fail(err, ENOMEM, "out of memory");
	archive->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (archive->fd < 0) {
		int r = assay_fail(err, errno, "cannot open the archive %s: %s", path,
				   strerror(errno));

		free(archive);
		return r;
	}
	archive->path = strdup(path);
	if (!archive->path) {
		archive_close(archive);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	/* "DIR/" is the same directory. */
	for (size_t length = strlen(path); length > 1; length--) {
		if (archive->path[length - 1] != '/')
			break;
		archive->path[length - 1] = '\0';
	}
	*ret = archive;
	return 0;
}

/*
 * While this is open, no writer joins files. Where there are no such locks, and where somebody
 * holds one for ever, files may be joined while they are read: then reading fails, and can be tried
 * again.
 */
static void keep_writers_out(const struct archive *archive)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(archive->fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return;
		nanosleep(&pause, NULL);
	}
}

/* @streams: bits of enum archive_stream; of the others no file is looked at */
static int look(const char *path, unsigned int streams, struct archive **ret,
		struct assay_error *err)
{
	struct assay_error problem;
	struct archive *archive;
	int r = new_archive(path, &archive, err);

	if (r < 0)
		return r;
	keep_writers_out(archive);
	r = archive_list_files(archive, err);
	if (r < 0) {
		archive_close(archive);
		return r;
	}
	r = archive_current_read(archive->path, &archive->current, &problem);
	archive->has_current = r == 0;
	if (r < 0 && r != -ENOENT)
		archive_note(archive, archive_fault_of(r), ARCHIVE_LOG, "%s", problem.text);
	for (int i = 0; i < ARCHIVE_STREAMS; i++) {
		if ((streams >> i & 1) == 0)
			archive->streams[i].count = 0;
		else
			archive_judge_numbers(archive, (enum archive_stream)i);
	}
	*ret = archive;
	return 0;
}

int archive_look(const char *path, struct archive **ret, struct assay_error *err)
{
	return look(path, ALL_STREAMS, ret, err);
}

int archive_look_on(struct archive *archive, size_t headers)
{
	for (int i = 0; i < ARCHIVE_STREAMS; i++)
		if (archive_read_headers(archive, (enum archive_stream)i, &headers) > 0)
			return 1;
	return 0;
}

static int open_streams(const char *path, unsigned int streams, int depth, struct archive **ret,
			struct assay_error *err);

/* The archive of the boot before has the same parent. It may have been removed. */
static void open_before(struct archive *archive, enum archive_stream stream, int depth)
{
	struct archive_listing *listing = &archive->streams[stream];
	char text[ARCHIVE_BOOT_ID_TEXT], path[PATH_MAX];
	const char *end = strrchr(archive->path, '/');
	struct archive *before;
	struct assay_error err;

	if (depth == BOOTS_MAX || listing->count == 0 ||
	    bytes_are_zero(BYTES(listing->boot_before, ARCHIVE_BOOT_ID)))
		return;
	archive_boot_id_text(listing->boot_before, text);
	if (snprintf(path, sizeof(path), "%.*s/%s", end ? (int)(end - archive->path) : 1,
		     end ? archive->path : ".", text) >= (int)sizeof(path) ||
	    open_streams(path, 1U << stream, depth + 1, &before, &err) < 0)
		return;
	if (archive_end(before, stream) != listing->files[0].first) {
		archive_note(archive, ARCHIVE_MISSING, stream,
			     "%s goes on with %s %" PRIu64 ", but %s ends before %" PRIu64
			     ": put back from a copy what was removed",
			     archive->path, archive_stream_unit(stream), listing->files[0].first,
			     path, archive_end(before, stream));
		archive_close(before);
		return;
	}
	listing->before = before;
}

void archive_follow(struct archive *archive)
{
	for (int i = 0; i < ARCHIVE_STREAMS; i++)
		open_before(archive, (enum archive_stream)i, 0);
}

static int open_streams(const char *path, unsigned int streams, int depth, struct archive **ret,
			struct assay_error *err)
{
	struct archive *archive;
	int r = look(path, streams, &archive, err);

	if (r < 0)
		return r;
	(void)archive_look_on(archive, SIZE_MAX);
	for (int i = 0; i < ARCHIVE_STREAMS; i++)
		open_before(archive, (enum archive_stream)i, depth);
	*ret = archive;
	return 0;
}

int archive_open(const char *path, struct archive **ret, struct assay_error *err)
{
	return open_streams(path, ALL_STREAMS, 0, ret, err);
}

int archive_open_newest(const char *path, enum archive_stream stream, struct archive **ret,
			struct assay_error *err)
{
	struct archive *archive;
	struct archive_listing *listing;
	int r = look(path, 1U << stream, &archive, err);

	if (r < 0)
		return r;
	listing = &archive->streams[stream];
	listing->oldest = listing->count > 0 ? listing->files[0].number : 0;
	if (listing->count > NEWEST_MAX) {
		memmove(listing->files, listing->files + listing->count - NEWEST_MAX,
			NEWEST_MAX * sizeof(*listing->files));
		listing->count = NEWEST_MAX;
	}
	(void)archive_look_on(archive, SIZE_MAX);
	r = archive_unread(archive, stream, err);
	if (r < 0)
		archive_close(archive);
	else
		*ret = archive;
	return r;
}

int archive_open_files(const char *path, enum archive_stream stream, uint64_t from, uint64_t to,
		       struct archive **ret, struct assay_error *err)
{
	struct archive *archive;
	int r = new_archive(path, &archive, err);

	if (r < 0)
		return r;
	for (uint64_t number = from; number <= to && r == 0; number++)
		r = archive_add_file(&archive->streams[stream], number, err);
	if (r == 0) {
		(void)archive_look_on(archive, SIZE_MAX);
		if (archive->problem_count > 0)
			r = assay_fail(err, EBADMSG, "%s", archive->problems[0].text);
	}
	if (r < 0)
		archive_close(archive);
	else
		*ret = archive;
	return r;
}

void archive_give_up_files(struct archive *archive)
{
	for (int i = 0; i < ARCHIVE_STREAMS; i++) {
		archive_close(archive->streams[i].before);
		archive->streams[i].before = NULL;
	}
	close_descriptor(&archive->fd);
	archive->fd = -1;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	for (int i = 0; i < ARCHIVE_STREAMS; i++) {
		archive_close(archive->streams[i].before);
		free(archive->streams[i].files);
	}
	close_descriptor(&archive->fd);
	free(archive->path);
	free(archive);
}

bool archive_is(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

const struct archive_problem *archive_problems(const struct archive *archive, size_t *ret_count)
{
	*ret_count = archive->problem_count < ARCHIVE_PROBLEMS_MAX ? archive->problem_count :
								     ARCHIVE_PROBLEMS_MAX;
	return archive->problems;
}

const struct archive_file *archive_files(const struct archive *archive, enum archive_stream stream,
					 size_t *ret_count)
{
	*ret_count = archive->streams[stream].count;
	return archive->streams[stream].files;
}

uint64_t archive_acknowledged(const struct archive *archive, enum archive_stream stream)
{
	return archive->has_current ? archive->current.streams[stream].acknowledged : 0;
}

const char *archive_path(const struct archive *archive)
{
	return archive->path;
}

uint64_t archive_end(const struct archive *archive, enum archive_stream stream)
{
	const struct archive_listing *listing = &archive->streams[stream];
	const struct archive_file *last;

	if (listing->count == 0)
		return 0;
	last = &listing->files[listing->count - 1];
	return last->first + last->count;
}

uint64_t archive_begin(const struct archive *archive, enum archive_stream stream)
{
	const struct archive_listing *listing = &archive->streams[stream];

	if (listing->count == 0)
		return 0;
	return listing->before ? archive_begin(listing->before, stream) : listing->files[0].first;
}

int archive_unread(const struct archive *archive, enum archive_stream stream,
		   struct assay_error *err)
{
	const struct archive_listing *listing = &archive->streams[stream];

	if (listing->unread == 0 ||
	    (listing->count > 0 && listing->files[listing->count - 1].number > listing->unread))
		return 0;
	return assay_fail(err, listing->why.code, "%s", listing->why.text);
}

int archive_header(const struct archive *archive, enum archive_stream stream, size_t index,
		   struct archive_header *ret, struct assay_error *err)
{
	uint64_t size;

	return archive_read_header(archive, stream, archive->streams[stream].files[index].number,
				   ret, &size, err);
}
