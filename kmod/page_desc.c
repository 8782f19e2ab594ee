// SPDX-License-Identifier: GPL-2.0-only
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
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "compat.h"
#include "page_desc.h"

/* What a page that nobody but its claimer has does not carry. */
#define ASSAY_PAGE_FLAGS_REFUSED                                                             \
	(BIT(PG_locked) | BIT(PG_lru) | BIT(PG_active) | BIT(PG_dirty) | BIT(PG_writeback) | \
	 BIT(PG_private) | BIT(PG_head))

/**
 * assay_page_check() - is a claimed page as the rules above say
 * @page: claimed
 * @desc: its descriptor
 *
 * Return: NULL, or what is wrong with it.
 */
const char *assay_page_check(const struct page *page, const struct assay_page_desc *desc)
{
	if (page_ref_count(page) != 1)
		return "its reference count is not 1";
	if (READ_ONCE(page->mapping))
		return "it belongs to a mapping";
	if (assay_page_flags(page) & ASSAY_PAGE_FLAGS_REFUSED)
		return "its flags say that it is in use";
	if (page_private(page) != (unsigned long)desc)
		return "it does not name its descriptor";
	return NULL;
}

static void assay_page_assert(const struct page *page, const struct assay_page_desc *desc)
{
	const char *wrong = assay_page_check(page, desc);

	WARN(wrong, "page frame %#lx is not as a claimed page must be: %s\n", page_to_pfn(page),
	     wrong);
}

/**
 * assay_page_attach() - name a page's descriptor in it
 * @page: just claimed
 * @desc: its descriptor, which lives until assay_page_detach()
 */
void assay_page_attach(struct page *page, struct assay_page_desc *desc)
{
	set_page_private(page, (unsigned long)desc);
	assay_page_assert(page, desc);
}

/**
 * assay_page_detach() - before a page goes back to the kernel
 * @page: claimed
 *
 * Warns where the page is not as assay_page_check() wants it.
 */
void assay_page_detach(struct page *page)
{
	assay_page_assert(page, assay_page_desc_of(page));
	set_page_private(page, 0);
}

/**
 * assay_page_desc_of() - the descriptor of a claimed page
 * @page: claimed, and it stays so
 */
struct assay_page_desc *assay_page_desc_of(const struct page *page)
{
	return (struct assay_page_desc *)page_private(page);
}

/**
 * assay_page_state_name() - a state's name, for debugfs
 * @desc: descriptor; read once
 *
 * Return: lent, claimed, stock, empty, writable, open, part or sealed; header for the
 * log's header page while it is not open.
 */
const char *assay_page_state_name(const struct assay_page_desc *desc)
{
	static const char *const names[ASSAY_PAGE_STATES] = {
		[ASSAY_PAGE_LENT] = "lent",	    [ASSAY_PAGE_CLAIMED] = "claimed",
		[ASSAY_PAGE_STOCK] = "stock",	    [ASSAY_PAGE_EMPTY] = "empty",
		[ASSAY_PAGE_WRITABLE] = "writable", [ASSAY_PAGE_OPEN] = "open",
		[ASSAY_PAGE_PART] = "part",	    [ASSAY_PAGE_SEALED] = "sealed",
	};
	u8 state = READ_ONCE(desc->state);

	if (state != ASSAY_PAGE_OPEN && READ_ONCE(desc->type) == ASSAY_PAGE_HEADER)
		return "header";
	return names[state];
}
