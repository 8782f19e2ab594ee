// SPDX-License-Identifier: MIT
#include "verify/policy_learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/utc.h"
#include "firmware/learn.h"
#include "log/cel.h"
#include "verify/ak_given.h"
#include "verify/policy.h"
#include "verify/policy_learn_logs.h"
#include "verify/structures.h"
#include "verify/tell.h"
#include "verity/verity.h"

/*
 * Into these PCRs systemd-boot and systemd-stub measure the kernel's command line and what else the
 * boot partition has for the kernel beside its image: credentials, add-ons (12), system extensions
 * (13). See the UAPI group's Linux TPM PCR registry.
 */
#define COMMAND_LINE_PCR 12
#define STUB_PCRS (1U << COMMAND_LINE_PCR | 1U << 13)
#define SHIM_PCR 14 /* the keys of the machine's owner, for kernels and modules */
/* PCRs that are of the boot up to the kernel (PC Client Platform Firmware Profile, 3.3.4), and
 * those: many kernels' EFI stubs measure the command line nowhere. */
#define BOOT_PCRS (0x3ffU | STUB_PCRS | 1U << SHIM_PCR)
/* Those of which rules on the firmware's log know all events: see firmware_learn(). */
#define RULED_PCRS                                                                            \
	(1U << 0 | 1U << 2 | 1U << 4 | 1U << 7 | 1U << 8 | 1U << 9 | 1U << COMMAND_LINE_PCR | \
	 1U << SHIM_PCR)

/**
 * struct learning - while it is learned
 * @allow: path -> array of digests
 * @digests: the same, of IMA's list
 * @values: of PCRs, as "pcrs.values" has them
 * @logs: which the device has
 * @firmware: rules on the firmware's log; NULL: none; @firmware_pcrs: bit n: they are about PCR n
 */
struct learning {
	const struct policy_learning *what;
	json_t *allow, *digests, *values;
	struct learned_logs logs;
	json_t *firmware;
	uint32_t firmware_pcrs;
	learn_note each;
	void *context;
	bool failed;
};

/* The digest for that name, once. */
static void add_digest(struct learning *learning, json_t *object, const char *name,
		       const struct assay_digest *digest)
{
	json_t *array = json_object_get(object, name);
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (!array) {
		array = json_array();
		learning->failed |= json_object_set_new(object, name, array) < 0;
	}
	assay_digest_text(digest, text);
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
			return;
	learning->failed |= json_array_append_new(array, json_string(text)) < 0;
}

static void see_record(void *context, const struct verify_record *record)
{
	(void)context;
	(void)record;
}

static void note_not_learned(struct learning *learning, struct bytes path, const char *why)
{
	char shown[256], text[512];

	snprintf(text, sizeof(text), "\"%s\" is not learned: %s, so that it will be unknown",
		 text_escape(path, shown, sizeof(shown)), why);
	learning->each(learning->context, text);
}

/*
 * What has no reference value, is proven, and can be told by one: a path that is text, and a
 * digest. JSON has no name that is not UTF-8; one with a NUL is no path.
 */
static void see_file(void *context, const struct verify_file *file)
{
	struct learning *learning = context;
	CLEANUP(json_decref_pointer) json_t *text = NULL;

	if (file->state != FILE_UNKNOWN || file->digest.size == 0 || !file->path.data ||
	    (file->by_ima && !learning->what->ima))
		return;
	if (!file->covered) {
		note_not_learned(learning, file->path,
				 "it is behind what the quote covers, where anybody may have "
				 "added it");
		return;
	}
	if (!memchr(file->path.data, '\0', file->path.size))
		text = json_stringn((const char *)file->path.data, file->path.size);
	if (!text) {
		note_not_learned(learning, file->path, "a policy cannot name it");
		return;
	}
	add_digest(learning, file->by_ima && !file->verity ? learning->digests : learning->allow,
		   json_string_value(text), &file->digest);
}

/* Only what rules are about: of other PCRs the values are learned. */
static void see_firmware(void *context, const struct firmware_log *log)
{
	struct learning *learning = context;

	if (learning->what->firmware && !learning->firmware &&
	    firmware_learn(log, &learning->firmware, &learning->firmware_pcrs, NULL) < 0)
		learning->failed = true;
}

/* ---------------------------------------------------------------- evidence by itself */

/* Whether IMA's digests are learned of its list; else of the entries that assay's log mirrors. */
static bool learns_list(const struct learning *learning)
{
	return learning->what->ima && learning->logs.presence[VERIFY_LOG_IMA] != PRESENCE_ABSENT;
}

/* What evidence must fulfil to be learned from: the rest needs a policy, or a device. */
static check_mask needed_checks(const struct learning *learning)
{
	const enum log_presence *logs = learning->logs.presence;
	check_mask checks = CHECK_BIT(CHECK_QUOTE_SIGNATURE) | CHECK_BIT(CHECK_QUOTE_MAGIC) |
			    CHECK_BIT(CHECK_QUOTE_TYPE) | CHECK_BIT(CHECK_AK_ATTRIBUTES) |
			    CHECK_BIT(CHECK_PCR_DIGEST) | CHECK_BIT(CHECK_EVIDENCE_LOGS);

	if (logs[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT)
		checks |= CHECK_BIT(CHECK_ASSAY_LOG_RECORDS) | CHECK_BIT(CHECK_ASSAY_LOG_DIGESTS) |
			  CHECK_BIT(CHECK_ASSAY_LOG_REPLAY);
	if (learning->what->ima)
		checks |= learns_list(learning) ? CHECK_BIT(CHECK_IMA_LOG_DIGESTS) |
							  CHECK_BIT(CHECK_IMA_LOG_REPLAY) :
						  CHECK_BIT(CHECK_IMA_LOG_ENTRIES);
	return checks;
}

/* By its own key, and as the answer to its own nonce. */
static int own_input(const struct verify_input *input, const struct evidence *evidence,
		     const struct tpm_attest *attest, struct verify_input *ret,
		     struct assay_error *err)
{
	struct ak_given given;
	int r;

	*ret = (struct verify_input){
		.evidence = input->evidence,
		.nonce = attest->extra_data,
		.ak_public = buffer_bytes(&evidence->ak_public),
		.manifests = input->manifests,
		.manifest_count = input->manifest_count,
		.certificates = input->certificates,
		.certificate_count = input->certificate_count,
		.ak_trust = input->ak_trust,
		.now = input->now,
	};
	if (evidence->ak_public.size > 0)
		return 0;
	/* Evidence of others may have no more of the key than its numbers. */
	r = ak_given_read(buffer_bytes(&evidence->ak_key), &given, err);
	if (r < 0)
		return r;
	ret->ak_key = given.key;
	ak_given_free(&given);
	return 0;
}

static int judge_evidence(const struct verify_input *input, struct learning *learning,
			  struct assay_error *err)
{
	const struct verify_observer observer = { learning, see_record, see_file, see_firmware };
	check_mask needed = needed_checks(learning), missing;
	struct verify_input own = *input;
	struct verdict *verdict = malloc(sizeof(*verdict));
	struct verify_policy policy;
	enum check check;
	int r = 0;

	if (!verdict)
		return assay_fail(err, ENOMEM, "out of memory");
	verify_policy_default(&policy);
	/* It answers its own nonce, whatever that is. */
	policy.nonce_size = 1;
	policy.no_nonce = true;
	learn_logs_apply(&learning->logs, &policy);
	if (learns_list(learning))
		policy.pcrs |= UINT32_C(1) << policy.ima_pcr;
	own.observer = &observer;
	verify(&own, &policy, verdict);
	missing = needed & ~verdict->passed;
	if (input->manifest_count > 0)
		missing |= CHECK_BIT(CHECK_MANIFEST_SIGNATURE) & ~verdict->passed;
	check = checks_first(missing);
	/* What kept it from passing, not what only followed from that. */
	while (check < CHECK_COUNT && (check_needs(check) & ~verdict->passed) != 0)
		check = checks_first(check_needs(check) & ~verdict->passed);
	if (check < CHECK_COUNT)
		r = assay_fail(err, EKEYREJECTED, "nothing is learned from evidence where %s: %s",
			       check_name(check), verdict->detail[check]);
	else
		learn_logs_settle(&learning->logs, verdict, needed, learning->each,
				  learning->context);
	free(verdict);
	return r;
}

/* What was made is judged by: who learns from evidence expects that the policy trusts it. */
static int judge_by_policy(const struct verify_input *input, const json_t *json,
			   const struct learning *learning, struct assay_error *err)
{
	struct verdict *verdict = malloc(sizeof(*verdict));
	char *text = json_dumps(json, JSON_COMPACT);
	struct policy policy = { 0 };
	check_mask missing;
	int r = verdict && text ? 0 : assay_fail(err, ENOMEM, "out of memory");

	if (r == 0)
		r = policy_parse(BYTES((const uint8_t *)text, strlen(text)), &policy, err);
	if (r == 0) {
		verify(input, &policy.rules, verdict);
		missing = verdict->required & ~verdict->passed;
		for (int i = 0; i < CHECK_COUNT; i++) {
			char note[CHECK_DETAIL_MAX + 128];

			if (!(missing & CHECK_BIT(i)) ||
			    check_needs((enum check)i) & ~verdict->passed & verdict->required)
				continue;
			snprintf(note, sizeof(note),
				 "the policy does not trust this evidence as it is, since %s did "
				 "not pass: %s",
				 check_name((enum check)i), verdict->detail[i]);
			learning->each(learning->context, note);
		}
	}
	policy_free(&policy);
	free(text);
	free(verdict);
	return r;
}

/* ---------------------------------------------------------------- into the policy */

/* A digest that is not accepted for judging is not one to expect. */
static bool is_bank(const struct evidence_pcr *pcr)
{
	return pcr->value.hash != ASSAY_HASH_SHA1;
}

static bool is_quoted(const struct evidence *evidence, uint32_t index)
{
	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];

		if (is_bank(pcr) && pcr->index == index &&
		    !bytes_are_zero(BYTES(pcr->value.bytes, pcr->value.size)))
			return true;
	}
	return false;
}

/*
 * Whether a log of assay's, which need not be in the evidence, may be anchored in the PCR: the
 * shim's keys are measured into the same one. What the firmware's log does not come to is another
 * value as soon as the module anchors the next record.
 */
static bool may_anchor(struct learning *learning, const struct evidence *evidence, uint32_t pcr)
{
	char text[256];

	if (learning->logs.presence[VERIFY_LOG_ASSAY] != PRESENCE_ABSENT)
		return true;
	if (learning->logs.uefi_replayed & UINT32_C(1) << pcr)
		return false;
	if (is_quoted(evidence, pcr)) {
		snprintf(text, sizeof(text),
			 "the value of PCR %u is not learned, as no log of the firmware comes to "
			 "it: assay's module extends that PCR, where it is loaded. Name it "
			 "(--pcr) with the others, if nothing does",
			 pcr);
		learning->each(learning->context, text);
	}
	return true;
}

/* PCRs that files change from boot to boot say nothing of another boot. */
static uint32_t wanted_pcrs(struct learning *learning, const struct evidence *evidence,
			    const struct verify_policy *rules)
{
	const struct policy_learning *what = learning->what;
	uint32_t anchors = UINT32_C(1) << rules->ima_pcr;

	if (what->pcrs != 0)
		return what->pcrs;
	if (what->waive_boot)
		return 0;
	if (may_anchor(learning, evidence, rules->assay_pcr))
		anchors |= UINT32_C(1) << rules->assay_pcr;
	return BOOT_PCRS & ~anchors;
}

/* Whether values of these PCRs of a bank make the boot known: see check_boot_known(). */
static bool is_boot_known(uint32_t pcrs)
{
	return pcrs & 1U << 0 && pcrs & (1U << 4 | 1U << 7);
}

/*
 * Zeros are of a PCR that nothing measured into: worth it only to who asks. But those of
 * systemd-stub's say that the image was given nothing beside it, neither credentials nor words of
 * the command line, which nothing else would tell.
 */
static bool are_zeros_learned(const struct learning *learning, uint32_t index)
{
	return learning->what->pcrs != 0 ||
	       (STUB_PCRS & UINT32_C(1) << index &&
		learning->logs.presence[VERIFY_LOG_UEFI] != PRESENCE_ABSENT);
}

/* The values of one bank; returns of which PCRs, that are not zeros. */
static uint32_t learn_bank(struct learning *learning, const struct evidence *evidence,
			   enum assay_hash bank, uint32_t wanted)
{
	uint32_t learned = 0;

	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];
		struct bytes value = BYTES(pcr->value.bytes, pcr->value.size);
		char name[sizeof("sha512:4294967295")];

		if (pcr->value.hash != bank || pcr->index >= 32 ||
		    !(wanted & UINT32_C(1) << pcr->index))
			continue;
		if (bytes_are_zero(value) && !are_zeros_learned(learning, pcr->index))
			continue;
		snprintf(name, sizeof(name), "%s:%u", assay_hash_name(bank), pcr->index);
		learning->failed |= json_object_set_new(learning->values, name,
							json_pack("[o]", json_hex(value))) < 0;
		if (!bytes_are_zero(value))
			learned |= UINT32_C(1) << pcr->index;
	}
	return learned;
}

static int learn_values(struct learning *learning, const struct evidence *evidence,
			const struct verify_policy *rules, struct assay_error *err)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						 ASSAY_HASH_SHA512 };
	const struct policy_learning *what = learning->what;
	uint32_t wanted = wanted_pcrs(learning, evidence, rules), quoted = 0, ruled = 0;
	char pcrs[PCRS_TEXT], text[PCRS_TEXT + 128];
	bool known = false;

	for (size_t i = 0; i < evidence->pcr_count; i++)
		if (is_bank(&evidence->pcrs[i]) && evidence->pcrs[i].index < 32)
			quoted |= UINT32_C(1) << evidence->pcrs[i].index;
	if (what->pcrs & ~quoted)
		return assay_fail(
			err, EINVAL,
			"the value of PCR %s is to be learned, and is not quoted in a bank "
			"that is accepted",
			check_pcrs_text(what->pcrs & ~quoted, ", ", pcrs));
	if (what->firmware && !learning->firmware)
		return assay_fail(
			err, EKEYREJECTED,
			"no rules are learned: the evidence has no log of the firmware that "
			"the quote proves. Have the device quote PCRs 0 to 9");
	if (learning->firmware)
		ruled = RULED_PCRS & learning->firmware_pcrs;
	if (what->pcrs == 0)
		wanted &= ~ruled;
	for (size_t i = 0; i < sizeof(banks) / sizeof(banks[0]); i++) {
		uint32_t learned = learn_bank(learning, evidence, banks[i], wanted);

		if (!is_boot_known(learned))
			continue;
		known = true;
		snprintf(text, sizeof(text),
			 "the boot is known by the values of PCRs %s of bank %s",
			 check_pcrs_text(learned & BOOT_PCRS, ", ", pcrs),
			 assay_hash_name(banks[i]));
		learning->each(learning->context, text);
	}
	if (is_boot_known(ruled) && !what->waive_boot) {
		snprintf(text, sizeof(text),
			 "the boot is known by rules on what the firmware's log has of PCRs %s",
			 check_pcrs_text(ruled, ", ", pcrs));
		learning->each(learning->context, text);
		known = true;
	}
	if (known)
		return 0;
	if (what->waive_boot) {
		learning->each(learning->context,
			       "nothing is known of the boot, and the policy does not judge it");
		return 0;
	}
	return assay_fail(
		err, EKEYREJECTED,
		"nothing is learned of the boot: it is known by values of PCRs 0 and 4, or 0 "
		"and 7, that are quoted and not zeros. Have the device quote PCRs 0 to 9, or "
		"make a policy that does not judge the boot (--waive-boot)");
}

/* What the PCR was before the log, where something else measured into it: an array. */
static json_t *start_values(const struct evidence *evidence)
{
	json_t *array = json_array();
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	if (cel_next(&reader, &record, NULL) <= 0 ||
	    assay_content_parse(&record, &content, NULL) < 0 || content.kind != ASSAY_KIND_START)
		return array;
	for (size_t i = 0; i < content.pcr_value_count; i++) {
		const struct assay_digest *value = &content.pcr_values[i];
		char text[ASSAY_DIGEST_TEXT_MAX];

		if (assay_hash_size(value->hash) == 0 ||
		    bytes_are_zero(BYTES(value->bytes, value->size)))
			continue;
		if (json_array_append_new(array, json_string(assay_digest_text(value, text))) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Adds it if it has something in it; takes it over in any case. */
static int set_filled(json_t *object, const char *name, json_t *value)
{
	if (!value)
		return -1;
	if (json_object_size(value) == 0 && json_array_size(value) == 0) {
		json_decref(value);
		return 0;
	}
	return json_object_set_new(object, name, value);
}

static json_t *allow_rules(const json_t *paths, const char *reason)
{
	json_t *array = json_array(), *digests;
	const char *path;

	json_object_foreach((json_t *)paths, path, digests)
		if (json_array_append_new(array, json_pack("{s:s, s:s, s:O}", "path", path,
							   "reason", reason, "digests", digests)) <
		    0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int fill_policy(json_t *policy, const struct evidence *evidence,
		       const struct learning *learning)
{
	char collected[UTC_LENGTH + 1], reason[64];
	json_t *pcrs = json_object(), *ima = json_object(), *waived = json_object();
	int r;

	snprintf(reason, sizeof(reason), "learned from evidence of %s",
		 evidence->has_collected ? utc_text(evidence->collected, collected) :
					   "an unknown time");
	r = json_object_set_new(policy, "description", json_string(reason));
	if (learning->what->waive_boot)
		r |= json_object_set_new(waived, "boot-known",
					 json_string("learned without the boot"));
	r |= set_filled(policy, "waive", waived);
	r |= learn_logs_fill(&learning->logs, policy);
	r |= set_filled(pcrs, "values", json_incref(learning->values));
	r |= set_filled(policy, "pcrs", pcrs);
	r |= set_filled(policy, "start", start_values(evidence));
	r |= set_filled(policy, "allow", allow_rules(learning->allow, reason));
	if (learning->what->ima) {
		r |= json_object_set_new(ima, "unknown_files", json_string("refuse"));
		r |= json_object_set(ima, "digests", learning->digests);
	}
	r |= set_filled(policy, "ima", ima);
	if (learning->firmware)
		r |= set_filled(policy, "firmware", json_incref(learning->firmware));
	return r;
}

int policy_learn(const struct verify_input *input, const struct policy_learning *what,
		 json_t *policy, learn_note each, void *context, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *allow = json_object();
	CLEANUP(json_decref_pointer) json_t *digests = json_object();
	CLEANUP(json_decref_pointer) json_t *values = json_object();
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	struct learning learning = { .what = what,
				     .allow = allow,
				     .digests = digests,
				     .values = values,
				     .each = each,
				     .context = context };
	struct verify_policy rules;
	struct verify_input own;
	struct tpm_attest attest;
	int r = evidence_parse(input->evidence, &evidence, err);

	verify_policy_default(&rules);
	if (r == 0)
		r = tpm_attest_parse(buffer_bytes(&evidence.attest), &attest, err);
	if (r < 0)
		return r;
	r = own_input(input, &evidence, &attest, &own, err);
	if (r < 0)
		return r;
	own.ak_vouched = what->ak_vouched && own.ak_key.size > 0;
	learn_logs_find(&evidence, &learning.logs);
	/* Who wants its digests wants the list, where assay's log cannot have them. */
	if (what->ima && !evidence.has_assay_log)
		learning.logs.presence[VERIFY_LOG_IMA] = PRESENCE_REQUIRED;
	r = judge_evidence(&own, &learning, err);
	if (r == 0)
		r = learn_values(&learning, &evidence, &rules, err);
	if (r == 0 && (learning.failed || fill_policy(policy, &evidence, &learning) != 0))
		r = assay_fail(err, ENOMEM, "out of memory");
	json_decref(learning.firmware);
	return r == 0 ? judge_by_policy(&own, policy, &learning, err) : r;
}
