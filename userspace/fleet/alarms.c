// SPDX-License-Identifier: MIT
#include "alarms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "changes.h"

/* ---------------------------------------------------------------- reading */

#define COLUMNS                                                                                   \
	"a.id, a.name, a.at, a.verdict, a.reason, a.change_id, a.closed, a.acknowledged, a.who, " \
	"a.note, d.label FROM alarm a LEFT JOIN device d ON d.name = a.name "

static int alarm_row(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	json_t *row = json_pack(
		"{s:I, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:s}", "id",
		(json_int_t)store_get_number(&columns[0]), "device", store_get_text(&columns[1]),
		"at", (json_int_t)store_get_number(&columns[2]), "verdict",
		change_verdict_name(&columns[3]), "reason", json_text(store_get_text(&columns[4])),
		"change", (json_int_t)store_get_number(&columns[5]), "closed",
		(json_int_t)store_get_number(&columns[6]), "acknowledged",
		(json_int_t)store_get_number(&columns[7]), "who",
		json_text(store_get_text(&columns[8])), "note",
		json_text(store_get_text(&columns[9])), "label", store_get_text(&columns[10]));

	(void)set;
	(void)count;
	return json_array_append_new(context, row) < 0 ? assay_fail(err, ENOMEM, "out of memory") :
							 0;
}

/* What is open has an index of its own: there are few of those, however long the history is. */
int alarms_list(struct store *store, const struct alarm_filter *filter, json_t *list,
		struct assay_error *err)
{
#define LISTED(open, has)                                                                   \
	"SELECT " COLUMNS "WHERE " open " ($1 = 0 OR a.id < $1) AND ($2 < 0 OR ($2 = 1) = " \
	"(a.acknowledged > 0)) AND ($3 < 0 OR a.verdict = $3) AND ($4 = '' OR " has         \
	"(a.name, $4) > 0) AND ($5 = '' OR d.label = $5) ORDER BY a.id DESC LIMIT $6"
	static const struct store_statement any = { "nnnttn", LISTED("", "instr"),
						    LISTED("", "strpos") };
	static const struct store_statement closed = { "nnnttn",
						       LISTED("a.closed <> 0 AND", "instr"),
						       LISTED("a.closed <> 0 AND", "strpos") };
	static const struct store_statement open = { "nnnttn", LISTED("a.closed = 0 AND", "instr"),
						     LISTED("a.closed = 0 AND", "strpos") };
#undef LISTED
	const struct store_value values[] = {
		store_number(filter->before),
		store_number((uint64_t)filter->acknowledged),
		store_number((uint64_t)filter->verdict),
		store_text(filter->device),
		store_text(filter->label),
		store_number(filter->limit),
	};

	return store_run(store,
			 filter->open < 0  ? &any :
			 filter->open == 0 ? &closed :
					     &open,
			 values, 1, alarm_row, list, err);
}

int alarms_get(struct store *store, uint64_t id, json_t *list, struct assay_error *err)
{
	static const struct store_statement get = { "n", "SELECT " COLUMNS "WHERE a.id = $1",
						    NULL };
	const struct store_value value = store_number(id);

	return store_run(store, &get, &value, 1, alarm_row, list, err);
}

static int take_counts(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	uint64_t *counts = context;

	(void)set;
	(void)count;
	(void)err;
	counts[0] = store_get_number(&columns[0]);
	counts[1] = store_get_number(&columns[1]);
	return 0;
}

int alarms_count(struct store *store, uint64_t *ret_open, uint64_t *ret_unseen,
		 struct assay_error *err)
{
	static const struct store_statement get = {
		"",
		"SELECT count(*), count(CASE WHEN acknowledged = 0 THEN 1 END) FROM alarm WHERE "
		"closed = 0",
		NULL,
	};
	uint64_t counts[2] = { 0 };
	int r = store_run(store, &get, NULL, 1, take_counts, counts, err);

	*ret_open = counts[0];
	*ret_unseen = counts[1];
	return r;
}

/* ---------------------------------------------------------------- operators */

int alarms_acknowledge(struct store *store, uint64_t id, const char *who, const char *note,
		       uint64_t now, struct assay_error *err)
{
	static const struct store_statement set = {
		"nttn",
		"UPDATE alarm SET acknowledged = $1, who = $2, note = $3 WHERE id = $4 AND closed "
		"= 0 RETURNING 1",
		NULL,
	};
	const struct store_value values[] = { store_number(now), store_text(who), store_text(note),
					      store_number(id) };
	uint64_t found = 0;
	int r = store_run(store, &set, values, 1, store_take_number, &found, err);

	return r == 0 && found == 0 ?
		       assay_fail(err, ENOENT, "there is no open alarm %" PRIu64, id) :
		       r;
}

int alarms_prune(struct store *store, uint64_t before, uint64_t most, uint64_t *done,
		 struct assay_error *err)
{
	static const struct store_statement remove = {
		"nn",
		"DELETE FROM alarm WHERE id IN (SELECT id FROM alarm WHERE closed > 0 AND closed < "
		"$1 ORDER BY closed LIMIT $2) RETURNING 1",
		NULL,
	};
	const struct store_value values[] = { store_number(before), store_number(most) };

	return store_run(store, &remove, values, 1, store_count_row, done, err);
}
