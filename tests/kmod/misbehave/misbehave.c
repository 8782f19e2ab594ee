// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a faulty module would do, one thing each time it is loaded:
 *
 *	insmod misbehave.ko how=leak
 *
 * For the test of the bed, which must notice every one of them on its debug kernel.
 * Loading fails with -EINVAL for a fault that is not in the table.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *how = "";
module_param(how, charp, 0400);
MODULE_PARM_DESC(how, "the fault to make");

/* Nothing points to what this has allocated. */
static void leak(void)
{
	void *object = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
}

static void use_after_free(void)
{
	char *object = kmalloc(100, GFP_KERNEL);

	if (!object)
		return;
	kfree(object);
	WRITE_ONCE(object[10], 1);
}

/* Past KASAN: the page's poison is what tells. */
static noinline __no_sanitize_address void write_a_byte(struct page *page)
{
	*(u8 *)page_to_virt(page) = 1;
}

/* The next owner, who gets the page that was freed last, has the byte in it. */
static void write_to_free_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	__free_page(page);
	write_a_byte(page);
	page = alloc_page(GFP_KERNEL);
	if (page)
		__free_page(page);
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_in_two_orders(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void shift_too_far(void)
{
	int distance = 40, value = 1;

	OPTIMIZER_HIDE_VAR(distance);
	value = value << distance;
	OPTIMIZER_HIDE_VAR(value);
}

static void add_to_list_twice(void)
{
	LIST_HEAD(list);
	struct list_head entry;

	list_add(&entry, &list);
	list_add(&entry, &list);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "leak", leak },
	{ "use-after-free", use_after_free },
	{ "write-to-free-page", write_to_free_page },
	{ "lock-order", lock_in_two_orders },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "shift", shift_too_far },
	{ "list", add_to_list_twice },
};

static int __init misbehave_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(how, faults[i].name) == 0) {
			faults[i].make();
			return 0;
		}
	}
	pr_err("how=%s is no fault of mine\n", how);
	return -EINVAL;
}
module_init(misbehave_init);

static void __exit misbehave_exit(void)
{
}
module_exit(misbehave_exit);

MODULE_DESCRIPTION("Faults that a debug kernel finds, for tests");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
