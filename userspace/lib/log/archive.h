/* SPDX-License-Identifier: MIT */
/*
 * A log in pieces: what was cut off it by TRIM, kept in archives, and what is left. Each
 * TRIM record says what went: how many bytes, their digest, and where the log goes on.
 */
#ifndef ASSAY_LOG_ARCHIVE_H
#define ASSAY_LOG_ARCHIVE_H

#include "base/bytes.h"

/**
 * struct log_piece - a part of a log, as CEL-TLV
 * @name: of its file, for errors; fit to print
 * @cel: its records, at least one
 * @base: offset of its first byte in the log; set by archive_chain() for all but the
 *        last, and for that one if there is another
 * @first: number of its first record; set by archive_chain(), as those below
 * @records: how many it has
 * @trim_recnum: number of the TRIM record that vouches for it; not set for the last
 */
struct log_piece {
	const char *name;
	struct bytes cel;
	uint64_t base;
	uint64_t first;
	uint64_t records;
	uint64_t trim_recnum;
};

/*
 * archive_chain() - are these the pieces of one log, oldest first?
 *
 * Each piece but the last must be, byte for byte, what a TRIM record in a later piece
 * says was cut off, and the next piece must go on with the next number. That the TRIM
 * record itself is genuine is for whoever replays the log to say.
 *
 * Return: 0; -EBADMSG with the piece that does not fit, and why; -ENOMEM
 */
int archive_chain(struct log_piece *pieces, size_t count, struct assay_error *err);

#endif /* ASSAY_LOG_ARCHIVE_H */
