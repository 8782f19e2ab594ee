/* SPDX-License-Identifier: MIT */
/*
 * fs-verity's built-in signatures: what FS_IOC_ENABLE_VERITY takes and the kernel
 * checks with its `.fs-verity` keyring (Documentation/filesystems/fsverity.rst,
 * "Built-in signature verification").
 *
 * PKCS#7 signedData (RFC 2315), DER, detached, over struct fsverity_formatted_digest;
 * no signed attributes, no certificates inside. The message digest is the fs-verity
 * digest's own algorithm.
 *
 * No TPM code and, but for the signer's own, no I/O: lib/verify may use this too.
 */
#ifndef ASSAY_SIGN_PKCS7_H
#define ASSAY_SIGN_PKCS7_H

#include "sign/certificate.h"

/*
 * pkcs7_sign() - append a built-in signature of @digest to @out
 * @certificate: of @signer's key; names the signer in the signature
 */
int pkcs7_sign(struct signer *signer, X509 *certificate, const struct assay_digest *digest,
	       struct buffer *out, struct assay_error *err);

/*
 * pkcs7_sign_with_certificate() - the same with @certificate inside, which a verifier
 * needs that knows only who issued it (sign/delegate.h); pkcs7_verify() does not take it
 */
int pkcs7_sign_with_certificate(struct signer *signer, X509 *certificate,
				const struct assay_digest *digest, struct buffer *out,
				struct assay_error *err);

/*
 * pkcs7_verify() - is @der a built-in signature of @digest by @certificate's key?
 *
 * Pure. Strict: DER without anything behind it, detached, exactly one signer, which
 * is @certificate, no attributes, no certificates or CRLs inside, message digest
 * SHA-256, SHA-384 or SHA-512, a key as certificate_check_signer() wants it. The
 * certificate's period of validity is not looked at, as the kernel does not.
 *
 * Return: 0; -EBADMSG for anything that is not such a structure; -EKEYREJECTED
 * where the signature is another's or of other data
 */
int pkcs7_verify(struct bytes der, const struct assay_digest *digest, X509 *certificate,
		 struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS7_H */
