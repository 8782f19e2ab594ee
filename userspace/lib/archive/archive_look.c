// SPDX-License-Identifier: MIT
/* Which files are in a boot's directory, and what their headers say. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"

/* Files of a stream at most: a writer joins small ones, and makes far fewer. */
#define FILES_MAX (1U << 20)

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

bool archive_is_unread(int r)
{
	switch (r) {
	case -EBADMSG:
	case -ENOTSUP:
	/* Of current.json: what it says cannot be, or it is too large; or it is not there. */
	case -EINVAL:
	case -EFBIG:
	case -ENOENT:
		return false;
	default:
		return r < 0;
	}
}

enum archive_fault archive_fault_of(int r)
{
	if (r == -ENOTSUP)
		return ARCHIVE_FUTURE;
	return archive_is_unread(r) ? ARCHIVE_UNREADABLE : ARCHIVE_DAMAGED;
}

/* A file system gives these of its own damage, which is none of the archive's format. */
static int read_error(int code)
{
	return code == EBADMSG || code == EINVAL || code == ENOTSUP || code == EFBIG ? EIO : code;
}

int archive_exists(const struct archive *archive, const char *name, struct assay_error *err)
{
	struct stat status;

	if (fstatat(archive->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return assay_fail(err, read_error(errno), "cannot look for %s/%s: %s", archive->path, name,
			  strerror(errno));
}

ssize_t archive_read_full(int fd, uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			errno = read_error(errno);
			return -1;
		}
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int archive_open_file(const struct archive *archive, const char *name, uint64_t *ret_size,
		      struct assay_error *err)
{
	/* Not to wait for whoever writes to a FIFO. */
	int fd = openat(archive->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	/* A link, and a socket. */
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return assay_fail(err, EBADMSG, "cannot open %s/%s: it is no regular file",
				  archive->path, name);
	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = errno;

		close_descriptor(&fd);
		return assay_fail(err, read_error(code), "cannot open %s/%s: %s", archive->path,
				  name, strerror(code));
	}
	if (!S_ISREG(status.st_mode)) {
		close(fd);
		return assay_fail(err, EBADMSG, "%s/%s is no regular file", archive->path, name);
	}
	*ret_size = (uint64_t)status.st_size;
	return fd;
}

int archive_read_header(const struct archive *archive, enum archive_stream stream, uint64_t number,
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
	got = archive_read_full(fd, front, sizeof(front));
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

int archive_add_file(struct archive_listing *listing, uint64_t number, struct assay_error *err)
{
	if (listing->count == FILES_MAX)
		return assay_fail(err, E2BIG,
				  "there are more than %u files of a stream: move the archive away",
				  FILES_MAX);
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

int archive_list_files(struct archive *archive, struct assay_error *err)
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
			r = archive_add_file(&archive->streams[stream], number, err);
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
	for (int i = 0; i < ARCHIVE_STREAMS; i++)
		if (archive->streams[i].count > 0)
			qsort(archive->streams[i].files, archive->streams[i].count,
			      sizeof(*archive->streams[i].files), by_number);
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
void archive_judge_numbers(struct archive *archive, enum archive_stream stream)
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

/* Is all that is in it in @before too? Then that was made of it, and what is left is only not
 * removed yet. */
static bool was_joined(const struct archive_file *before, const struct archive_file *file)
{
	return before && file->first >= before->first &&
	       file->first + file->count <= before->first + before->count;
}

static int read_file_header(struct archive *archive, enum archive_stream stream,
			    struct archive_file *file, struct archive_header *ret,
			    struct assay_error *err)
{
	int r = archive_read_header(archive, stream, file->number, ret, &file->size, err);

	if (r < 0)
		return r;
	if (bytes_are_zero(BYTES(archive->boot_id, ARCHIVE_BOOT_ID)))
		memcpy(archive->boot_id, ret->boot_id, ARCHIVE_BOOT_ID);
	if (memcmp(archive->boot_id, ret->boot_id, ARCHIVE_BOOT_ID) != 0)
		return assay_fail(err, EBADMSG,
				  "%s: file %" PRIu64 " of the %s is of another boot than the "
				  "others",
				  archive->path, file->number, archive_stream_name(stream));
	return 0;
}

static void take_header(struct archive *archive, enum archive_stream stream,
			struct archive_file *file, const struct archive_header *header)
{
	struct archive_listing *listing = &archive->streams[stream];
	const struct archive_file *before =
		listing->kept > 0 ? &listing->files[listing->kept - 1] : NULL;

	file->first = header->first;
	file->count = header->count;
	file->offset = header->offset;
	file->time = header->time;
	file->content = header->size;
	memcpy(file->previous, header->previous, ARCHIVE_DIGEST);
	if (was_joined(before, file)) {
		listing->left = file->number;
		return;
	}
	judge_order(archive, stream, before, file);
	if (!before)
		memcpy(listing->boot_before, header->boot_before, ARCHIVE_BOOT_ID);
	listing->files[listing->kept++] = *file;
}

int archive_read_headers(struct archive *archive, enum archive_stream stream, size_t *headers)
{
	struct archive_listing *listing = &archive->streams[stream];
	struct archive_header header;
	struct assay_error err;

	for (; listing->looked<listing->count && * headers> 0; listing->looked++, --*headers) {
		struct archive_file file = listing->files[listing->looked];
		int r = read_file_header(archive, stream, &file, &header, &err);

		if (archive_is_unread(r)) {
			listing->unread = file.number;
			listing->why = err;
		}
		if (r < 0)
			archive_note(archive, archive_fault_of(r), stream, "%s", err.text);
		else
			take_header(archive, stream, &file, &header);
	}
	if (listing->looked < listing->count)
		return 1;
	/* Files without a right header are of no use. */
	listing->count = listing->looked = listing->kept;
	return 0;
}
