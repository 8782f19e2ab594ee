/* SPDX-License-Identifier: MIT */
/*
 * What a certificate's extensions say its key is for, and whose it is, as far as the TCG's
 * profiles use them: extended key usages, certificate policies and subject alternative names.
 *
 * Pure; no TPM stack.
 */
#ifndef ASSAY_SIGN_USAGE_H
#define ASSAY_SIGN_USAGE_H

#include <openssl/x509.h>
#include <stdbool.h>

/* TCG OID Registry, section 3: extended key usages. */
#define USAGE_EK_CERTIFICATE "2.23.133.8.1"  /* tcg-kp-EKCertificate */
#define USAGE_AIK_CERTIFICATE "2.23.133.8.3" /* tcg-kp-AIKCertificate */
#define USAGE_ANY "2.5.29.37.0"		     /* RFC 5280, section 4.2.1.12 */

/*
 * TPM 2.0 Keys for Device Identity and Attestation, section 8.2: certificate policies. The last
 * one says that fixedTPM was verified, too.
 */
#define POLICY_TPM_RESIDENCY "2.23.133.11.1.1"	/* tcg-cap-verifiedTPMResidency */
#define POLICY_TPM_FIXED "2.23.133.11.1.2"	/* tcg-cap-verifiedTPMFixed */
#define POLICY_TPM_RESTRICTED "2.23.133.11.1.3" /* tcg-cap-verifiedTPMRestricted */

/* What an extended key usage says of one purpose. */
enum usage {
	USAGE_ABSENT,  /* there is none: any purpose */
	USAGE_NAMED,   /* the purpose is in it */
	USAGE_OTHERS,  /* it is there, and the purpose is not in it */
	USAGE_INVALID, /* it is there twice, or cannot be read */
};

/* usage_of() - what the extended key usage says of the purpose @oid, in dotted form */
enum usage usage_of(X509 *certificate, const char *oid);

/* usage_has_policy() - is the policy @oid in the certificate policies? */
bool usage_has_policy(X509 *certificate, const char *oid);

/*
 * usage_name_understood() - is the subject alternative name one that a TCG profile has?
 * OpenSSL takes a critical one as understood whatever is in it: this says false of one with
 * other things than directory names, hardware module names (RFC 4108) and permanent
 * identifiers (RFC 4043), and of one that cannot be read.
 */
bool usage_name_understood(X509 *certificate);

#endif /* ASSAY_SIGN_USAGE_H */
