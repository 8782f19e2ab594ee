/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a record is framed (uapi/assay.h): what stands before its content. Pure: knows
 * neither the ring nor the kernel, so that it is fuzzed in user space as well. Called by
 * trim for records of the log, and by adopt for bytes that nobody vouches for.
 */
#ifndef _ASSAY_FRAME_H
#define _ASSAY_FRAME_H

#include <linux/types.h>

#include "uapi/assay.h"

/* RECNUM, PCR, DIGESTS with every ASSAY_ALG_*, and type and length of the content. */
#define ASSAY_FRAME_MAX (5 + 8 + 5 + 1 + 5 + (5 + 20) + (5 + 32) + (5 + 48) + (5 + 64) + 5)

/**
 * struct assay_frame - a record's framing
 * @recnum: its number
 * @pcr: the PCR that it is for
 * @digests: TLVs of digests
 * @digests_size: bytes of them
 * @content: where the content TLV begins in the record
 * @size: bytes of the whole record
 */
struct assay_frame {
	__u64 recnum;
	__u8 pcr;
	const __u8 *digests;
	__u32 digests_size;
	__u64 content;
	__u64 size;
};

int assay_frame_parse(const __u8 *bytes, __u64 size, struct assay_frame *ret);
const __u8 *assay_frame_digest(const struct assay_frame *frame, __u16 alg);

/**
 * assay_frame_digest_size() - bytes of a digest
 * @alg: ASSAY_ALG_*
 *
 * Return: 0 for anything else.
 */
__u32 assay_frame_digest_size(__u16 alg);

#endif /* _ASSAY_FRAME_H */
