/* SPDX-License-Identifier: MIT */
/* Handlers that show what is known, and change nothing. */
#ifndef ASSAY_FLEET_VIEWS_H
#define ASSAY_FLEET_VIEWS_H

#include "fleet.h"

void view_summary(struct http_call *call);
void view_versions(struct http_call *call);
void view_me(struct http_call *call);
void view_devices(struct http_call *call);
void view_device(struct http_call *call);
void view_verdict(struct http_call *call);
void view_audit(struct http_call *call);
void view_health(struct http_call *call);

#endif /* ASSAY_FLEET_VIEWS_H */
