/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One descriptor for each claimed page: whose it is, in which state, since when.
 * Kept beside struct page, not in it, and typed, so that nobody has to know which
 * fields of struct page mean what for a page of ours.
 *
 * States of a page, and who changes them:
 *
 *	lent	the kernel's own, used for movable pages, or (static) held idle: no
 *		descriptor, or LENT in a window that is filled part by part	window
 *	CLAIMED	taken from the kernel by a window, writable, content undefined
 *	STOCK	cleared and read-only, claimed ahead of need		stock
 *	EMPTY	a pool's, read-only, holds no data			pmalloc
 *	WRITABLE a pool's that has not been protected yet		pmalloc
 *	OPEN	a pool's protected page while its bytes are written	pmalloc
 *	PART	read-only, holds data, may be opened again		pmalloc
 *	SEALED	read-only and never opened again			pmalloc
 *
 * Written by whoever serialises use of the window (the lock of the pool or of the
 * stock); read without a lock by whoever shows the pages, hence READ_ONCE() and
 * WRITE_ONCE() for @state, @type and @used.
 *
 * What may be touched of struct page. While a page is claimed it has no user but
 * its window: a reference count of one, no mapping, no flags that say otherwise.
 * Of its fields the module uses @private alone, which names the descriptor from
 * claim to release; every other field is left as the allocator made it, and is
 * only read. assay_page_check() is that rule, as code. Pages of a static region
 * are PageReserved besides; the rule is the same.
 */
#ifndef _ASSAY_PAGE_DESC_H
#define _ASSAY_PAGE_DESC_H

#include <linux/build_bug.h>
#include <linux/types.h>

struct page;

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

/**
 * assay_page_attach() - name a page's descriptor in it
 * @page: just claimed
 * @desc: its descriptor, which lives until assay_page_detach()
 */
void assay_page_attach(struct page *page, struct assay_page_desc *desc);

/**
 * assay_page_detach() - before a page goes back to the kernel
 * @page: claimed
 *
 * Warns where the page is not as assay_page_check() wants it.
 */
void assay_page_detach(struct page *page);

/**
 * assay_page_desc_of() - the descriptor of a claimed page
 * @page: claimed, and it stays so
 */
struct assay_page_desc *assay_page_desc_of(const struct page *page);

/**
 * assay_page_check() - is a claimed page as the rules above say
 * @page: claimed
 * @desc: its descriptor
 *
 * Return: NULL, or what is wrong with it.
 */
const char *assay_page_check(const struct page *page, const struct assay_page_desc *desc);

/**
 * assay_page_state_name() - a state's name, for debugfs
 * @desc: descriptor; read once
 *
 * Return: lent, claimed, stock, empty, writable, open, part or sealed; header for the
 * log's header page while it is not open.
 */
const char *assay_page_state_name(const struct assay_page_desc *desc);

#endif /* _ASSAY_PAGE_DESC_H */
