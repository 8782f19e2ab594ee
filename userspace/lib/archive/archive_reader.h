/* SPDX-License-Identifier: MIT */
/*
 * Reading an archive: the directory of one boot, with the files of both streams in order, each
 * naming the digest of the one before. Reads in bounded memory, whatever is in the directory and
 * however large a file claims to be. For commands, assayd and tests.
 */
#ifndef ASSAY_ARCHIVE_READER_H
#define ASSAY_ARCHIVE_READER_H

#include "archive/archive_count.h"

struct archive;

/* What is off in an archive, and whether what is behind it can be used. */
enum archive_fault {
	ARCHIVE_FOREIGN,    /* a file that no writer of archives made: it is passed over */
	ARCHIVE_FUTURE,	    /* a file of a version that is not known here */
	ARCHIVE_DAMAGED,    /* a file that is none of an archive, or is not what its header says */
	ARCHIVE_MISSING,    /* files of the stream are not there */
	ARCHIVE_GAP,	    /* records or entries were never archived */
	ARCHIVE_CHAIN,	    /* a file is not the one that what comes after it names */
	ARCHIVE_UNREADABLE, /* reading a file failed: what is in it is not known */
};

/**
 * struct archive_problem - one of them
 * @text: what and where, and what to do; fit to print
 * @stream: of which stream, but for ARCHIVE_FOREIGN
 */
struct archive_problem {
	enum archive_fault fault;
	enum archive_stream stream;
	char text[512];
};

/**
 * struct archive_file - a file of a stream whose header could be read
 * @number: of the file; those of a stream are in order, but some may be missing
 * @first, @count, @offset, @time, @previous: as of struct archive_header
 * @content, @size: bytes of its content, and of the file
 */
struct archive_file {
	uint64_t number, first, count, offset, time;
	uint64_t content, size;
	uint8_t previous[ARCHIVE_DIGEST];
};

/* Problems of an archive that are told at most. */
#define ARCHIVE_PROBLEMS_MAX 64

/*
 * archive_open() - look through a boot's directory
 * @path: kept as it is for messages
 *
 * Every header is read, and no content. What is off is no failure but in archive_problems().
 *
 * Return: 0; -ENOENT, -ENOTDIR, -EACCES and others if the directory cannot be read; -ENOMEM;
 *         -E2BIG if it has more files than a writer makes
 */
int archive_open(const char *path, struct archive **ret, struct assay_error *err);
void archive_close(struct archive *archive);

/*
 * archive_look() - the same in steps, for who may not be away for long: first the names alone
 * archive_look_on() - read so many headers. Return: 1 if there are more; 0: all is as after
 * archive_open(), but for the boots before
 * archive_follow() - then these, too
 */
int archive_look(const char *path, struct archive **ret, struct assay_error *err);
int archive_look_on(struct archive *archive, size_t headers);
void archive_follow(struct archive *archive);

/*
 * archive_open_newest() - only the newest 64 files of a stream, and no boots before
 * For who goes on where it ends: archive_end(), and what is off with these files.
 *
 * Return: as archive_open(); as archive_unread()
 */
int archive_open_newest(const char *path, enum archive_stream stream, struct archive **ret,
			struct assay_error *err);

/*
 * archive_give_up_files() - close what is open, also of boots before, for who keeps many archives
 * From then on there is what was found: archive_files(), archive_acknowledged(),
 * archive_problems().
 */
void archive_give_up_files(struct archive *archive);

/* archive_is() - is @path a directory, which a command should take for an archive? */
bool archive_is(const char *path);

/* archive_problems() - what is off; borrowed. Those beyond the first 64 are only counted. */
const struct archive_problem *archive_problems(const struct archive *archive, size_t *ret_count);

/* archive_files() - a stream's files in order; borrowed */
const struct archive_file *archive_files(const struct archive *archive, enum archive_stream stream,
					 size_t *ret_count);

/* archive_acknowledged() - number of the first record or entry that no verifier has seen */
uint64_t archive_acknowledged(const struct archive *archive, enum archive_stream stream);

/* archive_path() - of the directory */
const char *archive_path(const struct archive *archive);

/* archive_end() - number of the record or entry behind the last one; 0 of an empty stream */
uint64_t archive_end(const struct archive *archive, enum archive_stream stream);
/* archive_begin() - number of the oldest one; 0 of an empty stream */
uint64_t archive_begin(const struct archive *archive, enum archive_stream stream);

/*
 * archive_unread() - did it fail to read a file behind archive_end()? Then nobody knows where the
 * stream ends, and it is to be tried again.
 *
 * Return: 0; -EIO, -EACCES, -EMFILE, -ENOMEM and others, never -EBADMSG
 */
int archive_unread(const struct archive *archive, enum archive_stream stream,
		   struct assay_error *err);

/*
 * archive_header() - the whole header of one of archive_files()
 * @index: less than their number
 */
int archive_header(const struct archive *archive, enum archive_stream stream, size_t index,
		   struct archive_header *ret, struct assay_error *err);

/*
 * archive_read() - a stream's bytes from a record or entry on, to its end
 * @from: number of the first one wanted
 * @sink: gets the bytes in pieces, in order, not cut at records or entries
 *
 * Each file that is read is checked while it is: against its own header, against what the next
 * one says its digest is, and that it holds as many records or entries as it says. Nothing was
 * checked yet of what @sink has got until this returns 0.
 *
 * Return: 0, also where there is nothing from @from on; -ESTALE if the archive begins later, and
 *         -ENODATA for a gap in it; -EBADMSG for what is damaged; -ENOTSUP for a file of a
 *         version not known; -EIO and others; what @sink gives
 */
int archive_read(const struct archive *archive, enum archive_stream stream, uint64_t from,
		 archive_sink *sink, void *context, struct assay_error *err);

/*
 * archive_read_next() - the same, up to the end of the file that has @next, which then is behind it
 * @from: number of the first one wanted
 * @next: @from at first; less than archive_end()
 */
int archive_read_next(const struct archive *archive, enum archive_stream stream, uint64_t from,
		      uint64_t *next, archive_sink *sink, void *context, struct assay_error *err);

/*
 * archive_check() - go through every file of a stream, and note all that is off as problems
 * @ret_digest: SHA-256 of the newest file, zeros without one; may be NULL
 *
 * Return: 0, also with problems; -ENOMEM and such
 */
int archive_check(struct archive *archive, enum archive_stream stream,
		  uint8_t ret_digest[ARCHIVE_DIGEST], struct assay_error *err);

/*
 * archive_check_newest() - the same, of a stream's newest file alone
 * @sink: gets its content; may be NULL
 *
 * Return: 0, also without a file; -EBADMSG, -EIO and others
 */
int archive_check_newest(struct archive *archive, enum archive_stream stream, archive_sink *sink,
			 void *context, uint8_t ret_digest[ARCHIVE_DIGEST],
			 struct assay_error *err);

#endif /* ASSAY_ARCHIVE_READER_H */
