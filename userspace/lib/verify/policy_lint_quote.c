// SPDX-License-Identifier: MIT
/* What a policy asks of the quote, its PCRs and the boot. */
#include <stdio.h>
#include <string.h>

#include "verify/policy_lint_internal.h"
#include "verify/policy_names.h"

#define CHOICES_TEXT 128

/* " or" behind the first that is added */
static void add_choice(char text[static CHOICES_TEXT], bool accepted, const char *word)
{
	size_t used = strlen(text);

	if (accepted)
		snprintf(text + used, CHOICES_TEXT - used, "%s%s", used > 0 ? " or " : "", word);
}

void lint_algorithms(const struct verify_policy *rules, struct lint *lint)
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
			lint_say(lint, POLICY_WARNING, "No %s is accepted: nothing can be trusted.",
				 needed[i].what);
	if (algorithms & VERIFY_ECDSA && !(algorithms & (VERIFY_P256 | VERIFY_P384)))
		lint_say(lint, POLICY_WARNING, "ECDSA is accepted, and no curve of it.");
	add_choice(keys, algorithms & VERIFY_RSASSA, "RSASSA");
	add_choice(keys, algorithms & VERIFY_RSAPSS, "RSAPSS");
	if (keys[0])
		snprintf(bits, sizeof(bits), " (RSA keys from %u bits)", rules->rsa_bits);
	add_choice(keys, algorithms & VERIFY_ECDSA && algorithms & VERIFY_P256, "ECDSA on P-256");
	add_choice(keys, algorithms & VERIFY_ECDSA && algorithms & VERIFY_P384, "ECDSA on P-384");
	add_choice(hashes, algorithms & VERIFY_SHA256, "SHA-256");
	add_choice(hashes, algorithms & VERIFY_SHA384, "SHA-384");
	add_choice(hashes, algorithms & VERIFY_SHA512, "SHA-512");
	lint_say(lint, POLICY_SAYS, "The enrolled key must have signed the quote: %s, with %s%s.",
		 keys[0] ? keys : "by nothing", hashes[0] ? hashes : "no hash", bits);
}

void lint_ak(const struct policy *policy, struct lint *lint)
{
	const struct policy_ak *ak = &policy->ak;

	if (!policy->rules.ak_certified && lint_requires(&policy->rules, CHECK_AK_CERTIFICATE))
		lint_say(lint, POLICY_NOTE,
			 "The key must be certified, and no authority is named (ak.roots): 'assay "
			 "verify' has to be told.");
	if (!policy->rules.ak_certified)
		return;
	lint_say(lint, POLICY_SAYS,
		 "The key must be certified by an authority of %zu file%s or text%s (ak.roots).",
		 ak->roots.count, ak->roots.count == 1 ? "" : "s", ak->roots.count == 1 ? "" : "s");
	if (ak->crls.count == 0)
		lint_say(lint, POLICY_NOTE,
			 "A certificate that its authority revoked is still taken (ak.crls).");
	else
		lint_say(lint, POLICY_SAYS,
			 "It must not be in a revocation list of %zu; once a list of its authority "
			 "expires, nothing is trusted before there is a newer one.",
			 ak->crls.count);
	if (policy->rules.ak_vouched)
		lint_say(lint, POLICY_WARNING,
			 "Keys of certificates that do not say so are taken for restricted and "
			 "bound to their TPM (ak.vouched): who gets these authorities to certify a "
			 "key in software can sign any quote.");
}

void lint_freshness(const struct verify_policy *rules, struct lint *lint)
{
	if (rules->no_nonce)
		lint_say(lint, POLICY_WARNING,
			 "It need not answer a nonce: whoever has older evidence of the device can "
			 "hand "
			 "that over, and only what the verifier keeps of it (--device) finds out "
			 "(nonce_bytes).");
	else
		lint_say(lint, POLICY_SAYS,
			 "It must answer the verifier's nonce, of at least %zu bytes.",
			 rules->nonce_size);
	if (!rules->no_nonce && rules->nonce_size < 16)
		lint_say(lint, POLICY_WARNING,
			 "Nonces of fewer than 16 bytes may be guessed or come up again "
			 "(nonce_bytes).");
	if (rules->max_age > 0)
		lint_say(lint, POLICY_SAYS,
			 "No more than %llu seconds may be between nonce and verdict; say when the "
			 "nonce "
			 "was sent (--issued), or the device's own clock counts.",
			 (unsigned long long)rules->max_age);
	else
		lint_say(lint, POLICY_NOTE, "Evidence may be of any age%s (max_age).",
			 rules->no_nonce ? "" : ", as long as its nonce is known");
	if (rules->same_boot)
		lint_say(lint, POLICY_SAYS,
			 "The TPM must not have been reset%s since the last attestation.",
			 rules->suspend ? "" : " nor restarted");
	if (rules->suspend)
		lint_say(lint, POLICY_NOTE,
			 "A restart of the TPM without a reset is taken for a suspend to RAM: an "
			 "earlier "
			 "state goes on over it (device.suspend).");
	if (!(rules->required_with_state & CHECK_BIT(CHECK_QUOTE_FIRMWARE)))
		lint_say(lint, POLICY_NOTE, "The TPM's firmware may change between attestations.");
	if (lint_requires(rules, CHECK_QUOTE_CLOCK))
		lint_say(lint, POLICY_SAYS, "The TPM must be sure that its clock never went back.");
}

void lint_pcrs(const struct verify_policy *rules, struct lint *lint)
{
	/* PC Client Platform TPM Profile, 4.6.2 */
	static const unsigned int resettable[] = { 16, 23 };
	char text[LINT_TEXT];
	uint32_t expected = 0;

	lint_list_pcrs(rules->pcrs, text);
	if (rules->pcrs)
		lint_say(lint, POLICY_SAYS, "PCRs %s must be quoted, all in one bank.", text);
	for (size_t i = 0; i < rules->pcr_value_count; i++) {
		const struct policy_pcr *pcr = &rules->pcr_values[i];

		expected |= 1U << pcr->index;
		if (pcr->bank == ASSAY_HASH_SHA1)
			lint_say(lint, POLICY_WARNING,
				 "The value of PCR %u is one of bank sha1: who can make collisions "
				 "can "
				 "have it, too.",
				 pcr->index);
		if (pcr->index == rules->assay_pcr || pcr->index == rules->ima_pcr)
			lint_say(lint, POLICY_WARNING,
				 "PCR %u anchors a log: it changes with every file, so no value of "
				 "it "
				 "stays the right one.",
				 pcr->index);
	}
	lint_list_pcrs(expected, text);
	if (expected)
		lint_say(lint, POLICY_SAYS,
			 "PCRs %s must have one of the values that the policy names.", text);
	for (unsigned int i = 0; i < sizeof(resettable) / sizeof(resettable[0]); i++)
		if ((rules->pcrs | expected) & 1U << resettable[i])
			lint_say(lint, POLICY_WARNING,
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

	return lint_requires(rules, CHECK_FIRMWARE_PLATFORM) &&
	       (lint_requires(rules, CHECK_FIRMWARE_PROGRAMS) || (rules->required & keys) == keys);
}

void lint_boot(const struct verify_policy *rules, struct lint *lint)
{
	bool known = false;

	if (!lint_requires(rules, CHECK_BOOT_KNOWN)) {
		lint_say(lint, POLICY_NOTE,
			 "The boot is not judged: who may boot another kernel on the device can "
			 "have "
			 "its "
			 "logs say anything (boot-known).");
		return;
	}
	for (size_t i = 0; i < BANKS; i++) {
		if (!(rules->algorithms & banks[i].bit) || !is_boot_named(rules, banks[i].bank))
			continue;
		known = true;
		lint_say(lint, POLICY_SAYS,
			 "The boot must be known: PCRs 0 and 4 or 7 of bank %s have named values.",
			 assay_hash_name(banks[i].bank));
	}
	if (is_boot_ruled(rules)) {
		lint_say(lint, POLICY_SAYS,
			 "The boot must be known: by rules on what the firmware's log has of PCRs "
			 "0 and "
			 "4, or 0 and 7.");
		return;
	}
	if (!known)
		lint_say(
			lint, POLICY_WARNING,
			"The boot must be known, and no bank that is accepted has values of PCRs 0 "
			"and "
			"4, "
			"or 0 and 7: nothing can be trusted. Name them (pcrs.values; 'assay policy "
			"learn'), "
			"or do without, with a reason (waive, boot-known).");
	else if (!lint_requires(rules, CHECK_PCR_VALUES))
		lint_say(lint, POLICY_WARNING,
			 "The boot must be known by the values of PCRs, which need not be as they "
			 "are "
			 "named "
			 "(pcr-values).");
}

/* A value of one bank is none of another: the bank that is quoted has to begin from its own. */
void lint_starts(const struct verify_policy *rules, struct lint *lint)
{
	for (size_t i = 0; rules->start_count > 0 && i < BANKS; i++) {
		bool accepted = (rules->algorithms & banks[i].bit) != 0;
		size_t named = 0;

		for (size_t j = 0; j < rules->start_count; j++)
			named += rules->starts[j].hash == banks[i].bank;
		if (named > 0 && !accepted)
			lint_say(lint, POLICY_WARNING,
				 "A value that PCR %u may begin from is of bank %s, which is not "
				 "accepted "
				 "(start).",
				 rules->assay_pcr, assay_hash_name(banks[i].bank));
		else if (named > 0)
			lint_say(lint, POLICY_NOTE,
				 "In bank %s, PCR %u may have one of %zu values before assay's log "
				 "begins: "
				 "what they are of, this policy does not say (start).",
				 assay_hash_name(banks[i].bank), rules->assay_pcr, named);
		else if (accepted)
			lint_say(lint, POLICY_NOTE,
				 "In bank %s, PCR %u must begin from zeros: no value of that bank "
				 "is "
				 "named, "
				 "so a log that something else measured before is refused where "
				 "this "
				 "bank "
				 "is quoted (start).",
				 assay_hash_name(banks[i].bank), rules->assay_pcr);
	}
}
