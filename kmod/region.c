// SPDX-License-Identifier: GPL-2.0-only
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
 *
 * The list of regions: made once when the driver is bound, never changed until it
 * is removed, and so read without a lock.
 */
#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "region.h"

/* The longest number: 2^64 - 1 in octal, its 0, a unit. */
#define ASSAY_NUMBER_LIMIT 26

static LIST_HEAD(assay_regions);

/**
 * assay_region_parse_bytes() - a number of bytes, as parameters have them
 * @text: decimal, or hexadecimal with 0x, or octal with 0; with K, M or G behind it
 *        for 2^10, 2^20, 2^30
 * @end: where it must end; NULL for the end of @text
 * @ret_bytes: set on success
 *
 * Return: 0, -EINVAL (anything else, white space too) or -ERANGE (more than 64 bits).
 */
int assay_region_parse_bytes(const char *text, const char *end, u64 *ret_bytes)
{
	size_t size = end ? end - text : strlen(text);
	char number[ASSAY_NUMBER_LIMIT];
	unsigned int shift = 0;
	u64 value;
	int ret;

	if (!size || size >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, size);
	number[size] = '\0';
	switch (number[size - 1]) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	}
	if (shift)
		number[--size] = '\0';
	/* kstrtoull() lets a sign and a new line pass. */
	if (!isdigit(number[0]) || !isxdigit(number[size - 1]))
		return -EINVAL;
	ret = kstrtoull(number, 0, &value);
	if (ret)
		return ret;
	if (check_shl_overflow(value, shift, ret_bytes))
		return -ERANGE;
	return 0;
}

/**
 * assay_region_block_type() - for the kinds' check: what a pageblock is for
 * @pfn: of an online page
 *
 * Return: enum migratetype; MIGRATE_ISOLATE while somebody claims from the block.
 */
int assay_region_block_type(unsigned long pfn)
{
	unsigned long bit =
		((pfn & (PAGES_PER_SECTION - 1)) >> pageblock_order) * NR_PAGEBLOCK_BITS;
	const struct mem_section_usage *usage;
	unsigned long word = 0;

	/*
	 * What the page allocator itself reads, whose function for it is not exported.
	 * Memory that is being unplugged loses its section's usage first.
	 */
	rcu_read_lock_sched();
	usage = READ_ONCE(__pfn_to_section(pfn)->usage);
	if (usage)
		word = READ_ONCE(usage->pageblock_flags[BIT_WORD(bit)]);
	rcu_read_unlock_sched();
	return (word >> (bit % BITS_PER_LONG)) & MIGRATETYPE_MASK;
}

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
			      bool reserved)
{
	struct device *dev = region->dev;
	const struct zone *zone = NULL;
	unsigned long i;

	for (i = 0; i < count; i++) {
		struct page *page = pfn_to_online_page(pfn + i);

		if (!page) {
			dev_err(dev,
				"page frame %#lx is not RAM that the kernel uses; choose a range inside RAM (see /proc/iomem)\n",
				pfn + i);
			return -EINVAL;
		}
		if (PageReserved(page) && !reserved) {
			dev_err(dev,
				"page frame %#lx is reserved by the kernel or the firmware; choose another range (see /proc/iomem)\n",
				pfn + i);
			return -EINVAL;
		}
		if (!PageReserved(page) && reserved) {
			dev_err(dev,
				"page frame %#lx is not reserved, the kernel uses it; see its messages about reserved memory at boot\n",
				pfn + i);
			return -EINVAL;
		}
		if (!zone)
			zone = page_zone(page);
		if (page_zone(page) != zone) {
			dev_err(dev,
				"page frame %#lx is in zone %s and those before it in zone %s; a region must lie in one zone (see /proc/zoneinfo)\n",
				pfn + i, page_zone(page)->name, zone->name);
			return -EINVAL;
		}
		if (!(i % 4096))
			cond_resched();
	}
	return 0;
}

static void assay_region_free(struct assay_region *region)
{
	kvfree(region->busy);
	kvfree(region->taken);
	mutex_destroy(&region->lock);
	kfree(region);
}

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
				      u64 base, u64 size)
{
	struct assay_region *region, *other;
	unsigned long blocks;
	u64 end;
	int ret;

	if (!size) {
		dev_err(dev, "the %s region at %#llx has size 0; give it at least %lu bytes\n",
			ops->name, base, PAGE_SIZE);
		return ERR_PTR(-EINVAL);
	}
	if (!PAGE_ALIGNED(base | size)) {
		dev_err(dev,
			"the %s region %#llx + %#llx is not page aligned; on this kernel base and size must be multiples of %lu bytes\n",
			ops->name, base, size, PAGE_SIZE);
		return ERR_PTR(-EINVAL);
	}
	if (check_add_overflow(base, size, &end)) {
		dev_err(dev,
			"the %s region %#llx + %#llx ends beyond 64 bits; choose a range inside RAM (see /proc/iomem)\n",
			ops->name, base, size);
		return ERR_PTR(-EINVAL);
	}
	list_for_each_entry(other, &assay_regions, node) {
		u64 other_base = PFN_PHYS(other->pfn);
		u64 other_size = (u64)other->count << PAGE_SHIFT;

		if (base < other_base + other_size && other_base < end) {
			dev_err(dev,
				"the %s region %#llx + %#llx overlaps region %u, %#llx + %#llx; give each a range of its own\n",
				ops->name, base, size, other->id, other_base, other_size);
			return ERR_PTR(-EINVAL);
		}
	}

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&region->node);
	INIT_LIST_HEAD(&region->windows);
	mutex_init(&region->lock);
	init_waitqueue_head(&region->blocks_free);
	region->dev = dev;
	region->ops = ops;
	region->pfn = PHYS_PFN(base);
	region->count = PHYS_PFN(size);
	ret = ops->check(region, region->pfn, region->count);
	if (ret) {
		dev_err(dev, "the %s region %#llx + %#llx is refused\n", ops->name, base, size);
		goto free;
	}

	/* It is all RAM, so its size is a sane one. */
	blocks = (region->pfn + region->count - 1) / ASSAY_BLOCK_PAGES -
		 region->pfn / ASSAY_BLOCK_PAGES + 1;
	region->taken = kvcalloc(BITS_TO_LONGS(region->count), sizeof(long), GFP_KERNEL);
	region->busy = kvcalloc(BITS_TO_LONGS(blocks), sizeof(long), GFP_KERNEL);
	if (!region->taken || !region->busy) {
		ret = -ENOMEM;
		goto free;
	}
	return region;
free:
	assay_region_free(region);
	return ERR_PTR(ret);
}

/* The region that the device's node has at @index of memory-region, by what that node is. */
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
	else if (of_property_read_bool(node, "no-map"))
		dev_err(dev,
			"memory-region %pOF has the property no-map, so the kernel does not map it; remove the property\n",
			node);
	else if (of_property_read_bool(node, "reusable"))
		region = assay_region_open_cma(dev, node, index);
	else
		region = assay_region_open_static(dev, node);
	of_node_put(parent);
	of_node_put(node);
	return region;
}

static int assay_region_add(struct device *dev, struct assay_region *region)
{
	u64 base, size;

	if (IS_ERR(region)) {
		if (PTR_ERR(region) == -ENOMEM)
			dev_err(dev, "no memory to open a region\n");
		return PTR_ERR(region);
	}
	base = PFN_PHYS(region->pfn);
	size = (u64)region->count << PAGE_SHIFT;
	if (!list_empty(&assay_regions))
		region->id = list_last_entry(&assay_regions, struct assay_region, node)->id + 1;
	list_add_tail(&region->node, &assay_regions);
	dev_info(dev, "region %u: %s, %#llx + %#llx\n", region->id, region->ops->name, base, size);
	if (region->idle_unused)
		dev_warn(dev, "region %u: idle pages stay unused: %s\n", region->id,
			 region->idle_unused);
	return 0;
}

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
int assay_regions_open(struct device *dev, char *const *specs, unsigned int spec_count)
{
	int nodes = 0, i, ret;

	if (dev->of_node)
		nodes = max(of_count_phandle_with_args(dev->of_node, "memory-region", NULL), 0);
	if (!nodes && !spec_count) {
		dev_err(dev,
			"device-tree node %pOF has no memory-region; point it at a reserved-memory node\n",
			dev->of_node);
		return -EINVAL;
	}
	for (i = 0; i < nodes + (int)spec_count; i++) {
		struct assay_region *region;

		if (i < nodes)
			region = assay_region_open_node(dev, i);
		else
			region = assay_region_open_movable(dev, specs[i - nodes]);
		ret = assay_region_add(dev, region);
		if (!ret)
			continue;
		/* The log lives in the first; without another one there is a log all the same. */
		if (!i)
			return ret;
		if (i < nodes)
			dev_err(dev, "going on without memory-region %d of %pOF (error %d)\n", i,
				dev->of_node, ret);
		else
			dev_err(dev, "going on without region=%s (error %d)\n", specs[i - nodes],
				ret);
	}
	return 0;
}

/**
 * assay_regions_close() - close them; nothing of them may be claimed any more
 */
void assay_regions_close(void)
{
	struct assay_region *region, *next;

	list_for_each_entry_safe(region, next, &assay_regions, node) {
		WARN_ON(!list_empty(&region->windows));
		list_del(&region->node);
		if (region->ops->close)
			region->ops->close(region);
		assay_region_free(region);
	}
}

/**
 * assay_region_get() - a region by its number
 * @id: from 0, without gaps
 *
 * Return: the region, which lives until the module is removed, or NULL.
 */
struct assay_region *assay_region_get(unsigned int id)
{
	struct assay_region *region;

	list_for_each_entry(region, &assay_regions, node) {
		if (region->id == id)
			return region;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(assay_region_get);
