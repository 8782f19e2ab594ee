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

int assay_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* _ASSAY_URING_H */
