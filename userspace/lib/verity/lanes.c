// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/lanes.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"

static const struct lanes_engine engines[] = {
#if defined(__x86_64__)
	{ "sha-ni", ASSAY_HASH_SHA256, 1, sha256_ni_usable, sha256_ni_1 },
	{ "sha-ni-x2", ASSAY_HASH_SHA256, 2, sha256_ni_usable, sha256_ni_2 },
	{ "avx2-x8", ASSAY_HASH_SHA256, 8, sha256_avx2_usable, sha256_avx2_8 },
	{ "avx512-x16", ASSAY_HASH_SHA256, 16, sha256_avx512_usable, sha256_avx512_16 },
#elif defined(__aarch64__)
	{ "armv8", ASSAY_HASH_SHA256, 1, sha256_armv8_usable, sha256_armv8_1 },
	{ "armv8-x2", ASSAY_HASH_SHA256, 2, sha256_armv8_usable, sha256_armv8_2 },
#endif
	{ "openssl", ASSAY_HASH_SHA256, 1, NULL, NULL },
	{ "openssl", ASSAY_HASH_SHA512, 1, NULL, NULL },
};

#define ENGINES (sizeof(engines) / sizeof(engines[0]))

/* How long to measure an engine, in ns. */
#define RATE_TIME 100000000

/* One block of a salt, of the hash function's block size: 64 bytes or 128. */
#define SALT_BLOCK_MAX 128

/* Bytes of struct fsverity_descriptor up to those reserved. */
#define DESCRIPTOR_USED (80 + VERITY_SALT_MAX)

/**
 * struct lanes - see lanes.h
 * @costs: what one call of each engine takes, in any unit; 0 for those not to be used
 * @block, @descriptor: the shapes of what is hashed; @blocks and @zero_blocks change
 * @plain, @salted, @context: OpenSSL's, NULL if it is not used; @plain and @salted have
 *                                 begun, and @salted has taken the padded salt
 */
struct lanes {
	size_t block_size;
	uint64_t costs[ENGINES];
	struct sha256_shape block, descriptor;
	EVP_MD_CTX *plain, *salted, *context;
};

/* Set by lanes_use_only(). */
static const struct lanes_engine *only;

static bool engine_usable(const struct lanes_engine *engine)
{
	return !engine->usable || engine->usable();
}

const struct lanes_engine *lanes_engine(size_t index)
{
	for (size_t i = 0; i < ENGINES; i++)
		if (engine_usable(&engines[i]) && index-- == 0)
			return &engines[i];
	return NULL;
}

void lanes_use_only(const struct lanes_engine *engine)
{
	only = engine;
}

static int crypto_failed(struct assay_error *err)
{
	return assay_fail(err, EIO, "libcrypto failed to compute a digest");
}

/* @data's @used bytes, and zeros up to @size. */
static bool hash_by_openssl(struct lanes *lanes, const EVP_MD_CTX *begun, const uint8_t *data,
			    size_t used, size_t size, uint8_t *digest)
{
	static const uint8_t zeros[4096];

	if (!EVP_MD_CTX_copy_ex(lanes->context, begun) ||
	    !EVP_DigestUpdate(lanes->context, data, used))
		return false;
	for (size_t piece; used < size; used += piece) {
		piece = size - used < sizeof(zeros) ? size - used : sizeof(zeros);
		if (!EVP_DigestUpdate(lanes->context, zeros, piece))
			return false;
	}
	return EVP_DigestFinal_ex(lanes->context, digest, NULL);
}

/* The engine that gets most of @count messages done in a given time. */
static size_t best_engine(const uint64_t *costs, size_t count)
{
	size_t found = 0;
	uint64_t best_done = 0;

	for (size_t i = 0; i < ENGINES; i++) {
		uint64_t done = engines[i].lanes < count ? engines[i].lanes : count;

		/* Compared as fractions: done / cost. */
		if (costs[i] > 0 &&
		    (best_done == 0 || done * costs[found] > best_done * costs[i])) {
			found = i;
			best_done = done;
		}
	}
	return found;
}

/* One call of an engine of ours, for @done messages, as many as it has lanes or fewer. */
static void hash_some(const struct lanes_engine *engine, const struct sha256_shape *shape,
		      size_t done, const uint8_t *const *in, uint8_t *const *out)
{
	const uint8_t *some_in[SHA256_LANES_MAX];
	uint8_t *some_out[SHA256_LANES_MAX];
	uint8_t unused[SHA256_DIGEST];

	if (done == engine->lanes) {
		engine->function(shape, in, out);
		return;
	}
	/* Idle lanes do what the first one does. */
	for (size_t i = 0; i < engine->lanes; i++) {
		some_in[i] = in[i < done ? i : 0];
		some_out[i] = i < done ? out[i] : unused;
	}
	engine->function(shape, some_in, some_out);
}

static bool hash_all(struct lanes *lanes, const struct sha256_shape *shape, const EVP_MD_CTX *begun,
		     size_t count, const uint8_t *const *in, uint8_t *const *out, size_t used,
		     size_t size)
{
	while (count > 0) {
		const struct lanes_engine *engine = &engines[best_engine(lanes->costs, count)];
		size_t done = engine->lanes < count ? engine->lanes : count;

		if (engine->function)
			hash_some(engine, shape, done, in, out);
		else if (!hash_by_openssl(lanes, begun, *in, used, size, *out))
			return false;
		count -= done;
		in += done;
		out += done;
	}
	return true;
}

static void set_used(struct sha256_shape *shape, size_t used, size_t size)
{
	shape->blocks = (used + SHA256_BLOCK - 1) / SHA256_BLOCK;
	shape->zero_blocks = size / SHA256_BLOCK - shape->blocks;
}

int lanes_hash(struct lanes *lanes, size_t count, const uint8_t *const *in, uint8_t *const *out,
	       size_t used, struct assay_error *err)
{
	set_used(&lanes->block, used, lanes->block_size);
	if (!hash_all(lanes, &lanes->block, lanes->salted ? lanes->salted : lanes->plain, count, in,
		      out, used, lanes->block_size))
		return crypto_failed(err);
	return 0;
}

int lanes_hash_descriptors(struct lanes *lanes, size_t count, const uint8_t *const *in,
			   uint8_t *const *out, struct assay_error *err)
{
	if (!hash_all(lanes, &lanes->descriptor, lanes->plain, count, in, out, DESCRIPTOR_USED,
		      VERITY_DESCRIPTOR_SIZE))
		return crypto_failed(err);
	return 0;
}

/* OpenSSL would pad them once more: where it would be the best, plain C has to do. */
static void hash_one_padded(const uint8_t *in, uint8_t *out, size_t blocks)
{
	uint32_t value[8];

	memcpy(value, sha256_initial, sizeof(value));
	for (size_t i = 0; i < blocks; i++)
		sha256_compress(value, in + SHA256_BLOCK * i);
	for (size_t i = 0; i < 8; i++)
		for (size_t j = 0; j < 4; j++)
			out[4 * i + j] = (uint8_t)(value[i] >> (24 - 8 * j));
}

void lanes_hash_padded(const struct lanes *lanes, size_t count, const uint8_t *const *in,
		       uint8_t *const *out, size_t blocks)
{
	struct sha256_shape shape = { .blocks = blocks, .padded = true };

	memcpy(shape.initial, sha256_initial, sizeof(sha256_initial));
	while (count > 0) {
		const struct lanes_engine *engine = &engines[best_engine(lanes->costs, count)];
		size_t done = engine->lanes < count ? engine->lanes : count;

		if (engine->function)
			hash_some(engine, &shape, done, in, out);
		else
			hash_one_padded(*in, *out, blocks);
		count -= done;
		in += done;
		out += done;
	}
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The least of what a engine takes for blocks of 1024 bytes: all that disturbs adds to it. */
static uint64_t measure_engine(struct lanes *lanes, const struct lanes_engine *engine)
{
	static const uint8_t data[1024];
	struct sha256_shape shape = { .blocks = sizeof(data) / SHA256_BLOCK };
	uint8_t digests[SHA256_LANES_MAX][ASSAY_DIGEST_MAX];
	const uint8_t *in[SHA256_LANES_MAX];
	uint8_t *out[SHA256_LANES_MAX];
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < SHA256_LANES_MAX; i++) {
		in[i] = data;
		out[i] = digests[i];
	}
	for (int i = 0; i < 5; i++) {
		uint64_t took, from = nanoseconds();

		if (engine->function)
			engine->function(&shape, in, out);
		else if (!hash_by_openssl(lanes, lanes->plain, data, sizeof(data), sizeof(data),
					  *out))
			return UINT64_MAX;
		took = nanoseconds() - from;
		if (took < least)
			least = took;
	}
	return least ? least : 1;
}

/*
 * Of our engines each that can be used, as it may be the best for some number of messages.
 * OpenSSL hashes one message as fast as ours do: it is for where none of them does just one.
 */
static bool engine_wanted(const struct lanes_engine *engine, enum assay_hash hash)
{
	if (engine->hash != hash || !engine_usable(engine))
		return false;
	if (only && only->hash == hash)
		return engine == only;
	if (engine->function)
		return true;
	for (size_t i = 0; i < ENGINES; i++)
		if (engines[i].function && engines[i].hash == hash && engines[i].lanes == 1 &&
		    engine_usable(&engines[i]))
			return false;
	return true;
}

static int use_openssl(struct lanes *lanes, const struct verity_parameters *parameters,
		       const uint8_t *padded_salt, struct assay_error *err)
{
	const EVP_MD *md = digest_algorithm(parameters->hash);

	lanes->plain = EVP_MD_CTX_new();
	lanes->context = EVP_MD_CTX_new();
	if (!md || !lanes->plain || !lanes->context || !EVP_DigestInit_ex2(lanes->plain, md, NULL))
		return crypto_failed(err);
	if (parameters->salt_size == 0)
		return 0;
	lanes->salted = EVP_MD_CTX_new();
	if (!lanes->salted || !EVP_MD_CTX_copy_ex(lanes->salted, lanes->plain) ||
	    !EVP_DigestUpdate(lanes->salted, padded_salt, (size_t)EVP_MD_get_block_size(md)))
		return crypto_failed(err);
	return 0;
}

static void set_shapes(struct lanes *lanes, const struct verity_parameters *parameters,
		       const uint8_t *padded_salt)
{
	struct sha256_shape *block = &lanes->block, *descriptor = &lanes->descriptor;

	memcpy(descriptor->initial, sha256_initial, sizeof(sha256_initial));
	set_used(descriptor, DESCRIPTOR_USED, VERITY_DESCRIPTOR_SIZE);
	sha256_set_padding(descriptor, VERITY_DESCRIPTOR_SIZE);
	memcpy(block->initial, sha256_initial, sizeof(sha256_initial));
	if (parameters->salt_size > 0) {
		sha256_compress(block->initial, padded_salt);
		sha256_set_padding(block, SHA256_BLOCK + parameters->block_size);
	} else {
		sha256_set_padding(block, parameters->block_size);
	}
}

/*
 * Which engine is the fastest differs between processors that can use the same ones: two
 * lanes of the SHA extensions do 1.9 times as much as one on AMD's Zen, but 1.2 times on
 * Intel's Golden Cove, where 16 lanes of AVX-512 do twice as much. So it is measured, once
 * and in less than 0.1 ms.
 */
static int choose_engines(struct lanes *lanes, const struct verity_parameters *parameters,
			  const uint8_t *padded_salt, struct assay_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t costs[ENGINES];
	int r = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < ENGINES && r == 0; i++) {
		if (!engine_wanted(&engines[i], parameters->hash))
			continue;
		if (!engines[i].function)
			r = use_openssl(lanes, parameters, padded_salt, err);
		if (r == 0 && costs[i] == 0)
			costs[i] = measure_engine(lanes, &engines[i]);
		lanes->costs[i] = costs[i];
	}
	pthread_mutex_unlock(&lock);
	return r;
}

int lanes_new(const struct verity_parameters *parameters, struct lanes **ret,
	      struct assay_error *err)
{
	uint8_t padded_salt[SALT_BLOCK_MAX] = { 0 };
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	int r;

	if (!lanes)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	lanes->block_size = parameters->block_size;
	memcpy(padded_salt, parameters->salt, parameters->salt_size);
	set_shapes(lanes, parameters, padded_salt);
	r = choose_engines(lanes, parameters, padded_salt, err);
	if (r < 0) {
		lanes_free(lanes);
		return r;
	}
	*ret = lanes;
	return 0;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	EVP_MD_CTX_free(lanes->context);
	EVP_MD_CTX_free(lanes->salted);
	EVP_MD_CTX_free(lanes->plain);
	free(lanes);
}

int lanes_rate(const struct lanes_engine *engine, uint64_t *ret, struct assay_error *err)
{
	const struct verity_parameters parameters = { .hash = engine->hash, .block_size = 4096 };
	static const uint8_t blocks[2 * SHA256_LANES_MAX][4096];
	uint8_t digests[2 * SHA256_LANES_MAX][ASSAY_DIGEST_MAX];
	const uint8_t *in[2 * SHA256_LANES_MAX];
	uint8_t *out[2 * SHA256_LANES_MAX];
	uint64_t least = UINT64_MAX, begin;
	const struct lanes_engine *before = only;
	struct lanes *lanes = NULL;
	int r;

	for (size_t i = 0; i < 2 * SHA256_LANES_MAX; i++) {
		in[i] = blocks[i];
		out[i] = digests[i];
	}
	lanes_use_only(engine);
	r = lanes_new(&parameters, &lanes, err);
	lanes_use_only(before);
	/* The least of many short runs: what others do on the machine only ever adds to one. */
	begin = nanoseconds();
	while (r == 0 && nanoseconds() - begin < RATE_TIME) {
		uint64_t took, from = nanoseconds();

		r = lanes_hash(lanes, 2 * SHA256_LANES_MAX, in, out, 4096, err);
		took = nanoseconds() - from;
		if (took < least)
			least = took;
	}
	lanes_free(lanes);
	if (r < 0)
		return r;
	*ret = sizeof(blocks) * 1000000000ULL / (least ? least : 1);
	return 0;
}
