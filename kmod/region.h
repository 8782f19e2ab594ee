/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the module's memory comes from: a physically contiguous region named by
 * the device tree, whose pages are lent to the kernel until they are claimed,
 * one by one, at exact addresses. Knows nothing of what the pages hold.
 *
 * Called by pmalloc (claim, release), by the driver (open, close) and by stats.
 * Adding a kind of memory means adding a struct assay_region_ops.
 */
#ifndef _ASSAY_REGION_H
#define _ASSAY_REGION_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "uapi/assay.h"

struct device;
struct assay_region;

/**
 * struct assay_region_ops - a kind of memory
 * @kind: enum assay_region_kind
 * @name: for people
 * @claim: take the pages [@pfn, @pfn + @count) out of the kernel's use; one try,
 *         -EBUSY if another may succeed. Afterwards each has a reference count
 *         of one and its content is whatever it was
 * @release: give them back; each must have a reference count of one and be
 *           writable in the linear map
 *
 * Both are called with the region's lock held and may sleep.
 */
struct assay_region_ops {
	enum assay_region_kind kind;
	const char *name;
	int (*claim)(struct assay_region *region, unsigned long pfn, unsigned long count);
	void (*release)(struct assay_region *region, unsigned long pfn, unsigned long count);
};

/**
 * struct assay_region - a region and what was done with it
 * @dev: the device whose memory-region it is
 * @ops: how its pages are claimed
 * @base: physical address, a multiple of the page size
 * @size: bytes, a multiple of the page size
 * @lock: serialises claims and releases, protects the counters below; these are
 *        read without it for display
 * @claimed: bytes claimed now
 * @claims: claims that succeeded
 * @retries: tries after the first, of all claims
 * @failures: claims that failed for good
 * @last_claim_us: how long the last claim took, in microseconds
 */
struct assay_region {
	struct device *dev;
	const struct assay_region_ops *ops;
	phys_addr_t base;
	u64 size;

	struct mutex lock; /* see above */
	u64 claimed;
	u64 claims;
	u64 retries;
	u64 failures;
	u64 last_claim_us;
};

/**
 * assay_region_open() - find the region that a device's memory-region names
 * @region: to fill
 * @dev: device with a device-tree node
 *
 * Return: 0, or a negative errno after a dev_err() that says what to do.
 */
int assay_region_open(struct assay_region *region, struct device *dev);

/**
 * assay_region_close() - forget a region; nothing of it may be claimed any more
 * @region: opened region
 */
void assay_region_close(struct assay_region *region);

/**
 * assay_region_window() - the part of the region that the device tree wants used
 * @region: opened region
 * @ret_pfn: set to the first page frame
 * @ret_count: set to the number of pages
 *
 * From the property assay,window: two u64, offset in the region and size, both
 * in bytes and multiples of the page size. Without it: offset 0 and 1 MiB.
 *
 * Return: 0, or -EINVAL after a dev_err() that says what is wrong.
 */
int assay_region_window(struct assay_region *region, unsigned long *ret_pfn,
			unsigned long *ret_count);

/**
 * assay_region_claim() - take pages of the region out of the kernel's use
 * @region: opened region
 * @pfn: first page frame, anywhere in the region
 * @count: number of pages, at least one
 *
 * What the kernel keeps there is moved away, which takes milliseconds to seconds
 * and is tried up to five times. The pages' content is undefined.
 *
 * Return: 0; -EINVAL (not in the region, or not ordinary memory), -EBUSY, -ENOMEM
 * or -EINTR after a dev_err().
 */
int assay_region_claim(struct assay_region *region, unsigned long pfn, unsigned long count);

/**
 * assay_region_release() - give claimed pages back to the kernel
 * @region: opened region
 * @pfn: first page frame of a claimed range
 * @count: number of pages
 *
 * The pages must be writable in the linear map, and no user mapping may be left.
 */
void assay_region_release(struct assay_region *region, unsigned long pfn, unsigned long count);

#endif /* _ASSAY_REGION_H */
