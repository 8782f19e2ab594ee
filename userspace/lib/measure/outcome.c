// SPDX-License-Identifier: MIT
#include "measure/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum outcome_kind outcome_kind(const struct outcome *outcome)
{
	if (outcome->error.code != 0 || outcome->failure_count > 0)
		return OUTCOME_FAILED;
	return outcome->counts.failed > 0 ? OUTCOME_INCOMPLETE : OUTCOME_MEASURED;
}

static const char *kind_name(enum outcome_kind kind)
{
	static const char *const names[] = { "measured", "incomplete", "failed" };

	return names[kind];
}

void outcome_take_scan(struct outcome *outcome, const struct scan *scan)
{
	outcome->file_count = scan->count;
	outcome->without_verity = scan->without_verity;
	outcome->failure_count = scan->failure_count;
	if (!outcome->failures)
		outcome->failures = json_array();
	for (size_t i = 0; i < scan->failure_count && i < SCAN_FAILURES_KEPT; i++)
		json_array_append_new(outcome->failures, json_text(scan->failures[i]));
}

void outcome_take_file(struct outcome *outcome, const char *path, int code)
{
	json_t *object;

	if (!outcome->files)
		outcome->files = json_array();
	if (json_array_size(outcome->files) >= OUTCOME_FILES_MAX)
		return;
	object = json_object();
	json_object_set_new(object, "path",
			    json_escaped(BYTES((const uint8_t *)path, strlen(path))));
	json_object_set_new(object, "errno", json_integer(code));
	json_object_set_new(object, "error",
			    json_sprintf("%s%s", strerror(code), measure_advice(code)));
	json_array_append_new(outcome->files, object);
}

static bool tell_number(json_t *object, const char *key, uint64_t value)
{
	return json_object_set_new(object, key, json_integer((json_int_t)value)) == 0;
}

bool outcome_tell(const struct outcome *outcome, json_t *object)
{
	bool told = json_object_set_new(object, "outcome",
					json_string(kind_name(outcome_kind(outcome)))) == 0;

	told = tell_number(object, "file_count", outcome->file_count) && told;
	told = tell_number(object, "known_count", outcome->known_count) && told;
	told = tell_number(object, "measured_count", outcome->counts.measured) && told;
	told = tell_number(object, "failed_count", outcome->counts.failed) && told;
	told = tell_number(object, "without_verity_count", outcome->without_verity) && told;
	told = tell_number(object, "record_count", outcome->counts.records) && told;
	told = tell_number(object, "took_ms", outcome->milliseconds) && told;
	if (outcome->counts.records > 0)
		told = tell_number(object, "recnum", outcome->counts.last_record) && told;
	if (outcome->failures && json_array_size(outcome->failures) > 0)
		told = json_object_set(object, "rules_failed", outcome->failures) == 0 && told;
	if (outcome->files)
		told = json_object_set(object, "files", outcome->files) == 0 && told;
	if (outcome->error.code != 0)
		told = json_object_set_new(object, "error", json_text(outcome->error.text)) == 0 &&
		       told;
	return told;
}

char *outcome_sentence(const struct outcome *outcome, char *text)
{
	size_t size = 0;

	if (outcome->error.code != 0)
		size += (size_t)snprintf(text, OUTCOME_SENTENCE_MAX, "%.300s; ",
					 outcome->error.text);
	else if (outcome->failure_count > 0)
		size += (size_t)snprintf(
			text, OUTCOME_SENTENCE_MAX, "%zu rule%s could not be followed; ",
			outcome->failure_count, outcome->failure_count == 1 ? "" : "s");
	snprintf(text + size, OUTCOME_SENTENCE_MAX - size,
		 "%zu of %zu files measured, with %zu extend%s of the PCR, in %" PRIu64 " ms",
		 outcome->counts.measured, outcome->file_count, outcome->counts.records,
		 outcome->counts.records == 1 ? "" : "s", outcome->milliseconds);
	return text;
}

void outcome_free(struct outcome *outcome)
{
	json_decref(outcome->failures);
	json_decref(outcome->files);
	*outcome = (struct outcome){ 0 };
}
