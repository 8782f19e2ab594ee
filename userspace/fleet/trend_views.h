/* SPDX-License-Identifier: MIT */
/* Handlers of routes that show how the fleet was and became. */
#ifndef ASSAY_FLEET_TREND_VIEWS_H
#define ASSAY_FLEET_TREND_VIEWS_H

#include "http.h"

void view_trend(struct http_call *call);
void view_summaries(struct http_call *call);

#endif /* ASSAY_FLEET_TREND_VIEWS_H */
