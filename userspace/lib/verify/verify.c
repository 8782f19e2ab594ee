// SPDX-License-Identifier: MIT
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/checks.h"

#define NEED(name) CHECK_BIT(CHECK_##name)

/* What compares with an earlier attestation. */
#define WITH_STATE (NEED(QUOTE_COUNTERS) | NEED(QUOTE_FIRMWARE) | NEED(ASSAY_LOG_PROGRESS))
/* What needs evidence that not every device has: required where it can be made. */
#define IF_MADE                                                                     \
	(NEED(UEFI_LOG_PARSED) | NEED(UEFI_LOG_REPLAY) | NEED(IMA_BOOT_AGGREGATE) | \
	 NEED(IMA_SIGNATURES) | NEED(IMA_FILES_MATCH))
/* What compares with what a policy has to name, and what is common, shown, and no attack. */
#define ON_DEMAND                                                                       \
	(NEED(QUOTE_AGE) | NEED(QUOTE_CLOCK) | NEED(PCR_VALUES) | NEED(ASSAY_LOG_TPM) | \
	 NEED(IMA_LOG_VIOLATIONS) | NEED(UEFI_LOG_EVENTS) | NEED(IMA_FILES_KNOWN))

/*
 * Every check, what it builds on, and the one function that makes it. In the order
 * of enum check: what a check needs comes before it.
 */
static const struct {
	uint64_t needs;
	check_function *function;
} table[] = {
	[CHECK_EVIDENCE_PARSED] = { 0, check_evidence_parsed },
	[CHECK_QUOTE_PARSED] = { NEED(EVIDENCE_PARSED), check_quote_parsed },
	[CHECK_AK_EXPECTED] = { NEED(EVIDENCE_PARSED), check_ak_expected },
	[CHECK_AK_ATTRIBUTES] = { NEED(AK_EXPECTED), check_ak_attributes },
	[CHECK_AK_ALGORITHM] = { NEED(AK_EXPECTED), check_ak_algorithm },
	[CHECK_QUOTE_ALGORITHM] = { NEED(QUOTE_PARSED) | NEED(AK_ALGORITHM),
				    check_quote_algorithm },
	[CHECK_QUOTE_SIGNATURE] = { NEED(QUOTE_ALGORITHM), check_quote_signature },
	[CHECK_QUOTE_MAGIC] = { NEED(QUOTE_PARSED), check_quote_magic },
	[CHECK_QUOTE_TYPE] = { NEED(QUOTE_PARSED), check_quote_type },
	[CHECK_QUOTE_NONCE] = { NEED(QUOTE_PARSED), check_quote_nonce },
	[CHECK_QUOTE_SIGNER] = { NEED(QUOTE_PARSED) | NEED(AK_ALGORITHM), check_quote_signer },
	[CHECK_QUOTE_AGE] = { NEED(QUOTE_NONCE), check_quote_age },
	[CHECK_QUOTE_COUNTERS] = { NEED(QUOTE_PARSED), check_quote_counters },
	[CHECK_QUOTE_FIRMWARE] = { NEED(QUOTE_PARSED), check_quote_firmware },
	[CHECK_QUOTE_CLOCK] = { NEED(QUOTE_PARSED), check_quote_clock },
	[CHECK_PCR_SELECTION] = { NEED(QUOTE_TYPE), check_pcr_selection },
	[CHECK_PCR_REQUIRED] = { NEED(PCR_SELECTION), check_pcr_required },
	[CHECK_PCR_DIGEST] = { NEED(PCR_SELECTION) | NEED(QUOTE_ALGORITHM), check_pcr_digest },
	[CHECK_PCR_VALUES] = { NEED(PCR_SELECTION), check_pcr_values },
	[CHECK_UEFI_LOG_PARSED] = { NEED(EVIDENCE_PARSED), check_uefi_log_parsed },
	[CHECK_UEFI_LOG_EVENTS] = { NEED(UEFI_LOG_PARSED), check_uefi_log_events },
	[CHECK_UEFI_LOG_REPLAY] = { NEED(UEFI_LOG_PARSED) | NEED(PCR_SELECTION),
				    check_uefi_log_replay },
	[CHECK_ASSAY_LOG_PARSED] = { NEED(EVIDENCE_PARSED), check_assay_log_parsed },
	[CHECK_ASSAY_LOG_RECORDS] = { NEED(ASSAY_LOG_PARSED), check_assay_log_records },
	[CHECK_ASSAY_LOG_DIGESTS] = { NEED(ASSAY_LOG_PARSED), check_assay_log_digests },
	[CHECK_ASSAY_LOG_START] = { NEED(ASSAY_LOG_PARSED), check_assay_log_start },
	[CHECK_ASSAY_LOG_TPM] = { NEED(ASSAY_LOG_START), check_assay_log_tpm },
	[CHECK_ASSAY_LOG_PROTECTION] = { NEED(ASSAY_LOG_START), check_assay_log_protection },
	[CHECK_ASSAY_LOG_REPLAY] = { NEED(ASSAY_LOG_PARSED) | NEED(PCR_REQUIRED),
				     check_assay_log_replay },
	[CHECK_ASSAY_LOG_PROGRESS] = { NEED(ASSAY_LOG_REPLAY), check_assay_log_progress },
	[CHECK_IMA_LOG_PARSED] = { NEED(EVIDENCE_PARSED), check_ima_log_parsed },
	[CHECK_IMA_LOG_ENTRIES] = { NEED(IMA_LOG_PARSED), check_ima_log_entries },
	[CHECK_IMA_LOG_START] = { NEED(IMA_LOG_PARSED), check_ima_log_start },
	[CHECK_IMA_LOG_DIGESTS] = { NEED(IMA_LOG_PARSED), check_ima_log_digests },
	[CHECK_IMA_LOG_VIOLATIONS] = { NEED(IMA_LOG_PARSED), check_ima_log_violations },
	[CHECK_IMA_LOG_REPLAY] = { NEED(IMA_LOG_PARSED) | NEED(PCR_REQUIRED),
				   check_ima_log_replay },
	[CHECK_IMA_BOOT_AGGREGATE] = { NEED(IMA_LOG_START) | NEED(PCR_SELECTION),
				       check_ima_boot_aggregate },
	[CHECK_MANIFEST_SIGNATURE] = { 0, check_manifest_signature },
	[CHECK_IMA_SIGNATURES] = { NEED(MANIFEST_SIGNATURE), check_ima_signatures },
	[CHECK_IMA_FILES_MATCH] = { NEED(MANIFEST_SIGNATURE), check_ima_files_match },
	[CHECK_IMA_FILES_KNOWN] = { NEED(MANIFEST_SIGNATURE), check_ima_files_known },
	[CHECK_FILES_MEASURED] = { NEED(ASSAY_LOG_PARSED), check_files_measured },
	[CHECK_FILES_KNOWN] = { NEED(ASSAY_LOG_PARSED) | NEED(MANIFEST_SIGNATURE),
				check_files_known },
	[CHECK_FILES_MATCH] = { NEED(ASSAY_LOG_PARSED) | NEED(MANIFEST_SIGNATURE),
				check_files_match },
	[CHECK_FILES_COMPLETE] = { NEED(ASSAY_LOG_REPLAY) | NEED(MANIFEST_SIGNATURE),
				   check_files_complete },
};

_Static_assert(sizeof(table) / sizeof(table[0]) == CHECK_COUNT, "a check has no function");

void verify_policy_default(struct verify_policy *ret)
{
	*ret = (struct verify_policy){
		.required = CHECK_ALL & ~(ON_DEMAND | IF_MADE | WITH_STATE),
		.required_if_made = IF_MADE,
		.required_with_state = WITH_STATE,
		.algorithms = VERIFY_RSASSA | VERIFY_RSAPSS | VERIFY_ECDSA | VERIFY_SHA256 |
			      VERIFY_SHA384 | VERIFY_SHA512 | VERIFY_P256 | VERIFY_P384,
		.rsa_bits = 2048,
		.nonce_size = 16,
		.pcrs = 1U << 10 | 1U << 14,
		.assay_pcr = 14,
		.ima_pcr = 10,
	};
}

bool check_tell(bool result, char *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, CHECK_DETAIL_MAX, format, args);
	va_end(args);
	return result;
}

const char *check_digest_text(const struct assay_digest *digest, char text[DIGEST_TEXT])
{
	hex_encode(BYTES(digest->bytes, digest->size), text);
	return text;
}

bool check_skip(struct appraisal *appraisal, char *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, CHECK_DETAIL_MAX, format, args);
	va_end(args);
	appraisal->skipped = true;
	return false;
}

/* What the check would have needed: the first of it that did not pass. */
static void tell_missing(uint64_t missing, char *detail)
{
	int need = 0;

	while (!(missing & CHECK_BIT(need)))
		need++;
	check_tell(false, detail, "not checked, since %s did not pass",
		   check_name((enum check)need));
}

void verify(const struct verify_input *input, const struct verify_policy *policy,
	    struct verdict *ret)
{
	uint64_t observed = NEED(ASSAY_LOG_PARSED) | NEED(MANIFEST_SIGNATURE);
	struct appraisal appraisal = { .input = input, .policy = policy, .verdict = ret };

	memset(ret, 0, sizeof(*ret));
	ret->required = policy->required;
	/* A policy without any check trusts nothing, whatever there is besides. */
	if (ret->required != 0 && input->state)
		ret->required |= policy->required_with_state;
	for (int i = 0; i < CHECK_COUNT; i++) {
		uint64_t missing = table[i].needs & ~ret->passed;

		appraisal.skipped = false;
		if (missing != 0)
			tell_missing(missing, ret->detail[i]);
		else if (table[i].function(&appraisal, ret->detail[i]))
			ret->passed |= CHECK_BIT(i);
		else if (!appraisal.skipped)
			ret->failed |= CHECK_BIT(i);
	}
	if (policy->required != 0)
		ret->required |= policy->required_if_made & (ret->passed | ret->failed);
	if (verdict_trusted(ret))
		appraisal_state(&appraisal, &ret->state);
	if (input->manifest_count == 0)
		observed &= ~NEED(MANIFEST_SIGNATURE);
	if (input->observer && !(observed & ~ret->passed)) {
		files_observe(&appraisal, input->observer);
		ima_observe(&appraisal, input->observer);
	}
	for (size_t i = 0; appraisal.manifests && i < input->manifest_count; i++)
		manifest_free(appraisal.manifests[i]);
	free(appraisal.manifests);
	ima_tally_free(appraisal.ima);
	evidence_free(&appraisal.evidence);
}
