// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "seldom.h"

#include <time.h>

/* Milliseconds: what takes less may be found as often as somebody asks. */
#define SHORT 20U

static uint64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

bool seldom_is_due(struct seldom *seldom)
{
	const uint64_t now = milliseconds();

	if (now < seldom->until)
		return false;
	*seldom = (struct seldom){ .began = now };
	return true;
}

void seldom_done(struct seldom *seldom, unsigned int times)
{
	const uint64_t now = milliseconds(), took = now - seldom->began;

	seldom->until = took < SHORT ? 0 : now + times * took;
}
