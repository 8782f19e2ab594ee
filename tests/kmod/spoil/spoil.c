// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fails a step of loading another module, by a name that the step has as an argument, and
 * a second late, so that whoever waits for what was made before has found it:
 *
 *	kobject=NAME	kobject_create_and_add(NAME) has no memory
 *	link=NAME	sysfs_create_link(NAME) has no memory
 *
 * Parameters that can be written; nothing is called "-". "spoiled" counts the failures.
 */
#include <linux/delay.h>
#include <linux/kobject.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

static char kobject[32];
module_param_string(kobject, kobject, sizeof(kobject), 0600);
static char link[32];
module_param_string(link, link, sizeof(link), 0600);
static unsigned int spoiled;
module_param(spoiled, uint, 0400);

static noinline struct kobject *spoil_kobject(void)
{
	msleep(1000);
	return NULL;
}

static noinline int spoil_link(void)
{
	msleep(1000);
	return -ENOMEM;
}

/* Have the function return what @instead does, if argument @n of it is @name. */
static int spoil(struct pt_regs *regs, unsigned int n, const char *name, unsigned long instead)
{
	const char *argument = (const char *)regs_get_kernel_argument(regs, n);

	if (!*name || strcmp(argument, name))
		return 0;
	spoiled++;
	instruction_pointer_set(regs, instead);
	return 1;
}

static int spoil_kobject_pre(struct kprobe *probe, struct pt_regs *regs)
{
	return spoil(regs, 0, kobject, (unsigned long)spoil_kobject);
}

static int spoil_link_pre(struct kprobe *probe, struct pt_regs *regs)
{
	return spoil(regs, 2, link, (unsigned long)spoil_link);
}

static struct kprobe spoil_probes[] = {
	{ .symbol_name = "kobject_create_and_add", .pre_handler = spoil_kobject_pre },
	{ .symbol_name = "sysfs_create_link", .pre_handler = spoil_link_pre },
};

static int __init spoil_init(void)
{
	struct kprobe *probes[] = { &spoil_probes[0], &spoil_probes[1] };

	return register_kprobes(probes, ARRAY_SIZE(probes));
}
module_init(spoil_init);

static void __exit spoil_exit(void)
{
	struct kprobe *probes[] = { &spoil_probes[0], &spoil_probes[1] };

	unregister_kprobes(probes, ARRAY_SIZE(probes));
}
module_exit(spoil_exit);

MODULE_DESCRIPTION("Fails steps of loading a module");
MODULE_LICENSE("GPL");
