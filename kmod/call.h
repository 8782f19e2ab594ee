/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MEASURE and APPEND, from the caller's memory to a request of the committer and back.
 * Everything that can fail for the caller's sake, and all that takes long, is done before
 * the request is queued: reading and checking the entries, digests, TLVs, and finding out
 * that results can be written. Called by chardev and uring, which check permissions.
 */
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

/**
 * assay_call_copy_in() - read a request struct of the ABI
 * @to: ours, set
 * @size: bytes of it
 * @size_v1: bytes it had in the first version
 * @from: the caller's
 * @user_size: bytes as the caller knows it
 *
 * What the caller does not know is zero, what we do not know must be.
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int assay_call_copy_in(void *to, size_t size, size_t size_v1, const void __user *from,
		       size_t user_size);

/**
 * assay_call_copy_out() - write it back, as much as the caller knows
 * @to: the caller's
 * @user_size: bytes as the caller knows it
 * @from: ours
 * @size: bytes of it
 *
 * Return: 0 or -EFAULT.
 */
int assay_call_copy_out(void __user *to, size_t user_size, const void *from, size_t size);

/**
 * assay_call_prepare() - read a call, and make its entries' fields
 * @call: to initialise; to be freed by assay_call_free(), whatever happens
 * @commit: where its request will be queued
 * @kind: ASSAY_KIND_MEASURE or ASSAY_KIND_EVENT
 * @argument: the caller's struct
 * @user_size: bytes of it as the caller knows it
 * @sleep: whether it may sleep for as long as files take to be read
 *
 * In the caller's context: its memory, its files. The results of a MEASURE's entries, and
 * ASSAY_RECNUM_NONE for the record's number, are written to the caller's memory.
 *
 * Return: 0; -EINVAL, -EFAULT, -EBADF, -ENOMEM, -ENOSPC, -EINTR; -EAGAIN (@sleep is not
 * set, and the call wants files to be read).
 */
int assay_call_prepare(struct assay_call *call, struct assay_commit *commit,
		       enum assay_record_kind kind, void __user *argument, size_t user_size,
		       bool sleep);

/**
 * assay_call_finish() - tell the caller which record it was
 * @call: prepared, its request done or never queued
 *
 * In the caller's context. That its memory could be written was found out before; a
 * caller that has taken it away since then is not told.
 */
void assay_call_finish(struct assay_call *call);

/**
 * assay_call_free() - free what a call holds
 * @call: prepared or not, its request not queued
 */
void assay_call_free(struct assay_call *call);

#endif /* _ASSAY_CALL_H */
