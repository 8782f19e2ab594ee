/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to do with a log that a static region has kept. If the PCR holds what the log
 * says, the machine was not reset since: the log goes on, with a KEXEC record (also after
 * the module was loaded again). Else it is the log of the boot before: as much of it as is
 * good is copied to a pool of its own, for reading alone, and a fresh log begins. Called by
 * the ledger when it is created.
 */
#ifndef _ASSAY_ADOPT_H
#define _ASSAY_ADOPT_H

#include <linux/uuid.h>

#include "uapi/assay.h"

struct assay_ledger;
struct pmalloc_pool;

/**
 * struct assay_previous - the log of the boot before
 * @pool: its memory, read-only; NULL if there is none
 * @pfn: first page frame: of a header page, behind which is a ring
 * @ring_pages: pages of the ring
 */
struct assay_previous {
	struct pmalloc_pool *pool;
	unsigned long pfn;
	unsigned long ring_pages;
};

/**
 * assay_adopt() - look at what is in the ledger's window
 * @ledger: whose ring has nothing claimed yet, and whose anchor has looked for a TPM
 * @ret_boot_before: set, where the log goes on, to the boot id of the one before
 *
 * A log that cannot be kept for want of memory is lost, after a message that says so.
 *
 * Return: 1 if the log goes on: ring, counters and anchor are as they were; 0 if a fresh
 * one is to begin; a negative errno after a dev_err().
 */
int assay_adopt(struct assay_ledger *ledger, uuid_t *ret_boot_before);

/**
 * assay_previous_free() - give the memory of the boot before's log back
 * @previous: that nobody maps any more
 */
void assay_previous_free(struct assay_previous *previous);

#endif /* _ASSAY_ADOPT_H */
