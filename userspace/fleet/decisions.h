/* SPDX-License-Identifier: MIT */
/*
 * What devices are judged by is decided here: assignments and roll-outs. Where two persons are
 * wanted, what one asks for is kept as a proposal, with what there was then, until another
 * approves.
 */
#ifndef ASSAY_FLEET_DECISIONS_H
#define ASSAY_FLEET_DECISIONS_H

#include "fleet.h"

void decision_assign(struct http_call *call);
void decision_rollout(struct http_call *call);
void decision_rollouts(struct http_call *call);
void decision_proposals(struct http_call *call);
void decision_approve(struct http_call *call);
void decision_withdraw(struct http_call *call);

#endif /* ASSAY_FLEET_DECISIONS_H */
