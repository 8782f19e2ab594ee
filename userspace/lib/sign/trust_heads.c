// SPDX-License-Identifier: MIT
#include "sign/trust_heads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* ECDSA's signatures mostly have three lengths, for each key. */
#define HEADS_MAX 16

/**
 * struct trust_heads - see trust_heads.h
 * @lock: for who adds one
 * @count: of @entries; these do not change any more
 * @bytes, @whole: the head's, and the size of the whole signature
 */
struct trust_heads {
	pthread_mutex_t lock;
	atomic_size_t count;
	struct {
		struct trust_head head;
		struct buffer bytes;
		size_t whole;
	} entries[HEADS_MAX];
};

struct trust_heads *trust_heads_new(void)
{
	struct trust_heads *heads = calloc(1, sizeof(*heads));

	if (heads)
		pthread_mutex_init(&heads->lock, NULL);
	return heads;
}

void trust_heads_free(struct trust_heads *heads)
{
	if (!heads)
		return;
	for (size_t i = 0; i < heads->count; i++) {
		X509_free(heads->entries[i].head.signer);
		buffer_free(&heads->entries[i].bytes);
	}
	pthread_mutex_destroy(&heads->lock);
	free(heads);
}

const struct trust_head *trust_heads_find(const struct trust_heads *heads, struct bytes der,
					  uint64_t when)
{
	size_t count = atomic_load_explicit(&heads->count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (heads->entries[i].whole == der.size && heads->entries[i].head.when == when &&
		    bytes_equal(BYTES(der.data, heads->entries[i].bytes.size),
				buffer_bytes(&heads->entries[i].bytes)))
			return &heads->entries[i].head;
	return NULL;
}

/* Whether what is left of @der without @signature ends in the header of an OCTET STRING of it. */
static bool is_last(struct bytes der, struct bytes signature)
{
	uint8_t size = (uint8_t)signature.size;
	const uint8_t shorter[] = { 0x04, size }, middle[] = { 0x04, 0x81, size },
		      longer[] = { 0x04, 0x82, (uint8_t)(signature.size >> 8), size };
	struct bytes header = signature.size < 0x80  ? BYTES(shorter, sizeof(shorter)) :
			      signature.size < 0x100 ? BYTES(middle, sizeof(middle)) :
						       BYTES(longer, sizeof(longer));
	size_t head = der.size - signature.size;

	return signature.size <= UINT16_MAX && der.size > signature.size + header.size &&
	       bytes_equal(BYTES(der.data + head, signature.size), signature) &&
	       bytes_equal(BYTES(der.data + head - header.size, header.size), header);
}

void trust_heads_keep(struct trust_heads *heads, struct bytes der, struct bytes signature,
		      const struct trust_head *head)
{
	CLEANUP(buffer_free) struct buffer bytes = { 0 };
	size_t count;

	if (!is_last(der, signature))
		return;
	buffer_append(&bytes, der.data, der.size - signature.size);
	pthread_mutex_lock(&heads->lock);
	count = atomic_load_explicit(&heads->count, memory_order_relaxed);
	if (!bytes.failed && count < HEADS_MAX && !trust_heads_find(heads, der, head->when) &&
	    X509_up_ref(head->signer) == 1) {
		heads->entries[count].head = *head;
		heads->entries[count].head.size = bytes.size;
		heads->entries[count].bytes = bytes;
		heads->entries[count].whole = der.size;
		bytes = (struct buffer){ 0 };
		atomic_store_explicit(&heads->count, count + 1, memory_order_release);
	}
	pthread_mutex_unlock(&heads->lock);
}
