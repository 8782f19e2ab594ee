// SPDX-License-Identifier: GPL-2.0-only
/*
 * region=auto: a range that is found by itself, for machines without a device tree. Tried
 * are, in this order,
 *
 *	cma	the kernel's default CMA area (cma=), which drivers take their buffers
 *		from, from its start on
 *	movable	zone Movable (movablecore=, kernelcore=) of each node
 *
 * each from its end down. A place is taken if all of its pageblocks are fit and all of its
 * pages can be claimed: they are, once, and are given back. What becomes of it is a
 * region of the kind that was found.
 */
#include <linux/dma-mapping.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "compat.h"
#include "region_contig.h"
#include "region_kind.h"

#define ASSAY_AUTO_SIZE SZ_16M

/**
 * struct assay_auto - a search
 * @dev: device
 * @count: pages that are wanted
 * @cma: in a CMA area, or in zone Movable
 * @busy: places that were fit, but could not be claimed
 */
struct assay_auto {
	struct device *dev;
	unsigned long count;
	bool cma;
	unsigned long busy;
};

/* Online RAM of the right kind, of which nothing is reserved. */
static bool assay_auto_fits(const struct assay_auto *search, unsigned long block)
{
	unsigned long pfn;

	cond_resched();
	for (pfn = block; pfn < block + pageblock_nr_pages; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || PageReserved(page))
			return false;
		if (!search->cma && !is_zone_movable_page(page))
			return false;
	}
	return !!is_migrate_cma(assay_region_block_type(block)) == search->cma;
}

static bool assay_auto_free(unsigned long pfn, unsigned long count)
{
	const struct assay_region *other;
	unsigned int id;

	for (id = 0; (other = assay_region_get(id)); id++) {
		if (pfn < other->pfn + other->count && other->pfn < pfn + count)
			return false;
	}
	return true;
}

static bool assay_auto_claimable(struct assay_auto *search, unsigned long pfn)
{
	unsigned long i;

	if (!assay_auto_free(pfn, search->count))
		return false;
	if (assay_contig_claim(pfn, search->count,
			       search->cma ? ASSAY_CONTIG_CMA : ASSAY_CONTIG_MOVABLE)) {
		search->busy++;
		return false;
	}
	for (i = 0; i < search->count; i++)
		__free_page(pfn_to_page(pfn + i));
	return true;
}

/* The highest place in [@start, @end), both borders of pageblocks; 0 if there is none. */
static unsigned long assay_auto_place(struct assay_auto *search, unsigned long start,
				      unsigned long end)
{
	unsigned long block = end, limit = end; /* what is between them is fit */

	while (block > start && !fatal_signal_pending(current)) {
		block -= pageblock_nr_pages;
		if (!assay_auto_fits(search, block)) {
			limit = block;
			continue;
		}
		for (; limit >= block + search->count; limit -= search->count) {
			if (assay_auto_claimable(search, limit - search->count))
				return limit - search->count;
		}
	}
	return 0;
}

/*
 * A page of the default CMA area, whose place is not to be learnt otherwise: a buffer of more
 * than one page, as any driver asks for, is taken from it first.
 */
static unsigned long assay_auto_buffer(struct device *dev)
{
	unsigned long pfn;
	dma_addr_t address;
	struct page *page;

	if (dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)))
		return 0;
	page = dma_alloc_pages(dev, 2 * PAGE_SIZE, &address, DMA_BIDIRECTIONAL, GFP_KERNEL);
	if (!page)
		return 0;
	pfn = page_to_pfn(page);
	dma_free_pages(dev, 2 * PAGE_SIZE, page, address, DMA_BIDIRECTIONAL);
	return pfn;
}

static unsigned long assay_auto_find_cma(struct assay_auto *search)
{
	unsigned long start = pageblock_start_pfn(assay_auto_buffer(search->dev)), end;

	search->cma = true;
	if (!start || !assay_auto_fits(search, start))
		return 0;
	end = start + pageblock_nr_pages;
	while (start > pageblock_nr_pages && assay_auto_fits(search, start - pageblock_nr_pages))
		start -= pageblock_nr_pages;
	while (assay_auto_fits(search, end))
		end += pageblock_nr_pages;
	return assay_auto_place(search, start, end);
}

static unsigned long assay_auto_find_movable(struct assay_auto *search)
{
	unsigned long pfn = 0;
	int nid;

	search->cma = false;
	for (nid = first_online_node; !pfn && nid < MAX_NUMNODES; nid = next_online_node(nid)) {
		const struct zone *zone = &NODE_DATA(nid)->node_zones[ZONE_MOVABLE];

		if (zone->spanned_pages)
			pfn = assay_auto_place(search, pageblock_align(zone->zone_start_pfn),
					       pageblock_start_pfn(zone_end_pfn(zone)));
	}
	return pfn;
}

static struct assay_region *assay_auto_open(struct device *dev, const char *parameter,
					    const char *fields)
{
	struct assay_auto search = { .dev = dev };
	u64 size = ASSAY_AUTO_SIZE;
	unsigned long pfn;

	if (fields && (assay_region_parse_bytes(fields, NULL, &size) || !size ||
		       !PAGE_ALIGNED(size) || PHYS_PFN(size) > totalram_pages())) {
		dev_err(dev,
			"region=%s: SIZE must be a multiple of %lu bytes, and less than there is RAM; write auto or auto:16M\n",
			parameter, PAGE_SIZE);
		return ERR_PTR(-EINVAL);
	}
	search.count = PHYS_PFN(size);
	pfn = assay_auto_find_cma(&search) ?: assay_auto_find_movable(&search);
	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	if (!pfn) {
		dev_err(dev,
			"region=%s: %llu KiB are not to be had in the default CMA area nor in zone Movable (%lu places were busy); boot with cma=SIZE or movablecore=SIZE, multiples of %lu MiB on this kernel%s\n",
			parameter, size >> 10, search.busy, pageblock_nr_pages >> (20 - PAGE_SHIFT),
			/* Such memory is in the linear map, which is changed on arm64 alone. */
			IS_ENABLED(CONFIG_ARM64) ?
				"" :
				"; or, for a log that can be protected here, with memmap=SIZE$BASE and region=nomap:BASE:SIZE");
		return ERR_PTR(-ENOSPC);
	}
	dev_info(dev, "region=%s: found %#llx + %#llx in %s\n", parameter, (u64)PFN_PHYS(pfn), size,
		 search.cma ? "the default CMA area" : "zone Movable");
#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
	if (search.cma)
		return assay_region_new_cma(dev, PFN_PHYS(pfn), size);
#endif
	return assay_region_new_movable(dev, PFN_PHYS(pfn), size);
}

const struct assay_region_source assay_region_auto = {
	.form = "auto:SIZE",
	.open_parameter = assay_auto_open,
};
