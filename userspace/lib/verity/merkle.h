/* SPDX-License-Identifier: MIT */
/*
 * The shape of a file's Merkle tree, and the descriptor over it
 * (Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor").
 *
 * Hashes of height 0 are those of the data's blocks. Those of one height, in blocks of the
 * tree, are hashed to those of the next, until one is left: the root hash.
 */
#ifndef ASSAY_VERITY_MERKLE_H
#define ASSAY_VERITY_MERKLE_H

#include "verity/parameters.h"

/* FS_VERITY_MAX_LEVELS in fs/verity/fsverity_private.h. */
#define MERKLE_LEVELS_KERNEL 8
/* What the largest file has in the smallest blocks, which no kernel takes, and some. */
#define MERKLE_LEVELS_MAX 64

/**
 * struct merkle - a tree
 * @size: of the data, in bytes
 * @per_block: hashes in a full block of the tree
 * @levels: the root hash's height; 0 also without data, where all its bytes are zero
 * @tree_size: of all blocks of the tree, in bytes
 *
 * As small as it is since each of many small files has one.
 */
struct merkle {
	uint64_t size;
	size_t block_size, digest_size, per_block;
	unsigned int levels;
	uint64_t tree_size;
};

/*
 * merkle_plan() - the tree for @size bytes of data
 * Return: 0; -EFBIG if no kernel that takes the block size could have it: too many levels
 */
int merkle_plan(const struct verity_parameters *parameters, uint64_t size, struct merkle *ret);

/*
 * merkle_offset() - where the tree's blocks with the hashes of a height, below @levels, are
 * stored, in bytes: after those of greater heights
 */
uint64_t merkle_offset(const struct merkle *merkle, unsigned int height);

/* merkle_too_large() - says so of the data that @name names; -EFBIG */
int merkle_too_large(const struct verity_parameters *parameters, const char *name,
		     struct assay_error *err);

/* merkle_descriptor() - struct fsverity_descriptor without signature */
void merkle_descriptor(const struct verity_parameters *parameters, uint64_t size,
		       const uint8_t *root, uint8_t descriptor[VERITY_DESCRIPTOR_SIZE]);

#endif /* ASSAY_VERITY_MERKLE_H */
