/* SPDX-License-Identifier: GPL-2.0-only */
/* Chunks of a region, claimed, cleared and read-only ahead of need. */
#ifndef _ASSAY_STOCK_H
#define _ASSAY_STOCK_H

#include <linux/types.h>

struct assay_region;
struct assay_window;

int assay_stock_open(struct assay_region *region, unsigned long chunk_pages, unsigned int level,
		     unsigned int idle_seconds);
void assay_stock_close(struct assay_region *region);
void assay_stock_use(struct assay_region *region);
void assay_stock_unuse(struct assay_region *region);
struct assay_window *assay_stock_take(struct assay_region *region, unsigned long count,
				      const char *name);
unsigned int assay_stock_chunks(const struct assay_region *region);

#endif /* _ASSAY_STOCK_H */
