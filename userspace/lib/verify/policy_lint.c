// SPDX-License-Identifier: MIT
#include "verify/policy_lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "log/uefi.h"
#include "verify/policy_names.h"

/* Room for foreign text in a sentence. */
#define FOREIGN_TEXT 200

struct lint {
	policy_lint_function each;
	void *context;
	size_t warnings;
};

static void say(struct lint *lint, enum policy_lint_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct lint *lint, enum policy_lint_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lint->warnings += level == POLICY_WARNING;
	lint->each(lint->context, level, text);
}

static const char *printable(const char *text, char escaped[static FOREIGN_TEXT])
{
	return text_escape(BYTES((const uint8_t *)text, strlen(text)), escaped, FOREIGN_TEXT);
}

static bool requires(const struct verify_policy *rules, enum check check)
{
	return (rules->required & CHECK_BIT(check)) != 0;
}

/* ---------------------------------------------------------------- the parts */

#define CHOICES_TEXT 128

/* " or" behind the first that is added */
static void add_choice(char text[static CHOICES_TEXT], bool accepted, const char *word)
{
	size_t used = strlen(text);

	if (accepted)
		snprintf(text + used, CHOICES_TEXT - used, "%s%s", used > 0 ? " or " : "", word);
}

static void lint_algorithms(const struct verify_policy *rules, struct lint *lint)
{
	static const struct {
		uint32_t bits;
		const char *what;
	} needed[] = {
		{ VERIFY_RSASSA | VERIFY_RSAPSS | VERIFY_ECDSA, "signature scheme" },
		{ VERIFY_SHA256 | VERIFY_SHA384 | VERIFY_SHA512, "hash" },
	};
	char keys[CHOICES_TEXT] = "", hashes[CHOICES_TEXT] = "", bits[40] = "";
	uint32_t algorithms = rules->algorithms;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(algorithms & needed[i].bits))
			say(lint, POLICY_WARNING, "No %s is accepted: nothing can be trusted.",
			    needed[i].what);
	if (algorithms & VERIFY_ECDSA && !(algorithms & (VERIFY_P256 | VERIFY_P384)))
		say(lint, POLICY_WARNING, "ECDSA is accepted, and no curve of it.");
	add_choice(keys, algorithms & VERIFY_RSASSA, "RSASSA");
	add_choice(keys, algorithms & VERIFY_RSAPSS, "RSAPSS");
	if (keys[0])
		snprintf(bits, sizeof(bits), " (RSA keys from %u bits)", rules->rsa_bits);
	add_choice(keys, algorithms & VERIFY_ECDSA && algorithms & VERIFY_P256, "ECDSA on P-256");
	add_choice(keys, algorithms & VERIFY_ECDSA && algorithms & VERIFY_P384, "ECDSA on P-384");
	add_choice(hashes, algorithms & VERIFY_SHA256, "SHA-256");
	add_choice(hashes, algorithms & VERIFY_SHA384, "SHA-384");
	add_choice(hashes, algorithms & VERIFY_SHA512, "SHA-512");
	say(lint, POLICY_SAYS, "The enrolled key must have signed the quote: %s, with %s%s.",
	    keys[0] ? keys : "by nothing", hashes[0] ? hashes : "no hash", bits);
}

static void lint_freshness(const struct verify_policy *rules, struct lint *lint)
{
	if (rules->no_nonce)
		say(lint, POLICY_WARNING,
		    "It need not answer a nonce: whoever has older evidence of the device can hand "
		    "that over, and only what the verifier keeps of it (--device) finds out "
		    "(nonce_bytes).");
	else
		say(lint, POLICY_SAYS,
		    "It must answer the verifier's nonce, of at least %zu bytes.",
		    rules->nonce_size);
	if (!rules->no_nonce && rules->nonce_size < 16)
		say(lint, POLICY_WARNING,
		    "Nonces of fewer than 16 bytes may be guessed or come up again (nonce_bytes).");
	if (rules->max_age > 0)
		say(lint, POLICY_SAYS,
		    "No more than %llu seconds may be between nonce and verdict; say when the "
		    "nonce "
		    "was sent (--issued), or the device's own clock counts.",
		    (unsigned long long)rules->max_age);
	else
		say(lint, POLICY_NOTE, "Evidence may be of any age%s (max_age).",
		    rules->no_nonce ? "" : ", as long as its nonce is known");
	if (rules->same_boot)
		say(lint, POLICY_SAYS,
		    "The TPM must not have been reset%s since the last attestation.",
		    rules->suspend ? "" : " nor restarted");
	if (rules->suspend)
		say(lint, POLICY_NOTE,
		    "A restart of the TPM without a reset is taken for a suspend to RAM: an "
		    "earlier "
		    "state goes on over it (device.suspend).");
	if (!(rules->required_with_state & CHECK_BIT(CHECK_QUOTE_FIRMWARE)))
		say(lint, POLICY_NOTE, "The TPM's firmware may change between attestations.");
	if (requires(rules, CHECK_QUOTE_CLOCK))
		say(lint, POLICY_SAYS, "The TPM must be sure that its clock never went back.");
}

static void list_pcrs(uint32_t mask, char text[static FOREIGN_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < 32; i++)
		if (mask & 1U << i)
			used += (size_t)snprintf(text + used, FOREIGN_TEXT - used, "%s%u",
						 used ? ", " : "", i);
}

static void lint_pcrs(const struct verify_policy *rules, struct lint *lint)
{
	/* PC Client Platform TPM Profile, 4.6.2 */
	static const unsigned int resettable[] = { 16, 23 };
	char text[FOREIGN_TEXT];
	uint32_t expected = 0;

	list_pcrs(rules->pcrs, text);
	if (rules->pcrs)
		say(lint, POLICY_SAYS, "PCRs %s must be quoted, all in one bank.", text);
	for (size_t i = 0; i < rules->pcr_value_count; i++) {
		const struct policy_pcr *pcr = &rules->pcr_values[i];

		expected |= 1U << pcr->index;
		if (pcr->bank == ASSAY_HASH_SHA1)
			say(lint, POLICY_WARNING,
			    "The value of PCR %u is one of bank sha1: who can make collisions can "
			    "have it, too.",
			    pcr->index);
		if (pcr->index == rules->assay_pcr || pcr->index == rules->ima_pcr)
			say(lint, POLICY_WARNING,
			    "PCR %u anchors a log: it changes with every file, so no value of it "
			    "stays the right one.",
			    pcr->index);
	}
	list_pcrs(expected, text);
	if (expected)
		say(lint, POLICY_SAYS, "PCRs %s must have one of the values that the policy names.",
		    text);
	for (unsigned int i = 0; i < sizeof(resettable) / sizeof(resettable[0]); i++)
		if ((rules->pcrs | expected) & 1U << resettable[i])
			say(lint, POLICY_WARNING,
			    "PCR %u is asked for, which anybody may reset: its value proves "
			    "nothing "
			    "(pcrs).",
			    resettable[i]);
}

/* The banks that evidence may be of, and the bits that accept them; none for SHA-1. */
static const struct {
	enum assay_hash bank;
	uint32_t bit;
} banks[] = {
	{ ASSAY_HASH_SHA1, 0 },
	{ ASSAY_HASH_SHA256, VERIFY_SHA256 },
	{ ASSAY_HASH_SHA384, VERIFY_SHA384 },
	{ ASSAY_HASH_SHA512, VERIFY_SHA512 },
};

#define BANKS (sizeof(banks) / sizeof(banks[0]))

/* What check_boot_known() asks of a bank. */
static bool is_boot_named(const struct verify_policy *rules, enum assay_hash bank)
{
	uint32_t pcrs = 0;

	for (size_t i = 0; i < rules->pcr_value_count; i++)
		if (rules->pcr_values[i].bank == bank)
			pcrs |= UINT32_C(1) << rules->pcr_values[i].index;
	return pcrs & 1U << 0 && pcrs & (1U << 4 | 1U << 7);
}

/* Whether its rules know all events of that PCR, as check_boot_known() has it. */
static bool is_boot_ruled(const struct verify_policy *rules)
{
	static const check_mask keys =
		CHECK_BIT(CHECK_FIRMWARE_SECURE_BOOT) | CHECK_BIT(CHECK_FIRMWARE_KEYS) |
		CHECK_BIT(CHECK_FIRMWARE_DBX) | CHECK_BIT(CHECK_FIRMWARE_AUTHORITIES);

	return requires(rules, CHECK_FIRMWARE_PLATFORM) &&
	       (requires(rules, CHECK_FIRMWARE_PROGRAMS) || (rules->required & keys) == keys);
}

static void lint_boot(const struct verify_policy *rules, struct lint *lint)
{
	bool known = false;

	if (!requires(rules, CHECK_BOOT_KNOWN)) {
		say(lint, POLICY_NOTE,
		    "The boot is not judged: who may boot another kernel on the device can have "
		    "its "
		    "logs say anything (boot-known).");
		return;
	}
	for (size_t i = 0; i < BANKS; i++) {
		if (!(rules->algorithms & banks[i].bit) || !is_boot_named(rules, banks[i].bank))
			continue;
		known = true;
		say(lint, POLICY_SAYS,
		    "The boot must be known: PCRs 0 and 4 or 7 of bank %s have named values.",
		    assay_hash_name(banks[i].bank));
	}
	if (is_boot_ruled(rules)) {
		say(lint, POLICY_SAYS,
		    "The boot must be known: by rules on what the firmware's log has of PCRs 0 and "
		    "4, or 0 and 7.");
		return;
	}
	if (!known)
		say(lint, POLICY_WARNING,
		    "The boot must be known, and no bank that is accepted has values of PCRs 0 and "
		    "4, "
		    "or 0 and 7: nothing can be trusted. Name them (pcrs.values; 'assay policy "
		    "learn'), "
		    "or do without, with a reason (waive, boot-known).");
	else if (!requires(rules, CHECK_PCR_VALUES))
		say(lint, POLICY_WARNING,
		    "The boot must be known by the values of PCRs, which need not be as they are "
		    "named "
		    "(pcr-values).");
}

/* A value of one bank is none of another: the bank that is quoted has to begin from its own. */
static void lint_starts(const struct verify_policy *rules, struct lint *lint)
{
	for (size_t i = 0; rules->start_count > 0 && i < BANKS; i++) {
		bool accepted = (rules->algorithms & banks[i].bit) != 0;
		size_t named = 0;

		for (size_t j = 0; j < rules->start_count; j++)
			named += rules->starts[j].hash == banks[i].bank;
		if (named > 0 && !accepted)
			say(lint, POLICY_WARNING,
			    "A value that PCR %u may begin from is of bank %s, which is not "
			    "accepted "
			    "(start).",
			    rules->assay_pcr, assay_hash_name(banks[i].bank));
		else if (named > 0)
			say(lint, POLICY_NOTE,
			    "In bank %s, PCR %u may have one of %zu values before assay's log "
			    "begins: "
			    "what they are of, this policy does not say (start).",
			    assay_hash_name(banks[i].bank), rules->assay_pcr, named);
		else if (accepted)
			say(lint, POLICY_NOTE,
			    "In bank %s, PCR %u must begin from zeros: no value of that bank is "
			    "named, "
			    "so a log that something else measured before is refused where this "
			    "bank "
			    "is quoted (start).",
			    assay_hash_name(banks[i].bank), rules->assay_pcr);
	}
}

static void lint_references(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	char text[FOREIGN_TEXT];

	if (policy->manifest_count > 0)
		say(lint, POLICY_SAYS,
		    "Measured files must be those of %zu manifest%s, signed by one of %zu "
		    "signer%s.",
		    policy->manifest_count, policy->manifest_count == 1 ? "" : "s",
		    policy->certificate_count, policy->certificate_count == 1 ? "" : "s");
	/* Of a device without the module, none is needed. */
	if (rules->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT &&
	    (policy->manifest_count == 0 || policy->certificate_count == 0))
		say(lint, POLICY_NOTE, "No %s named: 'assay verify' has to be told.",
		    policy->manifest_count == 0 ? "manifest is" : "signer's certificate is");
	for (size_t i = 0; i < rules->allowed_count; i++) {
		const struct policy_path *path = &rules->allowed[i];
		size_t length = strlen(path->path);
		bool below = path->path[length - 1] == '/';

		printable(path->path, text);
		if (path->count > 0)
			say(lint, POLICY_SAYS, "%s may have one of %zu digests.", text,
			    path->count);
		else
			say(lint, below ? POLICY_WARNING : POLICY_SAYS,
			    below ? "Anything below %s may be measured: who can write there can "
				    "run "
				    "what they like (allow)." :
				    "%s may be anything.",
			    text);
	}
	if (rules->prefix)
		say(lint, POLICY_SAYS, "%s is taken off measured paths.",
		    printable(rules->prefix, text));
}

static void lint_manifest_rules(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	bool manifests =
		rules->logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT || policy->manifest_count > 0;
	char text[FOREIGN_TEXT], created[UTC_LENGTH + 1];

	if (rules->manifest_min_created > 0)
		say(lint, POLICY_SAYS, "Each manifest must have been made at %s or later.",
		    utc_text(rules->manifest_min_created, created));
	if (rules->manifest_id)
		say(lint, POLICY_SAYS, "Each manifest must have the id %s.",
		    printable(rules->manifest_id, text));
	if (rules->manifest_product)
		say(lint, POLICY_SAYS, "Each manifest must be of the product %s.",
		    printable(rules->manifest_product, text));
	if (rules->manifest_signers > 1)
		say(lint, POLICY_SAYS, "Each manifest must be signed by two keys.");
	if (manifests && rules->manifest_min_created == 0)
		say(lint, POLICY_NOTE,
		    "Any manifest of an accepted signer is taken, also an old one with files that "
		    "have known faults (manifest.min_created).");
	if (rules->filesystem_count > 0)
		say(lint, POLICY_SAYS, "Measured files must be on one of %zu file systems.",
		    rules->filesystem_count);
}

static void lint_firmware(const struct firmware_rules *rules, struct lint *lint)
{
	for (int rule = 0; rule < FIRMWARE_RULES; rule++)
		if (firmware_asks(rules, (enum firmware_rule)rule))
			say(lint, POLICY_SAYS, "The policy has a rule on the firmware's log: %s",
			    check_question((enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)));
	if (firmware_asks(rules, FIRMWARE_RULE_COMMAND_LINE) &&
	    !firmware_asks(rules, FIRMWARE_RULE_PROGRAMS))
		say(lint, POLICY_WARNING,
		    "The kernel's command line is judged, and not which programs were booted: "
		    "another boot loader may say that it used that one (firmware.programs).");
	for (size_t i = 0; i < rules->command_count; i++)
		if (strcmp(rules->commands[i], "*") == 0)
			say(lint, POLICY_WARNING,
			    "Any text passes as a command of grub: the log must only have the "
			    "kernel's command line among others (firmware.commands).");
	if (firmware_asks(rules, FIRMWARE_RULE_KEYS) && !rules->secure_boot)
		say(lint, POLICY_WARNING,
		    "The keys of Secure Boot are judged, and not whether it is on "
		    "(firmware.secure_boot).");
}

static void lint_uefi(const struct verify_policy *rules, struct lint *lint)
{
	if (requires(rules, CHECK_UEFI_LOG_REPLAY))
		say(lint, POLICY_SAYS, "There must be a log of the firmware, and it must replay.");
	for (int rule = 0; rule < UEFI_RULES; rule++)
		if (rules->uefi_accepted & UINT32_C(1) << rule)
			say(lint, POLICY_SAYS,
			    "Events of the firmware's log may break the rule %s (uefi.accept).",
			    uefi_rule_name((enum uefi_rule)rule));
	if (rules->uefi_extended_later) {
		char text[FOREIGN_TEXT];

		list_pcrs(rules->uefi_extended_later, text);
		say(lint, POLICY_NOTE,
		    "Others may extend PCRs %s after the firmware: its events of these are not "
		    "compared (uefi.extended_later).",
		    text);
	}
}

static void lint_log(const struct verify_policy *rules, struct lint *lint)
{
	if (rules->logs[VERIFY_LOG_ASSAY] == PRESENCE_ABSENT)
		return;
	if (rules->trimmed)
		say(lint, POLICY_WARNING,
		    "A log whose beginning was trimmed is believed on its own word: whoever may "
		    "extend PCR %u can hide what was measured before (log.trimmed). A record of "
		    "the "
		    "device (--device) does without.",
		    rules->assay_pcr);
	if (rules->trimmed && requires(rules, CHECK_ASSAY_LOG_PROTECTION))
		say(lint, POLICY_WARNING,
		    "Trimmed logs are taken, and the log's protection is required, which its first "
		    "record would say: such logs are refused (log.protection).");
	if (rules->unknown_records)
		say(lint, POLICY_WARNING,
		    "Records that the verifier cannot judge are accepted: what they say is not "
		    "looked at (log.unknown_records).");
	say(lint, POLICY_SAYS,
	    "assay's log %s begin after a TPM was found, and %s be in read-only memory.",
	    requires(rules, CHECK_ASSAY_LOG_TPM) ? "must" : "need not",
	    requires(rules, CHECK_ASSAY_LOG_PROTECTION) ? "must" : "need not");
}

static void say_alike(void *context, const char *first, const char *second)
{
	char texts[2][FOREIGN_TEXT];

	say(context, POLICY_WARNING,
	    "%s and %s are written alike by IMA, as it writes '_' for a space: what is a reference "
	    "value of one is one of the other (ima.digests).",
	    printable(first, texts[0]), printable(second, texts[1]));
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

static void lint_logs(const struct policy *policy, struct lint *lint)
{
	static const char *const optional[] = {
		[VERIFY_LOG_ASSAY] = "A log of assay's may be missing",
		[VERIFY_LOG_IMA] = "A list of IMA may be missing",
	};
	const enum log_presence *logs = policy->rules.logs;

	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (policy->said.logs[i] == PRESENCE_OPTIONAL)
			say(lint, POLICY_WARNING,
			    "%s: whoever hands over evidence may leave it out, with what it would "
			    "show (%s).",
			    optional[i], policy_log_name((enum verify_log)i));
	if (logs[VERIFY_LOG_UEFI] == PRESENCE_ABSENT)
		say(lint, POLICY_NOTE,
		    "There is no log of the firmware: of its PCRs, values alone say what was "
		    "booted (logs.uefi).");
	if (logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT)
		return;
	if (logs[VERIFY_LOG_IMA] == PRESENCE_ABSENT)
		say(lint, POLICY_NOTE,
		    "There is neither a log of assay's nor a list of IMA: a verdict says what was "
		    "booted, and nothing of what ran since (logs).");
	else
		say(lint, POLICY_NOTE,
		    "There is no log of assay's: what IMA's list says is worth what root on the "
		    "device is, who can extend PCR %u and add entries (logs.assay_log).",
		    policy->rules.ima_pcr);
	if (!has_references(policy))
		say(lint, POLICY_WARNING,
		    "There is nothing to compare with, neither values of PCRs, nor digests, "
		    "certificates or manifests for IMA's entries, nor rules on the firmware's log: "
		    "nothing can be trusted (pcrs.values, ima, firmware).");
}

/* Reference values are compared whether or not there must be a list: the log may mirror it. */
static void lint_ima_digests(const struct policy *policy, struct lint *lint)
{
	const json_t *digests = json_object_get(json_object_get(policy->json, "ima"), "digests");

	(void)policy_names_alike(digests, say_alike, lint, NULL);
}

static void lint_ima(const struct policy *policy, struct lint *lint)
{
	const struct verify_policy *rules = &policy->rules;
	char text[FOREIGN_TEXT];

	if (rules->logs[VERIFY_LOG_IMA] == PRESENCE_ABSENT)
		return;
	if (!requires(rules, CHECK_IMA_LOG_REPLAY)) {
		say(lint, POLICY_NOTE,
		    "IMA's list is not required: what ran before assay.ko, or was "
		    "never given to it, is not seen (ima.required).");
		return;
	}
	say(lint, POLICY_SAYS, "IMA's list must replay to PCR %u; violations are %s.",
	    rules->ima_pcr, requires(rules, CHECK_IMA_LOG_VIOLATIONS) ? "refused" : "shown");
	if (rules->unknown_templates)
		say(lint, POLICY_WARNING,
		    "Entries of templates that are not known are accepted: what they are of is not "
		    "looked at (ima.unknown_templates).");
	if (rules->ima_digest_count > 0)
		say(lint, POLICY_SAYS, "%zu names have digests that IMA's entries must have.",
		    rules->ima_digest_count);
	for (size_t i = 0; i < rules->ima_digest_count; i++)
		for (size_t j = 0; j < rules->ima_digests[i].count; j++)
			if (rules->ima_digests[i].digests[j].hash == ASSAY_HASH_SHA1) {
				say(lint, POLICY_WARNING,
				    "%s and maybe others may be recognised by SHA-1, for which "
				    "there "
				    "are collisions (ima.digests).",
				    printable(rules->ima_digests[i].path, text));
				i = rules->ima_digest_count - 1;
				break;
			}
	if (requires(rules, CHECK_IMA_FILES_KNOWN))
		say(lint, POLICY_SAYS,
		    "Every entry must have a reference value, an accepted "
		    "signature, or be allowed.");
	else
		say(lint, POLICY_NOTE,
		    "Files in IMA's list that have no reference value are accepted "
		    "(ima.unknown_files).");
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
		if (requires(rules, rows[i].check) && !rows[i].named)
			say(lint, POLICY_WARNING,
			    "%s is required, and there is no %s that it compares with: nothing can "
			    "be "
			    "trusted.",
			    check_name(rows[i].check), rows[i].member);
	for (int rule = 0; rule < FIRMWARE_RULES; rule++)
		if (requires(rules, (enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)) &&
		    !firmware_asks(&rules->firmware, (enum firmware_rule)rule))
			say(lint, POLICY_WARNING,
			    "%s is required, and there is no rule of firmware that it compares "
			    "with: "
			    "nothing can be trusted.",
			    check_name((enum check)(CHECK_FIRMWARE_SECURE_BOOT + rule)));
	for (int i = 0; i < CHECK_COUNT; i++)
		if (requires(rules, (enum check)i) &&
		    check_when((enum check)i) == CHECK_WITH_STATE && i != CHECK_MANIFEST_CURRENT)
			say(lint, POLICY_NOTE,
			    "%s is required, and compares with an earlier attestation: a device's "
			    "first "
			    "one cannot be trusted (require).",
			    check_name((enum check)i));
}

static void lint_waivers(const struct policy *policy, struct lint *lint)
{
	check_mask idle = policy_idle_waivers(policy);

	for (size_t i = 0; i < policy->waiver_count; i++) {
		const struct policy_waiver *waiver = &policy->waivers[i];
		char text[FOREIGN_TEXT];

		say(lint, POLICY_WARNING, "Not required: %s (%s). The reason given: %s.",
		    check_name(waiver->check), check_question(waiver->check),
		    printable(waiver->reason, text));
		if (idle & CHECK_BIT(waiver->check))
			say(lint, POLICY_WARNING,
			    "That waiver changes nothing: a check that is required needs %s.",
			    check_name(waiver->check));
	}
}

size_t policy_lint(const struct policy *policy, policy_lint_function each, void *context)
{
	struct lint lint = { .each = each, .context = context };
	char text[FOREIGN_TEXT];

	if (policy->description)
		say(&lint, POLICY_SAYS, "It is for: %s.", printable(policy->description, text));
	lint_algorithms(&policy->rules, &lint);
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
