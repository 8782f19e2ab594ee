// SPDX-License-Identifier: MIT
/* The table of signatures that are there, and the signer with it. */
#define _GNU_SOURCE
#include "sign/signatures.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "sign/signature.h"

/* In a bucket those added first come first. @next: index of the next plus one; 0: none */
struct signature_entry {
	struct assay_digest digest;
	uint8_t *data;
	size_t size, next;
};

struct signatures {
	struct signature_entry *entries;
	size_t count, capacity;
	size_t *buckets; /* as @next; as many as @capacity, which is a power of two */
};

#define FIRST_CAPACITY 64

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot keep the signatures: out of memory");
}

int signatures_new(struct signatures **ret, struct assay_error *err)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : out_of_memory(err);
}

void signatures_free(struct signatures *signatures)
{
	if (!signatures)
		return;
	for (size_t i = 0; i < signatures->count; i++)
		free(signatures->entries[i].data);
	free(signatures->entries);
	free(signatures->buckets);
	free(signatures);
}

static size_t *bucket(const struct signatures *signatures, const struct assay_digest *digest)
{
	uint64_t start;

	/* It is a digest: any part of it is as good as a hash of it. */
	memcpy(&start, digest->bytes, sizeof(start));
	return &signatures->buckets[start & (signatures->capacity - 1)];
}

static void enter(struct signatures *signatures, size_t index)
{
	size_t *place = bucket(signatures, &signatures->entries[index].digest);

	while (*place != 0)
		place = &signatures->entries[*place - 1].next;
	*place = index + 1;
}

static bool grow(struct signatures *signatures)
{
	size_t capacity = signatures->capacity ? 2 * signatures->capacity : FIRST_CAPACITY;
	struct signature_entry *entries =
		reallocarray(signatures->entries, capacity, sizeof(*entries));
	size_t *buckets;

	if (!entries)
		return false;
	signatures->entries = entries;
	buckets = calloc(capacity, sizeof(*buckets));
	if (!buckets)
		return false;
	free(signatures->buckets);
	signatures->buckets = buckets;
	signatures->capacity = capacity;
	for (size_t i = 0; i < signatures->count; i++)
		signatures->entries[i].next = 0;
	for (size_t i = 0; i < signatures->count; i++)
		enter(signatures, i);
	return true;
}

int signatures_add(struct signatures *signatures, const struct assay_digest *digest,
		   struct bytes signature, struct assay_error *err)
{
	struct signature_entry entry = { .digest = *digest, .size = signature.size };

	if (signatures->count == signatures->capacity && !grow(signatures))
		return out_of_memory(err);
	entry.data = malloc(signature.size + 1);
	if (!entry.data)
		return out_of_memory(err);
	if (signature.size > 0)
		memcpy(entry.data, signature.data, signature.size);
	signatures->entries[signatures->count] = entry;
	enter(signatures, signatures->count++);
	return 0;
}

/* The next entry of that digest behind @entry, or the first if that is NULL; NULL: no more */
static const struct signature_entry *find(const struct signatures *signatures,
					  const struct assay_digest *digest,
					  const struct signature_entry *entry)
{
	size_t at;

	if (signatures->count == 0)
		return NULL;
	at = entry ? entry->next : *bucket(signatures, digest);
	for (; at != 0; at = entry->next) {
		entry = &signatures->entries[at - 1];
		if (entry->digest.hash == digest->hash &&
		    bytes_equal(BYTES(entry->digest.bytes, entry->digest.size),
				BYTES(digest->bytes, digest->size)))
			return entry;
	}
	return NULL;
}

bool signatures_have(const struct signatures *signatures, const struct assay_digest *digest)
{
	return find(signatures, digest, NULL) != NULL;
}

size_t signatures_count(const struct signatures *signatures)
{
	return signatures->count;
}

int signatures_each(const struct signatures *signatures,
		    int (*each)(void *context, const struct assay_digest *digest,
				struct bytes signature, struct assay_error *err),
		    void *context, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < signatures->count; i++) {
		const struct signature_entry *entry = &signatures->entries[i];

		r = each(context, &entry->digest, BYTES(entry->data, entry->size), err);
	}
	return r;
}

/* ---------------------------------------------------------------- the signer */

struct table_signer {
	struct signer signer;
	struct signatures *signatures;
	struct signer *inner;
	struct signatures_want want;
	pthread_mutex_t lock; /* of @signatures, and of @inner if it is not for many */
};

/* Return: 0; -ENOKEY where there is none at all, -EKEYREJECTED where none is good */
static int take(const struct table_signer *self, enum assay_hash hash,
		const struct assay_digest *digest, struct bytes message, struct buffer *out,
		struct assay_error *err)
{
	const struct signature_entry *entry = NULL;
	char text[ASSAY_DIGEST_TEXT_MAX];
	struct assay_error why;
	int r = -ENOKEY;

	while ((entry = find(self->signatures, digest, entry)) != NULL) {
		r = signature_settle(self->signer.public_key, hash, message,
				     BYTES(entry->data, entry->size), out, &why);
		if (r == 0)
			return 0;
	}
	if (r == -ENOKEY)
		return assay_fail(err, ENOKEY, "there is no signature of %s among those given",
				  assay_digest_text(digest, text));
	return assay_fail(err, -r, "the signature of %s: %s", assay_digest_text(digest, text),
			  why.text);
}

static int make(struct table_signer *self, enum assay_hash hash, const struct assay_digest *digest,
		struct bytes message, struct buffer *out, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	bool locked = !self->inner->concurrent;
	int r;

	if (locked)
		pthread_mutex_lock(&self->lock);
	r = signature_make(self->inner, hash, message, &signature, err);
	if (!locked)
		pthread_mutex_lock(&self->lock);
	/* Another thread may have been faster: that one's is kept. */
	if (r == 0 && !signatures_have(self->signatures, digest))
		r = signatures_add(self->signatures, digest, buffer_bytes(&signature), err);
	if (r == 0)
		r = take(self, hash, digest, message, out, err);
	pthread_mutex_unlock(&self->lock);
	return r;
}

static int table_sign(struct signer *signer, enum assay_hash hash, struct bytes message,
		      struct buffer *out, struct assay_error *err)
{
	struct table_signer *self = (struct table_signer *)signer;
	struct assay_digest digest;
	int r = digest_bytes(hash, message, &digest, err);

	if (r < 0)
		return r;
	/* Nobody adds to it but make(). */
	if (self->inner)
		pthread_mutex_lock(&self->lock);
	r = take(self, hash, &digest, message, out, err);
	if (self->inner)
		pthread_mutex_unlock(&self->lock);
	if (r == -ENOKEY && self->inner)
		return make(self, hash, &digest, message, out, err);
	if (r == -ENOKEY && self->want.want) {
		r = self->want.want(self->want.context, hash, &digest, message, err);
		return r < 0 ? r : assay_fail(err, EINPROGRESS, "it has still to be signed");
	}
	return r;
}

/* Only where nobody adds any meanwhile. */
static int table_given(struct signer *signer, enum assay_hash hash, struct bytes message,
		       int (*each)(void *context, struct bytes given), void *context)
{
	struct table_signer *self = (struct table_signer *)signer;
	const struct signature_entry *entry = NULL;
	struct assay_digest digest;
	int r = -ENOENT;

	if (self->inner || digest_bytes(hash, message, &digest, NULL) < 0)
		return -ENOENT;
	while ((entry = find(self->signatures, &digest, entry)) != NULL) {
		int one = each(context, BYTES(entry->data, entry->size));

		if (one == 0)
			return 0;
		if (one != -ENOENT)
			r = one;
	}
	return r;
}

/* For who has nothing but a digest: nothing tells what that is of. */
static int table_sign_digest(struct signer *signer, const struct assay_digest *digest,
			     struct buffer *out, struct assay_error *err)
{
	(void)signer;
	(void)digest;
	(void)out;
	return assay_fail(err, EINVAL, "signatures made elsewhere are of messages only");
}

static void table_close(struct signer *signer)
{
	struct table_signer *self = (struct table_signer *)signer;

	EVP_PKEY_free(signer->public_key);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

int signatures_signer(struct signatures *signatures, EVP_PKEY *key, struct signer *inner,
		      const struct signatures_want *want, struct signer **ret,
		      struct assay_error *err)
{
	struct table_signer *self = calloc(1, sizeof(*self));

	if (!self || EVP_PKEY_up_ref(key) != 1) {
		free(self);
		return out_of_memory(err);
	}
	/* Dear: what an older manifest has need not be signed again. */
	self->signer = (struct signer){ .public_key = key,
					.concurrent = true,
					.dear = true,
					.sign = table_sign_digest,
					.sign_message = table_sign,
					.given = table_given,
					.close = table_close };
	self->signatures = signatures;
	self->inner = inner;
	if (want)
		self->want = *want;
	pthread_mutex_init(&self->lock, NULL);
	*ret = &self->signer;
	return 0;
}
