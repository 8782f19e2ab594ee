// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regions that there are, and what their kinds share: making one, checking its pages,
 * reading the numbers of a parameter.
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
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "region_kind.h"

/* The longest number: 2^64 - 1 in octal, its 0, a unit. */
#define ASSAY_NUMBER_LIMIT 26

struct workqueue_struct *assay_regions_queue;

static LIST_HEAD(assay_regions);

/**
 * assay_region_block_type() - for the kinds' check: what a pageblock is for
 * @pfn: of an online page
 *
 * Return: enum migratetype. Kernels before 6.17 say MIGRATE_ISOLATE while somebody claims from
 * the block.
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
 * assay_region_parse_range() - for the kinds' open_parameter: BASE:SIZE
 * @dev: device
 * @parameter: all of it, for messages
 * @range: the part behind "KIND:"; NULL if there is none
 * @ret_base: set on success
 * @ret_size: set on success
 *
 * Return: 0, or -EINVAL after a dev_err().
 */
int assay_region_parse_range(struct device *dev, const char *parameter, const char *range,
			     u64 *ret_base, u64 *ret_size)
{
	const char *colon = range ? strchr(range, ':') : NULL;
	int ret;

	if (!colon) {
		dev_err(dev, "region=%s has no size; write KIND:BASE:SIZE\n", parameter);
		return -EINVAL;
	}
	ret = assay_region_parse_bytes(range, colon, ret_base);
	if (!ret)
		ret = assay_region_parse_bytes(colon + 1, NULL, ret_size);
	if (ret == -ERANGE)
		dev_err(dev, "region=%s has a number of more than 64 bits\n", parameter);
	else if (ret)
		dev_err(dev,
			"region=%s: BASE or SIZE is no number of bytes; write 0x12340000, 4096K, 64M or 1G\n",
			parameter);
	return ret ? -EINVAL : 0;
}

/**
 * assay_region_free() - for the kinds: drop a region that is not in the list
 * @region: from assay_region_new()
 */
void assay_region_free(struct assay_region *region)
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

/**
 * assay_region_add() - put a region into the list; it gets its number
 * @region: from assay_region_new()
 */
void assay_region_add(struct assay_region *region)
{
	if (!list_empty(&assay_regions))
		region->id = list_last_entry(&assay_regions, struct assay_region, node)->id + 1;
	list_add_tail(&region->node, &assay_regions);
}

/**
 * assay_regions_free() - close all and forget them; nothing of them may be claimed any more
 */
void assay_regions_free(void)
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
