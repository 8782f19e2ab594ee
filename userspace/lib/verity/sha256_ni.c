// SPDX-License-Identifier: MIT
/*
 * The SHA extensions of x86. A round waits for the one before it, longer than the unit is
 * busy with it: two messages side by side fill the gaps, where the processor has any.
 */
#include "verity/sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define NI __attribute__((target("sha,sse4.1")))
#define INLINE NI __attribute__((always_inline)) static inline

/**
 * struct value - a hash value as the instructions want it
 * @abef, @cdgh: words a, b, e, f and c, d, g, h, the first one highest
 */
struct value {
	__m128i abef, cdgh;
};

INLINE struct value load_value(const uint32_t words[8])
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)words);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(words + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);

	return (struct value){ .abef = _mm_alignr_epi8(cdab, efgh, 8),
			       .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0) };
}

/* Bytes of four words are reversed within each. */
INLINE __m128i swap_bytes(__m128i words)
{
	return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE void store_value(struct value value, uint8_t *out)
{
	__m128i feba = _mm_shuffle_epi32(value.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(value.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)out, swap_bytes(_mm_blend_epi16(feba, dchg, 0xf0)));
	_mm_storeu_si128((__m128i *)(out + 16), swap_bytes(_mm_alignr_epi8(dchg, feba, 8)));
}

INLINE __m128i load(const void *from)
{
	return _mm_loadu_si128(from);
}

/*
 * Four rounds of one message, the first half and the second, with the sums of schedule words
 * and constants.
 */
INLINE void first_half(struct value *value, __m128i sums)
{
	value->cdgh = _mm_sha256rnds2_epu32(value->cdgh, value->abef, sums);
}

INLINE void second_half(struct value *value, __m128i sums)
{
	value->abef =
		_mm_sha256rnds2_epu32(value->abef, value->cdgh, _mm_shuffle_epi32(sums, 0x0e));
}

INLINE void add(struct value *values, const struct value *before, int lanes)
{
#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		values[i].abef = _mm_add_epi32(values[i].abef, before[i].abef);
		values[i].cdgh = _mm_add_epi32(values[i].cdgh, before[i].cdgh);
	}
}

INLINE void compress(struct value *values, const uint8_t *const *in, size_t offset, int lanes)
{
	struct value before[2];
	__m128i words[2][4], sums[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++) {
		before[i] = values[i];
#pragma GCC unroll 16
		for (int j = 0; j < 4; j++)
			words[i][j] = swap_bytes(load(in[i] + offset + 16 * j));
	}
#pragma GCC unroll 16
	for (int round = 0; round < 16; round++) {
		const __m128i constants = load(sha256_constants + 4 * round);

#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++) {
			__m128i *word = &words[i][round % 4];
			__m128i last = words[i][(round + 3) % 4];

			if (round >= 4) {
				__m128i sum =
					_mm_sha256msg1_epu32(*word, words[i][(round + 1) % 4]);

				sum = _mm_add_epi32(
					sum, _mm_alignr_epi8(last, words[i][(round + 2) % 4], 4));
				*word = _mm_sha256msg2_epu32(sum, last);
			}
			sums[i] = _mm_add_epi32(*word, constants);
			first_half(&values[i], sums[i]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++)
			second_half(&values[i], sums[i]);
	}
	add(values, before, lanes);
}

/* A block that is the same in all lanes, with its schedule and the constants added up. */
INLINE void compress_known(struct value *values, const uint32_t *known, int lanes)
{
	struct value before[2];
	__m128i sums[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++)
		before[i] = values[i];
#pragma GCC unroll 16
	for (int round = 0; round < 16; round++) {
#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++) {
			sums[i] = load(known + 4 * round);
			first_half(&values[i], sums[i]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < lanes; i++)
			second_half(&values[i], sums[i]);
	}
	add(values, before, lanes);
}

INLINE void hash(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out,
		 int lanes)
{
	struct value values[2];

#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++)
		values[i] = load_value(shape->initial);
	for (size_t block = 0; block < shape->blocks; block++)
		compress(values, in, SHA256_BLOCK * block, lanes);
	for (size_t block = 0; block < shape->zero_blocks; block++)
		compress_known(values, sha256_constants, lanes);
	if (!shape->padded)
		compress_known(values, shape->padding, lanes);
#pragma GCC unroll 16
	for (int i = 0; i < lanes; i++)
		store_value(values[i], out[i]);
}

NI void sha256_ni_1(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out)
{
	hash(shape, in, out, 1);
}

NI void sha256_ni_2(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out)
{
	hash(shape, in, out, 2);
}

/* In a virtual machine each CPUID is an exit of some 20 us, so it is asked once. */
static bool usable;

__attribute__((constructor)) static void find_usable(void)
{
	unsigned int a, b, c, d;

	__builtin_cpu_init();
	usable = __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
		 (b & bit_SHA);
}

bool sha256_ni_usable(void)
{
	return usable;
}

#endif
