/* SPDX-License-Identifier: MIT */
/*
 * The pages of the module's regions: what a line of debugfs says of one, and what many
 * such lines come to. Pure functions over bytes and lines; for memory.c. Whatever the
 * regions' size, what is kept grows with their windows alone.
 */
#ifndef ASSAY_MEMORY_PAGES_H
#define ASSAY_MEMORY_PAGES_H

#include "base/bytes.h"

/*
 * States of a page. Those of idle pages come first; all others are a window's. Where a
 * cell of a map stands for several pages, the last of this order shows (of the lent
 * ones, that which most are in).
 */
enum page_state {
	PAGE_UNKNOWN,	/* idle or not: the module was not asked, see memory.h */
	PAGE_HELD,	/* idle, in a region whose idle pages nobody uses */
	PAGE_OFFLINE,	/* idle, and unplugged or about to be: nobody can use it */
	PAGE_LENT,	/* idle, used by the kernel or not */
	PAGE_LENT_FREE, /* in the kernel's free lists */
	PAGE_LENT_USED, /* anything else */
	PAGE_STOCK,	/* from here on claimed: kmod/page_desc.h */
	PAGE_EMPTY,
	PAGE_CLAIMED,
	PAGE_WRITABLE,
	PAGE_PART,
	PAGE_SEALED,
	PAGE_OPEN,
	PAGE_SECRET, /* of a log that goes on after kexec: what its keys are made from */
	PAGE_HEADER,
	PAGE_STATES,
};

/* page_state_name() - as the module has it; lent-free and lent-used for the two kinds of lent */
const char *page_state_name(enum page_state state);

/* page_is_idle() - not of a window; also of PAGE_UNKNOWN */
bool page_is_idle(enum page_state state);

/* page_state_with_flags() - a PAGE_LENT is free or used, by flags as of /proc/kpageflags */
enum page_state page_state_with_flags(enum page_state state, uint64_t flags);

#define PAGE_OWNER_MAX 63 /* bytes of an owner's name */

/**
 * struct page_line - what is said of a page
 * @pfn: its frame's number
 * @state: never PAGE_LENT_FREE or PAGE_LENT_USED
 * @owner: of the window, bytes of foreign origin; "-" of a claimed page that no window has
 *         (about to be one, or never to be given back), of an idle page empty
 * @order: of the claim, counted from 1; 0 without an owner
 * @since: of the claim, seconds since boot; 0 without an owner
 * @has_flags: whether @flags is set
 * @flags: of the page, numbered as in /proc/kpageflags
 */
struct page_line {
	uint64_t pfn;
	enum page_state state;
	struct bytes owner;
	uint64_t order;
	uint64_t since;
	bool has_flags;
	uint64_t flags;
};

/*
 * page_line_take() - the first line of @in: "0xPFN STATE OWNER ORDER SINCE FLAGS"
 * @in: moved behind the line
 * @last: nothing follows @in
 * @ret: its @owner is within @in
 *
 * A page without an owner has "-" for owner, order and since; any page may have it for flags. An
 * owner's name may have spaces in it, the other words not.
 *
 * Return: 1; 0 with nothing taken, if @in is empty or ends within a line and is not the
 *         last; -EBADMSG
 */
int page_line_take(struct bytes *in, bool last, struct page_line *ret, struct assay_error *err);

/* Limits; what goes beyond is refused. */
#define PAGES_MAX_REGION (1ULL << 28) /* pages of a region */
#define PAGES_MAX_REGIONS 64
#define PAGES_MAX_OWNERS 4096
#define PAGES_MAX_RUNS (1U << 20) /* of all windows; a window has at least one */

/* Cells of a region's map: at most so many, each of 1, 2, 4, ... pages. */
#define PAGES_MAX_CELLS 2048

/**
 * struct pages_region - a region's pages
 * @pfn: the first
 * @count: how many
 * @states: how many are in each state
 * @cell_pages: pages a cell
 * @cell_count: cells; the last may have fewer pages
 * @cells: how many pages of each cell are in each state
 */
struct pages_region {
	uint64_t pfn;
	uint64_t count;
	uint64_t states[PAGE_STATES];
	uint64_t cell_pages;
	size_t cell_count;
	uint32_t (*cells)[PAGE_STATES];
};

/**
 * struct pages_owner - somebody's pages in all regions
 * @name: fit to print
 * @states: how many are in each state
 */
struct pages_owner {
	char name[4 * PAGE_OWNER_MAX + 1];
	uint64_t states[PAGE_STATES];
};

/* Pages of a window that follow each other in one state. */
struct pages_run {
	enum page_state state;
	uint64_t count;
};

/**
 * struct pages_window - pages that were claimed together and have one owner
 * @region: index of the region
 * @pfn: the first
 * @count: how many
 * @owner: index of the owner
 * @order: of the claim; 0 where that is not known
 * @since: of the claim, seconds since boot
 * @first_run: index of its first run
 * @run_count: how many it has; they are all of its pages
 */
struct pages_window {
	size_t region;
	uint64_t pfn;
	uint64_t count;
	size_t owner;
	uint64_t order;
	uint64_t since;
	size_t first_run;
	size_t run_count;
};

/**
 * struct pages - what all lines come to; pages_free() it
 * @regions: as given to pages_begin()
 * @owners: in the order of their first page
 * @windows: in the regions' order, by address
 * @runs: of @windows
 * @at_region: index of the region whose page comes next; @region_count at the end
 * @at: that page in it, from 0
 */
struct pages {
	struct pages_region *regions;
	size_t region_count;
	struct pages_owner *owners;
	size_t owner_count, owner_capacity;
	struct pages_window *windows;
	size_t window_count, window_capacity;
	struct pages_run *runs;
	size_t run_count, run_capacity;
	size_t at_region;
	uint64_t at;
};

/* A region's pages, for pages_begin(). */
struct pages_range {
	uint64_t pfn;
	uint64_t count;
};

/*
 * pages_begin() - no line yet
 * @ranges: the regions, in the order in which their lines come
 * @ret: pages_free() it, but after a failure
 *
 * Return: 0; -EPROTO (a region is empty, or larger than any, or there are too many), -ENOMEM
 */
int pages_begin(struct pages *ret, const struct pages_range *ranges, size_t count,
		struct assay_error *err);

/*
 * pages_next() - which page's line comes next
 * Return: false if there is none left
 */
bool pages_next(const struct pages *pages, uint64_t *ret_pfn);

/*
 * pages_add() - the next page's line
 *
 * Return: 0; -EPROTO (it is another page's, or there are more owners or runs than are taken),
 *         -ENOMEM; @pages is then good for pages_free() only
 */
int pages_add(struct pages *pages, const struct page_line *line, struct assay_error *err);

void pages_free(struct pages *pages);

/* pages_cell() - the state that a cell of a map shows; @states has at least one page */
enum page_state pages_cell(const uint32_t states[PAGE_STATES]);

#endif /* ASSAY_MEMORY_PAGES_H */
