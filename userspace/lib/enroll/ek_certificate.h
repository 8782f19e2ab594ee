/* SPDX-License-Identifier: MIT */
/*
 * Is this certificate an endorsement key's, from a maker who is trusted? (TCG EK Credential
 * Profile 2.5, section 3.2; RFC 5280)
 *
 * Pure; no TPM stack: for the verifier's side of enrolment.
 */
#ifndef ASSAY_ENROLL_EK_CERTIFICATE_H
#define ASSAY_ENROLL_EK_CERTIFICATE_H

#include <openssl/x509.h>

#include "enroll/certificates.h"
#include "verify/structures.h"

/**
 * struct ek_trust - whose certificates of endorsement keys are believed; all borrowed
 * @roots: trusted as they are
 * @intermediates: what may stand between; none of them is trusted for being here
 * @revocations: of revocations_parse(); NULL for none
 * @now: seconds since 1970-01-01 00:00 UTC
 */
struct ek_trust {
	STACK_OF(X509) * roots;
	STACK_OF(X509) * intermediates;
	STACK_OF(X509_CRL) * revocations;
	uint64_t now;
};

/**
 * struct ek_revocation - what revocation lists could say of a chain
 * @certificates: how many it has, with the root
 * @unknown: how many of them no list at hand tells of; not counted where there are no lists
 */
struct ek_revocation {
	size_t certificates;
	size_t unknown;
};

/*
 * ek_certificate_trim() - the certificate alone, without the padding that files read from NV
 * memory have behind it; @der itself where it is something else
 */
struct bytes ek_certificate_trim(struct bytes der);

/*
 * ek_certificate_check() - may a credential be made for the key in @der?
 * @der: the certificate; padding may follow
 * @chain: certificates in DER, one after the other, that may stand between like those of
 *         @trust; may be empty
 * @ek: the key that the device says it is of
 *
 * The chain ends in a root and every certificate of it is valid now, signed with at least
 * 112 bits of security. What stands between is an authority's (basicConstraints CA:TRUE,
 * keyCertSign), and where it has an extended key usage, that is an endorsement key's
 * (2.23.133.8.1) or any. A revocation list of an issuer in the chain is one that this issuer
 * signed, and has none of its certificates. The extended key usage of @der is that of an
 * endorsement key, the key usage, where there is one, encryption; it is no authority's. A
 * critical subject alternative name holds nothing but what the profile puts there. The key
 * is @ek's.
 *
 * Return: 0; -EBADMSG for what is no certificate; -EKEYREJECTED with the rule that it broke
 */
int ek_certificate_check(struct bytes der, struct bytes chain, const struct tpm_public *ek,
			 const struct ek_trust *trust, struct ek_revocation *ret_revocation,
			 struct assay_error *err);

#endif /* ASSAY_ENROLL_EK_CERTIFICATE_H */
