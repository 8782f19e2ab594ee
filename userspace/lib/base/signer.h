/* SPDX-License-Identifier: MIT */
/*
 * Something that signs digests: a key in a TPM (lib/tpm) or in a file (lib/sign).
 * Those who need a signature take one of these, and know of neither.
 */
#ifndef ASSAY_BASE_SIGNER_H
#define ASSAY_BASE_SIGNER_H

#include <openssl/evp.h>

#include "base/bytes.h"

/**
 * struct signer - a private key that can be used, wherever it is
 * @public_key: its public half; owned by the signer
 * @hash: the only hash that it signs digests of; ASSAY_HASH_NONE for any
 * @sign: appends the signature of @digest to @out, as X.509 and CMS want it:
 *        ECDSA as DER of Ecdsa-Sig-Value, RSA as PKCS#1 v1.5
 * @sign_message: NULL; or signs @message itself, and is what signature_make() calls instead of
 *        @sign: for keys that sign no digests, and for signers that look a signature up.
 *        @hash is what digest others would sign of it
 * @given: NULL; or calls @each with every signature of @message that was made elsewhere, in
 * whichever form it was handed over, until one is taken. Return: 0 where @each returned that;
 * -ENOENT where it returned nothing else, or never was called; or what it returned last
 * @close: frees the signer and all it holds
 * @concurrent: @sign may be called by several threads at a time
 * @dear: a signature takes so long that one which is there is checked and kept rather than
 *        made again
 */
struct signer {
	EVP_PKEY *public_key;
	enum assay_hash hash;
	bool concurrent, dear;
	int (*sign)(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		    struct assay_error *err);
	int (*sign_message)(struct signer *signer, enum assay_hash hash, struct bytes message,
			    struct buffer *out, struct assay_error *err);
	int (*given)(struct signer *signer, enum assay_hash hash, struct bytes message,
		     int (*each)(void *context, struct bytes given), void *context);
	void (*close)(struct signer *signer);
};

#endif /* ASSAY_BASE_SIGNER_H */
