/* SPDX-License-Identifier: GPL-2.0-only */
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
#ifndef _ASSAY_URING_H
#define _ASSAY_URING_H

struct io_uring_cmd;

/**
 * assay_uring_cmd() - a command was submitted, or shall be cancelled
 * @cmd: io_uring's side of it
 * @issue_flags: IO_URING_F_*
 *
 * Return: -EIOCBQUEUED (it is completed later), -EAGAIN (to be called again where it may
 * sleep), or what the ioctl would; 0 for a cancellation, whatever comes of it.
 */
int assay_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* _ASSAY_URING_H */
