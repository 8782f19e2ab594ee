/* SPDX-License-Identifier: MIT */
/* Results that others can check: an EAR of a device, and the key that it is signed by. */
#ifndef ASSAY_FLEET_OUT_EAR_H
#define ASSAY_FLEET_OUT_EAR_H

#include "fleet.h"

/* GET /v1/devices/NAME/ear: a JWT of what the device is held for; "profile=ietf" for the later
 * names */
void out_ear(struct http_call *call);

/* GET /.well-known/jwks.json: a JWK Set (RFC 7517) with that key */
void out_jwks(struct http_call *call);

#endif /* ASSAY_FLEET_OUT_EAR_H */
