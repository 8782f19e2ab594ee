/* SPDX-License-Identifier: GPL-2.0-only */
/* Write permission of pages in the linear map. */
#ifndef _ASSAY_ALIAS_H
#define _ASSAY_ALIAS_H

#include <linux/types.h>

/**
 * struct assay_alias_range - pages in the linear map
 * @start: linear-map address of the first page
 * @count: number of pages
 */
struct assay_alias_range {
	unsigned long start;
	unsigned long count;
};

int assay_alias_check(unsigned long start, unsigned long count, const char **ret_why);
int assay_alias_probe(const char **ret_why);
int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count,
		    bool writable);
int assay_alias_verify(unsigned long start, unsigned long count, bool writable);
u64 assay_alias_flushes(void);

#endif /* _ASSAY_ALIAS_H */
