// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a log: one window, whose pages are taken from the kernel and given back part
 * by part, and can be read at fixed addresses. All that are taken are protected, or none: the
 * first decide, where the module's parameter allow_unprotected leaves a choice.
 *
 * Called by ring, and by adopt for the log of the boot before.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include "log_window.h"
#include "protect.h"
#include "region.h"
#include "window.h"

static bool assay_log_unprotected_allowed;

/**
 * assay_log_window_allow_unprotected() - once, before any
 * @allow: use writable memory where it cannot be protected
 */
void assay_log_window_allow_unprotected(bool allow)
{
	assay_log_unprotected_allowed = allow;
}

static struct device *assay_log_window_dev(const struct assay_log_window *log)
{
	return log->area.window->region->dev;
}

static int assay_log_window_open(struct assay_log_window *log, struct assay_window *window)
{
	int ret;

	*log = (struct assay_log_window){};
	ret = assay_area_map(&log->area, window);
	if (ret) {
		assay_window_release(window);
		return ret;
	}
	mutex_init(&log->lock);
	return 0;
}

/**
 * assay_log_window_reserve() - a window at an exact address, with nothing taken
 * @log: to initialise; to be released by assay_log_window_destroy()
 * @region: where from
 * @pfn: first page frame
 * @count: number of pages
 * @name: for people
 *
 * Return: 0, -ENOMEM, or another negative errno after a dev_err(): what
 * assay_window_reserve() returns, -EOPNOTSUPP (a region that is not in the linear map
 * cannot be protected either).
 */
int assay_log_window_reserve(struct assay_log_window *log, struct assay_region *region,
			     unsigned long pfn, unsigned long count, const char *name)
{
	struct assay_window *window = assay_window_reserve(region, pfn, count, name);

	return IS_ERR(window) ? PTR_ERR(window) : assay_log_window_open(log, window);
}

/* Whether pages, just claimed, can be protected as those are that were taken before. */
static int assay_log_window_check(struct assay_log_window *log, const struct assay_pages *pages)
{
	struct device *dev = assay_log_window_dev(log);
	const char *name = log->area.window->name;
	const char *why;

	if (log->area.unprotectable || !assay_pages_check(pages, &why))
		return 0;
	if (!assay_log_unprotected_allowed || log->filled) {
		dev_err(dev, "cannot protect the %s: %s\n", name, why);
		return -EOPNOTSUPP;
	}
	dev_warn(dev, "the %s is NOT protected: %s\n", name, why);
	log->area.unprotectable = why;
	return 0;
}

static void assay_log_window_clear(const struct assay_pages *pages)
{
	unsigned long page;

	for (page = 0; page < pages->count; page++) {
		clear_page((void *)(assay_pages_address(pages) + (page << PAGE_SHIFT)));
		cond_resched();
	}
}

static int assay_log_window_protect(struct assay_log_window *log, const struct assay_pages *pages,
				    bool clear)
{
	int ret;

	ret = assay_log_window_check(log, pages);
	if (ret)
		return ret;
	if (log->area.unprotectable) {
		if (clear)
			assay_log_window_clear(pages);
		return 0;
	}
	ret = assay_pages_take(pages, clear);
	if (ret && ret != -ENOMEM) {
		pr_err("cannot protect the %s: the change did not hold\n", log->area.window->name);
		return -EIO;
	}
	return ret;
}

static void assay_log_window_note_taken(struct assay_log_window *log,
					const struct assay_pages *pages, enum assay_page_type type)
{
	struct assay_window *window = log->area.window;
	unsigned long page;

	mutex_lock(&log->lock);
	for (page = pages->first; page < pages->first + pages->count; page++) {
		assay_page_set_type(&window->desc[page], type);
		assay_window_set_state(window, page, ASSAY_PAGE_EMPTY);
	}
	log->filled = true;
	mutex_unlock(&log->lock);
}

static int assay_log_window_take(struct assay_log_window *log, const struct assay_pages *pages,
				 enum assay_page_type type, bool clear)
{
	int ret;

	ret = assay_window_fill(log->area.window, pages->first, pages->count);
	if (ret)
		return ret;
	ret = assay_log_window_protect(log, pages, clear);
	if (ret) {
		assay_pages_release(pages);
		return ret;
	}
	assay_log_window_note_taken(log, pages, type);
	return 0;
}

/**
 * assay_log_window_claim() - a window anywhere, all of which is taken and cleared
 * @log: to initialise; to be released by assay_log_window_destroy()
 * @region: where from
 * @count: number of pages
 * @name: for people
 *
 * Return: 0, -ENOMEM, or another negative errno after a dev_err(): what
 * assay_window_claim() returns, -EOPNOTSUPP, -EIO.
 */
int assay_log_window_claim(struct assay_log_window *log, struct assay_region *region,
			   unsigned long count, const char *name)
{
	struct assay_window *window = assay_window_claim(region, ASSAY_ANYWHERE, count, name);
	const struct assay_pages all = { &log->area, 0, count };
	int ret;

	if (IS_ERR(window))
		return PTR_ERR(window);
	ret = assay_log_window_open(log, window);
	if (ret)
		return ret;
	ret = assay_log_window_protect(log, &all, true);
	if (ret) {
		assay_area_unmap(&log->area);
		assay_window_release(window);
		return ret;
	}
	assay_log_window_note_taken(log, &all, ASSAY_PAGE_OBJECTS);
	return 0;
}

/**
 * assay_log_window_fill() - take pages; they are cleared, and read-only where they can be
 * @log: reserved
 * @first: index of the first page
 * @count: number of pages, none of them taken yet
 * @type: noted for each; their @used is the caller's, see assay_log_window_begin()
 *
 * Takes the lock for a moment alone: other pages may be written to meanwhile.
 *
 * Return: 0, -ENOMEM; after a dev_err() what assay_window_fill() returns, -EOPNOTSUPP, -EIO
 * (the protection did not hold).
 */
int assay_log_window_fill(struct assay_log_window *log, unsigned long first, unsigned long count,
			  enum assay_page_type type)
{
	const struct assay_pages pages = { &log->area, first, count };

	return assay_log_window_take(log, &pages, type, true);
}

/**
 * assay_log_window_keep() - likewise, with what is in them already
 * @log: reserved
 * @first: index of the first page
 * @count: number of pages, none of them taken yet
 * @type: noted for each
 *
 * Return: as assay_log_window_fill().
 */
int assay_log_window_keep(struct assay_log_window *log, unsigned long first, unsigned long count,
			  enum assay_page_type type)
{
	const struct assay_pages pages = { &log->area, first, count };

	return assay_log_window_take(log, &pages, type, false);
}

/**
 * assay_log_window_empty() - give pages of it back to the kernel
 * @log: reserved
 * @first: index of the first page
 * @count: number of pages, all taken; nobody writes to them or maps them any more
 *
 * Return: true; or false after a dev_err() if some cannot be made writable, and are kept.
 */
bool assay_log_window_empty(struct assay_log_window *log, unsigned long first, unsigned long count)
{
	const struct assay_pages pages = { &log->area, first, count };

	return log->area.unprotectable ? assay_pages_release(&pages) :
					 assay_pages_give_back(&pages);
}

/**
 * assay_log_window_note_used() - bring states up to what descriptors say is used
 * @log: window
 * @first: index of the first page
 * @count: number of pages, all taken
 */
void assay_log_window_note_used(struct assay_log_window *log, unsigned long first,
				unsigned long count)
{
	const struct assay_pages pages = { &log->area, first, count };

	mutex_lock(&log->lock);
	assay_pages_note_used(&pages);
	mutex_unlock(&log->lock);
}

static int assay_log_window_begin_locked(struct assay_log_window *log,
					 const struct assay_log_range *ranges,
					 unsigned int range_count, struct assay_open *open)
{
	unsigned int i;
	int ret;

	if (log->broken)
		return log->broken;
	if (!range_count || range_count > ASSAY_OPEN_MAX)
		return -EINVAL;
	for (i = 0; i < range_count; i++) {
		if (!assay_pages_find(&log->area, ranges[i].offset, ranges[i].size,
				      &open->pages[i]))
			return -EINVAL;
	}
	open->count = range_count;
	ret = assay_open_begin(open);
	for (i = 0; i < range_count && !ret; i++)
		open->address[i] += offset_in_page(ranges[i].offset);
	return ret;
}

/**
 * assay_log_window_begin() - write to some bytes
 * @log: window; its lock is held until assay_log_window_end()
 * @ranges: what will be written; must not overlap
 * @range_count: 1 to ASSAY_OPEN_MAX
 * @open: set: its addresses are where the first byte of each range is written
 *
 * Other bytes of the same pages can be written as well until assay_log_window_end(). A caller
 * that keeps the descriptors' @used does so before that.
 *
 * Return: 0; -EINVAL (not inside, or not taken), -EPERM (a page is sealed), -EIO (it is
 * broken), -ENOMEM, -EOPNOTSUPP (the linear map is not what it was), each with nothing
 * opened or locked.
 */
int assay_log_window_begin(struct assay_log_window *log, const struct assay_log_range *ranges,
			   unsigned int range_count, struct assay_open *open)
{
	int ret;

	mutex_lock(&log->lock);
	ret = assay_log_window_begin_locked(log, ranges, range_count, open);
	if (ret)
		mutex_unlock(&log->lock);
	return ret;
}

/**
 * assay_log_window_end() - nobody can write to them any more
 * @log: window
 * @open: from assay_log_window_begin()
 *
 * Each RING page becomes EMPTY, PART or SEALED by its descriptor's @used; other pages become
 * PART.
 *
 * Return: 0, or -EIO after a message if a page could not be protected; nothing can be
 * opened from then on.
 */
int assay_log_window_end(struct assay_log_window *log, struct assay_open *open)
{
	int ret;

	lockdep_assert_held(&log->lock);
	ret = assay_open_end(open);
	if (ret) {
		log->broken = -EIO;
		pr_err("%s: pages could not be made read-only again (error %d); nothing more is written to it, load the module again\n",
		       log->area.window->name, ret);
		ret = -EIO;
	}
	mutex_unlock(&log->lock);
	return ret;
}

/**
 * assay_log_window_protection() - how its pages are protected
 * @log: window of which some have been taken
 */
enum assay_protection assay_log_window_protection(const struct assay_log_window *log)
{
	return log->area.unprotectable ? ASSAY_PROTECTION_NONE : log->area.ops->kind;
}

/**
 * assay_log_window_protection_name() - likewise, for people
 * @log: window of which some have been taken
 */
const char *assay_log_window_protection_name(const struct assay_log_window *log)
{
	return log->area.unprotectable ? "none" : log->area.ops->name;
}

/**
 * assay_log_window_destroy() - give all of it back
 * @log: window that nobody maps or reads any more
 */
void assay_log_window_destroy(struct assay_log_window *log)
{
	struct assay_window *window = log->area.window;
	unsigned long first, end;

	for (first = 0; first < window->count; first = end + 1) {
		for (end = first; end < window->count; end++) {
			if (assay_page_state(&window->desc[end]) == ASSAY_PAGE_LENT)
				break;
		}
		if (end > first)
			assay_log_window_empty(log, first, end - first);
	}
	assay_area_unmap(&log->area);
	assay_window_release(window);
	mutex_destroy(&log->lock);
}
