// SPDX-License-Identifier: MIT
#include "verify/report_text.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "log/cel_json.h"
#include "verify/evidence.h"

#define WHAT "the report"

static int parse(struct bytes text, json_t **ret, struct assay_error *err)
{
	const char *type = "";
	uint8_t separator;
	int r;

	if (!bytes_take_u8(&text, &separator) || separator != CEL_JSON_SEPARATOR)
		return assay_fail(err, EBADMSG,
				  WHAT " does not begin with the separator 0x1e of JSON texts");
	r = json_parse(text, WHAT, ret, err);
	if (r == 0)
		r = json_get_string(*ret, "mediaType", WHAT, &type, err);
	if (r == 0 && strcmp(type, REPORT_TEXT_TYPE) != 0)
		r = assay_fail(err, EBADMSG,
			       WHAT " has another \"mediaType\" than " REPORT_TEXT_TYPE);
	return r;
}

/* The one metric of that name; NULL where there is none. */
static int find_metric(const json_t *report, const json_t **ret, struct assay_error *err)
{
	const json_t *metrics = json_object_get(report, "metrics"), *metric;
	size_t i;

	*ret = NULL;
	json_array_foreach(metrics, i, metric) {
		const char *name = json_string_value(json_object_get(metric, "name"));

		if (!name || strcmp(name, REPORT_TEXT_NONCE_METRIC) != 0)
			continue;
		if (*ret)
			return assay_fail(err, EBADMSG,
					  WHAT " has the metric " REPORT_TEXT_NONCE_METRIC
					       " twice");
		*ret = metric;
	}
	return 0;
}

/* A file of one line: a shell writes it with a newline. */
static int take_metric(const json_t *metric, struct buffer *ret, struct assay_error *err)
{
	char text[2 * EVIDENCE_MAX_NONCE + 1];
	uint8_t nonce[EVIDENCE_MAX_NONCE];
	const char *value;
	size_t length, size;
	int r = json_get_string(metric, "value", "the metric " REPORT_TEXT_NONCE_METRIC, &value,
				err);

	if (r < 0)
		return r;
	length = strcspn(value, "\n");
	if (length < sizeof(text) && value[length + (value[length] == '\n')] == '\0') {
		memcpy(text, value, length);
		text[length] = '\0';
		if (hex_decode(text, nonce, sizeof(nonce), &size) == 0) {
			buffer_append(ret, nonce, size);
			return 0;
		}
	}
	return assay_fail(err, EBADMSG,
			  "the metric " REPORT_TEXT_NONCE_METRIC
			  " is no nonce of 1 to %d bytes in hexadecimal",
			  EVIDENCE_MAX_NONCE);
}

int report_text_nonce(struct bytes text, struct buffer *ret, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *report = NULL;
	CLEANUP(buffer_free) struct buffer nonce = { 0 };
	const json_t *metric = NULL;
	bool has_one;
	int r = parse(text, &report, err);

	if (r == 0)
		r = find_metric(report, &metric, err);
	if (r < 0)
		return r;
	has_one = json_object_get(report, "nonce") || metric;
	if (json_object_get(report, "nonce"))
		r = json_get_base64(report, "nonce", WHAT, &nonce, err);
	else if (metric)
		r = take_metric(metric, &nonce, err);
	if (r < 0)
		return r;
	if (nonce.size > EVIDENCE_MAX_NONCE || (has_one && nonce.size == 0))
		return assay_fail(err, EBADMSG, WHAT "'s nonce has %zu bytes; 1 to %d are read",
				  nonce.size, EVIDENCE_MAX_NONCE);
	buffer_append_bytes(ret, buffer_bytes(&nonce));
	return ret->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
