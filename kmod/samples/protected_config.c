// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a module protects its own configuration with pmalloc: a list of names that are
 * allowed and a limit, given as module parameters.
 *
 *	insmod protected_config.ko allow=eth0,can0 limit=100
 *	cat /sys/kernel/protected_config/allow		eth0 can0
 *	echo 200 >/sys/kernel/protected_config/limit	changed by pmalloc_write()
 *
 * It is parsed once, into a pool of mode WR, and protected: from then on a stray write to
 * any of it faults. What the names are never changes any more; the limit may, by the one
 * function that can, in the one place that is meant to.
 *
 * What is not protected: the variable config that points to all of it is ordinary memory
 * until the kernel has made the module's __ro_after_init data read-only, which happens
 * when init returns.
 *
 * To build it see Kbuild in this directory. assay.ko must be loaded first.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cache.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "pmalloc.h"

#define MOST_NAMES 64

static char *allow = "";
module_param(allow, charp, 0);
MODULE_PARM_DESC(allow, "names that are allowed, separated by commas (default: none)");

static unsigned int limit = 100;
module_param(limit, uint, 0);
MODULE_PARM_DESC(limit, "how many of each (default 100)");

/**
 * struct configuration - all of it in the pool
 * @limit: changes, so read it with READ_ONCE()
 * @count: of @names
 * @names: each a string of the pool
 */
struct configuration {
	unsigned int limit;
	unsigned int count;
	const char *names[];
};

static struct pmalloc_pool *pool __ro_after_init;
static struct configuration *config __ro_after_init;
static struct kobject *directory __ro_after_init;

static unsigned int count_names(const char *text)
{
	unsigned int count = *text ? 1 : 0;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/* A copy of the @size characters at @text, or an ERR_PTR(). */
static const char *copy_name(const char *text, size_t size)
{
	char *name;
	size_t i;

	if (!size)
		return ERR_PTR(-EINVAL);
	for (i = 0; i < size; i++) {
		if (!isgraph(text[i]))
			return ERR_PTR(-EINVAL);
	}
	name = pzalloc(pool, size + 1);
	if (!name)
		return ERR_PTR(-ENOMEM);
	memcpy(name, text, size);
	return name;
}

static int parse(void)
{
	unsigned int count = count_names(allow), i;
	const char *text = allow;

	if (count > MOST_NAMES) {
		pr_err("allow= has %u names; the most is %d\n", count, MOST_NAMES);
		return -EINVAL;
	}
	config = pzalloc(pool, struct_size(config, names, count));
	if (!config)
		return -ENOMEM;
	config->limit = limit;
	config->count = count;
	for (i = 0; i < count; i++) {
		size_t size = strcspn(text, ",");
		const char *name = copy_name(text, size);

		if (PTR_ERR_OR_ZERO(name) == -EINVAL)
			pr_err("name %u in allow= is empty or has other characters than printable ones\n",
			       i + 1);
		if (IS_ERR(name))
			return PTR_ERR(name);
		config->names[i] = name;
		text += size + 1;
	}
	return 0;
}

static ssize_t allow_show(struct kobject *kobject, struct kobj_attribute *attribute, char *buffer)
{
	unsigned int i;
	int size = 0;

	for (i = 0; i < config->count; i++)
		size += sysfs_emit_at(buffer, size, "%s%s", i ? " " : "", config->names[i]);
	return size + sysfs_emit_at(buffer, size, "\n");
}
static struct kobj_attribute allow_attribute = __ATTR_RO(allow);

static ssize_t limit_show(struct kobject *kobject, struct kobj_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%u\n", READ_ONCE(config->limit));
}

static ssize_t limit_store(struct kobject *kobject, struct kobj_attribute *attribute,
			   const char *buffer, size_t size)
{
	unsigned int value;
	int ret;

	ret = kstrtouint(buffer, 0, &value);
	if (ret)
		return ret;
	ret = pmalloc_write(pool, &config->limit, &value, sizeof(value));
	return ret ? ret : size;
}
static struct kobj_attribute limit_attribute = __ATTR_RW(limit);

static const struct attribute *attributes[] = {
	&allow_attribute.attr,
	&limit_attribute.attr,
	NULL,
};

static int __init protected_config_init(void)
{
	int ret;

	pool = pmalloc_create_pool(PMALLOC_MODE_WR);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ret = parse();
	if (ret)
		goto destroy;
	ret = pmalloc_protect_pool(pool);
	if (ret)
		goto destroy;

	directory = kobject_create_and_add("protected_config", kernel_kobj);
	ret = directory ? sysfs_create_files(directory, attributes) : -ENOMEM;
	if (ret)
		goto remove;
	return 0;
remove:
	kobject_put(directory);
destroy:
	pmalloc_destroy_pool(pool);
	return ret;
}
module_init(protected_config_init);

static void __exit protected_config_exit(void)
{
	/* Waits for readers and writers. */
	sysfs_remove_files(directory, attributes);
	kobject_put(directory);
	pmalloc_destroy_pool(pool);
}
module_exit(protected_config_exit);

MODULE_DESCRIPTION("Sample: a configuration in memory that only pmalloc_write() can change");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "ASSAY");
