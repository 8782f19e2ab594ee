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

bool assay_measure_available(void);
int assay_measure_files(struct file *const *files, unsigned int count, u32 flags,
			struct assay_measure_entry *entries, struct assay_cel *content);

#endif /* _ASSAY_MEASURE_H */
