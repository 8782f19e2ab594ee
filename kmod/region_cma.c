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
 * nothing is claimed before the kernel itself has set dev->cma_area, nor from a
 * pageblock that is not one of CMA: an area that could not be activated (in two
 * zones, say) is assigned to devices all the same, and its pages are ordinary.
 */
#include <linux/cma.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "region_contig.h"
#include "region_kind.h"

static int assay_cma_check(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	unsigned long block;
	int ret;

	ret = assay_region_check_online(region, pfn, count, false);
	if (ret)
		return ret;
	for (block = pfn; block < pfn + count; block = pageblock_end_pfn(block)) {
		int type = assay_region_block_type(block);

		if (type == MIGRATE_CMA || type == MIGRATE_ISOLATE)
			continue;
		dev_err(region->dev,
			"page frame %#lx is not in a CMA area; see the kernel's messages about CMA at boot\n",
			block);
		return -EINVAL;
	}
	return 0;
}

static int assay_cma_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return assay_contig_claim(pfn, count, ASSAY_CONTIG_CMA);
}

static void assay_cma_close(struct assay_region *region)
{
	if (region->cma) {
		of_reserved_mem_device_release(region->cma);
		put_device(region->cma);
	}
	kfree(region->idle_unused);
}

static const struct assay_region_ops assay_cma_ops = {
	.kind = ASSAY_REGION_CMA,
	.name = "cma",
	.lent = true,
	.check = assay_cma_check,
	.claim = assay_cma_claim,
	.release = assay_contig_release,
	.close = assay_cma_close,
};

/* Why the kernel gave us no CMA area for @node: the sentence the administrator needs. */
static int assay_cma_refused(struct device *dev, struct device_node *node,
			     const struct reserved_mem *rmem)
{
	phys_addr_t base = 0, size = 0;
	struct resource range;

	if (!of_device_is_compatible(node, "shared-dma-pool")) {
		dev_err(dev,
			"memory-region %pOF is reusable and not compatible \"shared-dma-pool\"; it must be both to be lent to the kernel, or neither to be held\n",
			node);
		return -EINVAL;
	}
	/* Newer kernels do not know a region any more that they refused. */
	if (rmem) {
		base = rmem->base;
		size = rmem->size;
	} else if (!of_address_to_resource(node, 0, &range)) {
		base = range.start;
		size = resource_size(&range);
	}
	if (!IS_ALIGNED(base | size, CMA_MIN_ALIGNMENT_BYTES)) {
		dev_err(dev,
			"the kernel refused region %pa + %pa of %pOF (\"incorrect alignment of CMA region\") and handed it back as ordinary RAM; on this kernel base and size must be multiples of %lu MiB\n",
			&base, &size, node, (unsigned long)(CMA_MIN_ALIGNMENT_BYTES >> 20));
		return -EINVAL;
	}
	if (!rmem) {
		dev_err(dev,
			"the kernel reserved nothing for memory-region %pOF; it must be inside RAM, and overlap nothing\n",
			node);
		return -ENODEV;
	}
	dev_err(dev,
		"the kernel made no CMA area of region %pa + %pa of %pOF; see its messages about reserved memory at boot\n",
		&base, &size, node);
	return -ENODEV;
}

static unsigned long assay_cma_present_pages(void)
{
	unsigned long pages = 0;
	int nid, zone;

	for (nid = first_online_node; nid < MAX_NUMNODES; nid = next_online_node(nid)) {
		for (zone = 0; zone < MAX_NR_ZONES; zone++)
			pages += NODE_DATA(nid)->node_zones[zone].present_pages;
	}
	return pages;
}

/*
 * A kernel with less RAM than one pageblock for each migrate type does not group
 * pages by mobility. It then counts every allocation as unmovable, and so never
 * allocates from CMA areas, even when all other memory is gone; only compaction
 * moves pages there, if at all.
 *
 * Returns why, to be freed, NULL if they are lent, or an ERR_PTR().
 */
static const char *assay_cma_idle_unused(void)
{
	unsigned long need = pageblock_nr_pages * MIGRATE_TYPES;
	const char *why;

	if (assay_cma_present_pages() >= need)
		return NULL;
	why = kasprintf(GFP_KERNEL, "mobility grouping is off below %lu MiB of RAM",
			need >> (20 - PAGE_SHIFT));
	return why ?: ERR_PTR(-ENOMEM);
}

/**
 * assay_region_new_cma() - a region in a CMA area that the kernel has, whoever else takes
 * pages of it: two that want the same fail one of them
 * @dev: device
 * @base: physical address
 * @size: bytes
 *
 * Return: as assay_region_new().
 */
struct assay_region *assay_region_new_cma(struct device *dev, u64 base, u64 size)
{
	const char *idle_unused = assay_cma_idle_unused();
	struct assay_region *region;

	if (IS_ERR(idle_unused))
		return ERR_CAST(idle_unused);
	region = assay_region_new(dev, &assay_cma_ops, base, size);
	if (IS_ERR(region))
		kfree(idle_unused);
	else
		region->idle_unused = idle_unused;
	return region;
}

static void assay_cma_device_release(struct device *device)
{
	kfree(device);
}

/*
 * A device has one CMA area, so each region gets a device for it. It is nothing but
 * the area's holder, and not shown in sysfs.
 */
static struct device *assay_cma_device(struct device *dev, int index)
{
	struct device *device = kzalloc(sizeof(*device), GFP_KERNEL);

	if (!device)
		return NULL;
	device_initialize(device);
	device->release = assay_cma_device_release;
	device->parent = dev;
	if (dev_set_name(device, "%s:region%d", dev_name(dev), index)) {
		put_device(device);
		return NULL;
	}
	return device;
}

static struct assay_region *assay_cma_open(struct device *dev, struct device_node *node, int index)
{
	struct reserved_mem *rmem = of_reserved_mem_lookup(node);
	struct device *device = assay_cma_device(dev, index);
	struct assay_region *region;
	int ret;

	if (!device)
		return ERR_PTR(-ENOMEM);
	ret = of_reserved_mem_device_init_by_idx(device, dev->of_node, index);
	if (ret) {
		if (ret != -ENOMEM)
			ret = assay_cma_refused(dev, node, rmem);
		goto put;
	}
	if (!device->cma_area) {
		ret = assay_cma_refused(dev, node, rmem);
		goto release;
	}
	region = assay_region_new_cma(dev, rmem->base, rmem->size);
	if (IS_ERR(region)) {
		ret = PTR_ERR(region);
		goto release;
	}
	region->cma = device;
	return region;
release:
	of_reserved_mem_device_release(device);
put:
	put_device(device);
	return ERR_PTR(ret);
}

static bool assay_cma_match(const struct device_node *node)
{
	return of_property_read_bool(node, "reusable") && !of_property_read_bool(node, "no-map");
}

const struct assay_region_source assay_region_cma = {
	.match = assay_cma_match,
	.open_node = assay_cma_open,
};
