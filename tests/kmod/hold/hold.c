// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds assay's committer up for @ms just before it plans another try, as if it had been
 * preempted there: what a test cannot hope for becomes certain. For the test of unloading.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static unsigned int ms;
module_param(ms, uint, 0600);
MODULE_PARM_DESC(ms, "milliseconds; 0 for not at all");

static unsigned int held;
module_param(held, uint, 0400);
MODULE_PARM_DESC(held, "how often that was done");

static struct task_struct *inside;

/* Goes on in the place of the function that is probed. */
static noinline bool hold_and_queue(int cpu, struct workqueue_struct *queue,
				    struct delayed_work *work, unsigned long delay)
{
	bool ret;

	msleep(ms);
	WRITE_ONCE(inside, current);
	ret = queue_delayed_work_on(cpu, queue, work, delay);
	WRITE_ONCE(inside, NULL);
	return ret;
}

/* Only the committer itself, and only its plans: a worker, and a function of assay's. */
static int hold_hit(struct kprobe *probe, struct pt_regs *regs)
{
	const struct delayed_work *work = (void *)regs_get_kernel_argument(regs, 2);
	char name[64];

	if (!ms || !(current->flags & PF_WQ_WORKER) || READ_ONCE(inside) == current)
		return 0;
	snprintf(name, sizeof(name), "%ps", work->work.func);
	if (!strstarts(name, "assay_commit_retry"))
		return 0;
	held++;
	instruction_pointer_set(regs, (unsigned long)hold_and_queue);
	return 1;
}

static struct kprobe hold_probe = {
	.symbol_name = "queue_delayed_work_on",
	.pre_handler = hold_hit,
};

static int __init hold_init(void)
{
	return register_kprobe(&hold_probe);
}
module_init(hold_init);

static void __exit hold_exit(void)
{
	unregister_kprobe(&hold_probe);
}
module_exit(hold_exit);

MODULE_DESCRIPTION("Holds assay's committer up");
MODULE_LICENSE("GPL");
