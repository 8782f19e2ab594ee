/* SPDX-License-Identifier: MIT */
/* What the files of lib/archive's reader share. */
#ifndef ASSAY_ARCHIVE_READER_INTERNAL_H
#define ASSAY_ARCHIVE_READER_INTERNAL_H

#include "archive/archive_current.h"
#include "archive/archive_reader.h"

#define ARCHIVE_PARTIAL ".partial"
#define ARCHIVE_ASIDE ".damaged"

/**
 * struct archive - a boot's directory, looked through
 * @fd: of the directory
 * @has_current: @current is set
 * @boot_id: that its files name; zeros before one was read
 * @streams: of each, its files, in order; @before is the archive that the first of them goes on
 *           from, NULL if there is none; that boot's id is @boot_before, zeros without one
 * @streams.looked, @streams.kept: files whose headers were read, and that are in order: those at
 *                                 the front. Equal to @streams.count once all were looked at
 * @streams.left: number of the last file that only is not removed yet, behind one that was made of
 *                it; 0 without any
 * @streams.unread: number of the last file whose header could not be read, for @streams.why; 0:
 * none
 * @streams.oldest: of archive_open_newest(): number of the oldest file
 */
struct archive {
	char *path;
	int fd;
	bool has_current;
	struct archive_current current;
	uint8_t boot_id[ARCHIVE_BOOT_ID];
	struct archive_listing {
		struct archive_file *files;
		size_t count, capacity, looked, kept;
		uint64_t left, oldest, unread;
		struct assay_error why;
		uint8_t boot_before[ARCHIVE_BOOT_ID];
		struct archive *before;
	} streams[ARCHIVE_STREAMS];
	struct archive_problem problems[ARCHIVE_PROBLEMS_MAX];
	size_t problem_count;
};

/* archive_note() - note a problem */
void archive_note(struct archive *archive, enum archive_fault fault, enum archive_stream stream,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* archive_list_files() - which files there are, in order, by their names */
int archive_list_files(struct archive *archive, struct assay_error *err);
/* archive_add_file() - one more, behind the others; -E2BIG, -ENOMEM */
int archive_add_file(struct archive_listing *listing, uint64_t number, struct assay_error *err);
/* archive_judge_numbers() - note which are not there, by what is, and by what current.json says */
void archive_judge_numbers(struct archive *archive, enum archive_stream stream);
/*
 * archive_read_headers() - go on reading headers
 * @headers: how many may be read; is made less
 *
 * Return: 1 if there are more
 */
int archive_read_headers(struct archive *archive, enum archive_stream stream, size_t *headers);
/* archive_read_header() - of one file; @ret_size: bytes of the file */
int archive_read_header(const struct archive *archive, enum archive_stream stream, uint64_t number,
			struct archive_header *ret, uint64_t *ret_size, struct assay_error *err);

/*
 * archive_open_files() - some files of a stream alone, by their numbers, whose headers are right
 * and which go on from each other No writer is kept out. Return: 0; -EBADMSG; -ENOENT and others
 */
int archive_open_files(const char *path, enum archive_stream stream, uint64_t from, uint64_t to,
		       struct archive **ret, struct assay_error *err);

/* archive_is_own() - is it what writers leave beside the files of an archive? */
bool archive_is_own(const char *name);

/*
 * archive_is_unread() - is it an error of reading, after which nothing is known of what was to be
 * read? Else it is known that it is not what it should be.
 * @r: what archive_open_file(), archive_read_header(), archive_read_file() or
 *     archive_current_read() returned
 */
bool archive_is_unread(int r);
/* archive_fault_of() - of such a value that is less than 0, for a problem */
enum archive_fault archive_fault_of(int r);
/* archive_exists() - is there such a file in the directory? 1, 0, -errno where that is not known */
int archive_exists(const struct archive *archive, const char *name, struct assay_error *err);

/* archive_read_full() - bytes from where @fd is, as many as there are up to @size; -1 and errno */
ssize_t archive_read_full(int fd, uint8_t *data, size_t size);

/*
 * archive_open_file() - a regular file of the archive, for reading
 *
 * Return: a descriptor; -EBADMSG for what is no regular file; -errno
 */
int archive_open_file(const struct archive *archive, const char *name, uint64_t *ret_size,
		      struct assay_error *err);

/*
 * archive_read_file() - read one file and check it
 * @index: of archive_files()
 * @from: of what is from this record or entry on, @sink gets the bytes; may be NULL
 * @ret_digest: SHA-256 of the file; NULL: @index's digest is compared with what the next file, or
 *              current.json, says
 */
int archive_read_file(const struct archive *archive, enum archive_stream stream, size_t index,
		      uint64_t from, archive_sink *sink, void *context,
		      uint8_t ret_digest[ARCHIVE_DIGEST], struct assay_error *err);

/* archive_said_digest() - what the next file or current.json says; NULL where nothing does */
const uint8_t *archive_said_digest(const struct archive *archive, enum archive_stream stream,
				   size_t index);

#endif /* ASSAY_ARCHIVE_READER_INTERNAL_H */
