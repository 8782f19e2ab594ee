// SPDX-License-Identifier: MIT
#include "log/hasher.h"

#include <errno.h>

int hasher_open(struct hasher *hasher, enum assay_hash hash, struct assay_error *err)
{
	const char *name = assay_hash_name(hash);

	*hasher = (struct hasher){ .hash = hash, .size = assay_hash_size(hash) };
	if (!name)
		return assay_fail(err, ENOTSUP, "hash algorithm 0x%04x is not known",
				  (unsigned int)hash);
	hasher->algorithm = EVP_MD_fetch(NULL, name, NULL);
	hasher->context = EVP_MD_CTX_new();
	if (!hasher->algorithm || !hasher->context) {
		hasher_close(hasher);
		return assay_fail(err, ENOTSUP, "OpenSSL offers no %s here", name);
	}
	return 0;
}

void hasher_close(struct hasher *hasher)
{
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_free(hasher->algorithm);
	*hasher = (struct hasher){ 0 };
}

int hasher_digest(struct hasher *hasher, struct bytes first, struct bytes second,
		  struct assay_digest *ret, struct assay_error *err)
{
	struct assay_digest digest = { .hash = hasher->hash, .size = hasher->size };

	if (EVP_DigestInit_ex2(hasher->context, hasher->algorithm, NULL) != 1 ||
	    EVP_DigestUpdate(hasher->context, first.data, first.size) != 1 ||
	    EVP_DigestUpdate(hasher->context, second.data, second.size) != 1 ||
	    EVP_DigestFinal_ex(hasher->context, digest.bytes, NULL) != 1)
		return assay_fail(err, EIO, "OpenSSL cannot compute a %s digest",
				  assay_hash_name(hasher->hash));
	*ret = digest;
	return 0;
}

int hasher_extend(struct hasher *hasher, struct assay_digest *value, struct bytes digest,
		  struct assay_error *err)
{
	if (value->hash != hasher->hash || value->size != hasher->size ||
	    digest.size != hasher->size)
		return assay_fail(err, EINVAL, "a %s PCR cannot be extended with %zu bytes",
				  assay_hash_name(hasher->hash), digest.size);
	return hasher_digest(hasher, BYTES(value->bytes, value->size), digest, value, err);
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
