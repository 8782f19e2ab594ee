/* SPDX-License-Identifier: GPL-2.0-only */
/* Windows: pages of a region claimed together, at an exact address or anywhere. */
#ifndef _ASSAY_WINDOW_H
#define _ASSAY_WINDOW_H

#include <linux/io.h>
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
 * @order: of its claim or reservation: the module's windows are counted from 1
 * @owner: ASSAY_OWNER_* or a pool's id; written by whoever has the window, read without a
 *         lock for display
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
	u16 owner;
	bool reserved;
	char name[24];
	struct assay_page_desc *desc;
};

struct assay_window *assay_window_claim(struct assay_region *region, unsigned long pfn,
					unsigned long count, const char *name);
struct assay_window *assay_window_claim_ahead(struct assay_region *region, unsigned long count,
					      const char *name);
struct assay_window *assay_window_reserve(struct assay_region *region, unsigned long pfn,
					  unsigned long count, const char *name);
int assay_window_fill(struct assay_window *window, unsigned long first, unsigned long count);
bool assay_window_empty(struct assay_window *window, unsigned long first, unsigned long count);
void assay_window_set_state(struct assay_window *window, unsigned long page,
			    enum assay_page_state state);
void assay_window_rename(struct assay_window *window, const char *name);
void assay_window_release(struct assay_window *window);
void assay_window_abandon(struct assay_window *window);

/**
 * assay_window_address() - where the window is in the linear map
 * @window: claimed or reserved
 *
 * Without a KASAN tag: it reaches all pages of the window, which may be claimed later and one by
 * one, each with another tag.
 */
static inline void *assay_window_address(const struct assay_window *window)
{
	return phys_to_virt(PFN_PHYS(window->pfn));
}

#endif /* _ASSAY_WINDOW_H */
