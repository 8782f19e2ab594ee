// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of RAM that the linear map has: they are read and written there, and their entries
 * say which of both is allowed now.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "alias.h"
#include "protect.h"
#include "window.h"

static struct assay_alias_range assay_linear_range(const struct assay_pages *pages)
{
	return (struct assay_alias_range){ assay_pages_address(pages), pages->count };
}

static int assay_linear_map(struct assay_area *area)
{
	area->base = (unsigned long)assay_window_address(area->window);
	return 0;
}

static int assay_linear_check(const struct assay_pages *pages, const char **ret_why)
{
	return assay_alias_check(assay_pages_address(pages), pages->count, ret_why);
}

static int assay_linear_take(const struct assay_pages *pages, bool clear)
{
	struct assay_alias_range range = assay_linear_range(pages);
	unsigned long page;
	int ret;

	for (page = 0; clear && page < pages->count; page++) {
		clear_page((void *)(range.start + (page << PAGE_SHIFT)));
		cond_resched();
	}
	/*
	 * Mappings that vfree() has removed lazily may still be in some CPU's TLB;
	 * the pages under them can have been ours for a while now.
	 */
	vm_unmap_aliases();
	ret = assay_alias_set(&range, 1, false);
	if (ret)
		return ret;
	ret = assay_alias_verify(range.start, range.count, false);
	if (ret)
		assay_alias_set(&range, 1, true);
	return ret;
}

static int assay_linear_give(const struct assay_pages *pages)
{
	struct assay_alias_range range = assay_linear_range(pages);

	return assay_alias_set(&range, 1, true);
}

static int assay_linear_set(struct assay_open *open, bool writable)
{
	struct assay_alias_range ranges[ASSAY_OPEN_MAX];
	unsigned int i;
	int ret;

	for (i = 0; i < open->count; i++)
		ranges[i] = assay_linear_range(&open->pages[i]);
	ret = assay_alias_set(ranges, open->count, writable);
	for (i = 0; i < open->count && !ret && !writable; i++)
		ret = assay_alias_verify(ranges[i].start, ranges[i].count, false);
	return ret;
}

static int assay_linear_open(struct assay_open *open)
{
	unsigned int i;

	for (i = 0; i < open->count; i++)
		open->address[i] = assay_pages_address(&open->pages[i]);
	return assay_linear_set(open, true);
}

static int assay_linear_close(struct assay_open *open)
{
	return assay_linear_set(open, false);
}

const struct assay_protect_ops assay_protect_linear = {
	.kind = ASSAY_PROTECTION_FULL,
	.name = "full",
	.map = assay_linear_map,
	.check = assay_linear_check,
	.take = assay_linear_take,
	.give = assay_linear_give,
	.open = assay_linear_open,
	.close = assay_linear_close,
};
