/* SPDX-License-Identifier: GPL-2.0-only */
/* Cuts off the log's oldest records, and seals pages: ASSAY_IOC_TRIM and ASSAY_IOC_SEAL. */
#ifndef _ASSAY_TRIM_H
#define _ASSAY_TRIM_H

#include <linux/mutex.h>

#include "ledger.h"

/**
 * struct assay_trimmer - what moves a log's head
 * @ledger: the log
 * @lock: serialises what moves the head or relies on it, and what follows; outside the
 *        ledger's
 * @cut: of the newest TRIM: where the log begins once that record is anchored
 * @recnum: number of the TRIM record
 * @offset: its offset
 * @pending: it is written, and the head has not moved yet
 */
struct assay_trimmer {
	struct assay_ledger *ledger;
	struct mutex lock; /* see above */
	struct assay_cut cut;
	u64 recnum;
	u64 offset;
	bool pending;
};

void assay_trim_open(struct assay_trimmer *trimmer, struct assay_ledger *ledger);
void assay_trim_close(struct assay_trimmer *trimmer);
int assay_trim(struct assay_trimmer *trimmer, struct assay_trim *request);
void assay_trim_settle(struct assay_trimmer *trimmer);
int assay_seal(struct assay_trimmer *trimmer, struct assay_seal *request);

#endif /* _ASSAY_TRIM_H */
