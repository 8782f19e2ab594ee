// SPDX-License-Identifier: MIT
/*
 * Fuzzing what is made of a firmware's log: rules that are learned from it, which a policy takes,
 * are judged on it, and the log is compared with itself.
 */
#include <stdint.h>
#include <string.h>

#include "firmware/diff.h"
#include "firmware/learn.h"
#include "fuzz.h"
#include "verify/policy.h"

static void ignore_finding(void *context, const char *text)
{
	(void)context;
	if (!text[0])
		abort();
}

static void ignore_change(void *context, const struct firmware_change *change)
{
	(void)context;
	(void)change;
}

static void judge_all(const struct firmware_rules *rules, const struct firmware_log *log)
{
	for (int rule = 0; rule < FIRMWARE_RULES; rule++) {
		struct firmware_result result;
		struct assay_error err;

		if (firmware_judge(rules, (enum firmware_rule)rule, log, ignore_finding, NULL,
				   &result, &err) < 0)
			abort();
	}
}

/* What is learned is a policy's. */
static void check_rules(const struct firmware_log *log)
{
	struct policy policy;
	struct assay_error err;
	json_t *rules, *json;
	uint32_t pcrs;
	char *text;

	if (firmware_learn(log, &rules, &pcrs, &err) < 0)
		abort();
	json = json_pack("{s:i, s:s, s:o}", "assay", 1, "type", "policy", "firmware", rules);
	text = json_dumps(json, JSON_COMPACT);
	if (!text)
		abort();
	if (policy_parse(BYTES((const uint8_t *)text, strlen(text)), &policy, &err) == 0) {
		judge_all(&policy.rules.firmware, log);
		policy_free(&policy);
	} else if (json_object_size(json_object_get(json, "firmware")) > 0 &&
		   !strstr(err.text, "more than")) {
		abort();
	}
	free(text);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct uefi_pcrs pcrs;
	struct firmware_log log = { .log = BYTES(data, size) };
	struct assay_error err;

	if (uefi_replay(log.log, &pcrs, &err) < 0)
		return 0;
	log.bank_count = pcrs.bank_count;
	for (size_t i = 0; i < pcrs.bank_count; i++) {
		log.banks[i].hash = pcrs.banks[i].hash;
		log.banks[i].pcrs = ~pcrs.banks[i].incomplete;
	}
	check_rules(&log);
	if (firmware_diff(log.log, log.log, ignore_change, NULL, &err) > 0)
		abort();
	return 0;
}
