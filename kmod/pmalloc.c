// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protectable memory for any module: pools from which objects are allocated and
 * never freed one by one, and which can be made read-only, in the linear map and so
 * for every CPU and everybody in the kernel. The names are those of the pmalloc
 * proposals of 2018 and 2019.
 *
 *	pool = pmalloc_create_pool(PMALLOC_MODE_RO);
 *	config = pzalloc(pool, sizeof(*config));
 *	config->limit = 42;
 *	ret = pmalloc_protect_pool(pool);	from now on a write to it faults
 *	...
 *	pmalloc_destroy_pool(pool);
 *
 * What protection means: no CPU can write the memory through the linear map, by which all
 * of the kernel reaches it, nor through a mapping that vunmap() has taken away (it does
 * so lazily; that is completed first). When the memory was claimed nobody else had it,
 * so other mappings are those that its owner makes, and they have the permission that
 * the owner asks for: vmap() with PAGE_KERNEL_RO, user mappings without VM_WRITE and
 * VM_MAYWRITE. A writable one made before stays writable.
 *
 * All functions may sleep, and all may be called at the same time but for
 * pmalloc_destroy_pool(): a pool has a lock of its own, held also while an allocation has
 * to wait for memory to be claimed. What is in an object while it is not protected yet is
 * the caller's to serialise.
 *
 * A pool takes windows, cleared and read-only, from the stock of a region, and opens
 * them, as a whole (until they are protected) or the pages of a write (until it is
 * done). At the end all is made writable, verified, and released. Every error path
 * goes back that way, since the next owner of a read-only page would oops.
 *
 * Locking: a pool's lock is taken before those of region and stock. The list of
 * pools has a lock of its own, inside all others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/kmemleak.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "alias.h"
#include "pool.h"
#include "region.h"
#include "stock.h"
#include "window.h"

static LIST_HEAD(pmalloc_pools);
static DEFINE_MUTEX(pmalloc_pools_lock); /* protects the list above */
static DEFINE_IDA(pmalloc_ids);

static bool pmalloc_allow_unprotected;

/**
 * struct pmalloc_pages - pages of an area
 * @area: area
 * @first: index of the first
 * @count: how many
 */
struct pmalloc_pages {
	struct pmalloc_area *area;
	unsigned long first;
	unsigned long count;
};

static struct assay_alias_range pmalloc_alias_range(const struct pmalloc_pages *pages)
{
	return (struct assay_alias_range){
		.start = pages->area->base + (pages->first << PAGE_SHIFT),
		.count = pages->count,
	};
}

static bool pmalloc_mode_has_writes(enum pmalloc_mode mode)
{
	return mode == PMALLOC_MODE_WR || mode == PMALLOC_MODE_AUTO_WR ||
	       mode == PMALLOC_MODE_START_WR;
}

static bool pmalloc_mode_is_auto(enum pmalloc_mode mode)
{
	return mode == PMALLOC_MODE_AUTO_RO || mode == PMALLOC_MODE_AUTO_WR;
}

static bool pmalloc_may_write(const struct pmalloc_pool *pool)
{
	return pmalloc_mode_has_writes(pool->mode) && !pool->final;
}

/* ------------------------------------------------------------------ windows */
static unsigned long pmalloc_window_start(const struct assay_window *window)
{
	return (unsigned long)assay_window_address(window);
}

static bool pmalloc_window_open(struct assay_window *window)
{
	struct assay_alias_range range = { pmalloc_window_start(window), window->count };

	return !assay_alias_set(&range, 1, true);
}

/*
 * Back to the kernel, which assay_window_release() refuses where a page is not writable;
 * or kept for ever, if it is known already that they stayed read-only.
 */
static void pmalloc_give_back(struct assay_window *window, bool writable)
{
	if (writable)
		assay_window_release(window);
	else
		assay_window_abandon(window);
}

/* What the stock could not protect it has left as it was claimed. */
static bool pmalloc_window_protected(const struct assay_window *window)
{
	return READ_ONCE(window->desc[0].state) != ASSAY_PAGE_CLAIMED;
}

/* A window that was taken and not used. */
static void pmalloc_give_back_unused(struct assay_window *window)
{
	bool protected = pmalloc_window_protected(window);

	pmalloc_give_back(window, !protected || pmalloc_window_open(window));
}

/* Pages just claimed, with what was there before: it belongs to others. */
static void pmalloc_clear(unsigned long start, unsigned long count)
{
	unsigned long page;

	for (page = 0; page < count; page++) {
		clear_page((void *)(start + (page << PAGE_SHIFT)));
		cond_resched();
	}
}

/* ------------------------------------------------------------------ areas */
static void pmalloc_set_states(struct pmalloc_area *area, enum assay_page_state used,
			       enum assay_page_state unused)
{
	unsigned long page;

	for (page = 0; page < area->window->count; page++) {
		struct assay_page_desc *desc = &area->window->desc[page];

		WRITE_ONCE(desc->state, READ_ONCE(desc->used) ? used : unused);
	}
}

/* All pages of the areas that are, or are not, protected. Returns how many ranges. */
static unsigned int pmalloc_collect(struct pmalloc_pool *pool, bool protected)
{
	struct pmalloc_area *area;
	unsigned int n = 0;

	list_for_each_entry(area, &pool->areas, node) {
		if (area->protected == protected && !area->unprotectable)
			pool->ranges[n++] = (struct assay_alias_range){
				.start = area->base,
				.count = area->window->count,
			};
	}
	return n;
}

/*
 * Make a window, just taken, an area of the pool. Whatever comes of it, the window
 * is the pool's, or is given back.
 */
static int pmalloc_add_area(struct pmalloc_pool *pool, struct assay_window *window)
{
	bool protected = pmalloc_window_protected(window);
	struct assay_alias_range *ranges;
	struct pmalloc_area *area;
	unsigned long page;
	int ret = -ENOMEM;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	ranges = krealloc_array(pool->ranges, pool->area_count + 1, sizeof(*ranges), GFP_KERNEL);
	if (ranges)
		pool->ranges = ranges;
	if (!area || !ranges)
		goto give_back;
	area->window = window;
	area->base = pmalloc_window_start(window);
	area->size = window->count << PAGE_SHIFT;
	area->protected = pool->mode == PMALLOC_MODE_START_WR;
	if (!protected) {
		area->unprotectable = "it could not be protected when it was claimed";
		assay_alias_check(area->base, window->count, &area->unprotectable);
		if (!pmalloc_allow_unprotected) {
			dev_err(window->region->dev, "cannot protect pool %s: %s\n", pool->name,
				area->unprotectable);
			ret = -EOPNOTSUPP;
			goto give_back;
		}
		pool->protectable = false;
	} else if (!area->protected) {
		ret = -EIO;
		if (!pmalloc_window_open(window) ||
		    assay_alias_verify(area->base, window->count, true))
			goto give_back;
	}

	for (page = 0; page < window->count; page++) {
		struct assay_page_desc *desc = &window->desc[page];

		WRITE_ONCE(desc->owner, pool->id);
		WRITE_ONCE(desc->type, ASSAY_PAGE_FREE);
		WRITE_ONCE(desc->used, 0);
	}
	if (area->protected)
		pmalloc_set_states(area, ASSAY_PAGE_EMPTY, ASSAY_PAGE_EMPTY);
	else
		pmalloc_set_states(area, ASSAY_PAGE_WRITABLE, ASSAY_PAGE_WRITABLE);
	list_add(&area->node, &pool->areas);
	pool->area_count++;
	/*
	 * Objects point to others of the kernel, which are not leaked while only they
	 * do; the area itself is found through the pool. What the log holds comes from
	 * user space and points nowhere.
	 */
	if (pool->source)
		kmemleak_alloc((void *)area->base, area->size, 0, GFP_KERNEL);
	return 0;

give_back:
	kfree(area);
	pmalloc_give_back_unused(window);
	return ret;
}

/* Memory from the region that the pool uses, or else from another that has some. */
static struct assay_window *pmalloc_take(struct pmalloc_pool *pool, unsigned long count)
{
	struct assay_window *window = ERR_PTR(-ENOSPC);
	struct assay_region *region = pool->source;

	do {
		if (count <= region->count)
			window = assay_stock_take(region, count, pool->name);
		if (!IS_ERR(window)) {
			if (region != pool->source) {
				assay_stock_unuse(pool->source);
				assay_stock_use(region);
				pool->source = region;
			}
			return window;
		}
		if (PTR_ERR(window) != -ENOSPC && PTR_ERR(window) != -EBUSY)
			return window;
		region = assay_region_get(region->id + 1);
		if (!region)
			region = assay_region_get(0);
	} while (region != pool->source);
	return window;
}

/* ------------------------------------------------------------------ protection */
/* Make read-only what is not; in one flush. */
static int pmalloc_protect_areas(struct pmalloc_pool *pool)
{
	unsigned int i, n = pmalloc_collect(pool, false);
	struct pmalloc_area *area;
	int ret = 0;

	if (n) {
		/* Its owner may have mapped, and lazily unmapped, what it wrote. */
		vm_unmap_aliases();
		if (assay_alias_set(pool->ranges, n, false)) {
			pr_err("pool %s: the linear map is not what it was; the pool stays writable\n",
			       pool->name);
			return -EIO;
		}
	}
	for (i = 0; i < n && !ret; i++)
		ret = assay_alias_verify(pool->ranges[i].start, pool->ranges[i].count, false);
	list_for_each_entry(area, &pool->areas, node) {
		if (area->protected)
			continue;
		area->protected = true;
		if (pmalloc_may_write(pool))
			pmalloc_set_states(area, ASSAY_PAGE_PART, ASSAY_PAGE_EMPTY);
		else
			pmalloc_set_states(area, ASSAY_PAGE_SEALED, ASSAY_PAGE_SEALED);
	}
	if (ret) {
		pool->broken = -EIO;
		pr_err("pool %s: its protection did not hold; destroy it\n", pool->name);
	}
	return ret;
}

/**
 * pmalloc_protect_pool() - make all memory handed out until now read-only
 * @pool: pool
 *
 * One flush for all of it. Verified before it returns.
 *
 * Return: 0, or -EIO after a dev_err() where it did not hold: treat the pool as
 * writable.
 */
int pmalloc_protect_pool(struct pmalloc_pool *pool)
{
	int ret;

	mutex_lock(&pool->lock);
	ret = pool->broken ?: pmalloc_protect_areas(pool);
	mutex_unlock(&pool->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(pmalloc_protect_pool);

/**
 * pmalloc_make_pool_ro() - protect a pool, and refuse all further writes and
 * allocations
 * @pool: pool of any mode
 *
 * Return: as pmalloc_protect_pool().
 */
int pmalloc_make_pool_ro(struct pmalloc_pool *pool)
{
	struct pmalloc_area *area;
	int ret;

	mutex_lock(&pool->lock);
	pool->final = true;
	ret = pool->broken ?: pmalloc_protect_areas(pool);
	if (!ret) {
		list_for_each_entry(area, &pool->areas, node)
			pmalloc_set_states(area, ASSAY_PAGE_SEALED, ASSAY_PAGE_SEALED);
	}
	mutex_unlock(&pool->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(pmalloc_make_pool_ro);

/* ------------------------------------------------------------------ a pool's life */
static struct pmalloc_pool *pmalloc_new_pool(enum pmalloc_mode mode, size_t refill, size_t align)
{
	struct pmalloc_pool *pool;
	int id;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc_range(&pmalloc_ids, ASSAY_OWNER_FIRST_POOL, U16_MAX, GFP_KERNEL);
	if (id < 0) {
		kfree(pool);
		return ERR_PTR(-ENOMEM);
	}
	pool->id = id;
	snprintf(pool->name, sizeof(pool->name), "pool-%d", id);
	mutex_init(&pool->lock);
	pool->mode = mode;
	pool->refill = refill;
	pool->align = align;
	pool->protectable = true;
	INIT_LIST_HEAD(&pool->areas);
	return pool;
}

static void pmalloc_show_pool(struct pmalloc_pool *pool)
{
	mutex_lock(&pmalloc_pools_lock);
	list_add_tail(&pool->node, &pmalloc_pools);
	mutex_unlock(&pmalloc_pools_lock);
}

static void pmalloc_free_pool(struct pmalloc_pool *pool)
{
	mutex_destroy(&pool->lock);
	ida_free(&pmalloc_ids, pool->id);
	kfree(pool->ranges);
	kfree(pool);
}

/**
 * pmalloc_create_custom_pool() - a new, empty pool
 * @refill: bytes by which the pool grows, rounded up to pages;
 *          PMALLOC_REFILL_DEFAULT for a chunk of the module's stock
 * @align_order: objects start at multiples of 2^@align_order bytes, at most a page;
 *               or PMALLOC_ALIGN_ORDER_DEFAULT
 * @mode: enum pmalloc_mode
 *
 * Return: the pool, or an ERR_PTR(): -EINVAL, -ENOMEM, -ENODEV (no region).
 */
struct pmalloc_pool *pmalloc_create_custom_pool(size_t refill, short align_order,
						enum pmalloc_mode mode)
{
	struct assay_region *region = assay_region_get(0);
	struct pmalloc_pool *pool;

	if (align_order == PMALLOC_ALIGN_ORDER_DEFAULT)
		align_order = ilog2(sizeof(void *));
	if (align_order < 0 || align_order > PAGE_SHIFT || refill > LONG_MAX ||
	    (unsigned int)mode > PMALLOC_MODE_START_WR)
		return ERR_PTR(-EINVAL);
	if (!region)
		return ERR_PTR(-ENODEV);
	/* A page of the stock is had as a whole chunk. */
	pool = pmalloc_new_pool(mode, refill ? PAGE_ALIGN(refill) : PAGE_SIZE,
				(size_t)1 << align_order);
	if (IS_ERR(pool))
		return pool;
	pool->source = region;
	assay_stock_use(region);
	pmalloc_show_pool(pool);
	return pool;
}
EXPORT_SYMBOL_GPL(pmalloc_create_custom_pool);

/**
 * pmalloc_create_pool() - a new, empty pool with the defaults
 * @mode: enum pmalloc_mode
 *
 * Return: as pmalloc_create_custom_pool().
 */
struct pmalloc_pool *pmalloc_create_pool(enum pmalloc_mode mode)
{
	return pmalloc_create_custom_pool(PMALLOC_REFILL_DEFAULT, PMALLOC_ALIGN_ORDER_DEFAULT,
					  mode);
}
EXPORT_SYMBOL_GPL(pmalloc_create_pool);

static int pmalloc_add_reserved(struct pmalloc_pool *pool, struct assay_window *window)
{
	struct pmalloc_area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		return -ENOMEM;
	area->window = window;
	area->base = pmalloc_window_start(window);
	area->size = window->count << PAGE_SHIFT;
	area->used = area->size;
	area->protected = true;
	list_add(&area->node, &pool->areas);
	pool->area_count++;
	return 0;
}

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
						unsigned long count, const char *name)
{
	struct assay_window *window;
	struct pmalloc_pool *pool;
	int ret;

	pool = pmalloc_new_pool(PMALLOC_MODE_START_WR, 0, sizeof(u64));
	if (IS_ERR(pool))
		return pool;
	strscpy(pool->name, name, sizeof(pool->name));
	window = assay_window_reserve(region, pfn, count, name);
	if (IS_ERR(window)) {
		ret = PTR_ERR(window);
		goto free;
	}
	ret = pmalloc_add_reserved(pool, window);
	if (ret) {
		assay_window_release(window);
		goto free;
	}
	pmalloc_show_pool(pool);
	return pool;
free:
	pmalloc_free_pool(pool);
	return ERR_PTR(ret);
}

/*
 * Whether the pages, just claimed, can be protected as the rest of the area is. The first
 * that are claimed decide for all.
 */
static int pmalloc_check_reserved(struct pmalloc_pool *pool, struct pmalloc_area *area,
				  const struct assay_alias_range *range)
{
	struct device *dev = area->window->region->dev;
	const char *why;

	if (area->unprotectable || !assay_alias_check(range->start, range->count, &why))
		return 0;
	if (!pmalloc_allow_unprotected || pool->filled) {
		dev_err(dev, "cannot protect pool %s: %s\n", pool->name, why);
		return -EOPNOTSUPP;
	}
	dev_warn(dev, "the %s is NOT protected: %s\n", pool->name, why);
	area->unprotectable = why;
	pool->protectable = false;
	return 0;
}

static int pmalloc_protect_range(struct pmalloc_pool *pool, const struct assay_alias_range *range)
{
	int ret;

	/*
	 * Mappings that vfree() has removed lazily may still be in some CPU's TLB;
	 * the pages under them can have been ours for a while now.
	 */
	vm_unmap_aliases();
	ret = assay_alias_set(range, 1, false);
	if (!ret)
		ret = assay_alias_verify(range->start, range->count, false);
	if (!ret)
		return 0;
	pr_err("cannot protect pool %s: the change did not hold\n", pool->name);
	return -EIO;
}

/*
 * Back to the kernel from whatever state they are in; false if some have to be kept. One
 * page that cannot be changed must not keep the others.
 */
static bool pmalloc_empty_pages(struct pmalloc_area *area, unsigned long first, unsigned long count)
{
	struct assay_alias_range range = { area->base + (first << PAGE_SHIFT), count };
	bool all = true;

	if (area->unprotectable || !assay_alias_set(&range, 1, true))
		return assay_window_empty(area->window, first, count);
	for (; count; first++, count--) {
		range = (struct assay_alias_range){ area->base + (first << PAGE_SHIFT), 1 };
		/* Where this fails, assay_window_empty() finds it out and says so. */
		assay_alias_set(&range, 1, true);
		all &= assay_window_empty(area->window, first, 1);
	}
	return all;
}

static int pmalloc_claim_pages(struct pmalloc_pool *pool, unsigned long first, unsigned long count,
			       enum assay_page_type type, bool clear)
{
	struct pmalloc_area *area = pmalloc_pool_area(pool);
	struct assay_window *window = area->window;
	struct assay_alias_range range = { area->base + (first << PAGE_SHIFT), count };
	unsigned long page;
	int ret;

	ret = assay_window_fill(window, first, count);
	if (ret)
		return ret;
	if (clear)
		pmalloc_clear(range.start, count);
	ret = pmalloc_check_reserved(pool, area, &range);
	if (!ret && !area->unprotectable)
		ret = pmalloc_protect_range(pool, &range);
	if (ret) {
		pmalloc_empty_pages(area, first, count);
		return ret;
	}
	mutex_lock(&pool->lock);
	for (page = first; page < first + count; page++) {
		struct assay_page_desc *desc = &window->desc[page];

		WRITE_ONCE(desc->owner, pool->id);
		WRITE_ONCE(desc->type, type);
		WRITE_ONCE(desc->state, ASSAY_PAGE_EMPTY);
	}
	pool->filled = true;
	mutex_unlock(&pool->lock);
	return 0;
}

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
			enum assay_page_type type)
{
	return pmalloc_claim_pages(pool, first, count, type, true);
}

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
			enum assay_page_type type)
{
	return pmalloc_claim_pages(pool, first, count, type, false);
}

/**
 * pmalloc_empty_window() - give pages of it back to the kernel
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, all claimed; nobody writes to them or maps them any more
 *
 * Return: true; or false after a dev_err() if some cannot be made writable, and are kept.
 */
bool pmalloc_empty_window(struct pmalloc_pool *pool, unsigned long first, unsigned long count)
{
	return pmalloc_empty_pages(pmalloc_pool_area(pool), first, count);
}

/* All that is claimed of a reserved window becomes writable, and goes back with it. */
static void pmalloc_destroy_reserved(struct pmalloc_area *area)
{
	const struct assay_page_desc *desc = area->window->desc;
	unsigned long first, end, count = area->window->count;

	for (first = 0; first < count; first = end + 1) {
		for (end = first; end < count && desc[end].state != ASSAY_PAGE_LENT;)
			end++;
		if (end > first)
			pmalloc_empty_pages(area, first, end - first);
	}
	assay_window_release(area->window);
	kfree(area);
}

/**
 * pmalloc_destroy_pool() - give all memory of a pool back
 * @pool: pool, or NULL
 *
 * No pointer into the pool and no user mapping of it may be left.
 */
void pmalloc_destroy_pool(struct pmalloc_pool *pool)
{
	struct pmalloc_area *area, *next;
	unsigned int n;
	bool together;

	if (!pool)
		return;
	mutex_lock(&pmalloc_pools_lock);
	list_del(&pool->node);
	mutex_unlock(&pmalloc_pools_lock);

	if (!pool->refill) {
		pmalloc_destroy_reserved(pmalloc_pool_area(pool));
		pmalloc_free_pool(pool);
		return;
	}
	/* Where it is not known which pages are read-only, each may be. */
	if (pool->broken) {
		list_for_each_entry(area, &pool->areas, node)
			area->protected = true;
	}
	n = pmalloc_collect(pool, true);
	together = n && !assay_alias_set(pool->ranges, n, true);
	list_for_each_entry_safe(area, next, &pool->areas, node) {
		bool protected = area->protected && !area->unprotectable;

		if (pool->source)
			kmemleak_free((void *)area->base);
		/* One area that cannot be changed must not keep the others. */
		pmalloc_give_back(area->window,
				  !protected || together || pmalloc_window_open(area->window));
		kfree(area);
	}
	if (pool->source)
		assay_stock_unuse(pool->source);
	pmalloc_free_pool(pool);
}
EXPORT_SYMBOL_GPL(pmalloc_destroy_pool);

/* ------------------------------------------------------------------ allocation */
static bool pmalloc_has_room(const struct pmalloc_pool *pool, const struct pmalloc_area *area,
			     size_t size)
{
	if (area->protected && pool->mode != PMALLOC_MODE_START_WR)
		return false;
	/* Sizes and alignments are at most those of pages: this does not overflow. */
	return size <= area->size - ALIGN(area->used, pool->align);
}

static struct pmalloc_area *pmalloc_find_room(struct pmalloc_pool *pool, size_t size)
{
	struct pmalloc_area *area;

	list_for_each_entry(area, &pool->areas, node) {
		if (pmalloc_has_room(pool, area, size))
			return area;
	}
	return NULL;
}

static struct pmalloc_area *pmalloc_grow(struct pmalloc_pool *pool, size_t size)
{
	unsigned long pages = (size >> PAGE_SHIFT) + !!offset_in_page(size);
	struct assay_window *window;

	if (!pool->refill)
		return NULL;
	window = pmalloc_take(pool, max(pages, pool->refill >> PAGE_SHIFT));
	if (IS_ERR(window))
		return NULL;
	/* Only now, as a pool that gets no more goes on with the room that it has. */
	if (pmalloc_mode_is_auto(pool->mode) && pmalloc_protect_areas(pool)) {
		pmalloc_give_back_unused(window);
		return NULL;
	}
	if (pmalloc_add_area(pool, window))
		return NULL;
	return list_first_entry(&pool->areas, struct pmalloc_area, node);
}

/* With the pool's lock held. */
static void *pmalloc_locked(struct pmalloc_pool *pool, size_t size, bool clear)
{
	struct pmalloc_area *area;
	unsigned long page;
	size_t first, end;

	lockdep_assert_held(&pool->lock);
	if (!size || pool->final || pool->broken)
		return NULL;
	area = pmalloc_find_room(pool, size);
	if (!area)
		area = pmalloc_grow(pool, size);
	if (!area)
		return NULL;
	first = ALIGN(area->used, pool->align);
	end = first + size;
	for (page = first >> PAGE_SHIFT; page << PAGE_SHIFT < end; page++) {
		struct assay_page_desc *desc = &area->window->desc[page];

		WRITE_ONCE(desc->type, ASSAY_PAGE_OBJECTS);
		WRITE_ONCE(desc->used, min(end - (page << PAGE_SHIFT), PAGE_SIZE));
	}
	area->used = end;
	/* It has been cleared, but who wrote beyond an object before may have hit this one. */
	if (clear && !area->protected)
		memset((void *)(area->base + first), 0, size);
	return (void *)(area->base + first);
}

/**
 * pmalloc() - allocate from a pool
 * @pool: pool
 * @size: bytes, at least one
 *
 * The content is undefined (in fact zeroed: memory of a pool is handed out once).
 *
 * Return: the object, physically contiguous, or NULL: @size is 0 or more than any
 * region has room for, the kernel has no memory, that memory cannot be protected (and the
 * module's parameter allow_unprotected does not allow for it), or
 * pmalloc_make_pool_ro() was called.
 * Where the pool was protected it goes on with fresh memory, but in mode START_WR, where
 * all is read-only from the start.
 */
void *pmalloc(struct pmalloc_pool *pool, size_t size)
{
	void *object;

	mutex_lock(&pool->lock);
	object = pmalloc_locked(pool, size, false);
	mutex_unlock(&pool->lock);
	return object;
}
EXPORT_SYMBOL_GPL(pmalloc);

/**
 * pzalloc() - allocate zeroed memory from a pool
 * @pool: pool
 * @size: bytes, at least one
 *
 * Return: as pmalloc().
 */
void *pzalloc(struct pmalloc_pool *pool, size_t size)
{
	void *object;

	mutex_lock(&pool->lock);
	object = pmalloc_locked(pool, size, true);
	mutex_unlock(&pool->lock);
	return object;
}
EXPORT_SYMBOL_GPL(pzalloc);

/**
 * pmalloc_array() - allocate an array
 * @pool: pool
 * @n: number of elements
 * @size: bytes an element
 *
 * Return: as pmalloc(); NULL where @n * @size overflows.
 */
void *pmalloc_array(struct pmalloc_pool *pool, size_t n, size_t size)
{
	size_t bytes;

	if (check_mul_overflow(n, size, &bytes))
		return NULL;
	return pmalloc(pool, bytes);
}
EXPORT_SYMBOL_GPL(pmalloc_array);

/**
 * pcalloc() - allocate a zeroed array
 * @pool: pool
 * @n: number of elements
 * @size: bytes an element
 *
 * Return: as pmalloc_array().
 */
void *pcalloc(struct pmalloc_pool *pool, size_t n, size_t size)
{
	size_t bytes;

	if (check_mul_overflow(n, size, &bytes))
		return NULL;
	return pzalloc(pool, bytes);
}
EXPORT_SYMBOL_GPL(pcalloc);

/* ------------------------------------------------------------------ writing */
/* Of a window that is filled part by part, others have the rest. */
static bool pmalloc_all_claimed(const struct pmalloc_pages *pages)
{
	const struct assay_page_desc *desc = pages->area->window->desc + pages->first;
	unsigned long page;

	for (page = 0; page < pages->count; page++) {
		if (desc[page].state == ASSAY_PAGE_LENT || desc[page].state == ASSAY_PAGE_CLAIMED)
			return false;
	}
	return true;
}

static bool pmalloc_find_pages(struct pmalloc_pool *pool, const struct pmalloc_range *range,
			       struct pmalloc_pages *ret_pages)
{
	unsigned long start = (unsigned long)range->start, end;
	struct pmalloc_area *area;

	if (!range->size)
		return false;
	list_for_each_entry(area, &pool->areas, node) {
		if (start < area->base || start - area->base >= area->used)
			continue;
		if (check_add_overflow(start - area->base, range->size, &end) || end > area->used)
			return false;
		ret_pages->area = area;
		ret_pages->first = (start - area->base) >> PAGE_SHIFT;
		ret_pages->count = DIV_ROUND_UP(end, PAGE_SIZE) - ret_pages->first;
		return pmalloc_all_claimed(ret_pages);
	}
	return false;
}

/*
 * The pages of some byte ranges. Two ranges may touch the same page: all that is
 * done with these pages may be done twice.
 */
static int pmalloc_find_all(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			    unsigned int range_count, struct pmalloc_pages *pages)
{
	unsigned int i;

	if (!range_count || range_count > PMALLOC_MAX_RANGES)
		return -EINVAL;
	for (i = 0; i < range_count; i++) {
		if (!pmalloc_find_pages(pool, &ranges[i], &pages[i]))
			return -EINVAL;
	}
	return 0;
}

static bool pmalloc_any_sealed(const struct pmalloc_pages *pages, unsigned int range_count)
{
	unsigned long page;
	unsigned int i;

	for (i = 0; i < range_count; i++) {
		const struct assay_page_desc *desc = pages[i].area->window->desc + pages[i].first;

		for (page = 0; page < pages[i].count; page++) {
			if (desc[page].state == ASSAY_PAGE_SEALED)
				return true;
		}
	}
	return false;
}

/* Change, and where it becomes read-only verify, those pages that are protected. */
static int pmalloc_set_pages(const struct pmalloc_pages *pages, unsigned int range_count,
			     bool writable)
{
	struct assay_alias_range alias[PMALLOC_MAX_RANGES];
	unsigned int i, n = 0;
	int ret;

	for (i = 0; i < range_count; i++) {
		if (pages[i].area->protected && !pages[i].area->unprotectable)
			alias[n++] = pmalloc_alias_range(&pages[i]);
	}
	if (!n)
		return 0;
	ret = assay_alias_set(alias, n, writable);
	for (i = 0; i < n && !ret && !writable; i++)
		ret = assay_alias_verify(alias[i].start, alias[i].count, false);
	return ret;
}

static enum assay_page_state pmalloc_closed_state(const struct assay_page_desc *desc)
{
	if (desc->type != ASSAY_PAGE_RING)
		return ASSAY_PAGE_PART;
	if (!desc->used)
		return ASSAY_PAGE_EMPTY;
	return desc->used < PAGE_SIZE ? ASSAY_PAGE_PART : ASSAY_PAGE_SEALED;
}

static void pmalloc_note_written(const struct pmalloc_pages *pages, bool open)
{
	struct assay_page_desc *desc = pages->area->window->desc + pages->first;
	unsigned long page;

	if (!pages->area->protected)
		return;
	for (page = 0; page < pages->count; page++)
		WRITE_ONCE(desc[page].state,
			   open ? ASSAY_PAGE_OPEN : pmalloc_closed_state(&desc[page]));
}

/**
 * pmalloc_note_used() - bring the states of pages up to what their descriptors say is used
 * @pool: from pmalloc_create_window_pool()
 * @first: index of the first page
 * @count: number of pages, all claimed
 */
void pmalloc_note_used(struct pmalloc_pool *pool, unsigned long first, unsigned long count)
{
	const struct pmalloc_pages pages = { pmalloc_pool_area(pool), first, count };

	mutex_lock(&pool->lock);
	pmalloc_note_written(&pages, false);
	mutex_unlock(&pool->lock);
}

static int pmalloc_begin_locked(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
				unsigned int range_count)
{
	struct pmalloc_pages pages[PMALLOC_MAX_RANGES];
	unsigned int i;
	int ret;

	if (pool->broken)
		return -EIO;
	if (!pmalloc_may_write(pool))
		return -EPERM;
	ret = pmalloc_find_all(pool, ranges, range_count, pages);
	if (ret)
		return ret;
	if (pmalloc_any_sealed(pages, range_count))
		return -EPERM;
	ret = pmalloc_set_pages(pages, range_count, true);
	if (ret)
		return ret;
	for (i = 0; i < range_count; i++)
		pmalloc_note_written(&pages[i], true);
	return 0;
}

static int pmalloc_end_locked(struct pmalloc_pool *pool, const struct pmalloc_range *ranges,
			      unsigned int range_count)
{
	struct pmalloc_pages pages[PMALLOC_MAX_RANGES];
	unsigned int i;
	int ret;

	lockdep_assert_held(&pool->lock);
	ret = pmalloc_find_all(pool, ranges, range_count, pages);
	if (!ret)
		ret = pmalloc_set_pages(pages, range_count, false);
	if (ret) {
		pool->broken = -EIO;
		pr_err("pool %s: pages could not be made read-only again (error %d); nothing more is written to it, destroy it\n",
		       pool->name, ret);
		return -EIO;
	}
	for (i = 0; i < range_count; i++)
		pmalloc_note_written(&pages[i], false);
	return 0;
}

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
			unsigned int range_count)
{
	int ret;

	mutex_lock(&pool->lock);
	ret = pmalloc_begin_locked(pool, ranges, range_count);
	if (ret)
		mutex_unlock(&pool->lock);
	return ret;
}

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
		      unsigned int range_count)
{
	int ret = pmalloc_end_locked(pool, ranges, range_count);

	mutex_unlock(&pool->lock);
	return ret;
}

/**
 * pmalloc_write() - the one way to change protected memory
 * @pool: pool of a mode with WR
 * @destination: in one object of the pool
 * @source: bytes to copy
 * @size: how many, at least one
 *
 * Opens the pages, copies, closes and verifies them. For all CPUs either the old or
 * the new bytes are there afterwards; while it runs, readers may see some of each.
 * Meanwhile other bytes of the same pages are writable as well.
 *
 * Return: 0; -EINVAL (not in memory handed out by this pool), -EPERM (the mode has
 * no WR, or pmalloc_make_pool_ro() was called), -EOPNOTSUPP (the linear map is not what
 * it was: nothing was written), -EIO (a page could not be protected again: the pool takes
 * no more writes).
 */
int pmalloc_write(struct pmalloc_pool *pool, void *destination, const void *source, size_t size)
{
	struct pmalloc_range range = { destination, size };
	int ret;

	ret = pmalloc_begin_write(pool, &range, 1);
	if (ret)
		return ret;
	memcpy(destination, source, size);
	return pmalloc_end_write(pool, &range, 1);
}
EXPORT_SYMBOL_GPL(pmalloc_write);

/**
 * pstrdup() - a copy of a string
 * @pool: pool
 * @string: to copy, or NULL
 *
 * In a START_WR pool, too. Return: the copy, or NULL: as pmalloc(), or @string is
 * NULL.
 */
char *pstrdup(struct pmalloc_pool *pool, const char *string)
{
	struct pmalloc_range range;
	char *copy;

	if (!string)
		return NULL;
	range.size = strlen(string) + 1;
	/* Not to be interrupted by an allocation that protects what is not complete. */
	mutex_lock(&pool->lock);
	copy = pmalloc_locked(pool, range.size, false);
	range.start = copy;
	if (copy && pool->mode == PMALLOC_MODE_START_WR) {
		if (pmalloc_begin_locked(pool, &range, 1)) {
			copy = NULL;
		} else {
			memcpy(copy, string, range.size);
			if (pmalloc_end_locked(pool, &range, 1))
				copy = NULL;
		}
	} else if (copy) {
		memcpy(copy, string, range.size);
	}
	mutex_unlock(&pool->lock);
	return copy;
}
EXPORT_SYMBOL_GPL(pstrdup);

/* ------------------------------------------------------------------ for the module */
/**
 * pmalloc_pool_area() - the only area of a pool of one window
 * @pool: from pmalloc_create_window_pool()
 */
struct pmalloc_area *pmalloc_pool_area(const struct pmalloc_pool *pool)
{
	return list_first_entry(&pool->areas, struct pmalloc_area, node);
}

/**
 * pmalloc_pool_name() - a pool's name by its id, for display
 * @id: of a descriptor's owner
 * @name: PMALLOC_NAME_SIZE bytes, set to the name, or "window", "stock", or "?" for
 *        a pool that is gone
 */
void pmalloc_pool_name(u16 id, char *name)
{
	struct pmalloc_pool *pool;

	if (id < ASSAY_OWNER_FIRST_POOL) {
		strscpy(name, id == ASSAY_OWNER_STOCK ? "stock" : "window", PMALLOC_NAME_SIZE);
		return;
	}
	strscpy(name, "?", PMALLOC_NAME_SIZE);
	mutex_lock(&pmalloc_pools_lock);
	list_for_each_entry(pool, &pmalloc_pools, node) {
		if (pool->id == id)
			strscpy(name, pool->name, PMALLOC_NAME_SIZE);
	}
	mutex_unlock(&pmalloc_pools_lock);
}

/**
 * pmalloc_setup() - once, before any pool
 * @allow_unprotected: make pools of writable memory where it cannot be protected
 *
 * Finds out whether the linear map can be protected at all, by doing it to a page.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP after a pr_err() that says why.
 */
int pmalloc_setup(bool allow_unprotected)
{
	const char *why;
	int ret;

	pmalloc_allow_unprotected = allow_unprotected;
	ret = assay_alias_probe(&why);
	if (ret == -EOPNOTSUPP && allow_unprotected) {
		pr_warn("memory is NOT protected: %s\n", why);
		return 0;
	}
	if (ret == -EOPNOTSUPP)
		pr_err("cannot protect memory: %s; or go on without protection, with allow_unprotected=1\n",
		       why);
	return ret;
}

/**
 * pmalloc_close() - before the regions are closed: destroy what is left
 *
 * With a warning for each pool that a module has forgotten to destroy.
 */
void pmalloc_close(void)
{
	struct pmalloc_pool *pool, *next;

	/* No module that could use pools is left: nobody changes the list. */
	list_for_each_entry_safe(pool, next, &pmalloc_pools, node) {
		pr_warn("%s was not destroyed by the module that made it\n", pool->name);
		pmalloc_destroy_pool(pool);
	}
	ida_destroy(&pmalloc_ids);
}
