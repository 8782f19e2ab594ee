// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#ifdef __KERNEL__
#include <linux/math64.h>
#endif

#include "layout.h"

/* Room without which resuming is not worth it: for a few records of the ledger's own. */
#define RESUME_ROOM 16384

static __u64 remainder_of(__u64 dividend, __u64 divisor)
{
#ifdef __KERNEL__
	u64 remainder;

	div64_u64_rem(dividend, divisor, &remainder);
	return remainder;
#else
	return dividend % divisor;
#endif
}

/**
 * assay_layout_place() - where an offset of the log is in the ring
 * @layout: ring
 * @offset: any
 */
__u64 assay_layout_place(const struct assay_layout *layout, __u64 offset)
{
	return remainder_of(offset, layout->size);
}

/**
 * assay_layout_record_limit() - the most bytes of fields in a record
 * @ring_size: bytes of the ring
 *
 * No more than the ring holds, and less than 2 GiB.
 */
__u32 assay_layout_record_limit(__u64 ring_size)
{
	return ring_size < ASSAY_LAYOUT_RECORD_MAX ? ring_size : ASSAY_LAYOUT_RECORD_MAX;
}

/**
 * assay_layout_chunk() - bytes from a border of chunks to the next
 * @layout: ring
 * @border: offset at which a chunk begins
 */
__u64 assay_layout_chunk(const struct assay_layout *layout, __u64 border)
{
	__u64 left = layout->size - assay_layout_place(layout, border);

	return left < layout->chunk ? left : layout->chunk;
}

/**
 * assay_layout_below() - the border at an offset, or the last one before it
 * @layout: ring
 * @offset: any
 */
__u64 assay_layout_below(const struct assay_layout *layout, __u64 offset)
{
	return offset - remainder_of(assay_layout_place(layout, offset), layout->chunk);
}

/**
 * assay_layout_above() - the border at an offset, or the first one behind it
 * @layout: ring
 * @offset: not above ASSAY_LAYOUT_LIMIT
 */
__u64 assay_layout_above(const struct assay_layout *layout, __u64 offset)
{
	__u64 below = assay_layout_below(layout, offset);

	return below == offset ? offset : below + assay_layout_chunk(layout, below);
}

/**
 * assay_layout_resume() - the chunks of a log that is in memory already
 * @layout: ring
 * @head: offset of its oldest byte
 * @tail: offset behind its newest
 * @ret_floor: set to the border where its first chunk begins
 * @ret_limit: set to the border where its last chunk ends
 *
 * Return: 0; -ENOSPC if there is no room for anything more; -EINVAL if there is no such log.
 */
int assay_layout_resume(const struct assay_layout *layout, __u64 head, __u64 tail, __u64 *ret_floor,
			__u64 *ret_limit)
{
	__u64 floor;

	if (head > tail || tail > ASSAY_LAYOUT_LIMIT || tail - head > layout->size)
		return -EINVAL;
	floor = assay_layout_below(layout, head);
	if (tail - floor + RESUME_ROOM > layout->size)
		return -ENOSPC;
	*ret_floor = floor;
	*ret_limit = assay_layout_above(layout, tail);
	return 0;
}
