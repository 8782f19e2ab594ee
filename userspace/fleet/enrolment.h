/* SPDX-License-Identifier: MIT */
/* Handlers of enrolment: by the device itself (lib/enroll does the judging), or by an operator. */
#ifndef ASSAY_FLEET_ENROLMENT_H
#define ASSAY_FLEET_ENROLMENT_H

#include "fleet.h"

void enrolment_request(struct http_call *call); /* a request of assay enroll: a challenge */
void enrolment_answer(struct http_call *call);	/* its answer: enrolled */
void enrolment_record(struct http_call *call);	/* a device record of assay enroll */
void enrolment_approve(struct http_call *call);
void enrolment_label(struct http_call *call);
void enrolment_remove(struct http_call *call);

#endif /* ASSAY_FLEET_ENROLMENT_H */
