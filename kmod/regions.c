// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the module's memory comes from: physically contiguous regions whose pages
 * are taken at exact addresses. Knows kinds of memory and what the kernel wants to
 * be asked for each; neither who has which page (window) nor what it holds.
 *
 *	cma	own reserved-memory node, "shared-dma-pool" with reusable: idle pages
 *		are lent to the kernel for movable data
 *	movable	a range of ZONE_MOVABLE (movablecore=): idle pages are lent likewise
 *	static	own reserved-memory node without reusable, or named memory of reserve_mem=: idle
 *		pages are held; their content outlives kexec and a warm reset
 *	nomap	memory that the kernel does not map: likewise
 *
 * The device's node names regions in memory-region, the first of them the log's.
 * The module's parameter region= adds others; they come after those of the device
 * tree. With region=auto a range of the kinds cma or movable is found.
 *
 * A region that is refused is named with the reason and what to do. Refusing the
 * log's region (the first) fails loading; any further one is left out.
 *
 * Called by main. Another kind of memory is a file region_KIND.c with a struct
 * assay_region_source (region_kind.h), and a line in the table below.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/of.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "region_kind.h"
#include "region_offline.h"
#include "regions.h"

/* All kinds. A node of the device tree is of the first that says so. */
static const struct assay_region_source *const assay_region_sources[] = {
	&assay_region_nomap,
#if IS_ENABLED(CONFIG_OF_RESERVED_MEM)
	&assay_region_cma,
#endif
	&assay_region_static, &assay_region_movable, &assay_region_auto,
};

static struct assay_region *assay_region_open_reserved(struct device *dev, struct device_node *node,
						       int index)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(assay_region_sources); i++) {
		const struct assay_region_source *source = assay_region_sources[i];

		if (source->match && source->match(node))
			return source->open_node(dev, node, index);
	}
	dev_err(dev, "memory-region %pOF is of no kind that this module knows\n", node);
	return ERR_PTR(-EINVAL);
}

/* The region that the device's node has at @index of memory-region. */
static struct assay_region *assay_region_open_node(struct device *dev, int index)
{
	struct device_node *node = of_parse_phandle(dev->of_node, "memory-region", index);
	struct assay_region *region = ERR_PTR(-EINVAL);
	struct device_node *parent = of_get_parent(node);

	if (!node)
		dev_err(dev, "memory-region of %pOF has no valid entry %d\n", dev->of_node, index);
	else if (!of_device_is_available(node))
		dev_err(dev, "memory-region %pOF is disabled; set its status to \"okay\"\n", node);
	else if (!of_node_name_eq(parent, "reserved-memory"))
		dev_err(dev,
			"memory-region %pOF is no reserved memory; make it a child of /reserved-memory\n",
			node);
	else
		region = assay_region_open_reserved(dev, node, index);
	of_node_put(parent);
	of_node_put(node);
	return region;
}

static void assay_region_refuse_parameter(struct device *dev, const char *parameter)
{
	char forms[128] = "";
	size_t size = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(assay_region_sources); i++) {
		if (assay_region_sources[i]->form)
			size += scnprintf(forms + size, sizeof(forms) - size, "%s%s",
					  size ? " or " : "", assay_region_sources[i]->form);
	}
	dev_err(dev, "region=%s is not %s; regions of other kinds are made in the device tree\n",
		parameter, forms);
}

/* The region of a parameter "KIND" or "KIND:..." */
static struct assay_region *assay_region_open_parameter(struct device *dev, const char *parameter)
{
	size_t size = strcspn(parameter, ":");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(assay_region_sources); i++) {
		const struct assay_region_source *source = assay_region_sources[i];

		if (source->form && size == strcspn(source->form, ":") &&
		    !strncmp(parameter, source->form, size))
			return source->open_parameter(
				dev, parameter, parameter[size] ? parameter + size + 1 : NULL);
	}
	assay_region_refuse_parameter(dev, parameter);
	return ERR_PTR(-EINVAL);
}

static int assay_region_take(struct device *dev, struct assay_region *region)
{
	if (IS_ERR(region)) {
		if (PTR_ERR(region) == -ENOMEM)
			dev_err(dev, "no memory to open a region\n");
		return PTR_ERR(region);
	}
	assay_region_add(region);
	dev_info(dev, "region %u: %s, %#llx + %#llx\n", region->id, region->ops->name,
		 (u64)PFN_PHYS(region->pfn), (u64)region->count << PAGE_SHIFT);
	if (region->idle_unused)
		dev_warn(dev, "region %u: idle pages stay unused: %s\n", region->id,
			 region->idle_unused);
	return 0;
}

static int assay_regions_open_all(struct device *dev, int nodes, char *const *parameters,
				  int parameter_count)
{
	int i, ret;

	for (i = 0; i < nodes + parameter_count; i++) {
		struct assay_region *region;

		if (i < nodes)
			region = assay_region_open_node(dev, i);
		else
			region = assay_region_open_parameter(dev, parameters[i - nodes]);
		ret = assay_region_take(dev, region);
		if (!ret)
			continue;
		/* The log lives in the first; without another one there is a log all the same. */
		if (!i)
			return ret;
		if (i < nodes)
			dev_err(dev, "going on without memory-region %d of %pOF (error %d)\n", i,
				dev->of_node, ret);
		else
			dev_err(dev, "going on without region=%s (error %d)\n",
				parameters[i - nodes], ret);
	}
	return 0;
}

/**
 * assay_regions_open() - open all regions of a device
 * @dev: device; its node's memory-region, if it has a node
 * @parameters: further regions, each as a kind's form is, numbers as
 *              assay_region_parse_bytes() reads them
 * @parameter_count: how many
 *
 * Return: 0 with at least one region; a negative errno after a dev_err() that says
 * what to do.
 */
int assay_regions_open(struct device *dev, char *const *parameters, unsigned int parameter_count)
{
	int nodes = 0, ret;

	if (dev->of_node)
		nodes = max(of_count_phandle_with_args(dev->of_node, "memory-region", NULL), 0);
	if (!nodes && !parameter_count) {
		dev_err(dev,
			"device-tree node %pOF has no memory-region; point it at a reserved-memory node\n",
			dev->of_node);
		return -EINVAL;
	}
	assay_regions_queue = alloc_workqueue("assay", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!assay_regions_queue)
		return -ENOMEM;
	ret = assay_regions_open_all(dev, nodes, parameters, parameter_count);
	if (!ret)
		ret = assay_offline_open();
	if (ret) {
		assay_regions_free();
		destroy_workqueue(assay_regions_queue);
	}
	return ret;
}

/**
 * assay_regions_close() - close them; nothing of them may be claimed any more
 */
void assay_regions_close(void)
{
	assay_offline_close();
	assay_regions_free();
	destroy_workqueue(assay_regions_queue);
}
