// SPDX-License-Identifier: MIT
/*
 * Fuzz target: policies. Whatever is taken keeps the promises that verify() rests on:
 * no check that cannot be waived is gone, and nothing that it points to is missing. And
 * reference values of others: what is made of them is a policy that is taken.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "verify/policy_import.h"
#include "verify/policy_lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *text)
{
	(void)context;
	assert(text[0] != '\0');
}

static void ignore_finding(void *context, enum policy_lint_level level, const char *text)
{
	(void)level;
	ignore(context, text);
}

static void import(struct bytes text)
{
	json_t *json = json_pack("{s:i, s:s}", "assay", 1, "type", "policy");
	struct policy policy = { 0 };
	char *dumped;

	if (policy_import(text, json, ignore, NULL, NULL) == 0) {
		dumped = json_dumps(json, 0);
		assert(policy_parse(BYTES((uint8_t *)dumped, strlen(dumped)), &policy, NULL) == 0);
		policy_free(&policy);
		free(dumped);
	}
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy = { 0 };
	const struct verify_policy *rules = &policy.rules;
	struct verify_input input = { 0 };
	static struct verdict verdict;
	uint64_t digits = 0, absent = 0;

	import(BYTES(data, size));
	if (policy_parse(BYTES(data, size), &policy, NULL) < 0) {
		assert(!policy.json && !policy.memory);
		return 0;
	}
	for (int log = 0; log < VERIFY_LOGS; log++)
		if (rules->logs[log] == PRESENCE_ABSENT)
			absent |= checks_of_log((enum verify_log)log);
	for (int i = 0; i < CHECK_COUNT; i++) {
		assert(check_waivable((enum check)i) ||
		       (rules->required | rules->required_if_made | absent) & CHECK_BIT(i));
		/* What is asked for is required, and what is waived is not. */
		assert(!(policy.said.required & CHECK_BIT(i)) || rules->required & CHECK_BIT(i));
		assert(!(policy.said.waived & CHECK_BIT(i) &
			 (rules->required | rules->required_if_made | rules->required_with_state)));
	}
	assert(rules->pcrs != 0 || rules->logs[VERIFY_LOG_ASSAY] != PRESENCE_REQUIRED);
	assert(rules->nonce_size >= 8 && rules->rsa_bits >= 2048);
	for (size_t i = 0; i < rules->pcr_value_count; i++)
		for (size_t j = 0; j < rules->pcr_values[i].count; j++)
			digits += rules->pcr_values[i].values[j].bytes[0];
	for (size_t i = 0; i < rules->allowed_count; i++)
		assert(rules->allowed[i].path[0] && rules->allowed[i].reason[0]);
	for (size_t i = 0; i < rules->start_count; i++)
		digits += rules->starts[i].size;
	(void)digits;
	(void)policy_lint(&policy, ignore_finding, NULL);
	verify(&input, rules, &verdict);
	assert(!verdict_trusted(&verdict));
	policy_free(&policy);
	return 0;
}
