/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cutting off the log's oldest records, and sealing pages, as ASSAY_IOC_TRIM and
 * ASSAY_IOC_SEAL describe. Called by chardev. Finds records by walking from the head:
 * there is no index in memory, and what goes has to be read for its digest anyway.
 */
#ifndef _ASSAY_TRIM_H
#define _ASSAY_TRIM_H

#include "ledger.h"

/**
 * assay_trim() - cut off the records before one
 * @ledger: created ledger
 * @request: @keep is read; the rest is set on success, and where a TRIM record waits to
 *           be anchored, else @recnum to ASSAY_RECNUM_NONE
 *
 * While a TRIM record waits to be anchored no other is written: a call tries to anchor it
 * and moves the head as it says, before it looks at @keep.
 *
 * Return: 0; -EINVAL, -ENODATA, -EINTR (killed while waiting), or what
 * assay_ledger_append() returns for the TRIM record. The head is at @keep only with 0.
 */
int assay_trim(struct assay_ledger *ledger, struct assay_trim *request);

/**
 * assay_trim_settle() - cut what a TRIM record says that is anchored by now
 * @ledger: created ledger
 *
 * To be called after anchoring.
 */
void assay_trim_settle(struct assay_ledger *ledger);

/**
 * assay_seal() - have no page that holds some records opened again
 * @ledger: created ledger
 * @request: @first and @count are read, @sealed is set on success
 *
 * Return: 0; -EINVAL, -EINTR, or what assay_ledger_append() returns for the SEAL
 * record.
 */
int assay_seal(struct assay_ledger *ledger, struct assay_seal *request);

#endif /* _ASSAY_TRIM_H */
