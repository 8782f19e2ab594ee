// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: pages of a region claimed together, at an exact address or anywhere,
 * page granular, as many as the region has room for, whatever pageblock they share.
 * Exported: a driver that needs a physically contiguous buffer at an address of its
 * own claims it here instead of having a CMA area of its own.
 *
 * A window that is reserved keeps its place for its owner and is filled part by part; the
 * rest of it stays the kernel's.
 *
 * A window's pages are ordinary writable memory when it is claimed. Who makes them
 * read-only (pmalloc, stock) makes them writable before the window is released.
 *
 * A claim is made in three steps, so that the region's lock is never held while the
 * kernel moves pages:
 *  1. under the lock, its pages are marked as taken: nobody else will claim them
 *  2. without the lock, but alone in the pageblocks that it touches, the pages are
 *     claimed; -EBUSY is tried again after a pause in which other claims may use the
 *     same pageblocks
 *  3. under the lock, the window enters the region's list
 * A release takes these steps backwards.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "alias.h"
#include "fault.h"
#include "region.h"
#include "trace.h"
#include "window.h"

#define ASSAY_CLAIM_TRIES 5
#define ASSAY_CLAIM_BACKOFF_MS 10 /* doubled with each try */

/* Claims of all regions, for the windows' order. */
static atomic_t assay_window_claims = ATOMIC_INIT(0);

/**
 * struct assay_claim - a claim under way
 * @region: region
 * @pfn: first page frame of the place that is tried
 * @count: number of pages
 * @begin: when it began
 * @us: how long it took
 * @tries: how often it was tried, at whatever place
 * @owner: who has pages that it asked for
 */
struct assay_claim {
	struct assay_region *region;
	unsigned long pfn;
	unsigned long count;
	ktime_t begin;
	u64 us;
	unsigned int tries;
	char owner[48];
};

/* ------------------------------------------------------------------ blocks */

static bool assay_window_try_blocks(struct assay_region *region, unsigned long first,
				    unsigned long count)
{
	bool free;

	mutex_lock(&region->lock);
	free = find_next_bit(region->busy, first + count, first) >= first + count;
	if (free)
		bitmap_set(region->busy, first, count);
	mutex_unlock(&region->lock);
	return free;
}

static void assay_window_blocks(const struct assay_region *region, unsigned long pfn,
				unsigned long count, unsigned long *ret_first,
				unsigned long *ret_count)
{
	unsigned long first = pfn / ASSAY_BLOCK_PAGES;

	*ret_first = first - region->pfn / ASSAY_BLOCK_PAGES;
	*ret_count = (pfn + count - 1) / ASSAY_BLOCK_PAGES - first + 1;
}

/*
 * Wait until nobody claims or releases in the blocks of these pages, and keep others
 * out. In TASK_KILLABLE it ends with -EINTR for a fatal signal.
 */
static int assay_window_lock_blocks(struct assay_region *region, unsigned long pfn,
				    unsigned long count, unsigned int mode)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	unsigned long first, blocks;
	int ret = 0;

	assay_window_blocks(region, pfn, count, &first, &blocks);
	add_wait_queue(&region->blocks_free, &wait);
	while (!assay_window_try_blocks(region, first, blocks)) {
		if (mode == TASK_KILLABLE && fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		wait_woken(&wait, mode, MAX_SCHEDULE_TIMEOUT);
	}
	remove_wait_queue(&region->blocks_free, &wait);
	return ret;
}

static void assay_window_unlock_blocks(struct assay_region *region, unsigned long pfn,
				       unsigned long count)
{
	unsigned long first, blocks;

	assay_window_blocks(region, pfn, count, &first, &blocks);
	mutex_lock(&region->lock);
	bitmap_clear(region->busy, first, blocks);
	mutex_unlock(&region->lock);
	wake_up_all(&region->blocks_free);
}

/* ------------------------------------------------------------------ claims */

static int assay_claim_try(struct assay_claim *claim)
{
	struct assay_region *region = claim->region;
	int ret;

	ret = assay_window_lock_blocks(region, claim->pfn, claim->count, TASK_KILLABLE);
	if (ret)
		return ret;
	claim->tries++;
	/* Memory can have been taken offline since the region was opened. */
	ret = region->ops->check(region, claim->pfn, claim->count);
	if (ret)
		goto unlock;
	if (assay_fault(ASSAY_FAULT_CLAIM))
		ret = -EBUSY;
	else if (assay_fault(ASSAY_FAULT_CLAIM_FINAL))
		ret = -ENOMEM;
	else
		ret = region->ops->claim(region, claim->pfn, claim->count);
unlock:
	assay_window_unlock_blocks(region, claim->pfn, claim->count);
	return ret;
}

static void assay_claim_unmark(struct assay_claim *claim)
{
	struct assay_region *region = claim->region;

	mutex_lock(&region->lock);
	bitmap_clear(region->taken, claim->pfn - region->pfn, claim->count);
	mutex_unlock(&region->lock);
}

/* Whose the pages are that an exact claim met. Under the region's lock. */
static const char *assay_claim_owner(const struct assay_claim *claim)
{
	const struct assay_window *window;

	list_for_each_entry(window, &claim->region->windows, node) {
		if (window->pfn < claim->pfn + claim->count &&
		    claim->pfn < window->pfn + window->count)
			return window->name;
	}
	return "a claim under way, or they are lost";
}

static int assay_claim_mark(struct assay_claim *claim)
{
	struct assay_region *region = claim->region;
	unsigned long first = claim->pfn - region->pfn, end = first + claim->count;
	int ret = 0;

	mutex_lock(&region->lock);
	if (find_next_bit(region->taken, end, first) < end) {
		strscpy(claim->owner, assay_claim_owner(claim), sizeof(claim->owner));
		ret = -EEXIST;
	} else {
		bitmap_set(region->taken, first, claim->count);
	}
	mutex_unlock(&region->lock);
	return ret;
}

/* Mark the first free place from page @from of the region on; false if there is none. */
static bool assay_claim_mark_next(struct assay_claim *claim, unsigned long from)
{
	struct assay_region *region = claim->region;
	unsigned long place;

	mutex_lock(&region->lock);
	place = bitmap_find_next_zero_area(region->taken, region->count, from, claim->count, 0);
	if (place < region->count)
		bitmap_set(region->taken, place, claim->count);
	mutex_unlock(&region->lock);
	claim->pfn = region->pfn + place;
	return place < region->count;
}

static int assay_claim_pause(unsigned int round)
{
	unsigned long ms = ASSAY_CLAIM_BACKOFF_MS << round;

	schedule_timeout_killable(msecs_to_jiffies(ms));
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Try every free place once. */
static int assay_claim_places(struct assay_claim *claim)
{
	unsigned long from = 0;
	int ret = -ENOSPC;

	while (assay_claim_mark_next(claim, from)) {
		ret = assay_claim_try(claim);
		if (!ret)
			return 0;
		assay_claim_unmark(claim);
		if (ret != -EBUSY)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		from = claim->pfn - claim->region->pfn + claim->count;
	}
	return ret;
}

/* Try again what may succeed later: a pin or writeback is soon over. */
static int assay_claim_rounds(struct assay_claim *claim, int (*try)(struct assay_claim *claim))
{
	unsigned int round;
	int ret;

	for (round = 0; round < ASSAY_CLAIM_TRIES; round++) {
		ret = round ? assay_claim_pause(round - 1) : 0;
		if (!ret)
			ret = try(claim);
		if (ret != -EBUSY)
			break;
	}
	return ret;
}

/* The pages at @claim->pfn. */
static int assay_claim_exact(struct assay_claim *claim)
{
	int ret = assay_claim_mark(claim);

	if (ret)
		return ret;
	ret = assay_claim_rounds(claim, assay_claim_try);
	if (ret)
		assay_claim_unmark(claim);
	return ret;
}

/* Any pages; @claim->pfn is set to the first. */
static int assay_claim_anywhere(struct assay_claim *claim)
{
	return assay_claim_rounds(claim, assay_claim_places);
}

static void assay_claim_count(struct assay_claim *claim, int ret)
{
	struct assay_region_stats *stats = &claim->region->stats;

	mutex_lock(&claim->region->lock);
	claim->us = ktime_us_delta(ktime_get(), claim->begin);
	stats->retries += claim->tries ? claim->tries - 1 : 0;
	stats->last_claim_us = claim->us;
	if (ret) {
		stats->failures++;
	} else {
		stats->claims++;
		stats->max_claim_us = max(stats->max_claim_us, claim->us);
		stats->claim_us[min(fls64(claim->us), ASSAY_LATENCY_SLOTS - 1)]++;
	}
	mutex_unlock(&claim->region->lock);
	trace_assay_claim(claim->region->id, claim->pfn, claim->count, claim->tries, claim->us,
			  ret);
}

static void assay_claim_failed(const struct assay_claim *claim, bool anywhere, int ret)
{
	const struct assay_region *region = claim->region;
	unsigned long bytes = claim->count << PAGE_SHIFT;
	char place[32] = "anywhere";

	if (!anywhere)
		snprintf(place, sizeof(place), "at %#llx", PFN_PHYS(claim->pfn));
	switch (ret) {
	case -EEXIST:
		dev_err_ratelimited(
			region->dev,
			"cannot claim %lu bytes %s of region %u: pages of it have been claimed (%s); choose another place\n",
			bytes, place, region->id, claim->owner);
		break;
	case -ENOSPC:
		dev_err_ratelimited(
			region->dev,
			"cannot claim %lu bytes %s in region %u: no place is large enough; make the region larger or release windows\n",
			bytes, place, region->id);
		break;
	case -EBUSY:
		dev_err_ratelimited(
			region->dev,
			"cannot claim %lu bytes %s of region %u: busy (%u tries in %llu ms): something there is pinned, by a device or by a file system's journal, or there is no memory to move it to; run sync and drop caches, claim earlier, or choose another place\n",
			bytes, place, region->id, claim->tries, claim->us / 1000);
		break;
	case -ENOMEM:
		dev_err_ratelimited(
			region->dev,
			"cannot claim %lu bytes %s of region %u: no memory to move what is there to; free some, or claim earlier\n",
			bytes, place, region->id);
		break;
	case -EINTR: /* nobody waits for it any more */
		break;
	default:
		dev_err_ratelimited(region->dev,
				    "cannot claim %lu bytes %s of region %u: error %d\n", bytes,
				    place, region->id, ret);
	}
}

/* ------------------------------------------------------------------ windows */

static void assay_window_free(struct assay_window *window)
{
	kvfree(window->desc);
	kfree(window);
}

static struct assay_window *assay_window_alloc(struct assay_region *region, unsigned long count,
					       const char *name)
{
	struct assay_window *window = kzalloc(sizeof(*window), GFP_KERNEL);

	if (!window)
		return NULL;
	INIT_LIST_HEAD(&window->node);
	window->region = region;
	window->count = count;
	window->order = atomic_inc_return(&assay_window_claims);
	window->owner = ASSAY_OWNER_WINDOW;
	strscpy(window->name, name, sizeof(window->name));
	window->desc = kvcalloc(count, sizeof(*window->desc), GFP_KERNEL);
	if (!window->desc) {
		assay_window_free(window);
		return NULL;
	}
	return window;
}

/**
 * assay_window_set_state() - change a page's state
 * @window: window
 * @page: index of the page
 * @state: new state
 *
 * By whoever serialises use of the window. Keeps the region's count of sealed pages.
 */
void assay_window_set_state(struct assay_window *window, unsigned long page,
			    enum assay_page_state state)
{
	struct assay_page_desc *desc = &window->desc[page];
	int sealed = (state == ASSAY_PAGE_SEALED) - (assay_page_state(desc) == ASSAY_PAGE_SEALED);

	if (sealed)
		atomic_long_add(sealed, &window->region->sealed);
	WRITE_ONCE(desc->bits,
		   (desc->bits & ~ASSAY_PAGE_STATE) | FIELD_PREP(ASSAY_PAGE_STATE, state));
}

static void assay_window_detach(struct assay_window *window, unsigned long first,
				unsigned long count)
{
	unsigned long i;

	for (i = first; i < first + count; i++)
		assay_window_set_state(window, i, ASSAY_PAGE_LENT);
}

static void assay_window_attach(struct assay_window *window, unsigned long first,
				unsigned long count)
{
	u32 since = ktime_get_boottime_seconds();
	unsigned long i;

	for (i = first; i < first + count; i++) {
		window->desc[i].since = since;
		assay_page_set_type(&window->desc[i], ASSAY_PAGE_FREE);
		assay_page_set_used(&window->desc[i], 0);
		assay_window_set_state(window, i, ASSAY_PAGE_CLAIMED);
	}
}

/* Give pages back that are described by nothing any more. */
static void assay_window_return(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	assay_window_lock_blocks(region, pfn, count, TASK_UNINTERRUPTIBLE);
	region->ops->release(region, pfn, count);
	assay_window_unlock_blocks(region, pfn, count);
}

static void assay_window_account(struct assay_region *region, long pages)
{
	mutex_lock(&region->lock);
	region->stats.claimed += pages * (long)PAGE_SIZE;
	mutex_unlock(&region->lock);
}

static void assay_window_list(struct assay_window *window)
{
	struct assay_region *region = window->region;
	struct assay_window *next;

	mutex_lock(&region->lock);
	list_for_each_entry(next, &region->windows, node) {
		if (next->pfn > window->pfn)
			break;
	}
	list_add_tail(&window->node, &next->node);
	region->stats.windows++;
	mutex_unlock(&region->lock);
}

static int assay_window_check_place(const struct assay_region *region, unsigned long pfn,
				    unsigned long count)
{
	if (count && pfn >= region->pfn && pfn - region->pfn <= region->count &&
	    count <= region->count - (pfn - region->pfn))
		return 0;
	dev_err_ratelimited(region->dev,
			    "%lu pages at frame %#lx are outside region %u, frames %#lx to %#lx\n",
			    count, pfn, region->id, region->pfn, region->pfn + region->count - 1);
	return -EINVAL;
}

/* A window of the pages that @get claims. */
static struct assay_window *assay_window_new(struct assay_claim *claim, const char *name,
					     int (*get)(struct assay_claim *claim))
{
	struct assay_region *region = claim->region;
	struct assay_window *window = assay_window_alloc(region, claim->count, name);
	int ret;

	if (!window)
		return ERR_PTR(-ENOMEM);
	claim->begin = ktime_get();
	ret = get(claim);
	assay_claim_count(claim, ret);
	if (ret) {
		assay_window_free(window);
		return ERR_PTR(ret);
	}
	window->pfn = claim->pfn;
	assay_window_attach(window, 0, window->count);
	assay_window_account(region, window->count);
	assay_window_list(window);
	return window;
}

static struct assay_window *assay_window_new_anywhere(struct assay_claim *claim, const char *name)
{
	if (claim->count > claim->region->count)
		return ERR_PTR(-ENOSPC);
	return assay_window_new(claim, name, assay_claim_anywhere);
}

/**
 * assay_window_claim() - take pages out of the kernel's use
 * @region: from assay_region_get()
 * @pfn: first page frame, anywhere in the region, or ASSAY_ANYWHERE
 * @count: number of pages, at least one
 * @name: of the owner, for people
 *
 * What the kernel keeps there is moved away, which takes milliseconds to seconds;
 * -EBUSY is tried again with growing pauses, during which a fatal signal is heeded.
 * With ASSAY_ANYWHERE all places are tried before the first pause. The pages'
 * content is undefined. Sleeps; claims in one pageblock wait for each other, others
 * do not.
 *
 * Return: the window, to be released by assay_window_release(), or an ERR_PTR()
 * after a dev_err() (of which many in a short time are left out): -EINVAL (not in the
 * region, not ordinary memory), -EEXIST (a window has some of the pages), -ENOSPC
 * (ASSAY_ANYWHERE: no place is large enough), -EBUSY (pinned, or no memory to move
 * the content to), -ENOMEM, -EINTR (killed; without a word).
 */
struct assay_window *assay_window_claim(struct assay_region *region, unsigned long pfn,
					unsigned long count, const char *name)
{
	struct assay_claim claim = { .region = region, .pfn = pfn, .count = count };
	bool anywhere = pfn == ASSAY_ANYWHERE;
	struct assay_window *window;
	int ret;

	if (!anywhere || !count) {
		ret = assay_window_check_place(region, anywhere ? region->pfn : pfn, count);
		if (ret)
			return ERR_PTR(ret);
	}
	if (anywhere)
		window = assay_window_new_anywhere(&claim, name);
	else
		window = assay_window_new(&claim, name, assay_claim_exact);
	if (IS_ERR(window))
		assay_claim_failed(&claim, anywhere, PTR_ERR(window));
	return window;
}
EXPORT_SYMBOL_GPL(assay_window_claim);

/**
 * assay_window_claim_ahead() - claim anywhere, without a message where it fails
 * @region: region
 * @count: number of pages, at least one
 * @name: of the owner, for people
 *
 * For stock, which tries again later by itself.
 *
 * Return: as assay_window_claim() with ASSAY_ANYWHERE.
 */
struct assay_window *assay_window_claim_ahead(struct assay_region *region, unsigned long count,
					      const char *name)
{
	struct assay_claim claim = { .region = region, .count = count };

	return assay_window_new_anywhere(&claim, name);
}

/**
 * assay_window_reserve() - keep a place for a window, with nothing claimed
 * @region: region
 * @pfn: first page frame
 * @count: number of pages, at least one
 * @name: of the owner, for people
 *
 * Nobody else can claim these pages from now on; the kernel goes on using them.
 *
 * Return: the window, to be released by assay_window_release(), or an ERR_PTR() after
 * a dev_err(): -EINVAL (not in the region), -EEXIST (a window has some of the pages),
 * -ENOMEM.
 */
struct assay_window *assay_window_reserve(struct assay_region *region, unsigned long pfn,
					  unsigned long count, const char *name)
{
	struct assay_claim claim = { .region = region, .pfn = pfn, .count = count };
	struct assay_window *window;
	int ret;

	ret = assay_window_check_place(region, pfn, count);
	if (ret)
		return ERR_PTR(ret);
	window = assay_window_alloc(region, count, name);
	if (!window)
		return ERR_PTR(-ENOMEM);
	ret = assay_claim_mark(&claim);
	if (ret) {
		assay_claim_failed(&claim, false, ret);
		assay_window_free(window);
		return ERR_PTR(ret);
	}
	window->pfn = pfn;
	window->reserved = true;
	assay_window_list(window);
	return window;
}

/**
 * assay_window_fill() - claim pages of a reserved window
 * @window: reserved
 * @first: index of the first page
 * @count: number of pages; all LENT
 *
 * Calls for other pages of the window may run at the same time.
 *
 * Return: 0, or what assay_window_claim() returns, likewise after a dev_err().
 */
int assay_window_fill(struct assay_window *window, unsigned long first, unsigned long count)
{
	struct assay_claim claim = {
		.region = window->region,
		.pfn = window->pfn + first,
		.count = count,
		.begin = ktime_get(),
	};
	int ret;

	/* The pages are marked since the window was reserved. */
	ret = assay_claim_rounds(&claim, assay_claim_try);
	assay_claim_count(&claim, ret);
	if (ret) {
		assay_claim_failed(&claim, false, ret);
		return ret;
	}
	assay_window_attach(window, first, count);
	assay_window_account(claim.region, count);
	return 0;
}

/**
 * assay_window_rename() - a window has a new owner
 * @window: claimed
 * @name: of the owner, for people
 */
void assay_window_rename(struct assay_window *window, const char *name)
{
	mutex_lock(&window->region->lock);
	strscpy(window->name, name, sizeof(window->name));
	mutex_unlock(&window->region->lock);
}

static bool assay_window_writable(const struct assay_window *window, unsigned long first,
				  unsigned long count)
{
	unsigned long start = (unsigned long)assay_window_address(window);

	return !assay_alias_was_changed(start + (first << PAGE_SHIFT), count);
}

static void assay_window_say_lost(const struct assay_window *window, unsigned long first,
				  unsigned long count)
{
	dev_err(window->region->dev,
		"%lu pages at frame %#lx (%s) stay read-only and are lost until the next boot\n",
		count, window->pfn + first, window->name);
}

/**
 * assay_window_empty() - give pages of a reserved window back
 * @window: reserved
 * @first: index of the first page
 * @count: number of pages; all claimed, and as assay_window_release() wants them
 *
 * Return: true; or false after a dev_err() where they are not writable: then they are
 * kept.
 */
bool assay_window_empty(struct assay_window *window, unsigned long first, unsigned long count)
{
	struct assay_region *region = window->region;
	ktime_t begin = ktime_get();

	if (!assay_window_writable(window, first, count)) {
		assay_window_say_lost(window, first, count);
		return false;
	}
	assay_window_detach(window, first, count);
	assay_window_return(region, window->pfn + first, count);
	assay_window_account(region, -(long)count);
	trace_assay_release(region->id, window->pfn + first, count,
			    ktime_us_delta(ktime_get(), begin));
	return true;
}

/* Let others claim the pages, but for those that are kept for ever, and forget the window. */
static void assay_window_forget(struct assay_window *window)
{
	struct assay_region *region = window->region;
	unsigned long i;

	mutex_lock(&region->lock);
	list_del(&window->node);
	region->stats.windows--;
	for (i = 0; i < window->count; i++) {
		if (assay_page_state(&window->desc[i]) == ASSAY_PAGE_LENT)
			clear_bit(window->pfn - region->pfn + i, region->taken);
		else
			assay_window_detach(window, i, 1);
	}
	mutex_unlock(&region->lock);
	assay_window_free(window);
}

/**
 * assay_window_abandon() - keep the pages for ever, and forget the window
 * @window: claimed
 *
 * For pages that cannot be made writable again: a new owner would fault on them.
 * They count as claimed until the module is removed.
 */
void assay_window_abandon(struct assay_window *window)
{
	assay_window_say_lost(window, 0, window->count);
	assay_window_forget(window);
}

/**
 * assay_window_release() - give them back to the kernel
 * @window: claimed, or NULL
 *
 * Of a reserved window, that is those that were not given back before. The pages must be
 * writable in the linear map, and no user mapping of them nor
 * reference to them may be left. Pages that turn out not to be writable are not
 * given back: see assay_window_abandon().
 */
void assay_window_release(struct assay_window *window)
{
	unsigned long first, end;

	if (!window)
		return;
	for (first = 0; first < window->count; first = end + 1) {
		for (end = first; end < window->count; end++) {
			if (assay_page_state(&window->desc[end]) == ASSAY_PAGE_LENT)
				break;
		}
		if (end > first)
			assay_window_empty(window, first, end - first);
	}
	assay_window_forget(window);
}
EXPORT_SYMBOL_GPL(assay_window_release);
