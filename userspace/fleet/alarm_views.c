// SPDX-License-Identifier: MIT
#include "alarm_views.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "alarms.h"
#include "audit.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "devices.h"
#include "memory/value.h"
#include "view_common.h"

#define WHAT "the request"

/* ---------------------------------------------------------------- looking */

/* struct asked - a filter, and its texts */
struct asked {
	char device[HTTP_PARAMETER_MAX], label[HTTP_PARAMETER_MAX];
	struct alarm_filter filter;
};

/* 1, 0, or -1 where the query does not say */
static int take_choice(const struct http_call *call, const char *name, int64_t *ret,
		       struct assay_error *err)
{
	uint64_t number;
	int r = view_number(call, name, 2, 2, &number, err);

	*ret = number == 2 ? -1 : (int64_t)number;
	return r;
}

static int take_state(const struct http_call *call, int64_t *ret, struct assay_error *err)
{
	enum device_verdict verdict = DEVICE_NEVER;
	char state[HTTP_PARAMETER_MAX];

	*ret = -1;
	if (!http_query(call, "state", state))
		return assay_fail(err, EINVAL, "a value of the query is too long");
	if (state[0] == '\0')
		return 0;
	if (!device_verdict_by_name(state, &verdict) ||
	    (verdict != DEVICE_NOT_TRUSTED && verdict != DEVICE_SILENT))
		return assay_fail(err, EINVAL, "state must be not-trusted or silent");
	*ret = (int64_t)verdict;
	return 0;
}

static int take_asked(const struct http_call *call, struct asked *ret, struct assay_error *err)
{
	struct alarm_filter *filter = &ret->filter;
	int r;

	if (!http_query(call, "q", ret->device) || !http_query(call, "label", ret->label))
		return assay_fail(err, EINVAL, "a value of the query is too long");
	*filter = (struct alarm_filter){ .device = ret->device, .label = ret->label };
	r = take_choice(call, "open", &filter->open, err);
	if (r == 0)
		r = take_choice(call, "acknowledged", &filter->acknowledged, err);
	if (r == 0)
		r = take_state(call, &filter->verdict, err);
	if (r == 0)
		r = view_number(call, "before", 0, INT64_MAX, &filter->before, err);
	return r < 0 ? r :
		       view_number(call, "limit", VIEW_LIST_DEFAULT, VIEW_LIST_MAX, &filter->limit,
				   err);
}

void alarm_list(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t open = 0, unseen = 0;
	struct asked asked;
	int r = take_asked(call, &asked, &err);

	if (r == 0)
		r = alarms_list(fleet->store, &asked.filter, found, &err);
	if (r == 0)
		r = alarms_count(fleet->store, &open, &unseen, &err);
	if (r < 0) {
		json_decref(found);
		act_failed(call, r, &err);
		return;
	}
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:I, s:I, s:o}", "assay", JSON_VERSION, "type",
				   "alarms", "open_count", (json_int_t)open, "unacknowledged_count",
				   (json_int_t)unseen, "alarms", found));
}

static int take_id(const struct http_call *call, uint64_t *ret, struct assay_error *err)
{
	struct bytes text = BYTES((const uint8_t *)call->parameter, strlen(call->parameter));

	*ret = 0;
	if (value_unsigned(text, ret, NULL) < 0 || *ret > INT64_MAX)
		return assay_fail(err, EINVAL, "an alarm is named by its number");
	return 0;
}

void alarm_show(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *found = json_array();
	uint64_t id;
	int r = take_id(call, &id, &err);

	if (r == 0)
		r = alarms_get(fleet->store, id, found, &err);
	view_answer_one(call, "alarm", "alarm", found, r, &err);
}

/* ---------------------------------------------------------------- acknowledging */

static int take_note(const struct http_call *call, json_t **ret_json, const char **ret,
		     struct assay_error *err)
{
	static const char *const known[] = { "note", NULL };
	int r;

	*ret = "";
	if (call->body.size == 0)
		return 0;
	r = json_parse(call->body, WHAT, ret_json, err);
	if (r == 0)
		r = json_only(*ret_json, known, WHAT, err);
	if (r == 0)
		r = json_get_string(*ret_json, "note", WHAT, ret, err);
	if (r == 0 && strlen(*ret) > ALARM_NOTE_MAX)
		r = assay_fail(err, EINVAL, WHAT ": \"note\" has more than %d bytes",
			       ALARM_NOTE_MAX);
	return r;
}

static int acknowledge(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	char what[ALARM_NOTE_MAX + 64];
	const char *note;
	uint64_t id;
	int r = take_id(call, &id, err);

	(void)ret;
	if (r == 0)
		r = take_note(call, &json, &note, err);
	if (r == 0)
		r = alarms_acknowledge(fleet->store, id, call->who, note, fleet_now(), err);
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "alarm %" PRIu64 "%s%s", id, note[0] ? ": " : "", note);
	return audit_add(fleet->store, fleet_now(), call->who, "acknowledge", what, err);
}

void alarm_acknowledge(struct http_call *call)
{
	act_answer(call, acknowledge);
}
