/* SPDX-License-Identifier: MIT */
/*
 * fs-verity's built-in signatures: what FS_IOC_ENABLE_VERITY takes and the kernel
 * checks with its `.fs-verity` keyring (Documentation/filesystems/fsverity.rst,
 * "Built-in signature verification").
 *
 * PKCS#7 signedData (RFC 2315), DER, detached, over struct fsverity_formatted_digest;
 * no signed attributes, no certificates inside. The message digest is the fs-verity
 * digest's own algorithm. Signatures that others made may have signed attributes
 * (sign/pkcs7_attributes.h).
 *
 * No TPM code and, but for the signer's own, no I/O: lib/verify may use this too.
 */
#ifndef ASSAY_SIGN_PKCS7_H
#define ASSAY_SIGN_PKCS7_H

#include "sign/certificate.h"
#include "sign/pkcs7_content.h"

/*
 * pkcs7_file_content() - what the built-in signature of a file covers
 * @digest: the file's fs-verity digest
 * @room: VERITY_FORMATTED_MAX bytes (verity/verity.h)
 *
 * Of size 0 for a digest that is not fs-verity's.
 */
struct pkcs7_content pkcs7_file_content(const struct assay_digest *digest, uint8_t *room);

/*
 * pkcs7_sign_content() - append a signature of this form, of whatever content, to @out
 * @certificate: of @signer's key; names the signer in the signature
 * @inside: put @certificate into the signature
 * @hash: the message digest's algorithm: SHA-256, SHA-384 or SHA-512; a key that signs
 *        digests of one hash only gets that one
 *
 * What a key signs in this way must tell by its first bytes what it is. They are never those of a
 * SET (0x31): that is what a signature with signed attributes is of.
 *
 * Where the signer has a CMS with signed attributes that somebody made of @content, and it is good,
 * that is taken.
 */
int pkcs7_sign_content(struct signer *signer, X509 *certificate, bool inside,
		       const struct pkcs7_content *content, enum assay_hash hash,
		       struct buffer *out, struct assay_error *err);

/* pkcs7_verify_content() - pkcs7_verify() of whatever content */
int pkcs7_verify_content(struct bytes der, const struct pkcs7_content *content, X509 *certificate,
			 struct assay_error *err);

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

struct pkcs7_maker;

/*
 * pkcs7_maker_new() - for who signs many files with one key
 * @inside: as pkcs7_sign_with_certificate(), else as pkcs7_sign()
 *
 * @signer and @certificate stay the caller's, and have to stay. pkcs7_maker_free() it.
 */
int pkcs7_maker_new(struct signer *signer, X509 *certificate, bool inside, struct pkcs7_maker **ret,
		    struct assay_error *err);
void pkcs7_maker_free(struct pkcs7_maker *maker);

/*
 * pkcs7_maker_sign() - the same as those, to the byte but for the signature's own
 * For several threads at a time where the signer is.
 */
int pkcs7_maker_sign(struct pkcs7_maker *maker, const struct assay_digest *digest,
		     struct buffer *out, struct assay_error *err);

/*
 * pkcs7_content_inside() - append to @out what a signature has inside that it covers
 *
 * For policies of IPE, whose one signer the kernel alone verifies: nothing is verified here but the
 * form, PKCS#7 signedData over data, DER without anything behind it, with signers.
 *
 * Return: 0; -ENOENT where the content is not inside; -EBADMSG; -ENOMEM
 */
int pkcs7_content_inside(struct bytes der, struct buffer *out, struct assay_error *err);

/*
 * pkcs7_certificate_inside() - the one certificate inside a signature; X509_free() it
 * Return: 0; -ENOENT where there is none or more than one; -EBADMSG for no such structure
 */
int pkcs7_certificate_inside(struct bytes der, X509 **ret, struct assay_error *err);

/*
 * pkcs7_add_certificate() - append @der, with @certificate inside, to @out
 *
 * Signatures cover no certificates: it stays good. One with a certificate inside already is
 * appended as it is.
 * Return: 0; -EBADMSG for no such structure; -ENOMEM
 */
int pkcs7_add_certificate(struct bytes der, X509 *certificate, struct buffer *out,
			  struct assay_error *err);

/*
 * pkcs7_verify() - is @der a built-in signature of @digest by @certificate's key?
 *
 * Pure. Strict: DER without anything behind it, detached, exactly one signer, which
 * is @certificate, no certificates or CRLs inside, no attributes or such as
 * pkcs7_attributes() takes (sign/pkcs7_attributes.h), message digest
 * SHA-256, SHA-384 or SHA-512, a key as certificate_check_signer() wants it. The
 * certificate's period of validity is not looked at, as the kernel does not.
 *
 * Return: 0; -EBADMSG for anything that is not such a structure; -EKEYREJECTED
 * where the signature is another's or of other data; -EOPNOTSUPP for a valid one by a key
 * that is not accepted
 */
int pkcs7_verify(struct bytes der, const struct assay_digest *digest, X509 *certificate,
		 struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS7_H */
