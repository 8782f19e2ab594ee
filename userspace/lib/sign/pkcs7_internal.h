/* SPDX-License-Identifier: MIT */
/* What making (pkcs7_sign.c) and reading (pkcs7.c) such signatures share. */
#ifndef ASSAY_SIGN_PKCS7_INTERNAL_H
#define ASSAY_SIGN_PKCS7_INTERNAL_H

#include <openssl/objects.h>

#include "sign/pkcs7.h"

#define PKCS7_ALGORITHMS 3U

/**
 * struct pkcs7_algorithm - a message digest, and what a signature of one is called
 * @ecdsa: digestEncryptionAlgorithm of EC keys; RSA keys have rsaEncryption
 */
struct pkcs7_algorithm {
	enum assay_hash hash;
	int digest, ecdsa;
};

extern const struct pkcs7_algorithm pkcs7_algorithms[PKCS7_ALGORITHMS];

/* pkcs7_signature_object() - how a key's signatures are named; the OID is a static one */
ASN1_OBJECT *pkcs7_signature_object(EVP_PKEY *key, const struct pkcs7_algorithm *algorithm);

/* pkcs7_digest_content() - pkcs7_file_content(), -EINVAL for a digest that is not fs-verity's */
int pkcs7_digest_content(const struct assay_digest *digest, uint8_t *room,
			 struct pkcs7_content *ret, struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS7_INTERNAL_H */
