// SPDX-License-Identifier: MIT
/* SHA-256 of 8 messages in the registers of AVX2: for x86 without SHA extensions. */
#include "verity/sha256.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET __attribute__((always_inline)) static inline
#define VECTOR __m256i
#define LANES 8

#define vector_add _mm256_add_epi32
#define vector_shift _mm256_srli_epi32
#define vector_rotate(x, count) \
	_mm256_or_si256(_mm256_srli_epi32(x, count), _mm256_slli_epi32(x, 32 - (count)))
#define vector_xor(a, b, c) _mm256_xor_si256(_mm256_xor_si256(a, b), c)

INLINE __m256i vector_choose(__m256i e, __m256i f, __m256i g)
{
	return _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)));
}

INLINE __m256i vector_majority(__m256i a, __m256i b, __m256i c)
{
	return _mm256_xor_si256(b,
				_mm256_and_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(b, c)));
}

INLINE __m256i vector_set(uint32_t word)
{
	return _mm256_set1_epi32((int)word);
}

INLINE void vector_store(uint32_t words[LANES], __m256i x)
{
	_mm256_storeu_si256((__m256i *)words, x);
}

/* Half of the words, 8 of each message. */
INLINE void load_half(__m256i words[8], const uint8_t *const *in, size_t offset)
{
	/* Bytes are reversed within each word. */
	const __m256i order =
		_mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	__m256i rows[8];

#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		rows[i] = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(in[i] + offset)),
					      order);
		/* Transposed by words, pairs of words, and halves of a register. */
#pragma GCC unroll 16
	for (int i = 0; i < 8; i += 2) {
		words[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
		words[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 8; i += 4) {
		rows[i] = _mm256_unpacklo_epi64(words[i], words[i + 2]);
		rows[i + 1] = _mm256_unpackhi_epi64(words[i], words[i + 2]);
		rows[i + 2] = _mm256_unpacklo_epi64(words[i + 1], words[i + 3]);
		rows[i + 3] = _mm256_unpackhi_epi64(words[i + 1], words[i + 3]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 4; i++) {
		words[i] = _mm256_permute2x128_si256(rows[i], rows[i + 4], 0x20);
		words[i + 4] = _mm256_permute2x128_si256(rows[i], rows[i + 4], 0x31);
	}
}

INLINE void load_block(__m256i words[16], const uint8_t *const *in, size_t offset)
{
	load_half(words, in, offset);
	load_half(words + 8, in, offset + 32);
}

#include "verity/sha256_vector.h"

TARGET void sha256_avx2_8(const struct sha256_shape *shape, const uint8_t *const *in,
			  uint8_t *const *out)
{
	hash(shape, in, out);
}

bool sha256_avx2_usable(void)
{
	return __builtin_cpu_supports("avx2");
}

#endif
