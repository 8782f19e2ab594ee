// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claiming ahead of need. Moving other data away and clearing pages (with
 * init_on_alloc the whole free block that a claim cuts, seconds for 512 MiB) must
 * not fall on who allocates, so a worker keeps some chunks of each region claimed,
 * cleared and read-only. Called by pmalloc.
 *
 * A chunk is a window. The worker fills up to the level while somebody takes chunks
 * (assay_stock_use() is held), and gives back what has not been wanted for a while
 * once nobody does.
 *
 * All work is done by one delayed work item: it fills the stock while somebody uses
 * it, one chunk after the other, and empties it when nobody has for a while. The
 * lock is held to look and to put or take a chunk, never while one is made.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "alias.h"
#include "region.h"
#include "stock.h"
#include "window.h"

/* Memory that could not be had now may be had when others have given some back. */
#define ASSAY_STOCK_RETRY (10 * HZ)

/**
 * struct assay_stock - chunks of a region that nobody has yet
 * @region: region
 * @chunk_pages: pages a chunk
 * @level: chunks to keep
 * @idle: jiffies after which an unused stock is given back
 * @work: fills and empties it
 * @lock: protects all below
 * @users: who will take chunks
 * @unused_since: jiffies when the last user went
 * @count: chunks that lie ready; written under the lock, read without it for display
 * @chunks: @level of them, of which the first @count are there
 */
struct assay_stock {
	struct assay_region *region;
	unsigned long chunk_pages;
	unsigned int level;
	unsigned long idle;
	struct delayed_work work;
	struct mutex lock; /* see above */
	unsigned int users;
	unsigned long unused_since;
	unsigned int count;
	struct assay_window *chunks[];
};

/* Undo assay_stock_protect(), and release. */
static void assay_stock_release(struct assay_window *window)
{
	struct assay_alias_range range = {
		.start = (unsigned long)assay_window_address(window),
		.count = window->count,
	};

	if (assay_page_state(&window->desc[0]) == ASSAY_PAGE_STOCK &&
	    assay_alias_set(&range, 1, true))
		assay_window_abandon(window);
	else
		assay_window_release(window);
}

static int assay_stock_protect(struct assay_window *window)
{
	struct assay_alias_range range = {
		.start = (unsigned long)assay_window_address(window),
		.count = window->count,
	};
	const char *why;
	unsigned long i;
	int ret;

	/* What was there before belongs to others. */
	for (i = 0; i < window->count; i++) {
		clear_page((void *)(range.start + (i << PAGE_SHIFT)));
		cond_resched();
	}
	if (assay_alias_check(range.start, range.count, &why))
		return 0;
	/*
	 * Mappings that vfree() has removed lazily may still be in some CPU's TLB;
	 * the pages under them can have been ours for a while now.
	 */
	vm_unmap_aliases();
	ret = assay_alias_set(&range, 1, false);
	if (ret)
		return -EIO;
	for (i = 0; i < window->count; i++)
		assay_window_set_state(window, i, ASSAY_PAGE_STOCK);
	return assay_alias_verify(range.start, range.count, false);
}

/* Take over a claimed window, or the error of claiming it. */
static struct assay_window *assay_stock_prepare(struct assay_window *window)
{
	int ret;

	if (IS_ERR(window))
		return window;
	WRITE_ONCE(window->owner, ASSAY_OWNER_STOCK);
	ret = assay_stock_protect(window);
	if (ret) {
		assay_stock_release(window);
		return ERR_PTR(ret);
	}
	return window;
}

static bool assay_stock_is_short(struct assay_stock *stock)
{
	bool is_short;

	mutex_lock(&stock->lock);
	is_short = stock->users && stock->count < stock->level;
	mutex_unlock(&stock->lock);
	return is_short;
}

static void assay_stock_put(struct assay_stock *stock, struct assay_window *chunk)
{
	mutex_lock(&stock->lock);
	stock->chunks[stock->count] = chunk;
	WRITE_ONCE(stock->count, stock->count + 1);
	mutex_unlock(&stock->lock);
}

/* Claim a chunk; false where that failed, to be tried again later. */
static bool assay_stock_fill(struct assay_stock *stock)
{
	struct assay_window *chunk;

	chunk = assay_stock_prepare(
		assay_window_claim_ahead(stock->region, stock->chunk_pages, "stock"));
	if (IS_ERR(chunk)) {
		queue_delayed_work(assay_regions_queue, &stock->work, ASSAY_STOCK_RETRY);
		return false;
	}
	/* Only the worker puts chunks in, so there is still room. */
	assay_stock_put(stock, chunk);
	return true;
}

/* A chunk that nobody has wanted for long enough, or NULL; then the worker comes back in time. */
static struct assay_window *assay_stock_get_idle(struct assay_stock *stock)
{
	struct assay_window *chunk = NULL;
	unsigned long until;

	mutex_lock(&stock->lock);
	until = stock->unused_since + stock->idle;
	if (stock->users || !stock->count)
		goto unlock;
	if (time_is_after_jiffies(until)) {
		queue_delayed_work(assay_regions_queue, &stock->work, until - jiffies);
		goto unlock;
	}
	chunk = stock->chunks[stock->count - 1];
	WRITE_ONCE(stock->count, stock->count - 1);
unlock:
	mutex_unlock(&stock->lock);
	return chunk;
}

/* Claim a chunk or give one back. Returns false when there is nothing to do for now. */
static bool assay_stock_step(struct assay_stock *stock)
{
	struct assay_window *chunk;

	if (assay_stock_is_short(stock))
		return assay_stock_fill(stock);
	chunk = assay_stock_get_idle(stock);
	if (!chunk)
		return false;
	assay_stock_release(chunk);
	return true;
}

static void assay_stock_work(struct work_struct *work)
{
	struct assay_stock *stock = container_of(to_delayed_work(work), struct assay_stock, work);

	while (assay_stock_step(stock))
		;
}

/**
 * assay_stock_open() - begin with an empty stock
 * @region: region without one
 * @chunk_pages: pages a chunk, at least one
 * @level: chunks to keep, 0 for none
 * @idle_seconds: after which an unused stock is given back
 *
 * Return: 0 or -ENOMEM.
 */
int assay_stock_open(struct assay_region *region, unsigned long chunk_pages, unsigned int level,
		     unsigned int idle_seconds)
{
	struct assay_stock *stock;

	level = min_t(unsigned long, level, region->count / chunk_pages);
	stock = kvzalloc(struct_size(stock, chunks, level), GFP_KERNEL);
	if (!stock)
		return -ENOMEM;
	stock->region = region;
	stock->chunk_pages = chunk_pages;
	stock->level = level;
	stock->idle = idle_seconds * HZ;
	INIT_DELAYED_WORK(&stock->work, assay_stock_work);
	mutex_init(&stock->lock);
	region->stock = stock;
	return 0;
}

/**
 * assay_stock_close() - stop the worker, give all chunks back
 * @region: region; without a stock nothing happens
 */
void assay_stock_close(struct assay_region *region)
{
	struct assay_stock *stock = region->stock;

	if (!stock)
		return;
	WARN_ON(stock->users);
	cancel_delayed_work_sync(&stock->work);
	while (stock->count)
		assay_stock_release(stock->chunks[--stock->count]);
	region->stock = NULL;
	mutex_destroy(&stock->lock);
	kvfree(stock);
}

/**
 * assay_stock_use() - somebody will take chunks: keep the stock filled
 * assay_stock_unuse() - it will take no more
 * @region: region
 */
void assay_stock_use(struct assay_region *region)
{
	struct assay_stock *stock = region->stock;

	mutex_lock(&stock->lock);
	stock->users++;
	mod_delayed_work(assay_regions_queue, &stock->work, 0);
	mutex_unlock(&stock->lock);
}

void assay_stock_unuse(struct assay_region *region)
{
	struct assay_stock *stock = region->stock;

	mutex_lock(&stock->lock);
	if (!--stock->users) {
		stock->unused_since = jiffies;
		mod_delayed_work(assay_regions_queue, &stock->work, stock->idle);
	}
	mutex_unlock(&stock->lock);
}

/* A chunk that lies ready, or NULL. */
static struct assay_window *assay_stock_get(struct assay_stock *stock)
{
	struct assay_window *chunk = NULL;

	mutex_lock(&stock->lock);
	if (stock->count) {
		chunk = stock->chunks[stock->count - 1];
		WRITE_ONCE(stock->count, stock->count - 1);
		if (stock->users)
			mod_delayed_work(assay_regions_queue, &stock->work, 0);
	}
	mutex_unlock(&stock->lock);
	return chunk;
}

/**
 * assay_stock_take() - pages, cleared and read-only
 * @region: region
 * @count: number of pages
 * @name: of the owner, see assay_window_claim()
 *
 * A chunk of the stock where @count fits in one: then nothing waits, and the worker
 * claims another. Else, and where the stock is empty, claimed, cleared and
 * protected now. Pages stay writable where the linear map cannot protect them.
 *
 * Return: a window of at least @count pages, or an ERR_PTR() as
 * assay_window_claim() has it, -EIO where protecting went wrong.
 */
struct assay_window *assay_stock_take(struct assay_region *region, unsigned long count,
				      const char *name)
{
	struct assay_stock *stock = region->stock;
	struct assay_window *window = NULL;

	if (count <= stock->chunk_pages) {
		window = assay_stock_get(stock);
		if (window) {
			assay_window_rename(window, name);
			return window;
		}
		window = assay_window_claim_ahead(region, stock->chunk_pages, name);
	}
	/* Where there is no place for a whole chunk, there may be one for less. */
	if (!window || window == ERR_PTR(-ENOSPC))
		window = assay_window_claim(region, ASSAY_ANYWHERE, count, name);
	return assay_stock_prepare(window);
}

/**
 * assay_stock_chunks() - how many chunks lie ready, for display
 * @region: region
 */
unsigned int assay_stock_chunks(const struct assay_region *region)
{
	return READ_ONCE(region->stock->count);
}
