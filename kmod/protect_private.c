// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that no map of the kernel's has but ours: a mapping that is read-only, for as long
 * as the window exists, and for the time of a write another one, of just the pages that it
 * touches. The page tables of the kernel are left alone, so that it does not matter how the
 * linear map is made, nor on which architecture.
 *
 * Where that other mapping is, is the choice of the allocator of virtual addresses each
 * time; its pages stand in it one behind the other. When it is taken away, its
 * entries are cleared at once, and vm_unmap_aliases() flushes TLBs of all CPUs.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "fault.h"
#include "protect.h"
#include "region.h"
#include "window.h"

/* A write of so many pages needs no memory for their names. */
#define ASSAY_PRIVATE_FEW 16

static void *assay_private_map_pages(const struct assay_pages *pages, unsigned int n, pgprot_t prot)
{
	struct page *few[ASSAY_PRIVATE_FEW], **all = few;
	unsigned long total = 0, at = 0, page;
	void *mapping = NULL;
	unsigned int i;

	for (i = 0; i < n; i++)
		total += pages[i].count;
	if (total > ASSAY_PRIVATE_FEW)
		all = kvmalloc_array(total, sizeof(*all), GFP_KERNEL);
	if (!all)
		return NULL;
	for (i = 0; i < n; i++) {
		for (page = 0; page < pages[i].count; page++)
			all[at++] = pfn_to_page(pages[i].area->window->pfn + pages[i].first + page);
	}
	if (!assay_fault(ASSAY_FAULT_MAP))
		mapping = vmap(all, total, VM_MAP, prot);
	if (all != few)
		kvfree(all);
	return mapping;
}

static void assay_private_unmap_pages(void *mapping)
{
	vunmap(mapping);
	vm_unmap_aliases();
}

/* Is a page of the window still mapped where it was before it was unmapped? */
static bool assay_private_is_mapped(void *address, unsigned long pfn)
{
	u64 value;

	/* Not written to: it may be somebody else's by now. */
	__get_kernel_nofault(&value, address, u64, fault);
	return vmalloc_to_pfn(address) == pfn;
fault:
	return false;
}

static const char *assay_private_try(struct assay_area *area)
{
	const struct assay_pages first = { area, 0, 1 };
	unsigned long page;
	void *writable;
	bool wrote;

	for (page = 0; page < area->window->count; page++) {
		if (assay_protect_try_write((void *)(area->base + (page << PAGE_SHIFT))) ||
		    assay_fault(ASSAY_FAULT_VERIFY))
			return "it could be written through a mapping that is read-only";
		cond_resched();
	}
	writable = assay_private_map_pages(&first, 1, PAGE_KERNEL);
	if (!writable)
		return "there is no memory to map it";
	wrote = assay_protect_try_write(writable);
	assay_private_unmap_pages(writable);
	if (!wrote)
		return "it could not be written through a mapping that is writable";
	if (assay_private_is_mapped(writable, area->window->pfn))
		return "a mapping that was removed is still there";
	return NULL;
}

static void assay_private_unmap(struct assay_area *area)
{
	assay_private_unmap_pages((void *)area->base);
}

static int assay_private_map(struct assay_area *area)
{
	const struct assay_pages all = { area, 0, area->window->count };
	const char *why;

	area->base = (unsigned long)assay_private_map_pages(&all, 1, PAGE_KERNEL_RO);
	if (!area->base)
		return -ENOMEM;
	why = assay_private_try(area);
	if (!why)
		return 0;
	dev_err(area->window->region->dev, "cannot protect the %s: %s\n", area->window->name, why);
	assay_private_unmap(area);
	return -EOPNOTSUPP;
}

static int assay_private_check(const struct assay_pages *pages, const char **ret_why)
{
	return 0;
}

static int assay_private_take(const struct assay_pages *pages, bool clear)
{
	unsigned long page;
	void *writable;

	if (!clear)
		return 0;
	writable = assay_private_map_pages(pages, 1, PAGE_KERNEL);
	if (!writable)
		return -ENOMEM;
	for (page = 0; page < pages->count; page++) {
		clear_page(writable + (page << PAGE_SHIFT));
		cond_resched();
	}
	assay_private_unmap_pages(writable);
	return 0;
}

/* The next owner is another window of the region, which maps them anew. */
static int assay_private_give(const struct assay_pages *pages)
{
	return 0;
}

static int assay_private_open(struct assay_open *open)
{
	unsigned long address;
	unsigned int i;

	open->mapping = assay_private_map_pages(open->pages, open->count, PAGE_KERNEL);
	if (!open->mapping)
		return -ENOMEM;
	address = (unsigned long)open->mapping;
	for (i = 0; i < open->count; i++) {
		open->address[i] = address;
		address += open->pages[i].count << PAGE_SHIFT;
	}
	return 0;
}

static int assay_private_close(struct assay_open *open)
{
	assay_private_unmap_pages(open->mapping);
	return 0;
}

const struct assay_protect_ops assay_protect_private = {
	.kind = ASSAY_PROTECTION_ALIAS,
	.name = "alias",
	.map = assay_private_map,
	.unmap = assay_private_unmap,
	.check = assay_private_check,
	.take = assay_private_take,
	.give = assay_private_give,
	.open = assay_private_open,
	.close = assay_private_close,
};
