/* SPDX-License-Identifier: MIT */
/*
 * The verifier's two steps of an enrolment, as pure functions: a request becomes a
 * challenge, an answer to it a device record. No I/O, no clock, no TPM stack.
 *
 * What it proves: the attestation key of that name is in the TPM whose maker certified the
 * endorsement key, for no other TPM could unwrap the secret, and that one does so only
 * where a key of that name is loaded. What the device says of itself beside that, its
 * machine id and the key's qualified name, is taken down and not proved.
 */
#ifndef ASSAY_ENROLL_ENROLL_H
#define ASSAY_ENROLL_ENROLL_H

#include "enroll/ek_certificate.h"
#include "enroll/ek_list.h"
#include "enroll/message.h"

/* How long a challenge stays open, in seconds, where nobody says otherwise: a week. */
#define ENROLL_VALID (7 * 24 * 3600)

/*
 * enroll_challenge() - check a request and make a challenge for it
 * @trust: whom to believe
 * @known: endorsement keys that need no certificate; may be NULL
 * @valid: how long it may be answered, in seconds from @trust->now
 * @ret_pending: what to keep; not the secret, which nobody has until the device answers
 * @ret_revocation: what the revocation lists could say; may be NULL
 *
 * Return: 0; -EKEYREJECTED with what is wrong with a key or the certificate; -EINVAL,
 * -EBADMSG for keys that do not parse; -EIO, -ENOMEM
 */
int enroll_challenge(const struct enroll_request *request, const struct chain_trust *trust,
		     const struct ek_list *known, uint64_t valid, struct enroll_challenge *ret,
		     struct enroll_pending *ret_pending, struct chain_revocation *ret_revocation,
		     struct assay_error *err);

/*
 * enroll_accept() - judge an answer
 * @pending: as enroll_challenge() gave it, of the answer's id
 * @now: seconds since 1970-01-01 00:00 UTC
 *
 * Return: 0; -EKEYREJECTED for another challenge's answer and a wrong secret; -ETIME where it
 * comes too late
 */
int enroll_accept(const struct enroll_answer *answer, const struct enroll_pending *pending,
		  uint64_t now, struct device_record *ret, struct assay_error *err);

#endif /* ASSAY_ENROLL_ENROLL_H */
