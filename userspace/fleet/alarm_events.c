// SPDX-License-Identifier: MIT
#include "alarm_events.h"

#include <errno.h>
#include <stdlib.h>

/* What an event gives a statement; @values has room for the most that any has. */
typedef void fill_function(const struct alarm_event *event, struct store_value *values);

#define VALUES_MAX 5

static int run(struct store *store, const struct store_statement *statement, size_t width,
	       fill_function *fill, const struct alarm_event *events, size_t count,
	       struct assay_error *err)
{
	struct store_value *values = calloc(count * VALUES_MAX + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		fill(&events[i], values + i * width);
	r = store_run(store, statement, values, count, NULL, NULL, err);
	free(values);
	return r;
}

static void fill_open(const struct alarm_event *event, struct store_value *values)
{
	values[0] = store_number(event->id);
	values[1] = store_text(event->device);
	values[2] = store_number(event->at);
	values[3] = store_number(event->verdict);
	values[4] = store_text(event->reason);
}

int alarms_open(struct store *store, const struct alarm_event *events, size_t count,
		struct assay_error *err)
{
	static const struct store_statement open = {
		"ntnnt",
		"INSERT INTO alarm (id, change_id, name, at, verdict, reason) VALUES ($1, $1, $2, "
		"$3, $4, $5) ON CONFLICT (name) WHERE closed = 0 DO UPDATE SET change_id = "
		"excluded.change_id, verdict = excluded.verdict, reason = excluded.reason, "
		"acknowledged = CASE WHEN alarm.verdict = excluded.verdict AND alarm.reason = "
		"excluded.reason THEN alarm.acknowledged ELSE 0 END",
		NULL,
	};

	return run(store, &open, 5, fill_open, events, count, err);
}

static void fill_close(const struct alarm_event *event, struct store_value *values)
{
	values[0] = store_number(event->at);
	values[1] = store_number(event->id);
	values[2] = store_text(event->device);
}

int alarms_close(struct store *store, const struct alarm_event *events, size_t count,
		 struct assay_error *err)
{
	static const struct store_statement end = {
		"nnt",
		"UPDATE alarm SET closed = $1, closed_by = $2 WHERE name = $3 AND closed = 0",
		NULL,
	};

	return run(store, &end, 3, fill_close, events, count, err);
}
