/* SPDX-License-Identifier: MIT */
/* Signing keys in PKCS#11 tokens, through the provider pkcs11 of OpenSSL 3. */
#ifndef ASSAY_SIGN_PKCS11_H
#define ASSAY_SIGN_PKCS11_H

#include "sign/key_file.h"

/*
 * pkcs11_signer() - a signer with the key that a PKCS#11 URI (RFC 7512) names
 * @secret: called when the token wants a PIN and the URI does not bring it
 *
 * -ENOPKG: OpenSSL has no such provider
 */
int pkcs11_signer(const char *uri, key_file_secret_function secret, void *context,
		  struct signer **ret, struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS11_H */
