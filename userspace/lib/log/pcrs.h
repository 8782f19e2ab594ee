/* SPDX-License-Identifier: MIT */
/*
 * What PCRs a whole log replays to, whatever its form, in several banks at a time; and
 * whether a value that is expected came up on the way: a log may be ahead of it.
 *
 * Memory does not grow with the log. For the commands and lib/verify.
 */
#ifndef ASSAY_LOG_PCRS_H
#define ASSAY_LOG_PCRS_H

#include "log/hasher.h"
#include "log/uefi.h"

#define PCRS_COUNT 24
/* Registers of a confidential machine have numbers behind the PCRs': MRTD, which is never
 * extended, then RTMR 0 to 3. */
#define PCRS_CC PCRS_COUNT
#define PCRS_REGISTERS (PCRS_CC + UEFI_CC_COUNT)

/* Characters of a register's name with its NUL. */
#define PCRS_NAME_MAX sizeof("PCR 4294967295")

/*
 * pcrs_register_name() - "PCR 7" or "RTMR0", of a number below PCRS_REGISTERS
 * Return: @name
 */
char *pcrs_register_name(unsigned int number, char name[PCRS_NAME_MAX]);

/*
 * pcr_is_resettable() - can anyone on the machine reset it, and so bring it to any value? PCR 16
 * (debug) and PCR 23 (application support); PC Client Platform TPM Profile, section 4.6
 */
static inline bool pcr_is_resettable(unsigned int pcr)
{
	return pcr == 16 || pcr == 23;
}

/**
 * struct pcrs_expected - a register's value that is looked for
 * @pcr, @value: of which PCR or other register (PCRS_CC), and bank (@value.hash)
 * @reached: it came up
 * @after: with the extend of how many entries, 1 for the first; those of other PCRs count too. Of
 *         a firmware's log it may be set though @reached is not: see pcrs_of_uefi()
 */
struct pcrs_expected {
	unsigned int pcr;
	struct assay_digest value;
	bool reached;
	uint64_t after;
};

/* struct pcrs_start - what a register was before the log's first record, in the bank @value.hash */
struct pcrs_start {
	unsigned int pcr;
	struct assay_digest value;
};

/**
 * struct pcrs_request - what to replay; start with {0}
 * @banks, @bank_count: in which algorithms; none: in all those that the log has digests of
 * @expected, @expected_count: values to look for. Their banks are replayed too
 * @starts, @start_count: of a log in CEL: values to start from, in place of what the log says and
 *                        of zeros. Their banks are replayed too
 */
struct pcrs_request {
	enum assay_hash banks[HASHERS_MAX];
	size_t bank_count;
	struct pcrs_expected *expected;
	size_t expected_count;
	struct pcrs_start *starts;
	size_t start_count;
};

/**
 * struct pcrs - what came of it
 * @banks: .extended has bit n set if something was extended into register n, which is PCR n or one
 *         of a confidential machine; .incomplete if an entry of it has no digest of that bank, and
 *         the value is that of the others; .values of all registers
 * @bank_count: banks that were replayed
 * @entries: in the log
 * @violations: of these, of IMA's: files that were open for writing while they were measured
 * @problems: entries that replay, but whose digest is not that of what they hold, or whose content
 *            does not parse
 * @problem: the first of these, in a sentence; fit to print
 * @rules, @broken: what the specification says of a firmware's events, as of struct uefi_pcrs;
 *                  in CEL, their numbers are those of the records
 * @gaps: of a log in CEL, how often a record's number is not the next one
 * @gap_after, @gap_at: the first time: the number before, and the one that came
 * @others: of a log in CEL: records of registers that are neither, as of an index of the TPM's
 *          memory: what those come to is not told
 * @first_record: of a log in CEL: the number that it begins with
 * @start_told: of a log in CEL: a record of the log or the request says what PCRs it begins with
 */
struct pcrs {
	struct {
		enum assay_hash hash;
		uint32_t extended, incomplete;
		struct assay_digest values[PCRS_REGISTERS];
	} banks[HASHERS_MAX];
	size_t bank_count;
	uint64_t entries;
	uint64_t violations;
	uint64_t problems;
	char problem[1200];
	uint32_t rules;
	struct uefi_broken broken[UEFI_RULES];
	uint64_t gaps, gap_after, gap_at;
	uint64_t others;
	uint64_t first_record;
	bool start_told;
};

/*
 * pcrs_of_ima() - a list of IMA
 * @template_bank: whose template digests it has: they are compared with the data's. Without
 *                 any other wish it is this bank that is replayed
 *
 * Each: 0, also if an expected value was not reached; -EBADMSG where the log does not parse;
 * -ENODATA if it has no bytes; -EINVAL; -ENOMEM; -EIO
 */
int pcrs_of_ima(struct bytes list, enum assay_hash template_bank, struct pcrs_request *request,
		struct pcrs *ret, struct assay_error *err);

/*
 * pcrs_of_cel() - a log in CEL-TLV
 * PCRs start at zeros, but for what the request and assay's own records tell of them (START, TPM;
 * TRIM of a log whose beginning was cut off), and PCR 0 at the locality that a firmware's event
 * names. What a firmware does not extend (EV_NO_ACTION) is not; a violation of IMA extends ones.
 * -EBADMSG also where no record has a digest of a bank that was asked for.
 */
int pcrs_of_cel(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		struct assay_error *err);

/*
 * pcrs_of_uefi() - a firmware's event log
 * An expected value is compared with what the whole log replays to. Where it came up before,
 * .after is how many events came before the first one of that PCR that it does not cover: those
 * came later, or were never extended.
 */
int pcrs_of_uefi(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		 struct assay_error *err);

/* pcrs_of_cc() - the same of a confidential machine's log (CCEL), and its registers */
int pcrs_of_cc(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
	       struct assay_error *err);

#endif /* ASSAY_LOG_PCRS_H */
