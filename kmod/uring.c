// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEASURE and APPEND through io_uring, as uapi/assay.h describes them. A command is
 * prepared when it is submitted and completed by the committer, so one thread has as many
 * under way as it likes. Called through chardev's file operations.
 *
 * Who may touch a command, and when: io_uring calls assay_uring_cmd() and what completes a
 * command with the ring's lock held, but for a worker of its own, which runs a command that
 * has to sleep. A command that was queued with the lock held can be cancelled, since
 * nothing completes it before the lock is released; one that a worker has queued cannot, and
 * is soon done.
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "call.h"
#include "compat_uring.h"
#include "device.h"
#include "uring.h"

/**
 * struct assay_uring_call - a command under way
 * @call: what it does
 * @commit: where it is queued
 * @cmd: io_uring's side
 */
struct assay_uring_call {
	struct assay_call call;
	struct assay_commit *commit;
	struct io_uring_cmd *cmd;
};

static struct assay_uring_call **assay_uring_place(struct io_uring_cmd *cmd)
{
	return io_uring_cmd_to_pdu(cmd, struct assay_uring_call *);
}

static void assay_uring_free(struct assay_uring_call *call)
{
	assay_call_free(&call->call);
	kfree(call);
}

/* In the submitter's context, or in another one when that is gone. */
static void assay_uring_complete_in_task(struct io_uring_cmd *cmd, bool task_dead,
					 unsigned int issue_flags)
{
	struct assay_uring_call *call = *assay_uring_place(cmd);
	int result = call->call.request.result;

	if (!task_dead)
		assay_call_finish(&call->call);
	assay_uring_free(call);
	assay_uring_cmd_done(cmd, result, issue_flags);
}
DEFINE_ASSAY_URING_TASK_WORK(assay_uring_complete)

/* In the committer's. */
static void assay_uring_done(struct assay_request *request)
{
	struct assay_uring_call *call =
		container_of(request, struct assay_uring_call, call.request);

	io_uring_cmd_complete_in_task(call->cmd, assay_uring_complete);
}

static void assay_uring_cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct assay_uring_call *call = *assay_uring_place(cmd);

	if (!assay_commit_cancel(call->commit, &call->call.request))
		return; /* it is in a record, and completed in a moment */
	assay_uring_free(call);
	assay_uring_cmd_done(cmd, -ECANCELED, issue_flags);
}

static int assay_uring_start(struct io_uring_cmd *cmd, unsigned int issue_flags,
			     enum assay_record_kind kind, void __user *argument, size_t user_size)
{
	bool sleep = !(issue_flags & IO_URING_F_NONBLOCK);
	struct assay *assay = assay_of_file(cmd->file);
	struct assay_uring_call *call;
	int ret;

	/* -EAGAIN: a worker of io_uring does it all again, and waits. */
	if (!sleep && assay_commit_busy(&assay->commit))
		return -EAGAIN;
	call = kmalloc(sizeof(*call), GFP_KERNEL_ACCOUNT);
	if (!call)
		return -ENOMEM;
	call->commit = &assay->commit;
	call->cmd = cmd;
	ret = assay_call_prepare(&call->call, call->commit, kind, argument, user_size, sleep);
	if (ret)
		goto free;
	call->call.request.done = assay_uring_done;
	*assay_uring_place(cmd) = call;
	ret = assay_commit_submit(call->commit, &call->call.request, sleep);
	if (ret)
		goto free;
	/* Nothing completes it yet where we hold the ring's lock; else it may be gone. */
	if (!sleep)
		io_uring_cmd_mark_cancelable(cmd, issue_flags);
	return -EIOCBQUEUED;
free:
	assay_uring_free(call);
	return ret;
}

/**
 * assay_uring_cmd() - a command was submitted, or shall be cancelled
 * @cmd: io_uring's side of it
 * @issue_flags: IO_URING_F_*
 *
 * Return: -EIOCBQUEUED (it is completed later), -EAGAIN (to be called again where it may
 * sleep), or what the ioctl would; 0 for a cancellation, whatever comes of it.
 */
int assay_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct assay_uring_command *command;
	void __user *argument;
	size_t size;

	if (issue_flags & IO_URING_F_CANCEL) {
		assay_uring_cancel(cmd, issue_flags);
		return 0;
	}
	command = assay_uring_sqe_cmd(cmd, struct assay_uring_command);
	/* What the submitter shares with us is read once. */
	argument = u64_to_user_ptr(READ_ONCE(command->argument));
	size = READ_ONCE(command->size);
	/* No larger than an ioctl can say it is. */
	if (READ_ONCE(command->reserved) || cmd->flags & IORING_URING_CMD_MASK ||
	    size > _IOC_SIZEMASK)
		return -EINVAL;
	if (!(cmd->file->f_mode & FMODE_WRITE))
		return -EACCES;
	switch (cmd->cmd_op) {
	case _IOC_NR(ASSAY_IOC_MEASURE):
		return assay_uring_start(cmd, issue_flags, ASSAY_KIND_MEASURE, argument, size);
	case _IOC_NR(ASSAY_IOC_APPEND):
		return assay_uring_start(cmd, issue_flags, ASSAY_KIND_EVENT, argument, size);
	}
	return -ENOTTY;
}
