/* SPDX-License-Identifier: MIT */
/*
 * A delegate: a P-256 key that lives as long as one run, certified once by the signing
 * key, so that a key which takes a second for a signature is asked once, whatever the
 * number of files.
 *
 * The kernel accepts what it signs with only the signing key's certificate in
 * `.fs-verity`, as the delegate's certificate travels inside each built-in signature
 * (crypto/asymmetric_keys/pkcs7_trust.c: the last certificate of the chain is looked
 * for by its authority key id). IMA knows no chains: for it the delegate's certificate
 * has to be loaded as well.
 *
 * The certificate (RFC 5280): issuer and authority key id of the signing key's,
 * critical keyUsage digitalSignature, critical basicConstraints CA:FALSE, valid for
 * DELEGATE_HOURS, and DELEGATE_OID, not critical: UTF8String, the manifest's id.
 *
 * The private key cannot leave the process: it is made, used and wiped in pages that are
 * locked and kept out of core dumps, those of memfd_secret(2) where the kernel has it,
 * which not even the kernel can read. What libcrypto derives from it while it signs is
 * on the heap and the stack meanwhile: so the process makes no core dump and cannot be
 * traced by others of its user any more once a delegate was made. It stays so.
 */
#ifndef ASSAY_SIGN_DELEGATE_H
#define ASSAY_SIGN_DELEGATE_H

#include "sign/certificate.h"

/* UUID 1daed952-fced-4b1b-b4fc-d55bda1f2c4b (ITU-T X.667, section 7). */
#define DELEGATE_OID "2.25.39455479389018031486549853191582723147"
#define DELEGATE_HOURS 24
/* Clocks differ by some minutes: so much before it is made its validity begins. */
#define DELEGATE_BACKDATE_SECONDS 300

/* How the pages of the key are kept; for people. */
enum delegate_memory {
	DELEGATE_LOCKED, /* mlock(2), madvise(MADV_DONTDUMP) */
	DELEGATE_SECRET, /* memfd_secret(2) */
};

/*
 * delegate_new() - make a key and have it certified
 * @issuer: the signing key; it signs once
 * @issuer_certificate: its certificate
 * @manifest_id: of the manifest that the delegate is for
 * @ret: signs, concurrently; its close() wipes the key
 * @ret_certificate: X509_free() it
 * @ret_memory: may be NULL
 *
 * Return: 0; -ENOMEM or -EPERM where no memory can be locked (see RLIMIT_MEMLOCK); else
 * as @issuer
 */
int delegate_new(struct signer *issuer, X509 *issuer_certificate, const char *manifest_id,
		 struct signer **ret, X509 **ret_certificate, enum delegate_memory *ret_memory,
		 struct assay_error *err);

/*
 * delegate_begin() - make a key, and the certificate that the signing key has yet to sign
 * @ret_unsigned: for certificate_sign() with the signing key; X509_free() it
 *
 * Else as delegate_new().
 */
int delegate_begin(X509 *issuer_certificate, const char *manifest_id, struct signer **ret,
		   X509 **ret_unsigned, enum delegate_memory *ret_memory, struct assay_error *err);

/*
 * delegate_manifest_id() - the manifest that a delegate's certificate is for
 * @ret: room for the 32 digits and a NUL
 *
 * Return: 0; -ENOENT if it is no delegate's certificate
 */
int delegate_manifest_id(X509 *certificate, char ret[33], struct assay_error *err);

#endif /* ASSAY_SIGN_DELEGATE_H */
