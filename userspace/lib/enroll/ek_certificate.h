/* SPDX-License-Identifier: MIT */
/*
 * Is this certificate an endorsement key's, from a maker who is trusted? (TCG EK Credential
 * Profile 2.5, section 3.2; RFC 5280)
 *
 * Pure; no TPM stack: for the verifier's side of enrolment. Revocation is not looked at.
 */
#ifndef ASSAY_ENROLL_EK_CERTIFICATE_H
#define ASSAY_ENROLL_EK_CERTIFICATE_H

#include <openssl/x509.h>

#include "verify/structures.h"

/* Certificates of one file. */
#define CERTIFICATES_MAX 1024

/*
 * certificates_parse() - all certificates of a file: PEM, one after the other, or one in DER
 * @out: appended to; sk_X509_pop_free() it with X509_free
 */
int certificates_parse(struct bytes data, const char *name, STACK_OF(X509) * out,
		       struct assay_error *err);

/**
 * struct ek_trust - whose certificates of endorsement keys are believed; all borrowed
 * @roots: trusted as they are
 * @intermediates: what may stand between; none of them is trusted for being here
 * @now: seconds since 1970-01-01 00:00 UTC
 */
struct ek_trust {
	STACK_OF(X509) * roots;
	STACK_OF(X509) * intermediates;
	uint64_t now;
};

/*
 * ek_certificate_check() - may a credential be made for the key in @der?
 * @der: the certificate
 * @ek: the key that the device says it is of
 *
 * The chain ends in a root and every certificate of it is valid now, signed with at least
 * 112 bits of security; the extended key usage is that of an endorsement key
 * (2.23.133.8.1), the key usage, where there is one, encryption; it is no authority's. A
 * critical subject alternative name holds nothing but what the profile puts there. The key
 * is @ek's.
 *
 * Return: 0; -EBADMSG for what is no certificate; -EKEYREJECTED with the rule that it broke
 */
int ek_certificate_check(struct bytes der, const struct tpm_public *ek,
			 const struct ek_trust *trust, struct assay_error *err);

#endif /* ASSAY_ENROLL_EK_CERTIFICATE_H */
