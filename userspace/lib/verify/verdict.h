/* SPDX-License-Identifier: MIT */
/*
 * The verdict: one bit a check. A check that was not made is never a pass, and
 * "trusted" is nothing but a comparison of bits. For lib/verify, and for whoever
 * shows a verdict.
 */
#ifndef ASSAY_VERIFY_VERDICT_H
#define ASSAY_VERIFY_VERDICT_H

#include <jansson.h>

#include "assay.h"
#include "sign/manifest.h"
#include "verify/evidence.h"

/* The checks, in the order in which they are made and shown. */
enum check {
#define CHECK(id, ...) CHECK_##id,
#define CONTENT(id, ...) CHECK_##id,
#include "verify/checks.def"
#undef CHECK
#undef CONTENT
	CHECK_COUNT,
};

/* What a check is about, for people. */
enum check_group {
	CHECK_GROUP_QUOTE,
	CHECK_GROUP_FIRMWARE,
	CHECK_GROUP_LOG,
	CHECK_GROUP_IMA,
	CHECK_GROUP_FILES,
	CHECK_GROUPS,
};

/* When a check is required, where the policy says nothing else. */
enum check_when {
	CHECK_ALWAYS,
	CHECK_IF_MADE,	  /* where the evidence has what it is about */
	CHECK_WITH_STATE, /* where the verifier has a state of the device */
	CHECK_ON_DEMAND,  /* where the policy asks for it */
};

/* The logs that evidence may hold. */
enum verify_log {
	VERIFY_LOG_ASSAY,
	VERIFY_LOG_IMA,
	VERIFY_LOG_UEFI,
	VERIFY_LOGS,
};

/* A set of checks, a bit each; wide enough for twice as many as there are. */
__extension__ typedef unsigned __int128 check_mask;

#define CHECK_BIT(check) ((check_mask)1 << (check))
#define CHECK_ALL (CHECK_BIT(CHECK_COUNT) - 1)

/* Those of the rules on the firmware's events, which are made where a policy has them. */
#define CHECKS_OF_FIRMWARE_RULES \
	((CHECK_BIT(CHECK_FIRMWARE_SEPARATOR) << 1) - CHECK_BIT(CHECK_FIRMWARE_SECURE_BOOT))

#define CHECK_DETAIL_MAX 1024

/* Products that a state keeps the newest manifest of; manifest-current refuses more. */
#define VERIFY_STATE_PRODUCTS 64

/* Bytes of which a state has a bit for each file of the manifests. */
#define VERIFY_STATE_SEEN 256

/**
 * struct covered_log - how much of a log the quote covers
 * @records: in the log
 * @covered: of these, up to the quoted PCR value
 */
struct covered_log {
	uint64_t records;
	uint64_t covered;
};

/**
 * struct verify_state - what a verifier keeps of a device's last good attestation
 * Of the quote, as the TPM gives it (Part 2, 10.11 and 10.12.12). Counters of keys
 * outside the endorsement hierarchy are obfuscated by adding a number that is the
 * same for all quotes of a key, so they can be compared, but say nothing by themselves.
 *
 * @reset_count, @restart_count: TPM resets, and restarts since the last one
 * @clock: the TPM's clock, in milliseconds
 * @firmware_version: the TPM's
 * @boot_id: the boot whose log @records and @value are of; with its NUL; "" where the evidence
 *           did not say it
 * @records: how many records of assay's log the quote covered, from the log's beginning on
 * @value: what the PCR was then; size 0 if no log was verified
 * @next_key: what the last of them commits to as the key of the next one (assay-log-chain); size
 *            0 where that was not verified
 * @late_tpm, @writable: what the log's START said, for evidence without it
 * @complete: of the manifests all of whose files had been measured by then (see
 *            files-complete), size 0 if some had not
 * @manifests: of each product, when the newest manifest of it was created, in seconds since
 *             1970-01-01 00:00 UTC; @manifest_count of them
 * @verified: when, in seconds since 1970-01-01 00:00 UTC, by the verifier's clock
 *
 * What follows is for evidence that goes on from there; a state as JSON has none of it.
 * @references: what it was judged by (struct verify_input); size 0 where that was not known
 * @goes_on: what the logs said until then is below, so that evidence need not say it again
 * @kexecs: KEXEC records of the log until then
 * @ima: of IMA's list: how many entries the quote covered, from the list's beginning on, and what
 *       its PCR was then, of size 0 if the list was not verified; its first boot_aggregate that
 *       is not zeros, of size 0 if there was none; and how many entries of that name there were,
 *       with zeros and with others
 * @firmware: of the firmware's log: its bytes, 0 if it was not judged; the SHA-256 of it; and that
 *            of the quoted PCRs which anchor no other log, which tells whether it would be
 *            judged in the same way again
 * @passed, @failed: CHECK_BIT()s of what these logs say (state_carried())
 * @unknown_files: an entry of IMA was of a file that nobody knows
 * @mirrored: the log mirrors entries of IMA
 * @seen: bit n of byte n / 8: file n of the manifests, in turn, had been measured, where
 *        @complete is of size 0; @seen_size bytes of it. None: nothing is known of that
 */
struct verify_state {
	uint32_t reset_count;
	uint32_t restart_count;
	uint64_t clock;
	uint64_t firmware_version;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	uint64_t records;
	struct assay_digest value, next_key;
	bool late_tpm, writable;
	struct assay_digest complete;
	struct {
		char product[MANIFEST_PRODUCT_MAX + 1];
		uint64_t created;
	} manifests[VERIFY_STATE_PRODUCTS];
	size_t manifest_count;
	uint64_t verified;
	struct assay_digest references;
	bool goes_on;
	uint64_t kexecs;
	struct {
		uint64_t entries;
		struct assay_digest value, aggregate;
		uint64_t aggregates, zeros;
	} ima;
	struct {
		uint64_t size;
		struct assay_digest log, pcrs;
	} firmware;
	check_mask passed, failed;
	bool unknown_files, mirrored;
	uint8_t seen[VERIFY_STATE_SEEN];
	size_t seen_size;
};

/* struct verdict_manifest - a manifest whose files were compared with, for people */
struct verdict_manifest {
	char id[33];
	char created[UTC_LENGTH + 1];
	char product[MANIFEST_PRODUCT_MAX + 1];
};

/* How many manifests a verdict names; more are only counted. */
#define VERDICT_MANIFESTS 16

/**
 * struct verdict_quote - what the quote says of when it was made, as it stands; zeros where it did
 * not parse
 */
struct verdict_quote {
	uint64_t clock, firmware_version;
	uint32_t reset_count, restart_count;
	bool safe;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
};

/**
 * struct verdict - what verify() found
 * @required: CHECK_BIT()s of what the policy requires
 * @passed: of what was checked and is as it must be
 * @failed: of what was checked and is not; what is in neither was not checked
 * @detail: a check's facts: what is wrong and what was expected, or what passed;
 *          always terminated, fit to print
 * @assay_log, @ima_log: how much the quote covers
 * @files: entries of measured files in assay's log
 * @manifests: those that are signed, the first VERDICT_MANIFESTS of @manifest_count
 * @quote: trusted or not
 * @state: to keep and to give to the device's next verdict; zeros if it is not trusted
 */
struct verdict {
	check_mask required;
	check_mask passed;
	check_mask failed;
	char detail[CHECK_COUNT][CHECK_DETAIL_MAX];
	struct covered_log assay_log, ima_log;
	uint64_t files;
	struct verdict_manifest manifests[VERDICT_MANIFESTS];
	size_t manifest_count;
	struct verdict_quote quote;
	struct verify_state state;
};

/* verdict_trusted() - the only way to "trusted": every required bit is in @passed. */
bool verdict_trusted(const struct verdict *verdict);

/* checks_first() - the first of a set; CHECK_COUNT of none */
enum check checks_first(check_mask checks);

/* check_name() - "quote-nonce"; check_question() - what the check asks, for people. */
const char *check_name(enum check check);
const char *check_question(enum check check);

/* check_advice() - what to do where it does not pass: a sentence for people */
const char *check_advice(enum check check);

/*
 * check_waivable() - may a policy do without it?
 * Those that tie the log to the TPM and the reference values to their signer may
 * not be waived: without them no other check means anything.
 */
bool check_waivable(enum check check);

/* check_group() - what it is about; check_group_name() - "quote", "firmware", ... */
enum check_group check_group(enum check check);
const char *check_group_name(enum check_group group);

/* check_when() - when it is required, where the policy says nothing else */
enum check_when check_when(enum check check);

/* check_needs() - CHECK_BIT()s of the checks before it that it builds on */
check_mask check_needs(enum check check);

/*
 * checks_of_log() - CHECK_BIT()s of the checks that have nothing to look at without that log
 * What IMA's entries say is of IMA's list, and of assay's log as well, which may mirror them: it
 * is in neither. Nor are the rules on the firmware's events, which are not of every policy.
 */
check_mask checks_of_log(enum verify_log log);

/* checks_of_ima_entries() - those: CHECK_BIT()s of what is asked of single entries of IMA */
check_mask checks_of_ima_entries(void);

/* check_by_name() - false for a name that is not known */
bool check_by_name(const char *name, enum check *ret);

/* verdict_result() - "pass", "fail" or "not-checked" */
const char *verdict_result(const struct verdict *verdict, enum check check);

/*
 * verdict_reason() - the first required check that failed, else the first that could not be made;
 * CHECK_COUNT if all passed
 */
enum check verdict_reason(const struct verdict *verdict);

/* verdict_to_json() - a new object; NULL without memory */
json_t *verdict_to_json(const struct verdict *verdict);

#endif /* ASSAY_VERIFY_VERDICT_H */
