/* SPDX-License-Identifier: GPL-2.0-only */
/* Long work is done in pieces: with a scheduling point, or an end for the freezer, after each. */
#ifndef _ASSAY_PIECE_H
#define _ASSAY_PIECE_H

#include <linux/errno.h>
#include <linux/freezer.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/types.h>

#define ASSAY_PIECE SZ_64K

/* memcpy() for contexts that may sleep. */
static inline void assay_copy(void *to, const void *from, size_t size)
{
	size_t at, piece;

	for (at = 0; at < size; at += piece) {
		piece = min_t(size_t, size - at, ASSAY_PIECE);
		memcpy(to + at, from + at, piece);
		cond_resched();
	}
}

/*
 * Take a lock that others hold while the TPM works. A task that is to be frozen meanwhile
 * does not begin: -EAGAIN, and assay_pause() is to be called. -EINTR: killed.
 */
static inline int assay_lock(struct mutex *lock)
{
	if (mutex_lock_killable(lock))
		return -EINTR;
	if (!freezing(current))
		return 0;
	mutex_unlock(lock);
	return -EAGAIN;
}

/* Between two pieces, without a lock: -EINTR if the task was killed. */
static inline int assay_pause(void)
{
	try_to_freeze();
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

#endif /* _ASSAY_PIECE_H */
