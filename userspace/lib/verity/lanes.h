/* SPDX-License-Identifier: MIT */
/*
 * Hashes of many blocks of one Merkle tree, or of many, by the fastest way that this
 * processor has: the blocks do not depend on each other, so engines hash several side by
 * side. Also of entries of logs. For hasher.c and log/hasher.c; knows nothing of trees.
 */
#ifndef ASSAY_VERITY_LANES_H
#define ASSAY_VERITY_LANES_H

#include "verity/parameters.h"
#include "verity/sha256.h"

/* Blocks are read to the next multiple of this, which all block sizes are. */
#define LANES_GRANULE 64

/* For one thread: it holds OpenSSL's contexts. */
struct lanes;

int lanes_new(const struct verity_parameters *parameters, struct lanes **ret,
	      struct assay_error *err);
void lanes_free(struct lanes *lanes);

/*
 * lanes_hash() - H(salt || block) of @count blocks of the parameters' size
 * @in: the blocks
 * @out: each digest's place; no block of @in may be there
 * @used: bytes of each that are not zeros for certain. Those from there to the next multiple
 *        of LANES_GRANULE must be zero; what follows is taken for zeros and not read.
 *
 * Return: 0, -EIO
 */
int lanes_hash(struct lanes *lanes, size_t count, const uint8_t *const *in, uint8_t *const *out,
	       size_t used, struct assay_error *err);

/* lanes_hash_descriptors() - H(descriptor) of @count of VERITY_DESCRIPTOR_SIZE bytes */
int lanes_hash_descriptors(struct lanes *lanes, size_t count, const uint8_t *const *in,
			   uint8_t *const *out, struct assay_error *err);

/*
 * lanes_hash_padded() - SHA-256 of @count messages, whatever the parameters
 * @in: each with its padding (FIPS 180-4, section 5.1.1), together @blocks blocks of
 *      SHA256_BLOCK bytes, of all the same
 */
void lanes_hash_padded(const struct lanes *lanes, size_t count, const uint8_t *const *in,
		       uint8_t *const *out, size_t blocks);

/**
 * struct lanes_engine - one way of hashing
 * @name: of the instructions, "openssl" for those that it chooses
 * @lanes: messages side by side
 * @usable: NULL if everywhere
 * @function: NULL if by OpenSSL
 */
struct lanes_engine {
	const char *name;
	enum assay_hash hash;
	unsigned int lanes;
	bool (*usable)(void);
	sha256_function function;
};

/* lanes_engine() - the @index-th that this processor can use; NULL after the last */
const struct lanes_engine *lanes_engine(size_t index);

/*
 * lanes_use_only() - use this engine and no other, NULL: choose again
 *
 * For tests and benchmarks. Has effect on what lanes_new() makes from then on; an engine for
 * another hash has none.
 */
void lanes_use_only(const struct lanes_engine *engine);

/*
 * lanes_rate() - how many bytes a second one thread hashes with an engine, in blocks of 4096
 * bytes that stay in its cache: the limit of what a file can be digested with
 */
int lanes_rate(const struct lanes_engine *engine, uint64_t *ret, struct assay_error *err);

#endif /* ASSAY_VERITY_LANES_H */
