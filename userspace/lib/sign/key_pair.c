// SPDX-License-Identifier: MIT
#include "sign/key_pair.h"

#include <errno.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/crypto_errors.h"
#include "base/digest.h"

/* As many as threads sign at a time; more are freed. */
#define CONTEXTS_MAX 64

/* A context that is set up for digests of one hash. */
struct context {
	EVP_PKEY_CTX *evp;
	enum assay_hash hash;
};

/**
 * struct key_pair - see key_pair.h
 * @lock: of what follows it
 * @idle: contexts that nobody uses just now
 */
struct key_pair {
	EVP_PKEY *key;
	bool keep;
	pthread_mutex_t lock;
	struct context idle[CONTEXTS_MAX];
	size_t count;
};

struct key_pair *key_pair_new(EVP_PKEY *key, bool keep)
{
	struct key_pair *pair = calloc(1, sizeof(*pair));

	if (!pair) {
		EVP_PKEY_free(key);
		return NULL;
	}
	pair->key = key;
	pair->keep = keep;
	pthread_mutex_init(&pair->lock, NULL);
	return pair;
}

void key_pair_free(struct key_pair *pair)
{
	if (!pair)
		return;
	for (size_t i = 0; i < pair->count; i++)
		EVP_PKEY_CTX_free(pair->idle[i].evp);
	pthread_mutex_destroy(&pair->lock);
	EVP_PKEY_free(pair->key);
	free(pair);
}

/* One that was kept; with no evp where there is none. */
static struct context take(struct key_pair *pair)
{
	struct context context = { .hash = ASSAY_HASH_NONE };

	pthread_mutex_lock(&pair->lock);
	if (pair->count > 0)
		context = pair->idle[--pair->count];
	pthread_mutex_unlock(&pair->lock);
	return context;
}

/* Gives it back, whose last signature was good. */
static void give_back(struct key_pair *pair, struct context context)
{
	pthread_mutex_lock(&pair->lock);
	if (pair->keep && pair->count < CONTEXTS_MAX) {
		pair->idle[pair->count++] = context;
		context.evp = NULL;
	}
	pthread_mutex_unlock(&pair->lock);
	EVP_PKEY_CTX_free(context.evp);
}

static bool set_up(const struct key_pair *pair, struct context *context, enum assay_hash hash)
{
	const EVP_MD *md = digest_algorithm(hash);

	if (!context->evp)
		context->evp = EVP_PKEY_CTX_new_from_pkey(NULL, pair->key, NULL);
	else if (context->hash == hash)
		return true;
	context->hash = hash;
	return context->evp && md && EVP_PKEY_sign_init(context->evp) == 1 &&
	       (EVP_PKEY_get_base_id(pair->key) != EVP_PKEY_RSA ||
		EVP_PKEY_CTX_set_rsa_padding(context->evp, RSA_PKCS1_PADDING) == 1) &&
	       EVP_PKEY_CTX_set_signature_md(context->evp, md) == 1;
}

int key_pair_sign(struct key_pair *pair, const struct assay_digest *digest, const char *what,
		  struct buffer *out, struct assay_error *err)
{
	size_t size = (size_t)EVP_PKEY_get_size(pair->key);
	uint8_t *place = buffer_reserve(out, size);
	struct context context = take(pair);

	if (!place || !set_up(pair, &context, digest->hash) ||
	    EVP_PKEY_sign(context.evp, place, &size, digest->bytes, digest->size) != 1) {
		EVP_PKEY_CTX_free(context.evp);
		crypto_errors_drop();
		return assay_fail(err, EIO, "libcrypto failed to sign with %s", what);
	}
	give_back(pair, context);
	out->size += size;
	return 0;
}
