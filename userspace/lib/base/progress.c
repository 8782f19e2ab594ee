// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The rate shown is that of the last one to two of these, in seconds. */
#define RATE_PERIOD 5.0
#define BAR_MAX 20

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

static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

static double part(uint64_t done, uint64_t total)
{
	if (total == 0)
		return 1;
	return done < total ? (double)done / (double)total : 1;
}

static double seconds_left(uint64_t done, uint64_t total, double rate)
{
	return done < total && rate > 0 ? (double)(total - done) / rate : 0;
}

static size_t grown(size_t capacity, size_t used, int written)
{
	if (written < 0)
		return used;
	return used + (size_t)written < capacity ? used + (size_t)written : capacity - 1;
}

static void print_line(const struct progress *progress, uint64_t done, uint64_t bytes, double rate,
		       double byte_rate)
{
	char line[256];
	const size_t room = sizeof(line);
	size_t used = 0, width = columns() - 1;

	used = grown(room, used, snprintf(line, room, "%s: %" PRIu64, progress->label, done));
	if (progress->total > 0) {
		double so_far = part(done, progress->total);
		double of_bytes = part(bytes, progress->total_bytes);
		double left = seconds_left(done, progress->total, rate);
		double left_bytes = seconds_left(bytes, progress->total_bytes, byte_rate);
		int bar;

		/* What is behind decides: many small files, or few large ones. */
		if (of_bytes < so_far)
			so_far = of_bytes;
		if (left_bytes > left)
			left = left_bytes;
		bar = (int)(so_far * BAR_MAX);
		used = grown(room, used,
			     snprintf(line + used, room - used, " of %" PRIu64 " [%.*s%.*s] %d%%",
				      progress->total, bar, "####################", BAR_MAX - bar,
				      "....................", (int)(so_far * 100)));
		if (left >= 1 && left < 100 * 3600)
			used = grown(room, used,
				     snprintf(line + used, room - used, ", %d:%02d:%02d left",
					      (int)left / 3600, (int)left / 60 % 60,
					      (int)left % 60));
	}
	used = grown(room, used,
		     snprintf(line + used, room - used, ", %.*f/s", rate < 10 ? 1 : 0, rate));
	if (byte_rate >= 1e5)
		used = grown(room, used,
			     snprintf(line + used, room - used, ", %.1f MB/s", byte_rate / 1e6));
	fprintf(stderr, "\r%.*s\033[K", (int)(used < width ? used : width), line);
}

void progress_update_bytes(struct progress *progress, uint64_t done, uint64_t bytes)
{
	struct progress_mark now = { .done = done, .bytes = bytes };
	const struct progress_mark *since = &progress->marks[0];
	struct timespec time;
	double period;

	if (!progress->terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &time);
	now.seconds = seconds_between(&progress->start, &time);
	if (now.seconds < 1 || (progress->shown && seconds_between(&progress->last, &time) < 0.1))
		return;
	if (now.seconds - progress->marks[1].seconds >= RATE_PERIOD) {
		progress->marks[0] = progress->marks[1];
		progress->marks[1] = now;
	}
	period = now.seconds - since->seconds;
	progress->last = time;
	progress->shown = true;
	print_line(progress, done, bytes,
		   done > since->done ? (double)(done - since->done) / period : 0,
		   bytes > since->bytes ? (double)(bytes - since->bytes) / period : 0);
}

void progress_update(struct progress *progress, uint64_t done)
{
	progress_update_bytes(progress, done, 0);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
