/* SPDX-License-Identifier: MIT */
/*
 * Writing an archive: each call makes one complete file of a stream, which is durable when it
 * returns. What is written is never changed, but that small files may become one. One writer a
 * stream and directory.
 */
#ifndef ASSAY_ARCHIVE_WRITER_H
#define ASSAY_ARCHIVE_WRITER_H

#include "archive/archive_reader.h"

struct archive_writer;

/*
 * archive_writer_open() - continue a stream of a boot's archive
 * @path: the directory of the boot; made if it is not there, its parent must be
 * @boot_id: text of the boot's UUID, which the files carry
 *
 * What an earlier writer left unfinished is thrown away: it was not durable, so nobody has relied
 * on it. The newest file is read and checked.
 *
 * Return: 0; -EWOULDBLOCK if somebody else has it open; -EBADMSG if the newest file is damaged
 *         and -ENOTSUP if it is of a version not known: see archive_set_aside(); -EROFS, -EACCES,
 *         -ENOSPC and others of the file system
 */
int archive_writer_open(const char *path, enum archive_stream stream, const char *boot_id,
			struct archive_writer **ret, struct assay_error *err);
void archive_writer_close(struct archive_writer *writer);

/*
 * archive_writer_follow() - have the first file go on from the last one of another boot
 * Only while the archive of the stream is empty: -EINVAL if not.
 * @before: the directory of the boot before, with the same parent
 *
 * archive_writer_next() is where that one ends, and a reader of this archive begins with that one.
 *
 * Return: 0; -ENODATA if @before has no file of the stream; else as archive_writer_open()
 */
int archive_writer_follow(struct archive_writer *writer, const char *before,
			  struct assay_error *err);

/*
 * archive_writer_join() - have small files joined from now on: the newest ones become one with what
 * is written, up to so many bytes before compression; 0, as at first: never
 * Their number then grows with what is archived, and not with time.
 */
void archive_writer_join(struct archive_writer *writer, uint64_t limit);

/*
 * archive_writer_next() - number of the record or entry that is due next; 0 of an empty stream
 */
uint64_t archive_writer_next(const struct archive_writer *writer);

/* archive_writer_offset() - offset behind the last one in the log or list; 0 of an empty stream */
uint64_t archive_writer_offset(const struct archive_writer *writer);

/* archive_writer_is_empty() - nothing was written: any record or entry may be the first */
bool archive_writer_is_empty(const struct archive_writer *writer);

/* archive_writer_bank() - of the list's template digests so far; ASSAY_HASH_NONE without any */
enum assay_hash archive_writer_bank(const struct archive_writer *writer);

/*
 * archive_writer_lost() - how many records or entries were there, as current.json says, and are not
 * now: files were removed. They can be written again while the kernel has them.
 */
uint64_t archive_writer_lost(const struct archive_writer *writer);

/**
 * struct archive_batch - what becomes a file
 * @bytes: whole records or entries, at least one
 * @first: number of the first
 * @count: how many
 * @offset: of the first byte in the log or list
 * @bank: ARCHIVE_IMA: of the template digests; must stay the same in a directory
 * @start: the PCR's value before the first, in each bank known, so that what is left of an archive
 *         replays when older files were removed
 * @start_count: 0 to ARCHIVE_MAX_START
 * @unchanged: asked when all is written and before it counts: whether @bytes were the same all the
 *             time; another value than 0 is what archive_write() gives. NULL where they cannot
 *             change
 * @gap: @first may be behind what is due: what is between is lost, and readers say so
 */
struct archive_batch {
	struct bytes bytes;
	uint64_t first, count, offset;
	enum assay_hash bank;
	const struct assay_digest *start;
	size_t start_count;
	int (*unchanged)(void *context, struct assay_error *err);
	void *context;
	bool gap;
};

/*
 * archive_write() - one file more
 *
 * Written beside its place, synced, put in place, the directory synced; then current.json is
 * replaced. A failure leaves nothing that a reader sees, and may be tried again.
 *
 * Return: 0 when the file is durable, also if current.json could not be replaced, which
 *         archive_writer_head() tells and mends; -EINVAL for a batch that does not fit; -ENOSPC,
 *         -EDQUOT, -EROFS, -EIO, -ENOENT (the directory was removed) and others
 */
int archive_write(struct archive_writer *writer, const struct archive_batch *batch,
		  struct assay_error *err);

/* archive_writer_head() - make current.json say what is there, if it does not yet */
int archive_writer_head(struct archive_writer *writer, struct assay_error *err);

/*
 * archive_remove_file() - remove a stream's oldest file, for retention; never the newest
 * @number: of the file
 *
 * current.json says first that it is not missed; on a full disk, which has no room for that, after
 * it
 *
 * Return: 0; -ENODATA if current.json says that it is the newest; others
 */
int archive_remove_file(const char *path, enum archive_stream stream, uint64_t number,
			struct assay_error *err);

/*
 * archive_acknowledge() - note in current.json that a verifier has seen what is before @number
 * An older number than the one that is there changes nothing. A larger one than is archived counts
 * as what is archived now.
 */
int archive_acknowledge(const char *path, enum archive_stream stream, uint64_t number,
			struct assay_error *err);

/*
 * archive_remove() - remove all files of the archive of a boot that has ended, and the directory
 * What no writer of archives made stays, and then the directory.
 */
int archive_remove(const char *path, struct assay_error *err);

/*
 * archive_set_aside() - rename a stream's newest file, which is damaged, to NAME.damaged, so that a
 * writer can be opened that writes once more what it held
 * @from: the oldest record or entry that the kernel still has
 *
 * Return: 0; -ENODATA, with what to do, where the kernel has not all that the file held
 */
int archive_set_aside(const char *path, enum archive_stream stream, uint64_t from,
		      struct assay_error *err);

#endif /* ASSAY_ARCHIVE_WRITER_H */
