// SPDX-License-Identifier: MIT
/* The checks of the firmware's event log, and of what IMA found of the boot before it. */
#include <errno.h>
#include <stdio.h>

#include "firmware/uki.h"
#include "log/hasher.h"
#include "log/ima.h"
#include "log/uefi.h"
#include "verify/appraisal.h"

typedef unsigned long long ull;

enum check_result check_uefi_log_parsed(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	struct assay_error err = { 0 };

	if (!evidence->has_uefi_log)
		return check_skip(detail, "the evidence holds no log of the firmware");
	/* Some firmware has the file and writes nothing to it: that is none as well. */
	if (evidence->uefi_data.size == 0)
		return check_skip(detail,
				  "absent: the firmware's log is of 0 bytes, so nothing says what "
				  "its PCRs are of");
	if (uefi_replay(buffer_bytes(&evidence->uefi_data), &appraisal->firmware, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	return check_tell(true, detail, "%llu events, %zu bytes", (ull)appraisal->firmware.events,
			  evidence->uefi_data.size);
}

static bool tell_firmware_differs(const struct appraisal *appraisal,
				  const struct firmware_replay *replay, char *detail)
{
	bool has_events = (appraisal->firmware.extended & 1U << replay->pcr) != 0;
	char found[DIGEST_TEXT], replayed[DIGEST_TEXT];

	check_digest_text(&replay->found, found);
	check_digest_text(&replay->replayed, replayed);
	if (!has_events)
		return check_tell(false, detail, "%s PCR %u is %s, and the log has no event of it",
				  assay_hash_name(replay->differs), replay->pcr, found);
	return check_tell(
		false, detail,
		"%s PCR %u %s %s; the log replays to %s: it is another boot's, was cut or "
		"was changed%s",
		assay_hash_name(replay->differs), replay->pcr,
		appraisal->judged[VERIFY_LOG_ASSAY] && replay->pcr == appraisal->policy->assay_pcr ?
			"was, before assay's log," :
			"is",
		found, replayed,
		replay->pcr < FIRMWARE_PCRS ?
			"" :
			", or others extended that PCR after it (uefi.extended_later)");
}

enum check_result check_uefi_log_replay(struct appraisal *appraisal, char *detail)
{
	const struct log_start *start = &appraisal->start;
	const struct uefi_pcrs *firmware = &appraisal->firmware;
	/* Only of a log that is proven and begins with the boot: START tells what PCR 14 was. */
	const struct firmware_before before = {
		.pcr = appraisal->judged[VERIFY_LOG_ASSAY] ? appraisal->policy->assay_pcr :
							     UEFI_PCR_COUNT,
		.values = start->values,
		.count = appraisal->content.assay && start->origin == LOG_WHOLE ?
				 start->value_count :
				 0,
	};
	char proven_text[PCRS_TEXT], missing_text[PCRS_TEXT], phases[UKI_PHASES_MAX + 1];
	struct assay_error err = { 0 };
	struct firmware_replay replay;
	struct proven_log *proven = NULL;
	uint32_t missing;

	if (proven_firmware(appraisal->quoted, buffer_bytes(&appraisal->evidence.uefi_data),
			    firmware, appraisal->policy, &before, &replay, &proven, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	if (replay.differs != ASSAY_HASH_NONE)
		return tell_firmware_differs(appraisal, &replay, detail);
	if (!proven)
		return check_skip(detail,
				  "no PCR that the log has events of is quoted in a bank of "
				  "the log that is accepted");
	missing = firmware->extended & ~replay.proven;
	check_pcrs_named(replay.proven, proven_text);
	check_pcrs_named(missing, missing_text);
	if (missing & ((1U << FIRMWARE_PCRS) - 1)) {
		proven_log_free(proven);
		return check_tell(false, detail,
				  "the log has events of %s, which are not quoted in a bank "
				  "that has digests of all of them: nothing proves them",
				  missing_text);
	}
	appraisal->content.firmware = proven;
	if (missing != 0)
		return check_tell(true, detail,
				  "to the quoted values of %s; its events of %s, which "
				  "are not quoted or which others extend later, are not proven",
				  proven_text, missing_text);
	check_pcrs_text(replay.separated, ",", missing_text);
	uki_words_text(replay.phases, phases);
	return check_tell(true, detail, "to the quoted values of %s%s%s%s%s", proven_text,
			  missing_text[0] ? ", with systemd's os-separator behind it in " : "",
			  missing_text, phases[0] ? ", with its phases behind PCR 11: " : "",
			  phases);
}
