/* SPDX-License-Identifier: MIT */
/*
 * A line of progress on standard error, for people: only on a terminal, and only
 * for what takes longer than a second. It shows the rate of the last seconds and,
 * where the total is known, the time that is left.
 */
#ifndef ASSAY_BASE_PROGRESS_H
#define ASSAY_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * struct progress - what was shown, and when
 * @total: of what is counted; 0: not known; may be set at any time
 * @total_bytes: of the bytes counted beside it; 0: not known, or they do not matter
 * @marks: how far it was some seconds ago, the older one first
 */
struct progress {
	const char *label;
	uint64_t total, total_bytes;
	struct timespec start, last;
	struct progress_mark {
		double seconds;
		uint64_t done, bytes;
	} marks[2];
	bool terminal, shown;
};

void progress_begin(struct progress *progress, const char *label, uint64_t total);
void progress_update(struct progress *progress, uint64_t done);
/* progress_update_bytes() - also tells the bytes a second, and minds them for the time left */
void progress_update_bytes(struct progress *progress, uint64_t done, uint64_t bytes);
/* Takes the line away. Call it also before anything else is printed; updates may follow. */
void progress_end(struct progress *progress);

#endif /* ASSAY_BASE_PROGRESS_H */
