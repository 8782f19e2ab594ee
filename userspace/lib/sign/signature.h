/* SPDX-License-Identifier: MIT */
/*
 * What the kinds of signatures in this room share: which keys are good for them, and
 * making and checking the plain signature of a digest. Pure.
 */
#ifndef ASSAY_SIGN_SIGNATURE_H
#define ASSAY_SIGN_SIGNATURE_H

#include <openssl/evp.h>

#include "base/bytes.h"

/* signature_check_key() - RSA of 2048 to 4096 bits, P-256, P-384, P-521; else -EINVAL */
int signature_check_key(EVP_PKEY *key, const char *what, struct assay_error *err);

/*
 * signature_verify() - is @signature (as struct signer makes it) @key's of @digest?
 * Return: 0, -EKEYREJECTED
 */
int signature_verify(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature,
		     const char *what, struct assay_error *err);

#endif /* ASSAY_SIGN_SIGNATURE_H */
