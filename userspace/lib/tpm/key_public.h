/* SPDX-License-Identifier: MIT */
/*
 * What the public part of a TPM's key says, read without a TPM and without its stack, by
 * what lib/verify has for that. For lib/tpm's own files.
 */
#ifndef ASSAY_TPM_KEY_PUBLIC_H
#define ASSAY_TPM_KEY_PUBLIC_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "tpm/key_facts.h"

/**
 * struct tpm_key_public - a public part
 * @key: the key for OpenSSL
 * @facts: what tpm_key_describe() tells of it; password and pcr_policy are not set
 * @rsa: RSA, else ECC
 * @scheme: the TPM_ALG_ID of the one signature scheme that it has; 0 for any
 * @scheme_hash: the hash of that scheme; ASSAY_HASH_NONE for any
 * @needs_policy: it has one, and the password alone does not do (authPolicy, no userWithAuth)
 *
 * Start with {0}, end with tpm_key_public_free().
 */
struct tpm_key_public {
	EVP_PKEY *key;
	struct tpm_key_facts facts;
	bool rsa;
	uint16_t scheme;
	enum assay_hash scheme_hash;
	bool needs_policy;
};

/*
 * tpm_key_public_read() - read TPM2B_PUBLIC of a key that signs
 * @what: names the key in errors
 *
 * Return: 0; -EBADMSG (not such a structure), -EOPNOTSUPP (it does not sign, or is of a kind
 * that assay has no use for), -ENOMEM
 */
int tpm_key_public_read(struct bytes area, const char *what, struct tpm_key_public *ret,
			struct assay_error *err);

/*
 * tpm_key_public_name() - the name of any asymmetric key, of TPM2B_PUBLIC
 * @name: room for TPM_KEY_NAME_MAX bytes
 */
int tpm_key_public_name(struct bytes area, uint8_t *name, size_t *ret_size);

void tpm_key_public_free(struct tpm_key_public *public);

/*
 * tpm_key_public_verify() - see that a signature is the key's, and append it to @out in the form
 * that OpenSSL takes
 * @signature: TPMT_SIGNATURE
 */
int tpm_key_public_verify(const struct tpm_key_public *public, struct bytes signature,
			  const struct assay_digest *digest, struct buffer *out,
			  struct assay_error *err);

#endif /* ASSAY_TPM_KEY_PUBLIC_H */
