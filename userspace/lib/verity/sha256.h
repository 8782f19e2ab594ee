/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 of several messages side by side, all of one length: the engines that
 * lanes.c chooses from, one file an instruction set. FIPS 180-4 gives the names.
 */
#ifndef ASSAY_VERITY_SHA256_H
#define ASSAY_VERITY_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64
#define SHA256_DIGEST 32
#define SHA256_ROUNDS 64
#define SHA256_LANES_MAX 16

/* The constants K (section 4.2.2) and the initial hash value (5.3.3). */
extern const uint32_t sha256_constants[SHA256_ROUNDS];
extern const uint32_t sha256_initial[8];

/**
 * struct sha256_shape - what the messages hashed at the same time have in common
 * @initial: the hash value to start from; it has taken the salt, if any
 * @blocks: 64-byte blocks to read of each message
 * @zero_blocks: blocks of zeros that follow them and are not read
 * @padded: the messages end with their own padding, in their last block, and none is added
 * @padding: else the last block, which is the padding only as all lengths are multiples of
 *           64: for each round its schedule's word plus the constant
 *
 * Blocks of zeros and the padding need no message schedule; those of zeros are what
 * most of a small file's tree block consists of.
 */
struct sha256_shape {
	uint32_t initial[8];
	size_t blocks, zero_blocks;
	bool padded;
	uint32_t padding[SHA256_ROUNDS];
};

/* sha256_compress() - one block, in plain C: for what is prepared once */
void sha256_compress(uint32_t value[8], const uint8_t block[SHA256_BLOCK]);

/*
 * sha256_set_padding() - the padding of messages of @length bytes, salt included; a
 * multiple of SHA256_BLOCK
 */
void sha256_set_padding(struct sha256_shape *shape, uint64_t length);

/*
 * An engine hashes as many messages as it has lanes.
 * @in: each message's @blocks * 64 bytes
 * @out: each digest's place
 */
typedef void (*sha256_function)(const struct sha256_shape *shape, const uint8_t *const *in,
				uint8_t *const *out);

#if defined(__x86_64__)
void sha256_ni_1(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out);
void sha256_ni_2(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out);
void sha256_avx2_8(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out);
void sha256_avx512_16(const struct sha256_shape *shape, const uint8_t *const *in,
		      uint8_t *const *out);
#elif defined(__aarch64__)
void sha256_armv8_1(const struct sha256_shape *shape, const uint8_t *const *in,
		    uint8_t *const *out);
void sha256_armv8_2(const struct sha256_shape *shape, const uint8_t *const *in,
		    uint8_t *const *out);
#endif

/* Whether this processor has the instructions, and the system lets them be used. */
bool sha256_ni_usable(void);
bool sha256_avx2_usable(void);
bool sha256_avx512_usable(void);
bool sha256_armv8_usable(void);

#endif /* ASSAY_VERITY_SHA256_H */
