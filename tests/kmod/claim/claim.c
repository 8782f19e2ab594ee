// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims and releases windows through the functions that assay exports, for shell
 * scripts. Each command is a line written to a parameter; the write fails with the
 * command's errno:
 *
 *	echo "claim NAME REGION PFN COUNT" >/sys/module/claim/parameters/command
 *						PFN: a page frame or -, COUNT in pages
 *	echo "release NAME" >...
 *	echo "fill NAME BYTE" >...		all bytes of the window
 *	echo "holds NAME BYTE" >...		EBADMSG if one of its bytes is another
 *	echo "refer NAME PAGE MS" >...		a reference to one of its pages, for so long; 0:
 *until echo "drop" >...			all such references are dropped echo "pool MODE"
 *>...			a pool of pmalloc, the newest
 *	echo "allocate SIZE" >...		from the newest pool
 *	echo "destroy" >...			the newest pool
 *
 *	cat /sys/module/claim/parameters/pfn	first page frame of the last claim
 *
 * What is left is released when the module goes. For tests only.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "pmalloc.h"
#include "region.h"
#include "window.h"

struct claim {
	struct list_head node;
	char name[24];
	struct assay_window *window;
};

struct claim_pool {
	struct list_head node;
	struct pmalloc_pool *pool;
};

/* As of somebody who looks a page up and does not know yet whose it is. */
struct claim_reference {
	struct list_head node;
	struct delayed_work work;
	struct page *page;
};

static LIST_HEAD(claim_references);
static DEFINE_MUTEX(claim_lock);
static LIST_HEAD(claims);
static LIST_HEAD(claim_pools);
static unsigned long claim_pfn;

static struct claim *claim_find(const char *name)
{
	struct claim *claim;

	list_for_each_entry(claim, &claims, node) {
		if (!strcmp(claim->name, name))
			return claim;
	}
	return NULL;
}

/* Without the lock while it waits: several may claim at the same time. */
static int claim_window(const char *name, const char *pfn_text, unsigned int id,
			unsigned long count)
{
	struct assay_region *region = assay_region_get(id);
	unsigned long pfn = ASSAY_ANYWHERE;
	struct claim *claim;
	int ret;

	if (!region)
		return -ENODEV;
	if (strcmp(pfn_text, "-")) {
		ret = kstrtoul(pfn_text, 0, &pfn);
		if (ret)
			return ret;
	}
	claim = kzalloc(sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return -ENOMEM;
	strscpy(claim->name, name, sizeof(claim->name));
	mutex_unlock(&claim_lock);
	claim->window = assay_window_claim(region, pfn, count, name);
	mutex_lock(&claim_lock);
	if (IS_ERR(claim->window)) {
		ret = PTR_ERR(claim->window);
		kfree(claim);
		return ret;
	}
	claim_pfn = claim->window->pfn;
	list_add(&claim->node, &claims);
	return 0;
}

static void claim_release(struct claim *claim)
{
	list_del(&claim->node);
	assay_window_release(claim->window);
	kfree(claim);
}

static void claim_drop(struct work_struct *work)
{
	struct claim_reference *reference =
		container_of(to_delayed_work(work), struct claim_reference, work);

	if (reference->page)
		put_page(reference->page);
	reference->page = NULL;
}

static int claim_refer(const struct claim *claim, unsigned long page, unsigned int ms)
{
	struct claim_reference *reference;

	if (page >= claim->window->count)
		return -EINVAL;
	reference = kzalloc(sizeof(*reference), GFP_KERNEL);
	if (!reference)
		return -ENOMEM;
	reference->page = pfn_to_page(claim->window->pfn + page);
	get_page(reference->page);
	INIT_DELAYED_WORK(&reference->work, claim_drop);
	list_add(&reference->node, &claim_references);
	if (ms)
		schedule_delayed_work(&reference->work, msecs_to_jiffies(ms));
	return 0;
}

static void claim_drop_all(void)
{
	struct claim_reference *reference, *next;

	list_for_each_entry_safe(reference, next, &claim_references, node) {
		mod_delayed_work(system_wq, &reference->work, 0);
		flush_delayed_work(&reference->work);
		list_del(&reference->node);
		kfree(reference);
	}
}

static int claim_new_pool(unsigned int mode)
{
	struct claim_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	int ret;

	if (!pool)
		return -ENOMEM;
	pool->pool = pmalloc_create_pool(mode);
	if (IS_ERR(pool->pool)) {
		ret = PTR_ERR(pool->pool);
		kfree(pool);
		return ret;
	}
	list_add(&pool->node, &claim_pools);
	return 0;
}

static void claim_destroy_pool(struct claim_pool *pool)
{
	list_del(&pool->node);
	pmalloc_destroy_pool(pool->pool);
	kfree(pool);
}

static int claim_do(const char *text)
{
	char verb[16], name[24], pfn[24];
	struct claim_pool *pool;
	struct claim *claim;
	unsigned long count;
	unsigned int id, ms;
	size_t bytes;

	if (sscanf(text, "claim %23s %u %23s %lu", name, &id, pfn, &count) == 4)
		return claim_find(name) ? -EINVAL : claim_window(name, pfn, id, count);
	if (sscanf(text, "pool %u", &id) == 1)
		return claim_new_pool(id);
	pool = list_first_entry_or_null(&claim_pools, struct claim_pool, node);
	if (sscanf(text, "allocate %zu", &bytes) == 1)
		return pool && pmalloc(pool->pool, bytes) ? 0 : -ENOMEM;
	if (sysfs_streq(text, "drop")) {
		claim_drop_all();
		return 0;
	}
	if (sysfs_streq(text, "destroy")) {
		if (!pool)
			return -ENOENT;
		claim_destroy_pool(pool);
		return 0;
	}
	if (sscanf(text, "%15s %23s %u", verb, name, &id) < 2)
		return -EINVAL;
	claim = claim_find(name);
	if (!claim)
		return -ENOENT;
	if (sscanf(text, "refer %23s %u %u", name, &id, &ms) == 3)
		return claim_refer(claim, id, ms);
	bytes = claim->window->count << PAGE_SHIFT;
	if (!strcmp(verb, "release"))
		claim_release(claim);
	else if (!strcmp(verb, "fill"))
		memset(assay_window_address(claim->window), id, bytes);
	else if (!strcmp(verb, "holds"))
		return memchr_inv(assay_window_address(claim->window), id, bytes) ? -EBADMSG : 0;
	else
		return -EINVAL;
	return 0;
}

static int set_command(const char *text, const struct kernel_param *param)
{
	int ret;

	/* A parameter's own lock would keep other writers out while this one waits. */
	kernel_param_unlock(THIS_MODULE);
	mutex_lock(&claim_lock);
	ret = claim_do(text);
	mutex_unlock(&claim_lock);
	kernel_param_lock(THIS_MODULE);
	return ret;
}

static const struct kernel_param_ops command_ops = { .set = set_command };

module_param_cb(command, &command_ops, NULL, 0200);
MODULE_PARM_DESC(command, "what to do now");
module_param_named(pfn, claim_pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "first page frame of the last claim");

MODULE_DESCRIPTION("Windows and pools by command, for tests");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "ASSAY");

static int __init claim_init(void)
{
	return 0;
}
module_init(claim_init);

static void __exit claim_exit(void)
{
	struct claim_pool *pool, *next_pool;
	struct claim *claim, *next;

	list_for_each_entry_safe(pool, next_pool, &claim_pools, node)
		claim_destroy_pool(pool);
	list_for_each_entry_safe(claim, next, &claims, node)
		claim_release(claim);
	claim_drop_all();
}
module_exit(claim_exit);
