/* SPDX-License-Identifier: MIT */
/*
 * current.json: what the newest file of each stream of an archive is. It is a hint, for programs
 * and for finding that files were removed; what is in the files holds. For lib/archive.
 */
#ifndef ASSAY_ARCHIVE_CURRENT_H
#define ASSAY_ARCHIVE_CURRENT_H

#include "archive/archive_format.h"

#define ARCHIVE_CURRENT_NAME "current.json"

/**
 * struct archive_current - what it says
 * @boot_id: of the boot
 * @streams: of each: whether there are files (@number is not 0); numbers of the oldest that was
 *           not removed on purpose, and of the newest; number of the record or entry that is due
 *           next; SHA-256 of the newest file; how many a verifier has seen
 */
struct archive_current {
	uint8_t boot_id[ARCHIVE_BOOT_ID];
	struct archive_current_stream {
		uint64_t oldest, number, next, acknowledged;
		uint8_t digest[ARCHIVE_DIGEST];
	} streams[ARCHIVE_STREAMS];
};

/*
 * archive_current_parse() - @text: the file's
 * Return: 0; -EBADMSG, -EINVAL for what it cannot be; -ENOMEM
 */
int archive_current_parse(struct bytes text, struct archive_current *ret, struct assay_error *err);

/* archive_current_read() - of the archive in @directory; -ENOENT without it */
int archive_current_read(const char *directory, struct archive_current *ret,
			 struct assay_error *err);

/* archive_current_write() - replace it, durably */
int archive_current_write(const char *directory, const struct archive_current *current,
			  struct assay_error *err);

#endif /* ASSAY_ARCHIVE_CURRENT_H */
