/* SPDX-License-Identifier: MIT */
/*
 * What the kinds of signatures in this room share: which keys are good for them, and
 * making and checking the plain signature of a digest. Pure.
 */
#ifndef ASSAY_SIGN_SIGNATURE_H
#define ASSAY_SIGN_SIGNATURE_H

#include <openssl/evp.h>

#include "base/signer.h"

/* What the kernel and assay think of signatures by a key. */
enum signature_key {
	SIGNATURE_KEY_GOOD,    /* RSA of 2048, 3072 or 4096 bits, P-256, P-384, P-521 */
	SIGNATURE_KEY_WEAK,    /* the kernel verifies them; they are too weak for assay */
	SIGNATURE_KEY_NEWER,   /* ML-DSA-44, 65 and 87 (FIPS 204): kernels from 7.0 on, where they
				* were built so; assay with OpenSSL from 3.5 on */
	SIGNATURE_KEY_UNKNOWN, /* the kernel does not verify them */
};

/*
 * signature_judge_key() - which of them is it?
 * @description: what the key is, "RSA 1024"; room for SIGNATURE_KEY_TEXT bytes; may be NULL
 *
 * The kernel counts an RSA key's modulus in whole bytes, and takes some lengths only
 * (crypto/rsa.c, rsa_check_key_length()).
 */
enum signature_key signature_judge_key(EVP_PKEY *key, char *description);
#define SIGNATURE_KEY_TEXT 80

/*
 * signature_is_pure() - does the key sign messages, not digests of them: ML-DSA?
 * Its signatures are pure ML-DSA with an empty context (FIPS 204, section 5.2).
 */
bool signature_is_pure(EVP_PKEY *key);

/* signature_pure_oid() - the OID of such a key's signatures (RFC 9881); NULL for another key */
const char *signature_pure_oid(EVP_PKEY *key);

/* signature_pure_name() - "ML-DSA-65", of its OID; NULL for another */
const char *signature_pure_name(const char *oid);

/*
 * signature_sign_pure() - append such a key's signature of @message to @out
 * @key: the whole pair
 */
int signature_sign_pure(EVP_PKEY *key, struct bytes message, struct buffer *out,
			struct assay_error *err);

/* signature_check_key() - may it be used for signing? Return: 0, -EINVAL */
int signature_check_key(EVP_PKEY *key, const char *what, struct assay_error *err);

/*
 * signature_verify() - is @signature (as struct signer makes it) @key's of @digest?
 * @what: names the signature in errors
 *
 * Return: 0; -EKEYREJECTED where it is another's or of other data; -EOPNOTSUPP where it is
 * valid, but the key or the hash is too weak to accept it, or where the key is of a kind that
 * the kernel does not verify: *err says which
 */
int signature_verify(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature,
		     const char *what, struct assay_error *err);

/*
 * signature_make() - append @signer's signature of a message to @out
 * @hash: of the digest that is signed, by a key that signs digests
 *
 * Return: 0; as the signer
 */
int signature_make(struct signer *signer, enum assay_hash hash, struct bytes message,
		   struct buffer *out, struct assay_error *err);

/*
 * signature_verify_message() - signature_verify() of H(@message), H being @hash; of @message
 * itself where the key is pure
 */
int signature_verify_message(EVP_PKEY *key, enum assay_hash hash, struct bytes message,
			     struct bytes signature, const char *what, struct assay_error *err);

#endif /* ASSAY_SIGN_SIGNATURE_H */
