// SPDX-License-Identifier: MIT
#include "changes.h"

#include <errno.h>

#include "base/json.h"
#include "devices.h"

const char *change_verdict_name(const struct store_value *column)
{
	uint64_t verdict = store_get_number(column);

	return device_verdict_name(verdict < DEVICE_VERDICTS ? (enum device_verdict)verdict :
							       DEVICE_NEVER);
}

json_t *change_json(const struct store_value *columns)
{
	return json_pack(
		"{s:I, s:s, s:I, s:s, s:o, s:s, s:o, s:o}", "id",
		(json_int_t)store_get_number(&columns[0]), "device", store_get_text(&columns[1]),
		"at", (json_int_t)store_get_number(&columns[2]), "verdict",
		change_verdict_name(&columns[3]), "reason", json_text(store_get_text(&columns[4])),
		"policy", store_get_text(&columns[5]), "evidence",
		columns[6].type == STORE_BLOB ? json_hex(columns[6].bytes) : json_null(), "alarm",
		columns[7].type == STORE_NUMBER ? json_integer(columns[7].number) : json_null());
}

static int take_change(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	(void)set;
	(void)count;
	return json_array_append_new(context, change_json(columns)) < 0 ?
		       assay_fail(err, ENOMEM, "out of memory") :
		       0;
}

int changes_after(struct store *store, uint64_t id, uint64_t limit, json_t *list,
		  struct assay_error *err)
{
	static const struct store_statement get = {
		"nn",
		"SELECT " CHANGE_COLUMNS " FROM verdict_change WHERE id > $1 ORDER BY id LIMIT $2",
		NULL,
	};
	const struct store_value values[] = { store_number(id), store_number(limit) };

	return store_run(store, &get, values, 1, take_change, list, err);
}

int changes_between(struct store *store, const struct changes_range *range, json_t *list,
		    struct assay_error *err)
{
#define BETWEEN(alarm)                                                                    \
	"SELECT " CHANGE_COLUMNS " FROM verdict_change WHERE id > $1 AND id <= $2 " alarm \
	"ORDER BY id LIMIT $3"
	static const struct store_statement all = { "nnn", BETWEEN(""), NULL };
	static const struct store_statement alarms = { "nnn", BETWEEN("AND verdict >= 2 "), NULL };
#undef BETWEEN
	const struct store_value values[] = { store_number(range->after),
					      store_number(range->up_to),
					      store_number(range->limit) };

	return store_run(store, range->alarms ? &alarms : &all, values, 1, take_change, list, err);
}

int changes_end(struct store *store, const struct changes_range *range, uint64_t *ret,
		struct assay_error *err)
{
#define END(alarm)                                                                             \
	"SELECT coalesce(max(id), 0) FROM (SELECT id FROM verdict_change WHERE id > $1 " alarm \
	"ORDER BY id LIMIT $2) AS next"
	static const struct store_statement all = { "nn", END(""), NULL };
	static const struct store_statement alarms = { "nn", END("AND verdict >= 2 "), NULL };
#undef END
	const struct store_value values[] = { store_number(range->after),
					      store_number(range->limit) };

	*ret = 0;
	return store_run(store, range->alarms ? &alarms : &all, values, 1, store_take_number, ret,
			 err);
}

int changes_newest(struct store *store, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT coalesce(max(id), 0) FROM verdict_change", NULL
	};

	*ret = 0;
	return store_run(store, &get, NULL, 1, store_take_number, ret, err);
}
