// SPDX-License-Identifier: MIT
/*
 * From what was said to the rules. Two statements about one check that cannot both be
 * followed are refused here, whichever of the policy's members and of the command's
 * options they are: no rule is silently undone by another.
 */
#include <errno.h>
#include <stdio.h>

#include "verify/policy.h"

#define BIT(name) CHECK_BIT(CHECK_##name)

/* What is asked of single entries: assay's log may mirror them where there is no list. */
#define IMA_ENTRIES (BIT(IMA_LOG_ENTRIES) | BIT(IMA_LOG_VIOLATIONS))

_Static_assert(CHECK_FIRMWARE_SEPARATOR - CHECK_FIRMWARE_SECURE_BOOT == FIRMWARE_RULES - 1,
	       "the checks are in the order of the rules");

/* What the stricter word of a key does to its checks, and what the other one does. */
enum effect {
	EFFECT_NONE,
	EFFECT_KEEPS,	 /* they are required when they would be without it */
	EFFECT_REQUIRES, /* they are required */
	EFFECT_WAIVES,	 /* they are not required */
	EFFECT_EASES,	 /* the same, but what must not fail where it is made must not still */
};

static const struct {
	const char *name, *yes, *no;
	enum effect yes_effect, no_effect;
	check_mask checks;
} keys[] = {
	[POLICY_KEY_UNKNOWN_RECORDS] = { .name = "log.unknown_records",
					 .yes = "refuse",
					 .no = "accept" },
	[POLICY_KEY_TRIMMED] = { .name = "log.trimmed", .yes = "refuse", .no = "accept" },
	[POLICY_KEY_LATE_TPM] = { "log.late_tpm", "refuse", "accept", EFFECT_REQUIRES,
				  EFFECT_WAIVES, BIT(ASSAY_LOG_TPM) },
	[POLICY_KEY_PROTECTION] = { "log.protection", "required", "any", EFFECT_REQUIRES,
				    EFFECT_WAIVES, BIT(ASSAY_LOG_PROTECTION) },
	/* What it does where it is false is more than a row can tell: see drop_ima_list(). */
	[POLICY_KEY_IMA] = { .name = "ima.required",
			     .yes_effect = EFFECT_KEEPS,
			     .checks = BIT(IMA_LOG_PARSED) },
	[POLICY_KEY_VIOLATIONS] = { "ima.violations", "refuse", "accept", EFFECT_REQUIRES,
				    EFFECT_WAIVES, BIT(IMA_LOG_VIOLATIONS) },
	[POLICY_KEY_UNKNOWN_TEMPLATES] = { .name = "ima.unknown_templates",
					   .yes = "refuse",
					   .no = "accept" },
	[POLICY_KEY_BOOT_AGGREGATE] = { "ima.boot_aggregate", "required", "if-possible",
					EFFECT_REQUIRES, EFFECT_EASES, BIT(IMA_BOOT_AGGREGATE) },
	[POLICY_KEY_UNKNOWN_FILES] = { "ima.unknown_files", "refuse", "accept", EFFECT_REQUIRES,
				       EFFECT_WAIVES, BIT(IMA_FILES_KNOWN) },
	/* The same as logs.uefi: see derive_uefi(). */
	[POLICY_KEY_UEFI_LOG] = { .name = "uefi.log", .yes = "required", .no = "optional" },
	[POLICY_KEY_RESET] = { "device.reset", "refuse", "accept", EFFECT_KEEPS, EFFECT_NONE,
			       BIT(QUOTE_COUNTERS) },
	[POLICY_KEY_FILE_SIGNATURE] = { .name = "manifest.file_signature",
					.yes = "refuse",
					.no = "accept" },
	[POLICY_KEY_SUSPEND] = { .name = "device.suspend", .yes = "refuse", .no = "accept" },
	[POLICY_KEY_FIRMWARE] = { "device.firmware", "same", "any", EFFECT_KEEPS, EFFECT_WAIVES,
				  BIT(QUOTE_FIRMWARE) },
	[POLICY_KEY_CLOCK] = { "device.clock", "safe", "any", EFFECT_REQUIRES, EFFECT_WAIVES,
			       BIT(QUOTE_CLOCK) },
};

_Static_assert(sizeof(keys) / sizeof(keys[0]) == POLICY_KEY_COUNT, "a key has no row");

const char *policy_key_words(enum policy_key key, const char **ret_yes, const char **ret_no)
{
	*ret_yes = keys[key].yes;
	*ret_no = keys[key].no;
	return keys[key].name;
}

const char *policy_log_name(enum verify_log log)
{
	static const char *const names[] = {
		[VERIFY_LOG_ASSAY] = "logs.assay_log",
		[VERIFY_LOG_IMA] = "logs.ima",
		[VERIFY_LOG_UEFI] = "logs.uefi",
	};

	return names[log];
}

/**
 * struct derivation - what came of the statements so far
 * @asks, @drops: of each check, the first member or option that asks for it, and the first
 *                that does without it; NULL if none does
 * @required, @waived, @eased, @if_made: CHECK_BIT()s
 * @absent: of checks of logs that the device has not: what needs one of them can do without it
 */
struct derivation {
	const char *asks[CHECK_COUNT], *drops[CHECK_COUNT];
	check_mask required, waived, eased, if_made, absent;
};

static void note_statement(const char *who[CHECK_COUNT], check_mask checks, const char *name)
{
	for (int i = 0; i < CHECK_COUNT; i++)
		if (checks & CHECK_BIT(i) && !who[i])
			who[i] = name;
}

static void add_statement(struct derivation *derivation, const char *name, enum effect effect,
			  check_mask checks)
{
	switch (effect) {
	case EFFECT_NONE:
		return;
	case EFFECT_REQUIRES:
		derivation->required |= checks;
		break;
	case EFFECT_KEEPS:
		break;
	case EFFECT_WAIVES:
		derivation->waived |= checks;
		break;
	case EFFECT_EASES:
		derivation->eased |= checks;
		break;
	}
	if (effect == EFFECT_REQUIRES || effect == EFFECT_KEEPS)
		note_statement(derivation->asks, checks, name);
	else
		note_statement(derivation->drops, checks, name);
}

/* There need be no list of IMA's. Its entries may be mirrored, and are judged where they are. */
static void drop_ima_list(struct derivation *derivation, const char *name)
{
	add_statement(derivation, name, EFFECT_WAIVES, checks_of_log(VERIFY_LOG_IMA));
	add_statement(derivation, name, EFFECT_EASES, IMA_ENTRIES);
	derivation->if_made |= BIT(IMA_LOG_ENTRIES);
}

/* ---------------------------------------------------------------- which logs there are */

/*
 * An optional log is judged as a required one where it is there, which verify() sees. So only a
 * check of the log itself that the policy requires by its name contradicts it.
 */
static void add_optional(const struct policy_said *said, enum verify_log log,
			 struct derivation *derivation)
{
	note_statement(derivation->drops, checks_of_log(log) & said->required,
		       policy_log_name(log));
}

static void add_assay_presence(const struct policy_said *said, struct derivation *derivation)
{
	check_mask of = checks_of_log(VERIFY_LOG_ASSAY);

	if (said->logs[VERIFY_LOG_ASSAY] == PRESENCE_OPTIONAL)
		add_optional(said, VERIFY_LOG_ASSAY, derivation);
	if (said->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT)
		return;
	add_statement(derivation, policy_log_name(VERIFY_LOG_ASSAY), EFFECT_WAIVES, of);
	derivation->absent |= of;
}

static void add_ima_presence(const struct policy_said *said, struct derivation *derivation)
{
	const char *name = policy_log_name(VERIFY_LOG_IMA);

	switch (said->logs[VERIFY_LOG_IMA]) {
	case PRESENCE_UNSAID:
		break;
	case PRESENCE_REQUIRED:
		add_statement(derivation, name, EFFECT_KEEPS, BIT(IMA_LOG_PARSED));
		break;
	case PRESENCE_OPTIONAL:
		add_optional(said, VERIFY_LOG_IMA, derivation);
		break;
	case PRESENCE_ABSENT:
		if (said->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT) {
			drop_ima_list(derivation, name);
			break;
		}
		/* Nothing can hold an entry of IMA. */
		add_statement(derivation, name, EFFECT_WAIVES,
			      checks_of_log(VERIFY_LOG_IMA) | checks_of_ima_entries());
		break;
	}
}

static void add_uefi_presence(const struct policy_said *said, struct derivation *derivation)
{
	const char *name = keys[POLICY_KEY_UEFI_LOG].name;
	enum said word = said->keys[POLICY_KEY_UEFI_LOG];
	check_mask of = checks_of_log(VERIFY_LOG_UEFI);
	enum log_presence presence = word == SAID_YES ? PRESENCE_REQUIRED :
				     word == SAID_NO  ? PRESENCE_OPTIONAL :
							PRESENCE_UNSAID;

	if (said->logs[VERIFY_LOG_UEFI] != PRESENCE_UNSAID) {
		presence = said->logs[VERIFY_LOG_UEFI];
		name = policy_log_name(VERIFY_LOG_UEFI);
	}
	if (presence == PRESENCE_REQUIRED)
		add_statement(derivation, name, EFFECT_REQUIRES, of);
	else if (presence == PRESENCE_OPTIONAL)
		add_statement(derivation, name, EFFECT_EASES, of);
	else if (presence == PRESENCE_ABSENT)
		add_statement(derivation, name, EFFECT_WAIVES, of);
}

/* Two members that speak of one log must say the same. "ima.required": false says less. */
static int find_said_twice(const struct policy_said *said, struct assay_error *err)
{
	static const struct {
		enum verify_log log;
		enum policy_key key;
		enum log_presence yes, no;
	} rows[] = {
		{ VERIFY_LOG_IMA, POLICY_KEY_IMA, PRESENCE_REQUIRED, PRESENCE_UNSAID },
		{ VERIFY_LOG_UEFI, POLICY_KEY_UEFI_LOG, PRESENCE_REQUIRED, PRESENCE_OPTIONAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum log_presence presence = said->logs[rows[i].log];
		enum said word = said->keys[rows[i].key];

		if (presence != PRESENCE_UNSAID && word != SAID_NOTHING &&
		    presence != (word == SAID_YES ? rows[i].yes : rows[i].no))
			return assay_fail(err, EBADMSG,
					  "\"%s\" and \"%s\" do not say the same: remove one of "
					  "the two",
					  policy_log_name(rows[i].log), keys[rows[i].key].name);
	}
	return 0;
}

/* The rules' presence of each log, where the policy says it by whichever member. */
static void derive_presence(const struct policy_said *said, struct verify_policy *rules)
{
	struct verify_policy usual;

	verify_policy_default(&usual);
	for (int log = 0; log < VERIFY_LOGS; log++)
		rules->logs[log] =
			said->logs[log] != PRESENCE_UNSAID ? said->logs[log] : usual.logs[log];
	if (said->keys[POLICY_KEY_IMA] == SAID_NO || said->option_no_ima_log)
		rules->logs[VERIFY_LOG_IMA] = PRESENCE_OPTIONAL;
	if (said->keys[POLICY_KEY_UEFI_LOG] == SAID_YES)
		rules->logs[VERIFY_LOG_UEFI] = PRESENCE_REQUIRED;
}

/* ---------------------------------------------------------------- the rest */

static void add_keys(const struct policy_said *said, struct derivation *derivation, bool ima)
{
	for (int i = 0; i < POLICY_KEY_COUNT; i++) {
		if (i == POLICY_KEY_VIOLATIONS && said->keys[i] == SAID_YES && !ima)
			derivation->if_made |= keys[i].checks;
		else if (said->keys[i] == SAID_YES)
			add_statement(derivation, keys[i].name, keys[i].yes_effect, keys[i].checks);
		else if (said->keys[i] == SAID_NO)
			add_statement(derivation, keys[i].name, keys[i].no_effect, keys[i].checks);
	}
}

/* A rule on the firmware's events asks for its check. One that is waived by itself is as if it was
 * not there: policies are learned whole, and each rule can be done without. */
static void add_firmware(const struct firmware_rules *rules, struct derivation *derivation)
{
	for (int rule = 0; rule < FIRMWARE_RULES; rule++) {
		check_mask check = CHECK_BIT(CHECK_FIRMWARE_SECURE_BOOT + rule);

		if (firmware_asks(rules, (enum firmware_rule)rule) && !(derivation->waived & check))
			add_statement(derivation, "firmware", EFFECT_REQUIRES, check);
	}
}

/* Members that ask for a check by being there. */
static void add_rules(const struct verify_policy *rules, struct derivation *derivation)
{
	const struct {
		bool there;
		const char *name;
		check_mask checks;
	} rows[] = {
		{ rules->max_age > 0, "max_age", BIT(QUOTE_AGE) },
		{ rules->ak_certified, "ak", BIT(AK_CERTIFICATE) },
		{ rules->pcr_value_count > 0, "pcrs.values", BIT(PCR_VALUES) },
		{ rules->filesystem_count > 0, "filesystems", BIT(FILES_FILESYSTEM) },
		{ rules->manifest_signers > 1, "manifest.signers", BIT(MANIFEST_SIGNATURE) },
		{ rules->manifest_min_created > 0 || rules->manifest_id || rules->manifest_product,
		  "manifest", BIT(MANIFEST_CURRENT) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].there)
			add_statement(derivation, rows[i].name, EFFECT_REQUIRES, rows[i].checks);
	add_firmware(&rules->firmware, derivation);
}

/* All that the check builds on, and what that builds on. */
static check_mask all_needs(enum check check)
{
	check_mask needs = check_needs(check), more = needs;

	/* What a check needs comes before it in enum check. */
	for (int i = CHECK_COUNT - 1; i >= 0; i--)
		if (more & CHECK_BIT(i))
			more |= check_needs((enum check)i);
	return needs | more;
}

static int find_contradiction(const struct derivation *derivation, struct assay_error *err)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		check_mask needs = all_needs((enum check)i);

		if (!derivation->asks[i])
			continue;
		if (derivation->drops[i])
			return assay_fail(err, EBADMSG,
					  "\"%s\" asks for the check %s, and \"%s\" does without "
					  "it: remove one of the two",
					  derivation->asks[i], check_name((enum check)i),
					  derivation->drops[i]);
		/* What is only kept is not required of all evidence. */
		if (!(derivation->required & CHECK_BIT(i)))
			continue;
		for (int j = 0; j < i; j++)
			if (needs & CHECK_BIT(j) && derivation->drops[j] &&
			    !(derivation->absent & CHECK_BIT(j)))
				return assay_fail(
					err, EBADMSG,
					"\"%s\" asks for the check %s, which needs %s, and "
					"\"%s\" does without that: remove one of the two",
					derivation->asks[i], check_name((enum check)i),
					check_name((enum check)j), derivation->drops[j]);
	}
	return 0;
}

check_mask policy_idle_waivers(const struct policy *policy)
{
	check_mask needed = 0;

	for (int i = 0; i < CHECK_COUNT; i++)
		if (policy->rules.required & CHECK_BIT(i))
			needed |= all_needs((enum check)i);
	return policy->said.waived & needed;
}

int policy_derive(struct policy *policy, struct assay_error *err)
{
	const struct policy_said *said = &policy->said;
	struct verify_policy *rules = &policy->rules;
	struct derivation derivation = { 0 };
	struct verify_policy usual;
	bool ima = said->keys[POLICY_KEY_IMA] != SAID_NO && !said->option_no_ima_log &&
		   said->logs[VERIFY_LOG_IMA] != PRESENCE_ABSENT;
	check_mask not_required;
	int r = find_said_twice(said, err);

	if (r < 0)
		return r;
	if (rules->assay_pcr == rules->ima_pcr)
		return assay_fail(err, EBADMSG, "\"pcrs.ima\" is the PCR of assay's log too");
	add_statement(&derivation, "require", EFFECT_REQUIRES, said->required);
	add_statement(&derivation, "waive", EFFECT_WAIVES, said->waived);
	add_statement(&derivation, "--waive", EFFECT_WAIVES, said->option_waived);
	if (said->keys[POLICY_KEY_IMA] == SAID_NO)
		drop_ima_list(&derivation, keys[POLICY_KEY_IMA].name);
	if (said->option_no_ima_log) {
		drop_ima_list(&derivation, "--no-ima-log");
		add_statement(&derivation, "--no-ima-log", EFFECT_WAIVES, BIT(IMA_FILES_KNOWN));
	}
	add_assay_presence(said, &derivation);
	add_ima_presence(said, &derivation);
	add_uefi_presence(said, &derivation);
	add_keys(said, &derivation, ima);
	add_rules(rules, &derivation);
	r = find_contradiction(&derivation, err);
	if (r < 0)
		return r;

	verify_policy_default(&usual);
	not_required = derivation.waived | derivation.eased;
	rules->required = (usual.required | derivation.required) & ~not_required;
	rules->required_if_made =
		(usual.required_if_made | derivation.if_made) & ~derivation.waived;
	rules->required_with_state = usual.required_with_state & ~derivation.waived;
	derive_presence(said, rules);
	rules->manifest_asked = policy->manifest_count > 0 ||
				derivation.asks[CHECK_MANIFEST_SIGNATURE] ||
				derivation.asks[CHECK_MANIFEST_CURRENT];
	rules->pcrs = said->pcrs;
	if (rules->logs[VERIFY_LOG_ASSAY] == PRESENCE_REQUIRED)
		rules->pcrs |= UINT32_C(1) << rules->assay_pcr;
	if (rules->logs[VERIFY_LOG_IMA] == PRESENCE_REQUIRED)
		rules->pcrs |= UINT32_C(1) << rules->ima_pcr;
	if (rules->required & BIT(FIRMWARE_COMMAND_LINE))
		rules->pcrs |= firmware_rules_pcrs(&rules->firmware);
	if (rules->required & BIT(FIRMWARE_PHASES))
		rules->pcrs |= UINT32_C(1) << FIRMWARE_PHASES_PCR;
	rules->unknown_records = said->keys[POLICY_KEY_UNKNOWN_RECORDS] == SAID_NO;
	rules->trimmed = said->keys[POLICY_KEY_TRIMMED] == SAID_NO;
	rules->unknown_templates = said->keys[POLICY_KEY_UNKNOWN_TEMPLATES] == SAID_NO;
	rules->same_boot = said->keys[POLICY_KEY_RESET] == SAID_YES;
	rules->manifest_file_signature = said->keys[POLICY_KEY_FILE_SIGNATURE] == SAID_NO;
	rules->suspend = said->keys[POLICY_KEY_SUSPEND] == SAID_NO;
	return 0;
}
