/* SPDX-License-Identifier: MIT */
/*
 * Counting records of assay's log, or entries of IMA's list, in bytes that come in pieces of any
 * size: where each begins, and nothing of what is in it. Takes no memory, so a file may have any
 * size. Pure.
 */
#ifndef ASSAY_ARCHIVE_COUNT_H
#define ASSAY_ARCHIVE_COUNT_H

#include "archive/archive_format.h"

/* What stands in front of what is passed over, at most: an entry's name and what is about it. */
#define ARCHIVE_COUNT_FRONT 512

/* archive_sink - takes bytes; another value than 0 stops and is handed on */
typedef int archive_sink(void *context, struct bytes bytes, struct assay_error *err);

/**
 * struct archive_counter - where in a stream one is; archive_count_begin() sets it up
 * @stream, @digest_size: what it is; bytes of an entry's template digest
 * @next: number of the next record or entry
 * @front: what was read of the one that is under way, up to where its size is known
 * @wanted: bytes that @front needs before one can say more
 * @skip: bytes to pass over
 * @tlvs: of the record that is under way: TLVs read
 */
struct archive_counter {
	enum archive_stream stream;
	size_t digest_size;
	uint64_t next;
	uint8_t front[ARCHIVE_COUNT_FRONT];
	size_t used, wanted;
	uint64_t skip;
	unsigned int tlvs;
};

/*
 * archive_count_begin() - at the front of a record or entry
 * @bank: of IMA's template digests
 * @first: its number
 */
void archive_count_begin(struct archive_counter *counter, enum archive_stream stream,
			 enum assay_hash bank, uint64_t first);

/*
 * archive_count() - go on with more bytes
 * @from: of what is from this record or entry on, the bytes go to @sink; which may be NULL
 *
 * Return: 0; -EBADMSG for bytes that are no such stream, and records that have not the number
 *         that is due; what @sink gives
 */
int archive_count(struct archive_counter *counter, struct bytes bytes, uint64_t from,
		  archive_sink *sink, void *context, struct assay_error *err);

/* archive_count_whole() - is there nothing under way? */
bool archive_count_whole(const struct archive_counter *counter);

#endif /* ASSAY_ARCHIVE_COUNT_H */
