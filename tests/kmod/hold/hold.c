// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds assay up, as if it had been preempted there: what a test cannot hope for becomes certain.
 * The committer for @ms just before it plans another try, for the test of unloading; loading for
 * @resume_ms when it has looked at a log that memory has kept, and has not protected it yet; a task
 * called held-reader for @fault_ms when a fault of it is to have a page table.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static unsigned int ms;
module_param(ms, uint, 0600);
MODULE_PARM_DESC(ms, "milliseconds; 0 for not at all");

static unsigned int held;
module_param(held, uint, 0400);
MODULE_PARM_DESC(held, "how often that was done");

static unsigned int resume_ms;
module_param(resume_ms, uint, 0600);
MODULE_PARM_DESC(resume_ms, "milliseconds before a log goes on; 0 for not at all");

static unsigned int fault_ms;
module_param(fault_ms, uint, 0600);
MODULE_PARM_DESC(fault_ms, "milliseconds in a fault of a held-reader; 0 for not at all");

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

/* ------------------------------------------------------------------ loading */
struct assay_ring;
static struct kprobe resume_probe;

/* In the place of assay_ring_resume(), which it calls. */
static noinline int hold_and_resume(struct assay_ring *ring, u64 head, u64 tail, u32 sequence)
{
	int (*resume)(struct assay_ring *, u64, u64, u32) = (void *)resume_probe.addr;
	int ret;

	msleep(resume_ms);
	WRITE_ONCE(inside, current);
	ret = resume(ring, head, tail, sequence);
	WRITE_ONCE(inside, NULL);
	return ret;
}

static int resume_hit(struct kprobe *probe, struct pt_regs *regs)
{
	if (!resume_ms || READ_ONCE(inside) == current)
		return 0;
	held++;
	instruction_pointer_set(regs, (unsigned long)hold_and_resume);
	return 1;
}

/* assay can be probed once it is there, and has not begun. */
static int module_changed(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "assay"))
		return NOTIFY_DONE;
	if (state == MODULE_STATE_COMING && resume_ms) {
		resume_probe = (struct kprobe){
			.symbol_name = "assay_ring_resume",
			.pre_handler = resume_hit,
		};
		if (register_kprobe(&resume_probe))
			resume_probe.symbol_name = NULL;
	} else if (state == MODULE_STATE_LIVE || state == MODULE_STATE_GOING) {
		if (resume_probe.symbol_name)
			unregister_kprobe(&resume_probe);
		resume_probe.symbol_name = NULL;
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_changed,
};

/* ------------------------------------------------------------------ faults */
static struct kprobe fault_probe;

/* In the place of __pte_alloc(), which it calls. */
static noinline int hold_and_alloc(struct mm_struct *mm, pmd_t *pmd)
{
	int (*alloc)(struct mm_struct *, pmd_t *) = (void *)fault_probe.addr;
	unsigned int slept;
	int ret;

	/* It can be let go. */
	for (slept = 0; slept < READ_ONCE(fault_ms); slept += 50)
		msleep(50);
	WRITE_ONCE(inside, current);
	ret = alloc(mm, pmd);
	WRITE_ONCE(inside, NULL);
	return ret;
}

static int fault_hit(struct kprobe *probe, struct pt_regs *regs)
{
	if (!fault_ms || READ_ONCE(inside) == current || strcmp(current->comm, "held-reader"))
		return 0;
	held++;
	instruction_pointer_set(regs, (unsigned long)hold_and_alloc);
	return 1;
}

static struct kprobe fault_probe = {
	.symbol_name = "__pte_alloc",
	.pre_handler = fault_hit,
};

static struct kprobe *probes[] = { &hold_probe, &fault_probe };

static int __init hold_init(void)
{
	int ret = register_kprobes(probes, ARRAY_SIZE(probes));

	if (ret)
		return ret;
	ret = register_module_notifier(&module_notifier);
	if (ret)
		unregister_kprobes(probes, ARRAY_SIZE(probes));
	return ret;
}
module_init(hold_init);

/* assay is not being loaded. */
static void __exit hold_exit(void)
{
	unregister_module_notifier(&module_notifier);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}
module_exit(hold_exit);

MODULE_DESCRIPTION("Holds assay's committer up");
MODULE_LICENSE("GPL");
