/* SPDX-License-Identifier: GPL-2.0-only */
/* MEASURE and APPEND through io_uring, as uapi/assay.h describes them. */
#ifndef _ASSAY_URING_H
#define _ASSAY_URING_H

struct io_uring_cmd;

int assay_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* _ASSAY_URING_H */
