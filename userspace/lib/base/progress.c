// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void progress_begin(struct progress *progress, const char *label, uint64_t total)
{
	*progress = (struct progress){ .label = label, .total = total };
	progress->terminal = isatty(STDERR_FILENO);
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	progress->last = progress->start;
}

void progress_update(struct progress *progress, uint64_t done)
{
	struct timespec now;

	if (!progress->terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds_between(&progress->start, &now) < 1 ||
	    (progress->shown && seconds_between(&progress->last, &now) < 0.1))
		return;
	progress->last = now;
	progress->shown = true;
	if (progress->total > 0)
		fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " (%d%%)\033[K", progress->label,
			done, progress->total,
			(int)(100.0 * (double)done / (double)progress->total));
	else
		fprintf(stderr, "\r%s: %" PRIu64 "\033[K", progress->label, done);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
