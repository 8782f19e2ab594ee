/* SPDX-License-Identifier: MIT */
/*
 * What, beside the data, an fs-verity digest depends on, and the numbers that the kernel has
 * for it (Documentation/filesystems/fsverity.rst). Knows nothing of hashing.
 */
#ifndef ASSAY_VERITY_PARAMETERS_H
#define ASSAY_VERITY_PARAMETERS_H

#include "base/bytes.h"

/* What the kernel takes at most: 32 bytes of salt, blocks of 1 KiB up to its page size. */
#define VERITY_SALT_MAX 32
#define VERITY_BLOCK_SIZE_MIN 1024
#define VERITY_BLOCK_SIZE_MAX 65536
#define VERITY_BLOCK_SIZE_DEFAULT 4096

/* Blocks that no kernel takes, but of which digests can be computed (verity_hasher_new_small()). */
#define VERITY_BLOCK_SIZE_SMALL 64

/* sizeof(struct fsverity_descriptor), of which the digest is the hash. */
#define VERITY_DESCRIPTOR_SIZE 256

/**
 * struct verity_parameters - what, beside the data, an fs-verity digest depends on
 * @hash: ASSAY_HASH_SHA256 or ASSAY_HASH_SHA512
 * @block_size: bytes of a Merkle tree block, a power of two from
 *              VERITY_BLOCK_SIZE_MIN to VERITY_BLOCK_SIZE_MAX
 * @salt_size: 0 to VERITY_SALT_MAX
 */
struct verity_parameters {
	enum assay_hash hash;
	uint32_t block_size;
	size_t salt_size;
	uint8_t salt[VERITY_SALT_MAX];
};

#define VERITY_PARAMETERS_DEFAULT                               \
	((struct verity_parameters){ .hash = ASSAY_HASH_SHA256, \
				     .block_size = VERITY_BLOCK_SIZE_DEFAULT })

/* verity_check_parameters() - -EINVAL with the limit that is not kept */
int verity_check_parameters(const struct verity_parameters *parameters, struct assay_error *err);

/*
 * verity_check_parameters_small() - the same, but blocks may have from VERITY_BLOCK_SIZE_SMALL
 * bytes, if two digests have room in one
 */
int verity_check_parameters_small(const struct verity_parameters *parameters,
				  struct assay_error *err);

/*
 * verity_set_block_size() - as people write it on a command line, in decimal
 * Return: 0; -EINVAL with a sentence, and @parameters as they were
 */
int verity_set_block_size(struct verity_parameters *parameters, const char *text,
			  struct assay_error *err);

/* verity_algorithm() - FS_VERITY_HASH_ALG_*; 0 for a hash that fs-verity does not have */
uint16_t verity_algorithm(enum assay_hash hash);
/* verity_hash_by_algorithm() - the reverse; ASSAY_HASH_NONE for a number not known */
enum assay_hash verity_hash_by_algorithm(uint16_t algorithm);

#endif /* ASSAY_VERITY_PARAMETERS_H */
