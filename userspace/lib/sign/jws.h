/* SPDX-License-Identifier: MIT */
/*
 * JSON Web Signatures (RFC 7515), in the compact serialization, by ES256 (RFC 7518, section 3.4).
 *
 * No TPM code, no I/O.
 */
#ifndef ASSAY_SIGN_JWS_H
#define ASSAY_SIGN_JWS_H

#include "base/signer.h"

/* jws_base64url() - append it as RFC 7515, section 2, has it: base64url without padding */
void jws_base64url(struct bytes bytes, struct buffer *out);

/*
 * jws_check_signer() - can this key sign by ES256?
 * Return: 0; -EINVAL with what it is instead of P-256
 */
int jws_check_signer(const struct signer *signer, struct assay_error *err);

/*
 * jws_sign() - append HEADER.PAYLOAD.SIGNATURE
 * @type: of the header ("typ"): "JWT"
 *
 * The header names the key by the SHA-256 of its SubjectPublicKeyInfo in hexadecimal ("kid").
 * Return: 0; -EINVAL for another kind of key; what the signer returns; -ENOMEM
 */
int jws_sign(struct signer *signer, const char *type, struct bytes payload, struct buffer *out,
	     struct assay_error *err);

#endif /* ASSAY_SIGN_JWS_H */
