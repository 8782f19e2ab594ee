/* SPDX-License-Identifier: MIT */
/*
 * Whom to believe: certificates, and whether one of their keys made a signature.
 *
 * What sign/pkcs7.h and sign/ima_sig.h verify is what assay itself makes, by one
 * certificate. This takes what the kernel takes of other programs, too, with these
 * certificates as its keyring, and tells whose a signature is. Where the kernel is
 * more lenient than it should be (several signers, certificates issued by what is no
 * authority), this refuses. Periods of validity are looked at where it is known when a
 * signature was made: trust_set_time().
 *
 * Pure; no TPM code: for commands and lib/verify.
 */
#ifndef ASSAY_SIGN_TRUST_H
#define ASSAY_SIGN_TRUST_H

#include "sign/pkcs7.h"

struct trust;

enum trust_use {
	TRUST_SIGNER,	 /* what its own key signed */
	TRUST_AUTHORITY, /* also what is signed by a key whose certificate it issued */
};

int trust_new(struct trust **ret, struct assay_error *err);
/* Does nothing with NULL. */
void trust_free(struct trust *trust);

/* trust_add() - believe a certificate, too; @certificate stays the caller's */
int trust_add(struct trust *trust, X509 *certificate, enum trust_use use, struct assay_error *err);

/* trust_find() - the certificate with that subject key id, borrowed; NULL if there is none */
X509 *trust_find(const struct trust *trust, struct bytes key_id);

/*
 * trust_set_time() - when the signatures that follow were made
 * @when: seconds since 1970; 0, as at first: not known, certificates may have expired
 */
void trust_set_time(struct trust *trust, uint64_t when);

/*
 * trust_verify_pkcs7() - is @der a built-in signature of @digest by someone trusted?
 * @ret_signer: whose it is; X509_free() it; may be NULL
 *
 * PKCS#7 or CMS signedData, detached, with one signer, named by issuer and serial
 * number or by subject key id; SHA-256, SHA-384 or SHA-512; RSA with PKCS#1 v1.5 or
 * ECDSA. Signed attributes may be there, S/MIME capabilities not. The signer's
 * certificate is a trusted one, or one inside the signature that leads to an
 * authority: each issued by the next, found by its authority key id, those between
 * the signer's and the trusted one being certificates of authorities (CA:TRUE). All of them
 * are judged by sign/certificate_judge.h.
 *
 * Return: 0; -EBADMSG for what the kernel cannot read or does not take; -EOPNOTSUPP for
 * what it takes and this does not; -ENOKEY where nobody trusted is named; -EKEYREJECTED
 * where the signature is another's or of other data; -EKEYEXPIRED where a certificate was not
 * valid when it was made
 */
int trust_verify_pkcs7(const struct trust *trust, struct bytes der,
		       const struct assay_digest *digest, X509 **ret_signer,
		       struct assay_error *err);

/* trust_verify_content() - the same of whatever content, which says when it was signed */
int trust_verify_content(const struct trust *trust, struct bytes der,
			 const struct pkcs7_content *content, X509 **ret_signer,
			 struct assay_error *err);

/*
 * trust_verify_ima() - is @value a version 3 IMA signature of @digest by someone trusted?
 * @also: one more certificate to believe, as trust_verify_pkcs7() gave it; may be NULL
 *
 * Return: as above
 */
int trust_verify_ima(const struct trust *trust, struct bytes value,
		     const struct assay_digest *digest, X509 *also, X509 **ret_signer,
		     struct assay_error *err);

#endif /* ASSAY_SIGN_TRUST_H */
