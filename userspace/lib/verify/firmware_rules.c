// SPDX-License-Identifier: MIT
/* The policy's rules on the events of the firmware's log: a check a rule. */
#include <stdio.h>

#include "firmware/uki.h"
#include "verify/content.h"

typedef unsigned long long ull;

static void add_finding(void *context, const char *text)
{
	findings_add(context, "%s", text);
}

static enum check_result judge_rule(const struct content *content, enum firmware_rule rule,
				    char *detail)
{
	const struct firmware_rules *rules = &content->policy->firmware;
	struct findings findings = { 0 };
	struct assay_error err = { 0 };
	struct firmware_result result;

	if (!firmware_asks(rules, rule))
		return check_skip(detail, "the policy has no rule on it (firmware)");
	if (firmware_judge(rules, rule, proven_firmware_log(content->firmware), add_finding,
			   &findings, &result, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (result.missing)
		return check_skip(
			detail,
			"nothing proves what was measured into PCR %u: it is not quoted in "
			"a bank that is accepted, or others extend it later",
			result.pcr);
	return check_tell(true, detail, "%llu events of PCR %u", (ull)result.events, result.pcr);
}

enum check_result check_firmware_secure_boot(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_SECURE_BOOT, detail);
}

enum check_result check_firmware_keys(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_KEYS, detail);
}

enum check_result check_firmware_dbx(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_DBX, detail);
}

enum check_result check_firmware_authorities(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_AUTHORITIES, detail);
}

enum check_result check_firmware_platform(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_PLATFORM, detail);
}

enum check_result check_firmware_drivers(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_DRIVERS, detail);
}

enum check_result check_firmware_programs(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_PROGRAMS, detail);
}

enum check_result check_firmware_files(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_FILES, detail);
}

enum check_result check_firmware_sections(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_SECTIONS, detail);
}

enum check_result check_firmware_mok(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_MOK, detail);
}

enum check_result check_firmware_phases(struct content *content, char *detail)
{
	enum check_result result = judge_rule(content, FIRMWARE_RULE_PHASES, detail);
	char text[UKI_PHASES_MAX + 1];

	if (result != CHECK_PASSED)
		return result;
	uki_words_text(proven_firmware_log(content->firmware)->phases, text);
	return check_tell(true, detail, "%s", text[0] ? text : "none yet");
}

enum check_result check_firmware_separator(struct content *content, char *detail)
{
	enum check_result result = judge_rule(content, FIRMWARE_RULE_SEPARATOR, detail);
	char text[PCRS_TEXT];

	if (result != CHECK_PASSED)
		return result;
	check_pcrs_named(proven_separated(content->firmware), text);
	return check_tell(true, detail, "in %s", text);
}

enum check_result check_firmware_command_line(struct content *content, char *detail)
{
	return judge_rule(content, FIRMWARE_RULE_COMMAND_LINE, detail);
}
