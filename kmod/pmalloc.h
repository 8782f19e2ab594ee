/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protectable memory: a pool of pages claimed from a region, read-only in the
 * linear map from their first byte (what the pmalloc proposals of 2018 and 2019
 * call START_WR), from which objects are allocated and never freed one by one.
 * To write, the owner opens the pages that hold the bytes it wants to change and
 * closes them again.
 *
 * Called by the ledger. A pool has no lock: its owner serialises all calls on it.
 */
#ifndef _ASSAY_PMALLOC_H
#define _ASSAY_PMALLOC_H

#include <linux/types.h>

#include "alias.h"
#include "page_desc.h"

struct assay_region;

/* Header page, and a ring's bytes in two parts where they wrap. */
#define PMALLOC_MAX_RANGES 3

/**
 * struct pmalloc_range - bytes to be written
 * @start: first byte, in an object of the pool
 * @size: bytes, at least one
 */
struct pmalloc_range {
	void *start;
	size_t size;
};

/**
 * struct pmalloc_pool - claimed pages
 * @region: where they are from
 * @pfn: first page frame
 * @count: number of pages, physically contiguous
 * @base: linear-map address of the first page
 * @used: bytes handed out by pzalloc()
 * @protected: whether pages are kept read-only
 * @open: whether a write is under way, see pmalloc_begin_write()
 * @broken: an error after which the pool's protection is not known any more;
 *          nothing is opened from then on
 * @desc: a descriptor for each page
 */
struct pmalloc_pool {
	struct assay_region *region;
	unsigned long pfn;
	unsigned long count;
	unsigned long base;
	size_t used;
	bool protected;
	bool open;
	int broken;
	struct assay_page_desc *desc;
};

/**
 * pmalloc_create_pool() - claim pages, clear them, make them read-only
 * @region: where from
 * @pfn: first page frame
 * @count: number of pages
 * @allow_unprotected: make a pool of writable pages where the linear map does
 *                     not allow to protect them
 *
 * May sleep for seconds, see assay_region_claim().
 *
 * Return: the pool, to be destroyed by pmalloc_destroy_pool(); an ERR_PTR()
 * after a dev_err(): what assay_region_claim() returns, -ENOMEM, -EOPNOTSUPP (the
 * linear map has no single pages there), -EIO (the protection did not hold).
 */
struct pmalloc_pool *pmalloc_create_pool(struct assay_region *region, unsigned long pfn,
					 unsigned long count, bool allow_unprotected);

/**
 * pzalloc() - allocate zeroed memory from a pool
 * @pool: pool
 * @size: bytes
 * @type: what to note for the pages that the object covers
 *
 * Objects are handed out in address order, without gaps but for alignment to
 * eight bytes. They are read-only; see pmalloc_begin_write().
 *
 * Return: the object, or NULL if the pool has no room for it.
 */
void *pzalloc(struct pmalloc_pool *pool, size_t size, enum assay_page_type type);

/**
 * pmalloc_begin_write() - make the pages that hold some bytes writable
 * @pool: pool; no write may be under way
 * @ranges: what will be written; must not overlap
 * @range_count: 1 to PMALLOC_MAX_RANGES
 *
 * Other bytes of the same pages are writable as well until pmalloc_end_write().
 *
 * Return: 0; -EINVAL (not in an object of the pool), -EPERM (a page is sealed), -EBUSY (a
 * write is under way), -EIO (the pool is broken), each with nothing opened.
 */
int pmalloc_begin_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			unsigned int range_count);

/**
 * pmalloc_end_write() - make the pages read-only again, and verify it
 * @pool: pool
 * @ranges: as given to pmalloc_begin_write()
 * @range_count: as given to pmalloc_begin_write()
 *
 * Each page becomes EMPTY, PART or SEALED according to its descriptor's used,
 * which the caller has brought up to date; HEADER pages are never SEALED.
 *
 * Return: 0, or a negative errno if a page could not be protected; the pool
 * refuses to be opened from then on.
 */
int pmalloc_end_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
		      unsigned int range_count);

/**
 * pmalloc_destroy_pool() - make all pages writable and give them back
 * @pool: pool, or NULL
 *
 * No pointer into the pool and no user mapping of it may be left. A page that
 * cannot be made writable is kept for ever rather than given to somebody who
 * would fault on it.
 */
void pmalloc_destroy_pool(struct pmalloc_pool *pool);

#endif /* _ASSAY_PMALLOC_H */
