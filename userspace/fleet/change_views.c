// SPDX-License-Identifier: MIT
#include "change_views.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "changes.h"
#include "devices.h"
#include "kept_verdict.h"
#include "memory/value.h"
#include "view_common.h"

#define SELECT_CHANGES "SELECT " CHANGE_COLUMNS " FROM verdict_change WHERE "

/* ---------------------------------------------------------------- lists */

static int change_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	return view_append(context, change_json(columns), err);
}

static int take_range(const struct http_call *call, uint64_t *ret_before, uint64_t *ret_limit,
		      struct assay_error *err)
{
	int r = view_number(call, "before", 0, INT64_MAX, ret_before, err);

	return r < 0 ? r :
		       view_number(call, "limit", VIEW_LIST_DEFAULT, VIEW_LIST_MAX, ret_limit, err);
}

void view_changes(struct http_call *call)
{
	static const struct store_statement get = {
		"tnn",
		SELECT_CHANGES "name = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3",
		NULL,
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t before, limit;
	int r = take_range(call, &before, &limit, &err);

	if (r == 0) {
		const struct store_value values[] = { store_text(call->parameter),
						      store_number(before), store_number(limit) };

		r = store_run(fleet->store, &get, values, 1, change_row, found, &err);
	}
	view_answer(call, "changes", "changes", found, r, &err);
}

/* Alarms: those to "not-trusted" and "silent", of which there is an index. */
void view_all_changes(struct http_call *call)
{
	static const struct store_statement all = {
		"nn", SELECT_CHANGES "($1 = 0 OR id < $1) ORDER BY id DESC LIMIT $2", NULL
	};
	static const struct store_statement alarms = {
		"nn",
		SELECT_CHANGES "verdict >= 2 AND ($1 = 0 OR id < $1) ORDER BY id DESC LIMIT $2",
		NULL,
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t before, limit, only_alarms = 0;
	int r = take_range(call, &before, &limit, &err);

	if (r == 0)
		r = view_number(call, "alarms", 0, 1, &only_alarms, &err);
	if (r == 0) {
		const struct store_value values[] = { store_number(before), store_number(limit) };

		r = store_run(fleet->store, only_alarms ? &alarms : &all, values, 1, change_row,
			      found, &err);
	}
	view_answer(call, "changes", "changes", found, r, &err);
}

/* ---------------------------------------------------------------- one */

static int verdict_row(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	json_t *verdict = NULL;
	int r = kept_verdict_take(columns, &verdict, err);

	(void)set;
	(void)count;
	return r < 0 ? r : view_append(context, verdict, err);
}

void view_change_verdict(struct http_call *call)
{
	static const struct store_statement get = {
		"n", "SELECT " KEPT_VERDICT_COLUMNS("") " FROM verdict_change WHERE id = $1", NULL
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	struct bytes text = BYTES((const uint8_t *)call->parameter, strlen(call->parameter));
	uint64_t id;
	int r;

	if (value_unsigned(text, &id, NULL) < 0 || id > INT64_MAX) {
		r = assay_fail(&err, EINVAL, "a change is named by its number");
	} else {
		const struct store_value value = store_number(id);

		r = store_run(fleet->store, &get, &value, 1, verdict_row, found, &err);
	}
	view_answer_one(call, "change-verdict", "verdict", found, r, &err);
}
