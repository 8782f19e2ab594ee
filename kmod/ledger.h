/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The append-only log: a header page and a ring of records (uapi/assay.h) in a
 * protected pool, each record anchored in a PCR before the call that brought it
 * returns.
 *
 * Called by chardev, stats and the driver. The content of a record is made by the
 * caller, as TLVs; the ledger adds what stands before it. Where the bytes lie is the
 * ring's.
 *
 * Order of an append, all under @lock:
 *  1. what is pending is anchored first; if that fails, nothing is written. So at
 *     most one record is ever pending, and the state is always one of two: the PCR
 *     holds everything, or everything but the last record.
 *  2. the record is written, the header's tail published, the pages closed
 *  3. the PCR is extended
 *  4. the header's anchored is published
 *
 * The header page is for readers. The ledger never reads it back: what it decides
 * by is in struct assay_ledger.
 */
#ifndef _ASSAY_LEDGER_H
#define _ASSAY_LEDGER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uuid.h>

#include "anchor.h"
#include "cel.h"
#include "ring.h"

/**
 * struct assay_ledger - a log
 * @dev: for messages
 * @lock: serialises appends, and so everything below. The counters are u64s that
 *        only grow and are read without it, in an order in which anchored <= tail
 * @ring: its bytes
 * @boot_id: of this boot
 * @started: whether START is written
 * @last_error: negative errno of the last failed anchor, 0 once one worked
 * @anchored: offset behind the newest anchored one
 * @records: records written
 * @anchored_records: records anchored
 * @anchor_failures: anchors that failed
 * @anchor: the PCR
 */
struct assay_ledger {
	struct device *dev;
	struct mutex lock; /* see above */
	struct assay_ring ring;
	uuid_t boot_id;
	bool started;
	int last_error;
	u64 anchored;
	u64 records;
	u64 anchored_records;
	u64 anchor_failures;
	struct assay_anchor anchor;
};

/**
 * assay_ledger_create() - an empty log
 * @ledger: to initialise; to be released by assay_ledger_destroy()
 * @region: where its memory is claimed
 * @pfn: first page frame of the window
 * @count: pages of the window
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 *
 * If there is a TPM, START is written and anchored; if not, that happens with the
 * first append that finds one.
 *
 * Return: 0, also without a TPM or with one that does not answer; or a negative
 * errno after a dev_err().
 */
int assay_ledger_create(struct assay_ledger *ledger, struct assay_region *region, unsigned long pfn,
			unsigned long count, u32 pcr);

/**
 * assay_ledger_destroy() - give the log's memory back
 * @ledger: created ledger that nobody maps or calls any more
 */
void assay_ledger_destroy(struct assay_ledger *ledger);

/**
 * assay_ledger_begin() - start the content of a record: its kind and the time
 * @ledger: created ledger
 * @content: to initialise; to be freed by assay_cel_free(), whatever happens
 * @kind: what the record is
 */
void assay_ledger_begin(struct assay_ledger *ledger, struct assay_cel *content,
			enum assay_record_kind kind);

/**
 * assay_ledger_append() - write a record and anchor it
 * @ledger: created ledger
 * @content: what assay_ledger_begin() started, with the record's fields
 * @ret_recnum: set to the record's number
 * @ret_offset: set to the record's offset in the log
 *
 * Return: 0 once the record is anchored. With nothing written: -ENOSPC (no room),
 * -ENOMEM, -EINTR (killed while waiting), -ENODEV (no TPM), or the error of anchoring
 * what was pending before.
 * Otherwise the error of anchoring this record, which stays pending.
 */
int assay_ledger_append(struct assay_ledger *ledger, struct assay_cel *content, u64 *ret_recnum,
			u64 *ret_offset);

/**
 * assay_ledger_info() - the ledger's part of struct assay_info
 * @ledger: created ledger
 * @info: to fill in, all but flags
 *
 * Does not wait for an append in flight.
 */
void assay_ledger_info(struct assay_ledger *ledger, struct assay_info *info);

#endif /* _ASSAY_LEDGER_H */
