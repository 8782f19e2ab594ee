/* SPDX-License-Identifier: GPL-2.0-only */
/* Cross-anchor: IMA's list notes how far the log is anchored. */
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

void assay_ima_tell(struct assay_ima *ima, struct assay_ledger *ledger, bool now);

#endif /* _ASSAY_IMA_H */
