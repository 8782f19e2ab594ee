// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protects the same number of pages in two ways, for the benchmark: as a pool, in one
 * batch, and a page at a time, each with its own flush and its own look at what came of
 * it. The second way changes the linear map with assay's own code (alias.c), so that
 * nothing but the batching differs.
 *
 *	echo 256 >/sys/module/seal/parameters/prepare	pages, claimed for both ways
 *	cat /sys/module/seal/parameters/batch		protect: nanoseconds
 *	cat /sys/module/seal/parameters/single		protect: nanoseconds and flushes
 *	echo 0 >/sys/module/seal/parameters/prepare	give them back
 *
 * Each way protects once after a prepare; a second time is -EBUSY. How often the batch
 * flushed, assay's counter memory/flushes tells.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

/* The failures on demand are the module's own. */
#undef CONFIG_FAULT_INJECTION_DEBUG_FS
#include "alias.c"

#include "pmalloc.h"
#include "region.h"
#include "window.h"

/* All under the lock of the module's parameters. */
static unsigned long pages;
static struct pmalloc_pool *pool;
static bool pool_protected;
static struct assay_window *window;
static bool window_protected;

static int seal_give_back(void)
{
	struct assay_alias_range range;
	int ret;

	pmalloc_destroy_pool(pool);
	pool = NULL;
	pool_protected = false;
	if (window_protected) {
		range.start = (unsigned long)assay_window_address(window);
		range.count = window->count;
		ret = assay_alias_set(&range, 1, true);
		if (ret) /* released, it would be a trap for its next owner */
			return ret;
		window_protected = false;
	}
	assay_window_release(window);
	window = NULL;
	pages = 0;
	return 0;
}

static int seal_prepare(unsigned long count)
{
	struct assay_region *region = assay_region_get(0);
	void *object;

	pool = pmalloc_create_custom_pool(count * PAGE_SIZE, PMALLOC_ALIGN_ORDER_DEFAULT,
					  PMALLOC_MODE_RO);
	if (IS_ERR(pool)) {
		int ret = PTR_ERR(pool);

		pool = NULL;
		return ret;
	}
	object = pmalloc(pool, count * PAGE_SIZE);
	if (!object)
		return -ENOMEM;
	window = assay_window_claim(region, ASSAY_ANYWHERE, count, "seal");
	if (IS_ERR(window)) {
		int ret = PTR_ERR(window);

		window = NULL;
		return ret;
	}
	/* Both are in the TLB, and neither is faster for being warm. */
	memset(object, 0, count * PAGE_SIZE);
	memset(assay_window_address(window), 0, count * PAGE_SIZE);
	pages = count;
	return 0;
}

static int set_prepare(const char *text, const struct kernel_param *param)
{
	unsigned long count;
	int ret;

	ret = kstrtoul(text, 0, &count);
	if (ret)
		return ret;
	ret = seal_give_back();
	if (ret || !count)
		return ret;
	ret = seal_prepare(count);
	if (ret)
		seal_give_back();
	return ret;
}

static int get_prepare(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%lu\n", pages);
}

static int get_batch(char *buffer, const struct kernel_param *param)
{
	u64 from, ns;
	int ret;

	if (!pages || pool_protected)
		return -EBUSY;
	pool_protected = true;
	from = ktime_get_ns();
	ret = pmalloc_protect_pool(pool);
	ns = ktime_get_ns() - from;
	return ret ? ret : sysfs_emit(buffer, "%llu\n", ns);
}

static int get_single(char *buffer, const struct kernel_param *param)
{
	struct assay_alias_range range = { .count = 1 };
	u64 from, ns, flushes;
	unsigned long i;
	int ret = 0;

	if (!pages || window_protected)
		return -EBUSY;
	window_protected = true;
	flushes = assay_alias_flushes();
	range.start = (unsigned long)assay_window_address(window);
	from = ktime_get_ns();
	vm_unmap_aliases(); /* as the pool does, for all pages at once */
	for (i = 0; i < pages && !ret; i++, range.start += PAGE_SIZE) {
		ret = assay_alias_set(&range, 1, false);
		if (!ret)
			ret = assay_alias_verify(range.start, 1, false);
	}
	ns = ktime_get_ns() - from;
	flushes = assay_alias_flushes() - flushes;
	return ret ? ret : sysfs_emit(buffer, "%llu %llu\n", ns, flushes);
}

static const struct kernel_param_ops prepare_ops = { .set = set_prepare, .get = get_prepare };
static const struct kernel_param_ops batch_ops = { .get = get_batch };
static const struct kernel_param_ops single_ops = { .get = get_single };

module_param_cb(prepare, &prepare_ops, NULL, 0600);
MODULE_PARM_DESC(prepare, "claim so many pages for each way; 0 gives them back");
module_param_cb(batch, &batch_ops, NULL, 0400);
MODULE_PARM_DESC(batch, "protect the pool, in nanoseconds");
module_param_cb(single, &single_ops, NULL, 0400);
MODULE_PARM_DESC(single, "protect the window page by page, in nanoseconds, and flushes");

MODULE_DESCRIPTION("Protects pages in a batch and one at a time, for a benchmark");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "ASSAY");

static int __init seal_init(void)
{
	return 0;
}
module_init(seal_init);

static void __exit seal_exit(void)
{
	seal_give_back();
}
module_exit(seal_exit);
