/* SPDX-License-Identifier: MIT */
/*
 * The certificate of an attestation key: an IAK's or LAK's (TCG, TPM 2.0 Keys for Device Identity
 * and Attestation 1.0, section 8), or what a cloud's authority says of the key of a virtual TPM.
 *
 * Pure; no TPM stack, and no clock.
 */
#ifndef ASSAY_VERIFY_AK_CERTIFICATE_H
#define ASSAY_VERIFY_AK_CERTIFICATE_H

#include "sign/chain.h"
#include "verify/ak_given.h"

#define AK_CERTIFICATE_SUBJECT 256 /* characters of a subject that is shown */

/**
 * struct ak_certificate - what a certificate that is believed says
 * @key: its key, of which the numbers are known; ak_given_free() it
 * @restricted: whether its issuer says that the key is a TPM's and restricted: by the extended
 *              key usage tcg-kp-AIKCertificate, or by the policy tcg-cap-verifiedTPMRestricted.
 *              Certificates of clouds say neither
 * @subject: for people, fit to print
 * @digest: SHA-256 of the certificate in DER
 * @revocation: what revocation lists could say
 */
struct ak_certificate {
	struct ak_given key;
	bool restricted;
	char subject[AK_CERTIFICATE_SUBJECT];
	struct assay_digest digest;
	struct chain_revocation revocation;
};

/*
 * ak_certificate_check() - is it a certificate of an attestation key, from somebody trusted?
 * @certificates: DER: the key's first, then what may stand between it and a root, one after the
 *                other; padding may follow
 * @vouched: the caller vouches for what a certificate does not say, that the key is restricted
 *           and bound to its TPM: then one for another purpose is taken, and over authorities for
 *           endorsement keys, as a cloud's that issues both kinds
 * @ret: set only where it is
 *
 * It passes chain_check(); is no authority's; allows digitalSignature, if it has a key usage; has
 * the extended key usage of an attestation key, if it has one and does not say by its policies
 * that the key is restricted; a critical subject alternative name holds nothing but what the TCG's
 * profiles put there.
 *
 * Return: 0; -EBADMSG for what is no certificate, or of no key of a TPM; -EKEYREJECTED with the
 * rule that it broke; -ENOMEM
 */
int ak_certificate_check(struct bytes certificates, const struct chain_trust *trust, bool vouched,
			 struct ak_certificate *ret, struct assay_error *err);

#endif /* ASSAY_VERIFY_AK_CERTIFICATE_H */
