/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Write permission of pages in the linear map, the alias through which the whole
 * kernel sees all of RAM. Changes the page-table entries themselves, since the
 * kernel's own set_memory_ro() neither is exported nor tells when it left the
 * alias writable. Called by pmalloc and stock, for pages that
 * they own.
 *
 * The caller serialises calls for the same pages. Nothing here allocates or
 * splits: where the linear map is not made of single pages it refuses.
 */
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

/**
 * assay_alias_check() - can the permission of these pages be changed one by one
 * @start: linear-map address of the first page
 * @count: number of pages
 * @ret_why: set where it cannot, for people: what maps them, and what to do
 *
 * Return: 0, or -EOPNOTSUPP where a page is mapped by a block or a contiguous
 * group of entries, or not at all.
 */
int assay_alias_check(unsigned long start, unsigned long count, const char **ret_why);

/**
 * assay_alias_probe() - does this kernel let us protect memory at all
 * @ret_why: set where it does not, for people
 *
 * Does it, to a page of its own: read-only, verified, written to (which must
 * fault), writable again, written to.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP.
 */
int assay_alias_probe(const char **ret_why);

/**
 * assay_alias_set() - make pages writable or read-only
 * @ranges: what to change; assay_alias_check() accepted all of it
 * @range_count: how many ranges
 * @writable: what they become
 *
 * All entries are changed first, then TLBs of all CPUs are flushed: once for a range,
 * whatever its size, and once for all ranges if there are more than three. Every page is
 * the contrary now: that is what undoing makes of it.
 * Read-only pages cannot be written by any CPU once this returns.
 *
 * Return: 0, or -EOPNOTSUPP with nothing changed (what had been changed already is
 * changed back, and flushed) if an entry is no longer one that may be changed.
 */
int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count,
		    bool writable);

/**
 * assay_alias_verify() - is every page's permission what it should be
 * @start: linear-map address of the first page
 * @count: number of pages
 * @writable: what it should be
 *
 * Asked twice: a walk of the page tables, and the MMU itself (the AT S1E1W
 * instruction, which translates for a write without writing).
 *
 * Return: 0, or -EIO after a pr_err() that names the page.
 */
int assay_alias_verify(unsigned long start, unsigned long count, bool writable);

/**
 * assay_alias_flushes() - how often TLBs were flushed since loading, for display
 */
u64 assay_alias_flushes(void);

#endif /* _ASSAY_ALIAS_H */
