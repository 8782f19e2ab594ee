/* SPDX-License-Identifier: MIT */
/* The records of an archived log, replayed: do they make what the archive says of the PCR? */
#ifndef ASSAY_ARCHIVE_REPLAY_H
#define ASSAY_ARCHIVE_REPLAY_H

#include "archive/archive_reader.h"

/* Bytes of a file's content at most: it is held in memory. */
#define ARCHIVE_REPLAY_MAX (256U << 20)

/**
 * struct archive_replayed - what there was
 * @records: of the log
 * @trims: TRIM records among them; @trims_compared: those about bytes that are archived
 */
struct archive_replayed {
	uint64_t records, trims, trims_compared;
};

/*
 * archive_replay() - go through the archived log, and note what is off as problems
 *
 * Every record's digests are those of its content; what the header of each file says the PCR was
 * before it is what the file before makes of it; and each TRIM record's digest is that of the
 * archived bytes that it says were cut off. Files that cannot be read are passed over:
 * archive_check() tells of them. One file's content is in memory at a time.
 *
 * Return: 0, also with problems; -ENOMEM
 */
int archive_replay(struct archive *archive, struct archive_replayed *ret, struct assay_error *err);

#endif /* ASSAY_ARCHIVE_REPLAY_H */
