// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nomap kind of memory. The device tree has a reserved-memory node
 *
 *	log: assay@70000000 {
 *		no-map;
 *		reg = <...>;		base and size in multiples of a page
 *	};
 *
 * without reusable and without compatible; or the parameter region=nomap:BASE:SIZE names
 * memory that the kernel was told not to use: by such a node, or by memmap=SIZE$BASE on
 * x86-64. The kernel has no mapping of it, so that what is written there is what the module
 * maps and writes (protect_private.c); and what was written stays there, whoever wrote it.
 *
 * It is taken from /proc/iomem for itself alone, so that /dev/mem does not map it either.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/kconfig.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "region_kind.h"

/* What to do where the memory is none that the kernel was told to leave alone. */
#if IS_ENABLED(CONFIG_ARM64)
#define ASSAY_NOMAP_HOW "give its reserved-memory node the property no-map"
#else
#define ASSAY_NOMAP_HOW "keep it from the kernel with memmap=SIZE$BASE"
#endif

static bool assay_nomap_in_linear_map(unsigned long pfn)
{
	u8 value;

	__get_kernel_nofault(&value, __va(PFN_PHYS(pfn)), u8, fault);
	return true;
fault:
	return false;
}

/* Why a page is not one for us, or NULL. */
static const char *assay_nomap_refused(unsigned long pfn)
{
	if (page_is_ram(pfn))
		return "is RAM that the kernel uses; " ASSAY_NOMAP_HOW;
	if (!pfn_valid(pfn))
		return "is not in the kernel's memory map; choose a range near RAM that it uses";
	if (!PageReserved(pfn_to_page(pfn)))
		return "is not reserved; " ASSAY_NOMAP_HOW;
	if (assay_nomap_in_linear_map(pfn))
		return "is in the kernel's linear map; " ASSAY_NOMAP_HOW;
	return NULL;
}

static int assay_nomap_check(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		const char *why = assay_nomap_refused(pfn + i);

		if (why) {
			dev_err(region->dev, "page frame %#lx %s\n", pfn + i, why);
			return -EINVAL;
		}
		if (!(i % 4096))
			cond_resched();
	}
	return 0;
}

static int assay_nomap_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return 0;
}

static void assay_nomap_release(struct assay_region *region, unsigned long pfn, unsigned long count)
{
}

static void assay_nomap_close(struct assay_region *region)
{
	release_mem_region(PFN_PHYS(region->pfn), (u64)region->count << PAGE_SHIFT);
}

static const struct assay_region_ops assay_nomap_ops = {
	.kind = ASSAY_REGION_NOMAP,
	.name = "nomap",
	.unmapped = true,
	.keeps = true,
	.check = assay_nomap_check,
	.claim = assay_nomap_claim,
	.release = assay_nomap_release,
	.close = assay_nomap_close,
};

static struct assay_region *assay_nomap_open(struct device *dev, u64 base, u64 size)
{
	struct assay_region *region = assay_region_new(dev, &assay_nomap_ops, base, size);

	if (IS_ERR(region))
		return region;
	if (request_mem_region_exclusive(base, size, "assay"))
		return region;
	dev_err(dev,
		"the nomap region %#llx + %#llx is another driver's (see /proc/iomem); choose another range\n",
		base, size);
	assay_region_free(region);
	return ERR_PTR(-EBUSY);
}

#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
static bool assay_nomap_match(const struct device_node *node)
{
	return of_property_read_bool(node, "no-map");
}

static struct assay_region *assay_nomap_open_node(struct device *dev, struct device_node *node,
						  int index)
{
	struct reserved_mem *rmem = assay_region_held(dev, node, "remove the property");

	if (IS_ERR(rmem))
		return ERR_CAST(rmem);
	if (of_property_read_bool(node, "reusable")) {
		dev_err(dev,
			"memory-region %pOF has both reusable and no-map; remove no-map for memory that is lent, or reusable for memory that is held\n",
			node);
		return ERR_PTR(-EINVAL);
	}
	return assay_nomap_open(dev, rmem->base, rmem->size);
}
#endif

static struct assay_region *assay_nomap_open_parameter(struct device *dev, const char *parameter,
						       const char *fields)
{
	u64 base, size;
	int ret;

	ret = assay_region_parse_range(dev, parameter, fields, &base, &size);
	return ret ? ERR_PTR(ret) : assay_nomap_open(dev, base, size);
}

const struct assay_region_source assay_region_nomap = {
#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
	.match = assay_nomap_match,
	.open_node = assay_nomap_open_node,
#endif
	.form = "nomap:BASE:SIZE",
	.open_parameter = assay_nomap_open_parameter,
};
