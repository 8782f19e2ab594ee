/* SPDX-License-Identifier: MIT */
/*
 * A private key of libcrypto that signs one digest after the other.
 *
 * libcrypto makes a context for each signature, and looks its algorithms up for it, which takes a
 * tenth of what a signature of P-256 takes. Here they are kept.
 */
#ifndef ASSAY_SIGN_KEY_PAIR_H
#define ASSAY_SIGN_KEY_PAIR_H

#include <openssl/evp.h>

#include "base/bytes.h"

struct key_pair;

/*
 * key_pair_new() - of @key, whose reference it takes over, also where it fails
 * @keep: contexts are kept from one signature to the next; not for keys that are elsewhere,
 *        where a context may hold what is scarce
 *
 * Return: NULL without memory
 */
struct key_pair *key_pair_new(EVP_PKEY *key, bool keep);
void key_pair_free(struct key_pair *pair);

/*
 * key_pair_sign() - append the signature of @digest to @out, as struct signer wants it
 * For several threads at a time where the key is. @what: names the key in errors.
 *
 * Return: 0, -EIO
 */
int key_pair_sign(struct key_pair *pair, const struct assay_digest *digest, const char *what,
		  struct buffer *out, struct assay_error *err);

#endif /* ASSAY_SIGN_KEY_PAIR_H */
