// SPDX-License-Identifier: MIT
/* What a policy asks of the logs. */
#include <stdio.h>
#include <string.h>

#include "log/uefi.h"
#include "verify/policy_lint_internal.h"
#include "verify/policy_names.h"

void lint_firmware(const struct firmware_rules *rules, struct lint *lint)
{
	char text[LINT_TEXT];

	for (int rule = 0; rule < FIRMWARE_RULES; rule++)
		if (firmware_asks(rules, (enum firmware_rule)rule))
			lint_say(lint, POLICY_SAYS,
				 "The policy has a rule on the firmware's log: %s",
				 check_question((enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)));
	if (firmware_asks(rules, FIRMWARE_RULE_COMMAND_LINE) &&
	    !firmware_asks(rules, FIRMWARE_RULE_PROGRAMS))
		lint_say(lint, POLICY_WARNING,
			 "The kernel's command line is judged, and not which programs were booted: "
			 "another boot loader may say that it used that one (firmware.programs).");
	for (size_t i = 0; i < rules->command_line_count; i++)
		if (strchr(rules->command_lines[i], '*'))
			lint_say(lint, POLICY_WARNING,
				 "The '*' in the command line \"%s\" stands for further "
				 "parameters as well, such as init= with any program "
				 "(firmware.command_lines).",
				 lint_printable(rules->command_lines[i], text));
	for (size_t i = 0; i < rules->command_count; i++)
		if (strcmp(rules->commands[i], "*") == 0)
			lint_say(lint, POLICY_WARNING,
				 "Any text passes as a command of grub: the log must only have the "
				 "kernel's command line among others (firmware.commands).");
	if (firmware_asks(rules, FIRMWARE_RULE_KEYS) && !rules->secure_boot)
		lint_say(lint, POLICY_WARNING,
			 "The keys of Secure Boot are judged, and not whether it is on "
			 "(firmware.secure_boot).");
}

void lint_uefi(const struct verify_policy *rules, struct lint *lint)
{
	if (lint_requires(rules, CHECK_UEFI_LOG_REPLAY))
		lint_say(lint, POLICY_SAYS,
			 "There must be a log of the firmware, and it must replay.");
	for (int rule = 0; rule < UEFI_RULES; rule++)
		if (rules->uefi_accepted & UINT32_C(1) << rule)
			lint_say(
				lint, POLICY_SAYS,
				"Events of the firmware's log may break the rule %s (uefi.accept).",
				uefi_rule_name((enum uefi_rule)rule));
	if (rules->uefi_extended_later) {
		char text[LINT_TEXT];

		lint_list_pcrs(rules->uefi_extended_later, text);
		lint_say(
			lint, POLICY_NOTE,
			"Others may extend PCRs %s after the firmware: its events of these are not "
			"compared (uefi.extended_later).",
			text);
	}
}

void lint_log(const struct verify_policy *rules, struct lint *lint)
{
	if (rules->logs[VERIFY_LOG_ASSAY] == PRESENCE_ABSENT)
		return;
	if (rules->trimmed)
		lint_say(lint, POLICY_WARNING,
			 "A log whose beginning was trimmed is believed on its own word: whoever "
			 "may "
			 "extend PCR %u can hide what was measured before (log.trimmed). A record "
			 "of "
			 "the "
			 "device (--device) does without.",
			 rules->assay_pcr);
	if (rules->trimmed && lint_requires(rules, CHECK_ASSAY_LOG_PROTECTION))
		lint_say(lint, POLICY_WARNING,
			 "Trimmed logs are taken, and the log's protection is required, which its "
			 "first "
			 "record would say: such logs are refused (log.protection).");
	if (rules->unknown_records)
		lint_say(
			lint, POLICY_WARNING,
			"Records that the verifier cannot judge are accepted: what they say is not "
			"looked at (log.unknown_records).");
	lint_say(lint, POLICY_SAYS,
		 "assay's log %s begin after a TPM was found, and %s be in read-only memory.",
		 lint_requires(rules, CHECK_ASSAY_LOG_TPM) ? "must" : "need not",
		 lint_requires(rules, CHECK_ASSAY_LOG_PROTECTION) ? "must" : "need not");
}

static void say_alike(void *context, const char *first, const char *second)
{
	char texts[2][LINT_TEXT];

	lint_say(context, POLICY_WARNING,
		 "%s and %s are written alike by IMA, as it writes '_' for a space: what is a "
		 "reference "
		 "value of one is one of the other (ima.digests).",
		 lint_printable(first, texts[0]), lint_printable(second, texts[1]));
}

/* ---------------------------------------------------------------- which logs there are */

/* Whether there is anything that evidence without assay's log could be compared with. */
static bool has_references(const struct policy *policy)
{
	const struct verify_policy *rules = &policy->rules;

	if (rules->pcr_value_count > 0)
		return true;
	/* Those that check_reference_values() counts. */
	for (int rule = FIRMWARE_RULE_KEYS; rule <= FIRMWARE_RULE_SECTIONS; rule++)
		if (rules->logs[VERIFY_LOG_UEFI] != PRESENCE_ABSENT && rule != FIRMWARE_RULE_DBX &&
		    rule != FIRMWARE_RULE_DRIVERS &&
		    firmware_asks(&rules->firmware, (enum firmware_rule)rule))
			return true;
	return rules->logs[VERIFY_LOG_IMA] != PRESENCE_ABSENT &&
	       (rules->ima_digest_count > 0 || policy->manifest_count > 0 ||
		policy->certificate_count > 0 || policy->ima_certificate_count > 0);
}

void lint_logs(const struct policy *policy, struct lint *lint)
{
	static const char *const optional[] = {
		[VERIFY_LOG_ASSAY] = "A log of assay's may be missing",
		[VERIFY_LOG_IMA] = "A list of IMA may be missing",
	};
	const enum log_presence *logs = policy->rules.logs;

	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (policy->said.logs[i] == PRESENCE_OPTIONAL)
			lint_say(lint, POLICY_WARNING,
				 "%s: whoever hands over evidence may leave it out, with what it "
				 "would "
				 "show (%s).",
				 optional[i], policy_log_name((enum verify_log)i));
	if (logs[VERIFY_LOG_UEFI] == PRESENCE_ABSENT)
		lint_say(lint, POLICY_NOTE,
			 "There is no log of the firmware: of its PCRs, values alone say what was "
			 "booted (logs.uefi).");
	if (logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT)
		return;
	if (logs[VERIFY_LOG_IMA] == PRESENCE_ABSENT)
		lint_say(lint, POLICY_NOTE,
			 "There is neither a log of assay's nor a list of IMA: a verdict says what "
			 "was "
			 "booted, and nothing of what ran since (logs).");
	else
		lint_say(lint, POLICY_NOTE,
			 "There is no log of assay's: what IMA's list says is worth what root on "
			 "the "
			 "device is, who can extend PCR %u and add entries (logs.assay_log).",
			 policy->rules.ima_pcr);
	if (!has_references(policy))
		lint_say(lint, POLICY_WARNING,
			 "There is nothing to compare with, neither values of PCRs, nor digests, "
			 "certificates or manifests for IMA's entries, nor rules on the firmware's "
			 "log: "
			 "nothing can be trusted (pcrs.values, ima, firmware).");
}

/* Reference values are compared whether or not there must be a list: the log may mirror it. */
void lint_ima_digests(const struct policy *policy, struct lint *lint)
{
	const json_t *digests = json_object_get(json_object_get(policy->json, "ima"), "digests");

	(void)policy_names_alike(digests, say_alike, lint, NULL);
}

void lint_ima(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	char text[LINT_TEXT];

	if (rules->logs[VERIFY_LOG_IMA] == PRESENCE_ABSENT)
		return;
	if (!lint_requires(rules, CHECK_IMA_LOG_REPLAY)) {
		lint_say(lint, POLICY_NOTE,
			 "IMA's list is not required: what ran before assay.ko, or was "
			 "never given to it, is not seen (ima.required).");
		return;
	}
	lint_say(lint, POLICY_SAYS, "IMA's list must replay to PCR %u; violations are %s.",
		 rules->ima_pcr,
		 lint_requires(rules, CHECK_IMA_LOG_VIOLATIONS) ? "refused" : "shown");
	if (rules->unknown_templates)
		lint_say(lint, POLICY_WARNING,
			 "Entries of templates that are not known are accepted: what they are of "
			 "is not "
			 "looked at (ima.unknown_templates).");
	if (rules->ima_digest_count > 0)
		lint_say(lint, POLICY_SAYS, "%zu names have digests that IMA's entries must have.",
			 rules->ima_digest_count);
	for (size_t i = 0; i < rules->ima_digest_count; i++)
		for (size_t j = 0; j < rules->ima_digests[i].count; j++)
			if (rules->ima_digests[i].digests[j].hash == ASSAY_HASH_SHA1) {
				lint_say(
					lint, POLICY_WARNING,
					"%s and maybe others may be recognised by SHA-1, for which "
					"there "
					"are collisions (ima.digests).",
					lint_printable(rules->ima_digests[i].path, text));
				i = rules->ima_digest_count - 1;
				break;
			}
	if (lint_requires(rules, CHECK_IMA_FILES_KNOWN))
		lint_say(lint, POLICY_SAYS,
			 "Every entry must have a reference value, an accepted "
			 "signature, or be allowed.");
	else
		lint_say(lint, POLICY_NOTE,
			 "Files in IMA's list that have no reference value are accepted "
			 "(ima.unknown_files).");
}
