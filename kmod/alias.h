/* SPDX-License-Identifier: GPL-2.0-only */
/* Write permission of pages in the linear map. */
#ifndef _ASSAY_ALIAS_H
#define _ASSAY_ALIAS_H

#include <linux/errno.h>
#include <linux/kconfig.h>
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

#if IS_ENABLED(CONFIG_ARM64)
int assay_alias_check(unsigned long start, unsigned long count, const char **ret_why);
int assay_alias_probe(const char **ret_why);
int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count,
		    bool writable);
int assay_alias_verify(unsigned long start, unsigned long count, bool writable);
bool assay_alias_was_changed(unsigned long start, unsigned long count);
u64 assay_alias_flushes(void);
#else
static inline int assay_alias_check(unsigned long start, unsigned long count, const char **ret_why)
{
	*ret_why = "the linear map can be changed on arm64 only; use a nomap region";
	return -EOPNOTSUPP;
}

static inline int assay_alias_probe(const char **ret_why)
{
	return assay_alias_check(0, 0, ret_why);
}

static inline int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count,
				  bool writable)
{
	return -EOPNOTSUPP;
}

static inline int assay_alias_verify(unsigned long start, unsigned long count, bool writable)
{
	return writable ? 0 : -EIO;
}

static inline bool assay_alias_was_changed(unsigned long start, unsigned long count)
{
	return false;
}

static inline u64 assay_alias_flushes(void)
{
	return 0;
}
#endif

#endif /* _ASSAY_ALIAS_H */
