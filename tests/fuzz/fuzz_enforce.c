// SPDX-License-Identifier: MIT
/*
 * Policies of IPE and IMA, signed ones of IPE's, and kernels' configurations, from the same bytes:
 * what is taken can be explained, for every kernel that is taken as well.
 */
#include <stdint.h>
#include <stdlib.h>

#include "enforce/honour.h"
#include "enforce/ima_policy.h"
#include "enforce/ipe_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A sentence is fit to print: nothing of the policy leads out of its line. */
static void look_at(void *context, enum honour_level level, const char *text)
{
	(void)context;
	require(level <= HONOUR_WARNING && text[0] != '\0');
	for (const char *at = text; *at; at++)
		require((unsigned char)*at >= ' ');
}

static void fuzz_ipe(struct bytes text, const struct kernel_facts *facts)
{
	struct ipe_policy policy = { 0 };
	struct assay_error err = { 0 };

	if (ipe_policy_read(text, "p", &policy, &err) < 0) {
		require(err.text[0] != '\0' && !policy.rules);
		return;
	}
	require(ipe_looks_like(text) && !ima_looks_like(text));
	require(ipe_check_name(policy.name, &err) == 0);
	for (size_t i = 0; i < policy.rule_count; i++)
		require(policy.rules[i].operation < IPE_OPERATIONS &&
			policy.rules[i].action != IPE_UNSET &&
			(policy.rules[i].truth & ~policy.rules[i].properties) == 0);
	honour_ipe(&policy, NULL, look_at, NULL);
	if (facts)
		honour_ipe(&policy, facts, look_at, NULL);
	ipe_policy_free(&policy);
}

static void fuzz_ima(struct bytes text, const struct kernel_facts *facts)
{
	struct assay_error err = { 0 };

	if (honour_ima(text, "p", NULL, look_at, NULL, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	require(ima_looks_like(text) && !ipe_looks_like(text));
	if (facts)
		require(honour_ima(text, "p", facts, look_at, NULL, &err) == 0);
}

/* Of a signed policy the text inside is one, and nothing is behind it. */
static void fuzz_signed(struct bytes der)
{
	struct ipe_policy policy = { 0 }, inside = { 0 };
	struct assay_error err = { 0 };
	struct buffer text = { 0 };

	if (ipe_open_signed(der, "s", &text, &policy, &err) == 0) {
		require(text.size < der.size);
		require(ipe_policy_read(buffer_bytes(&text), "p", &inside, &err) == 0);
		require(inside.rule_count == policy.rule_count);
	} else {
		require(err.text[0] != '\0' && !policy.rules);
	}
	ipe_policy_free(&inside);
	ipe_policy_free(&policy);
	buffer_free(&text);
}

/* Behind the first NUL stands a configuration. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_config config = { 0 };
	struct kernel_facts facts = { 0 };
	struct assay_error err = { 0 };
	size_t policy = 0;
	bool kernel;

	while (policy < size && data[policy] != '\0')
		policy++;
	kernel = policy < size && kernel_config_read(BYTES(data + policy + 1, size - policy - 1),
						     "c", &config, &err) == 0;
	if (kernel)
		kernel_facts_of_config(&config, &facts);
	else
		require(!config.options);
	fuzz_signed(BYTES(data, size));
	fuzz_ipe(BYTES(data, policy), kernel ? &facts : NULL);
	fuzz_ima(BYTES(data, policy), kernel ? &facts : NULL);
	kernel_facts_free(&facts);
	return 0;
}
