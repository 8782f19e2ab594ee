/* SPDX-License-Identifier: MIT */
/* Handlers of reference values: uploads, versions, assignments. */
#ifndef ASSAY_FLEET_REFERENCE_ROUTES_H
#define ASSAY_FLEET_REFERENCE_ROUTES_H

#include "fleet.h"

void reference_upload_policy(struct http_call *call);
void reference_upload_manifest(struct http_call *call);
void reference_upload_certificate(struct http_call *call);
void reference_list(struct http_call *call);
void reference_assignments(struct http_call *call);

#endif /* ASSAY_FLEET_REFERENCE_ROUTES_H */
