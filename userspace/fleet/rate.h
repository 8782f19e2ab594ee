/* SPDX-License-Identifier: MIT */
/*
 * How often somebody may ask, for processes that share the memory: a table of times, one for each
 * name by a keyed digest, without locks. Names that fall together share what they may.
 */
#ifndef ASSAY_FLEET_RATE_H
#define ASSAY_FLEET_RATE_H

#include "base/bytes.h"

struct rates;

/* rates_new() - before there are other processes. Return: 0; -ENOMEM */
int rates_new(struct rates **ret, struct assay_error *err);
void rates_free(struct rates *rates); /* does nothing with NULL */

/*
 * rates_wait() - may it ask now? If so that is counted
 * @per_minute: how often at most in any minute, up to 60 millions; 0: as often as it wants
 * @now: milliseconds of a clock that only moves on, the same for all processes
 *
 * Return: 0; or in how many seconds it may
 */
unsigned int rates_wait(struct rates *rates, const char *who, uint64_t per_minute, uint64_t now);

#endif /* ASSAY_FLEET_RATE_H */
