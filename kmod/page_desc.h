/* SPDX-License-Identifier: GPL-2.0-only */
/* One descriptor for each claimed page. */
#ifndef _ASSAY_PAGE_DESC_H
#define _ASSAY_PAGE_DESC_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/types.h>

enum assay_page_type {
	ASSAY_PAGE_FREE,   /* not handed out by an allocation yet */
	ASSAY_PAGE_HEADER, /* of the log: rewritten with each append, never sealed */
	ASSAY_PAGE_RING,
	ASSAY_PAGE_SECRET,  /* of the log: what readers must not see */
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
 * @since: of its claim: seconds since boot
 * @bits: state, type, and how many of its bytes hold data, 0 to PAGE_SIZE: read by
 *        assay_page_*(); written by assay_page_set_*() and assay_window_set_state()
 *
 * What is the same for all pages is the window's: owner, and order of the claim.
 */
struct assay_page_desc {
	u32 since;
	u32 bits;
};

static_assert(sizeof(struct assay_page_desc) == 8);

#define ASSAY_PAGE_STATE GENMASK(3, 0)
#define ASSAY_PAGE_TYPE GENMASK(7, 4)
#define ASSAY_PAGE_USED GENMASK(31, 8)

static_assert(ASSAY_PAGE_STATES <= 1 << 4);
static_assert(PAGE_SIZE < 1 << 24);

static inline enum assay_page_state assay_page_state(const struct assay_page_desc *desc)
{
	return FIELD_GET(ASSAY_PAGE_STATE, READ_ONCE(desc->bits));
}

static inline enum assay_page_type assay_page_type(const struct assay_page_desc *desc)
{
	return FIELD_GET(ASSAY_PAGE_TYPE, READ_ONCE(desc->bits));
}

static inline u32 assay_page_used(const struct assay_page_desc *desc)
{
	return FIELD_GET(ASSAY_PAGE_USED, READ_ONCE(desc->bits));
}

static inline void assay_page_set_type(struct assay_page_desc *desc, enum assay_page_type type)
{
	u32 bits = desc->bits & ~ASSAY_PAGE_TYPE;

	WRITE_ONCE(desc->bits, bits | FIELD_PREP(ASSAY_PAGE_TYPE, type));
}

static inline void assay_page_set_used(struct assay_page_desc *desc, u32 used)
{
	u32 bits = desc->bits & ~ASSAY_PAGE_USED;

	WRITE_ONCE(desc->bits, bits | FIELD_PREP(ASSAY_PAGE_USED, used));
}

const char *assay_page_state_name(const struct assay_page_desc *desc);

#endif /* _ASSAY_PAGE_DESC_H */
