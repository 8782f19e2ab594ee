// SPDX-License-Identifier: MIT
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "totals.h"

/* struct counted - the devices of one label, by what they are held for */
struct counted {
	char label[DEVICE_LABEL_MAX + 1];
	uint64_t devices[DEVICE_VERDICTS];
};

/* struct counts - the first is of all */
struct counts {
	struct counted rows[1 + TALLY_LABELS_MAX];
	size_t count;
};

static int take_label(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	struct counts *counts = context;
	struct counted *row = &counts->rows[counts->count];

	(void)set;
	(void)count;
	(void)err;
	/* A label that is too long was written by somebody else: it counts in the sum of all. */
	if (counts->count > TALLY_LABELS_MAX || columns[0].bytes.size >= sizeof(row->label))
		return 0;
	snprintf(row->label, sizeof(row->label), "%s", store_get_text(&columns[0]));
	for (size_t i = 0; i < DEVICE_VERDICTS; i++)
		row->devices[i] = store_get_number(&columns[1 + i]);
	counts->count++;
	return 0;
}

static int count_devices(struct store *store, struct counts *ret, struct assay_error *err)
{
#define OF(verdict) "sum(CASE WHEN s.verdict = " #verdict " THEN 1 ELSE 0 END)"
	static const struct store_statement labels = {
		"n",
		"SELECT d.label, " OF(0) ", " OF(1) ", " OF(2) ", " OF(
			3) " FROM device d JOIN device_state s ON s.name = d.name GROUP BY d.label "
			   "ORDER BY count(*) DESC, d.label LIMIT $1",
		NULL,
	};
#undef OF
	const struct store_value most = store_number(TALLY_LABELS_MAX);
	int r = totals_count_devices(store, ret->rows[0].devices, err);

	snprintf(ret->rows[0].label, sizeof(ret->rows[0].label), "%s", TALLY_ALL);
	ret->count = 1;
	return r < 0 ? r : store_run(store, &labels, &most, 1, take_label, ret, err);
}

/* Of a day the last count stays, and the highest. */
static int write_counts(struct store *store, uint64_t span, uint64_t at,
			const struct counts *counts, struct assay_error *err)
{
	static const struct store_statement add = {
		"ntnnn",
		"INSERT INTO tally (span, label, at, verdict, devices, most) VALUES ($1, $2, $3, "
		"$4, $5, $5) ON CONFLICT (span, label, at, verdict) DO UPDATE SET devices = "
		"excluded.devices, most = CASE WHEN excluded.most > tally.most THEN excluded.most "
		"ELSE tally.most END",
		NULL,
	};
	const size_t width = strlen(add.types), sets = counts->count * DEVICE_VERDICTS;
	struct store_value *values = calloc(sets * width + 1, sizeof(*values)), *to = values;
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < sets; i++, to += width) {
		const struct counted *row = &counts->rows[i / DEVICE_VERDICTS];

		to[0] = store_number(span);
		to[1] = store_text(row->label);
		to[2] = store_number(at);
		to[3] = store_number(i % DEVICE_VERDICTS);
		to[4] = store_number(row->devices[i % DEVICE_VERDICTS]);
	}
	r = store_run(store, &add, values, sets, NULL, NULL, err);
	free(values);
	return r;
}

/* What is older than the hours that are told is in its day. */
static int forget_hours(struct store *store, uint64_t now, struct assay_error *err)
{
	static const struct store_statement forget = {
		"nn", "DELETE FROM tally WHERE span = $1 AND at < $2", NULL
	};
	const uint64_t kept = TALLY_HOURS_KEPT * TALLY_HOUR;
	const struct store_value values[] = { store_number(TALLY_HOUR),
					      store_number(now > kept ? now - kept : 0) };

	return store_run(store, &forget, values, 1, NULL, NULL, err);
}

static int take(struct store *store, uint64_t now, bool *ret_taken, struct assay_error *err)
{
	static const struct store_statement claim = {
		"n",
		"UPDATE meta SET value = $1 WHERE name = 'tallied' AND value <> $1 RETURNING 1",
		NULL,
	};
	const uint64_t hour = now - now % TALLY_HOUR;
	const struct store_value value = store_number(hour);
	struct counts *counts;
	uint64_t mine = 0;
	int r = store_run(store, &claim, &value, 1, store_take_number, &mine, err);

	*ret_taken = mine != 0;
	if (r < 0 || mine == 0)
		return r;
	counts = calloc(1, sizeof(*counts));
	if (!counts)
		return assay_fail(err, ENOMEM, "out of memory");
	r = count_devices(store, counts, err);
	if (r == 0)
		r = write_counts(store, TALLY_HOUR, hour, counts, err);
	if (r == 0)
		r = write_counts(store, TALLY_DAY, now - now % TALLY_DAY, counts, err);
	free(counts);
	return r < 0 ? r : forget_hours(store, now, err);
}

int tally_take(struct store *store, uint64_t now, bool *ret_taken, struct assay_error *err)
{
	static const struct store_statement last = {
		"", "SELECT value FROM meta WHERE name = 'tallied'", NULL
	};
	uint64_t at = 0;
	int r = store_run(store, &last, NULL, 1, store_take_number, &at, err);

	*ret_taken = false;
	if (r < 0 || at == now - now % TALLY_HOUR)
		return r;
	r = store_begin(store, err);
	if (r < 0)
		return r;
	r = take(store, now, ret_taken, err);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

/* ---------------------------------------------------------------- reading */

/* Rows of one moment follow each other. */
static int list_row(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	json_t *list = context, *row = json_array_get(list, json_array_size(list) - 1);
	const json_int_t at = (json_int_t)store_get_number(&columns[0]);
	uint64_t verdict = store_get_number(&columns[1]);
	const char *name;

	(void)set;
	(void)count;
	if (verdict >= DEVICE_VERDICTS)
		return assay_fail(err, EIO, "a verdict in the database is none");
	name = device_verdict_name((enum device_verdict)verdict);
	if (!row || json_integer_value(json_object_get(row, "at")) != at) {
		row = json_pack("{s:I, s:{}, s:{}}", "at", at, "devices", "most");
		if (json_array_append_new(list, row) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
	}
	if (json_object_set_new(json_object_get(row, "devices"), name,
				json_integer((json_int_t)store_get_number(&columns[2]))) < 0 ||
	    json_object_set_new(json_object_get(row, "most"), name,
				json_integer((json_int_t)store_get_number(&columns[3]))) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

int tally_list(struct store *store, uint64_t span, const char *label, uint64_t from, json_t *list,
	       struct assay_error *err)
{
	static const struct store_statement get = {
		"ntn",
		"SELECT at, verdict, devices, most FROM tally WHERE span = $1 AND label = $2 AND "
		"at >= $3 ORDER BY at, verdict",
		NULL,
	};
	const struct store_value values[] = { store_number(span), store_text(label),
					      store_number(from) };

	return store_run(store, &get, values, 1, list_row, list, err);
}
