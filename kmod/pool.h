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

struct pmalloc_pool *pmalloc_create_window_pool(struct assay_region *region, unsigned long pfn,
						unsigned long count, const char *name);
int pmalloc_fill_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count,
			enum assay_page_type type);
int pmalloc_keep_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count,
			enum assay_page_type type);
void pmalloc_note_used(struct pmalloc_pool *pool, unsigned long first, unsigned long count);
bool pmalloc_empty_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count);
struct pmalloc_area *pmalloc_pool_area(const struct pmalloc_pool *pool);
int pmalloc_begin_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			unsigned int range_count);
int pmalloc_end_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
		      unsigned int range_count);
void pmalloc_pool_name(u16 id, char *name);
int pmalloc_setup(bool allow_unprotected);
void pmalloc_close(void);

#endif /* _ASSAY_POOL_H */
