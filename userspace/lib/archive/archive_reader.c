// SPDX-License-Identifier: MIT
/* A boot's directory: which files there are, and what is off with them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"

/* Files of a stream at most: a writer makes far fewer before retention removes them. */
#define FILES_MAX (1U << 20)
/* Archives of boots in a row, each by kexec from the one before. */
#define BOOTS_MAX 64

void archive_note(struct archive *archive, enum archive_fault fault, enum archive_stream stream,
		  const char *format, ...)
{
	struct archive_problem *problem;
	va_list arguments;

	if (archive->problem_count++ >= ARCHIVE_PROBLEMS_MAX)
		return;
	problem = &archive->problems[archive->problem_count - 1];
	problem->fault = fault;
	problem->stream = stream;
	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
}

int archive_open_file(const struct archive *archive, const char *name, uint64_t *ret_size,
		      struct assay_error *err)
{
	/* Not to wait for whoever writes to a FIFO. */
	int fd = openat(archive->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return assay_fail(err, errno, "cannot open %s/%s: %s", archive->path, name,
				  strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return assay_fail(err, EBADMSG, "%s/%s is no regular file", archive->path, name);
	}
	*ret_size = (uint64_t)status.st_size;
	return fd;
}

static int read_header(const struct archive *archive, enum archive_stream stream, uint64_t number,
		       struct archive_header *ret, uint64_t *ret_size, struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = -1;
	uint8_t front[ARCHIVE_FRONT_MAX];
	char name[ARCHIVE_NAME_MAX];
	struct archive_header header;
	ssize_t got;
	size_t frame;
	int r;

	fd = archive_open_file(archive, archive_file_name(stream, number, name), ret_size, err);
	if (fd < 0)
		return fd;
	got = pread(fd, front, sizeof(front), 0);
	if (got < 0)
		return assay_fail(err, errno, "cannot read %s/%s: %s", archive->path, name,
				  strerror(errno));
	r = archive_header_parse(BYTES(front, (size_t)got), &header, &frame, err);
	if (r == 0 && (header.stream != stream || header.number != number))
		r = assay_fail(err, EBADMSG, "it is another file of an archive, by its header");
	if (r < 0)
		return assay_fail_context(err, "%s/%s", archive->path, name);
	*ret = header;
	return 0;
}

/* ---------------------------------------------------------------- what is in the directory */

static int add_file(struct archive_listing *listing, uint64_t number, struct assay_error *err)
{
	if (listing->count == FILES_MAX)
		return assay_fail(err, E2BIG, "there are more than %u files", FILES_MAX);
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
		struct archive_file *files = realloc(listing->files, capacity * sizeof(*files));

		if (!files)
			return assay_fail(err, ENOMEM, "out of memory");
		listing->files = files;
		listing->capacity = capacity;
	}
	listing->files[listing->count++] = (struct archive_file){ .number = number };
	return 0;
}

/* What writers leave beside the files: locks, what is unfinished, what was set aside. */
bool archive_is_own(const char *name)
{
	static const char *const ends[] = { ARCHIVE_PARTIAL, ARCHIVE_ASIDE };
	size_t length = strlen(name), current = sizeof(ARCHIVE_CURRENT_NAME) - 1;
	enum archive_stream stream;
	char start[ARCHIVE_NAME_MAX];
	uint64_t number;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".log.lock") == 0 ||
	    strcmp(name, ".ima.lock") == 0 || strcmp(name, ARCHIVE_CURRENT_NAME) == 0)
		return true;
	/* What file_write() had not put in place: NAME.01234567 */
	if (strncmp(name, ARCHIVE_CURRENT_NAME ".", current + 1) == 0)
		return length == current + 9 && strspn(name + current + 1, "0123456789abcdef") == 8;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (length <= end || strcmp(name + length - end, ends[i]) != 0 ||
		    length - end >= sizeof(start))
			continue;
		memcpy(start, name, length - end);
		start[length - end] = '\0';
		return archive_file_parse(start, &stream, &number);
	}
	return false;
}

static int by_number(const void *a, const void *b)
{
	const struct archive_file *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

static int list_files(struct archive *archive, struct assay_error *err)
{
	int fd = openat(archive->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!directory) {
		r = assay_fail(err, errno, "cannot read %s: %s", archive->path, strerror(errno));
		close_descriptor(&fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(directory))) {
		enum archive_stream stream;
		uint64_t number;
		char text[256];

		if (archive_file_parse(entry->d_name, &stream, &number)) {
			r = add_file(&archive->streams[stream], number, err);
		} else if (!archive_is_own(entry->d_name)) {
			text_escape(BYTES((const uint8_t *)entry->d_name, strlen(entry->d_name)),
				    text, sizeof(text));
			archive_note(archive, ARCHIVE_FOREIGN, ARCHIVE_LOG,
				     "%s/%s is no file of the archive; it is passed over: move it "
				     "away",
				     archive->path, text);
		}
	}
	if (r == 0 && errno)
		r = assay_fail(err, errno, "cannot read %s: %s", archive->path, strerror(errno));
	closedir(directory);
	return r;
}

/* ---------------------------------------------------------------- what fits together */

static void note_missing(struct archive *archive, enum archive_stream stream, uint64_t from,
			 uint64_t to)
{
	char first[ARCHIVE_NAME_MAX], last[ARCHIVE_NAME_MAX];

	archive_file_name(stream, from, first);
	archive_file_name(stream, to, last);
	if (from == to)
		archive_note(archive, ARCHIVE_MISSING, stream,
			     "%s/%s is missing: put it back from a copy", archive->path, first);
	else
		archive_note(archive, ARCHIVE_MISSING, stream,
			     "%s: %s to %s are missing: put them back from a copy", archive->path,
			     first, last);
}

/* Does the file behind @before, or the first one if that is NULL, go on where that ends? */
static void judge_order(struct archive *archive, enum archive_stream stream,
			const struct archive_file *before, const struct archive_file *file)
{
	uint64_t due = before ? before->first + before->count : 0;
	const char *unit = archive_stream_unit(stream);
	char name[ARCHIVE_NAME_MAX];

	archive_file_name(stream, file->number, name);
	if (!before || file->first == due)
		return;
	if (file->first < due)
		archive_note(archive, ARCHIVE_DAMAGED, stream,
			     "%s/%s begins with %s %" PRIu64 ", which is in the file before it",
			     archive->path, name, unit, file->first);
	else if (file->number == before->number + 1)
		archive_note(archive, ARCHIVE_GAP, stream,
			     "%s: %s %" PRIu64 " to %" PRIu64
			     " were lost before they could be archived, in front of %s",
			     archive->path, unit, due, file->first - 1, name);
}

/* Numbers of files that are not there, by what is, and by what current.json says. */
static void judge_numbers(struct archive *archive, enum archive_stream stream)
{
	const struct archive_listing *listing = &archive->streams[stream];
	const struct archive_current_stream *said = &archive->current.streams[stream];
	uint64_t due = archive->has_current && said->number > 0 ? said->oldest : 1;

	/* Without current.json nobody knows what was removed on purpose. */
	if (!archive->has_current && listing->count > 0)
		due = listing->files[0].number;
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->files[i].number > due)
			note_missing(archive, stream, due, listing->files[i].number - 1);
		due = listing->files[i].number + 1;
	}
	if (archive->has_current && said->number >= due)
		note_missing(archive, stream, due, said->number);
}

/* Read all headers; files without a right one leave the listing, as they are of no use. */
static int read_headers(struct archive *archive, enum archive_stream stream, uint8_t *boot_id)
{
	struct archive_listing *listing = &archive->streams[stream];
	const struct archive_file *before = NULL;
	struct archive_header header, first = { 0 };
	struct assay_error err;
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct archive_file file = listing->files[i];
		int r = read_header(archive, stream, file.number, &header, &file.size, &err);

		if (r == 0 && bytes_are_zero(BYTES(boot_id, ARCHIVE_BOOT_ID)))
			memcpy(boot_id, header.boot_id, ARCHIVE_BOOT_ID);
		if (r == 0 && memcmp(boot_id, header.boot_id, ARCHIVE_BOOT_ID) != 0)
			r = assay_fail(&err, EBADMSG,
				       "%s: file %" PRIu64 " of the %s is of "
				       "another boot than the others",
				       archive->path, file.number, archive_stream_name(stream));
		if (r < 0) {
			archive_note(archive, r == -ENOTSUP ? ARCHIVE_FUTURE : ARCHIVE_DAMAGED,
				     stream, "%s", err.text);
			continue;
		}
		file.first = header.first;
		file.count = header.count;
		file.offset = header.offset;
		file.time = header.time;
		file.content = header.size;
		memcpy(file.previous, header.previous, ARCHIVE_DIGEST);
		judge_order(archive, stream, before, &file);
		if (kept == 0)
			first = header;
		listing->files[kept++] = file;
		before = &listing->files[kept - 1];
	}
	listing->count = kept;
	return kept > 0 && !bytes_are_zero(BYTES(first.boot_before, ARCHIVE_BOOT_ID));
}

/* The archive of the boot before has the same parent. It may have been removed. */
static int open_streams(const char *path, unsigned int streams, int depth, struct archive **ret,
			struct assay_error *err);

static void open_before(struct archive *archive, enum archive_stream stream, int depth)
{
	struct archive_listing *listing = &archive->streams[stream];
	char text[ARCHIVE_BOOT_ID_TEXT], path[PATH_MAX];
	struct archive_header header;
	const char *end = strrchr(archive->path, '/');
	struct archive *before;
	struct assay_error err;

	if (depth == BOOTS_MAX || archive_header(archive, stream, 0, &header, &err) < 0)
		return;
	archive_boot_id_text(header.boot_before, text);
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

static int look_through(struct archive *archive, unsigned int streams, int depth,
			struct assay_error *err)
{
	uint8_t boot_id[ARCHIVE_BOOT_ID] = { 0 };
	struct assay_error problem;
	int r = list_files(archive, err);

	if (r < 0)
		return r;
	r = archive_current_read(archive->path, &archive->current, &problem);
	archive->has_current = r == 0;
	if (r < 0 && r != -ENOENT)
		archive_note(archive, ARCHIVE_DAMAGED, ARCHIVE_LOG, "%s", problem.text);
	for (int i = 0; i < ARCHIVE_STREAMS; i++) {
		struct archive_listing *listing = &archive->streams[i];
		enum archive_stream stream = (enum archive_stream)i;

		if ((streams >> i & 1) == 0) {
			listing->count = 0;
			continue;
		}
		if (listing->count > 0)
			qsort(listing->files, listing->count, sizeof(*listing->files), by_number);
		judge_numbers(archive, stream);
		if (read_headers(archive, stream, boot_id))
			open_before(archive, stream, depth);
	}
	return 0;
}

/* @streams: bits of enum archive_stream; of the others no file is looked at */
static int open_streams(const char *path, unsigned int streams, int depth, struct archive **ret,
			struct assay_error *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	int r;

	if (!archive)
		return assay_fail(err, ENOMEM, "out of memory");
	archive->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (archive->fd < 0) {
		r = assay_fail(err, errno, "cannot open the archive %s: %s", path, strerror(errno));
		free(archive);
		return r;
	}
	archive->path = strdup(path);
	r = archive->path ? 0 : assay_fail(err, ENOMEM, "out of memory");
	/* "DIR/" is the same directory. */
	for (size_t length = r == 0 ? strlen(path) : 0; length > 1; length--) {
		if (archive->path[length - 1] != '/')
			break;
		archive->path[length - 1] = '\0';
	}
	if (r == 0)
		r = look_through(archive, streams, depth, err);
	if (r < 0) {
		archive_close(archive);
		return r;
	}
	*ret = archive;
	return 0;
}

int archive_open(const char *path, struct archive **ret, struct assay_error *err)
{
	return open_streams(path, (1U << ARCHIVE_STREAMS) - 1, 0, ret, err);
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

int archive_header(const struct archive *archive, enum archive_stream stream, size_t index,
		   struct archive_header *ret, struct assay_error *err)
{
	uint64_t size;

	return read_header(archive, stream, archive->streams[stream].files[index].number, ret,
			   &size, err);
}
