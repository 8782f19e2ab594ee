// SPDX-License-Identifier: MIT
#include "log/hasher.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "verity/lanes.h"

/* A PCR and a digest, of SHA-256: one block. */
#define EXTEND_SIZE (2 * SHA256_DIGEST)
_Static_assert(EXTEND_SIZE == SHA256_BLOCK, "a PCR and a digest are one block");

/* What follows a message, at least: a bit and the length. */
#define PADDING_MIN 9
/* Blocks of messages that are hashed side by side; entries of IMA's list have two or three. */
#define BLOCKS_MAX 8

int hasher_open(struct hasher *hasher, enum assay_hash hash, struct assay_error *err)
{
	const char *name = assay_hash_name(hash);

	*hasher = (struct hasher){ .hash = hash, .size = assay_hash_size(hash) };
	if (!name)
		return assay_fail(err, ENOTSUP, "hash algorithm 0x%04x is not known",
				  (unsigned int)hash);
	if (!digest_algorithm(hash))
		return assay_fail(err, ENOTSUP, "OpenSSL offers no %s here", name);
	hasher->context = EVP_MD_CTX_new();
	if (!hasher->context)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	if (hash == ASSAY_HASH_SHA256) {
		const struct verity_parameters parameters = { .hash = hash,
							      .block_size = EXTEND_SIZE };
		int r = lanes_new(&parameters, &hasher->lanes, err);

		if (r < 0) {
			hasher_close(hasher);
			return r;
		}
	}
	return 0;
}

void hasher_close(struct hasher *hasher)
{
	lanes_free(hasher->lanes);
	EVP_MD_CTX_free(hasher->context);
	*hasher = (struct hasher){ 0 };
}

int hasher_digest(struct hasher *hasher, struct bytes first, struct bytes second,
		  struct assay_digest *ret, struct assay_error *err)
{
	struct assay_digest digest = { .hash = hasher->hash, .size = hasher->size };
	const struct bytes pieces[] = { first, second };
	int r = digest_write(hasher->context, hasher->hash, pieces, 2, digest.bytes, err);

	if (r == 0)
		*ret = digest;
	return r;
}

/* FIPS 180-4, section 5.1.1: the message, a bit, zeros, and its length in bits. */
static void pad(struct bytes message, size_t blocks, uint8_t *out)
{
	uint64_t bits = 8 * (uint64_t)message.size;
	size_t end = blocks * SHA256_BLOCK;

	if (message.size > 0)
		memcpy(out, message.data, message.size);
	out[message.size] = 0x80;
	memset(out + message.size + 1, 0, end - message.size - PADDING_MIN);
	for (size_t i = 0; i < 8; i++)
		out[end - 1 - i] = (uint8_t)(bits >> 8 * i);
}

static size_t padded_blocks(struct bytes message)
{
	return (message.size + PADDING_MIN + SHA256_BLOCK - 1) / SHA256_BLOCK;
}

/* Those messages that have @blocks blocks, as many at a time as there may be lanes. */
static void digest_of_blocks(const struct hasher *hasher, size_t count,
			     const struct bytes *messages, uint8_t *out, size_t blocks)
{
	uint8_t padded[SHA256_LANES_MAX][BLOCKS_MAX * SHA256_BLOCK];
	const uint8_t *in[SHA256_LANES_MAX];
	uint8_t *digests[SHA256_LANES_MAX];
	size_t gathered = 0;

	for (size_t i = 0; i < count; i++) {
		if (padded_blocks(messages[i]) != blocks)
			continue;
		pad(messages[i], blocks, padded[gathered]);
		in[gathered] = padded[gathered];
		digests[gathered++] = out + i * SHA256_DIGEST;
		if (gathered == SHA256_LANES_MAX) {
			lanes_hash_padded(hasher->lanes, gathered, in, digests, blocks);
			gathered = 0;
		}
	}
	lanes_hash_padded(hasher->lanes, gathered, in, digests, blocks);
}

int hasher_digest_many(struct hasher *hasher, size_t count, const struct bytes *messages,
		       uint8_t *out, struct assay_error *err)
{
	if (hasher->lanes)
		for (size_t blocks = 1; blocks <= BLOCKS_MAX; blocks++)
			digest_of_blocks(hasher, count, messages, out, blocks);
	for (size_t i = 0; i < count; i++) {
		int r;

		if (hasher->lanes && padded_blocks(messages[i]) <= BLOCKS_MAX)
			continue;
		r = digest_write(hasher->context, hasher->hash, &messages[i], 1,
				 out + i * hasher->size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int hasher_extend(struct hasher *hasher, struct assay_digest *value, struct bytes digest,
		  struct assay_error *err)
{
	const struct bytes pieces[] = { BYTES(value->bytes, value->size), digest };
	uint8_t both[EXTEND_SIZE];
	const uint8_t *in = both;
	uint8_t *out = value->bytes;

	if (value->hash != hasher->hash || value->size != hasher->size ||
	    digest.size != hasher->size)
		return assay_fail(err, EINVAL, "a %s PCR cannot be extended with %zu bytes",
				  assay_hash_name(hasher->hash), digest.size);
	if (!hasher->lanes)
		return digest_write(hasher->context, hasher->hash, pieces, 2, value->bytes, err);
	memcpy(both, value->bytes, SHA256_DIGEST);
	memcpy(both + SHA256_DIGEST, digest.data, SHA256_DIGEST);
	return lanes_hash(hasher->lanes, 1, &in, &out, EXTEND_SIZE, err);
}

struct hasher *hashers_get(struct hashers *hashers, enum assay_hash hash, struct assay_error *err)
{
	for (size_t i = 0; i < hashers->count; i++)
		if (hashers->opened[i].hash == hash)
			return &hashers->opened[i];
	if (hashers->count == HASHERS_MAX) {
		assay_fail(err, E2BIG, "too many hash algorithms");
		return NULL;
	}
	if (hasher_open(&hashers->opened[hashers->count], hash, err) < 0)
		return NULL;
	return &hashers->opened[hashers->count++];
}

void hashers_close(struct hashers *hashers)
{
	while (hashers->count > 0)
		hasher_close(&hashers->opened[--hashers->count]);
}
