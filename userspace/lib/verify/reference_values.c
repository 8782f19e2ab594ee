// SPDX-License-Identifier: MIT
/*
 * Evidence that nothing was compared with says nothing: all its checks of form may pass, of any
 * machine whatever. Each check that compares passes only where it did.
 */
#include <stdio.h>
#include <string.h>

#include "verify/appraisal.h"

/* PCRs that anybody may reset and extend (PC Client Platform TPM Profile, 4.6.2) */
#define RESETTABLE_PCRS (1U << 16 | 1U << 23)

/* A PCR that was never extended: zeros, or ones (17 to 22 before a dynamic launch). */
static bool was_extended(const struct assay_digest *value)
{
	for (size_t i = 1; i < value->size; i++)
		if (value->bytes[i] != value->bytes[0])
			return true;
	return value->bytes[0] != 0 && value->bytes[0] != 0xff;
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
		    !(RESETTABLE_PCRS & 1U << pcr->index) && was_extended(value))
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
