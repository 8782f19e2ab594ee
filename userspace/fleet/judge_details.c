// SPDX-License-Identifier: MIT
#include "judge_details.h"

#include "base/json.h"

#define FILES_MAX 400
#define RECORDS_MAX 400
#define NANOSECONDS 1000000000U
#define PATH_SHOWN 1024

/* The order in which they are told: what is amiss first. */
static const struct {
	uint32_t state;
	const char *name;
} states[] = {
	{ ASSAY_VERIFY_FILE_FAILED, "failed" },	  { ASSAY_VERIFY_FILE_DIFFERS, "differs" },
	{ ASSAY_VERIFY_FILE_UNKNOWN, "unknown" }, { ASSAY_VERIFY_FILE_ALLOWED, "allowed" },
	{ ASSAY_VERIFY_FILE_SIGNED, "signed" },	  { ASSAY_VERIFY_FILE_MATCHES, "matches" },
};
#define STATES (sizeof(states) / sizeof(states[0]))

static json_t *file_json(const struct assay_verify_file *file, const char *state)
{
	char path[PATH_SHOWN];

	text_escape(BYTES(file->path.data, file->path.size), path, sizeof(path));
	return json_pack("{s:o, s:s, s:s, s:I, s:o, s:o}", "path", json_string(path), "state",
			 state, "log", file->flags & ASSAY_VERIFY_BY_IMA ? "ima" : "assay",
			 "number", (json_int_t)file->number, "digest",
			 json_hex(BYTES(file->digest.bytes, file->digest.size)), "expected",
			 file->expected.size > 0 ?
				 json_hex(BYTES(file->expected.bytes, file->expected.size)) :
				 json_null());
}

static bool add_files(const struct assay_verdict *verdict, json_t *ret)
{
	json_t *counts = json_object(), *files = json_array();
	bool good = true;

	for (size_t s = 0; s < STATES; s++) {
		json_int_t count = 0;

		for (size_t i = 0; i < assay_verdict_files(verdict); i++) {
			struct assay_verify_file file;

			if (assay_verdict_file(verdict, i, &file) != ASSAY_VERIFY_OK ||
			    file.state != states[s].state)
				continue;
			if (json_array_size(files) < FILES_MAX)
				good &= json_array_append_new(
						files, file_json(&file, states[s].name)) == 0;
			count++;
		}
		good &= json_object_set_new(counts, states[s].name, json_integer(count)) == 0;
	}
	good &= json_object_set_new(ret, "file_states", counts) == 0;
	return json_object_set_new(ret, "files", files) == 0 && good;
}

static bool add_records(const struct assay_verdict *verdict, json_t *ret)
{
	size_t count = assay_verdict_records(verdict);
	json_t *records = json_array();
	bool good = true;

	for (size_t i = count > RECORDS_MAX ? count - RECORDS_MAX : 0; i < count; i++) {
		struct assay_verify_record record;

		if (assay_verdict_record(verdict, i, &record) != ASSAY_VERIFY_OK)
			continue;
		good &= json_array_append_new(records,
					      json_pack("{s:I, s:s, s:I, s:I, s:I, s:I}", "number",
							(json_int_t)record.number, "kind",
							record.kind ? record.kind : "unknown", "at",
							(json_int_t)(record.time / NANOSECONDS),
							"file_count", (json_int_t)record.files,
							"event_count", (json_int_t)record.events,
							"ima_count", (json_int_t)record.ima)) == 0;
	}
	return json_object_set_new(ret, "records", records) == 0 && good;
}

/* NULL without memory */
static char *with_details(const struct assay_verdict *verdict)
{
	char *text = assay_verdict_json(verdict), *ret = NULL;
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	assay_verify_text_free(text);
	if (json && add_files(verdict, json) && add_records(verdict, json))
		ret = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return ret;
}

char *judge_details(const struct assay_verify_params *params, const struct assay_verdict *verdict)
{
	struct assay_verify_params again = *params;
	struct assay_verdict *detailed = NULL;
	char *ret;

	again.flags |= ASSAY_VERIFY_KEEP_FILES;
	if (assay_verify(&again, &detailed, NULL) != ASSAY_VERIFY_OK)
		return assay_verdict_json(verdict);
	ret = with_details(detailed);
	assay_verdict_free(detailed);
	return ret;
}
