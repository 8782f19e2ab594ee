/* SPDX-License-Identifier: MIT */
/*
 * Hashing and PCR extension for log replays: a digest costs no set-up, and SHA-256 of what
 * is as short as a PCR, or an entry of a log, is computed by the engines that lib/verity has,
 * several entries side by side. For lib/log, lib/verify and the commands. Not for two threads
 * at once.
 */
#ifndef ASSAY_LOG_HASHER_H
#define ASSAY_LOG_HASHER_H

#include <openssl/evp.h>

#include "base/bytes.h"

struct lanes;

struct hasher {
	enum assay_hash hash;
	size_t size; /* bytes of a digest */
	EVP_MD_CTX *context;
	struct lanes *lanes; /* of SHA-256, for single blocks; else NULL */
};

/* hasher_open() - -ENOTSUP for an algorithm that is not known; end with hasher_close(). */
int hasher_open(struct hasher *hasher, enum assay_hash hash, struct assay_error *err);
void hasher_close(struct hasher *hasher);

/* hasher_digest() - H(first || second); @second may be empty. */
int hasher_digest(struct hasher *hasher, struct bytes first, struct bytes second,
		  struct assay_digest *ret, struct assay_error *err);

/*
 * hasher_digest_many() - H(message) of each, which do not depend on each other
 * @out: a digest each, of the hasher's size, one behind the other
 */
int hasher_digest_many(struct hasher *hasher, size_t count, const struct bytes *messages,
		       uint8_t *out, struct assay_error *err);

/*
 * hasher_extend() - TPM2_PCR_Extend: value := H(value || digest)
 * @value: a PCR of the hasher's bank, of its size
 * @digest: of the same size; -EINVAL otherwise
 */
int hasher_extend(struct hasher *hasher, struct assay_digest *value, struct bytes digest,
		  struct assay_error *err);

/* Hashers of several algorithms, each opened when first asked for. Start with {0}. */
#define HASHERS_MAX 4 /* as many as enum assay_hash names */

struct hashers {
	struct hasher opened[HASHERS_MAX];
	size_t count;
};

/* hashers_get() - NULL, with *err filled, if there is no such algorithm */
struct hasher *hashers_get(struct hashers *hashers, enum assay_hash hash, struct assay_error *err);
void hashers_close(struct hashers *hashers);

#endif /* ASSAY_LOG_HASHER_H */
