/* SPDX-License-Identifier: MIT */
/*
 * The upper part of a large file's tree, with one block of each level in memory. It is given, in
 * order, the hashes that the file's pieces come down to (verity/runs.h). One thread at a time,
 * with any hasher of the same parameters.
 */
#ifndef ASSAY_VERITY_TOP_H
#define ASSAY_VERITY_TOP_H

#include "verity/runs.h"

struct hasher_top;

/* @base: the height of the hashes that it is given */
int hasher_top_new(const struct merkle *merkle, unsigned int base, struct verity_output *output,
		   struct hasher_top **ret, struct assay_error *err);
void hasher_top_free(struct hasher_top *top);
int hasher_top_add(struct hasher_top *top, struct verity_hasher *hasher, const uint8_t *digests,
		   size_t count, struct assay_error *err);

/*
 * hasher_top_add_zeros() - add @count hashes over data that is all zeros
 *
 * Takes the time of a few blocks for each level, whatever @count is. Not for a tree that is
 * written.
 */
int hasher_top_add_zeros(struct hasher_top *top, struct verity_hasher *hasher, uint64_t count,
			 struct assay_error *err);

/* hasher_top_finish() - all were added: the fs-verity digest */
int hasher_top_finish(struct hasher_top *top, struct verity_hasher *hasher,
		      struct assay_digest *ret, struct assay_error *err);

#endif /* ASSAY_VERITY_TOP_H */
