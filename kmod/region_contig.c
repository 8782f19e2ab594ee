// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the page allocator, taken at exact addresses with alloc_contig_range(), as
 * the kinds cma and movable do.
 *
 * While a page is claimed no field of its struct page is written but its KASAN tag.
 * Its reference count is one, and more for a moment where somebody takes a reference
 * before finding out that the page is not the one that was looked for: the lookup in the
 * page cache, the fast walk of page tables, compaction.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "region.h"
#include "region_contig.h"

/* Far longer than a speculative reference is held. */
#define ASSAY_REFERENCE_MS 100

/**
 * assay_contig_claim() - take pages out of the kernel's use; one try
 * @pfn: first page frame
 * @count: number of pages
 * @type: ASSAY_CONTIG_*
 *
 * Return: 0, -EBUSY, -ENOMEM or -EINTR, see struct assay_region_ops.
 */
int assay_contig_claim(unsigned long pfn, unsigned long count, assay_contig_t type)
{
	unsigned long i;
	int ret;

	ret = alloc_contig_range(pfn, pfn + count, type, GFP_KERNEL | __GFP_NOWARN);
	if (ret)
		return ret;
	/*
	 * The allocator gives each free block that it splits a tag of its own. All pages of a
	 * window are reached by one pointer, so they get the tag that matches every pointer.
	 */
	for (i = 0; i < count; i++)
		page_kasan_tag_reset(pfn_to_page(pfn + i));
	return 0;
}

static unsigned long assay_contig_referenced(unsigned long pfn, unsigned long count)
{
	unsigned long i, pages = 0;

	for (i = 0; i < count; i++)
		pages += page_ref_count(pfn_to_page(pfn + i)) != 1;
	return pages;
}

/**
 * assay_contig_release() - give them back
 * @region: region
 * @pfn: first page frame
 * @count: number of pages
 *
 * A page that somebody else has a reference to becomes free when that is dropped. Pages
 * are freed one by one, since free_contig_range() warns of such a page.
 */
void assay_contig_release(struct assay_region *region, unsigned long pfn, unsigned long count)
{
	unsigned long i, pages = assay_contig_referenced(pfn, count);
	unsigned int ms;

	for (ms = 0; pages && ms < ASSAY_REFERENCE_MS; ms++) {
		usleep_range(1000, 2000);
		pages = assay_contig_referenced(pfn, count);
	}
	if (pages)
		dev_warn_ratelimited(
			region->dev,
			"%lu of the %lu pages at frame %#lx that are given back are still used by others; they cannot be claimed again until these release them\n",
			pages, count, pfn);
	for (i = 0; i < count; i++) {
		__free_page(pfn_to_page(pfn + i));
		cond_resched();
	}
}
