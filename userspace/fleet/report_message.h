/* SPDX-License-Identifier: MIT */
/* A signed report of systemd as it comes to the service. Hostile bytes; pure. */
#ifndef ASSAY_FLEET_REPORT_MESSAGE_H
#define ASSAY_FLEET_REPORT_MESSAGE_H

#include "evidence_in.h"

/*
 * report_read_evidence() - the evidence of a report whose session answers a nonce
 * @limit: bytes of it as evidence(5)
 *
 * Return: 0; -EBADMSG with what is off, or is missing; -EFBIG, -ENOMEM
 */
int report_read_evidence(struct bytes body, size_t limit, struct evidence_in *ret,
			 struct assay_error *err);

#endif /* ASSAY_FLEET_REPORT_MESSAGE_H */
