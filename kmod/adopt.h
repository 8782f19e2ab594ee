/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes on with a log that memory has kept, or keeps it for reading. */
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

int assay_adopt(struct assay_ledger *ledger, uuid_t *ret_boot_before);
void assay_previous_free(struct assay_previous *previous);

#endif /* _ASSAY_ADOPT_H */
