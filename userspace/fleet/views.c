// SPDX-License-Identifier: MIT
#include "views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "audit.h"
#include "base/json.h"
#include "devices.h"
#include "kept_verdict.h"
#include "versions.h"
#include "view_common.h"

#define VIEW_SKIP_MAX 100000000U

/* ---------------------------------------------------------------- the fleet */

void view_summary(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_object();
	int r = totals_get(&fleet->totals, fleet->store, &err);

	for (int i = 0; r == 0 && i < DEVICE_VERDICTS; i++)
		json_object_set_new(found, device_verdict_name((enum device_verdict)i),
				    json_integer((json_int_t)fleet->totals.devices[i]));
	view_answer(call, "fleet", "devices", found, r, &err);
}

#define VERSIONS_SHOWN 100
#define VERSIONS_REST 300

static int count_versions(struct fleet *fleet, struct assay_error *err)
{
	json_t *found;
	int r;

	if (!seldom_is_due(&fleet->versions_seldom))
		return 0;
	found = json_object();
	r = versions_count(fleet->store, VERSIONS_SHOWN, found, err);
	json_decref(fleet->versions);
	fleet->versions = found;
	if (r == 0)
		seldom_done(&fleet->versions_seldom, VERSIONS_REST);
	return r;
}

void view_versions(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	int r = count_versions(fleet, &err);

	view_answer(call, "versions", "versions", json_incref(fleet->versions), r, &err);
}

/* ---------------------------------------------------------------- devices */

#define DEVICE_COLUMNS                                                                           \
	"SELECT d.name, d.label, d.approved, d.enrolled, s.verdict, s.since, s.seen, s.judged, " \
	"s.due, s.boot_id, s.records, s.entries, c.reason, c.policy, v.kernel, v.module, "       \
	"v.firmware FROM device d JOIN device_state s ON s.name = d.name LEFT JOIN "             \
	"verdict_change c ON c.id = s.change_id LEFT JOIN device_version v ON v.name = d.name "

static json_t *device_json(const struct store_value *columns)
{
	uint64_t verdict = store_get_number(&columns[4]);

	return json_pack(
		"{s:s, s:s, s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:o, s:s, s:o, s:o, "
		"s:o}",
		"device", store_get_text(&columns[0]), "label", store_get_text(&columns[1]),
		"approved", store_get_number(&columns[2]) != 0, "enrolled",
		(json_int_t)store_get_number(&columns[3]), "verdict",
		device_verdict_name(verdict < DEVICE_VERDICTS ? (enum device_verdict)verdict :
								DEVICE_NEVER),
		"since", (json_int_t)store_get_number(&columns[5]), "seen",
		(json_int_t)store_get_number(&columns[6]), "judged",
		(json_int_t)store_get_number(&columns[7]), "due",
		(json_int_t)store_get_number(&columns[8]), "boot_id", store_get_text(&columns[9]),
		"records", (json_int_t)store_get_number(&columns[10]), "entries",
		(json_int_t)store_get_number(&columns[11]), "reason",
		json_text(store_get_text(&columns[12])), "policy", store_get_text(&columns[13]),
		"kernel", json_text(store_get_text(&columns[14])), "module",
		json_text(store_get_text(&columns[15])), "firmware",
		json_text(store_get_text(&columns[16])));
}

static int device_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	return view_append(context, device_json(columns), err);
}

static int number_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	(void)err;
	*(uint64_t *)context = store_get_number(&columns[0]);
	return 0;
}

/* struct filter - of a list of devices; the texts are "" for any */
struct filter {
	char after[HTTP_PARAMETER_MAX], label[HTTP_PARAMETER_MAX], state[HTTP_PARAMETER_MAX],
		words[HTTP_PARAMETER_MAX], versions[VERSION_KINDS][HTTP_PARAMETER_MAX];
	uint64_t limit, skip, counted;
	int64_t verdict;
};

static int take_filter(const struct http_call *call, struct filter *ret, struct assay_error *err)
{
	enum device_verdict verdict;

	if (!http_query(call, "after", ret->after) || !http_query(call, "label", ret->label) ||
	    !http_query(call, "state", ret->state) || !http_query(call, "q", ret->words))
		return assay_fail(err, EINVAL, "a value of the query is too long");
	for (int i = 0; i < VERSION_KINDS; i++)
		if (!http_query(call, version_kind_name((enum version_kind)i), ret->versions[i]))
			return assay_fail(err, EINVAL, "a value of the query is too long");
	ret->verdict = -1;
	if (ret->state[0] != '\0') {
		if (!device_verdict_by_name(ret->state, &verdict))
			return assay_fail(err, EINVAL,
					  "state must be never, trusted, not-trusted or silent");
		ret->verdict = (int64_t)verdict;
	}
	if (view_number(call, "skip", 0, VIEW_SKIP_MAX, &ret->skip, err) < 0 ||
	    view_number(call, "count", 0, 1, &ret->counted, err) < 0)
		return -err->code;
	return view_number(call, "limit", VIEW_LIST_DEFAULT, VIEW_LIST_MAX, &ret->limit, err);
}

/*
 * Which devices a filter is for. Where it does not say which state, device_state is not looked at
 * before the rows that are shown.
 */
#define VERSION_IS(column, parameter)                                                        \
	" AND (" parameter " = '' OR EXISTS (SELECT 1 FROM device_version w WHERE w.name = " \
	"d.name AND w." column " = " parameter "))"
#define FILTERED(has)                                                                            \
	"FROM device d WHERE d.name > $1 AND ($2 = '' OR d.label = $2) AND ($3 < 0 OR EXISTS "   \
	"(SELECT 1 FROM device_state f WHERE f.name = d.name AND f.verdict = $3)) AND ($4 = "    \
	"'' OR " has "(d.name, $4) > 0)" VERSION_IS("kernel", "$5") VERSION_IS("module", "$6")   \
		VERSION_IS("firmware", "$7") " AND ($8 = '' OR EXISTS (SELECT 1 FROM "           \
					     "device_state p JOIN verdict_change q ON q.id = "   \
					     "p.change_id WHERE p.name = d.name AND q.policy = " \
					     "$8))"
#define LISTED(has)                                                               \
	DEVICE_COLUMNS                                                            \
	"WHERE d.name IN (SELECT d.name " FILTERED(has) " ORDER BY d.name LIMIT " \
							"$9 OFFSET $10) ORDER BY d.name"

static int count_devices(struct fleet *fleet, const struct store_value *values, json_t *answer,
			 struct assay_error *err)
{
	static const struct store_statement count = { "ttnttttt",
						      "SELECT count(*) " FILTERED("instr"),
						      "SELECT count(*) " FILTERED("strpos") };
	uint64_t number = 0;
	int r = store_run(fleet->store, &count, values, 1, number_row, &number, err);

	if (r == 0 && json_object_set_new(answer, "count", json_integer((json_int_t)number)) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	return r;
}

void view_devices(struct http_call *call)
{
	static const struct store_statement list = { "ttntttttnn", LISTED("instr"),
						     LISTED("strpos") };
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array(), *answer;
	struct filter filter;
	int r = take_filter(call, &filter, &err);

	answer = json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", "devices", "devices",
			   found);
	if (r == 0) {
		const struct store_value values[] = { store_text(filter.after),
						      store_text(filter.label),
						      store_number((uint64_t)filter.verdict),
						      store_text(filter.words),
						      store_text(filter.versions[VERSION_KERNEL]),
						      store_text(filter.versions[VERSION_MODULE]),
						      store_text(filter.versions[VERSION_FIRMWARE]),
						      store_text(filter.versions[VERSION_POLICY]),
						      store_number(filter.limit),
						      store_number(filter.skip) };

		r = store_run(fleet->store, &list, values, 1, device_row, found, &err);
		if (r == 0 && filter.counted)
			r = count_devices(fleet, values, answer, &err);
	}
	if (r == 0) {
		http_answer_json(call, 200, answer);
		return;
	}
	json_decref(answer);
	act_failed(call, r, &err);
}

void view_device(struct http_call *call)
{
	static const struct store_statement get = { "t", DEVICE_COLUMNS "WHERE d.name = $1", NULL };
	struct fleet *fleet = call->context;
	const struct store_value value = store_text(call->parameter);
	struct assay_error err = { 0 };
	json_t *found = json_array();
	int r = store_run(fleet->store, &get, &value, 1, device_row, found, &err);

	view_answer_one(call, "device-view", "device", found, r, &err);
}

/* ---------------------------------------------------------------- verdicts */

static int verdict_row(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	json_t *verdict = NULL;
	int r = kept_verdict_take(columns, &verdict, err);

	(void)set;
	(void)count;
	return r < 0 ? r : view_append(context, verdict, err);
}

void view_verdict(struct http_call *call)
{
	static const struct store_statement get = {
		"t",
		"SELECT " KEPT_VERDICT_COLUMNS(
			"c.") " FROM device_state s JOIN verdict_change c ON c.id = "
			      "s.change_id WHERE s.name = $1",
		NULL,
	};
	struct fleet *fleet = call->context;
	const struct store_value value = store_text(call->parameter);
	struct assay_error err = { 0 };
	json_t *found = json_array();
	int r = store_run(fleet->store, &get, &value, 1, verdict_row, found, &err);

	view_answer_one(call, "device-verdict", "verdict", found, r, &err);
}

static int audit_row(void *context, const struct audit_row *row, struct assay_error *err)
{
	return view_append(context,
			   json_pack("{s:I, s:I, s:s, s:s, s:s, s:o}", "id", (json_int_t)row->id,
				     "at", (json_int_t)row->at, "who", row->who, "act", row->act,
				     "what", row->what, "digest", json_hex(row->digest)),
			   err);
}

void view_audit(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t from, limit;
	int r = view_number(call, "from", 0, INT64_MAX, &from, &err);

	if (r == 0)
		r = view_number(call, "limit", VIEW_LIST_DEFAULT, VIEW_LIST_MAX, &limit, &err);
	if (r == 0)
		r = audit_list(fleet->store, from, limit, audit_row, found, &err);
	view_answer(call, "audit", "audit", found, r, &err);
}

/* .who begins with the role. */
void view_me(struct http_call *call)
{
	const struct fleet *fleet = call->context;

	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:s, s:s%, s:b}", "assay", JSON_VERSION, "type",
				   "me", "who", call->who, "role", call->who,
				   strcspn(call->who, " "), "two_persons",
				   (int)fleet->settings->two_persons));
}

void view_health(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	uint64_t generation;
	int r = refs_generation(fleet->store, &generation, &err);

	view_answer(call, "health", "state", json_string("serving"), r, &err);
}
