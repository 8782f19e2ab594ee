/* SPDX-License-Identifier: MIT */
/*
 * The time that all processes go by that share a database: the database's. Where each went by its
 * machine's, a device whose verdict came from one that is behind would be called silent by the
 * next.
 */
#ifndef ASSAY_FLEET_CLOCK_H
#define ASSAY_FLEET_CLOCK_H

#include "store.h"

/* Seconds by which two clocks may differ, and are the same. */
#define CLOCK_SLACK 5

/* clock_read() - seconds since 1970-01-01 00:00 UTC, as the database has it now */
int clock_read(struct store *store, uint64_t *ret, struct assay_error *err);

/*
 * clock_compare() - this machine's clock with the database's
 * @ret_ahead: seconds that the database is ahead, negative: behind; 0: they are the same
 */
int clock_compare(struct store *store, int64_t *ret_ahead, struct assay_error *err);

/*
 * clock_follow() - have fleet_now() go by the database's from now on; to be called again from time
 * to time. What it comes to is told on standard error where it becomes another one
 */
int clock_follow(struct store *store, struct assay_error *err);

/* fleet_now() - seconds since 1970-01-01 00:00 UTC, by the clock that is followed; this machine's
 * where there is none */
uint64_t fleet_now(void);

#endif /* ASSAY_FLEET_CLOCK_H */
