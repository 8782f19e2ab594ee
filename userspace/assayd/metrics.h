/* SPDX-License-Identifier: MIT */
/*
 * Metrics in Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
#ifndef ASSAY_ASSAYD_METRICS_H
#define ASSAY_ASSAYD_METRICS_H

#include "base/bytes.h"

struct metrics {
	struct buffer out;
};

/*
 * metrics_counter(), metrics_gauge() - one metric without labels
 * @name: without the "assay_" that is put before it; of a counter it ends in "_total"
 * @help: one line
 */
void metrics_counter(struct metrics *metrics, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct metrics *metrics, const char *name, const char *help, double value);

/*
 * metrics_begin() - one with labels: metrics_value() for each follows
 * @type: "counter" or "gauge"
 * @label: its name; @label_value: any bytes, escaped
 */
void metrics_begin(struct metrics *metrics, const char *name, const char *type, const char *help);
void metrics_value(struct metrics *metrics, const char *name, const char *label,
		   const char *label_value, double value);

#endif /* ASSAY_ASSAYD_METRICS_H */
