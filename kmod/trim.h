/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cutting off the log's oldest records, and sealing pages, as ASSAY_IOC_TRIM and
 * ASSAY_IOC_SEAL describe. Called by chardev. Finds records by walking from the head:
 * there is no index in memory, and what goes has to be read for its digest anyway.
 */
#ifndef _ASSAY_TRIM_H
#define _ASSAY_TRIM_H

#include "ledger.h"

int assay_trim(struct assay_ledger *ledger, struct assay_trim *request);
void assay_trim_settle(struct assay_ledger *ledger);
int assay_seal(struct assay_ledger *ledger, struct assay_seal *request);

#endif /* _ASSAY_TRIM_H */
