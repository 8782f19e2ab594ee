/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a window that are kept from being written, and opened for a write. */
#ifndef _ASSAY_PAGES_H
#define _ASSAY_PAGES_H

#include <linux/types.h>

#include "page_desc.h"
#include "protect.h"

struct assay_window;

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

#endif /* _ASSAY_PAGES_H */
