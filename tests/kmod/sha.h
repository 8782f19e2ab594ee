/* SPDX-License-Identifier: MIT */
/*
 * SHA-1, SHA-256, SHA-384 and SHA-512 straight from FIPS 180-4, so that the tests in
 * guests check digests with something other than the kernel and OpenSSL. Slow.
 */
#ifndef TESTS_KMOD_SHA_H
#define TESTS_KMOD_SHA_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FIPS 180-4, 4.2.3; the upper halves of the first 64 are those of 4.2.2. */
static const uint64_t sha_k[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* 5.3.4 and 5.3.5; the upper halves of the latter are those of 5.3.3. */
static const uint64_t sha384_start[8] = {
	0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
	0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};
static const uint64_t sha512_start[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static inline uint32_t sha_right32(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static inline uint64_t sha_right64(uint64_t x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

static inline uint64_t sha_read(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *bytes++;
	return value;
}

/* 6.1.2 */
static inline void sha1_block(uint64_t state[8], const uint8_t *block)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80], v[5];

	for (int t = 0; t < 80; t++)
		w[t] = t < 16 ? (uint32_t)sha_read(block + 4 * t, 4) :
				sha_right32(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 31);
	for (int i = 0; i < 5; i++)
		v[i] = (uint32_t)state[i];
	for (int t = 0; t < 80; t++) {
		uint32_t f = t < 20 ? (v[1] & v[2]) ^ (~v[1] & v[3]) :
			     t < 40 ? v[1] ^ v[2] ^ v[3] :
			     t < 60 ? (v[1] & v[2]) ^ (v[1] & v[3]) ^ (v[2] & v[3]) :
				      v[1] ^ v[2] ^ v[3];
		uint32_t next = sha_right32(v[0], 27) + f + v[4] + k[t / 20] + w[t];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = sha_right32(v[1], 2);
		v[1] = v[0];
		v[0] = next;
	}
	for (int i = 0; i < 5; i++)
		state[i] = (uint32_t)(state[i] + v[i]);
}

/* 6.2.2 */
static inline void sha256_block(uint64_t state[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	for (int t = 0; t < 64; t++) {
		if (t < 16) {
			w[t] = (uint32_t)sha_read(block + 4 * t, 4);
			continue;
		}
		w[t] = w[t - 16] + w[t - 7] +
		       (sha_right32(w[t - 15], 7) ^ sha_right32(w[t - 15], 18) ^ w[t - 15] >> 3) +
		       (sha_right32(w[t - 2], 17) ^ sha_right32(w[t - 2], 19) ^ w[t - 2] >> 10);
	}
	for (int i = 0; i < 8; i++)
		v[i] = (uint32_t)state[i];
	for (int t = 0; t < 64; t++) {
		uint32_t first, second;

		first = v[7] + ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(sha_k[t] >> 32) +
			w[t] +
			(sha_right32(v[4], 6) ^ sha_right32(v[4], 11) ^ sha_right32(v[4], 25));
		second = (sha_right32(v[0], 2) ^ sha_right32(v[0], 13) ^ sha_right32(v[0], 22)) +
			 ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += first;
		v[0] = first + second;
	}
	for (int i = 0; i < 8; i++)
		state[i] = (uint32_t)(state[i] + v[i]);
}

/* 6.4.2 */
static inline void sha512_block(uint64_t state[8], const uint8_t *block)
{
	uint64_t w[80], v[8];

	for (int t = 0; t < 80; t++) {
		if (t < 16) {
			w[t] = sha_read(block + 8 * t, 8);
			continue;
		}
		w[t] = w[t - 16] + w[t - 7] +
		       (sha_right64(w[t - 15], 1) ^ sha_right64(w[t - 15], 8) ^ w[t - 15] >> 7) +
		       (sha_right64(w[t - 2], 19) ^ sha_right64(w[t - 2], 61) ^ w[t - 2] >> 6);
	}
	memcpy(v, state, sizeof(v));
	for (int t = 0; t < 80; t++) {
		uint64_t first, second;

		first = v[7] + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[t] + w[t] +
			(sha_right64(v[4], 14) ^ sha_right64(v[4], 18) ^ sha_right64(v[4], 41));
		second = (sha_right64(v[0], 28) ^ sha_right64(v[0], 34) ^ sha_right64(v[0], 39)) +
			 ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += first;
		v[0] = first + second;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

/* The digest of @digest_size bytes (20, 32, 48 or 64 choose the algorithm). */
static inline void sha(unsigned int digest_size, const void *data, size_t size, uint8_t *digest)
{
	const unsigned int block_size = digest_size > 32 ? 128 : 64;
	const unsigned int word_size = block_size / 16;
	void (*const block)(uint64_t *, const uint8_t *) = digest_size > 32  ? sha512_block :
							   digest_size == 32 ? sha256_block :
									       sha1_block;
	const uint8_t *bytes = (const uint8_t *)data;
	uint64_t state[8] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t last[256] = { 0 };
	size_t rest = size % block_size, padded;

	if (digest_size > 20) {
		memcpy(state, digest_size == 48 ? sha384_start : sha512_start, sizeof(state));
		for (int i = 0; digest_size == 32 && i < 8; i++)
			state[i] >>= 32;
	}
	for (size_t at = 0; at + block_size <= size; at += block_size)
		block(state, bytes + at);
	/* 5.1: a one, zeros, the length in bits at the end of a block. */
	if (rest)
		memcpy(last, bytes + size - rest, rest);
	last[rest] = 0x80;
	padded = rest + 1 + 2 * word_size > block_size ? 2 * block_size : block_size;
	for (int i = 0; i < 8; i++)
		last[padded - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
	for (size_t at = 0; at < padded; at += block_size)
		block(state, last + at);
	for (unsigned int i = 0; i < digest_size; i++)
		digest[i] = (uint8_t)(state[i / word_size] >> 8 * (word_size - 1 - i % word_size));
}

#endif /* TESTS_KMOD_SHA_H */
