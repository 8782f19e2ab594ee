// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plugs memory that the machine has and the kernel does not know, since it was booted with
 * mem=, as a device that is hot-plugged would:
 *
 *	insmod hotplug.ko base=0x80000000 size=0x10000000
 *
 * It comes as memory blocks that are offline, in /sys/devices/system/memory. It is unplugged
 * when the module goes. For tests only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory_hotplug.h>
#include <linux/module.h>

static ulong base, size;
module_param(base, ulong, 0400);
MODULE_PARM_DESC(base, "physical address, a multiple of a memory block");
module_param(size, ulong, 0400);
MODULE_PARM_DESC(size, "bytes, a multiple of a memory block");

#ifdef CONFIG_MEMORY_HOTREMOVE
static int __init hotplug_init(void)
{
	return add_memory(first_online_node, base, size, MHP_NONE);
}

static void __exit hotplug_exit(void)
{
	int ret = offline_and_remove_memory(base, size);

	if (ret)
		pr_err("the memory stays: error %d\n", ret);
}
module_exit(hotplug_exit);
#else
static int __init hotplug_init(void)
{
	return -EOPNOTSUPP;
}
#endif
module_init(hotplug_init);

MODULE_DESCRIPTION("Memory that is plugged and unplugged, for tests");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
