/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claiming ahead of need. Moving other data away and clearing pages (with
 * init_on_alloc the whole free block that a claim cuts, seconds for 512 MiB) must
 * not fall on who allocates, so a worker keeps some chunks of each region claimed,
 * cleared and read-only. Called by pmalloc.
 *
 * A chunk is a window. The worker fills up to the level while somebody takes chunks
 * (assay_stock_use() is held), and gives back what has not been wanted for a while
 * once nobody does.
 */
#ifndef _ASSAY_STOCK_H
#define _ASSAY_STOCK_H

#include <linux/types.h>

struct assay_region;
struct assay_window;

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
		     unsigned int idle_seconds);

/**
 * assay_stock_close() - stop the worker, give all chunks back
 * @region: region; without a stock nothing happens
 */
void assay_stock_close(struct assay_region *region);

/**
 * assay_stock_use() - somebody will take chunks: keep the stock filled
 * assay_stock_unuse() - it will take no more
 * @region: region
 */
void assay_stock_use(struct assay_region *region);
void assay_stock_unuse(struct assay_region *region);

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
				      const char *name);

/**
 * assay_stock_chunks() - how many chunks lie ready, for display
 * @region: region
 */
unsigned int assay_stock_chunks(const struct assay_region *region);

#endif /* _ASSAY_STOCK_H */
