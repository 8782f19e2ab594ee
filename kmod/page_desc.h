/* SPDX-License-Identifier: GPL-2.0-only */
/* One descriptor for each claimed page. */
#ifndef _ASSAY_PAGE_DESC_H
#define _ASSAY_PAGE_DESC_H

#include <linux/build_bug.h>
#include <linux/types.h>

enum assay_page_type {
	ASSAY_PAGE_FREE,   /* not handed out by an allocation yet */
	ASSAY_PAGE_HEADER, /* of the log: rewritten with each append, never sealed */
	ASSAY_PAGE_RING,
	ASSAY_PAGE_OBJECTS, /* of a pool that others allocate from */
};

enum assay_page_state {
	ASSAY_PAGE_LENT,
	ASSAY_PAGE_CLAIMED,
	ASSAY_PAGE_STOCK,
	ASSAY_PAGE_EMPTY,
	ASSAY_PAGE_WRITABLE,
	ASSAY_PAGE_OPEN,
	ASSAY_PAGE_PART,
	ASSAY_PAGE_SEALED,
	ASSAY_PAGE_STATES,
};

/* Owners that are not pools. */
#define ASSAY_OWNER_WINDOW 0 /* a window of its own, see window.h */
#define ASSAY_OWNER_STOCK 1
#define ASSAY_OWNER_FIRST_POOL 2

/**
 * struct assay_page_desc - a claimed page
 * @order: of its window: the module's windows are counted from 1
 * @since: of its claim: seconds since boot
 * @used: bytes of the page that hold data, 0 to PAGE_SIZE
 * @owner: ASSAY_OWNER_* or a pool's id
 * @type: enum assay_page_type
 * @state: enum assay_page_state
 */
struct assay_page_desc {
	u32 order;
	u32 since;
	u32 used;
	u16 owner;
	u8 type;
	u8 state;
};

static_assert(sizeof(struct assay_page_desc) == 16);

const char *assay_page_state_name(const struct assay_page_desc *desc);

#endif /* _ASSAY_PAGE_DESC_H */
