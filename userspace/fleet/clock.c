// SPDX-License-Identifier: MIT
#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of this process, which follows one database. */
static int64_t ahead;

int clock_read(struct store *store, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"",
		"SELECT CAST(strftime('%s', 'now') AS INTEGER)",
		"SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)",
	};

	return store_run(store, &get, NULL, 1, store_take_number, ret, err);
}

int clock_compare(struct store *store, int64_t *ret_ahead, struct assay_error *err)
{
	const int64_t before = time(NULL);
	uint64_t there = 0;
	int r = clock_read(store, &there, err);
	const int64_t after = time(NULL);
	int64_t difference;

	if (r < 0)
		return r;
	/* The answer was made at some time between. */
	difference = (int64_t)there > after  ? (int64_t)there - after :
		     (int64_t)there < before ? (int64_t)there - before :
					       0;
	*ret_ahead = llabs(difference) <= CLOCK_SLACK ? 0 : difference;
	return 0;
}

int clock_follow(struct store *store, struct assay_error *err)
{
	int64_t now_ahead = 0;
	int r = clock_compare(store, &now_ahead, err);

	if (r < 0)
		return r;
	if (llabs(now_ahead - ahead) > CLOCK_SLACK) {
		if (now_ahead == 0)
			fprintf(stderr, "<5>assay-fleet: this machine's clock is the database's "
					"again\n");
		else
			fprintf(stderr,
				"<4>assay-fleet: this machine's clock is %" PRId64
				" s %s the database's, which is gone by: set it; certificates are "
				"checked by this machine's\n",
				(int64_t)llabs(now_ahead), now_ahead > 0 ? "behind" : "ahead of");
	}
	ahead = now_ahead;
	return 0;
}

uint64_t fleet_now(void)
{
	return (uint64_t)(time(NULL) + ahead);
}
