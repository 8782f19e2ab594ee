/* SPDX-License-Identifier: MIT */
/*
 * GET /v1/events: server-sent events (HTML standard, section 9.2): one for each verdict that
 * becomes another one, of whichever process, with its number as id; a client that comes again with
 * Last-Event-ID misses none.
 */
#ifndef ASSAY_FLEET_OUT_EVENTS_H
#define ASSAY_FLEET_OUT_EVENTS_H

#include "fleet.h"

struct events;

int out_events_new(struct fleet *fleet, struct events **ret, struct assay_error *err);
void out_events_free(struct events *events); /* does nothing with NULL */

void out_events(struct http_call *call);

#endif /* ASSAY_FLEET_OUT_EVENTS_H */
