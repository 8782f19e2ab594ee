/* SPDX-License-Identifier: MIT */
/*
 * A line of progress on standard error, for people: only on a terminal, and only
 * for what takes longer than a second.
 */
#ifndef ASSAY_BASE_PROGRESS_H
#define ASSAY_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	const char *label;
	uint64_t total; /* 0: not known */
	struct timespec start, last;
	bool terminal, shown;
};

void progress_begin(struct progress *progress, const char *label, uint64_t total);
void progress_update(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

#endif /* ASSAY_BASE_PROGRESS_H */
