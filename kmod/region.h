/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the module's memory comes from: physically contiguous regions whose pages
 * are taken at exact addresses. Knows kinds of memory and what the kernel wants to
 * be asked for each; neither who has which page (window) nor what it holds.
 *
 *	cma	own reserved-memory node, "shared-dma-pool" with reusable: idle pages
 *		are lent to the kernel for movable data
 *	movable	a range of ZONE_MOVABLE (movablecore=): idle pages are lent likewise
 *	static	own reserved-memory node without reusable: idle pages are held; their
 *		content outlives kexec and a warm reset
 *
 * The device's node names regions in memory-region, the first of them the log's.
 * The module's parameter region=movable:BASE:SIZE adds movable ones; they come
 * after those of the device tree. Only the device tree can reserve memory, so
 * other kinds are not to be had by parameter.
 *
 * A region that is refused is named with the reason and what to do. Refusing the
 * log's region (the first) fails loading; any further one is left out.
 *
 * Called by window (claim, release), main (open, close) and stats (show).
 * Another kind of memory is another struct assay_region_ops in a file of its own.
 */
#ifndef _ASSAY_REGION_H
#define _ASSAY_REGION_H

#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/pageblock-flags.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "uapi/assay.h"

struct assay_region;
struct assay_stock;
struct device;
struct device_node;

/* Latencies are counted by powers of two: slot i has those below 2^i microseconds. */
#define ASSAY_LATENCY_SLOTS 26

/*
 * Pages that are claimed and released by one at a time. A claim isolates whole
 * pageblocks, and drains free blocks of the largest order that reach into them:
 * two that meet in one only fail each other. Addresses are multiples of it.
 */
#define ASSAY_BLOCK_PAGES \
	(pageblock_nr_pages > MAX_ORDER_NR_PAGES ? pageblock_nr_pages : MAX_ORDER_NR_PAGES)

/**
 * struct assay_region_ops - a kind of memory
 * @kind: enum assay_region_kind
 * @name: for people
 * @lent: whether idle pages are used by the kernel
 * @check: are these pages what this kind takes: online, of one zone, ...; 0 or
 *         -EINVAL after a dev_err() that says which page and what to do. May be
 *         called for the whole region and for parts of it
 * @claim: take the pages [@pfn, @pfn + @count) out of the kernel's use; one try,
 *         -EBUSY if another may succeed, -ENOMEM and -EINTR are final. Afterwards
 *         each has a reference count of one and its content is whatever it was
 * @release: give them back; each must have a reference count of one and be
 *           writable in the linear map
 * @close: undo opening, NULL if there is nothing to undo
 *
 * claim and release may sleep. Calls whose pages share a block of
 * ASSAY_BLOCK_PAGES are serialised.
 */
struct assay_region_ops {
	enum assay_region_kind kind;
	const char *name;
	bool lent;
	int (*check)(struct assay_region *region, unsigned long pfn, unsigned long count);
	int (*claim)(struct assay_region *region, unsigned long pfn, unsigned long count);
	void (*release)(struct assay_region *region, unsigned long pfn, unsigned long count);
	void (*close)(struct assay_region *region);
};

/**
 * struct assay_region_stats - what was done with a region; protected by its lock,
 * read without it for display
 * @claimed: bytes claimed now
 * @windows: windows that exist now
 * @claims: claims that succeeded
 * @retries: tries after the first, of all claims
 * @failures: claims that failed for good
 * @last_claim_us: how long the last claim took, waiting and retries included
 * @max_claim_us: the longest
 * @claim_us: how many claims took how long
 */
struct assay_region_stats {
	u64 claimed;
	u64 windows;
	u64 claims;
	u64 retries;
	u64 failures;
	u64 last_claim_us;
	u64 max_claim_us;
	u64 claim_us[ASSAY_LATENCY_SLOTS];
};

/**
 * struct assay_region - a region
 * @node: in the list of all regions
 * @id: 0 for the log's, then counted
 * @dev: the device that has it
 * @cma: the device that has the kernel's CMA area: one each, since a device has
 *       one area; NULL for other kinds
 * @ops: how its pages are claimed
 * @pfn: first page frame
 * @count: number of pages
 * @idle_unused: NULL, or why the kernel leaves idle pages unused although they
 *               are lent; for people
 * @lock: protects all below; never held while pages are claimed or released
 * @blocks_free: woken when blocks become free for the next claim
 * @taken: a bit a page: part of a window, or about to be
 * @busy: a bit a block of ASSAY_BLOCK_PAGES: being claimed from or released to
 *        just now
 * @windows: struct assay_window, by address
 * @stats: counters
 * @stock: chunks claimed ahead, see stock.h
 */
struct assay_region {
	struct list_head node;
	unsigned int id;
	struct device *dev;
	struct device *cma;
	const struct assay_region_ops *ops;
	unsigned long pfn;
	unsigned long count;
	const char *idle_unused;

	struct mutex lock; /* see above */
	wait_queue_head_t blocks_free;
	unsigned long *taken;
	unsigned long *busy;
	struct list_head windows;
	struct assay_region_stats stats;
	struct assay_stock *stock;
};

/**
 * assay_regions_open() - open all regions of a device
 * @dev: device; its node's memory-region, if it has a node
 * @specs: further regions, "movable:BASE:SIZE" each, numbers as
 *         assay_region_parse_bytes() reads them
 * @spec_count: how many
 *
 * Return: 0 with at least one region; a negative errno after a dev_err() that says
 * what to do.
 */
int assay_regions_open(struct device *dev, char *const *specs, unsigned int spec_count);

/**
 * assay_regions_close() - close them; nothing of them may be claimed any more
 */
void assay_regions_close(void);

/**
 * assay_region_get() - a region by its number
 * @id: from 0, without gaps
 *
 * Return: the region, which lives until the module is removed, or NULL.
 */
struct assay_region *assay_region_get(unsigned int id);

/**
 * assay_region_parse_bytes() - a number of bytes, as parameters have them
 * @text: decimal, or hexadecimal with 0x, or octal with 0; with K, M or G behind it
 *        for 2^10, 2^20, 2^30
 * @end: where it must end; NULL for the end of @text
 * @ret_bytes: set on success
 *
 * Return: 0, -EINVAL (anything else, white space too) or -ERANGE (more than 64 bits).
 */
int assay_region_parse_bytes(const char *text, const char *end, u64 *ret_bytes);

/* What the kinds share; see the files named after them. */
struct assay_region *assay_region_open_cma(struct device *dev, struct device_node *node, int index);
struct assay_region *assay_region_open_static(struct device *dev, struct device_node *node);
struct assay_region *assay_region_open_movable(struct device *dev, const char *spec);

/**
 * assay_region_new() - for the kinds: a region that is not in the list yet
 * @dev: device
 * @ops: kind
 * @base: physical address
 * @size: bytes
 *
 * Refuses, with a sentence, an empty region, one that is not page aligned, that
 * overflows, that overlaps another, or that @ops->check does not take.
 *
 * Return: the region, or an ERR_PTR().
 */
struct assay_region *assay_region_new(struct device *dev, const struct assay_region_ops *ops,
				      u64 base, u64 size);

/**
 * assay_region_check_online() - for the kinds' check: ordinary, online pages of
 * one zone
 * @region: region
 * @pfn: first page frame
 * @count: number of pages
 * @reserved: whether PageReserved is wanted, or refused
 *
 * Return: 0, or -EINVAL after a dev_err().
 */
int assay_region_check_online(struct assay_region *region, unsigned long pfn, unsigned long count,
			      bool reserved);

/**
 * assay_region_block_type() - for the kinds' check: what a pageblock is for
 * @pfn: of an online page
 *
 * Return: enum migratetype; MIGRATE_ISOLATE while somebody claims from the block.
 */
int assay_region_block_type(unsigned long pfn);

#endif /* _ASSAY_REGION_H */
