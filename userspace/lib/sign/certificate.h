/* SPDX-License-Identifier: MIT */
/*
 * X.509 certificates of signing keys: made with whatever key a `struct signer` is,
 * read, and checked for what the kernel's keyrings and IMA need of them.
 *
 * No TPM code: lib/verify may use this too.
 */
#ifndef ASSAY_SIGN_CERTIFICATE_H
#define ASSAY_SIGN_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/signer.h"

/* Common names have at most 64 characters (RFC 5280, ub-common-name). */
#define CERTIFICATE_SUBJECT_MAX 64
#define CERTIFICATE_DAYS_MAX 36500

/*
 * certificate_make() - a self-signed certificate of @signer's key
 * @subject: the common name, UTF-8, 1 to CERTIFICATE_SUBJECT_MAX characters
 * @days: how long it is valid from now on, 1 to CERTIFICATE_DAYS_MAX
 * @ret: X509_free() it
 *
 * Version 3 (RFC 5280) with subject key id (SHA-1 of the key's bits, section
 * 4.2.1.2 (1)), critical keyUsage digitalSignature, critical basicConstraints
 * CA:FALSE and a random serial number. Signed with SHA-256, by P-384 keys with SHA-384, by keys
 * that sign digests of one hash only with that.
 */
int certificate_make(struct signer *signer, const char *subject, unsigned int days, X509 **ret,
		     struct assay_error *err);

/* certificate_set_serial() - a random serial number, as RFC 5280 has it; false without memory */
bool certificate_set_serial(X509 *certificate);

/*
 * certificate_sign() - what X509_sign() does, with a key that is elsewhere
 * @certificate: filled in but for its signature and signature algorithms
 * @ret: the signed one, as others will read it; X509_free() it
 *
 * Signed with SHA-256, by P-384 keys with SHA-384, by keys that sign
 * digests of one hash only with that. -EKEYREJECTED if what the key made is
 * not its signature.
 */
int certificate_sign(struct signer *signer, X509 *certificate, X509 **ret, struct assay_error *err);

/*
 * certificate_request() - append a request for a certificate of @signer's key, in PEM
 * @subject: as above
 *
 * PKCS#10 (RFC 2986), asking for the extensions that certificate_make() sets but for the
 * subject key id, which is the authority's to make.
 */
int certificate_request(struct signer *signer, const char *subject, struct buffer *out,
			struct assay_error *err);

/* certificate_parse() - one certificate, PEM or DER, nothing behind it in DER */
int certificate_parse(struct bytes data, const char *name, X509 **ret, struct assay_error *err);

/* certificate_load() - the same from a file; "-" is standard input */
int certificate_load(const char *path, X509 **ret, struct assay_error *err);

/* certificate_append_pem(), certificate_append_der() - append it to @out */
int certificate_append_pem(X509 *certificate, struct buffer *out, struct assay_error *err);
int certificate_append_der(X509 *certificate, struct buffer *out, struct assay_error *err);

/*
 * certificate_key_id() - the subject key id, borrowed from @certificate
 *
 * One without, or of less than 4 bytes, is -EINVAL: IMA finds a key by the last 4
 * bytes of it, so signatures with such a certificate cannot be found.
 */
int certificate_key_id(X509 *certificate, struct bytes *ret, struct assay_error *err);

/*
 * certificate_check_signer() - may @certificate be used for signing files with @signer?
 *
 * It must be of the signer's key, have a subject key id, allow digitalSignature if it
 * has a keyUsage, and be of a kind of key that the kernel verifies: RSA of 2048 to
 * 4096 bits, P-256, P-384 or P-521.
 */
int certificate_check_signer(X509 *certificate, const struct signer *signer,
			     struct assay_error *err);

/* certificate_same_name() - to the byte, as the kernel compares names */
bool certificate_same_name(const X509_NAME *a, const X509_NAME *b);

/* certificate_subject() - the subject (RFC 2253), fit to print; a string to free() */
char *certificate_subject(X509 *certificate);
/* certificate_issuer() - who issued it, likewise */
char *certificate_issuer(X509 *certificate);

#endif /* ASSAY_SIGN_CERTIFICATE_H */
