/* SPDX-License-Identifier: MIT */
/*
 * Computes digests, one after the other; one hasher a thread. Holds the engines and all
 * buffers, so that small files cost no set-up. Its memory does not depend on the files' sizes.
 * What it is given, and what it makes beside digests.
 */
#ifndef ASSAY_VERITY_HASHER_H
#define ASSAY_VERITY_HASHER_H

#include <sys/types.h>

#include "verity/merkle.h"

struct verity_hasher;

int verity_hasher_new(const struct verity_parameters *parameters, struct verity_hasher **ret,
		      struct assay_error *err);

/*
 * verity_hasher_new_small() - also for blocks smaller than any kernel takes, see
 * verity_check_parameters_small()
 */
int verity_hasher_new_small(const struct verity_parameters *parameters, struct verity_hasher **ret,
			    struct assay_error *err);

void verity_hasher_free(struct verity_hasher *hasher);

/*
 * verity_read_function - the next bytes of the data
 *
 * Return: how many were put at @data: @size, less only at the data's end; or a
 * negative errno with *err set
 */
typedef ssize_t (*verity_read_function)(void *context, void *data, size_t size,
					struct assay_error *err);

/**
 * struct verity_output - what to make of a file beside its digest
 * @write: takes blocks of the Merkle tree, for @offset bytes from where the kernel stores it:
 *         the root's level comes first. In no order, from several threads at once in a pool;
 *         0, or a negative errno with *err set, which is the digest's failure. NULL: no tree.
 * @descriptor: set with the digest: struct fsverity_descriptor as it is hashed
 */
struct verity_output {
	int (*write)(void *context, uint64_t offset, struct bytes blocks, struct assay_error *err);
	void *context;
	uint8_t descriptor[VERITY_DESCRIPTOR_SIZE];
};

#endif /* ASSAY_VERITY_HASHER_H */
