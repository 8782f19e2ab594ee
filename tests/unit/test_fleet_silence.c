// SPDX-License-Identifier: MIT
/*
 * Who looks for silence, who judges, who removes devices, acknowledges alarms and forgets what is
 * old, all at once: whatever comes of it, what a device is held for, its last change and its alarm
 * agree, and nobody is called silent who was judged in time. SQLite is always there; for PostgreSQL
 * tests/e2e/test_fleet_store.sh runs this with $FLEET_DATABASE, the URL of a database.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/alarms.h"
#include "fleet/audit.h"
#include "fleet/devices.h"
#include "fleet/lease.h"
#include "fleet/retention.h"
#include "fleet/schema.h"
#include "fleet/tally.h"

#define INTERVAL 300
#define PERIOD 30
#define LOOKS 60U /* of six intervals */
#define BEGIN 100000U
#define DEVICES 300U
#define QUIET 50U     /* the first, which nobody judges */
#define REMOVABLE 60U /* the last, which come and go */
#define BATCH 10U

static _Atomic uint64_t now = BEGIN;
static _Atomic bool done;

/* A file, or a schema of its own of the database that is given. */
static int open_database(struct store **ret, struct assay_error *err)
{
	const char *given = getenv("FLEET_DATABASE");
	int r = store_connect(given ? given : "sqlite:fleet.db", ret, err);

	return r < 0 || !given ?
		       r :
		       store_script(
			       *ret,
			       "CREATE SCHEMA IF NOT EXISTS silence; SET search_path = silence",
			       err);
}

static void name_of(uint32_t number, char name[16])
{
	snprintf(name, 16, "s%05u", number % 100000);
}

/* Devices from @from to before @to, which are due an interval from then on. */
static int enrol(struct store *store, uint32_t from, uint32_t to, struct assay_error *err)
{
	const char *bytes = store_is_postgres(store) ? "convert_to('s' || n, 'UTF8')" :
						       "CAST('s' || n AS BLOB)";
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO device (name, identity, record, ak, approved, enrolled) WITH "
		 "RECURSIVE c(n) AS (SELECT %u UNION ALL SELECT n + 1 FROM c WHERE n < %u) SELECT "
		 "'s' || substr('00000' || n, length('00000' || n) - 4), %s, '', %s, 1, 1 FROM c;"
		 "INSERT INTO device_state (name, due) SELECT name, %llu FROM device WHERE name >= "
		 "'s%05u' AND name < 's%05u'",
		 from, to - 1, bytes, bytes, (unsigned long long)atomic_load(&now) + INTERVAL, from,
		 to);
	return store_script(store, sql, err);
}

/* ---------------------------------------------------------------- who does what */

static int judge(struct store *store, uint32_t first, struct device *devices,
		 struct assay_error *err)
{
	char text[BATCH][16];
	const char *names[BATCH];
	const struct device *changed[BATCH];
	struct device *held[BATCH];
	struct device_change changes[BATCH];
	uint64_t ids[BATCH];
	size_t count = 0, news = 0;
	const uint64_t at = atomic_load(&now);
	int r;

	for (uint32_t i = 0; i < BATCH; i++) {
		name_of(first + i, text[i]);
		names[i] = text[i];
	}
	r = devices_load(store, names, BATCH, true, devices, err);
	for (size_t i = 0; r == 0 && i < BATCH; i++) {
		struct device *device = &devices[i];

		if (device->name[0] == '\0')
			continue; /* it was removed */
		if (device->verdict != DEVICE_TRUSTED) {
			held[news] = device;
			changes[news++] = (struct device_change){ .name = device->name,
								  .at = at,
								  .verdict = DEVICE_TRUSTED,
								  .reason = "",
								  .policy = "",
								  .first = device->change == 0 };
		}
		device->verdict = DEVICE_TRUSTED;
		device->judged = device->seen = at;
		device->due = at + INTERVAL;
		changed[count++] = device;
	}
	if (r == 0)
		r = devices_add_changes(store, changes, news, ids, err);
	for (size_t i = 0; r == 0 && i < news; i++) {
		held[i]->change = ids[i];
		held[i]->since = at;
	}
	return r < 0 ? r : devices_save(store, changed, count, err);
}

static int judge_some(struct store *store, uint32_t number, struct assay_error *err)
{
	struct device devices[BATCH] = { 0 };
	int r = store_begin_by_keys(store, err);

	if (r < 0)
		return r;
	r = judge(store, QUIET + number % (DEVICES - QUIET - BATCH), devices, err);
	for (size_t i = 0; i < BATCH; i++)
		device_free(&devices[i]);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

static int replace_one(struct store *store, uint32_t number, struct assay_error *err)
{
	const uint32_t which = DEVICES - REMOVABLE + number % REMOVABLE;
	char name[16];
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	name_of(which, name);
	r = devices_remove(store, name, atomic_load(&now), err);
	if (r == 0)
		r = enrol(store, which, which + 1, err);
	if (r == 0)
		r = audit_add(store, atomic_load(&now), "approver", "replace", name, err);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

static int look(struct store *store, uint32_t number, struct assay_error *err)
{
	const struct lease_terms terms = { atomic_load(&now), PERIOD, INTERVAL };
	struct lease_found found = { 0 };
	int r = lease_sweep(store, &terms, &found, err);

	(void)number;
	/* Whoever has the lease, the other finds as well. */
	return r < 0 ? r : lease_go_on(store, &terms, &found, err);
}

/* As operators do: what they did is in the audit. */
static int acknowledge_one(struct store *store, uint32_t number, struct assay_error *err)
{
	static const struct store_statement any = {
		"n", "SELECT id FROM alarm WHERE closed = 0 AND id >= $1 ORDER BY id LIMIT 1", NULL
	};
	const struct store_value from = store_number(number % 1000);
	uint64_t id = 0;
	int r = store_run(store, &any, &from, 1, store_take_number, &id, err);

	if (r == 0)
		r = store_begin(store, err);
	if (r < 0)
		return r;
	r = alarms_acknowledge(store, id, "operator", "seen", atomic_load(&now), err);
	if (r == 0)
		r = audit_add(store, atomic_load(&now), "operator", "acknowledge", "", err);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r == -ENOENT ? 0 : r; /* it was closed meanwhile */
}

/* More than a day later each time, so that a pass begins and goes on. */
static int keep_house(struct store *store, uint32_t number, struct assay_error *err)
{
	const struct retention_terms terms = { atomic_load(&now) + number % 10 * 86401, 1, 1, 200 };
	struct retention_done forgotten = { 0 };
	bool taken;
	int r = retention_look(store, &terms, &forgotten, err);

	return r < 0 ? r : tally_take(store, terms.now, &taken, err);
}

/* struct part - who does it until all is done; @error: "" if all went well */
struct part {
	int (*act)(struct store *store, uint32_t number, struct assay_error *err);
	pthread_t thread;
	uint32_t seed;
	struct assay_error error;
};

static void *play(void *context)
{
	struct part *part = context;
	struct store *store = NULL;
	int r = open_database(&store, &part->error);

	while (r == 0 && !atomic_load(&done))
		r = part->act(store, support_random(&part->seed), &part->error);
	if (store)
		store_disconnect(store);
	if (r == 0)
		part->error.text[0] = '\0';
	return NULL;
}

/* ---------------------------------------------------------------- what must hold */

static uint64_t count_of(struct store *store, const struct store_statement *get)
{
	struct assay_error err = { 0 };
	uint64_t count = 0;

	if (store_run(store, get, NULL, 1, store_take_number, &count, &err) < 0)
		fail_msg("%s: %s", get->sql, err.text);
	return count;
}

#define COUNT(sql)                                    \
	{                                             \
		"", "SELECT count(*) FROM " sql, NULL \
	}

static void check_all(struct store *store)
{
	static const struct {
		const char *what;
		struct store_statement get;
	} rows[] = {
		{ "is held for something else than its last change says",
		  COUNT("device_state s LEFT JOIN verdict_change c ON c.id = s.change_id AND "
			"c.name = s.name AND c.verdict = s.verdict WHERE s.verdict <> 0 AND c.id "
			"IS NULL") },
		{ "is silent and has no alarm",
		  COUNT("device_state s WHERE s.verdict = 3 AND NOT EXISTS (SELECT 1 FROM alarm a "
			"WHERE a.name = s.name AND a.closed = 0 AND a.verdict = 3)") },
		{ "has an alarm and is not silent",
		  COUNT("alarm a WHERE a.closed = 0 AND NOT EXISTS (SELECT 1 FROM device_state s "
			"WHERE s.name = a.name AND s.verdict = 3)") },
		{ "was called silent in time",
		  COUNT("device_state WHERE verdict = 3 AND since <= due + 300") },
	};
	static const struct store_statement quiet =
		COUNT("device_state WHERE name < 's00050' AND verdict = 3");
	static const struct store_statement trusted = COUNT("device_state WHERE verdict = 1");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t count = count_of(store, &rows[i].get);

		if (count > 0)
			fail_msg("%llu times, a device %s", (unsigned long long)count,
				 rows[i].what);
	}
	assert_int_equal(count_of(store, &quiet), QUIET);
	assert_true(count_of(store, &trusted) > 0);
}

static void all_at_once(void **state)
{
	struct part parts[] = {
		{ .act = judge_some, .seed = 1 },  { .act = judge_some, .seed = 2 },
		{ .act = look, .seed = 3 },	   { .act = look, .seed = 4 },
		{ .act = replace_one, .seed = 5 }, { .act = acknowledge_one, .seed = 6 },
		{ .act = keep_house, .seed = 7 },
	};
	const size_t count = sizeof(parts) / sizeof(parts[0]);
	struct store *store = NULL;
	struct assay_error err = { 0 };

	(void)state;
	if (open_database(&store, &err) < 0 || schema_migrate(store, schema_newest(), &err) < 0 ||
	    enrol(store, 0, DEVICES, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pthread_create(&parts[i].thread, NULL, play, &parts[i]), 0);
	/* The time goes on with looks, so that it does whoever is kept waiting. */
	for (uint32_t i = 0; i < LOOKS; i++) {
		atomic_fetch_add(&now, PERIOD);
		if (look(store, 0, &err) < 0)
			break;
	}
	atomic_store(&done, true);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pthread_join(parts[i].thread, NULL), 0);
	for (size_t i = 0; i < count; i++)
		if (parts[i].error.text[0])
			fail_msg("part %zu: %s", i, parts[i].error.text);
	if (err.text[0])
		fail_msg("%s", err.text);
	check_all(store);
	store_disconnect(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_at_once, support_enter_directory,
						support_leave_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
