/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One descriptor for each page that a pool has claimed: what the page is for, in
 * which state it is, and which part of the log it holds. Written under the lock
 * of the pool's owner; read without a lock by whoever shows the pages, so @state
 * is accessed with READ_ONCE() and WRITE_ONCE().
 *
 * States of a page, and who changes them:
 *
 *	(lent) --claim--> EMPTY <--> OPEN --> PART <--> OPEN --> SEALED
 *
 *	lent	has no descriptor: the kernel's own, used for movable pages
 *	EMPTY	claimed and read-only, holds no data
 *	OPEN	writable, between pmalloc_begin_write() and pmalloc_end_write()
 *	PART	read-only, has data and room for more
 *	SEALED	read-only and full: pmalloc_begin_write() refuses it
 *
 * A HEADER page is rewritten with every append, so it never becomes SEALED.
 */
#ifndef _ASSAY_PAGE_DESC_H
#define _ASSAY_PAGE_DESC_H

#include <linux/build_bug.h>
#include <linux/types.h>

enum assay_page_type {
	ASSAY_PAGE_FREE, /* claimed by a pool, not handed out by pzalloc() yet */
	ASSAY_PAGE_HEADER,
	ASSAY_PAGE_RING,
};

enum assay_page_state {
	ASSAY_PAGE_EMPTY,
	ASSAY_PAGE_OPEN,
	ASSAY_PAGE_PART,
	ASSAY_PAGE_SEALED,
};

/**
 * struct assay_page_desc - a claimed page
 * @offset: RING: offset in the log of the page's first byte
 * @used: bytes of the page that hold data
 * @type: enum assay_page_type
 * @state: enum assay_page_state
 * @reserved: 0
 */
struct assay_page_desc {
	u64 offset;
	u32 used;
	u8 type;
	u8 state;
	u16 reserved;
};

static_assert(sizeof(struct assay_page_desc) == 16);

#endif /* _ASSAY_PAGE_DESC_H */
