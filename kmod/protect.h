/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to keep a window's pages from being written. Which one depends on its region. */
#ifndef _ASSAY_PROTECT_H
#define _ASSAY_PROTECT_H

#include <linux/mm.h>
#include <linux/types.h>

#include "uapi/assay.h"

struct assay_protect_ops;
struct assay_window;

/* A write of the log: its header page, and a ring's bytes in two parts where they wrap. */
#define ASSAY_OPEN_MAX 3

/**
 * struct assay_area - a window's pages
 * @window: window
 * @base: where its first page is read
 * @ops: how they are protected
 * @unprotectable: NULL, or why they cannot be; for people
 */
struct assay_area {
	struct assay_window *window;
	unsigned long base;
	const struct assay_protect_ops *ops;
	const char *unprotectable;
};

/**
 * struct assay_pages - some pages of an area
 * @area: area
 * @first: index of the first
 * @count: how many, at least one
 */
struct assay_pages {
	struct assay_area *area;
	unsigned long first;
	unsigned long count;
};

/**
 * struct assay_open - pages that are open for writing
 * @pages: which
 * @address: of each of these, where its first page is written
 * @count: how many there are of both
 * @mapping: the backend's, from open to close
 */
struct assay_open {
	struct assay_pages pages[ASSAY_OPEN_MAX];
	unsigned long address[ASSAY_OPEN_MAX];
	unsigned int count;
	void *mapping;
};

/**
 * struct assay_protect_ops - a way to protect pages
 * @kind: enum assay_protection
 * @name: for people, as sysfs has it
 * @map: set the area's base, where all of its pages are read from now on; 0, -ENOMEM, or
 *       another errno after a dev_err()
 * @unmap: undo map, NULL if there is nothing to undo
 * @check: can these pages, just claimed, be protected; 0, or -EOPNOTSUPP and the reason
 * @take: pages that check accepted, just claimed, are read-only from now on, cleared if
 *        @clear. Verified. 0, or an errno with them as they were
 * @give: the contrary of take: the next owner can write to them. 0, or an errno with them
 *        as they were
 * @open: let the owner write to the pages: sets the addresses. 0, or an errno with nothing
 *        opened
 * @close: nobody can write to the pages any more. Verified. 0, or an errno, and it is not
 *         known what holds
 *
 * All may sleep. The caller serialises calls for the same pages.
 *
 * Protection keys for the kernel's own mappings would be another one: take gives the pages
 * a key that no CPU may write with, open lets this CPU alone.
 */
struct assay_protect_ops {
	enum assay_protection kind;
	const char *name;
	int (*map)(struct assay_area *area);
	void (*unmap)(struct assay_area *area);
	int (*check)(const struct assay_pages *pages, const char **ret_why);
	int (*take)(const struct assay_pages *pages, bool clear);
	int (*give)(const struct assay_pages *pages);
	int (*open)(struct assay_open *open);
	int (*close)(struct assay_open *open);
};

extern const struct assay_protect_ops assay_protect_linear;
extern const struct assay_protect_ops assay_protect_private;

bool assay_protect_try_write(void *target);

/**
 * assay_pages_address() - where pages are read
 * @pages: pages
 */
static inline unsigned long assay_pages_address(const struct assay_pages *pages)
{
	return pages->area->base + (pages->first << PAGE_SHIFT);
}

#endif /* _ASSAY_PROTECT_H */
