/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to keep a window's pages from being written. Which one depends on its region. */
#ifndef _ASSAY_PROTECT_H
#define _ASSAY_PROTECT_H

#include <linux/types.h>

#include "pages.h"
#include "uapi/assay.h"

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

/* What a write to a mapped address does; where it faults that is no oops. */
bool assay_protect_try_write(void *target);

#endif /* _ASSAY_PROTECT_H */
