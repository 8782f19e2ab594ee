/* SPDX-License-Identifier: MIT */
/*
 * What goes through all devices, which of a million takes up to seconds in which this process
 * answers nobody: what was found is told again, for some times as long as it took to find it. Of a
 * few devices it is found anew each time.
 */
#ifndef ASSAY_FLEET_SELDOM_H
#define ASSAY_FLEET_SELDOM_H

#include <stdbool.h>
#include <stdint.h>

/* struct seldom - begin with {0}; @began, @until: milliseconds of CLOCK_MONOTONIC */
struct seldom {
	uint64_t began, until;
};

/* seldom_is_due() - is it to be found now? Then seldom_done() follows, or it is due again. */
bool seldom_is_due(struct seldom *seldom);

/* seldom_done() - it was found, and is to be told for so many times as long as that took */
void seldom_done(struct seldom *seldom, unsigned int times);

#endif /* ASSAY_FLEET_SELDOM_H */
