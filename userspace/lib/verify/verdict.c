// SPDX-License-Identifier: MIT
#include "verify/verdict.h"

#include <string.h>

#include "base/json.h"

static const struct {
	const char *name;
	const char *question;
	bool waivable;
	const char *advice;
} checks[] = {
	[CHECK_EVIDENCE_PARSED] = { "evidence-parsed", "is the evidence well-formed?", false,
				    "Collect the evidence again with 'assay quote', and hand it on "
				    "unchanged." },
	[CHECK_QUOTE_PARSED] = { "quote-parsed", "are the TPM's structures well-formed?", false,
				 "Collect the evidence again; if it stays, the TPM or its driver "
				 "is faulty." },
	[CHECK_AK_EXPECTED] = { "ak-expected", "is it the enrolled attestation key?", false,
				"Is it the right device's evidence? If its key was made anew, "
				"enrol the device again." },
	[CHECK_AK_ATTRIBUTES] = { "ak-attributes",
				  "can that key sign nothing but the TPM's own words?", false,
				  "Make a restricted key ('assay key create --restricted') and "
				  "enrol the device again." },
	[CHECK_AK_ALGORITHM] = { "ak-algorithm", "is the key of an accepted kind?", false,
				 "Make a key of an accepted kind, or let the policy accept this "
				 "one (algorithms)." },
	[CHECK_QUOTE_ALGORITHM] = { "quote-algorithm", "is the signature of the key's own scheme?",
				    false,
				    "The quote was not made by this key as it was enrolled: "
				    "collect the evidence again." },
	[CHECK_QUOTE_SIGNATURE] = { "quote-signature", "did the key sign the quote?", false,
				    "The quote was changed on its way, or is forged: trust nothing "
				    "in it." },
	[CHECK_QUOTE_MAGIC] = { "quote-magic", "did a TPM make what was signed?", false,
				"Somebody had the key sign data from outside of the TPM: trust "
				"nothing in it." },
	[CHECK_QUOTE_TYPE] = { "quote-type", "is it a quote?", false,
			       "The TPM signed something else than PCRs: trust nothing in it." },
	[CHECK_QUOTE_NONCE] = { "quote-nonce", "is it the answer to this nonce?", false,
				"Send a fresh nonce, and have the device quote with it." },
	[CHECK_QUOTE_SIGNER] = { "quote-signer", "does the quote name the key as its signer?",
				 false,
				 "Enrol the device again, if its key was moved below another "
				 "parent on purpose." },
	[CHECK_QUOTE_AGE] = { "quote-age", "is it as young as the policy wants?", true,
			      "Send a fresh nonce, and have the device quote with it." },
	[CHECK_QUOTE_COUNTERS] = { "quote-counters",
				   "did the TPM's counters and clock go on since the last one?",
				   true,
				   "Have the device quote again; if the TPM was cleared on "
				   "purpose, enrol it again." },
	[CHECK_QUOTE_FIRMWARE] = { "quote-firmware", "is the TPM's firmware the same as then?",
				   true,
				   "If the TPM's firmware was updated on purpose, enrol the device "
				   "again." },
	[CHECK_QUOTE_CLOCK] = { "quote-clock", "is the TPM sure that its clock never went back?",
				true,
				"Have the device shut its TPM down in order, or wait until its "
				"clock is safe again." },
	[CHECK_PCR_SELECTION] = { "pcr-selection", "are exactly the quoted PCRs supplied?", false,
				  "Collect the evidence again, and hand it on unchanged." },
	[CHECK_PCR_REQUIRED] = { "pcr-required", "are the PCRs of the policy quoted?", false,
				 "Have the device quote these PCRs ('assay quote --pcrs')." },
	[CHECK_PCR_DIGEST] = { "pcr-digest", "are the supplied PCR values the quoted ones?", false,
			       "Collect the evidence again, and hand it on unchanged." },
	[CHECK_PCR_VALUES] = { "pcr-values", "are the PCRs what the policy expects?", true,
			       "Find out what changed in the boot; add the value to the policy if "
			       "it was meant." },
	[CHECK_UEFI_LOG_PARSED] = { "uefi-log-parsed",
				    "is the firmware's log well-formed to its end?", true,
				    "Collect the evidence again; if it stays, ask the vendor of "
				    "the firmware." },
	[CHECK_UEFI_LOG_EVENTS] = { "uefi-log-events",
				    "are its events what the specification allows?", true,
				    "Ask the vendor of the firmware, or look who changed the "
				    "log." },
	[CHECK_UEFI_LOG_REPLAY] = { "uefi-log-replay", "does it replay to the quoted PCRs?", true,
				    "Collect the evidence again; a log that was changed says "
				    "nothing of the boot." },
	[CHECK_ASSAY_LOG_PARSED] = { "assay-log-parsed", "is assay's log well-formed to its end?",
				     false,
				     "Collect the evidence again; if it stays, the log was damaged "
				     "on the device." },
	[CHECK_ASSAY_LOG_RECORDS] = { "assay-log-records",
				      "are its records consecutive, known and of its PCR?", false,
				      "Collect the evidence again; records that are missing hide "
				      "what was measured." },
	[CHECK_ASSAY_LOG_DIGESTS] = { "assay-log-digests", "are its digests those of its content?",
				      false,
				      "The log was changed: what it says is not what the TPM was "
				      "told." },
	[CHECK_ASSAY_LOG_START] = { "assay-log-start",
				    "does it begin with this boot, or where it is vouched for?",
				    false,
				    "Collect the evidence again with the whole log of this boot, "
				    "or from where it was verified." },
	[CHECK_ASSAY_LOG_TPM] = { "assay-log-tpm",
				  "was there a TPM from the log's first record on?", true,
				  "Have the TPM's driver in the kernel or the initramfs, before "
				  "assay.ko." },
	[CHECK_ASSAY_LOG_PROTECTION] = { "assay-log-protection",
					 "is the log kept in read-only memory?", true,
					 "See 'assay status' on the device: the kernel must map "
					 "the linear map by pages." },
	[CHECK_ASSAY_LOG_REPLAY] = { "assay-log-replay", "does it replay to the quoted PCR?", false,
				     "The log was changed, cut, or is another boot's: collect the "
				     "evidence again." },
	[CHECK_ASSAY_LOG_PROGRESS] = { "assay-log-progress",
				       "does it go on from what was verified last?", true,
				       "Collect the evidence again; if it stays, the device offers "
				       "its past." },
	[CHECK_IMA_LOG_PARSED] = { "ima-log-parsed", "is IMA's list well-formed to its end?", true,
				   "Collect the evidence with IMA's list, or do without it "
				   "(ima.required)." },
	[CHECK_IMA_LOG_ENTRIES] = { "ima-log-entries",
				    "are its entries of its PCR, known and whole?", true,
				    "Let the policy accept unknown templates, or look who changed "
				    "the list." },
	[CHECK_IMA_LOG_START] = { "ima-log-start", "does it begin with this boot's boot_aggregate?",
				  true,
				  "Collect the whole list of this boot; without a TPM in time, "
				  "mirror it in assay's log." },
	[CHECK_IMA_LOG_DIGESTS] = { "ima-log-digests",
				    "are its digests those of its template data?", true,
				    "The list was changed: what it says is not what the TPM was "
				    "told." },
	[CHECK_IMA_LOG_VIOLATIONS] = { "ima-log-violations",
				       "was no file written while it was measured?", true,
				       "Look what writes the file while it is measured; let the "
				       "policy accept it if it must." },
	[CHECK_IMA_LOG_REPLAY] = { "ima-log-replay", "does it replay to the quoted PCR?", true,
				   "The list was changed, cut, or is another boot's: collect the "
				   "evidence again." },
	[CHECK_IMA_BOOT_AGGREGATE] = { "ima-boot-aggregate",
				       "is boot_aggregate that of the firmware's PCRs?", true,
				       "IMA's list and the firmware's PCRs are not of the same "
				       "boot." },
	[CHECK_MANIFEST_SIGNATURE] = { "manifest-signature",
				       "are the manifests signed by an accepted signer?", false,
				       "Take the manifest and the certificate as their signer "
				       "published them." },
	[CHECK_IMA_SIGNATURES] = { "ima-signatures",
				   "are the signatures in IMA's entries of accepted keys good?",
				   true, "The file is not what was signed: install it again." },
	[CHECK_IMA_FILES_MATCH] = { "ima-files-match",
				    "is every digest of IMA's the reference value's?", true,
				    "Install the file again, or take its new digest into the "
				    "policy." },
	[CHECK_IMA_FILES_KNOWN] = { "ima-files-known",
				    "is every file of IMA's a reference value, signed or allowed?",
				    true,
				    "Sign the file, or add a reference value, or allow it with a "
				    "reason (allow)." },
	[CHECK_FILES_MEASURED] = { "files-measured", "could every file be measured?", false,
				   "Install the file again, and enable fs-verity for it ('assay "
				   "enable')." },
	[CHECK_FILES_KNOWN] = { "files-known", "is every measured file in a manifest?", true,
				"Sign the file, or allow it with a reason (allow)." },
	[CHECK_FILES_MATCH] = { "files-match", "is every digest the manifest's?", false,
				"Install the file as it was signed, or take the manifest of the "
				"new version." },
	[CHECK_FILES_COMPLETE] = { "files-complete", "was every file of the manifests measured?",
				   true,
				   "Measure all files of the manifest ('assay measure "
				   "--manifest'), then quote." },
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

const char *check_advice(enum check check)
{
	return checks[check].advice;
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
				list, json_pack("{s:s, s:b, s:s, s:o, s:s}", "name", checks[i].name,
						"required", (verdict->required & CHECK_BIT(i)) != 0,
						"result", verdict_result(verdict, (enum check)i),
						"detail", json_text(verdict->detail[i]), "advice",
						checks[i].advice)) < 0;
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:i, s:s, s:b, s:o, s:{s:o, s:o}, s:I}", "assay", 1, "type", "verdict",
			 "trusted", verdict_trusted(verdict), "checks", list, "logs", "assay",
			 covered_to_json(&verdict->assay_log), "ima",
			 covered_to_json(&verdict->ima_log), "files", (json_int_t)verdict->files);
}
