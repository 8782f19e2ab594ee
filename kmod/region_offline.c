// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a region that somebody takes offline, to unplug it. The kernel would try
 * for ever to move claimed pages out of ZONE_MOVABLE, so it is told that they stay.
 * Pages that are idle may go; a claim finds them offline (assay_region_check_online()).
 *
 * The kernel asks after it has isolated the pageblocks. A claim that began before has
 * marked its pages, and one that begins later finds them isolated: -EBUSY.
 */
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/notifier.h>

#include "region.h"
#include "region_offline.h"

#ifdef CONFIG_MEMORY_HOTPLUG
/* The first page of [@pfn, @end) that is in a window, or @end. */
static unsigned long assay_offline_taken(struct assay_region *region, unsigned long pfn,
					 unsigned long end)
{
	mutex_lock(&region->lock);
	pfn = region->pfn + find_next_bit(region->taken, end - region->pfn, pfn - region->pfn);
	mutex_unlock(&region->lock);
	return pfn;
}

static int assay_offline_notify(struct notifier_block *block, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;
	struct assay_region *region;
	unsigned int id;

	if (action != MEM_GOING_OFFLINE && action != MEM_OFFLINE)
		return NOTIFY_DONE;
	for (id = 0; (region = assay_region_get(id)); id++) {
		unsigned long pfn = max(memory->start_pfn, region->pfn), taken;
		unsigned long end =
			min(memory->start_pfn + memory->nr_pages, region->pfn + region->count);

		if (pfn >= end)
			continue;
		if (action == MEM_OFFLINE) {
			dev_warn(
				region->dev,
				"frames %#lx to %#lx of region %u went offline; nothing can be claimed there\n",
				pfn, end - 1, region->id);
			continue;
		}
		taken = assay_offline_taken(region, pfn, end);
		if (taken == end)
			continue;
		dev_warn(
			region->dev,
			"memory at frames %#lx to %#lx cannot go offline: frame %#lx of region %u is in a window; release that first\n",
			memory->start_pfn, memory->start_pfn + memory->nr_pages - 1, taken,
			region->id);
		return NOTIFY_BAD;
	}
	return NOTIFY_OK;
}

static struct notifier_block assay_offline_block = {
	.notifier_call = assay_offline_notify,
};

/**
 * assay_offline_open() - before anything is claimed: be asked from now on
 *
 * Return: 0 or a negative errno.
 */
int assay_offline_open(void)
{
	return register_memory_notifier(&assay_offline_block);
}

/**
 * assay_offline_close() - when nothing is claimed any more
 */
void assay_offline_close(void)
{
	unregister_memory_notifier(&assay_offline_block);
}
#else
int assay_offline_open(void)
{
	return 0;
}

void assay_offline_close(void)
{
}
#endif
