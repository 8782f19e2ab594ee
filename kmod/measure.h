/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From open files to the fields of a MEASURE record: the fs-verity digest as the
 * kernel has it, and what names the file. Writes no log. Called by chardev.
 */
#ifndef _ASSAY_MEASURE_H
#define _ASSAY_MEASURE_H

#include <linux/types.h>

#include "cel.h"
#include "uapi/assay.h"

struct file;

/**
 * assay_measure_available() - can files be measured on this kernel
 *
 * Return: false where it does not export what that takes; each file is then
 * -EOPNOTSUPP.
 */
bool assay_measure_available(void);

/**
 * assay_measure_files() - measure files
 * @files: files open for reading
 * @count: how many
 * @flags: ASSAY_MEASURE_*
 * @entries: to fill in result, hash_alg, digest_size and digest of each
 * @content: a record's content, to which a FILE field is added for each
 *
 * A file that cannot be measured is no error of the call: its errno is in its
 * entry and in its field.
 *
 * Return: 0, -EINTR (killed), -ENOMEM or -ENOSPC (@content is full).
 */
int assay_measure_files(struct file *const *files, unsigned int count, u32 flags,
			struct assay_measure_entry *entries, struct assay_cel *content);

#endif /* _ASSAY_MEASURE_H */
