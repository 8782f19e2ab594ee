/* SPDX-License-Identifier: GPL-2.0-only */
/* Work on many bytes is done in pieces, with a scheduling point after each. */
#ifndef _ASSAY_PIECE_H
#define _ASSAY_PIECE_H

#include <linux/minmax.h>
#include <linux/sched.h>
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

#endif /* _ASSAY_PIECE_H */
