/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in a ring the bytes of a log lie. Arithmetic alone: tested in user space as well. */
#ifndef _ASSAY_LAYOUT_H
#define _ASSAY_LAYOUT_H

#include <linux/types.h>

/*
 * No log gets as far. Offsets and numbers of records that were found in memory are below, so
 * that adding the size of a ring to them does not overflow, nor what is appended in the life
 * of a machine.
 */
#define ASSAY_LAYOUT_LIMIT 0x4000000000000000ULL

/* A TLV's length has 32 bits, and readers count in signed numbers. */
#define ASSAY_LAYOUT_RECORD_MAX 0x7fffffffU

/**
 * struct assay_layout - a ring that is claimed by chunks
 * @size: bytes of the ring
 * @chunk: bytes that are claimed together; the last chunk of the ring may be smaller
 */
struct assay_layout {
	__u64 size;
	__u64 chunk;
};

__u64 assay_layout_place(const struct assay_layout *layout, __u64 offset);
__u64 assay_layout_chunk(const struct assay_layout *layout, __u64 border);
__u64 assay_layout_below(const struct assay_layout *layout, __u64 offset);
__u64 assay_layout_above(const struct assay_layout *layout, __u64 offset);
__u32 assay_layout_record_limit(__u64 ring_size);
int assay_layout_resume(const struct assay_layout *layout, __u64 head, __u64 tail, __u64 *ret_floor,
			__u64 *ret_limit);

#endif /* _ASSAY_LAYOUT_H */
