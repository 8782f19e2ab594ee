// SPDX-License-Identifier: MIT
#include "totals.h"

#include <errno.h>

#include "alarms.h"

/* A twentieth of a process's time at most, however often somebody asks. */
#define REST 20

static int take_count(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	uint64_t *counts = context, verdict = store_get_number(&columns[0]);

	(void)set;
	(void)count;
	if (verdict >= DEVICE_VERDICTS)
		return assay_fail(err, EIO, "a verdict in the database is none");
	counts[verdict] = store_get_number(&columns[1]);
	return 0;
}

int totals_count_devices(struct store *store, uint64_t ret[DEVICE_VERDICTS],
			 struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT verdict, count(*) FROM device_state GROUP BY verdict", NULL
	};

	for (int i = 0; i < DEVICE_VERDICTS; i++)
		ret[i] = 0;
	return store_run(store, &get, NULL, 1, take_count, ret, err);
}

int totals_get(struct totals *totals, struct store *store, struct assay_error *err)
{
	int r;

	if (!seldom_is_due(&totals->seldom))
		return 0;
	r = totals_count_devices(store, totals->devices, err);
	if (r == 0)
		r = alarms_count(store, &totals->open, &totals->unseen, err);
	if (r == 0)
		seldom_done(&totals->seldom, REST);
	return r;
}
