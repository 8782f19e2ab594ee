/* SPDX-License-Identifier: MIT */
/*
 * A manifest's own signature, in the file beside it that ends in MANIFEST_SIGNATURE_SUFFIX.
 *
 * It is PKCS#7 as sign/pkcs7.h describes it, but what it covers is
 *
 *	u8 magic[16] = "assay-manifest-1", le16 algorithm, le16 size, u8 digest[size]
 *
 * where the digest is the manifest's fs-verity digest with VERITY_PARAMETERS_DEFAULT, and
 * algorithm is its FS_VERITY_HASH_ALG_*. A file's built-in signature covers "FSVerity" and
 * the same, and its IMA signature begins with a byte 0x06, so that no signature of a file is
 * one of a manifest: else who gets a file into a tree that is signed would own a signed
 * manifest.
 *
 * Pure but for the signer's own I/O; no TPM code: lib/verify may use this too.
 */
#ifndef ASSAY_SIGN_MANIFEST_SIGNATURE_H
#define ASSAY_SIGN_MANIFEST_SIGNATURE_H

#include "sign/trust.h"
#include "verity/verity.h"

#define MANIFEST_CONTENT_MAGIC "assay-manifest-1"
#define MANIFEST_CONTENT_MAX (sizeof(MANIFEST_CONTENT_MAGIC) - 1 + 4 + ASSAY_DIGEST_MAX)

/* What may be accepted besides; flags. */
enum {
	/* A built-in signature of the manifest as a file, which earlier versions made. Whoever
	 * could have any file signed may have made the manifest. */
	MANIFEST_ACCEPT_FILE_SIGNATURE = 1,
};

/*
 * manifest_content() - what the signature of a manifest covers
 * @digest: of the manifest's text, with VERITY_PARAMETERS_DEFAULT
 * @room: MANIFEST_CONTENT_MAX bytes
 *
 * Return: the bytes, in @room; of size 0 for a digest that is not fs-verity's
 */
struct bytes manifest_content(const struct assay_digest *digest, uint8_t *room);

/*
 * manifest_sign() - append the signature of a manifest to @out
 * @digest: as above
 * @certificate: of @signer's key
 * @inside: put @certificate into the signature, as a delegate's has to be
 */
int manifest_sign(struct signer *signer, X509 *certificate, bool inside,
		  const struct assay_digest *digest, struct buffer *out, struct assay_error *err);

/*
 * A manifest whose header names a second signer ("also") is signed by both, over the same bytes:
 * the file has both structures, one behind the other. Each must be good: as the header is
 * covered by either, neither can be taken away.
 */

/**
 * struct manifest_signed - a manifest whose signature is looked at
 * @name: names it in errors
 * @id: in its header; "" where that could not be read, and no delegate can be for it
 * @also_key_id: of the second signer in its header; of size 0 where it has none
 * @created: in its header, in seconds since 1970: when the certificates have to be good
 * @digest: of its text, with VERITY_PARAMETERS_DEFAULT
 * @signature: the bytes of the file beside it
 * @flags: MANIFEST_ACCEPT_*
 */
struct manifest_signed {
	const char *name, *id;
	struct bytes also_key_id;
	uint64_t created;
	struct assay_digest digest;
	struct bytes signature;
	unsigned int flags;
};

/*
 * manifest_signed_verify() - is it signed by the key of one of @certificates?
 *
 * And where it has a second signer, by that of another of them, too.
 *
 * Or by a delegate (sign/delegate.h) whose certificate is inside, which that key
 * issued for this manifest.
 *
 * The certificates are judged as of when the manifest was created (sign/certificate_judge.h).
 *
 * Return: as pkcs7_verify(); -ENOKEY for a delegate of somebody else; -EKEYEXPIRED and
 * -EOPNOTSUPP for a certificate that was not good then; -EPERM for a built-in signature of the
 * manifest as a file, where that is not accepted
 */
int manifest_signed_verify(const struct manifest_signed *manifest, X509 *const *certificates,
			   size_t count, struct assay_error *err);

/* manifest_verify_any() - manifest_signed_verify() of a manifest in memory; pure */
int manifest_verify_any(struct bytes text, const char *name, struct bytes signature,
			X509 *const *certificates, size_t count, unsigned int flags,
			struct assay_error *err);

/* manifest_verify() - the same with one certificate */
int manifest_verify(struct bytes text, const char *name, struct bytes signature, X509 *certificate,
		    unsigned int flags, struct assay_error *err);

/*
 * manifest_verify_trust() - the same, by someone trusted
 * @ret_signer: whose signature it is; X509_free() it; may be NULL
 *
 * Return: as trust_verify_pkcs7(); -EKEYEXPIRED and -EPERM as above
 */
int manifest_verify_trust(struct bytes text, const char *name, struct bytes signature,
			  const struct trust *trust, unsigned int flags, X509 **ret_signer,
			  struct assay_error *err);

#endif /* ASSAY_SIGN_MANIFEST_SIGNATURE_H */
