/* SPDX-License-Identifier: GPL-2.0-only */
/* The append-only log: records, each anchored in a PCR before its call returns. */
#ifndef _ASSAY_LEDGER_H
#define _ASSAY_LEDGER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/uuid.h>

#include "adopt.h"
#include "anchor.h"
#include "cel.h"
#include "chain.h"
#include "ring.h"

/**
 * struct assay_entry - a record to be written
 * @kind: what it is
 * @fields: its fields, in pieces; the first element and the last are for the ledger
 * @count: elements of @fields
 * @head_after: where the log begins once the record is anchored; 0 where it does now
 */
struct assay_entry {
	enum assay_record_kind kind;
	struct kvec *fields;
	unsigned int count;
	u64 head_after;
};

/**
 * struct assay_cut - where a log can begin
 * @keep: number of the oldest record
 * @head: its offset
 * @values: what the PCR held before it, in each bank
 */
struct assay_cut {
	u64 keep;
	u64 head;
	u8 values[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
};

/**
 * struct assay_ledger - a log
 * @dev: for messages
 * @lock: serialises appends, and so everything below. The counters are u64s that
 *        only grow and are read without it, in an order in which anchored <= tail
 * @ring: its bytes
 * @boot_id: of this boot
 * @previous: the log of the boot before, if it was found and kept
 * @flags: ASSAY_LOG_*
 * @banks_named: so many PCR banks are named in the header
 * @based: a record says what the PCR held before the log: START, or TPM
 * @last_error: negative errno of the last failed anchor, 0 once one worked
 * @head_recnum: number of the record at the head
 * @anchored: offset behind the newest anchored one
 * @records: records written
 * @anchored_records: records anchored
 * @verified_records: of them, when the PCR was last read and held what the log says
 * @anchor_failures: anchors that failed
 * @anchor: the PCR
 * @chain: the keys of its records
 */
struct assay_ledger {
	struct device *dev;
	struct mutex lock; /* see above */
	struct assay_ring ring;
	uuid_t boot_id;
	struct assay_previous previous;
	u32 flags;
	unsigned int banks_named;
	bool based;
	int last_error;
	u64 head_recnum;
	u64 anchored;
	u64 records;
	u64 anchored_records;
	u64 verified_records;
	u64 anchor_failures;
	struct assay_anchor anchor;
	struct assay_chain chain;
};

int assay_ledger_create(struct assay_ledger *ledger, const struct assay_ring_place *place, u32 pcr,
			unsigned int verify);
void assay_ledger_destroy(struct assay_ledger *ledger);
int assay_ledger_append(struct assay_ledger *ledger, const struct assay_entry *entry,
			u64 *ret_recnum, u64 *ret_offset);
int assay_ledger_anchor(struct assay_ledger *ledger, u64 *ret_records, u64 *ret_offset);
int assay_ledger_key(struct assay_ledger *ledger, u64 recnum, u8 *ret_key);
int assay_ledger_set_head(struct assay_ledger *ledger, const struct assay_cut *cut);
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
 * assay_ledger_unverified() - are there anchored records of which only the TPM's answer is known
 * @ledger: created ledger
 *
 * Takes no lock.
 */
static inline bool assay_ledger_unverified(const struct assay_ledger *ledger)
{
	return READ_ONCE(ledger->verified_records) != READ_ONCE(ledger->anchored_records);
}

void assay_ledger_info(struct assay_ledger *ledger, struct assay_info *info);

#endif /* _ASSAY_LEDGER_H */
