/* SPDX-License-Identifier: GPL-2.0-only */
/* The log's one window: pages at an exact address that come and go, read-only but for a write. */
#ifndef _ASSAY_LOG_WINDOW_H
#define _ASSAY_LOG_WINDOW_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "pages.h"
#include "uapi/assay.h"

struct assay_region;

/**
 * struct assay_log_window - a window that is read-only from the first byte
 * @lock: held from assay_log_window_begin() to assay_log_window_end(); protects all below
 * @area: its pages, those of which that are taken being protected, or not if @area says why
 * @filled: some have been taken
 * @broken: an error after which it is not known what is protected; nothing is opened then
 */
struct assay_log_window {
	struct mutex lock; /* see above */
	struct assay_area area;
	bool filled;
	int broken;
};

/**
 * struct assay_log_range - bytes to be written
 * @offset: of the first, in the window
 * @size: bytes, at least one
 */
struct assay_log_range {
	unsigned long offset;
	unsigned long size;
};

void assay_log_window_allow_unprotected(bool allow);
int assay_log_window_reserve(struct assay_log_window *log, struct assay_region *region,
			     unsigned long pfn, unsigned long count, const char *name);
int assay_log_window_claim(struct assay_log_window *log, struct assay_region *region,
			   unsigned long count, const char *name);
int assay_log_window_fill(struct assay_log_window *log, unsigned long first, unsigned long count,
			  enum assay_page_type type);
int assay_log_window_keep(struct assay_log_window *log, unsigned long first, unsigned long count,
			  enum assay_page_type type);
bool assay_log_window_empty(struct assay_log_window *log, unsigned long first, unsigned long count);
void assay_log_window_note_used(struct assay_log_window *log, unsigned long first,
				unsigned long count);
int assay_log_window_begin(struct assay_log_window *log, const struct assay_log_range *ranges,
			   unsigned int range_count, struct assay_open *open);
int assay_log_window_end(struct assay_log_window *log, struct assay_open *open);
enum assay_protection assay_log_window_protection(const struct assay_log_window *log);
const char *assay_log_window_protection_name(const struct assay_log_window *log);
void assay_log_window_destroy(struct assay_log_window *log);

#endif /* _ASSAY_LOG_WINDOW_H */
