// SPDX-License-Identifier: MIT
#include "alarm_events.h"

int alarm_open(struct store *store, const struct alarm_event *event, struct assay_error *err)
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
	const struct store_value values[] = { store_number(event->id), store_text(event->device),
					      store_number(event->at), store_number(event->verdict),
					      store_text(event->reason) };

	return store_run(store, &open, values, 1, NULL, NULL, err);
}

int alarm_close(struct store *store, const char *device, uint64_t id, uint64_t at,
		struct assay_error *err)
{
	static const struct store_statement end = {
		"nnt",
		"UPDATE alarm SET closed = $1, closed_by = $2 WHERE name = $3 AND closed = 0",
		NULL,
	};
	const struct store_value values[] = { store_number(at), store_number(id),
					      store_text(device) };

	return store_run(store, &end, values, 1, NULL, NULL, err);
}
