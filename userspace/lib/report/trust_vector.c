// SPDX-License-Identifier: MIT
#include "report/trust_vector.h"

#include <stddef.h>

#include "verify/sentence.h"

#define BIT(id) CHECK_BIT(CHECK_##id)

/* Values of AR4SI, section 2.3.4; the same number says the same of each claim but where noted. */
#define UNKNOWN_ELEMENTS 1
#define AFFIRMED 2
#define EXECUTABLES_OF_BOOT 3 /* executables: of the boot only */
#define WARNED 32	      /* configuration: known vulnerabilities; file-system: unrecognized */
#define UNRECOGNIZED_CODE 33  /* executables */
#define UNAVAILABLE 36	      /* configuration: what is relevant to security cannot be seen */
#define CONTRAINDICATED 96
#define NOT_RECOGNIZED 97 /* instance-identity, hardware: should be recognized */
#define NOT_AUTHENTIC 99  /* cryptographic validation of the evidence failed */

#define CLAIM(id) (1U << TRUST_##id)
#define ALL ((1U << TRUST_CLAIMS) - 1)

/* struct fault - what a check that is required and did not pass says of these claims */
struct fault {
	check_mask checks;
	unsigned int claims;
	int value;
};

static const struct fault faults[] = {
	{ BIT(EVIDENCE_PARSED) | BIT(QUOTE_PARSED), ALL, UNKNOWN_ELEMENTS },
	{ BIT(QUOTE_ALGORITHM) | BIT(QUOTE_SIGNATURE) | BIT(QUOTE_MAGIC) | BIT(QUOTE_TYPE) |
		  BIT(QUOTE_SESSION) | BIT(QUOTE_NONCE) | BIT(QUOTE_SIGNER) | BIT(QUOTE_AGE) |
		  BIT(QUOTE_COUNTERS) | BIT(PCR_SELECTION) | BIT(PCR_DIGEST),
	  ALL, NOT_AUTHENTIC },
	{ BIT(AK_CERTIFICATE) | BIT(AK_EXPECTED), CLAIM(INSTANCE_IDENTITY), NOT_RECOGNIZED },
	{ BIT(AK_ATTRIBUTES) | BIT(AK_ALGORITHM), CLAIM(INSTANCE_IDENTITY), CONTRAINDICATED },
	{ BIT(BOOT_KNOWN) | BIT(QUOTE_FIRMWARE), CLAIM(HARDWARE), NOT_RECOGNIZED },
	{ BIT(BOOT_KNOWN), CLAIM(EXECUTABLES), UNRECOGNIZED_CODE },
	{ BIT(PCR_VALUES), CLAIM(HARDWARE) | CLAIM(CONFIGURATION), CONTRAINDICATED },
	{ BIT(UEFI_LOG_PARSED) | BIT(UEFI_LOG_REPLAY), CLAIM(HARDWARE) | CLAIM(CONFIGURATION),
	  NOT_AUTHENTIC },
	{ BIT(UEFI_LOG_EVENTS) | BIT(FIRMWARE_DBX), CLAIM(CONFIGURATION), WARNED },
	{ BIT(FIRMWARE_SECURE_BOOT) | BIT(FIRMWARE_KEYS) | BIT(FIRMWARE_AUTHORITIES) |
		  BIT(FIRMWARE_MOK) | BIT(FIRMWARE_COMMAND_LINE) | BIT(FIRMWARE_PHASES) |
		  BIT(FIRMWARE_SEPARATOR),
	  CLAIM(CONFIGURATION), CONTRAINDICATED },
	{ BIT(FIRMWARE_PLATFORM) | BIT(FIRMWARE_DRIVERS), CLAIM(HARDWARE), NOT_RECOGNIZED },
	{ BIT(FIRMWARE_PROGRAMS) | BIT(FIRMWARE_FILES) | BIT(FIRMWARE_SECTIONS), CLAIM(EXECUTABLES),
	  UNRECOGNIZED_CODE },
	{ BIT(ASSAY_LOG_PROTECTION) | BIT(ASSAY_LOG_TPM) | BIT(QUOTE_CLOCK) | BIT(MANIFEST_CURRENT),
	  CLAIM(CONFIGURATION), WARNED },
	{ BIT(ASSAY_LOG_PARSED) | BIT(ASSAY_LOG_RECORDS) | BIT(ASSAY_LOG_DIGESTS) |
		  BIT(ASSAY_LOG_START) | BIT(ASSAY_LOG_REPLAY) | BIT(ASSAY_LOG_CHAIN) |
		  BIT(ASSAY_LOG_PROGRESS) | BIT(MANIFEST_SIGNATURE),
	  CLAIM(EXECUTABLES) | CLAIM(FILE_SYSTEM), NOT_AUTHENTIC },
	{ BIT(IMA_LOG_PARSED) | BIT(IMA_LOG_START) | BIT(IMA_LOG_DIGESTS) | BIT(IMA_LOG_REPLAY) |
		  BIT(IMA_BOOT_AGGREGATE),
	  CLAIM(EXECUTABLES), NOT_AUTHENTIC },
	{ BIT(IMA_LOG_ENTRIES) | BIT(IMA_LOG_VIOLATIONS) | BIT(IMA_FILES_KNOWN) | BIT(FILES_KNOWN),
	  CLAIM(EXECUTABLES), UNRECOGNIZED_CODE },
	{ BIT(IMA_SIGNATURES) | BIT(IMA_FILES_MATCH) | BIT(FILES_MATCH), CLAIM(EXECUTABLES),
	  CONTRAINDICATED },
	{ BIT(FILES_MATCH) | BIT(FILES_MEASURED), CLAIM(FILE_SYSTEM), CONTRAINDICATED },
	{ BIT(FILES_FILESYSTEM) | BIT(FILES_COMPLETE) | BIT(FILES_KNOWN), CLAIM(FILE_SYSTEM),
	  WARNED },
};

/* Of a check that no row above has: by what it is about. */
static const struct fault others[CHECK_GROUPS] = {
	[CHECK_GROUP_QUOTE] = { 0, CLAIM(CONFIGURATION), UNAVAILABLE },
	[CHECK_GROUP_FIRMWARE] = { 0, CLAIM(HARDWARE), NOT_RECOGNIZED },
	[CHECK_GROUP_LOG] = { 0, CLAIM(EXECUTABLES), NOT_AUTHENTIC },
	[CHECK_GROUP_IMA] = { 0, CLAIM(EXECUTABLES), NOT_AUTHENTIC },
	[CHECK_GROUP_FILES] = { 0, CLAIM(EXECUTABLES), UNRECOGNIZED_CODE },
};

/*
 * What checks affirm that passed, all of them: the first row of a claim counts. Files of a boot
 * that nobody looked at run on a kernel that is not recognized.
 */
static const struct {
	check_mask checks;
	enum trust_claim claim;
	int value;
} affirmations[] = {
	{ BIT(AK_EXPECTED) | BIT(AK_ATTRIBUTES) | BIT(AK_ALGORITHM) | BIT(PCR_DIGEST),
	  TRUST_INSTANCE_IDENTITY, AFFIRMED },
	{ BIT(BOOT_KNOWN), TRUST_HARDWARE, AFFIRMED },
	{ BIT(BOOT_KNOWN) | BIT(PCR_VALUES), TRUST_CONFIGURATION, AFFIRMED },
	{ BIT(BOOT_KNOWN) | BIT(FILES_MATCH) | BIT(FILES_KNOWN), TRUST_EXECUTABLES, AFFIRMED },
	{ BIT(BOOT_KNOWN) | BIT(IMA_FILES_MATCH) | BIT(IMA_FILES_KNOWN), TRUST_EXECUTABLES,
	  AFFIRMED },
	{ BIT(BOOT_KNOWN), TRUST_EXECUTABLES, EXECUTABLES_OF_BOOT },
	{ BIT(FILES_MATCH), TRUST_EXECUTABLES, UNRECOGNIZED_CODE },
	{ BIT(IMA_FILES_MATCH), TRUST_EXECUTABLES, UNRECOGNIZED_CODE },
	{ BIT(FILES_MATCH) | BIT(FILES_KNOWN) | BIT(FILES_COMPLETE), TRUST_FILE_SYSTEM, AFFIRMED },
};

const char *trust_claim_name(enum trust_claim claim)
{
	static const char *const names[] = {
		[TRUST_INSTANCE_IDENTITY] = "instance-identity",
		[TRUST_CONFIGURATION] = "configuration",
		[TRUST_EXECUTABLES] = "executables",
		[TRUST_FILE_SYSTEM] = "file-system",
		[TRUST_HARDWARE] = "hardware",
	};

	return names[claim];
}

enum trust_tier trust_tier_of(int value)
{
	if (value >= 96 || value <= -97)
		return TIER_CONTRAINDICATED;
	if (value >= 32 || value <= -33)
		return TIER_WARNING;
	return value >= 2 || value <= -2 ? TIER_AFFIRMING : TIER_NONE;
}

const char *trust_tier_name(enum trust_tier tier)
{
	static const char *const names[] = { "none", "affirming", "warning", "contraindicated" };

	return names[tier];
}

/* A check that is required and was not made leaves open what its failure would have said. */
static bool is_open(const struct verdict *verdict, enum trust_claim claim)
{
	check_mask open = verdict->required & ~verdict->passed;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if ((faults[i].claims & 1U << claim) && (faults[i].checks & open))
			return true;
	return false;
}

static int affirmed(const struct verdict *verdict, enum trust_claim claim)
{
	if (is_open(verdict, claim))
		return 0;
	for (size_t i = 0; i < sizeof(affirmations) / sizeof(affirmations[0]); i++)
		if (affirmations[i].claim == claim &&
		    (verdict->passed & affirmations[i].checks) == affirmations[i].checks)
			return affirmations[i].value;
	return 0;
}

static void add_fault(const struct fault *fault, struct trust_vector *vector)
{
	for (int claim = 0; claim < TRUST_CLAIMS; claim++)
		if ((fault->claims & 1U << claim) && fault->value > vector->value[claim])
			vector->value[claim] = fault->value;
}

static void add_faults(enum check check, struct trust_vector *vector)
{
	bool listed = false;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (!(faults[i].checks & CHECK_BIT(check)))
			continue;
		add_fault(&faults[i], vector);
		listed = true;
	}
	if (!listed)
		add_fault(&others[check_group(check)], vector);
}

struct trust_vector trust_vector_of(const struct verdict *verdict)
{
	check_mask failed = verdict->required & verdict->failed;
	struct trust_vector vector = { 0 };

	for (int check = 0; check < CHECK_COUNT; check++)
		if (failed & CHECK_BIT(check))
			add_faults((enum check)check, &vector);
	for (int claim = 0; claim < TRUST_CLAIMS; claim++)
		if (vector.value[claim] == 0)
			vector.value[claim] = affirmed(verdict, (enum trust_claim)claim);
	return vector;
}

enum trust_tier trust_status(const struct verdict *verdict, const struct trust_vector *vector)
{
	enum trust_tier worst = TIER_AFFIRMING;

	if (!verdict_trusted(verdict))
		return TIER_CONTRAINDICATED;
	if (!verdict_boot_judged(verdict))
		worst = TIER_WARNING;
	for (int claim = 0; claim < TRUST_CLAIMS; claim++)
		if (trust_tier_of(vector->value[claim]) > worst)
			worst = trust_tier_of(vector->value[claim]);
	return worst;
}
