/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The append-only log: a header page and a ring of records (uapi/assay.h) in a
 * protected pool, each record anchored in a PCR before the call that brought it
 * returns.
 *
 * Called by chardev, stats and the driver. The fields of a record are made by the
 * caller, as TLVs; the ledger adds what stands before them. Where the bytes lie is the
 * ring's.
 *
 * A log is a row of records, of which the PCR holds the first so many; the rest are
 * pending. Order of an append, all under @lock:
 *  1. what is pending is anchored first, in order
 *  2. the record is written, the header's tail published, the pages closed. It is
 *     pending now, also where the TPM has just failed; but nothing is written once the
 *     PCR has turned out to hold something else than this log
 *  3. the PCR is extended, unless 1 has failed
 *  4. the header's anchored is published
 *
 * Without a TPM the log starts all the same: its records have the digests of all hashes
 * that the kernel can compute. When the first TPM comes, it is extended with what is
 * pending, and a TPM record says what the PCR had held before that.
 *
 * The header page is for readers. The ledger never reads it back: what it decides
 * by is in struct assay_ledger.
 */
#ifndef _ASSAY_LEDGER_H
#define _ASSAY_LEDGER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/uuid.h>

#include "adopt.h"
#include "anchor.h"
#include "cel.h"
#include "ring.h"

/**
 * struct assay_cut - what the newest TRIM record stands for
 * @keep: number of the record that is the log's head once the TRIM record is anchored
 * @head: its offset
 * @values: what the PCR held before it, in each bank
 * @recnum: number of the TRIM record
 * @offset: its offset
 * @pending: it is written, and the head has not moved yet
 */
struct assay_cut {
	u64 keep;
	u64 head;
	u8 values[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
	u64 recnum;
	u64 offset;
	bool pending;
};

/**
 * struct assay_ledger - a log
 * @dev: for messages
 * @lock: serialises appends, and so everything below. The counters are u64s that
 *        only grow and are read without it, in an order in which anchored <= tail
 * @trim_lock: serialises what moves the head or relies on it, and @cut; outside @lock
 * @ring: its bytes
 * @boot_id: of this boot
 * @previous: the log of the boot before, if it was found and kept
 * @flags: ASSAY_LOG_*
 * @based: a record says what the PCR held before the log: START, or TPM
 * @last_error: negative errno of the last failed anchor, 0 once one worked
 * @head_recnum: number of the record at the head
 * @anchored: offset behind the newest anchored one
 * @records: records written
 * @anchored_records: records anchored
 * @anchor_failures: anchors that failed
 * @cut: of the newest TRIM
 * @anchor: the PCR
 */
struct assay_ledger {
	struct device *dev;
	struct mutex lock;	/* see above */
	struct mutex trim_lock; /* see above */
	struct assay_ring ring;
	uuid_t boot_id;
	struct assay_previous previous;
	u32 flags;
	bool based;
	int last_error;
	u64 head_recnum;
	u64 anchored;
	u64 records;
	u64 anchored_records;
	u64 anchor_failures;
	struct assay_cut cut;
	struct assay_anchor anchor;
};

/**
 * assay_ledger_create() - a log
 * @ledger: to initialise; to be released by assay_ledger_destroy()
 * @place: where its memory is claimed
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 *
 * START is written, or KEXEC where a log that is there already goes on, and anchored if
 * there is a TPM.
 *
 * Return: 0, also without a TPM or with one that does not answer; or a negative
 * errno after a dev_err().
 */
int assay_ledger_create(struct assay_ledger *ledger, const struct assay_ring_place *place, u32 pcr);

/**
 * assay_ledger_destroy() - give the log's memory back
 * @ledger: created ledger that nobody maps or calls any more
 */
void assay_ledger_destroy(struct assay_ledger *ledger);

/**
 * assay_ledger_append() - write a record and anchor it
 * @ledger: created ledger; for a TRIM with its trim_lock held and cut set
 * @kind: what the record is
 * @fields: its fields, in pieces, from the second element on; the first is the ledger's
 * @count: elements of @fields
 * @ret_recnum: set to the record's number, ASSAY_RECNUM_NONE if none was written
 * @ret_offset: set to the record's offset in the log, if one was
 *
 * Return: 0 once the record is anchored. With nothing written: -ENOSPC (no room),
 * -ENOMEM, -EINTR (killed while waiting), -EUCLEAN (the PCR is not the log's), -EIO
 * or -EOPNOTSUPP (the pages cannot be opened); for a TRIM, the error of anchoring what
 * comes before it. With the record written and pending: the error of anchoring it, or
 * what comes before it. @ret_recnum tells which.
 */
int assay_ledger_append(struct assay_ledger *ledger, enum assay_record_kind kind,
			struct kvec *fields, unsigned int count, u64 *ret_recnum, u64 *ret_offset);

/**
 * assay_ledger_anchor() - anchor what is pending, in order
 * @ledger: created ledger
 * @ret_records: set to the records that are anchored
 * @ret_offset: set to the offset behind them
 *
 * Return: 0 if all are; the error of anchoring the next one, with both values set; or
 * -EINTR (killed while waiting), with none.
 */
int assay_ledger_anchor(struct assay_ledger *ledger, u64 *ret_records, u64 *ret_offset);

/**
 * assay_ledger_set_head() - the log begins where its cut says
 * @ledger: created ledger, with its trim_lock held and its TRIM record anchored
 *
 * Return: 0; or why the header could not be changed, and the head is where it was; or -EIO,
 * it could not be protected again, and the log takes no more.
 */
int assay_ledger_set_head(struct assay_ledger *ledger);

/**
 * assay_ledger_fill_page() - have the page that the log's byte before @end is in full
 * @ledger: created ledger, with its trim_lock held
 * @end: offset behind a record
 *
 * Return: as assay_ledger_append(), for the SEAL record if one is needed.
 */
int assay_ledger_fill_page(struct assay_ledger *ledger, u64 end);

/**
 * assay_ledger_unsettled() - may anchoring again help
 * @ledger: created ledger
 *
 * Takes no lock. Return: whether the last try failed, and not for good.
 */
static inline bool assay_ledger_unsettled(const struct assay_ledger *ledger)
{
	int error = READ_ONCE(ledger->last_error);

	return error && error != -EUCLEAN;
}

/**
 * assay_ledger_info() - the ledger's part of struct assay_info
 * @ledger: created ledger
 * @info: to fill in, all but flags
 *
 * Does not wait for an append in flight.
 */
void assay_ledger_info(struct assay_ledger *ledger, struct assay_info *info);

#endif /* _ASSAY_LEDGER_H */
