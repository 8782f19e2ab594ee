/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in io_uring's commands; for uring.c. Kbuild decides whether there
 * are any. A shape that is not known here does not build.
 */
#ifndef _ASSAY_COMPAT_URING_H
#define _ASSAY_COMPAT_URING_H

#include <linux/io_uring/cmd.h>

/* A function before the type of the command had to be told, to check that it fits. */
#ifdef io_uring_sqe_cmd
#define assay_uring_sqe_cmd(cmd, type) io_uring_sqe_cmd((cmd)->sqe, type)
#else
#define assay_uring_sqe_cmd(cmd, type) ((const type *)io_uring_sqe_cmd((cmd)->sqe))
#endif

/* Since 6.18 a function of its own takes the second result. */
static inline void assay_uring_cmd_done(struct io_uring_cmd *cmd, int result,
					unsigned int issue_flags)
{
#ifdef ASSAY_HAS_URING_CMD_DONE32
	io_uring_cmd_done(cmd, result, issue_flags);
#else
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#endif
}

/*
 * DEFINE_ASSAY_URING_TASK_WORK(name) - make of name_in_task(cmd, task_dead, issue_flags) what
 * io_uring_cmd_complete_in_task() takes. Since 6.19 that gets the request and a token, not flags.
 */
#ifdef ASSAY_HAS_URING_TW_REQ
#define DEFINE_ASSAY_URING_TASK_WORK(name)                                  \
	static void name(struct io_tw_req request, io_tw_token_t token)     \
	{                                                                   \
		name##_in_task(io_uring_cmd_from_tw(request), token.cancel, \
			       IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);         \
	}
#else
#define DEFINE_ASSAY_URING_TASK_WORK(name)                                   \
	static void name(struct io_uring_cmd *cmd, unsigned int issue_flags) \
	{                                                                    \
		name##_in_task(cmd, !!(issue_flags & IO_URING_F_TASK_DEAD),  \
			       issue_flags & ~IO_URING_F_TASK_DEAD);         \
	}
#endif

#endif /* _ASSAY_COMPAT_URING_H */
