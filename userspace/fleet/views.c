// SPDX-License-Identifier: MIT
#include "views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/json.h"
#include "devices.h"
#include "memory/value.h"

#define LIST_DEFAULT 100
#define LIST_MAX 1000

/* @members: taken over; the answer is what was found, or why there is nothing */
static void answer(struct http_call *call, const char *type, const char *member, json_t *found,
		   int r, const struct assay_error *err)
{
	if (r < 0) {
		json_decref(found);
		act_failed(call, r, err);
		return;
	}
	http_answer_json(
		call, 200,
		json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", type, member, found));
}

static int append(json_t *list, json_t *row, struct assay_error *err)
{
	return json_array_append_new(list, row) < 0 ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* A number of the query; @initial if it is not there. */
static int take_number(const struct http_call *call, const char *name, uint64_t initial,
		       uint64_t most, uint64_t *ret, struct assay_error *err)
{
	char text[HTTP_PARAMETER_MAX];

	*ret = initial;
	if (!http_query(call, name, text))
		return assay_fail(err, EINVAL, "%s is too long", name);
	if (text[0] == '\0')
		return 0;
	if (value_unsigned(BYTES((const uint8_t *)text, strlen(text)), ret, NULL) < 0 ||
	    *ret > most)
		return assay_fail(err, EINVAL, "%s must be a number up to %llu", name,
				  (unsigned long long)most);
	return 0;
}

/* ---------------------------------------------------------------- the fleet */

static int count_row(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	uint64_t verdict = store_get_number(&columns[0]);

	(void)set;
	(void)count;
	if (verdict >= DEVICE_VERDICTS)
		return assay_fail(err, EIO, "a verdict in the database is none");
	json_object_set_new(context, device_verdict_name((enum device_verdict)verdict),
			    json_integer((json_int_t)store_get_number(&columns[1])));
	return 0;
}

void view_summary(struct http_call *call)
{
	static const struct store_statement counts = {
		"", "SELECT verdict, count(*) FROM device_state GROUP BY verdict", NULL
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_object();
	int r;

	for (int i = 0; i < DEVICE_VERDICTS; i++)
		json_object_set_new(found, device_verdict_name((enum device_verdict)i),
				    json_integer(0));
	r = store_run(fleet->store, &counts, NULL, 1, count_row, found, &err);
	answer(call, "fleet", "devices", found, r, &err);
}

/* ---------------------------------------------------------------- devices */

#define DEVICE_COLUMNS                                                                           \
	"SELECT d.name, d.label, d.approved, d.enrolled, s.verdict, s.since, s.seen, s.judged, " \
	"s.due, s.boot_id, s.records, s.entries, c.reason, c.policy FROM device d JOIN "         \
	"device_state s ON s.name = d.name LEFT JOIN verdict_change c ON c.id = s.change_id "

static json_t *device_json(const struct store_value *columns)
{
	uint64_t verdict = store_get_number(&columns[4]);

	return json_pack(
		"{s:s, s:s, s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:s, s:s}", "device",
		store_get_text(&columns[0]), "label", store_get_text(&columns[1]), "approved",
		store_get_number(&columns[2]) != 0, "enrolled",
		(json_int_t)store_get_number(&columns[3]), "verdict",
		device_verdict_name(verdict < DEVICE_VERDICTS ? (enum device_verdict)verdict :
								DEVICE_NEVER),
		"since", (json_int_t)store_get_number(&columns[5]), "seen",
		(json_int_t)store_get_number(&columns[6]), "judged",
		(json_int_t)store_get_number(&columns[7]), "due",
		(json_int_t)store_get_number(&columns[8]), "boot_id", store_get_text(&columns[9]),
		"records", (json_int_t)store_get_number(&columns[10]), "entries",
		(json_int_t)store_get_number(&columns[11]), "reason", store_get_text(&columns[12]),
		"policy", store_get_text(&columns[13]));
}

static int device_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	return append(context, device_json(columns), err);
}

/* struct filter - of a list of devices; the texts are "" for any */
struct filter {
	char after[HTTP_PARAMETER_MAX], label[HTTP_PARAMETER_MAX], state[HTTP_PARAMETER_MAX],
		words[HTTP_PARAMETER_MAX];
	uint64_t limit;
	int64_t verdict;
};

static int take_filter(const struct http_call *call, struct filter *ret, struct assay_error *err)
{
	enum device_verdict verdict;

	if (!http_query(call, "after", ret->after) || !http_query(call, "label", ret->label) ||
	    !http_query(call, "state", ret->state) || !http_query(call, "q", ret->words))
		return assay_fail(err, EINVAL, "a value of the query is too long");
	ret->verdict = -1;
	if (ret->state[0] != '\0') {
		if (!device_verdict_by_name(ret->state, &verdict))
			return assay_fail(err, EINVAL,
					  "state must be never, trusted, not-trusted or silent");
		ret->verdict = (int64_t)verdict;
	}
	return take_number(call, "limit", LIST_DEFAULT, LIST_MAX, &ret->limit, err);
}

void view_devices(struct http_call *call)
{
#define WHERE(has)                                                                          \
	DEVICE_COLUMNS "WHERE d.name > $1 AND ($2 = '' OR d.label = $2) AND ($3 < 0 OR "    \
		       "s.verdict = $3) AND ($4 = '' OR " has "(d.name, $4) > 0) ORDER BY " \
		       "d.name LIMIT $5"
	static const struct store_statement list = { "ttntn", WHERE("instr"), WHERE("strpos") };
#undef WHERE
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	struct filter filter;
	int r = take_filter(call, &filter, &err);

	if (r == 0) {
		const struct store_value values[] = { store_text(filter.after),
						      store_text(filter.label),
						      store_number((uint64_t)filter.verdict),
						      store_text(filter.words),
						      store_number(filter.limit) };

		r = store_run(fleet->store, &list, values, 1, device_row, found, &err);
	}
	answer(call, "devices", "devices", found, r, &err);
}

/* A list of one row at most becomes that row. */
static void answer_one(struct http_call *call, const char *type, const char *member, json_t *list,
		       int r, struct assay_error *err)
{
	json_t *one = r == 0 ? json_incref(json_array_get(list, 0)) : NULL;

	json_decref(list);
	if (r == 0 && !one)
		r = assay_fail(err, ENOENT, "there is nothing of the device %s", call->parameter);
	answer(call, type, member, one, r, err);
}

void view_device(struct http_call *call)
{
	static const struct store_statement get = { "t", DEVICE_COLUMNS "WHERE d.name = $1", NULL };
	struct fleet *fleet = call->context;
	const struct store_value value = store_text(call->parameter);
	struct assay_error err = { 0 };
	json_t *found = json_array();
	int r = store_run(fleet->store, &get, &value, 1, device_row, found, &err);

	answer_one(call, "device-view", "device", found, r, &err);
}

/* ---------------------------------------------------------------- verdicts */

static int verdict_row(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	json_t *verdict = NULL;
	int r = json_parse(columns[0].bytes, "the verdict in the database", &verdict, err);

	(void)set;
	(void)count;
	return r < 0 ? r : append(context, verdict, err);
}

void view_verdict(struct http_call *call)
{
	static const struct store_statement get = {
		"t",
		"SELECT c.verdict_json FROM device_state s JOIN verdict_change c ON c.id = "
		"s.change_id WHERE s.name = $1",
		NULL,
	};
	struct fleet *fleet = call->context;
	const struct store_value value = store_text(call->parameter);
	struct assay_error err = { 0 };
	json_t *found = json_array();
	int r = store_run(fleet->store, &get, &value, 1, verdict_row, found, &err);

	answer_one(call, "device-verdict", "verdict", found, r, &err);
}

static int change_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	uint64_t verdict = store_get_number(&columns[3]);

	(void)set;
	(void)count;
	return append(
		context,
		json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:o}", "id",
			  (json_int_t)store_get_number(&columns[0]), "device",
			  store_get_text(&columns[1]), "at",
			  (json_int_t)store_get_number(&columns[2]), "verdict",
			  device_verdict_name(verdict < DEVICE_VERDICTS ?
						      (enum device_verdict)verdict :
						      DEVICE_NEVER),
			  "reason", store_get_text(&columns[4]), "policy",
			  store_get_text(&columns[5]), "evidence",
			  columns[6].type == STORE_BLOB ? json_hex(columns[6].bytes) : json_null()),
		err);
}

void view_changes(struct http_call *call)
{
	static const struct store_statement get = {
		"tnn",
		"SELECT id, name, at, verdict, reason, policy, evidence FROM verdict_change WHERE "
		"name = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3",
		NULL,
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t before, limit;
	int r = take_number(call, "before", 0, INT64_MAX, &before, &err);

	if (r == 0)
		r = take_number(call, "limit", LIST_DEFAULT, LIST_MAX, &limit, &err);
	if (r == 0) {
		const struct store_value values[] = { store_text(call->parameter),
						      store_number(before), store_number(limit) };

		r = store_run(fleet->store, &get, values, 1, change_row, found, &err);
	}
	answer(call, "changes", "changes", found, r, &err);
}

void view_health(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	uint64_t generation;
	int r = refs_generation(fleet->store, &generation, &err);

	answer(call, "health", "state", json_string("serving"), r, &err);
}
