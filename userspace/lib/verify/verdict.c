// SPDX-License-Identifier: MIT
#include "verify/verdict.h"

#include <string.h>

#include "base/json.h"

static const struct {
	const char *name;
	const char *question;
	bool waivable;
} checks[] = {
	[CHECK_EVIDENCE_PARSED] = { "evidence-parsed", "is the evidence well-formed?", false },
	[CHECK_QUOTE_PARSED] = { "quote-parsed", "are the TPM's structures well-formed?", false },
	[CHECK_AK_EXPECTED] = { "ak-expected", "is it the enrolled attestation key?", false },
	[CHECK_AK_ATTRIBUTES] = { "ak-attributes",
				  "can that key sign nothing but the TPM's own words?", false },
	[CHECK_AK_ALGORITHM] = { "ak-algorithm", "is the key of an accepted kind?", false },
	[CHECK_QUOTE_ALGORITHM] = { "quote-algorithm", "is the signature of the key's own scheme?",
				    false },
	[CHECK_QUOTE_SIGNATURE] = { "quote-signature", "did the key sign the quote?", false },
	[CHECK_QUOTE_MAGIC] = { "quote-magic", "did a TPM make what was signed?", false },
	[CHECK_QUOTE_TYPE] = { "quote-type", "is it a quote?", false },
	[CHECK_QUOTE_NONCE] = { "quote-nonce", "is it the answer to this nonce?", false },
	[CHECK_QUOTE_SIGNER] = { "quote-signer", "does the quote name the key as its signer?",
				 false },
	[CHECK_QUOTE_AGE] = { "quote-age", "is it as young as the policy wants?", true },
	[CHECK_QUOTE_COUNTERS] = { "quote-counters",
				   "did the TPM's counters and clock go on since the last one?",
				   true },
	[CHECK_QUOTE_FIRMWARE] = { "quote-firmware", "is the TPM's firmware the same as then?",
				   true },
	[CHECK_QUOTE_CLOCK] = { "quote-clock", "is the TPM sure that its clock never went back?",
				true },
	[CHECK_PCR_SELECTION] = { "pcr-selection", "are exactly the quoted PCRs supplied?", false },
	[CHECK_PCR_REQUIRED] = { "pcr-required", "are the PCRs of the policy quoted?", false },
	[CHECK_PCR_DIGEST] = { "pcr-digest", "are the supplied PCR values the quoted ones?",
			       false },
	[CHECK_PCR_VALUES] = { "pcr-values", "are the PCRs what the policy expects?", true },
	[CHECK_UEFI_LOG_PARSED] = { "uefi-log-parsed",
				    "is the firmware's log well-formed to its end?", true },
	[CHECK_UEFI_LOG_EVENTS] = { "uefi-log-events",
				    "are its events what the specification allows?", true },
	[CHECK_UEFI_LOG_REPLAY] = { "uefi-log-replay", "does it replay to the quoted PCRs?", true },
	[CHECK_ASSAY_LOG_PARSED] = { "assay-log-parsed", "is assay's log well-formed to its end?",
				     false },
	[CHECK_ASSAY_LOG_RECORDS] = { "assay-log-records",
				      "are its records consecutive, known and of its PCR?", false },
	[CHECK_ASSAY_LOG_DIGESTS] = { "assay-log-digests", "are its digests those of its content?",
				      false },
	[CHECK_ASSAY_LOG_START] = { "assay-log-start",
				    "does it begin with this boot, or where it is vouched for?",
				    false },
	[CHECK_ASSAY_LOG_TPM] = { "assay-log-tpm",
				  "was there a TPM from the log's first record on?", true },
	[CHECK_ASSAY_LOG_PROTECTION] = { "assay-log-protection",
					 "is the log kept in read-only memory?", true },
	[CHECK_ASSAY_LOG_REPLAY] = { "assay-log-replay", "does it replay to the quoted PCR?",
				     false },
	[CHECK_ASSAY_LOG_PROGRESS] = { "assay-log-progress",
				       "does it go on from what was verified last?", true },
	[CHECK_IMA_LOG_PARSED] = { "ima-log-parsed", "is IMA's list well-formed to its end?",
				   true },
	[CHECK_IMA_LOG_ENTRIES] = { "ima-log-entries",
				    "are its entries of its PCR, known and whole?", true },
	[CHECK_IMA_LOG_START] = { "ima-log-start", "does it begin with this boot's boot_aggregate?",
				  true },
	[CHECK_IMA_LOG_DIGESTS] = { "ima-log-digests",
				    "are its digests those of its template data?", true },
	[CHECK_IMA_LOG_VIOLATIONS] = { "ima-log-violations",
				       "was no file written while it was measured?", true },
	[CHECK_IMA_LOG_REPLAY] = { "ima-log-replay", "does it replay to the quoted PCR?", true },
	[CHECK_IMA_BOOT_AGGREGATE] = { "ima-boot-aggregate",
				       "is boot_aggregate that of the firmware's PCRs?", true },
	[CHECK_MANIFEST_SIGNATURE] = { "manifest-signature",
				       "are the manifests signed by an accepted signer?", false },
	[CHECK_IMA_SIGNATURES] = { "ima-signatures",
				   "are the signatures in IMA's entries of accepted keys good?",
				   true },
	[CHECK_IMA_FILES_MATCH] = { "ima-files-match",
				    "is every digest of IMA's the reference value's?", true },
	[CHECK_IMA_FILES_KNOWN] = { "ima-files-known",
				    "is every file of IMA's a reference value, signed or allowed?",
				    true },
	[CHECK_FILES_MEASURED] = { "files-measured", "could every file be measured?", false },
	[CHECK_FILES_KNOWN] = { "files-known", "is every measured file in a manifest?", true },
	[CHECK_FILES_MATCH] = { "files-match", "is every digest the manifest's?", false },
	[CHECK_FILES_COMPLETE] = { "files-complete", "was every file of the manifests measured?",
				   true },
};

_Static_assert(sizeof(checks) / sizeof(checks[0]) == CHECK_COUNT, "a check has no name");
_Static_assert(CHECK_COUNT < 64, "the bits are in a uint64_t");

bool verdict_trusted(const struct verdict *verdict)
{
	return verdict->required != 0 && (verdict->passed & verdict->required) == verdict->required;
}

const char *check_name(enum check check)
{
	return checks[check].name;
}

const char *check_question(enum check check)
{
	return checks[check].question;
}

bool check_waivable(enum check check)
{
	return checks[check].waivable;
}

bool check_by_name(const char *name, enum check *ret)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		if (strcmp(checks[i].name, name) == 0) {
			*ret = (enum check)i;
			return true;
		}
	}
	return false;
}

const char *verdict_result(const struct verdict *verdict, enum check check)
{
	if (verdict->passed & CHECK_BIT(check))
		return "pass";
	return verdict->failed & CHECK_BIT(check) ? "fail" : "not-checked";
}

enum check verdict_reason(const struct verdict *verdict)
{
	uint64_t missing = verdict->required & ~verdict->passed;
	int check = 0;

	while (check < CHECK_COUNT && !(missing & CHECK_BIT(check)))
		check++;
	return (enum check)check;
}

/* A detail that was too long may end inside a character, which JSON cannot have. */
static json_t *detail_to_json(const char *detail)
{
	json_t *value = json_string(detail);

	return value ? value : json_escaped(BYTES((const uint8_t *)detail, strlen(detail)));
}

static json_t *covered_to_json(const struct covered_log *log)
{
	return json_pack("{s:I, s:I}", "records", (json_int_t)log->records, "covered",
			 (json_int_t)log->covered);
}

json_t *verdict_to_json(const struct verdict *verdict)
{
	json_t *list = json_array();
	bool failed = false;

	for (int i = 0; i < CHECK_COUNT; i++)
		failed |=
			json_array_append_new(
				list, json_pack("{s:s, s:b, s:s, s:o}", "name", checks[i].name,
						"required", (verdict->required & CHECK_BIT(i)) != 0,
						"result", verdict_result(verdict, (enum check)i),
						"detail", detail_to_json(verdict->detail[i]))) < 0;
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:i, s:s, s:b, s:o, s:{s:o, s:o}, s:I}", "assay", 1, "type", "verdict",
			 "trusted", verdict_trusted(verdict), "checks", list, "logs", "assay",
			 covered_to_json(&verdict->assay_log), "ima",
			 covered_to_json(&verdict->ima_log), "files", (json_int_t)verdict->files);
}
