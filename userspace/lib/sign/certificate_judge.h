/* SPDX-License-Identifier: MIT */
/*
 * Whether a signer's certificate is good for signatures, and was when they were made: what
 * RFC 5280 asks of it and the kernel does not.
 *
 * Pure: asks no clock.
 */
#ifndef ASSAY_SIGN_CERTIFICATE_JUDGE_H
#define ASSAY_SIGN_CERTIFICATE_JUDGE_H

#include <openssl/x509.h>

#include "base/bytes.h"

/*
 * certificate_judge_at() - may @certificate's key have signed something at that time?
 * @when: seconds since 1970; 0: not known, and the period of validity is not looked at
 *
 * It must have been valid then, have no malformed and no critical extension that is not known,
 * allow digitalSignature if it has a keyUsage, be signed with SHA-256, SHA-384 or SHA-512, and
 * be of a key that signature_judge_key() calls good or newer; or be signed with ML-DSA.
 *
 * Return: 0; -EKEYEXPIRED for another time; -EOPNOTSUPP for the rest: *err says which
 */
int certificate_judge_at(X509 *certificate, uint64_t when, struct assay_error *err);

/*
 * certificate_judge_issuer_at() - may @issuer, whose key signed @certificate, have issued it?
 * @when: as above, when the certificate was used
 *
 * An authority (CA:TRUE, and keyCertSign if it has a keyUsage) any. What is none may issue
 * delegates (sign/delegate.h) only: for one manifest, not longer than DELEGATE_HOURS, and
 * CA:FALSE. The issuer has to be as certificate_judge_at() says, but for the keyUsage of an
 * authority.
 *
 * Return: as above
 */
int certificate_judge_issuer_at(X509 *certificate, X509 *issuer, uint64_t when,
				struct assay_error *err);

#endif /* ASSAY_SIGN_CERTIFICATE_JUDGE_H */
