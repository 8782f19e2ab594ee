/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a pool is, for the module's own rooms: the log has a pool of one window at an
 * exact address and opens several ranges at once; stats shows pools. Other modules
 * include pmalloc.h alone.
 */
#ifndef _ASSAY_POOL_H
#define _ASSAY_POOL_H

#include <linux/list.h>
#include <linux/mutex.h>

#include "page_desc.h"
#include "pmalloc.h"

struct assay_alias_range;
struct assay_region;
struct assay_window;

/* Header page, and a ring's bytes in two parts where they wrap. */
#define PMALLOC_MAX_RANGES 3

#define PMALLOC_NAME_SIZE 24

/**
 * struct pmalloc_range - bytes to be written
 * @start: first byte, in memory handed out by the pool
 * @size: bytes, at least one
 */
struct pmalloc_range {
	void *start;
	size_t size;
};

/**
 * struct pmalloc_area - a window of a pool; objects do not cross areas
 * @node: in the pool's list, the newest first
 * @window: its pages
 * @base: linear-map address of the first page
 * @size: bytes
 * @used: bytes handed out, from the start
 * @protected: whether its pages are read-only now (open ones apart); where
 *             @unprotectable, whether they would be
 * @unprotectable: NULL, or why the linear map does not let us protect them; for
 *                 people
 */
struct pmalloc_area {
	struct list_head node;
	struct assay_window *window;
	unsigned long base;
	size_t size;
	size_t used;
	bool protected;
	const char *unprotectable;
};

/**
 * struct pmalloc_pool - areas, all treated alike
 * @node: in the list of all pools
 * @id: ASSAY_OWNER_FIRST_POOL or more; never used again while the pool exists
 * @name: for people
 * @lock: protects all below; held from pmalloc_begin_write() to
 *        pmalloc_end_write(), and while the pool takes more memory
 * @mode: enum pmalloc_mode
 * @refill: bytes by which it grows, a multiple of the page size; 0 for a pool of
 *          one window
 * @align: of objects, in bytes, a power of two
 * @final: pmalloc_make_pool_ro() was called
 * @filled: of a pool of one window, whether any of it has been claimed
 * @protectable: whether this kernel can protect all areas that there are
 * @broken: an error after which the pool's protection is not known any more;
 *          nothing is opened from then on
 * @source: the region whose stock it takes from, NULL for a pool of one window
 * @areas: struct pmalloc_area
 * @area_count: how many
 * @ranges: room for a range an area, so that protecting does not need memory
 */
struct pmalloc_pool {
	struct list_head node;
	u16 id;
	char name[PMALLOC_NAME_SIZE];
	struct mutex lock; /* see above */
	enum pmalloc_mode mode;
	size_t refill;
	size_t align;
	bool final;
	bool filled;
	bool protectable;
	int broken;
	struct assay_region *source;
	struct list_head areas;
	unsigned int area_count;
	struct assay_alias_range *ranges;
};

/**
 * pmalloc_create_window_pool() - a START_WR pool of one window, reserved and empty
 * @region: where from
 * @pfn: first page frame
 * @count: number of pages
 * @name: of the pool, for people
 *
 * Return: the pool; an ERR_PTR() after a dev_err(): what assay_window_reserve() returns.
 */
struct pmalloc_pool *pmalloc_create_window_pool(struct assay_region *region, unsigned long pfn,
						unsigned long count, const char *name);

/**
 * pmalloc_fill_window() - claim pages of a pool of one window; they are cleared, and
 * read-only where they can be
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, none of them claimed yet
 * @type: noted for each; their @used is the caller's, see pmalloc_begin_write()
 *
 * The first that are claimed decide whether the pool's memory can be protected. Takes
 * the pool's lock for a moment alone: other pages may be written to meanwhile.
 *
 * Return: 0; after a dev_err() what assay_window_fill() returns, -EOPNOTSUPP, -EIO (the
 * protection did not hold).
 */
int pmalloc_fill_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count,
			enum assay_page_type type);

/**
 * pmalloc_keep_window() - likewise, with what is in them already
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, none of them claimed yet
 * @type: noted for each
 *
 * Return: as pmalloc_fill_window().
 */
int pmalloc_keep_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count,
			enum assay_page_type type);

/**
 * pmalloc_note_used() - bring the states of pages up to what their descriptors say is used
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, all claimed
 */
void pmalloc_note_used(struct pmalloc_pool *pool, unsigned long first, unsigned long count);

/**
 * pmalloc_empty_window() - give pages of it back to the kernel
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, all claimed; nobody writes to them or maps them any more
 *
 * Return: true; or false after a dev_err() if some cannot be made writable, and are kept.
 */
bool pmalloc_empty_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count);

/**
 * pmalloc_pool_area() - the only area of a pool of one window
 * @pool: from pmalloc_create_window_pool()
 */
struct pmalloc_area *pmalloc_pool_area(const struct pmalloc_pool *pool);

/**
 * pmalloc_begin_write() - make the pages that hold some bytes writable
 * @pool: pool of a mode with WR; its lock is held until pmalloc_end_write()
 * @ranges: what will be written; must not overlap
 * @range_count: 1 to PMALLOC_MAX_RANGES
 *
 * Other bytes of the same pages are writable as well until pmalloc_end_write(). A
 * caller that keeps the descriptors' @used does so before pmalloc_end_write().
 *
 * Return: 0; -EINVAL (not handed out by the pool), -EPERM (a page is sealed, or the
 * pool read-only), -EIO (the pool is broken), -EOPNOTSUPP (the linear map is not what
 * it was), each with nothing opened or locked.
 */
int pmalloc_begin_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			unsigned int range_count);

/**
 * pmalloc_end_write() - make the pages read-only again, and verify it
 * @pool: pool
 * @ranges: as given to pmalloc_begin_write()
 * @range_count: as given to pmalloc_begin_write()
 *
 * Each RING page becomes EMPTY, PART or SEALED by its descriptor's @used; other
 * pages go back to PART. Those of an area that has not been protected yet stay
 * WRITABLE.
 *
 * Return: 0, or -EIO after a dev_err() if a page could not be protected; the pool
 * refuses to be opened from then on.
 */
int pmalloc_end_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
		      unsigned int range_count);

/**
 * pmalloc_pool_name() - a pool's name by its id, for display
 * @id: of a descriptor's owner
 * @name: PMALLOC_NAME_SIZE bytes, set to the name, or "window", "stock", or "?" for
 *        a pool that is gone
 */
void pmalloc_pool_name(u16 id, char *name);

/**
 * pmalloc_setup() - once, before any pool
 * @allow_unprotected: make pools of writable memory where it cannot be protected
 *
 * Finds out whether the linear map can be protected at all, by doing it to a page.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP after a pr_err() that says why.
 */
int pmalloc_setup(bool allow_unprotected);

/**
 * pmalloc_close() - before the regions are closed: destroy what is left
 *
 * With a warning for each pool that a module has forgotten to destroy.
 */
void pmalloc_close(void);

#endif /* _ASSAY_POOL_H */
