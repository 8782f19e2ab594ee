/* SPDX-License-Identifier: MIT */
/*
 * How many devices were held for what, by hour and by day: counted by whoever has the lease, and
 * never by what a device sends. A row a device and day would be 365 million a year of a million
 * devices, to say the same; one a label and verdict is as many whatever the fleet's size.
 */
#ifndef ASSAY_FLEET_TALLY_H
#define ASSAY_FLEET_TALLY_H

#include <jansson.h>

#include "store.h"

#define TALLY_HOUR 3600U
#define TALLY_DAY 86400U
#define TALLY_HOURS_KEPT (8 * 24) /* hours that are told one by one; days are kept for longer */
#define TALLY_LABELS_MAX 200	  /* of the most devices; others are in the sum of all only */
#define TALLY_ALL "*"		  /* of all devices; no label, which has no such character */

/*
 * tally_take() - count, if nobody has in this hour
 * @now: seconds since 1970-01-01 00:00 UTC
 * @ret_taken: it was counted
 *
 * In a transaction of its own.
 */
int tally_take(struct store *store, uint64_t now, bool *ret_taken, struct assay_error *err);

/*
 * tally_list() - what was counted from @from on, the oldest first, appended to @list
 * @span: TALLY_HOUR: at the hour's begin; or TALLY_DAY: at the day's end, and the most that was
 *        counted in it
 * @label: TALLY_ALL for all
 * Each is an object with "at", "devices" and "most", of each verdict's name.
 */
int tally_list(struct store *store, uint64_t span, const char *label, uint64_t from, json_t *list,
	       struct assay_error *err);

#endif /* ASSAY_FLEET_TALLY_H */
