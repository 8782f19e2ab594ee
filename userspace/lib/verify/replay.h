/* SPDX-License-Identifier: MIT */
/*
 * Replaying logs: from the first record on, what a PCR's value is after each, until
 * it is the quoted one. Only for lib/verify and its tests.
 *
 * PCRs are not read in the moment a log is, so a log may be ahead of the quote:
 * what comes after the match is parsed by others, and is not covered.
 */
#ifndef ASSAY_VERIFY_REPLAY_H
#define ASSAY_VERIFY_REPLAY_H

#include "base/bytes.h"

/**
 * struct replay - how far a quote covers a log
 * @reached: whether the quoted value came up after at least one record
 * @covered: records up to the match; 0 if there is none
 * @covered_size: their bytes: where in the log what is not covered begins
 * @records: records in the log
 * @last: the value after the last record
 */
struct replay {
	bool reached;
	uint64_t covered;
	uint64_t covered_size;
	uint64_t records;
	struct assay_digest last;
};

/*
 * replay_assay() - replay assay's log
 * @log: records from the first one on; those of another PCR are passed over
 * @start: the PCR's value before the first; its hash is the bank
 * @quoted: of the same bank
 *
 * Return: 0; -EBADMSG where @log does not parse or a record has no digest of the
 * bank; -ENOMEM
 */
int replay_assay(struct bytes log, unsigned int pcr, const struct assay_digest *start,
		 const struct assay_digest *quoted, struct replay *ret, struct assay_error *err);

/*
 * replay_ima() - replay IMA's list, violations as the kernel extends them
 * @start: the PCR's value before the first entry, which is zeros for a whole list; of @quoted's
 *         bank
 * @bank: whose template digests @list holds; digests of the quoted value's bank are
 *        computed from the template data
 *
 * Return: as replay_assay()
 */
int replay_ima(struct bytes list, enum assay_hash bank, unsigned int pcr,
	       const struct assay_digest *start, const struct assay_digest *quoted,
	       struct replay *ret, struct assay_error *err);

#endif /* ASSAY_VERIFY_REPLAY_H */
