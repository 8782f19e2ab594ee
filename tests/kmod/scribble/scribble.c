// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stray kernel write would do: tries to write eight bytes through the linear
 * map to a physical address, or at any address of the kernel, and says whether that faulted.
 *
 *	insmod scribble.ko [value=0x...]
 *	echo 0x80740000 > /sys/module/scribble/parameters/address	tries now
 *	echo 0xffff800080730000 > /sys/module/scribble/parameters/virtual	likewise
 *	echo 0x50130000 > /sys/module/scribble/parameters/unmapped	to memory that the linear
 *								map does not have
 *	cat /sys/module/scribble/parameters/result			0 written, -14 refused
 *
 * Without value= it writes back what it finds, so that memory of others stays as it
 * is. With until_written=1 it stops before the module assay writes to its log itself, when
 * it has to open the pages that it writes. The address can be given to insmod as well. For
 * tests only: it is the very thing that a log must be kept from.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static unsigned long long value;
static bool value_given;
static int result = -ENODATA;
static unsigned long long tried;

/* For until_written: @ended is set, and looked at, with @writing held. */
static DEFINE_RAW_SPINLOCK(writing);
static bool until_written;
static bool ended;

static int scribble_try(u64 *target)
{
	u64 what = value;

	/* The page may be free, which KASAN would report. */
	if (!value_given)
		__get_kernel_nofault(&what, target, u64, fault);
	__put_kernel_nofault(target, &what, u64, fault);
	return 0;
fault:
	return -EFAULT;
}

static int scribble_write(u64 *target)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&writing, flags);
	ret = ended ? -ESHUTDOWN : scribble_try(target);
	raw_spin_unlock_irqrestore(&writing, flags);
	return ret;
}

static int end_writes(struct kprobe *probe, struct pt_regs *registers)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&writing, flags);
	ended = until_written;
	raw_spin_unlock_irqrestore(&writing, flags);
	return 0;
}

/* Where the module begins to write: to a fresh log, and to one that goes on. */
static struct kprobe first_writes[] = {
	{ .symbol_name = "assay_ring_start", .pre_handler = end_writes },
	{ .symbol_name = "assay_ring_begin", .pre_handler = end_writes },
};
static unsigned int probed;

static void forget_first_writes(void)
{
	while (probed)
		unregister_kprobe(&first_writes[--probed]);
}

static int watch_first_writes(void)
{
	for (; probed < ARRAY_SIZE(first_writes); probed++) {
		struct kprobe *probe = &first_writes[probed];
		int ret;

		/* What the kernel has put there is of the time before. */
		*probe = (struct kprobe){ .symbol_name = probe->symbol_name,
					  .pre_handler = end_writes };
		ret = register_kprobe(probe);
		if (ret)
			return ret;
	}
	return 0;
}

static int watch_assay(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;
	int ret = 0;

	if (strcmp(module->name, "assay"))
		return NOTIFY_DONE;
	if (state == MODULE_STATE_COMING && READ_ONCE(until_written))
		ret = watch_first_writes();
	else if (state == MODULE_STATE_GOING)
		forget_first_writes();
	if (ret)
		pr_err("cannot see when assay writes (error %d)\n", ret);
	return notifier_from_errno(ret);
}

static struct notifier_block watcher = { .notifier_call = watch_assay };

static int set_until_written(const char *text, const struct kernel_param *param)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&writing, flags);
	ret = kstrtobool(text, &until_written);
	ended = false;
	raw_spin_unlock_irqrestore(&writing, flags);
	return ret;
}

static int set_value(const char *text, const struct kernel_param *param)
{
	int ret = kstrtoull(text, 0, &value);

	value_given = !ret;
	return ret;
}

static int get_ullong(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%#llx\n", *(unsigned long long *)param->arg);
}

static int set_address(const char *text, const struct kernel_param *param)
{
	unsigned long long address;
	int ret;

	ret = kstrtoull(text, 0, &address);
	if (ret)
		return ret;
	if (!IS_ALIGNED(address, sizeof(u64)) || !pfn_valid(PHYS_PFN(address)))
		return -EINVAL;
	result = scribble_write(__va(address));
	tried = address;
	pr_info("write to %#llx: %d\n", address, result);
	return 0;
}

static int set_virtual(const char *text, const struct kernel_param *param)
{
	unsigned long address;
	int ret;

	ret = kstrtoul(text, 0, &address);
	if (ret)
		return ret;
	if (!IS_ALIGNED(address, sizeof(u64)) || address < TASK_SIZE_MAX)
		return -EINVAL;
	result = scribble_write((u64 *)address);
	return 0;
}

static int set_unmapped(const char *text, const struct kernel_param *param)
{
	unsigned long long address;
	void *page;
	int ret;

	ret = kstrtoull(text, 0, &address);
	if (ret)
		return ret;
	if (!IS_ALIGNED(address, sizeof(u64)))
		return -EINVAL;
	page = memremap(round_down(address, PAGE_SIZE), PAGE_SIZE, MEMREMAP_WB);
	if (!page)
		return -ENOMEM;
	result = scribble_write(page + offset_in_page(address));
	memunmap(page);
	return 0;
}

static const struct kernel_param_ops until_written_ops = { .set = set_until_written,
							   .get = param_get_bool };
static const struct kernel_param_ops value_ops = { .set = set_value, .get = get_ullong };
static const struct kernel_param_ops address_ops = { .set = set_address, .get = get_ullong };
static const struct kernel_param_ops virtual_ops = { .set = set_virtual };
static const struct kernel_param_ops unmapped_ops = { .set = set_unmapped };

module_param_cb(until_written, &until_written_ops, &until_written, 0600);
MODULE_PARM_DESC(until_written, "whether to stop before assay writes to its log");
module_param_cb(value, &value_ops, &value, 0600);
MODULE_PARM_DESC(value, "what to write (default: what is there)");
module_param_cb(address, &address_ops, &tried, 0600);
MODULE_PARM_DESC(address, "physical address to write to, at once");
module_param_cb(virtual, &virtual_ops, NULL, 0200);
MODULE_PARM_DESC(virtual, "address of the kernel to write to, at once");
module_param_cb(unmapped, &unmapped_ops, NULL, 0200);
MODULE_PARM_DESC(unmapped, "physical address to write to, at once, where the linear map has none");
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "of the last write: 0, or -14 (EFAULT) if it faulted");

static int __init scribble_init(void)
{
	return register_module_notifier(&watcher);
}
module_init(scribble_init);

static void __exit scribble_exit(void)
{
	unregister_module_notifier(&watcher);
	forget_first_writes();
}
module_exit(scribble_exit);

MODULE_DESCRIPTION("A stray write, for tests");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
