/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cross-anchor: IMA's list, and with it IMA's PCR, notes how far the log is anchored and
 * with what values, so that who has IMA's list alone sees that there is a log, and which.
 * As critical data of the label "assay", which a rule of IMA's policy has to ask for:
 *
 *	measure func=CRITICAL_DATA label=assay
 *
 * The data is a line of text, all but the first three once a bank:
 *
 *	pcr=14 records=12 offset=3456 sha1=... sha256=...
 *
 * Called by commit, without any lock: IMA extends the TPM itself.
 */
#ifndef _ASSAY_IMA_H
#define _ASSAY_IMA_H

#include <linux/types.h>

struct assay_ledger;

/**
 * struct assay_ima - when IMA is told
 * @every: once so many records have been anchored since the last time; 0 for never
 * @records: records that were anchored then; under the ledger's lock
 * @told: whether IMA has noted anything; under the ledger's lock
 * @error: what it answered last, so that it is said once
 */
struct assay_ima {
	unsigned int every;
	u64 records;
	bool told;
	int error;
};

/**
 * assay_ima_tell() - have IMA note how far the log is anchored
 * @ima: set up
 * @ledger: created ledger
 * @now: not only when enough records have come since the last time; but nothing is noted
 *       twice
 *
 * What IMA refuses is said in the kernel's log, once.
 */
void assay_ima_tell(struct assay_ima *ima, struct assay_ledger *ledger, bool now);

#endif /* _ASSAY_IMA_H */
