/* SPDX-License-Identifier: MIT */
/*
 * What is old is removed: verdicts that no device is held for any more, evidence of former boots,
 * alarms that were closed, and counts of former days. What each device is held for stays, with its
 * reason, and so does the evidence of its present boot, or, where it does not say which that is,
 * the newest; the audit is never cut.
 *
 * A pass once a day, by whoever has the lease, in steps that are short: devices do not wait.
 */
#ifndef ASSAY_FLEET_RETENTION_H
#define ASSAY_FLEET_RETENTION_H

#include "partitions.h"

#define RETENTION_DAYS 90	   /* of verdicts and evidence, where nothing else is said */
#define RETENTION_SUMMARY_DAYS 800 /* of counts of days */

/**
 * struct retention_terms
 * @now: seconds since 1970-01-01 00:00 UTC
 * @days: of what is kept; @summary_days: likewise, of counts of days
 * @partition: changes in a partition (partitions.h)
 */
struct retention_terms {
	uint64_t now, days, summary_days, partition;
};

/* struct retention_done - what was removed; @partitions: whole, with changes that are not counted
 */
struct retention_done {
	uint64_t changes, evidence, alarms, summaries, partitions;
};

/* retention_begin() - begin a pass, whatever the last one was */
int retention_begin(struct store *store, const struct retention_terms *terms,
		    struct retention_done *done, struct assay_error *err);

/*
 * retention_step() - go on with the pass that was begun, in a transaction of its own
 * @done: what was removed is added
 * @ret_more: the pass is not at its end
 */
int retention_step(struct store *store, const struct retention_terms *terms,
		   struct retention_done *done, bool *ret_more, struct assay_error *err);

/*
 * retention_look() - what is to be done from time to time: make room for changes ahead, begin a
 * pass a day after the last one, or go on with it for a step. With .days of 0 nothing is removed.
 */
int retention_look(struct store *store, const struct retention_terms *terms,
		   struct retention_done *done, struct assay_error *err);

#endif /* ASSAY_FLEET_RETENTION_H */
