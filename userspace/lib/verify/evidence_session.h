/* SPDX-License-Identifier: MIT */
/* The member "session" of evidence: the audited session in which the quote was made. */
#ifndef ASSAY_VERIFY_EVIDENCE_SESSION_H
#define ASSAY_VERIFY_EVIDENCE_SESSION_H

#include <jansson.h>

#include "base/json.h"

#define EVIDENCE_MAX_STRUCTURE 4096  /* bytes of one marshalled TPM structure */
#define EVIDENCE_MAX_TEXT (1U << 20) /* bytes of the text that a session is for */
#define EVIDENCE_MAX_CERTIFIED 64    /* NV indices that a session certified */

/* struct evidence_certified - what TPM2_NV_Certify answered: TPMS_ATTEST and TPMT_SIGNATURE */
struct evidence_certified {
	struct buffer attest, signature;
};

/**
 * struct evidence_session - the audited session in which the quote was made
 * @attest: TPMS_ATTEST of TPM2_GetSessionAuditDigest; its extraData is of @text (TPMT_HA)
 * @signature: TPMT_SIGNATURE over @attest
 * @text: what the session was for: a report (report_text.h), which may have the nonce
 * @certified: NV indices that the session certified behind the quote, in that order; owned
 * @certified_count: how many
 */
struct evidence_session {
	struct buffer attest, signature, text;
	struct evidence_certified *certified;
	size_t certified_count;
};

/*
 * evidence_add_certified() - append what the session certified next
 * Return: 0, -E2BIG, -ENOMEM
 */
int evidence_add_certified(struct evidence_session *session, struct bytes attest,
			   struct bytes signature, struct assay_error *err);

/* evidence_session_check() - as evidence_write(): what must be there is, and within its limits */
int evidence_session_check(const struct evidence_session *session, struct assay_error *err);

/* evidence_session_json() - NULL without memory */
json_t *evidence_session_json(const struct evidence_session *session);

/* evidence_session_parse() - as evidence_parse(); @ret is freed with its evidence, whole or not */
int evidence_session_parse(const json_t *object, struct json_lifted *lifted,
			   struct evidence_session *ret, struct assay_error *err);

void evidence_session_free(struct evidence_session *session);

#endif /* ASSAY_VERIFY_EVIDENCE_SESSION_H */
