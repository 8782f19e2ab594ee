/* SPDX-License-Identifier: MIT */
/* Handlers of routes that show verdicts which became others; nothing is changed. */
#ifndef ASSAY_FLEET_CHANGE_VIEWS_H
#define ASSAY_FLEET_CHANGE_VIEWS_H

#include "http.h"

void view_changes(struct http_call *call);	  /* of a device, the newest first */
void view_all_changes(struct http_call *call);	  /* of all devices; or alarms only */
void view_change_verdict(struct http_call *call); /* the whole verdict of one */

#endif /* ASSAY_FLEET_CHANGE_VIEWS_H */
