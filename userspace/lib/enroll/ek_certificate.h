/* SPDX-License-Identifier: MIT */
/*
 * Is this certificate an endorsement key's, from a maker who is trusted? (TCG EK Credential
 * Profile 2.5, section 3.2; RFC 5280)
 *
 * Pure; no TPM stack: for the verifier's side of enrolment.
 */
#ifndef ASSAY_ENROLL_EK_CERTIFICATE_H
#define ASSAY_ENROLL_EK_CERTIFICATE_H

#include "sign/chain.h"
#include "verify/structures.h"

/*
 * ek_certificate_check() - may a credential be made for the key in @der?
 * @der, @chain: as chain_check() takes them, which they pass
 * @ek: the key that the device says it is of
 *
 * The extended key usage of @der is that of an endorsement key, the key usage, where there is
 * one, encryption; it is no authority's. A critical subject alternative name holds nothing but
 * what the profile puts there. The key is @ek's.
 *
 * Return: 0; -EBADMSG for what is no certificate; -EKEYREJECTED with the rule that it broke
 */
int ek_certificate_check(struct bytes der, struct bytes chain, const struct tpm_public *ek,
			 const struct chain_trust *trust, struct chain_revocation *ret_revocation,
			 struct assay_error *err);

#endif /* ASSAY_ENROLL_EK_CERTIFICATE_H */
