/* SPDX-License-Identifier: GPL-2.0-only */
/* Continues a log that memory has kept, or keeps it for reading. */
#ifndef _ASSAY_ADOPT_H
#define _ASSAY_ADOPT_H

#include <linux/uuid.h>

#include "log_window.h"
#include "uapi/assay.h"

struct assay_anchor;
struct assay_chain;
struct assay_ring;

/**
 * struct assay_previous - the log of the boot before
 * @memory: its memory, read-only
 * @pfn: first page frame: of a header page, behind which is a ring
 * @ring_pages: pages of the ring; 0 if there is no such log
 */
struct assay_previous {
	struct assay_log_window memory;
	unsigned long pfn;
	unsigned long ring_pages;
};

/**
 * struct assay_adopted - a log that goes on
 * @boot_before: boot id of the kernel that wrote it
 * @head_recnum: number of the record at its head
 * @records: records written
 * @anchored_records: of them, anchored
 * @anchored: offset behind these
 */
struct assay_adopted {
	uuid_t boot_before;
	u64 head_recnum;
	u64 records;
	u64 anchored_records;
	u64 anchored;
};

int assay_adopt(struct assay_ring *ring, struct assay_anchor *anchor, struct assay_chain *chain,
		struct assay_previous *previous, struct assay_adopted *ret);
void assay_previous_free(struct assay_previous *previous);

#endif /* _ASSAY_ADOPT_H */
