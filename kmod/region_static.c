// SPDX-License-Identifier: GPL-2.0-only
/*
 * The static kind of memory. The device tree has a reserved-memory node
 *
 *	log: assay@70000000 {
 *		reg = <...>;		base and size in multiples of a page
 *	};
 *
 * without reusable, without no-map and without compatible; or the parameter
 * region=reserve_mem:NAME names memory that the kernel was booted with reserve_mem=SIZE:ALIGN:NAME
 * for. The kernel maps it, as all RAM, marks its pages PageReserved, and never uses them. So there
 * is nothing to take and nothing to give back; what was written stays there, whoever wrote it.
 *Where reserve_mem= finds its memory may differ from boot to boot; then there is no log in it.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kconfig.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>

#include "region_kind.h"

static int assay_static_check(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return assay_region_check_online(region, pfn, count, true);
}

static int assay_static_claim(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	return 0;
}

static void assay_static_release(struct assay_region *region, unsigned long pfn,
				 unsigned long count)
{
}

static const struct assay_region_ops assay_static_ops = {
	.kind = ASSAY_REGION_STATIC,
	.name = "static",
	.keeps = true,
	.check = assay_static_check,
	.claim = assay_static_claim,
	.release = assay_static_release,
};

#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
/**
 * assay_region_held() - for the kinds' open_node: memory that the kernel holds for nobody
 * @dev: for messages
 * @node: of reserved memory
 * @advice: what to do where another driver is meant, as the end of a sentence
 *
 * Return: the memory; -EINVAL (another driver's: ramoops, DMA pools, secure firmware, ...) or
 * -ENODEV (the kernel reserved nothing), after a dev_err().
 */
struct reserved_mem *assay_region_held(struct device *dev, struct device_node *node,
				       const char *advice)
{
	struct reserved_mem *rmem;
	const char *compatible;

	if (!of_property_read_string(node, "compatible", &compatible)) {
		dev_err(dev,
			"memory-region %pOF is compatible \"%s\", and so another driver's; %s\n",
			node, compatible, advice);
		return ERR_PTR(-EINVAL);
	}
	rmem = of_reserved_mem_lookup(node);
	if (!rmem) {
		dev_err(dev,
			"the kernel reserved nothing for memory-region %pOF; it must be inside RAM, and overlap nothing (see its messages at boot)\n",
			node);
		return ERR_PTR(-ENODEV);
	}
	return rmem;
}

static struct assay_region *assay_static_open(struct device *dev, struct device_node *node,
					      int index)
{
	struct reserved_mem *rmem = assay_region_held(
		dev, node,
		"remove the property for memory that is held, or add reusable to \"shared-dma-pool\" for memory that is lent");

	if (IS_ERR(rmem))
		return ERR_CAST(rmem);
	return assay_region_new(dev, &assay_static_ops, rmem->base, rmem->size);
}

static bool assay_static_match(const struct device_node *node)
{
	return !of_property_read_bool(node, "reusable") && !of_property_read_bool(node, "no-map");
}

#endif

static struct assay_region *assay_static_open_named(struct device *dev, const char *parameter,
						    const char *name)
{
#ifdef ASSAY_HAS_RESERVE_MEM
	phys_addr_t base, size;

	if (name && *name && reserve_mem_find_by_name(name, &base, &size))
		return assay_region_new(dev, &assay_static_ops, base, size);
	dev_err(dev,
		"region=%s: the kernel has reserved no memory of that name; boot with reserve_mem=SIZE:ALIGN:NAME, and see its messages at boot\n",
		parameter);
	return ERR_PTR(-ENODEV);
#else
	dev_err(dev,
		"region=%s: this kernel has no named memory (reserve_mem=, since 6.12); use another kind of region\n",
		parameter);
	return ERR_PTR(-EOPNOTSUPP);
#endif
}

const struct assay_region_source assay_region_static = {
#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
	.match = assay_static_match,
	.open_node = assay_static_open,
#endif
	.form = "reserve_mem:NAME",
	.open_parameter = assay_static_open_named,
};
