/* SPDX-License-Identifier: MIT */
/*
 * What Keylime's push agents send, API version 3.0: JSON:API's objects. Hostile bytes; pure.
 * Members that nobody needs are passed over, as the agents' later versions may have more.
 */
#ifndef ASSAY_FLEET_KEYLIME_MESSAGE_H
#define ASSAY_FLEET_KEYLIME_MESSAGE_H

#include "evidence_in.h"
#include "verify/record.h"

/* Logs that are asked for, in this order. */
enum keylime_logs { KEYLIME_UEFI, KEYLIME_IMA, KEYLIME_LOGS };

/* struct keylime_log - @type: "evidence_type"; @format: in which it is wanted */
struct keylime_log {
	const char *type, *format;
};

extern const struct keylime_log keylime_logs[KEYLIME_LOGS];

/*
 * Each: 0; -EBADMSG with what is off; -EFBIG, -ENOMEM
 * keylime_read_session() - who wants to prove that it is that device
 */
int keylime_read_session(struct bytes body, char agent[RECORD_MAX_MACHINE_ID + 1],
			 struct assay_error *err);

/* keylime_read_proof() - TPMS_ATTEST and TPMT_SIGNATURE; @agent: whose session it must be of */
int keylime_read_proof(struct bytes body, const char *agent, struct buffer *ret_proof,
		       struct buffer *ret_signature, struct assay_error *err);

/* keylime_read_capabilities() - bit n: the agent has the log n of enum keylime_logs */
int keylime_read_capabilities(struct bytes body, unsigned int *ret, struct assay_error *err);

/*
 * keylime_read_evidence() - the evidence of the device whose attestation key is @ak
 * @limit: bytes of it as evidence(5)
 */
int keylime_read_evidence(struct bytes body, struct bytes ak, size_t limit, struct evidence_in *ret,
			  struct assay_error *err);

#endif /* ASSAY_FLEET_KEYLIME_MESSAGE_H */
