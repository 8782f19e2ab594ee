// SPDX-License-Identifier: MIT
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct metrics *metrics, const char *text)
{
	buffer_append(&metrics->out, text, strlen(text));
}

void metrics_begin(struct metrics *metrics, const char *name, const char *type, const char *help)
{
	const char *const pieces[] = {
		"# HELP assay_", name, " ", help, "\n# TYPE assay_", name, " ", type, "\n"
	};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		put(metrics, pieces[i]);
}

/* Digits enough for whole numbers up to 2^53. */
static void put_value(struct metrics *metrics, double value)
{
	char text[40];

	snprintf(text, sizeof(text), " %.16g\n", value);
	put(metrics, text);
}

void metrics_value(struct metrics *metrics, const char *name, const char *label,
		   const char *label_value, double value)
{
	put(metrics, "assay_");
	put(metrics, name);
	put(metrics, "{");
	put(metrics, label);
	put(metrics, "=\"");
	for (const char *at = label_value; *at; at++) {
		if (*at == '\n') {
			put(metrics, "\\n");
			continue;
		}
		if (*at == '\\' || *at == '"')
			put(metrics, "\\");
		buffer_append(&metrics->out, at, 1);
	}
	put(metrics, "\"}");
	put_value(metrics, value);
}

void metrics_counter(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	char text[32];

	metrics_begin(metrics, name, "counter", help);
	put(metrics, "assay_");
	put(metrics, name);
	snprintf(text, sizeof(text), " %" PRIu64 "\n", value);
	put(metrics, text);
}

void metrics_gauge(struct metrics *metrics, const char *name, const char *help, double value)
{
	metrics_begin(metrics, name, "gauge", help);
	put(metrics, "assay_");
	put(metrics, name);
	put_value(metrics, value);
}
