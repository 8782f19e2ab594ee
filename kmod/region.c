// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cma kind of memory. The device tree has a reserved-memory node
 *
 *	log: assay@70000000 {
 *		compatible = "shared-dma-pool";
 *		reusable;
 *		reg = <...>;		base and size in multiples of a pageblock
 *	};
 *
 * which the kernel makes a CMA area of its own. CMA's allocator hands such areas
 * out through one bitmap for whole buffers; we go below it to
 * alloc_contig_range(), which takes any pages at an exact address. Nobody else
 * allocates from the area, so its bitmap stays unused.
 *
 * MIGRATE_CMA must only ever be passed for pages of a CMA area: for others the
 * page allocator would silently turn their pageblocks into CMA ones. Hence
 * nothing is claimed before the kernel itself has set dev->cma_area.
 */
#include <linux/cma.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "compat.h"
#include "region.h"
#include "trace.h"

#define ASSAY_CLAIM_TRIES 5
#define ASSAY_CLAIM_BACKOFF_MS 10 /* doubled with each try */
#define ASSAY_DEFAULT_WINDOW SZ_1M

static int assay_cma_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return alloc_contig_range(pfn, pfn + count, MIGRATE_CMA, GFP_KERNEL);
}

static void assay_cma_release(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	free_contig_range(pfn, count);
}

static const struct assay_region_ops assay_cma_ops = {
	.kind = ASSAY_REGION_CMA,
	.name = "cma",
	.claim = assay_cma_claim,
	.release = assay_cma_release,
};

/* Why the kernel gave us no CMA area for @node: the sentence the administrator needs. */
static int assay_region_refused(struct device *dev, struct device_node *node,
				const struct reserved_mem *rmem)
{
	phys_addr_t size;

	if (!of_device_is_available(node)) {
		dev_err(dev, "memory-region %pOF is disabled; set its status to \"okay\"\n", node);
		return -ENODEV;
	}
	if (!of_device_is_compatible(node, "shared-dma-pool") ||
	    !of_property_read_bool(node, "reusable") || of_property_read_bool(node, "no-map")) {
		dev_err(dev,
			"memory-region %pOF is not lent to the kernel; it must be compatible \"shared-dma-pool\" with the property reusable and without no-map\n",
			node);
		return -EINVAL;
	}
	if (!rmem) {
		dev_err(dev,
			"the kernel reserved nothing for memory-region %pOF; it must be a child of /reserved-memory, inside RAM, and overlap nothing\n",
			node);
		return -ENODEV;
	}
	size = rmem->size;
	if (!IS_ALIGNED(rmem->base | size, CMA_MIN_ALIGNMENT_BYTES)) {
		dev_err(dev,
			"the kernel refused region %pa + %pa of %pOF (\"incorrect alignment of CMA region\") and handed it back as ordinary RAM; on this kernel base and size must be multiples of %lu MiB\n",
			&rmem->base, &size, node, (unsigned long)(CMA_MIN_ALIGNMENT_BYTES >> 20));
		return -EINVAL;
	}
	dev_err(dev,
		"the kernel made no CMA area of region %pa + %pa of %pOF; see its messages about reserved memory at boot\n",
		&rmem->base, &size, node);
	return -ENODEV;
}

/*
 * With fewer pages than one pageblock for each migrate type the kernel does not
 * group pages by mobility, counts every allocation as unmovable, and then leaves
 * CMA memory unused even when all other memory is gone.
 */
static void assay_region_warn_unused(const struct assay_region *region)
{
	unsigned long need = pageblock_nr_pages * MIGRATE_TYPES;
	struct device *dev = region->dev;

	if (totalram_pages() - (region->size >> PAGE_SHIFT) >= need)
		return;
	dev_warn(dev,
		 "idle pages stay unused: mobility grouping is off below %lu MiB of other memory\n",
		 need >> (20 - PAGE_SHIFT));
}

int assay_region_open(struct assay_region *region, struct device *dev)
{
	struct reserved_mem *rmem;
	struct device_node *node;
	int ret;

	node = of_parse_phandle(dev->of_node, "memory-region", 0);
	if (!node) {
		dev_err(dev,
			"device-tree node %pOF has no memory-region; point it at a reserved-memory node\n",
			dev->of_node);
		return -EINVAL;
	}
	rmem = of_reserved_mem_lookup(node);
	ret = of_reserved_mem_device_init_by_idx(dev, dev->of_node, 0);
	if (ret == -ENOMEM) {
		dev_err(dev, "no memory to open region %pOF\n", node);
		goto out;
	}
	if (ret || !rmem || !dev->cma_area) {
		if (!ret)
			of_reserved_mem_device_release(dev);
		ret = assay_region_refused(dev, node, rmem);
		goto out;
	}

	memset(region, 0, sizeof(*region));
	region->dev = dev;
	region->ops = &assay_cma_ops;
	region->base = rmem->base;
	region->size = rmem->size;
	mutex_init(&region->lock);
	assay_region_warn_unused(region);
out:
	of_node_put(node);
	return ret;
}

void assay_region_close(struct assay_region *region)
{
	WARN_ON(region->claimed);
	of_reserved_mem_device_release(region->dev);
	mutex_destroy(&region->lock);
}

int assay_region_window(struct assay_region *region, unsigned long *ret_pfn,
			unsigned long *ret_count)
{
	struct device *dev = region->dev;
	u64 window[2] = { 0, ASSAY_DEFAULT_WINDOW };
	u64 end;

	if (of_property_present(dev->of_node, "assay,window") &&
	    (of_property_count_u64_elems(dev->of_node, "assay,window") != 2 ||
	     of_property_read_u64_array(dev->of_node, "assay,window", window, 2))) {
		dev_err(dev,
			"assay,window of %pOF must be two 64-bit numbers: offset in the region and size, in bytes\n",
			dev->of_node);
		return -EINVAL;
	}
	if (!window[1]) {
		dev_err(dev, "assay,window of %pOF has size 0; give the log at least %lu bytes\n",
			dev->of_node, 2 * PAGE_SIZE);
		return -EINVAL;
	}
	if (!PAGE_ALIGNED(window[0] | window[1])) {
		dev_err(dev,
			"assay,window %#llx + %#llx is not page aligned; on this kernel both must be multiples of %lu bytes\n",
			window[0], window[1], PAGE_SIZE);
		return -EINVAL;
	}
	if (check_add_overflow(window[0], window[1], &end) || end > region->size) {
		dev_err(dev, "assay,window %#llx + %#llx lies outside the region of %#llx bytes\n",
			window[0], window[1], region->size);
		return -EINVAL;
	}
	*ret_pfn = PHYS_PFN(region->base + window[0]);
	*ret_count = window[1] >> PAGE_SHIFT;
	return 0;
}

/* Ordinary, online memory of one zone: what alloc_contig_range() asks its caller to see to. */
static int assay_region_check(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	unsigned long first = PHYS_PFN(region->base), pages = region->size >> PAGE_SHIFT;
	struct zone *zone = NULL;
	unsigned long i;

	if (!count || pfn < first || pfn - first > pages || count > pages - (pfn - first)) {
		dev_err(region->dev, "%lu pages at frame %#lx are outside the region\n", count,
			pfn);
		return -EINVAL;
	}
	for (i = 0; i < count; i++) {
		struct page *page = pfn_to_online_page(pfn + i);

		if (!page || PageReserved(page) || (zone && page_zone(page) != zone)) {
			dev_err(region->dev,
				"page frame %#lx of the region is not ordinary memory of one zone; choose another assay,window\n",
				pfn + i);
			return -EINVAL;
		}
		zone = page_zone(page);
	}
	return 0;
}

int assay_region_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	phys_addr_t address = PFN_PHYS(pfn);
	int tries = 0, ret;
	ktime_t begin;

	ret = assay_region_check(region, pfn, count);
	if (ret)
		return ret;

	mutex_lock(&region->lock);
	begin = ktime_get();
	for (;;) {
		ret = region->ops->claim(region, pfn, count);
		tries++;
		/* -ENOMEM and -EINTR are final; a pin or writeback may be gone soon. */
		if (ret != -EBUSY || tries == ASSAY_CLAIM_TRIES)
			break;
		region->retries++;
		msleep(ASSAY_CLAIM_BACKOFF_MS << (tries - 1));
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
	}
	region->last_claim_us = ktime_us_delta(ktime_get(), begin);
	if (ret) {
		region->failures++;
	} else {
		region->claims++;
		region->claimed += (u64)count << PAGE_SHIFT;
	}
	trace_assay_claim(pfn, count, tries, region->last_claim_us, ret);
	mutex_unlock(&region->lock);

	if (ret == -EBUSY)
		dev_err(region->dev,
			"cannot claim %lu bytes at %pa: busy (%d tries in %llu ms): something there is pinned, or there is no memory to move it to; free some, load the module earlier, or choose another assay,window\n",
			count << PAGE_SHIFT, &address, tries, region->last_claim_us / 1000);
	else if (ret)
		dev_err(region->dev, "cannot claim %lu bytes at %pa: error %d\n",
			count << PAGE_SHIFT, &address, ret);
	return ret;
}

void assay_region_release(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	mutex_lock(&region->lock);
	region->ops->release(region, pfn, count);
	region->claimed -= (u64)count << PAGE_SHIFT;
	trace_assay_release(pfn, count);
	mutex_unlock(&region->lock);
}
