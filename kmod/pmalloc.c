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
#include "pages.h"
#include "pool.h"
#include "region.h"
#include "stock.h"
#include "window.h"

static LIST_HEAD(pmalloc_pools);
static DEFINE_MUTEX(pmalloc_pools_lock); /* protects the list above */
static DEFINE_IDA(pmalloc_ids);

static bool pmalloc_allow_unprotected;

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
	return assay_page_state(&window->desc[0]) != ASSAY_PAGE_CLAIMED;
}

/* A window that was taken and not used. */
static void pmalloc_give_back_unused(struct assay_window *window)
{
	bool protected = pmalloc_window_protected(window);

	pmalloc_give_back(window, !protected || pmalloc_window_open(window));
}

/* ------------------------------------------------------------------ areas */
static void pmalloc_set_states(struct pmalloc_area *area, enum assay_page_state used,
			       enum assay_page_state unused)
{
	struct assay_window *window = area->pages.window;
	unsigned long page;

	for (page = 0; page < window->count; page++)
		assay_window_set_state(window, page,
				       assay_page_used(&window->desc[page]) ? used : unused);
}

/* All pages of the areas that are, or are not, protected. Returns how many ranges. */
static unsigned int pmalloc_collect(struct pmalloc_pool *pool, bool protected)
{
	struct pmalloc_area *area;
	unsigned int n = 0;

	list_for_each_entry(area, &pool->areas, node) {
		if (area->protected == protected && !area->pages.unprotectable)
			pool->ranges[n++] = (struct assay_alias_range){
				.start = area->pages.base,
				.count = area->pages.window->count,
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
	ret = assay_area_map(&area->pages, window);
	if (ret)
		goto give_back;
	area->size = window->count << PAGE_SHIFT;
	area->protected = pool->mode == PMALLOC_MODE_START_WR;
	if (!protected) {
		area->pages.unprotectable = "it could not be protected when it was claimed";
		assay_alias_check(area->pages.base, window->count, &area->pages.unprotectable);
		if (!pmalloc_allow_unprotected) {
			dev_err(window->region->dev, "cannot protect pool %s: %s\n", pool->name,
				area->pages.unprotectable);
			ret = -EOPNOTSUPP;
			goto give_back;
		}
	} else if (!area->protected) {
		ret = -EIO;
		if (!pmalloc_window_open(window) ||
		    assay_alias_verify(area->pages.base, window->count, true))
			goto give_back;
	}

	WRITE_ONCE(window->owner, pool->id);
	for (page = 0; page < window->count; page++) {
		assay_page_set_type(&window->desc[page], ASSAY_PAGE_FREE);
		assay_page_set_used(&window->desc[page], 0);
	}
	if (area->protected)
		pmalloc_set_states(area, ASSAY_PAGE_EMPTY, ASSAY_PAGE_EMPTY);
	else
		pmalloc_set_states(area, ASSAY_PAGE_WRITABLE, ASSAY_PAGE_WRITABLE);
	list_add(&area->node, &pool->areas);
	pool->area_count++;
	/*
	 * Objects point to others of the kernel, which are not leaked while only they
	 * do; the area itself is found through the pool.
	 */
	kmemleak_alloc((void *)area->pages.base, area->size, 0, GFP_KERNEL);
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
		if (!region->ops->unmapped && count <= region->count)
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

/* Objects are written where they are read: that needs the linear map. */
static struct assay_region *pmalloc_first_region(void)
{
	struct assay_region *region;
	unsigned int id;

	for (id = 0; (region = assay_region_get(id)); id++) {
		if (!region->ops->unmapped)
			return region;
	}
	return NULL;
}

/**
 * pmalloc_create_custom_pool() - a new, empty pool
 * @refill: bytes by which the pool grows, rounded up to pages;
 *          PMALLOC_REFILL_DEFAULT for a chunk of the module's stock
 * @align_order: objects start at multiples of 2^@align_order bytes, at most a page;
 *               or PMALLOC_ALIGN_ORDER_DEFAULT
 * @mode: enum pmalloc_mode
 *
 * Return: the pool, or an ERR_PTR(): -EINVAL, -ENOMEM, -ENODEV (no region that the
 * linear map has).
 */
struct pmalloc_pool *pmalloc_create_custom_pool(size_t refill, short align_order,
						enum pmalloc_mode mode)
{
	struct assay_region *region = pmalloc_first_region();
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

	/* Where it is not known which pages are read-only, each may be. */
	if (pool->broken) {
		list_for_each_entry(area, &pool->areas, node)
			area->protected = true;
	}
	n = pmalloc_collect(pool, true);
	together = n && !assay_alias_set(pool->ranges, n, true);
	list_for_each_entry_safe(area, next, &pool->areas, node) {
		bool protected = area->protected && !area->pages.unprotectable;

		kmemleak_free((void *)area->pages.base);
		assay_area_unmap(&area->pages);
		/* One area that cannot be changed must not keep the others. */
		pmalloc_give_back(area->pages.window,
				  !protected || together ||
					  pmalloc_window_open(area->pages.window));
		kfree(area);
	}
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
		struct assay_page_desc *desc = &area->pages.window->desc[page];

		assay_page_set_type(desc, ASSAY_PAGE_OBJECTS);
		assay_page_set_used(desc, min(end - (page << PAGE_SHIFT), PAGE_SIZE));
	}
	area->used = end;
	/* It has been cleared, but who wrote beyond an object before may have hit this one. */
	if (clear && !area->protected)
		memset((void *)(area->pages.base + first), 0, size);
	return (void *)(area->pages.base + first);
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
static struct pmalloc_area *pmalloc_find_area(struct pmalloc_pool *pool, unsigned long start,
					      size_t size)
{
	struct pmalloc_area *area;

	list_for_each_entry(area, &pool->areas, node) {
		if (start >= area->pages.base && start - area->pages.base < area->used)
			return size <= area->used - (start - area->pages.base) ? area : NULL;
	}
	return NULL;
}

static int pmalloc_write_protected(struct pmalloc_pool *pool, struct pmalloc_area *area,
				   unsigned long start, const void *source, size_t size)
{
	struct assay_open open = { .count = 1 };
	int ret;

	if (!assay_pages_find(&area->pages, start - area->pages.base, size, &open.pages[0]))
		return -EINVAL;
	ret = assay_open_begin(&open);
	if (ret)
		return ret;
	memcpy((void *)(open.address[0] + offset_in_page(start)), source, size);
	ret = assay_open_end(&open);
	if (!ret)
		return 0;
	pool->broken = -EIO;
	pr_err("pool %s: pages could not be made read-only again (error %d); nothing more is written to it, destroy it\n",
	       pool->name, ret);
	return -EIO;
}

static int pmalloc_write_locked(struct pmalloc_pool *pool, void *destination, const void *source,
				size_t size)
{
	unsigned long start = (unsigned long)destination;
	struct pmalloc_area *area;

	lockdep_assert_held(&pool->lock);
	if (pool->broken)
		return -EIO;
	if (!pmalloc_may_write(pool))
		return -EPERM;
	area = size ? pmalloc_find_area(pool, start, size) : NULL;
	if (!area)
		return -EINVAL;
	if (area->protected)
		return pmalloc_write_protected(pool, area, start, source, size);
	memcpy(destination, source, size);
	return 0;
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
	int ret;

	mutex_lock(&pool->lock);
	ret = pmalloc_write_locked(pool, destination, source, size);
	mutex_unlock(&pool->lock);
	return ret;
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
	size_t size;
	char *copy;

	if (!string)
		return NULL;
	size = strlen(string) + 1;
	/* Not to be interrupted by an allocation that protects what is not complete. */
	mutex_lock(&pool->lock);
	copy = pmalloc_locked(pool, size, false);
	if (copy && pool->mode != PMALLOC_MODE_START_WR)
		memcpy(copy, string, size);
	else if (copy && pmalloc_write_locked(pool, copy, string, size))
		copy = NULL;
	mutex_unlock(&pool->lock);
	return copy;
}
EXPORT_SYMBOL_GPL(pstrdup);

/* ------------------------------------------------------------------ for the module */
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
 * @log: the region that will have the log
 * @allow_unprotected: make pools of writable memory where it cannot be protected
 *
 * Finds out whether the linear map can be protected at all, by doing it to a page. The
 * log can do without where its region is not in the linear map; pools cannot be had then.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP after a pr_err() that says why.
 */
int pmalloc_setup(const struct assay_region *log, bool allow_unprotected)
{
	const char *why;
	int ret;

	pmalloc_allow_unprotected = allow_unprotected;
	ret = assay_alias_probe(&why);
	if (ret != -EOPNOTSUPP)
		return ret;
	if (log->ops->unmapped) {
		pr_info("pools cannot be protected: %s\n", why);
		return 0;
	}
	if (allow_unprotected) {
		pr_warn("memory is NOT protected: %s\n", why);
		return 0;
	}
	pr_err("cannot protect memory: %s; or keep the log in a nomap region; or go on without protection, with allow_unprotected=1\n",
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
