/* SPDX-License-Identifier: MIT */
/* Every route of the service: docs/fleet-openapi.json has the same, as a test sees to. */
#ifndef ASSAY_FLEET_ROUTES_H
#define ASSAY_FLEET_ROUTES_H

#include "http.h"

/* ended by one without a path */
extern const struct http_route fleet_routes[];

#endif /* ASSAY_FLEET_ROUTES_H */
