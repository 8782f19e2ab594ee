/* SPDX-License-Identifier: MIT */
/*
 * Small files of a stream are joined as new ones come, so that their number grows with what is
 * archived, and not with time: the newest files become one together with what is to be archived,
 * if each of them is at most twice as large as what comes behind it. What is written once more is
 * little: each byte some ten times. For archive_writer.c.
 */
#ifndef ASSAY_ARCHIVE_JOINED_H
#define ASSAY_ARCHIVE_JOINED_H

#include "archive/archive_reader.h"

#define ARCHIVE_TAIL_MAX 64

/**
 * struct archive_tail - the newest files of a stream, oldest first
 * @files: their numbers, what is in them, and bytes of that
 */
struct archive_tail {
	struct archive_tail_file {
		uint64_t number, first, count, content;
	} files[ARCHIVE_TAIL_MAX];
	size_t count;
};

/* archive_tail_add() - a newer file than all that are there */
void archive_tail_add(struct archive_tail *tail, const struct archive_tail_file *file);

/*
 * archive_tail_choose() - how many of the newest files are to be joined with what comes
 * @first, @size: number of its first record or entry, and its bytes
 * @limit: bytes of a file that is made so, at most
 */
size_t archive_tail_choose(const struct archive_tail *tail, uint64_t first, uint64_t size,
			   uint64_t limit);

/**
 * struct archive_joined - files that are about to become one; end it with archive_joined_end()
 * @archive: of these files alone; as long as it is open no reader is between them
 * @header: of the first of them
 * @content: of all
 */
struct archive_joined {
	struct archive *archive;
	struct archive_header header;
	struct buffer content;
};

/*
 * archive_joined_begin() - read and check them
 * @from, @to: numbers of the first and of the last one
 * @due: number of the record or entry behind them
 * @start_count: values that what comes begins with: theirs must be as many
 *
 * Return: 0; -EWOULDBLOCK while somebody reads the archive; -EBADMSG and others: then they stay as
 *         they are
 */
int archive_joined_begin(struct archive_joined *joined, const char *path,
			 enum archive_stream stream, uint64_t from, uint64_t to, uint64_t due,
			 size_t start_count, struct assay_error *err);
void archive_joined_end(struct archive_joined *joined);

/*
 * archive_joined_remove() - remove files that others were made of, the newest first, so that none
 * is missed if this ends between
 * @from, @to: their numbers
 */
int archive_joined_remove(const char *path, enum archive_stream stream, uint64_t from, uint64_t to,
			  struct assay_error *err);

#endif /* ASSAY_ARCHIVE_JOINED_H */
