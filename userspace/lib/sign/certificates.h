/* SPDX-License-Identifier: MIT */
/*
 * Files of certificates and of revocation lists, in whichever form they come.
 *
 * Pure; no TPM stack: for whoever judges a chain, and for the device where it
 * hands a certificate on.
 */
#ifndef ASSAY_SIGN_CERTIFICATES_H
#define ASSAY_SIGN_CERTIFICATES_H

#include <openssl/x509.h>

#include "base/bytes.h"

/* Certificates, or revocation lists, of one file. */
#define CERTIFICATES_MAX 1024

/*
 * certificates_parse() - all certificates of a file: PEM or DER, one after the other
 * @name: names the file in errors
 * @out: appended to; sk_X509_pop_free() it with X509_free
 *
 * Behind DER there may be padding, as a file has it that was read from a TPM's NV memory:
 * zeros, or 0xff.
 * Return: 0; -EBADMSG for what is none, and where anything else stands behind; -E2BIG, -ENOMEM
 */
int certificates_parse(struct bytes data, const char *name, STACK_OF(X509) * out,
		       struct assay_error *err);

/* For revocations_parse(): the time is looked at when a chain is judged by the lists. */
#define REVOCATIONS_ANY_TIME UINT64_MAX

/*
 * revocations_parse() - all revocation lists of a file, likewise
 * @now: seconds since 1970-01-01 00:00 UTC, or REVOCATIONS_ANY_TIME
 * @out: appended to; sk_X509_CRL_pop_free() it with X509_CRL_free
 *
 * Return: as above; -ESTALE for one that is not of now, with its issuer and time: what was
 * revoked since is not in it, so it is no ground to believe anything
 */
int revocations_parse(struct bytes data, const char *name, uint64_t now, STACK_OF(X509_CRL) * out,
		      struct assay_error *err);

#endif /* ASSAY_SIGN_CERTIFICATES_H */
