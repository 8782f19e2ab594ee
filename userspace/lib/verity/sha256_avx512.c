// SPDX-License-Identifier: MIT
/*
 * SHA-256 of 16 messages in the registers of AVX-512, whose rotations and functions of three
 * values are one instruction each. Intel's cores do more so than with their SHA extensions.
 */
#include "verity/sha256.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define INLINE TARGET __attribute__((always_inline)) static inline
#define VECTOR __m512i
#define LANES 16

#define vector_shift _mm512_srli_epi32
#define vector_rotate _mm512_ror_epi32
/* The last operand is the function's truth table. */
#define vector_xor(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define vector_choose(e, f, g) _mm512_ternarylogic_epi32(e, f, g, 0xca)
#define vector_majority(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0xe8)

/*
 * In the order of the source. The compiler takes sums for something that may be regrouped, and
 * then has to keep more values than there are registers: a tenth slower, measured on Zen 4.
 */
INLINE __m512i vector_add(__m512i a, __m512i b)
{
	__m512i sum;

	__asm__ volatile("vpaddd %2, %1, %0" : "=v"(sum) : "v"(a), "v"(b));
	return sum;
}

INLINE __m512i vector_set(uint32_t word)
{
	return _mm512_set1_epi32((int)word);
}

INLINE void vector_store(uint32_t words[LANES], __m512i x)
{
	_mm512_storeu_si512(words, x);
}

INLINE void load_block(__m512i words[16], const uint8_t *const *in, size_t offset)
{
	/* Bytes are reversed within each word. */
	const __m512i order =
		_mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	__m512i rows[16];

#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		rows[i] = _mm512_loadu_si512(in[i] + offset);
		/* Transposed by words, pairs of words, and twice by quarters of a register. */
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 2) {
		words[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
		words[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 4) {
		rows[i] = _mm512_unpacklo_epi64(words[i], words[i + 2]);
		rows[i + 1] = _mm512_unpackhi_epi64(words[i], words[i + 2]);
		rows[i + 2] = _mm512_unpacklo_epi64(words[i + 1], words[i + 3]);
		rows[i + 3] = _mm512_unpackhi_epi64(words[i + 1], words[i + 3]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		int from = i / 8 * 8 + i % 4;

		words[i] = i % 8 < 4 ? _mm512_shuffle_i32x4(rows[from], rows[from + 4], 0x88) :
				       _mm512_shuffle_i32x4(rows[from], rows[from + 4], 0xdd);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 8; i++) {
		__m512i low = words[i], high = words[i + 8];

		words[i] = _mm512_shuffle_epi8(_mm512_shuffle_i32x4(low, high, 0x88), order);
		words[i + 8] = _mm512_shuffle_epi8(_mm512_shuffle_i32x4(low, high, 0xdd), order);
	}
}

#include "verity/sha256_vector.h"

TARGET void sha256_avx512_16(const struct sha256_shape *shape, const uint8_t *const *in,
			     uint8_t *const *out)
{
	hash(shape, in, out);
}

/* The compiler asks, too, whether the system saves the registers. */
bool sha256_avx512_usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

#endif
