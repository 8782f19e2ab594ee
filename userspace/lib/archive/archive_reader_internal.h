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
 * @streams: of each, its files, in order; @before is the archive that the first of them goes on
 *           from, NULL if there is none
 */
struct archive {
	char *path;
	int fd;
	bool has_current;
	struct archive_current current;
	struct archive_listing {
		struct archive_file *files;
		size_t count, capacity;
		struct archive *before;
	} streams[ARCHIVE_STREAMS];
	struct archive_problem problems[ARCHIVE_PROBLEMS_MAX];
	size_t problem_count;
};

/* archive_note() - note a problem */
void archive_note(struct archive *archive, enum archive_fault fault, enum archive_stream stream,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* archive_is_own() - is it what writers leave beside the files of an archive? */
bool archive_is_own(const char *name);

/* archive_open_file() - a regular file of the archive, for reading; -errno */
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
