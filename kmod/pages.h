/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a window that are kept from being written, and opened for a write. */
#ifndef _ASSAY_PAGES_H
#define _ASSAY_PAGES_H

#include <linux/types.h>

#include "page_desc.h"

struct assay_protect_ops;
struct assay_window;

/* A write of the log: its header page, and a ring's bytes in two parts where they wrap. */
#define ASSAY_OPEN_MAX 3

/**
 * struct assay_area - a window's pages
 * @window: window
 * @base: where its first page is read
 * @ops: how they are protected
 * @unprotectable: NULL, or why they cannot be; for people
 */
struct assay_area {
	struct assay_window *window;
	unsigned long base;
	const struct assay_protect_ops *ops;
	const char *unprotectable;
};

/**
 * struct assay_pages - some pages of an area
 * @area: area
 * @first: index of the first
 * @count: how many, at least one
 */
struct assay_pages {
	struct assay_area *area;
	unsigned long first;
	unsigned long count;
};

/**
 * struct assay_open - pages that are open for writing
 * @pages: which
 * @address: of each of these, where its first page is written
 * @count: how many there are of both
 * @mapping: the backend's, from open to close
 */
struct assay_open {
	struct assay_pages pages[ASSAY_OPEN_MAX];
	unsigned long address[ASSAY_OPEN_MAX];
	unsigned int count;
	void *mapping;
};

int assay_area_map(struct assay_area *area, struct assay_window *window);
void assay_area_unmap(struct assay_area *area);
bool assay_pages_find(struct assay_area *area, unsigned long offset, unsigned long size,
		      struct assay_pages *ret);
int assay_pages_check(const struct assay_pages *pages, const char **ret_why);
int assay_pages_take(const struct assay_pages *pages, bool clear);
bool assay_pages_release(const struct assay_pages *pages);
bool assay_pages_give_back(const struct assay_pages *pages);
void assay_pages_note_used(const struct assay_pages *pages);
int assay_open_begin(struct assay_open *open);
int assay_open_end(struct assay_open *open);

/**
 * assay_pages_address() - where pages are read
 * @pages: pages
 */
static inline unsigned long assay_pages_address(const struct assay_pages *pages)
{
	return pages->area->base + (pages->first << PAGE_SHIFT);
}

#endif /* _ASSAY_PAGES_H */
