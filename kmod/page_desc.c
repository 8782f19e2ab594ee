// SPDX-License-Identifier: GPL-2.0-only
/*
 * One descriptor for each claimed page: whose it is, in which state, since when.
 * Kept beside struct page, in an array of its window: no field of struct page is
 * used.
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
 * WRITE_ONCE() in what reads and writes the bits.
 */
#include "page_desc.h"

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
	enum assay_page_state state = assay_page_state(desc);

	if (state != ASSAY_PAGE_OPEN && assay_page_type(desc) == ASSAY_PAGE_HEADER)
		return "header";
	if (state != ASSAY_PAGE_OPEN && assay_page_type(desc) == ASSAY_PAGE_SECRET)
		return "secret";
	return names[state];
}
