// SPDX-License-Identifier: GPL-2.0-only
/*
 * The movable kind of memory: a range of ZONE_MOVABLE, which the kernel has where it
 * was booted with movablecore= or kernelcore=, or where memory was added as movable. It
 * keeps only data there that can be moved, so any pages can be taken at any time. Chosen
 * by the module's parameter region=movable:BASE:SIZE, since nothing marks such a
 * range; others (huge pages, virtio-mem) may take pages of it before us.
 *
 * A CMA area may lie inside ZONE_MOVABLE. Its pages are not to be had this way.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mm.h>

#include "region_contig.h"
#include "region_kind.h"

/*
 * A reserved page makes its whole pageblock one that can never be isolated: the page
 * allocator looks at all of it, whatever part of it is wanted. The kernel's own early
 * data, which it puts at the end of RAM, is often such a page.
 */
static int assay_movable_check_block(struct assay_region *region, unsigned long block)
{
	unsigned long pfn;

	for (pfn = block; pfn < block + pageblock_nr_pages; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || !PageReserved(page))
			continue;
		dev_err(region->dev,
			"page frame %#lx is reserved by the kernel or the firmware, and so nothing can be claimed in the %lu KiB around it, frames %#lx to %#lx; choose another range\n",
			pfn, pageblock_nr_pages << (PAGE_SHIFT - 10), block,
			block + pageblock_nr_pages - 1);
		return -EINVAL;
	}
	if (is_migrate_cma(assay_region_block_type(block))) {
		dev_err(region->dev,
			"page frame %#lx is in a CMA area of the kernel; choose another range, or boot with cma=0\n",
			block);
		return -EINVAL;
	}
	return 0;
}

static int assay_movable_check(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	unsigned long block;
	int ret;

	ret = assay_region_check_online(region, pfn, count, false);
	if (ret)
		return ret;
	/* All are of one zone. */
	if (!is_zone_movable_page(pfn_to_page(pfn))) {
		dev_err(region->dev,
			"page frame %#lx is in zone %s; boot with movablecore=SIZE and choose a range in zone Movable (see /proc/zoneinfo)\n",
			pfn, page_zone(pfn_to_page(pfn))->name);
		return -EINVAL;
	}
	for (block = pageblock_start_pfn(pfn); !ret && block < pfn + count;
	     block += pageblock_nr_pages)
		ret = assay_movable_check_block(region, block);
	return ret;
}

static int assay_movable_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return assay_contig_claim(pfn, count, ASSAY_CONTIG_MOVABLE);
}

static const struct assay_region_ops assay_movable_ops = {
	.kind = ASSAY_REGION_MOVABLE,
	.name = "movable",
	.lent = true,
	.check = assay_movable_check,
	.claim = assay_movable_claim,
	.release = assay_contig_release,
};

/**
 * assay_region_new_movable() - a region of zone Movable
 * @dev: device
 * @base: physical address
 * @size: bytes
 *
 * Return: as assay_region_new().
 */
struct assay_region *assay_region_new_movable(struct device *dev, u64 base, u64 size)
{
	return assay_region_new(dev, &assay_movable_ops, base, size);
}

static struct assay_region *assay_movable_open(struct device *dev, const char *parameter,
					       const char *fields)
{
	u64 base, size;
	int ret;

	ret = assay_region_parse_range(dev, parameter, fields, &base, &size);
	if (ret)
		return ERR_PTR(ret);
	return assay_region_new_movable(dev, base, size);
}

const struct assay_region_source assay_region_movable = {
	.form = "movable:BASE:SIZE",
	.open_parameter = assay_movable_open,
};
