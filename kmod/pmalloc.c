// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pool's life: claim, clear while still writable, protect, verify; then windows
 * of writing; at the end unprotect, verify, release. Every error path goes back
 * through unprotect, since the next owner of a read-only page would oops.
 */
#include <linux/align.h>
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pmalloc.h"
#include "region.h"

static int pmalloc_protect_pool(struct pmalloc_pool *pool)
{
	struct assay_alias_range all = { .start = pool->base, .count = pool->count };
	int ret;

	/*
	 * Mappings that vfree() has removed lazily may still be in some CPU's TLB;
	 * the pages under them can have been ours for a while now.
	 */
	vm_unmap_aliases();
	ret = assay_alias_set(&all, 1, false);
	if (ret)
		return ret;
	pool->protected = true;
	return assay_alias_verify(pool->base, pool->count, false);
}

/* Returns whether the pages may go back to the kernel. */
static bool pmalloc_unprotect_pool(struct pmalloc_pool *pool)
{
	struct assay_alias_range all = { .start = pool->base, .count = pool->count };

	if (!pool->protected)
		return true;
	return !assay_alias_set(&all, 1, true) &&
	       !assay_alias_verify(pool->base, pool->count, true);
}

struct pmalloc_pool *pmalloc_create_pool(struct assay_region *region, unsigned long pfn,
					 unsigned long count, bool allow_unprotected)
{
	struct device *dev = region->dev;
	struct pmalloc_pool *pool;
	unsigned long page;
	int ret;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	pool->region = region;
	pool->pfn = pfn;
	pool->count = count;
	pool->base = (unsigned long)pfn_to_kaddr(pfn);
	pool->desc = kvcalloc(count, sizeof(*pool->desc), GFP_KERNEL);
	if (!pool->desc) {
		kfree(pool);
		return ERR_PTR(-ENOMEM);
	}

	ret = assay_region_claim(region, pfn, count);
	if (ret) {
		kvfree(pool->desc);
		kfree(pool);
		return ERR_PTR(ret);
	}
	/* What was there before belongs to others, and the pool is shown to user space. */
	for (page = 0; page < count; page++) {
		clear_page((void *)(pool->base + (page << PAGE_SHIFT)));
		cond_resched();
	}

	/* Only now: a kernel with debug_pagealloc does not map pages that nobody has. */
	ret = pmalloc_protect_pool(pool);
	if (ret == -EOPNOTSUPP && allow_unprotected) {
		dev_warn(dev, "the log is NOT protected: %s\n", ASSAY_ALIAS_ADVICE);
	} else if (ret) {
		dev_err(dev, "cannot protect the log (error %d): %s\n", ret,
			ret == -EOPNOTSUPP ? ASSAY_ALIAS_ADVICE : "the change did not hold");
		pmalloc_destroy_pool(pool);
		return ERR_PTR(ret);
	}
	return pool;
}

void *pzalloc(struct pmalloc_pool *pool, size_t size, enum assay_page_type type)
{
	size_t first = ALIGN(pool->used, sizeof(u64)), end;
	unsigned long page;

	if (!size || check_add_overflow(first, size, &end) || end > pool->count << PAGE_SHIFT)
		return NULL;
	for (page = first >> PAGE_SHIFT; page < DIV_ROUND_UP(end, PAGE_SIZE); page++)
		pool->desc[page].type = type;
	pool->used = end;
	return (void *)(pool->base + first);
}

/* The pages that hold a range's bytes, as an index into the descriptors and a count. */
static bool pmalloc_pages(const struct pmalloc_pool *pool, const struct pmalloc_range *range,
			  unsigned long *ret_page, unsigned long *ret_count)
{
	unsigned long start = (unsigned long)range->start, first, end;

	if (start < pool->base || !range->size ||
	    check_add_overflow(start - pool->base, range->size, &end) || end > pool->used)
		return false;
	first = (start - pool->base) >> PAGE_SHIFT;
	*ret_page = first;
	*ret_count = DIV_ROUND_UP(end, PAGE_SIZE) - first;
	return true;
}

/*
 * The pages of some byte ranges. Two ranges may touch the same page: all that is
 * done with these pages may be done twice.
 */
static int pmalloc_alias_ranges(const struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
				unsigned int range_count, struct assay_alias_range *alias)
{
	unsigned long page, count;
	unsigned int i;

	if (!range_count || range_count > PMALLOC_MAX_RANGES)
		return -EINVAL;
	for (i = 0; i < range_count; i++) {
		if (!pmalloc_pages(pool, &ranges[i], &page, &count))
			return -EINVAL;
		alias[i].start = pool->base + (page << PAGE_SHIFT);
		alias[i].count = count;
	}
	return 0;
}

static struct assay_page_desc *pmalloc_desc(struct pmalloc_pool *pool,
					    const struct assay_alias_range *alias)
{
	return pool->desc + ((alias->start - pool->base) >> PAGE_SHIFT);
}

static enum assay_page_state pmalloc_closed_state(const struct assay_page_desc *desc)
{
	if (!desc->used)
		return ASSAY_PAGE_EMPTY;
	if (desc->used < PAGE_SIZE || desc->type == ASSAY_PAGE_HEADER)
		return ASSAY_PAGE_PART;
	return ASSAY_PAGE_SEALED;
}

int pmalloc_begin_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			unsigned int range_count)
{
	struct assay_alias_range alias[PMALLOC_MAX_RANGES];
	unsigned long page;
	unsigned int i;
	int ret;

	if (pool->broken)
		return -EIO;
	if (pool->open)
		return -EBUSY;
	ret = pmalloc_alias_ranges(pool, ranges, range_count, alias);
	if (ret)
		return ret;
	for (i = 0; i < range_count; i++) {
		for (page = 0; page < alias[i].count; page++) {
			if (pmalloc_desc(pool, &alias[i])[page].state == ASSAY_PAGE_SEALED)
				return -EPERM;
		}
	}
	if (pool->protected) {
		ret = assay_alias_set(alias, range_count, true);
		if (ret)
			return ret;
	}
	for (i = 0; i < range_count; i++) {
		for (page = 0; page < alias[i].count; page++)
			WRITE_ONCE(pmalloc_desc(pool, &alias[i])[page].state, ASSAY_PAGE_OPEN);
	}
	pool->open = true;
	return 0;
}

int pmalloc_end_write(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
		      unsigned int range_count)
{
	struct assay_alias_range alias[PMALLOC_MAX_RANGES];
	unsigned long page;
	unsigned int i;
	int ret;

	ret = pmalloc_alias_ranges(pool, ranges, range_count, alias);
	if (!ret && pool->protected)
		ret = assay_alias_set(alias, range_count, false);
	for (i = 0; !ret && i < range_count; i++) {
		if (pool->protected)
			ret = assay_alias_verify(alias[i].start, alias[i].count, false);
	}
	if (ret) {
		pool->broken = ret;
		dev_err(pool->region->dev,
			"cannot protect pages of the log again (error %d): it takes no more records; reload the module\n",
			ret);
		return ret;
	}
	for (i = 0; i < range_count; i++) {
		for (page = 0; page < alias[i].count; page++) {
			struct assay_page_desc *desc = pmalloc_desc(pool, &alias[i]) + page;

			WRITE_ONCE(desc->state, pmalloc_closed_state(desc));
		}
	}
	pool->open = false;
	return 0;
}

void pmalloc_destroy_pool(struct pmalloc_pool *pool)
{
	if (!pool)
		return;
	if (pmalloc_unprotect_pool(pool))
		assay_region_release(pool->region, pool->pfn, pool->count);
	else
		dev_err(pool->region->dev,
			"%lu pages at frame %#lx stay read-only and are lost until the next boot\n",
			pool->count, pool->pfn);
	kvfree(pool->desc);
	kfree(pool);
}
