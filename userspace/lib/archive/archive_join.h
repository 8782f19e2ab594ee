/* SPDX-License-Identifier: MIT */
/*
 * The log of this system whole: what was archived of it, and what the ring has. For commands that
 * show it, and that collect evidence.
 */
#ifndef ASSAY_ARCHIVE_JOIN_H
#define ASSAY_ARCHIVE_JOIN_H

#include "archive/archive_reader.h"
#include "log/device.h"

/* Where assayd keeps archives if it is not told otherwise. */
#define ARCHIVE_ROOT "/var/lib/assay/archive"

/* Bytes of a log in memory at most. */
#define ARCHIVE_JOIN_MAX (1U << 30)

/*
 * archive_join() - put archived records in front of those of the ring
 * @copy: of the ring; then of all: .cel, and in .header .head, .head_recnum and the banks' .start,
 *        which are of the oldest record in it
 * @from: records from this one on are wanted; some before it may come too. Where the archive
 *        begins later, it is from there
 *
 * What is in both must be the same, byte for byte.
 *
 * Return: 0, also if the ring has all that is wanted; -ENODATA where records are in neither;
 *         -EBADMSG if the archive is of another log; as archive_read(); -EFBIG; then @copy is as
 *         it was
 */
int archive_join(const struct archive *archive, uint64_t from, struct device_log_copy *copy,
		 struct assay_error *err);

/*
 * archive_join_path() - the same with the archive in a directory
 * @path: of it. A log that the module began anew in the same boot has an archive of its own beside
 *        it, PATH.1 and so on: where @path is another log's, or cannot be read, these are tried
 *
 * Return: as archive_join() of the last one that is there; -ENOENT if there is none
 */
int archive_join_path(const char *path, uint64_t from, struct device_log_copy *copy,
		      struct assay_error *err);

/*
 * archive_join_boot() - the same with the archive that assayd makes of this log
 * @root: the archives' directory
 *
 * Return: as archive_join_path(), but -ENOENT also if there is none of this log
 */
int archive_join_boot(const char *root, uint64_t from, struct device_log_copy *copy,
		      struct assay_error *err);

/*
 * archive_load() - all records of an archive
 * @ret_base: offset of the first one
 */
int archive_load(const struct archive *archive, struct buffer *out, uint64_t *ret_base,
		 struct assay_error *err);

#endif /* ASSAY_ARCHIVE_JOIN_H */
