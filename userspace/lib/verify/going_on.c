// SPDX-License-Identifier: MIT
#include "verify/going_on.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "log/ima.h"
#include "verify/state.h"

/* Those of the firmware's log, and of IMA's first entry, which is of the same PCRs. */
#define CHECKS_OF_FIRMWARE                                                        \
	(CHECK_BIT(CHECK_UEFI_LOG_PARSED) | CHECK_BIT(CHECK_UEFI_LOG_REPLAY) |    \
	 CHECK_BIT(CHECK_UEFI_LOG_EVENTS) | CHECK_BIT(CHECK_IMA_BOOT_AGGREGATE) | \
	 CHECKS_OF_FIRMWARE_RULES)

bool goes_on(const struct appraisal *appraisal)
{
	const struct verify_state *state = appraisal->input->state;

	return state && appraisal->verdict->passed & CHECK_BIT(CHECK_QUOTE_PARSED) &&
	       state_goes_on(state, &appraisal->input->references) && state->boot_id[0] &&
	       strcmp(state->boot_id, appraisal->evidence.boot_id) == 0 &&
	       log_same_tpm_boot(state, &appraisal->attest, appraisal->policy);
}

uint64_t kexecs_of(const struct appraisal *appraisal)
{
	/* In the boot of the state there is none behind it: each is another boot's beginning. */
	if (appraisal->start.origin == LOG_CONTINUED && goes_on(appraisal))
		return appraisal->input->state->kexecs;
	return appraisal->log.kexecs;
}

bool ima_goes_on(const struct appraisal *appraisal)
{
	uint64_t first = appraisal->evidence.ima_first;

	return first > 0 && goes_on(appraisal) && appraisal->input->state->ima.entries == first;
}

/* ---------------------------------------------------------------- the firmware's log */

/* SHA-256 of the quoted values, each with its bank and index, but for those that anchor a log. */
static int digest_pcrs(const struct appraisal *appraisal, struct assay_digest *ret)
{
	CLEANUP(buffer_free) struct buffer values = { 0 };
	const struct evidence *evidence = &appraisal->evidence;

	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];

		if (pcr->index == appraisal->policy->assay_pcr ||
		    pcr->index == appraisal->policy->ima_pcr)
			continue;
		buffer_append_be16(&values, (uint16_t)pcr->value.hash);
		buffer_append_u8(&values, (uint8_t)pcr->index);
		buffer_append(&values, pcr->value.bytes, pcr->value.size);
	}
	return values.failed ? -1 :
			       digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&values), ret, NULL);
}

bool firmware_is_known(const struct appraisal *appraisal)
{
	struct bytes log = buffer_bytes(&appraisal->evidence.uefi_data);
	const struct verify_state *state = appraisal->input->state;
	struct assay_digest digest;

	if (!goes_on(appraisal) || state->firmware.size == 0)
		return false;
	if (!appraisal->evidence.has_uefi_log)
		return true;
	return log.size == state->firmware.size &&
	       digest_bytes(ASSAY_HASH_SHA256, log, &digest, NULL) == 0 &&
	       verity_digest_equal(&digest, &state->firmware.log);
}

static enum check_result state_result(const struct verify_state *state, enum check check,
				      char *detail)
{
	if (state->failed & CHECK_BIT(check))
		return check_tell(false, detail, "not good, as an attestation of this boot found");
	if (state->passed & CHECK_BIT(check))
		return check_tell(true, detail, "as the last attestation of this boot found");
	return check_skip(detail, "not checked at the last attestation of this boot, either");
}

bool going_on_known(const struct appraisal *appraisal, enum check check, enum check_result *ret,
		    char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	struct assay_digest pcrs;

	if (!appraisal->firmware_known || !(CHECKS_OF_FIRMWARE & CHECK_BIT(check)))
		return false;
	if (digest_pcrs(appraisal, &pcrs) == 0 &&
	    verity_digest_equal(&pcrs, &state->firmware.pcrs)) {
		*ret = state_result(state, check, detail);
		return true;
	}
	if (appraisal->evidence.has_uefi_log || check != CHECK_UEFI_LOG_PARSED)
		return false;
	*ret = check_tell(
		false, detail,
		"the evidence leaves out the firmware's log, and PCRs are others than when "
		"that was judged: collect the evidence with it");
	return true;
}

/* ---------------------------------------------------------------- the other logs */

/* Whether a log that content checks look at begins behind what the state has seen. */
static bool is_cut(const struct appraisal *appraisal)
{
	return (appraisal->start.origin == LOG_CONTINUED && goes_on(appraisal)) ||
	       ima_goes_on(appraisal);
}

enum check_result going_on_result(const struct appraisal *appraisal, enum check check,
				  enum check_result result, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	check_mask bit = CHECK_BIT(check);

	if (result != CHECK_SKIPPED && !(state && state->failed & bit))
		return result;
	if (result == CHECK_FAILED || !(state_carried() & ~CHECKS_OF_FIRMWARE & bit) ||
	    !is_cut(appraisal))
		return result;
	if (state->failed & bit)
		return state_result(state, check, detail);
	/* It was not skipped for want of entries. */
	if (check == CHECK_IMA_FILES_KNOWN && ima_has_unknown(&appraisal->content))
		return result;
	/* Of a list that was proven and is not any more, nothing passes. */
	if (bit & checks_of_ima_entries() && state->ima.value.size > 0 && !appraisal->content.ima)
		return result;
	return state->passed & bit ? state_result(state, check, detail) : result;
}

/* ---------------------------------------------------------------- the next state */

/*
 * Whether something that failed may be of what the quote does not cover, which may be anybody's:
 * then it must not stick. What the state has was covered.
 */
static bool is_doubtful(const struct appraisal *appraisal)
{
	const struct verdict *verdict = appraisal->verdict;
	const struct verify_state *before = goes_on(appraisal) ? appraisal->input->state : NULL;
	check_mask failed = verdict->failed & state_carried() & ~CHECKS_OF_FIRMWARE;
	bool unknown = ima_has_unknown(&appraisal->content);

	if (before) {
		failed &= ~before->failed;
		unknown &= !before->unknown_files;
	}
	return (verdict->assay_log.records > verdict->assay_log.covered ||
		verdict->ima_log.records > verdict->ima_log.covered) &&
	       (failed || unknown);
}

/* The entries named boot_aggregate, of those that the quote covers. */
static void count_aggregates(const struct appraisal *appraisal, struct verify_state *ret)
{
	const struct proven_log *log = appraisal->content.ima;
	struct ima_reader reader;
	struct ima_entry entry;

	ima_begin(&reader, proven_bytes(log), proven_bank(log));
	while (ima_next(&reader, &entry, NULL) > 0 && entry.offset < proven_size(log)) {
		if (entry.boot_aggregate == IMA_NO_BOOT_AGGREGATE)
			continue;
		if (bytes_are_zero(entry.digest)) {
			ret->ima.zeros++;
			continue;
		}
		ret->ima.aggregates++;
		if (ret->ima.aggregate.size > 0 ||
		    entry.digest.size != assay_hash_size(entry.digest_hash))
			continue;
		ret->ima.aggregate = (struct assay_digest){ .hash = entry.digest_hash,
							    .size = entry.digest.size };
		memcpy(ret->ima.aggregate.bytes, entry.digest.data, entry.digest.size);
	}
}

static void keep_ima(const struct appraisal *appraisal, struct verify_state *ret)
{
	static const check_mask needed =
		CHECK_BIT(CHECK_IMA_LOG_PARSED) | CHECK_BIT(CHECK_IMA_LOG_START) |
		CHECK_BIT(CHECK_IMA_LOG_DIGESTS) | CHECK_BIT(CHECK_IMA_LOG_REPLAY);
	const struct assay_digest *value =
		quoted_pcr(appraisal->quoted, appraisal->bank, appraisal->policy->ima_pcr);

	if ((appraisal->verdict->passed & needed) != needed || !value)
		return;
	if (appraisal->evidence.ima_first > 0)
		ret->ima = appraisal->input->state->ima;
	ret->ima.entries = appraisal->evidence.ima_first + proven_records(appraisal->content.ima);
	ret->ima.value = *value;
	count_aggregates(appraisal, ret);
	/* Of an algorithm that is not known, or of several: whoever needs it needs the list. */
	if (ret->ima.aggregates > 0 && ret->ima.aggregate.size == 0)
		memset(&ret->ima, 0, sizeof(ret->ima));
}

static bool keep_firmware(const struct appraisal *appraisal, struct verify_state *ret)
{
	const struct verdict *verdict = appraisal->verdict;
	struct bytes log = buffer_bytes(&appraisal->evidence.uefi_data);

	if (!((verdict->passed | verdict->failed) & CHECK_BIT(CHECK_UEFI_LOG_PARSED)))
		return true;
	if (appraisal->firmware_known && !appraisal->evidence.has_uefi_log) {
		ret->firmware = appraisal->input->state->firmware;
		return true;
	}
	ret->firmware.size = log.size;
	return digest_bytes(ASSAY_HASH_SHA256, log, &ret->firmware.log, NULL) == 0 &&
	       digest_pcrs(appraisal, &ret->firmware.pcrs) == 0;
}

void going_on_state(const struct appraisal *appraisal, struct verify_state *ret)
{
	const struct verdict *verdict = appraisal->verdict;
	const struct content *content = &appraisal->content;

	/* Of a log that goes on from a state as JSON, nobody knows what it said before. */
	if (appraisal->start.origin == LOG_CONTINUED && !goes_on(appraisal))
		return;
	if (ret->references.size == 0 || !ret->boot_id[0] || is_doubtful(appraisal) ||
	    !keep_firmware(appraisal, ret))
		return;
	ret->goes_on = true;
	ret->kexecs = kexecs_of(appraisal);
	if (content->ima)
		keep_ima(appraisal, ret);
	ret->passed = verdict->passed & state_carried();
	ret->failed = verdict->failed & state_carried();
	ret->unknown_files = content->unknown_files || ima_has_unknown(content);
	ret->mirrored = content->mirrored;
	memcpy(ret->seen, content->seen, content->seen_size);
	ret->seen_size = content->seen_size;
}
