/* SPDX-License-Identifier: GPL-2.0-only */
/* MEASURE and APPEND, from the caller's memory to a request of the committer and back. */
#ifndef _ASSAY_CALL_H
#define _ASSAY_CALL_H

#include <linux/types.h>

#include "commit.h"

/**
 * struct assay_call - a call under way
 * @request: what it brings
 * @argument: the caller's struct assay_measure or struct assay_append
 * @user_size: bytes of it as the caller knows it
 */
struct assay_call {
	struct assay_request request;
	void __user *argument;
	size_t user_size;
};

int assay_call_copy_in(void *to, size_t size, size_t size_v1, const void __user *from,
		       size_t user_size);
int assay_call_copy_out(void __user *to, size_t user_size, const void *from, size_t size);
int assay_call_prepare(struct assay_call *call, struct assay_commit *commit,
		       enum assay_record_kind kind, void __user *argument, size_t user_size,
		       bool sleep);
void assay_call_finish(struct assay_call *call);
void assay_call_free(struct assay_call *call);

#endif /* _ASSAY_CALL_H */
