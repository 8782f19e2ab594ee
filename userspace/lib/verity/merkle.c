// SPDX-License-Identifier: MIT
#include "verity/merkle.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Offsets in struct fsverity_descriptor. */
enum {
	DESCRIPTOR_VERSION = 0,
	DESCRIPTOR_HASH_ALGORITHM = 1,
	DESCRIPTOR_LOG_BLOCK_SIZE = 2,
	DESCRIPTOR_SALT_SIZE = 3,
	DESCRIPTOR_DATA_SIZE = 8,
	DESCRIPTOR_ROOT_HASH = 16,
	DESCRIPTOR_SALT = 80,
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

int merkle_plan(const struct verity_parameters *parameters, uint64_t size, struct merkle *ret)
{
	struct merkle merkle = {
		.size = size,
		.block_size = parameters->block_size,
		.digest_size = assay_hash_size(parameters->hash),
	};
	unsigned int most = parameters->block_size < VERITY_BLOCK_SIZE_MIN ? MERKLE_LEVELS_MAX :
									     MERKLE_LEVELS_KERNEL;
	uint64_t hashes;

	merkle.per_block = merkle.block_size / merkle.digest_size;
	for (hashes = divide_up(size, merkle.block_size); hashes > 1; merkle.levels++) {
		if (merkle.levels == most)
			return -EFBIG;
		hashes = divide_up(hashes, merkle.per_block);
		merkle.tree_size += hashes * merkle.block_size;
	}
	*ret = merkle;
	return 0;
}

uint64_t merkle_offset(const struct merkle *merkle, unsigned int height)
{
	uint64_t hashes = divide_up(merkle->size, merkle->block_size);
	uint64_t offset = merkle->tree_size;

	/* The blocks of this height and of those below come last. */
	for (unsigned int below = 0; below <= height; below++) {
		hashes = divide_up(hashes, merkle->per_block);
		offset -= hashes * merkle->block_size;
	}
	return offset;
}

int merkle_too_large(const struct verity_parameters *parameters, const char *name,
		     struct assay_error *err)
{
	return assay_fail(err, EFBIG,
			  "%s is too large for fs-verity with blocks of %" PRIu32
			  " bytes; use larger blocks",
			  name, parameters->block_size);
}

void merkle_descriptor(const struct verity_parameters *parameters, uint64_t size,
		       const uint8_t *root, uint8_t descriptor[VERITY_DESCRIPTOR_SIZE])
{
	memset(descriptor, 0, VERITY_DESCRIPTOR_SIZE);
	descriptor[DESCRIPTOR_VERSION] = 1;
	descriptor[DESCRIPTOR_HASH_ALGORITHM] = (uint8_t)verity_algorithm(parameters->hash);
	descriptor[DESCRIPTOR_LOG_BLOCK_SIZE] = (uint8_t)__builtin_ctz(parameters->block_size);
	descriptor[DESCRIPTOR_SALT_SIZE] = (uint8_t)parameters->salt_size;
	for (int i = 0; i < 8; i++)
		descriptor[DESCRIPTOR_DATA_SIZE + i] = (uint8_t)(size >> (8 * i));
	memcpy(descriptor + DESCRIPTOR_ROOT_HASH, root, assay_hash_size(parameters->hash));
	memcpy(descriptor + DESCRIPTOR_SALT, parameters->salt, parameters->salt_size);
}
