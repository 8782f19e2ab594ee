/* SPDX-License-Identifier: MIT */
/* Handlers of routes that hand out what was kept as it came: evidence and policies. */
#ifndef ASSAY_FLEET_CONTENT_VIEWS_H
#define ASSAY_FLEET_CONTENT_VIEWS_H

#include "http.h"

void view_evidence(struct http_call *call); /* by its digest; expanded */
void view_policy(struct http_call *call);   /* a version of one; without the newest */

#endif /* ASSAY_FLEET_CONTENT_VIEWS_H */
