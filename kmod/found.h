/* SPDX-License-Identifier: GPL-2.0-only */
/* A log found in memory that outlived the kernel that wrote it. */
#ifndef _ASSAY_FOUND_H
#define _ASSAY_FOUND_H

#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <linux/types.h>

#include "uapi/assay.h"

/**
 * struct assay_found_bytes - bytes of the memory
 * @data: first byte
 * @size: how many
 */
struct assay_found_bytes {
	const __u8 *data;
	__u64 size;
};

/**
 * typedef assay_found_hash - how to compute a digest
 * @context: as given to assay_found_check()
 * @alg: ASSAY_ALG_*
 * @pieces: what to hash, two pieces, either of which may be empty
 * @digest: to be set; room for ASSAY_MAX_DIGEST bytes
 *
 * Return: 0; -ENOPKG where it cannot be computed here; another negative errno.
 */
typedef int (*assay_found_hash)(void *context, __u16 alg, const struct assay_found_bytes pieces[2],
				__u8 *digest);

/**
 * struct assay_found - what was found
 * @header: as it must be to describe what is good: head to tail, with the PCR's values at
 *          head (start; taken from what was found) and at anchored (value; computed). With
 *          ASSAY_LOG_DAMAGED, tail and damaged_at are behind the last good record
 * @was: the header that was found, with the head where it was before a cut that was cut off
 * @what: what is wrong, for people, as the end of a sentence "it is damaged: ..."; NULL if
 *        nothing is
 * @unvouched: that is what is wrong: all records are good, but nothing says that the first
 *             of them is the first of the log, or the one that it was cut before
 */
struct assay_found {
	struct assay_log_header header;
	struct assay_log_header was;
	const char *what;
	bool unvouched;
};

int assay_found_check(struct assay_found_bytes window, assay_found_hash hash, void *context,
		      struct assay_found *ret);

#endif /* _ASSAY_FOUND_H */
