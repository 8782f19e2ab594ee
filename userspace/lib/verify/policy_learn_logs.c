// SPDX-License-Identifier: MIT
#include "verify/policy_learn_logs.h"

#include <stdio.h>
#include <stdlib.h>

#include "log/uefi.h"
#include "verify/policy_said.h"
#include "verify/structures.h"
#include "verity/verity.h"

/*
 * PCRs that the log replays to other values of than those beside the quote.
 * @ret_replayed: those that it replays to the same of
 */
static uint32_t differing_pcrs(const struct evidence *evidence, const struct uefi_pcrs *firmware,
			       uint32_t *ret_replayed)
{
	uint32_t differing = 0, same = 0;

	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];
		const struct assay_digest *replayed;

		if (pcr->index >= UEFI_PCR_COUNT || !(firmware->extended & 1U << pcr->index))
			continue;
		replayed = uefi_pcrs_value(firmware, pcr->value.hash, pcr->index);
		if (!replayed || !uefi_pcrs_complete(firmware, pcr->value.hash, pcr->index))
			continue;
		if (verity_digest_equal(replayed, &pcr->value))
			same |= 1U << pcr->index;
		else
			differing |= 1U << pcr->index;
	}
	*ret_replayed = same & ~differing;
	return differing;
}

static void find_firmware(const struct evidence *evidence, struct learned_logs *logs)
{
	struct uefi_pcrs *firmware = calloc(1, sizeof(*firmware));
	struct verify_policy usual;

	verify_policy_default(&usual);
	if (firmware && uefi_replay(buffer_bytes(&evidence->uefi_data), firmware, NULL) == 0) {
		logs->uefi_accepted = firmware->rules;
		logs->uefi_extended_later =
			differing_pcrs(evidence, firmware, &logs->uefi_replayed) &
			~((UINT32_C(1) << FIRMWARE_PCRS) - 1);
		/* That one is compared with what it was before assay's log. */
		if (evidence->has_assay_log)
			logs->uefi_extended_later &= ~(UINT32_C(1) << usual.assay_pcr);
	}
	free(firmware);
}

void learn_logs_find(const struct evidence *evidence, struct learned_logs *ret)
{
	bool firmware = evidence->has_uefi_log && evidence->uefi_data.size > 0;

	*ret = (struct learned_logs){
		.presence = {
			[VERIFY_LOG_ASSAY] = evidence->has_assay_log ? PRESENCE_REQUIRED :
								       PRESENCE_ABSENT,
			[VERIFY_LOG_IMA] = evidence->has_ima_log ? PRESENCE_REQUIRED :
								   PRESENCE_ABSENT,
			[VERIFY_LOG_UEFI] = firmware ? PRESENCE_REQUIRED : PRESENCE_ABSENT,
		},
	};
	if (firmware)
		find_firmware(evidence, ret);
}

void learn_logs_apply(const struct learned_logs *logs, struct verify_policy *rules)
{
	for (int log = 0; log < VERIFY_LOGS; log++) {
		rules->logs[log] = logs->presence[log];
		if (logs->presence[log] == PRESENCE_ABSENT)
			rules->required &= ~checks_of_log((enum verify_log)log);
	}
	rules->pcrs = 0;
	if (logs->presence[VERIFY_LOG_ASSAY] == PRESENCE_REQUIRED)
		rules->pcrs |= UINT32_C(1) << rules->assay_pcr;
	rules->uefi_accepted = logs->uefi_accepted;
	rules->uefi_extended_later = logs->uefi_extended_later;
}

/* The first check of that log that a policy requires of it, and that did not pass. */
static enum check first_missing(enum verify_log log, const struct verdict *verdict)
{
	check_mask missing = checks_of_log(log) & ~verdict->passed;

	/* Where the PCRs of boot_aggregate are not quoted, nobody can compare them. */
	if (!(verdict->failed & CHECK_BIT(CHECK_IMA_BOOT_AGGREGATE)))
		missing &= ~CHECK_BIT(CHECK_IMA_BOOT_AGGREGATE);
	return checks_first(missing);
}

void learn_logs_settle(struct learned_logs *logs, const struct verdict *verdict, check_mask needed,
		       void (*each)(void *context, const char *text), void *context)
{
	for (int i = VERIFY_LOG_IMA; i < VERIFY_LOGS; i++) {
		enum verify_log log = (enum verify_log)i;
		enum check missing = first_missing(log, verdict);
		char text[CHECK_DETAIL_MAX + 128];

		if (logs->presence[log] != PRESENCE_REQUIRED || checks_of_log(log) & needed ||
		    missing == CHECK_COUNT)
			continue;
		logs->presence[log] = PRESENCE_ABSENT;
		snprintf(text, sizeof(text), "%s is \"absent\", since %s did not pass: %s",
			 policy_log_name(log), check_name(missing), verdict->detail[missing]);
		each(context, text);
	}
}

/* ---------------------------------------------------------------- into the policy */

static json_t *presence_json(enum log_presence presence)
{
	return json_string(presence == PRESENCE_ABSENT ? "absent" : "required");
}

static json_t *rules_json(uint32_t rules)
{
	json_t *array = json_array();
	int failed = 0;

	for (int rule = 0; rule < UEFI_RULES; rule++)
		if (rules & UINT32_C(1) << rule)
			failed |= json_array_append_new(
				array, json_string(uefi_rule_name((enum uefi_rule)rule)));
	if (failed == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *pcrs_json(uint32_t pcrs)
{
	json_t *array = json_array();
	int failed = 0;

	for (unsigned int pcr = 0; pcr < 32; pcr++)
		if (pcrs & UINT32_C(1) << pcr)
			failed |= json_array_append_new(array, json_integer(pcr));
	if (failed == 0)
		return array;
	json_decref(array);
	return NULL;
}

int learn_logs_fill(const struct learned_logs *logs, json_t *policy)
{
	bool firmware = logs->presence[VERIFY_LOG_UEFI] != PRESENCE_ABSENT;
	json_t *uefi = json_object();
	int r = json_object_set_new(policy, "logs",
				    json_pack("{s:o, s:o, s:o}", "assay_log",
					      presence_json(logs->presence[VERIFY_LOG_ASSAY]),
					      "ima", presence_json(logs->presence[VERIFY_LOG_IMA]),
					      "uefi",
					      presence_json(logs->presence[VERIFY_LOG_UEFI])));

	if (firmware && logs->uefi_accepted)
		r |= json_object_set_new(uefi, "accept", rules_json(logs->uefi_accepted));
	if (firmware && logs->uefi_extended_later)
		r |= json_object_set_new(uefi, "extended_later",
					 pcrs_json(logs->uefi_extended_later));
	if (json_object_size(uefi) > 0)
		r |= json_object_set(policy, "uefi", uefi);
	json_decref(uefi);
	return r;
}
