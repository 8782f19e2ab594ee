/* SPDX-License-Identifier: MIT */
/*
 * Which devices may become silent. Each attestation writes when the next one is due: an index on
 * that would cost each of them more than the row itself (schema.c), and to read all rows to find a
 * few costs the more the more devices there are. So all are read once in most of an interval, a
 * part of them at each look, and those whose evidence is overdue are noted in a table of their own.
 * Who is silent at a look is among these.
 */
#ifndef ASSAY_FLEET_OVERDUE_H
#define ASSAY_FLEET_OVERDUE_H

#include "store.h"

/**
 * struct overdue_look - a look of who has the lease
 * @now: seconds since 1970-01-01 00:00 UTC
 * @period: seconds between two looks; @interval: between two attestations of a device
 * @slack: seconds that a clock may be ahead
 * @all: read all parts, as after the clock has gone back
 */
struct overdue_look {
	uint64_t now, period, interval, slack;
	bool all;
};

/*
 * overdue_read_part() - read the next part of all devices, and note which are overdue
 * What is due in more than an interval was noted by a clock that was ahead, and would keep silence
 * from being found until that time has come: it is due an interval from now on instead.
 *
 * In a transaction of who has the lease.
 */
int overdue_read_part(struct store *store, const struct overdue_look *look,
		      struct assay_error *err);

/*
 * overdue_find() - those that were due before @before when they were noted, @most of them
 * @row: takes the name
 */
int overdue_find(struct store *store, uint64_t before, uint64_t most, store_row *row, void *context,
		 struct assay_error *err);

/*
 * overdue_forget() - those of these that are silent by now, or were judged meanwhile
 * @values: for each its name, and a time: what was due before it is still to be found
 * @done: how many are forgotten is added
 *
 * In a transaction by keys.
 */
int overdue_forget(struct store *store, const struct store_value *values, size_t count,
		   uint64_t *done, struct assay_error *err);

#endif /* ASSAY_FLEET_OVERDUE_H */
