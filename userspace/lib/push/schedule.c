// SPDX-License-Identifier: MIT
#include "push/schedule.h"

/* A part of @span, each as likely. */
static uint64_t part_of(uint64_t span, uint32_t chance)
{
	return (uint64_t)((unsigned __int128)span * chance >> 32);
}

uint64_t push_next(const struct push_schedule *schedule, uint64_t next_in, uint32_t chance)
{
	uint64_t due = next_in * 1000;

	if (next_in > schedule->most / 1000)
		due = schedule->most;
	if (due < schedule->least)
		due = schedule->least;
	return due - part_of(due / 100 * schedule->jitter, chance);
}

uint64_t push_retry(const struct push_schedule *schedule, unsigned int failures,
		    uint64_t retry_after, uint32_t chance)
{
	uint64_t wait = schedule->retry_first, asked;

	for (unsigned int i = 1; i < failures && wait < schedule->retry_most; i++)
		wait *= 2;
	if (wait > schedule->retry_most)
		wait = schedule->retry_most;
	wait = wait / 2 + part_of(wait / 2, chance);
	if (retry_after > PUSH_RETRY_AFTER_MAX)
		retry_after = PUSH_RETRY_AFTER_MAX;
	/* Not before what was asked for, and a tenth later at most. */
	asked = retry_after * 1000 + part_of(retry_after * 100, chance);
	return asked > wait ? asked : wait;
}
