// SPDX-License-Identifier: MIT
/* A verdict as JSON; assay-verify(1) describes it. */
#include "base/json.h"
#include "verify/sentence.h"
#include "verify/verdict.h"

static json_t *covered_to_json(const char *name, const struct covered_log *log)
{
	return json_pack("{s:s, s:I, s:I}", "name", name, "record_count", (json_int_t)log->records,
			 "covered_count", (json_int_t)log->covered);
}

static json_t *check_to_json(const struct verdict *verdict, enum check check)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:s}", "name", check_name(check), "group",
			 check_group_name(check_group(check)), "required",
			 (verdict->required & CHECK_BIT(check)) != 0, "result",
			 verdict_result(verdict, check), "detail",
			 json_text(verdict->detail[check]), "advice", check_advice(check));
}

static json_t *manifest_to_json(const struct verdict_manifest *manifest)
{
	return json_pack("{s:s, s:s, s:o}", "id", manifest->id, "created", manifest->created,
			 "product",
			 manifest->product[0] ? json_text(manifest->product) : json_null());
}

json_t *verdict_to_json(const struct verdict *verdict)
{
	json_t *checks = json_array(), *manifests = json_array();
	bool failed = false;

	for (int i = 0; i < CHECK_COUNT; i++)
		failed |= json_array_append_new(checks, check_to_json(verdict, (enum check)i)) < 0;
	for (size_t i = 0; i < verdict->manifest_count && i < VERDICT_MANIFESTS; i++)
		failed |= json_array_append_new(manifests,
						manifest_to_json(&verdict->manifests[i])) < 0;
	if (failed) {
		json_decref(checks);
		json_decref(manifests);
		return NULL;
	}
	return json_pack("{s:i, s:s, s:b, s:b, s:s, s:o, s:[o, o], s:o, s:I}", "assay",
			 JSON_VERSION, "type", "verdict", "trusted", (int)verdict_trusted(verdict),
			 "boot_judged", (int)verdict_boot_judged(verdict), "sentence",
			 verdict_sentence(verdict), "checks", checks, "logs",
			 covered_to_json("assay", &verdict->assay_log),
			 covered_to_json("ima", &verdict->ima_log), "manifests", manifests,
			 "file_count", (json_int_t)verdict->files);
}
