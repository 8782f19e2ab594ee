/* SPDX-License-Identifier: GPL-2.0-only */
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
 */
#ifndef _ASSAY_WINDOW_H
#define _ASSAY_WINDOW_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "page_desc.h"

struct assay_region;

/* For assay_window_claim(): the first place that is free and can be claimed. */
#define ASSAY_ANYWHERE ULONG_MAX

/**
 * struct assay_window - claimed pages
 * @node: in the region's list
 * @region: where they are from
 * @pfn: first page frame
 * @count: number of pages
 * @order: of its claim or reservation, see struct assay_page_desc
 * @reserved: its place is kept while its pages come and go
 * @name: of the owner, for people; a copy, changed under the region's lock
 * @desc: a descriptor for each page
 */
struct assay_window {
	struct list_head node;
	struct assay_region *region;
	unsigned long pfn;
	unsigned long count;
	u32 order;
	bool reserved;
	char name[24];
	struct assay_page_desc *desc;
};

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
					unsigned long count, const char *name);

/**
 * assay_window_claim_ahead() - claim anywhere, in vain without a word
 * @region: region
 * @count: number of pages
 * @name: of the owner, for people
 *
 * For stock, which tries again later by itself.
 *
 * Return: as assay_window_claim() with ASSAY_ANYWHERE.
 */
struct assay_window *assay_window_claim_ahead(struct assay_region *region, unsigned long count,
					      const char *name);

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
					  unsigned long count, const char *name);

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
int assay_window_fill(struct assay_window *window, unsigned long first, unsigned long count);

/**
 * assay_window_empty() - give pages of a reserved window back
 * @window: reserved
 * @first: index of the first page
 * @count: number of pages; all claimed, and as assay_window_release() wants them
 *
 * Return: true; or false after a dev_err() where they are not writable: then they are
 * kept.
 */
bool assay_window_empty(struct assay_window *window, unsigned long first, unsigned long count);

/**
 * assay_window_rename() - a window has a new owner
 * @window: claimed
 * @name: of the owner, for people
 */
void assay_window_rename(struct assay_window *window, const char *name);

/**
 * assay_window_release() - give them back to the kernel
 * @window: claimed, or NULL
 *
 * Of a reserved window, that is those that were not given back before. The pages must be
 * writable in the linear map, and no user mapping of them nor
 * reference to them may be left. Pages that turn out not to be writable are not
 * given back: see assay_window_abandon().
 */
void assay_window_release(struct assay_window *window);

/**
 * assay_window_abandon() - keep the pages for ever, and forget the window
 * @window: claimed
 *
 * For pages that cannot be made writable again: a new owner would fault on them.
 * They count as claimed until the module is removed.
 */
void assay_window_abandon(struct assay_window *window);

/**
 * assay_window_address() - where the window is in the linear map
 * @window: claimed
 */
static inline void *assay_window_address(const struct assay_window *window)
{
	return page_address(pfn_to_page(window->pfn));
}

#endif /* _ASSAY_WINDOW_H */
