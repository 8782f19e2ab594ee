/* SPDX-License-Identifier: MIT */
/*
 * What a TPM key's public area says: its name, its place below a hierarchy, the key for
 * OpenSSL, and whether a signature is its. For lib/verify, lib/enroll and lib/tpm.
 */
#ifndef ASSAY_VERIFY_KEY_H
#define ASSAY_VERIFY_KEY_H

#include <openssl/evp.h>

#include "verify/structures.h"

/* An object's name or qualified name: TPM_ALG_ID, then a digest (Part 1, 16). */
struct tpm_name {
	size_t size;
	uint8_t bytes[TPM_NAME_MAX];
};

/*
 * tpm_key_name() - Name = nameAlg || H_nameAlg(TPMT_PUBLIC)
 * Return: 0; -ENOTSUP if nameAlg is not a hash that is known; -ENOMEM
 */
int tpm_key_name(const struct tpm_public *public, struct tpm_name *ret, struct assay_error *err);

/*
 * tpm_qualified_name() - QN = nameAlg || H_nameAlg(QN of the parent || Name)
 * @parent: the parent's qualified name; of a primary key: its hierarchy's handle,
 *          4 bytes big-endian
 */
int tpm_qualified_name(const struct tpm_public *public, struct bytes parent, struct tpm_name *ret,
		       struct assay_error *err);

/*
 * tpm_public_key() - the key for OpenSSL: RSA, or ECC on P-256, P-384 or P-521
 * Return: EVP_PKEY_free() it; NULL where the numbers are no such key, or without memory
 */
EVP_PKEY *tpm_public_key(const struct tpm_public *public);

/*
 * tpm_public_key_der() - append the key as SubjectPublicKeyInfo (RFC 5280, DER)
 * Return: 0; -EBADMSG where the numbers are no key; -ENOMEM
 */
int tpm_public_key_der(const struct tpm_public *public, struct buffer *out,
		       struct assay_error *err);

/*
 * tpm_public_key_digest() - SHA-256 of the key as SubjectPublicKeyInfo (RFC 5280, DER)
 *
 * Unlike a name, it is of the key alone: whoever tells of a key can give it other attributes
 * or another policy, and so another name.
 *
 * Return: 0; -EBADMSG where the numbers are no key; -ENOMEM
 */
int tpm_public_key_digest(const struct tpm_public *public, struct assay_digest *ret,
			  struct assay_error *err);

/*
 * tpm_signature_verify() - is @signature that of @digest by @key?
 * @key: as tpm_public_key() made it
 * @out: the signature in the form that OpenSSL and X.509 take is appended (ECDSA: DER of
 *       Ecdsa-Sig-Value, RFC 3279, section 2.2.3); may be NULL
 *
 * RSAPSS: with a salt of any length.
 * Return: 0; -EKEYREJECTED if it is not; -EBADMSG for a signature that cannot be this
 * key's (another algorithm, r or s not between 1 and the order - 1), -ENOMEM
 */
int tpm_signature_verify(EVP_PKEY *key, const struct tpm_signature *signature,
			 const struct assay_digest *digest, struct buffer *out,
			 struct assay_error *err);

/*
 * tpm_key_verify() - is @signature that of @message by the key?
 * The key and the algorithms were found acceptable before.
 *
 * Return: 0; -EKEYREJECTED if it is not, -EBADMSG for a key or a signature that is
 * none (r or s not between 1 and the order - 1, a point off its curve), -ENOMEM
 */
int tpm_key_verify(const struct tpm_public *public, const struct tpm_signature *signature,
		   struct bytes message, struct assay_error *err);

#endif /* ASSAY_VERIFY_KEY_H */
