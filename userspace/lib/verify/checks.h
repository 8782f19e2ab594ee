/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/verify: the checks, a function each, and what they hand on to one
 * another. Nobody else includes this.
 */
#ifndef ASSAY_VERIFY_CHECKS_H
#define ASSAY_VERIFY_CHECKS_H

#include "log/cel.h"
#include "log/uefi.h"
#include "sign/manifest.h"
#include "verify/evidence.h"
#include "verify/structures.h"
#include "verify/verify.h"

/* Room for foreign text, and for a digest, in a detail. */
#define FOREIGN_TEXT 160
#define DIGEST_TEXT (2 * ASSAY_DIGEST_MAX + 1)

/* How many files a detail names; the rest is counted. */
#define NAMED_FILES 3

/* Where assay's log begins, and so what vouches for the PCR before its first record. */
enum log_origin {
	LOG_UNKNOWN,   /* nothing */
	LOG_WHOLE,     /* its START, or the TPM record where a TPM came late */
	LOG_CONTINUED, /* the state: what is before was verified */
	LOG_TRIMMED,   /* a TRIM record, whose word the policy takes */
};

/**
 * struct log_facts - what records of assay's log say of the log itself
 * Contents point into the evidence.
 *
 * @has_start: the first record is a START: @start
 * @later_starts: START records that are not the first
 * @kernel: START or KEXEC, the last there is; .kind is 0 if there is none
 * @kexecs: KEXEC records
 * @tpms: TPM records, the last of which is @tpm, of number @tpm_recnum
 * @first: number of the first record
 * @trim: the TRIM that cut the log before @first, else the last one; it ends at offset
 *        @trim_end, which is 0 if there is none
 */
struct log_facts {
	enum log_origin origin;
	bool has_start;
	uint64_t later_starts, kexecs, tpms;
	struct assay_content start, kernel, tpm, trim;
	uint64_t first, tpm_recnum, trim_end;
};

/**
 * struct appraisal - one run of verify()
 * Each member is set by the check named beside it, and is only to be used by
 * checks that need that one (see the table in verify.c).
 */
struct appraisal {
	const struct verify_input *input;
	const struct verify_policy *policy;
	struct verdict *verdict;
	struct evidence evidence;	/* evidence-parsed */
	struct tpm_attest attest;	/* quote-parsed */
	struct tpm_signature signature; /* quote-parsed */
	struct tpm_public ak;		/* ak-expected: the enrolled key, not the evidence's */
	enum assay_hash bank;		/* pcr-required: where all required PCRs are quoted */
	struct uefi_pcrs firmware;	/* uefi-log-parsed */
	struct log_facts log;		/* assay-log-parsed */
	uint64_t covered;		/* assay-log-replay: records that are covered */
	uint64_t covered_size;	      /* assay-log-replay: bytes of assay's log that are covered */
	struct manifest **manifests;  /* manifest-signature: as many as in input */
	struct assay_digest complete; /* files-complete: struct verify_state's */
	struct ima_tally *ima;	      /* what became of IMA's entries; see ima.c */
	bool skipped;		      /* see check_skip() */
};

/*
 * Every check: true if what it asks is so. Either way it leaves a sentence in
 * @detail, whose size is CHECK_DETAIL_MAX; verify.c has put an empty one there.
 */
typedef bool check_function(struct appraisal *appraisal, char *detail);

check_function check_evidence_parsed;
check_function check_quote_parsed;
check_function check_ak_expected;
check_function check_ak_attributes;
check_function check_ak_algorithm;
check_function check_quote_algorithm;
check_function check_quote_signature;
check_function check_quote_magic;
check_function check_quote_type;
check_function check_quote_nonce;
check_function check_quote_signer;
check_function check_quote_age;
check_function check_quote_counters;
check_function check_quote_firmware;
check_function check_quote_clock;
check_function check_pcr_selection;
check_function check_pcr_required;
check_function check_pcr_digest;
check_function check_pcr_values;
check_function check_uefi_log_parsed;
check_function check_uefi_log_events;
check_function check_uefi_log_replay;
check_function check_assay_log_parsed;
check_function check_assay_log_records;
check_function check_assay_log_digests;
check_function check_assay_log_start;
check_function check_assay_log_tpm;
check_function check_assay_log_protection;
check_function check_assay_log_replay;
check_function check_assay_log_progress;
check_function check_ima_log_parsed;
check_function check_ima_log_entries;
check_function check_ima_log_start;
check_function check_ima_log_digests;
check_function check_ima_log_violations;
check_function check_ima_log_replay;
check_function check_ima_boot_aggregate;
check_function check_manifest_signature;
check_function check_ima_signatures;
check_function check_ima_files_match;
check_function check_ima_files_known;
check_function check_files_measured;
check_function check_files_known;
check_function check_files_match;
check_function check_files_complete;

/* check_tell() - put a sentence into @detail; returns @result, so that checks end in it. */
bool check_tell(bool result, char *detail, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* check_digest_text() - a digest in hexadecimal; returns @text */
const char *check_digest_text(const struct assay_digest *digest, char text[DIGEST_TEXT]);

/*
 * check_skip() - say in @detail why the check cannot be made; returns false
 * The check is then neither passed nor failed: "not-checked", which is as good as
 * failed where the check is required. For what there is nothing to compare with.
 */
bool check_skip(struct appraisal *appraisal, char *detail, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* appraisal_algorithm() - the bit of enum verify_algorithm for a TPM_ALG_ID, 0 if it has none */
uint32_t appraisal_algorithm(uint16_t algorithm);

/* appraisal_pcr() - a supplied PCR value; NULL if there is none */
const struct assay_digest *appraisal_pcr(const struct appraisal *appraisal, enum assay_hash bank,
					 unsigned int index);

/* appraisal_state() - what a verifier keeps of evidence that it trusts */
void appraisal_state(const struct appraisal *appraisal, struct verify_state *ret);

/* log_facts_add() - note what a record says of the log; @first: it is the first one */
void log_facts_add(struct log_facts *facts, const struct cel_record *record,
		   const struct assay_content *content, bool first);

/* log_origin() - where the log begins, by its facts, the state and the policy */
enum log_origin log_origin(const struct appraisal *appraisal);

/*
 * log_start_value() - what the PCR was before the log's first record
 * Return: false, with @detail set, where nothing says it
 */
bool log_start_value(const struct appraisal *appraisal, enum assay_hash bank,
		     struct assay_digest *ret, char *detail);

/*
 * log_start_covered() - does what vouches for that value do so, now that the log replays
 * from there? False, with @detail set, if not
 */
bool log_start_covered(const struct appraisal *appraisal, const struct assay_digest *start,
		       char *detail);

/* manifests_look_up() - what the manifests say of a file */
enum look_up {
	LOOK_UP_NONE,	 /* they do not have it */
	LOOK_UP_MATCH,	 /* one of them has it with that digest */
	LOOK_UP_DIFFERS, /* they have it, and not with that digest */
};

/*
 * @path: as it was measured; .data may be NULL
 * @ret_expected: set for LOOK_UP_DIFFERS: a digest that they have for it
 */
enum look_up manifests_look_up(const struct appraisal *appraisal, struct bytes path,
			       const struct assay_digest *digest,
			       const struct assay_digest **ret_expected);

/* Files that fail a check: the first few by name, the others by number. Start with {0}. */
struct findings {
	char text[CHECK_DETAIL_MAX];
	size_t used;
	uint64_t count;
};

void findings_add(struct findings *findings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* findings_tell() - put them into @detail; returns false: the end of a check that found some */
bool findings_tell(const struct findings *findings, char *detail);

/* files_observe(), ima_observe() - hand all records and files to an observer */
void files_observe(const struct appraisal *appraisal, const struct verify_observer *observer);
void ima_observe(const struct appraisal *appraisal, const struct verify_observer *observer);

/* ima_tally_free() - does nothing with NULL */
void ima_tally_free(struct ima_tally *tally);

/*
 * policy_allows() - does the policy allow that file, although no manifest has it?
 * @path: as it was measured; .data may be NULL
 * @digest: of size 0 if there is none, which is allowed only where any digest is
 */
bool policy_allows(const struct verify_policy *policy, struct bytes path,
		   const struct assay_digest *digest);

#endif /* ASSAY_VERIFY_CHECKS_H */
