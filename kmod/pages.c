// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a window that are kept from being written but while they are open: what they are
 * to their owner, and the states that their descriptors show. How they are kept is the
 * region's: protect.h. Called by log_window and pmalloc.
 */
#include <linux/align.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "pages.h"
#include "protect.h"
#include "region.h"
#include "window.h"

/**
 * assay_area_map() - begin with a window
 * @area: to initialise; to be released by assay_area_unmap()
 * @window: of which no page is protected yet
 *
 * Return: 0, -ENOMEM, or another negative errno after a dev_err().
 */
int assay_area_map(struct assay_area *area, struct assay_window *window)
{
	*area = (struct assay_area){
		.window = window,
		.ops = window->region->ops->unmapped ? &assay_protect_private :
						       &assay_protect_linear,
	};
	return area->ops->map(area);
}

/**
 * assay_area_unmap() - no page of it is read through it any more
 * @area: area
 */
void assay_area_unmap(struct assay_area *area)
{
	if (area->ops->unmap)
		area->ops->unmap(area);
}

/* Of a window that is filled part by part, others have the rest. */
static bool assay_pages_are_claimed(const struct assay_pages *pages)
{
	const struct assay_page_desc *desc = pages->area->window->desc + pages->first;
	unsigned long page;

	for (page = 0; page < pages->count; page++) {
		enum assay_page_state state = assay_page_state(&desc[page]);

		if (state == ASSAY_PAGE_LENT || state == ASSAY_PAGE_CLAIMED)
			return false;
	}
	return true;
}

/**
 * assay_pages_find() - the pages that hold some bytes
 * @area: area
 * @offset: of the first byte
 * @size: bytes
 * @ret: set on success
 *
 * Return: false where @size is 0, they are not inside the area, or not all taken.
 */
bool assay_pages_find(struct assay_area *area, unsigned long offset, unsigned long size,
		      struct assay_pages *ret)
{
	unsigned long end;

	if (!size || check_add_overflow(offset, size, &end) ||
	    end > area->window->count << PAGE_SHIFT)
		return false;
	ret->area = area;
	ret->first = offset >> PAGE_SHIFT;
	ret->count = DIV_ROUND_UP(end, PAGE_SIZE) - ret->first;
	return assay_pages_are_claimed(ret);
}

/**
 * assay_pages_check() - can pages, just claimed, be protected
 * @pages: pages
 * @ret_why: set where they cannot, for people
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int assay_pages_check(const struct assay_pages *pages, const char **ret_why)
{
	return pages->area->ops->check(pages, ret_why);
}

/**
 * assay_pages_take() - keep pages, just claimed, from being written
 * @pages: pages that assay_pages_check() accepts
 * @clear: what was in them belongs to others
 *
 * Return: 0, verified; or a negative errno, and they are as they were.
 */
int assay_pages_take(const struct assay_pages *pages, bool clear)
{
	return pages->area->ops->take(pages, clear);
}

/**
 * assay_pages_release() - give pages back that are not protected
 * @pages: pages of a reserved window
 *
 * Return: as assay_window_empty().
 */
bool assay_pages_release(const struct assay_pages *pages)
{
	return assay_window_empty(pages->area->window, pages->first, pages->count);
}

/**
 * assay_pages_give_back() - give pages back that are
 * @pages: pages of a reserved window; closed
 *
 * One page that cannot be changed does not keep the others.
 *
 * Return: true; or false after a dev_err() if some have to be kept.
 */
bool assay_pages_give_back(const struct assay_pages *pages)
{
	struct assay_pages one = { .area = pages->area, .first = pages->first, .count = 1 };
	bool all = true;

	if (!pages->area->ops->give(pages))
		return assay_pages_release(pages);
	for (; one.first < pages->first + pages->count; one.first++) {
		/* Where this fails, releasing it finds that out and says so. */
		pages->area->ops->give(&one);
		all &= assay_pages_release(&one);
	}
	return all;
}

static enum assay_page_state assay_page_closed_state(const struct assay_page_desc *desc)
{
	if (assay_page_type(desc) != ASSAY_PAGE_RING)
		return ASSAY_PAGE_PART;
	if (!assay_page_used(desc))
		return ASSAY_PAGE_EMPTY;
	return assay_page_used(desc) < PAGE_SIZE ? ASSAY_PAGE_PART : ASSAY_PAGE_SEALED;
}

/**
 * assay_pages_note_used() - bring states up to what descriptors say is used
 * @pages: pages that are closed
 */
void assay_pages_note_used(const struct assay_pages *pages)
{
	struct assay_window *window = pages->area->window;
	unsigned long page;

	for (page = pages->first; page < pages->first + pages->count; page++)
		assay_window_set_state(window, page, assay_page_closed_state(&window->desc[page]));
}

static void assay_pages_note_open(const struct assay_pages *pages)
{
	unsigned long page;

	for (page = pages->first; page < pages->first + pages->count; page++)
		assay_window_set_state(pages->area->window, page, ASSAY_PAGE_OPEN);
}

static bool assay_pages_any_sealed(const struct assay_pages *pages)
{
	const struct assay_page_desc *desc = pages->area->window->desc + pages->first;
	unsigned long page;

	for (page = 0; page < pages->count; page++) {
		if (assay_page_state(&desc[page]) == ASSAY_PAGE_SEALED)
			return true;
	}
	return false;
}

/* All pages of an open are of one area. */
static const struct assay_area *assay_open_area(const struct assay_open *open)
{
	return open->pages[0].area;
}

/**
 * assay_open_begin() - let the owner write to pages
 * @open: with its pages, all of one area, set; the addresses are set here. Two of them may
 *        have a page in common
 *
 * Where the area cannot be protected they are where they are always written.
 *
 * Return: 0; -EPERM (one is sealed), -ENOMEM, -EOPNOTSUPP (the linear map is not what it
 * was), each with nothing opened.
 */
int assay_open_begin(struct assay_open *open)
{
	const struct assay_area *area = assay_open_area(open);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < open->count; i++) {
		if (assay_pages_any_sealed(&open->pages[i]))
			return -EPERM;
		open->address[i] = assay_pages_address(&open->pages[i]);
	}
	if (!area->unprotectable)
		ret = area->ops->open(open);
	if (ret)
		return ret;
	for (i = 0; i < open->count; i++)
		assay_pages_note_open(&open->pages[i]);
	return 0;
}

/**
 * assay_open_end() - let nobody write to them
 * @open: from assay_open_begin()
 *
 * A RING page becomes EMPTY, PART or SEALED by its descriptor's @used; other pages become
 * PART.
 *
 * Return: 0, verified; or a negative errno, and it is not known what holds.
 */
int assay_open_end(struct assay_open *open)
{
	const struct assay_area *area = assay_open_area(open);
	unsigned int i;
	int ret = 0;

	if (!area->unprotectable)
		ret = area->ops->close(open);
	for (i = 0; i < open->count && !ret; i++)
		assay_pages_note_used(&open->pages[i]);
	return ret;
}
