// SPDX-License-Identifier: MIT
#include "partitions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define SCRIPT_MAX 2048
#define PARTITIONS_MAX 4096
/* Changes that are taken out of a partition while all others wait: some 50 MB at most. */
#define MOVED_MAX 10000U

/* Attached when it is there: to make it in one go would keep everybody out. */
static int add_partition(struct store *store, uint64_t from, uint64_t to, struct assay_error *err)
{
	char sql[SCRIPT_MAX];

	snprintf(sql, sizeof(sql),
		 "CREATE TABLE verdict_change_%" PRIu64
		 " (LIKE verdict_change INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING "
		 "INDEXES INCLUDING STORAGE);"
		 "ALTER TABLE verdict_change ATTACH PARTITION verdict_change_%" PRIu64
		 " FOR VALUES FROM (%" PRIu64 ") TO (%" PRIu64 ");",
		 from, from, from, to);
	return store_script(store, sql, err);
}

static int add_next(struct store *store, uint64_t from, uint64_t to, struct assay_error *err)
{
	static const struct store_statement claim = {
		"nn",
		"UPDATE meta SET value = $1 WHERE name = 'changes_to' AND value = $2 RETURNING 1",
		NULL,
	};
	const struct store_value values[] = { store_number(to), store_number(from) };
	uint64_t mine = 0;
	int r = store_run(store, &claim, values, 1, store_take_number, &mine, err);

	return r < 0 || mine == 0 ? r : add_partition(store, from, to, err);
}

static int end_transaction(struct store *store, int r, struct assay_error *err)
{
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

int partitions_ahead(struct store *store, uint64_t size, struct assay_error *err)
{
	static const struct store_statement get = {
		"n",
		"SELECT 0",
		"SELECT CASE WHEN (SELECT last_value FROM verdict_change_ids) + $1 > value THEN "
		"value ELSE 0 END FROM meta WHERE name = 'changes_to'",
	};
	const struct store_value value = store_number(size);
	uint64_t from = 0;
	int r = store_is_postgres(store) ?
			store_run(store, &get, &value, 1, store_take_number, &from, err) :
			0;

	if (r < 0 || from == 0)
		return r;
	r = store_begin(store, err);
	return r < 0 ? r : end_transaction(store, add_next(store, from, from + size, err), err);
}

/* ---------------------------------------------------------------- dropping */

/* struct partitions - the numbers that they begin with, ascending; without that of the oldest */
struct partitions {
	uint64_t from[PARTITIONS_MAX];
	size_t count;
};

static int take_partition(void *context, size_t set, const struct store_value *columns,
			  size_t count, struct assay_error *err)
{
	struct partitions *partitions = context;

	(void)set;
	(void)count;
	(void)err;
	if (partitions->count < PARTITIONS_MAX)
		partitions->from[partitions->count++] = store_get_number(&columns[0]);
	return 0;
}

/*
 * Is each change of it old, and are there few that devices are held for? 1 if so. What was noted in
 * a time to come, by a clock that was ahead, is old where the first behind them is.
 */
static int can_go(struct store *store, uint64_t from, uint64_t to, uint64_t before, uint64_t now,
		  struct assay_error *err)
{
	static const struct store_statement look = {
		"nnnnn",
		"SELECT 0",
		"SELECT CASE WHEN (SELECT last_value FROM verdict_change_ids) >= $2 AND NOT EXISTS "
		"(SELECT 1 FROM verdict_change WHERE id >= $1 AND id < $2 AND at >= $3 AND at <= "
		"$4) AND (NOT EXISTS (SELECT 1 FROM verdict_change WHERE id >= $1 AND id < $2 AND "
		"at > $4) OR (SELECT at FROM verdict_change WHERE id >= $2 AND at <= $4 ORDER BY "
		"id LIMIT 1) < $3) AND (SELECT count(*) FROM (SELECT 1 FROM device_state WHERE "
		"change_id >= $1 AND change_id < $2 LIMIT $5 + 1) AS held) <= $5 THEN 1 ELSE 0 "
		"END::bigint",
	};
	const struct store_value values[] = { store_number(from), store_number(to),
					      store_number(before), store_number(now),
					      store_number(MOVED_MAX) };
	uint64_t good = 0;
	int r = store_run(store, &look, values, 1, store_take_number, &good, err);

	return r < 0 ? r : good != 0;
}

/*
 * All others wait until it is done, so it is not waited for long to begin: a lock that is asked for
 * keeps out who comes later. What is held of it becomes part of the oldest.
 */
static int drop(struct store *store, uint64_t from, uint64_t to, struct assay_error *err)
{
	char sql[SCRIPT_MAX];

	snprintf(sql, sizeof(sql),
		 "SET LOCAL lock_timeout = '500ms';"
		 "LOCK TABLE verdict_change IN ACCESS EXCLUSIVE MODE;"
		 "ALTER TABLE verdict_change DETACH PARTITION verdict_change_%" PRIu64 ";"
		 "ALTER TABLE verdict_change DETACH PARTITION verdict_change_0;"
		 "INSERT INTO verdict_change_0 SELECT c.* FROM verdict_change_%" PRIu64
		 " c WHERE c.id IN (SELECT change_id FROM device_state);"
		 "ALTER TABLE verdict_change ATTACH PARTITION verdict_change_0 FOR VALUES FROM "
		 "(MINVALUE) TO (%" PRIu64 ");"
		 "DROP TABLE verdict_change_%" PRIu64 ";",
		 from, from, to, from);
	return store_script(store, sql, err);
}

static int drop_old(struct store *store, const struct partitions *partitions, uint64_t before,
		    uint64_t now, uint64_t *ret_dropped, struct assay_error *err)
{
	/* The newest one of all is made ahead. */
	for (size_t i = 0; i + 1 < partitions->count; i++) {
		const uint64_t from = partitions->from[i], to = partitions->from[i + 1];
		int r = can_go(store, from, to, before, now, err);

		/* Only what follows the oldest can become part of it. */
		if (r <= 0)
			return r;
		r = store_begin(store, err);
		if (r == 0)
			r = end_transaction(store, drop(store, from, to, err), err);
		if (r == -EBUSY)
			return 0; /* at the next pass */
		if (r < 0)
			return r;
		++*ret_dropped;
	}
	return 0;
}

int partitions_drop(struct store *store, uint64_t before, uint64_t now, uint64_t *ret_dropped,
		    struct assay_error *err)
{
	static const struct store_statement list = {
		"",
		"SELECT 0",
		"SELECT n FROM (SELECT substring(c.relname from 16)::bigint AS n FROM pg_inherits "
		"i "
		"JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
		"'verdict_change'::regclass) AS p WHERE n > 0 ORDER BY n",
	};
	struct partitions partitions = { .count = 0 };
	int r = store_is_postgres(store) ?
			store_run(store, &list, NULL, 1, take_partition, &partitions, err) :
			0;

	return r < 0 ? r : drop_old(store, &partitions, before, now, ret_dropped, err);
}
