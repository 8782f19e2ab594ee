// SPDX-License-Identifier: MIT
#include "trend_views.h"

#include <errno.h>
#include <string.h>

#include "act.h"
#include "base/json.h"
#include "changes.h"
#include "tally.h"
#include "view_common.h"

#define TREND_HOURS 24U
#define DAYS_DEFAULT 90U
#define DAYS_MAX 1000U

/* ---------------------------------------------------------------- changes */

/* struct trend - @first: the hour that @hours begin with, in hours since 1970 */
struct trend {
	uint64_t first;
	json_t *hours;
};

static int trend_row(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	const struct trend *trend = context;
	uint64_t hour = store_get_number(&columns[0]);
	json_t *row = json_array_get(trend->hours, hour - trend->first);

	(void)set;
	(void)count;
	/* What was noted by a clock that goes ahead is of no hour that is shown. */
	if (hour < trend->first || !row)
		return 0;
	return json_object_set_new(row, change_verdict_name(&columns[1]),
				   json_integer((json_int_t)store_get_number(&columns[2]))) < 0 ?
		       assay_fail(err, ENOMEM, "out of memory") :
		       0;
}

void view_trend(struct http_call *call)
{
	static const struct store_statement get = {
		"n",
		"SELECT at / 3600, verdict, count(*) FROM verdict_change WHERE at >= $1 GROUP BY "
		"at / 3600, verdict",
		NULL,
	};
	struct fleet *fleet = call->context;
	struct trend trend = { .first = fleet_now() / TALLY_HOUR - TREND_HOURS + 1,
			       .hours = json_array() };
	const struct store_value value = store_number(trend.first * TALLY_HOUR);
	struct assay_error err = { 0 };
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < TREND_HOURS; i++)
		r = view_append(
			trend.hours,
			json_pack("{s:I}", "at", (json_int_t)((trend.first + i) * TALLY_HOUR)),
			&err);
	if (r == 0)
		r = store_run(fleet->store, &get, &value, 1, trend_row, &trend, &err);
	view_answer(call, "trend", "hours", trend.hours, r, &err);
}

/* ---------------------------------------------------------------- summaries */

/* struct asked - for summaries of @span, the last @count of them */
struct asked {
	const char *by;
	uint64_t span, count;
	char label[HTTP_PARAMETER_MAX];
};

static int take_asked(const struct http_call *call, struct asked *ret, struct assay_error *err)
{
	char by[HTTP_PARAMETER_MAX];

	*ret = (struct asked){ .by = "day", .span = TALLY_DAY };
	if (!http_query(call, "by", by) || !http_query(call, "label", ret->label))
		return assay_fail(err, EINVAL, "a value of the query is too long");
	if (ret->label[0] == '\0')
		memcpy(ret->label, TALLY_ALL, sizeof(TALLY_ALL));
	if (strcmp(by, "hour") == 0) {
		ret->by = "hour";
		ret->span = TALLY_HOUR;
		return view_number(call, "limit", TREND_HOURS, TALLY_HOURS_KEPT, &ret->count, err);
	}
	if (by[0] != '\0' && strcmp(by, "day") != 0)
		return assay_fail(err, EINVAL, "by must be hour or day");
	return view_number(call, "limit", DAYS_DEFAULT, DAYS_MAX, &ret->count, err);
}

void view_summaries(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	struct asked asked;
	int r = take_asked(call, &asked, &err);

	if (r == 0) {
		const uint64_t now = fleet_now(), back = asked.count * asked.span;

		r = tally_list(fleet->store, asked.span, asked.label, now > back ? now - back : 0,
			       found, &err);
	}
	if (r < 0) {
		json_decref(found);
		act_failed(call, r, &err);
		return;
	}
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:s, s:o}", "assay", JSON_VERSION, "type",
				   "summaries", "by", asked.by, "summaries", found));
}
