/* SPDX-License-Identifier: GPL-2.0-only */
/* Regions: the memory that windows are claimed from. */
#ifndef _ASSAY_REGION_H
#define _ASSAY_REGION_H

#include <linux/atomic.h>
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
struct workqueue_struct;

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
 * @unmapped: whether the kernel has no linear map of its pages
 * @keeps: whether what was written stays there when the next kernel runs
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
	bool unmapped;
	bool keeps;
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
 * @sealed: pages that are sealed; changed without the lock
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
	atomic_long_t sealed;
	struct assay_stock *stock;
};

/* For claims and releases that nobody waits for: they migrate pages, which suspend must not meet.
 */
extern struct workqueue_struct *assay_regions_queue;

struct assay_region *assay_region_get(unsigned int id);
int assay_region_parse_bytes(const char *text, const char *end, u64 *ret_bytes);

#endif /* _ASSAY_REGION_H */
