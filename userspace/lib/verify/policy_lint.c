// SPDX-License-Identifier: MIT
#include "verify/policy_lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "verify/policy_lint_internal.h"

void lint_say(struct lint *lint, enum policy_lint_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lint->warnings += level == POLICY_WARNING;
	lint->each(lint->context, level, text);
}

const char *lint_printable(const char *text, char escaped[static LINT_TEXT])
{
	return text_escape(BYTES((const uint8_t *)text, strlen(text)), escaped, LINT_TEXT);
}

bool lint_requires(const struct verify_policy *rules, enum check check)
{
	return (rules->required & CHECK_BIT(check)) != 0;
}

void lint_list_pcrs(uint32_t mask, char text[static LINT_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < 32; i++)
		if (mask & 1U << i)
			used += (size_t)snprintf(text + used, LINT_TEXT - used, "%s%u",
						 used ? ", " : "", i);
}

static void lint_references(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	char text[LINT_TEXT];

	if (policy->manifest_count > 0)
		lint_say(lint, POLICY_SAYS,
			 "Measured files must be those of %zu manifest%s, signed by one of %zu "
			 "signer%s.",
			 policy->manifest_count, policy->manifest_count == 1 ? "" : "s",
			 policy->certificate_count, policy->certificate_count == 1 ? "" : "s");
	/* Of a device without the module, none is needed. */
	if (rules->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT &&
	    (policy->manifest_count == 0 || policy->certificate_count == 0))
		lint_say(lint, POLICY_NOTE, "No %s named: 'assay verify' has to be told.",
			 policy->manifest_count == 0 ? "manifest is" : "signer's certificate is");
	for (size_t i = 0; i < rules->allowed_count; i++) {
		const struct policy_path *path = &rules->allowed[i];
		size_t length = strlen(path->path);
		bool below = path->path[length - 1] == '/';

		lint_printable(path->path, text);
		if (path->count > 0)
			lint_say(lint, POLICY_SAYS, "%s may have one of %zu digests.", text,
				 path->count);
		else
			lint_say(lint, below ? POLICY_WARNING : POLICY_SAYS,
				 below ? "Anything below %s may be measured: who can write there "
					 "can "
					 "run "
					 "what they like (allow)." :
					 "%s may be anything.",
				 text);
	}
	if (rules->prefix)
		lint_say(lint, POLICY_SAYS, "%s is taken off measured paths.",
			 lint_printable(rules->prefix, text));
}

static void lint_manifest_rules(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	bool manifests =
		rules->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT || policy->manifest_count > 0;
	char text[LINT_TEXT], created[UTC_LENGTH + 1];

	if (rules->manifest_min_created > 0)
		lint_say(lint, POLICY_SAYS, "Each manifest must have been made at %s or later.",
			 utc_text(rules->manifest_min_created, created));
	if (rules->manifest_id)
		lint_say(lint, POLICY_SAYS, "Each manifest must have the id %s.",
			 lint_printable(rules->manifest_id, text));
	if (rules->manifest_product)
		lint_say(lint, POLICY_SAYS, "Each manifest must be of the product %s.",
			 lint_printable(rules->manifest_product, text));
	if (rules->manifest_signers > 1)
		lint_say(lint, POLICY_SAYS, "Each manifest must be signed by two keys.");
	if (manifests && rules->manifest_min_created == 0)
		lint_say(lint, POLICY_NOTE,
			 "Any manifest of an accepted signer is taken, also an old one with files "
			 "that "
			 "have known faults (manifest.min_created).");
	if (rules->filesystem_count > 0)
		lint_say(lint, POLICY_SAYS, "Measured files must be on one of %zu file systems.",
			 rules->filesystem_count);
}

/* Checks that are required, and compare with what the policy does not name. */
static void lint_unfulfillable(const struct verify_policy *rules, struct lint *lint)
{
	const struct {
		enum check check;
		bool named;
		const char *member;
	} rows[] = {
		{ CHECK_QUOTE_AGE, rules->max_age > 0, "max_age" },
		{ CHECK_PCR_VALUES, rules->pcr_value_count > 0, "pcrs.values" },
		{ CHECK_FILES_FILESYSTEM, rules->filesystem_count > 0, "filesystems" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (lint_requires(rules, rows[i].check) && !rows[i].named)
			lint_say(lint, POLICY_WARNING,
				 "%s is required, and there is no %s that it compares with: "
				 "nothing can "
				 "be "
				 "trusted.",
				 check_name(rows[i].check), rows[i].member);
	for (int rule = 0; rule < FIRMWARE_RULES; rule++)
		if (lint_requires(rules, (enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)) &&
		    !firmware_asks(&rules->firmware, (enum firmware_rule)rule))
			lint_say(
				lint, POLICY_WARNING,
				"%s is required, and there is no rule of firmware that it compares "
				"with: "
				"nothing can be trusted.",
				check_name((enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)));
	for (int i = 0; i < CHECK_COUNT; i++)
		if (lint_requires(rules, (enum check)i) &&
		    check_when((enum check)i) == CHECK_WITH_STATE && i != CHECK_MANIFEST_CURRENT)
			lint_say(lint, POLICY_NOTE,
				 "%s is required, and compares with an earlier attestation: a "
				 "device's "
				 "first "
				 "one cannot be trusted (require).",
				 check_name((enum check)i));
}

static void lint_waivers(const struct policy *policy, struct lint *lint)
{
	check_mask idle = policy_idle_waivers(policy);

	for (size_t i = 0; i < policy->waiver_count; i++) {
		const struct policy_waiver *waiver = &policy->waivers[i];
		char text[LINT_TEXT];

		lint_say(lint, POLICY_WARNING, "Not required: %s (%s). The reason given: %s.",
			 check_name(waiver->check), check_question(waiver->check),
			 lint_printable(waiver->reason, text));
		if (idle & CHECK_BIT(waiver->check))
			lint_say(lint, POLICY_WARNING,
				 "That waiver changes nothing: a check that is required needs %s.",
				 check_name(waiver->check));
	}
}

size_t policy_lint(const struct policy *policy, policy_lint_function each, void *context)
{
	struct lint lint = { .each = each, .context = context };
	char text[LINT_TEXT];

	if (policy->description)
		lint_say(&lint, POLICY_SAYS, "It is for: %s.",
			 lint_printable(policy->description, text));
	lint_algorithms(&policy->rules, &lint);
	lint_ak(policy, &lint);
	lint_freshness(&policy->rules, &lint);
	lint_pcrs(&policy->rules, &lint);
	lint_boot(&policy->rules, &lint);
	lint_starts(&policy->rules, &lint);
	lint_uefi(&policy->rules, &lint);
	lint_firmware(&policy->rules.firmware, &lint);
	lint_references(policy, &lint);
	lint_manifest_rules(policy, &lint);
	lint_logs(policy, &lint);
	lint_log(&policy->rules, &lint);
	lint_ima(policy, &lint);
	lint_ima_digests(policy, &lint);
	lint_unfulfillable(&policy->rules, &lint);
	lint_waivers(policy, &lint);
	return lint.warnings;
}
