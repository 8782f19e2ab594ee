// SPDX-License-Identifier: MIT
/*
 * A machine whose clock is wrong by $OTHER_CLOCK seconds, for a program that it is loaded into by
 * LD_PRELOAD: it stands before the C library's time(). SQLite and PostgreSQL ask otherwise.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

static long error;

static void __attribute__((constructor)) read_error(void)
{
	const char *text = getenv("OTHER_CLOCK");

	error = text ? atol(text) : 0;
}

time_t time(time_t *timer)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += error;
	if (timer)
		*timer = now.tv_sec;
	return now.tv_sec;
}
