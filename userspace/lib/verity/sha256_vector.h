/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 with a message in each element of a vector register, the same for vectors of any
 * width. A file for one instruction set defines these, and then includes this:
 *
 *	VECTOR, LANES      a vector of so many 32-bit words
 *	INLINE             how functions for it are declared
 *	vector_add(a, b)   and vector_xor(a, b, c), vector_choose(e, f, g), vector_majority(a, b,
 *c), vector_shift(x, count), vector_rotate(x, count), vector_set(word), vector_store(words, x)
 *	load_block(words, in, offset)
 *	                   16 big-endian words of each message; words[i] gets the i-th of each
 */

#include <string.h>

/*
 * A round; @sum is of the schedule's word and the constant. @v[0] to [7] are a to h. Added in the
 * order in which the values are there, as e is the last of them.
 */
INLINE void one_round(VECTOR v[8], VECTOR sum)
{
	VECTOR a = v[0], e = v[4];
	VECTOR t1 = vector_add(
		vector_add(vector_add(v[7], sum), vector_choose(e, v[5], v[6])),
		vector_xor(vector_rotate(e, 6), vector_rotate(e, 11), vector_rotate(e, 25)));
	VECTOR t2 = vector_add(
		vector_xor(vector_rotate(a, 2), vector_rotate(a, 13), vector_rotate(a, 22)),
		vector_majority(a, v[1], v[2]));

	v[7] = v[6];
	v[6] = v[5];
	v[5] = e;
	v[4] = vector_add(v[3], t1);
	v[3] = v[2];
	v[2] = v[1];
	v[1] = a;
	v[0] = vector_add(t1, t2);
}

/* The schedule's word 16 rounds on, in the place of the one that is used up. */
INLINE void next_word(VECTOR words[16], int i)
{
	VECTOR x = words[(i + 1) % 16], y = words[(i + 14) % 16];

	words[i] = vector_add(
		vector_add(
			vector_add(words[i], words[(i + 9) % 16]),
			vector_xor(vector_rotate(x, 7), vector_rotate(x, 18), vector_shift(x, 3))),
		vector_xor(vector_rotate(y, 17), vector_rotate(y, 19), vector_shift(y, 10)));
}

INLINE void add(VECTOR v[8], const VECTOR before[8])
{
#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		v[i] = vector_add(v[i], before[i]);
}

INLINE void compress(VECTOR v[8], const uint8_t *const *in, size_t offset)
{
	VECTOR before[8], words[16];

	memcpy(before, v, sizeof(before));
	load_block(words, in, offset);
	for (int round = 0; round < SHA256_ROUNDS - 16; round += 16) {
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			one_round(v, vector_add(words[i], vector_set(sha256_constants[round + i])));
			next_word(words, i);
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		one_round(v, vector_add(words[i],
					vector_set(sha256_constants[SHA256_ROUNDS - 16 + i])));
	add(v, before);
}

/* A block that is the same in all lanes, with its schedule and the constants added up. */
INLINE void compress_known(VECTOR v[8], const uint32_t *known)
{
	VECTOR before[8];

	memcpy(before, v, sizeof(before));
	for (int round = 0; round < SHA256_ROUNDS; round += 16) {
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++)
			one_round(v, vector_set(known[round + i]));
	}
	add(v, before);
}

INLINE void hash(const struct sha256_shape *shape, const uint8_t *const *in, uint8_t *const *out)
{
	uint32_t values[8][LANES];
	VECTOR v[8];

#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		v[i] = vector_set(shape->initial[i]);
	for (size_t block = 0; block < shape->blocks; block++)
		compress(v, in, SHA256_BLOCK * block);
	for (size_t block = 0; block < shape->zero_blocks; block++)
		compress_known(v, sha256_constants);
	if (!shape->padded)
		compress_known(v, shape->padding);
#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		vector_store(values[i], v[i]);
	for (int lane = 0; lane < LANES; lane++) {
		for (int i = 0; i < 8; i++) {
			uint32_t word = __builtin_bswap32(values[i][lane]);

			memcpy(out[lane] + 4 * i, &word, sizeof(word));
		}
	}
}
