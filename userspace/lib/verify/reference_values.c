// SPDX-License-Identifier: MIT
/*
 * Evidence that nothing was compared with says nothing: all its checks of form may pass, of any
 * machine whatever. Each check that compares passes only where it did.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "verity/digest.h"
#include "verify/appraisal.h"

#define LOCALITY_MAX 4
/* PCRs that anybody may reset and extend (PC Client Platform TPM Profile, 4.6.2) */
#define RESETTABLE_PCRS (1U << 16 | 1U << 23)

static bool extend(struct assay_digest *value, struct bytes data)
{
	struct assay_digest digest;
	struct bytes pieces[2];

	if (digest_bytes(value->hash, data, &digest, NULL) < 0)
		return false;
	pieces[0] = BYTES(value->bytes, value->size);
	pieces[1] = BYTES(digest.bytes, digest.size);
	return digest_pieces(value->hash, pieces, 2, value, NULL) == 0;
}

static bool is_same(const struct assay_digest *a, const struct assay_digest *b)
{
	return bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size));
}

/* What it is as it begins, or with nothing in it but what any firmware and system put there: a
 * separator (PFP 10.4.1), and systemd's word behind that. */
static bool is_empty_from(const struct assay_digest *value, struct assay_digest start)
{
	static const struct bytes separators[] = { { NULL, 0 },
						   BYTES_LITERAL("\0\0\0\0"),
						   BYTES_LITERAL("\xff\xff\xff\xff") };

	for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++) {
		struct assay_digest common = start;

		if (separators[i].size > 0 && !extend(&common, separators[i]))
			return false;
		if (is_same(value, &common))
			return true;
		if (extend(&common, BYTES_LITERAL("os-separator")) && is_same(value, &common))
			return true;
	}
	return false;
}

/*
 * Does the value tell this machine from another? Not that of a PCR which nothing was extended into
 * that is a machine's own: zeros, ones (17 to 22 before a dynamic launch), or the locality that the
 * TPM was started from (PCR 0).
 */
static bool is_telling(const struct assay_digest *value)
{
	struct assay_digest start = { .hash = value->hash, .size = value->size };

	if (value->size == 0)
		return false;
	for (uint8_t locality = 0; locality <= LOCALITY_MAX; locality++) {
		start.bytes[start.size - 1] = locality;
		if (is_empty_from(value, start))
			return false;
	}
	memset(start.bytes, 0xff, start.size);
	return !is_empty_from(value, start);
}

/* Whether one of the policy's values, all of which the quote has, says something of the device. */
static bool are_values_telling(const struct appraisal *appraisal)
{
	const struct verify_policy *policy = appraisal->policy;

	if (!(appraisal->verdict->passed & CHECK_BIT(CHECK_PCR_VALUES)))
		return false;
	for (size_t i = 0; i < policy->pcr_value_count; i++) {
		const struct policy_pcr *pcr = &policy->pcr_values[i];
		const struct assay_digest *value =
			quoted_pcr(appraisal->quoted, pcr->bank, pcr->index);

		if (value && policy->algorithms & verify_algorithm_bit(pcr->bank) &&
		    !(RESETTABLE_PCRS & 1U << pcr->index) && is_telling(value))
			return true;
	}
	return false;
}

/* Whether a key that the machine has says something of it: one that may be empty is so in any
 * machine that was not set up. */
static bool are_keys_telling(const struct firmware_rules *rules)
{
	for (enum firmware_key key = FIRMWARE_PK; key <= FIRMWARE_DB; key++) {
		const struct firmware_variable *rule = &rules->keys[key];
		bool may_be_empty = rule->digests.count == 0;

		for (size_t i = 0; i < rule->digests.count && !may_be_empty; i++) {
			struct assay_digest empty;

			may_be_empty = digest_bytes(rule->digests.list[i].hash, BYTES(NULL, 0),
						    &empty, NULL) < 0 ||
				       verity_digest_equal(&rule->digests.list[i], &empty);
		}
		if (!may_be_empty || rule->only.count > 0 || rule->contains.count > 0)
			return true;
	}
	return false;
}

enum check_result check_reference_values(struct appraisal *appraisal, char *detail)
{
	static const struct {
		enum check check;
		const char *name;
	} sources[] = {
		{ CHECK_FILES_MATCH, "manifests" },
		{ CHECK_IMA_FILES_MATCH, "digests of IMA's entries" },
		{ CHECK_IMA_SIGNATURES, "signatures in IMA's entries" },
		{ CHECK_FIRMWARE_KEYS, "the keys of Secure Boot" },
		{ CHECK_FIRMWARE_AUTHORITIES, "certificates of programs" },
		{ CHECK_FIRMWARE_PLATFORM, "digests of the firmware" },
		{ CHECK_FIRMWARE_PROGRAMS, "digests of programs" },
		{ CHECK_FIRMWARE_FILES, "digests of boot files" },
		{ CHECK_FIRMWARE_SECTIONS, "sections of a kernel image" },
	};
	check_mask wanted = appraisal->policy->required | appraisal->policy->required_if_made;
	char text[256] = "";

	if (are_values_telling(appraisal))
		snprintf(text, sizeof(text), "values of PCRs");
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		size_t used = strlen(text);

		if (sources[i].check == CHECK_FIRMWARE_KEYS &&
		    !are_keys_telling(&appraisal->policy->firmware))
			continue;
		if (appraisal->verdict->passed & CHECK_BIT(sources[i].check))
			snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "",
				 sources[i].name);
	}
	/* What was not compared since another check failed, that one tells. */
	if (!text[0] && appraisal->verdict->failed & wanted)
		return check_skip(detail, "not checked: other checks did not pass");
	if (!text[0])
		return check_tell(false, detail,
				  "nothing in the evidence was compared with a reference value: it "
				  "could be any machine's");
	return check_tell(true, detail, "with %s", text);
}
