/* SPDX-License-Identifier: MIT */
/* Handlers of routes about alarms. */
#ifndef ASSAY_FLEET_ALARM_VIEWS_H
#define ASSAY_FLEET_ALARM_VIEWS_H

#include "http.h"

void alarm_list(struct http_call *call);
void alarm_show(struct http_call *call);
void alarm_acknowledge(struct http_call *call);

#endif /* ASSAY_FLEET_ALARM_VIEWS_H */
