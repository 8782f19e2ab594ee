/* SPDX-License-Identifier: GPL-2.0-only */
/* What a pool is, for the module itself. Other modules include pmalloc.h alone. */
#ifndef _ASSAY_POOL_H
#define _ASSAY_POOL_H

#include <linux/list.h>
#include <linux/mutex.h>

#include "pages.h"
#include "pmalloc.h"

struct assay_alias_range;
struct assay_region;

#define PMALLOC_NAME_SIZE 24

/**
 * struct pmalloc_area - a window of a pool; objects do not cross areas
 * @node: in the pool's list, the newest first
 * @pages: its pages
 * @size: bytes
 * @used: bytes handed out, from the start
 * @protected: whether its pages are read-only now (open ones apart); where they cannot be
 *             protected, whether they would be
 */
struct pmalloc_area {
	struct list_head node;
	struct assay_area pages;
	size_t size;
	size_t used;
	bool protected;
};

/**
 * struct pmalloc_pool - areas, all treated alike
 * @node: in the list of all pools
 * @id: ASSAY_OWNER_FIRST_POOL or more; never used again while the pool exists
 * @name: for people
 * @lock: protects all below; held while bytes are written, and while the pool takes more
 *        memory
 * @mode: enum pmalloc_mode
 * @refill: bytes by which it grows, a multiple of the page size
 * @align: of objects, in bytes, a power of two
 * @final: pmalloc_make_pool_ro() was called
 * @broken: an error after which the pool's protection is not known any more;
 *          nothing is opened from then on
 * @source: the region whose stock it takes from
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
	int broken;
	struct assay_region *source;
	struct list_head areas;
	unsigned int area_count;
	struct assay_alias_range *ranges;
};

void pmalloc_pool_name(u16 id, char *name);
int pmalloc_setup(const struct assay_region *log, bool allow_unprotected);
void pmalloc_close(void);

#endif /* _ASSAY_POOL_H */
