// SPDX-License-Identifier: MIT
/* What the firmware's log and boot_aggregate say of the boot, where a quote proves them. */
#include <stdio.h>

#include "log/hasher.h"
#include "log/ima.h"
#include "log/uefi.h"
#include "verify/content.h"

typedef unsigned long long ull;

enum check_result check_uefi_log_events(struct content *content, char *detail)
{
	uint32_t proven;
	const struct uefi_pcrs *firmware = proven_pcrs(content->firmware, &proven);
	uint32_t accepted = content->policy->uefi_accepted;
	enum uefi_rule rule = uefi_pcrs_first_rule(firmware, ~accepted);

	if (rule != UEFI_RULES)
		return check_tell(false, detail, "event %llu at offset %llu: %s (rule %s)",
				  (ull)firmware->broken[rule].number,
				  (ull)firmware->broken[rule].offset, uefi_rule_sentence(rule),
				  uefi_rule_name(rule));
	rule = uefi_pcrs_first_rule(firmware, accepted);
	if (rule != UEFI_RULES)
		return check_tell(true, detail,
				  "as the specification has them, but for what the policy accepts: "
				  "event %llu at offset %llu: %s (rule %s)",
				  (ull)firmware->broken[rule].number,
				  (ull)firmware->broken[rule].offset, uefi_rule_sentence(rule),
				  uefi_rule_name(rule));
	return check_tell(true, detail, "as the specification has them");
}

/* ---------------------------------------------------------------- boot_aggregate */

/*
 * PCRs 0 to 9 as IMA saw them: as they are quoted. Those that others than the firmware extend
 * may come from the firmware's log, where that replays to the others in the same bank; so do
 * those that systemd extended with os-separator, which comes after IMA.
 */
static bool aggregated_pcrs(const struct content *content, enum assay_hash bank,
			    struct assay_digest values[static IMA_AGGREGATE_PCRS],
			    const char **ret_from)
{
	unsigned int count = bank == ASSAY_HASH_SHA1 ? IMA_AGGREGATE_PCRS_SHA1 : IMA_AGGREGATE_PCRS;
	uint32_t separated = content->firmware ? proven_separated(content->firmware) : 0;
	uint32_t proven;

	*ret_from = "the quoted PCRs";
	for (unsigned int pcr = 0; pcr < count; pcr++) {
		const struct assay_digest *value = quoted_pcr(content->quoted, bank, pcr);

		if ((separated & 1U << pcr) ||
		    (!value && pcr >= FIRMWARE_PCRS && content->firmware)) {
			value = uefi_pcrs_value(proven_pcrs(content->firmware, &proven), bank, pcr);
			*ret_from = "the quoted PCRs and the firmware's log";
		}
		if (!value)
			return false;
		values[pcr] = *value;
	}
	return true;
}

/* The entry that says it, which ima-log-start has found. */
static bool find_aggregate(const struct content *content, struct assay_digest *ret)
{
	struct ima_reader reader;
	struct ima_entry entry;

	if (content->ima_aggregate.size > 0) {
		*ret = content->ima_aggregate;
		return true;
	}
	ima_begin(&reader, proven_bytes(content->ima), proven_bank(content->ima));
	while (ima_next(&reader, &entry, NULL) > 0 && entry.offset < proven_size(content->ima)) {
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

enum check_result check_ima_boot_aggregate(struct content *content, char *detail)
{
	struct assay_digest values[IMA_AGGREGATE_PCRS] = { 0 };
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT];
	struct assay_digest found, expected;
	struct assay_error err = { 0 };
	struct hasher hasher;
	const char *from;
	int r;

	if (!find_aggregate(content, &found))
		return check_tell(
			false, detail,
			"the digest of boot_aggregate is of an algorithm that is not known");
	if (!aggregated_pcrs(content, found.hash, values, &from))
		return check_skip(detail,
				  "PCRs 0 to 7 are not quoted in bank %s, or 8 and 9 neither "
				  "quoted nor in a log of the firmware that is proven",
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
