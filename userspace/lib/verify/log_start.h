/* SPDX-License-Identifier: MIT */
/*
 * Where assay's log begins, and what vouches for the PCR before its first record. Found once,
 * when the log was parsed; the checks read it. Only for lib/verify.
 *
 * A log that does not begin with the boot is worth what vouches for the PCR's value before it.
 * A state does, since the verifier saw what is before. A TRIM record does only so far as the
 * device was honest when it wrote it: who may extend the PCR may write one that hides all that
 * was measured before, so that takes the policy's word.
 */
#ifndef ASSAY_VERIFY_LOG_START_H
#define ASSAY_VERIFY_LOG_START_H

#include "log/cel.h"
#include "verify/evidence.h"
#include "verify/structures.h"
#include "verify/input.h"

enum log_origin {
	LOG_UNKNOWN,   /* nothing vouches for it */
	LOG_WHOLE,     /* its START, or the TPM record where a TPM came late */
	LOG_CONTINUED, /* the state: what is before was verified */
	LOG_TRIMMED,   /* a TRIM record, whose word the policy takes */
};

/**
 * struct log_facts - what records of assay's log say of the log itself
 * Contents point into the evidence. Start with {0}, then log_facts_add() each record.
 *
 * @has_start: the first record is a START: @start
 * @later_starts: START records that are not the first
 * @kernel: START or KEXEC, the last there is; .kind is 0 if there is none
 * @kexecs: KEXEC records
 * @boots_end: the offset behind the last START, KEXEC or TPM record, up to which the quote must
 *             cover the log for what is found here to be proven; 0 if there is none
 * @tpms: TPM records, the last of which is @tpm, of number @tpm_recnum
 * @first: number of the first record
 * @trim: the TRIM that cut the log before @first, else the last one; it ends at offset
 *        @trim_end, which is 0 if there is none
 */
struct log_facts {
	bool has_start;
	uint64_t later_starts, kexecs, tpms;
	struct assay_content start, kernel, tpm, trim;
	uint64_t first, tpm_recnum, trim_end, boots_end;
};

/**
 * struct log_start - where the log begins
 * @origin: what vouches for it
 * @recnum: number of the first record that is there, or will be
 * @values, @value_count: what the PCR was before that record, a value a bank: of the START or
 *                        TPM record, of the state, of the TRIM record; of the evidence, which
 *                        must lead to the state, where the log begins before the state's end
 * @from_zeros: a bank that is not among them began with zeros: the kernel did not know of it
 * @boot_id: of the boot that wrote the first record; .data is NULL where nothing says it
 * @same_tpm_boot: the TPM was neither reset nor, unless the policy takes a suspend, restarted
 *                 since the state; false without one
 * @late_tpm: records came before a TPM was found
 * @protection_known, @writable: whether the log's pages are writable to the kernel
 * @by_state: the last two are what the state says
 */
struct log_start {
	enum log_origin origin;
	uint64_t recnum;
	struct assay_digest values[CEL_MAX_DIGESTS];
	size_t value_count;
	bool from_zeros;
	struct bytes boot_id;
	bool same_tpm_boot;
	bool late_tpm, protection_known, writable, by_state;
};

/* log_facts_add() - note what a record says of the log; @first: it is the first one */
void log_facts_add(struct log_facts *facts, const struct cel_record *record,
		   const struct assay_content *content, bool first);

/* log_same_tpm_boot() - whether the PCRs are those of the state, by the TPM's counters and the
 * policy; false where @state is NULL */
bool log_same_tpm_boot(const struct verify_state *state, const struct tpm_attest *attest,
		       const struct verify_policy *policy);

/*
 * log_start_find() - @state may be NULL; @ret borrows from what is given
 * @goes_on: as of goes_on() (going_on.h); a state as JSON does not say by what it was judged, and
 *           the log goes on from it all the same
 */
void log_start_find(const struct log_facts *facts, const struct evidence *evidence,
		    const struct tpm_attest *attest, const struct verify_state *state,
		    const struct verify_policy *policy, bool goes_on, struct log_start *ret);

/* log_start_value() - what the PCR was in that bank; false where nothing says it */
bool log_start_value(const struct log_start *start, enum assay_hash bank, struct assay_digest *ret);

#endif /* ASSAY_VERIFY_LOG_START_H */
