/* SPDX-License-Identifier: MIT */
/*
 * Signing keys in PKCS#11 tokens, through the provider pkcs11 of OpenSSL 3 or, where it is
 * not installed (Debian 12 has none), through the engine of that name.
 */
#ifndef ASSAY_SIGN_PKCS11_H
#define ASSAY_SIGN_PKCS11_H

#include "sign/key_file.h"

/*
 * pkcs11_signer() - a signer with the key that a PKCS#11 URI (RFC 7512) names
 * @secret: called when the token wants a PIN and the URI does not bring it; NULL: such a token is
 *          refused
 *
 * -ENOPKG: OpenSSL has neither; -ENOENT: no such key; -ENOKEY: no PIN
 */
int pkcs11_signer(const char *uri, key_file_secret_function secret, void *context,
		  struct signer **ret, struct assay_error *err);

/*
 * pkcs11_engine_signer() - the same through an engine that the caller names
 * @library: the engine's shared object
 * @module: the token's, which the engine loads
 * @name: of the key: a URI, or what else the engine takes; empty: the first that it finds
 */
int pkcs11_engine_signer(const char *library, const char *module, const char *name,
			 key_file_secret_function secret, void *context, struct signer **ret,
			 struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS11_H */
