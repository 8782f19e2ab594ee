// SPDX-License-Identifier: MIT
/*
 * The SHA-2 instructions of ARMv8. A round waits for the one before it, longer than the unit
 * is busy with it: two messages side by side fill the gaps.
 */
#include "verity/sha256.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#define SHA2 __attribute__((target("+crypto")))
#define INLINE SHA2 __attribute__((always_inline)) static inline

struct value {
	uint32x4_t abcd, efgh;
};

/* Four rounds of each lane, with the sums of schedule words and constants. */
INLINE void rounds(struct value *values, const uint32x4_t *sums, int lanes)
{
#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		uint32x4_t abcd = values[i].abcd;

		values[i].abcd = vsha256hq_u32(abcd, values[i].efgh, sums[i]);
		values[i].efgh = vsha256h2q_u32(values[i].efgh, abcd, sums[i]);
	}
}

INLINE void add(struct value *values, const struct value *before, int lanes)
{
#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		values[i].abcd = vaddq_u32(values[i].abcd, before[i].abcd);
		values[i].efgh = vaddq_u32(values[i].efgh, before[i].efgh);
	}
}

INLINE void compress(struct value *values, const uint8_t *const *in, size_t offset, int lanes)
{
	struct value before[2];
	uint32x4_t words[2][4], sums[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		before[i] = values[i];
#pragma GCC unroll 16
		for (int j = 0; j < 4; j++)
			words[i][j] =
				vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(in[i] + offset + 16 * j)));
	}
#pragma GCC unroll 16
	for (int round = 0; round < 16; round++) {
		const uint32x4_t constants = vld1q_u32(sha256_constants + 4 * round);

#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++) {
			uint32x4_t *word = &words[i][round % 4];

			if (round >= 4)
				*word = vsha256su1q_u32(
					vsha256su0q_u32(*word, words[i][(round + 1) % 4]),
					words[i][(round + 2) % 4], words[i][(round + 3) % 4]);
			sums[i] = vaddq_u32(*word, constants);
		}
		rounds(values, sums, lanes);
	}
	add(values, before, lanes);
}

/* A block that is the same in all lanes, with its schedule and the constants added up. */
INLINE void compress_known(struct value *values, const uint32_t *known, int lanes)
{
	struct value before[2];
	uint32x4_t sums[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++)
		before[i] = values[i];
#pragma GCC unroll 16
	for (int round = 0; round < 16; round++) {
#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++)
			sums[i] = vld1q_u32(known + 4 * round);
		rounds(values, sums, lanes);
	}
	add(values, before, lanes);
}

INLINE void hash(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out,
		 int lanes)
{
	struct value values[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		values[i].abcd = vld1q_u32(shape->initial);
		values[i].efgh = vld1q_u32(shape->initial + 4);
	}
	for (size_t block = 0; block < shape->blocks; block++)
		compress(values, in, SHA256_BLOCK * block, lanes);
	for (size_t block = 0; block < shape->zero_blocks; block++)
		compress_known(values, sha256_constants, lanes);
	if (!shape->padded)
		compress_known(values, shape->padding, lanes);
#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		vst1q_u8(out[i], vrev32q_u8(vreinterpretq_u8_u32(values[i].abcd)));
		vst1q_u8(out[i] + 16, vrev32q_u8(vreinterpretq_u8_u32(values[i].efgh)));
	}
}

SHA2 void sha256_armv8_1(const struct sha256_shape *shape, const uint8_t *const *in,
			 uint8_t *const *out)
{
	hash(shape, in, out, 1);
}

SHA2 void sha256_armv8_2(const struct sha256_shape *shape, const uint8_t *const *in,
			 uint8_t *const *out)
{
	hash(shape, in, out, 2);
}

bool sha256_armv8_usable(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SHA2;
}

#endif
