// SPDX-License-Identifier: MIT
/* The checks of the firmware's event log, and of what IMA found of the boot before it. */
#include <errno.h>

#include "log/hasher.h"
#include "log/ima.h"
#include "log/uefi.h"
#include "verify/checks.h"

/* PCRs 0 to 7 are the firmware's; what is in those above may come from others, later. */
#define FIRMWARE_PCRS 8

typedef unsigned long long ull;

bool check_uefi_log_parsed(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	struct assay_error err = { 0 };

	if (!evidence->has_uefi_log)
		return check_skip(appraisal, detail, "the evidence holds no log of the firmware");
	/* Some firmware has the file and writes nothing to it: that is none as well. */
	if (evidence->uefi_data.size == 0)
		return check_skip(appraisal, detail,
				  "absent: the firmware's log is of 0 bytes, so nothing says what "
				  "its PCRs are of");
	if (uefi_replay(buffer_bytes(&evidence->uefi_data), &appraisal->firmware, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	return check_tell(true, detail, "%llu events, %zu bytes", (ull)appraisal->firmware.events,
			  evidence->uefi_data.size);
}

bool check_uefi_log_events(struct appraisal *appraisal, char *detail)
{
	const struct uefi_pcrs *firmware = &appraisal->firmware;

	enum uefi_rule rule = uefi_pcrs_first_rule(firmware, ~appraisal->policy->uefi_accepted);

	if (rule != UEFI_RULES)
		return check_tell(false, detail, "event %llu at offset %llu: %s (rule %s)",
				  (ull)firmware->broken[rule].number,
				  (ull)firmware->broken[rule].offset, uefi_rule_sentence(rule),
				  uefi_rule_name(rule));
	return check_tell(true, detail, "as the specification has them");
}

/* One bank: every PCR of the firmware's that is quoted in it. False if one is off. */
static bool check_bank(const struct appraisal *appraisal, enum assay_hash bank, uint32_t *quoted,
		       char *detail)
{
	for (unsigned int pcr = 0; pcr < FIRMWARE_PCRS; pcr++) {
		const struct assay_digest *found = appraisal_pcr(appraisal, bank, pcr);
		const struct assay_digest *replayed =
			uefi_pcrs_value(&appraisal->firmware, bank, pcr);
		char found_text[DIGEST_TEXT], replayed_text[DIGEST_TEXT];

		if (!found)
			continue;
		*quoted |= 1U << pcr;
		if (verity_digest_equal(found, replayed))
			continue;
		check_digest_text(found, found_text);
		check_digest_text(replayed, replayed_text);
		if (!(appraisal->firmware.extended & 1U << pcr))
			return check_tell(false, detail,
					  "%s PCR %u is %s, and the log has no event of it",
					  assay_hash_name(bank), pcr, found_text);
		return check_tell(false, detail,
				  "%s PCR %u is %s; the log replays to %s: it is another boot's, "
				  "was cut or was changed",
				  assay_hash_name(bank), pcr, found_text, replayed_text);
	}
	return true;
}

bool check_uefi_log_replay(struct appraisal *appraisal, char *detail)
{
	const struct uefi_pcrs *firmware = &appraisal->firmware;
	uint32_t with_events = firmware->extended & ((1U << FIRMWARE_PCRS) - 1);
	uint32_t proven = 0;

	for (size_t i = 0; i < firmware->bank_count; i++) {
		uint32_t quoted = 0;

		if (!check_bank(appraisal, firmware->banks[i].hash, &quoted, detail))
			return false;
		/* SHA-1 and such may agree; they prove nothing. */
		if (appraisal->policy->algorithms & appraisal_algorithm(firmware->banks[i].hash))
			proven |= quoted;
	}
	if (proven == 0)
		return check_skip(
			appraisal, detail,
			"no PCR of 0 to 7 is quoted in a bank of the log that is accepted");
	for (unsigned int pcr = 0; pcr < FIRMWARE_PCRS; pcr++)
		if (with_events & ~proven & 1U << pcr)
			return check_tell(
				false, detail,
				"the log has events of PCR %u, which is not quoted: nothing "
				"proves them",
				pcr);
	return check_tell(true, detail, "to the quoted values of PCRs 0 to 7");
}

/* ---------------------------------------------------------------- boot_aggregate */

/* PCRs 0 to 9 as IMA saw them: as they are quoted, else as the firmware's log has them. */
static bool aggregated_pcrs(const struct appraisal *appraisal, enum assay_hash bank,
			    struct assay_digest values[static IMA_AGGREGATE_PCRS],
			    const char **ret_from)
{
	unsigned int count = bank == ASSAY_HASH_SHA1 ? IMA_AGGREGATE_PCRS_SHA1 : IMA_AGGREGATE_PCRS;
	bool quoted = true,
	     logged = (appraisal->verdict->passed & CHECK_BIT(CHECK_UEFI_LOG_PARSED)) != 0;

	for (unsigned int pcr = 0; pcr < count; pcr++)
		quoted = quoted && appraisal_pcr(appraisal, bank, pcr);
	logged = logged && uefi_pcrs_value(&appraisal->firmware, bank, 0);
	for (unsigned int pcr = 0; (quoted || logged) && pcr < count; pcr++)
		values[pcr] = quoted ? *appraisal_pcr(appraisal, bank, pcr) :
				       *uefi_pcrs_value(&appraisal->firmware, bank, pcr);
	*ret_from = quoted ? "the quoted PCRs" : "the firmware's log";
	return quoted || logged;
}

/* The entry that says it, which ima-log-start has found. */
static bool find_aggregate(const struct appraisal *appraisal, struct assay_digest *ret)
{
	const struct evidence *evidence = &appraisal->evidence;
	struct ima_reader reader;
	struct ima_entry entry;

	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	while (ima_next(&reader, &entry, NULL) > 0) {
		if (entry.boot_aggregate == IMA_NO_BOOT_AGGREGATE ||
		    entry.digest.size != assay_hash_size(entry.digest_hash))
			continue;
		*ret = (struct assay_digest){ .hash = entry.digest_hash,
					      .size = entry.digest.size };
		for (size_t i = 0; i < ret->size; i++)
			ret->bytes[i] = entry.digest.data[i];
		if (!bytes_are_zero(BYTES(ret->bytes, ret->size)))
			return true;
	}
	return false;
}

bool check_ima_boot_aggregate(struct appraisal *appraisal, char *detail)
{
	struct assay_digest values[IMA_AGGREGATE_PCRS] = { 0 };
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT];
	struct assay_digest found, expected;
	struct assay_error err = { 0 };
	struct hasher hasher;
	const char *from;
	int r;

	if (!find_aggregate(appraisal, &found))
		return check_tell(
			false, detail,
			"the digest of boot_aggregate is of an algorithm that is not known");
	if (!aggregated_pcrs(appraisal, found.hash, values, &from))
		return check_skip(
			appraisal, detail,
			"neither are PCRs 0 to 9 quoted in bank %s, nor is there a log of "
			"the firmware that has it",
			assay_hash_name(found.hash));
	r = hasher_open(&hasher, found.hash, &err);
	if (r == 0) {
		r = ima_aggregate(&hasher, values, &expected, &err);
		hasher_close(&hasher);
	}
	if (r < 0)
		return check_tell(false, detail, "%s", err.text);
	check_digest_text(&found, found_text);
	check_digest_text(&expected, expected_text);
	if (!verity_digest_equal(&found, &expected))
		return check_tell(false, detail, "boot_aggregate is %s; of %s it would be %s",
				  found_text, from, expected_text);
	return check_tell(true, detail, "%s of %s", assay_hash_name(found.hash), from);
}
