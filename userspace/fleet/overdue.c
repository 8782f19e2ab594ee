// SPDX-License-Identifier: MIT
#include "overdue.h"

#include "meta.h"

/* As PostgreSQL has device_state, by the hash of the name; SQLite has it in one. */
#define PARTS 16U
#define NEXT_PART "watched"
/* Of an interval, in which all parts are read: the rest is for looks that come late. */
#define ROUND_TENTHS 8U

/* ---------------------------------------------------------------- reading */

static int note_overdue(struct store *store, unsigned int part, uint64_t before, uint64_t most,
			struct assay_error *err)
{
#define NOTE(table)                                                                           \
	"INSERT INTO due_watch (name, due) SELECT name, due FROM " table                      \
	" WHERE due > 0 AND ((due < $1 AND verdict <> 3) OR due > $2) ON CONFLICT (name) DO " \
	"UPDATE SET due = excluded.due WHERE due_watch.due <> excluded.due"
#define PART(number)                                                      \
	{                                                                 \
		"nn", NOTE("device_state"), NOTE("device_state_" #number) \
	}
	static const struct store_statement note[PARTS] = {
		PART(0), PART(1), PART(2),  PART(3),  PART(4),	PART(5),  PART(6),  PART(7),
		PART(8), PART(9), PART(10), PART(11), PART(12), PART(13), PART(14), PART(15),
	};
#undef PART
#undef NOTE
	const struct store_value values[] = { store_number(before), store_number(most) };

	return store_run(store, &note[part], values, 1, NULL, NULL, err);
}

/* What a worker has locked for a verdict right now gets another time by that. */
static int cap_due(struct store *store, uint64_t to, uint64_t most, struct assay_error *err)
{
#define CAP(lock)                                                                              \
	"UPDATE device_state SET due = $1 WHERE name IN (SELECT s.name FROM due_watch w JOIN " \
	"device_state s ON s.name = w.name WHERE w.due > $2 AND s.due > $2" lock ")"
	static const struct store_statement cap = { "nn", CAP(""),
						    CAP(" FOR UPDATE OF s SKIP LOCKED") };
#undef CAP
	static const struct store_statement forget = { "n", "DELETE FROM due_watch WHERE due > $1",
						       NULL };
	const struct store_value values[] = { store_number(to), store_number(most) };
	int r = store_run(store, &cap, values, 1, NULL, NULL, err);

	return r < 0 ? r : store_run(store, &forget, &values[1], 1, NULL, NULL, err);
}

/* struct round - how all parts are read: @each at a look, in @seconds all of them */
struct round {
	unsigned int parts, each;
	uint64_t seconds;
};

static struct round plan_round(const struct store *store, const struct overdue_look *look)
{
	struct round ret = { .parts = store_is_postgres(store) ? PARTS : 1 };
	const uint64_t within = look->interval * ROUND_TENTHS;
	const uint64_t each = (ret.parts * look->period * 10 + within - 1) / within;

	ret.each = look->all || each > ret.parts ? ret.parts : (unsigned int)each;
	ret.seconds = (ret.parts + ret.each - 1) / ret.each * look->period;
	return ret;
}

int overdue_read_part(struct store *store, const struct overdue_look *look, struct assay_error *err)
{
	const struct round round = plan_round(store, look);
	const uint64_t due = look->now + look->interval, most = due + look->slack;
	/* What can be silent before its part is read again, also where a look comes late. */
	uint64_t before = look->now + round.seconds + 2 * look->period - look->interval;
	uint64_t part = 0;
	int r = meta_get(store, NEXT_PART, &part, err);

	if (before > look->now)
		before = look->now;
	for (unsigned int i = 0; r == 0 && i < round.each; i++)
		r = note_overdue(store, (unsigned int)((part + i) % round.parts), before, most,
				 err);
	if (r == 0)
		r = cap_due(store, due, most, err);
	return r < 0 ? r : meta_set(store, NEXT_PART, (part + round.each) % round.parts, err);
}

/* ---------------------------------------------------------------- what was noted */

int overdue_find(struct store *store, uint64_t before, uint64_t most, store_row *row, void *context,
		 struct assay_error *err)
{
	static const struct store_statement get = {
		"nn", "SELECT name FROM due_watch WHERE due < $1 ORDER BY due LIMIT $2", NULL
	};
	const struct store_value values[] = { store_number(before), store_number(most) };

	return store_run(store, &get, values, 1, row, context, err);
}

/* It waits for nobody who notes others at this time: those are noted again. */
int overdue_forget(struct store *store, const struct store_value *values, size_t count,
		   uint64_t *done, struct assay_error *err)
{
#define LATE "(SELECT 1 FROM device_state s WHERE s.name = w.name AND s.due > 0 AND s.due < "
	static const struct store_many forget = {
		{ "tn",
		  "DELETE FROM due_watch AS w WHERE w.name = $1 AND NOT EXISTS " LATE
		  "$2 AND s.verdict <> 3) RETURNING 1",
		  NULL },
		"DELETE FROM due_watch WHERE name IN (SELECT w.name FROM unnest($1, $2) AS "
		"v(name, before) JOIN due_watch w ON w.name = v.name WHERE NOT EXISTS " LATE
		"v.before AND s.verdict <> 3) FOR UPDATE OF w SKIP LOCKED) RETURNING 1",
	};
#undef LATE

	return store_run_many(store, &forget, values, count, store_count_row, done, err);
}
