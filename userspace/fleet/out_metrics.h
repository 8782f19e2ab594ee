/* SPDX-License-Identifier: MIT */
/* GET /metrics: the text format of Prometheus, version 0.0.4. */
#ifndef ASSAY_FLEET_OUT_METRICS_H
#define ASSAY_FLEET_OUT_METRICS_H

#include "fleet.h"

void out_metrics(struct http_call *call);

#endif /* ASSAY_FLEET_OUT_METRICS_H */
