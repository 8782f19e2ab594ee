// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "compat.h"
#include "page_desc.h"

/* What a page that nobody but its claimer has does not carry. */
#define ASSAY_PAGE_FLAGS_REFUSED                                                             \
	(BIT(PG_locked) | BIT(PG_lru) | BIT(PG_active) | BIT(PG_dirty) | BIT(PG_writeback) | \
	 BIT(PG_private) | BIT(PG_head))

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

void assay_page_attach(struct page *page, struct assay_page_desc *desc)
{
	set_page_private(page, (unsigned long)desc);
	assay_page_assert(page, desc);
}

void assay_page_detach(struct page *page)
{
	assay_page_assert(page, assay_page_desc_of(page));
	set_page_private(page, 0);
}

struct assay_page_desc *assay_page_desc_of(const struct page *page)
{
	return (struct assay_page_desc *)page_private(page);
}

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
