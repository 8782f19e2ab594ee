/* SPDX-License-Identifier: MIT */
/*
 * What devices send, worked on in batches: all that came while the last batch was worked on is the
 * next one, so that one commit is for many, and none waits for more to come. A verdict is answered
 * when it is on the disk.
 */
#ifndef ASSAY_FLEET_INTAKE_H
#define ASSAY_FLEET_INTAKE_H

#include "fleet.h"

int intake_new(struct fleet *fleet, struct intake **ret, struct assay_error *err);
/* intake_free() - does nothing with NULL; what waits is not answered */
void intake_free(struct intake *intake);

/* Handlers of POST /v1/devices/NAME/challenge and .../evidence (assay-push(7)). */
void intake_challenge(struct http_call *call);
void intake_evidence(struct http_call *call);

/* Handlers of POST /v1/devices/NAME/systemd-report/challenge and .../systemd-report. */
void intake_report_challenge(struct http_call *call);
void intake_report(struct http_call *call);

/*
 * Handlers of Keylime's push protocol, API version 3.0: POST /v3.0/sessions, PATCH
 * /v3.0/sessions/NAME, POST /v3.0/agents/NAME/attestations and PATCH .../attestations/latest.
 */
void keylime_session(struct http_call *call);
void keylime_proof(struct http_call *call);
void keylime_capabilities(struct http_call *call);
void keylime_evidence(struct http_call *call);

#endif /* ASSAY_FLEET_INTAKE_H */
