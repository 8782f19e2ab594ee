// SPDX-License-Identifier: MIT
/*
 * What the fleet's database keeps over time, and for how long: on each engine, as
 * tests/unit/test_fleet_store.c. And that a database of each former version becomes one of this,
 * with what is in it.
 */
#define _GNU_SOURCE
#include "log_builder.h"
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/alarms.h"
#include "fleet/changes.h"
#include "fleet/devices.h"
#include "fleet/retention.h"
#include "fleet/schema.h"
#include "fleet/tally.h"
#include "fleet/versions.h"
#include "log/cel.h"

#define DAY 86400U
#define NOW (20000U * DAY + 7 * 3600 + 100)

static struct store *store;

/* A database of its own for each test: a file, or a schema of the one that is given. */
static struct store *open_database(const char *name)
{
	const char *given = getenv("FLEET_DATABASE");
	struct store *ret = NULL;
	struct assay_error err = { 0 };
	char text[256];
	int r;

	snprintf(text, sizeof(text), "sqlite:%s.db", name);
	r = store_connect(given ? given : text, &ret, &err);
	snprintf(text, sizeof(text), "CREATE SCHEMA %s; SET search_path = %s", name, name);
	/* Nothing of it has to outlive a machine. */
	if (r == 0)
		r = store_script(ret, given ? text : "PRAGMA synchronous = OFF", &err);
	if (r < 0)
		fail_msg("%s", err.text);
	return ret;
}

static int set_up(void **state)
{
	static unsigned int number;
	struct assay_error err = { 0 };
	char name[32];

	if (support_enter_directory(state) != 0)
		return -1;
	snprintf(name, sizeof(name), "history_%u", number++);
	store = open_database(name);
	return schema_migrate(store, schema_newest(), &err);
}

static int tear_down(void **state)
{
	store_disconnect(store);
	return support_leave_directory(state);
}

static void script(const char *sql)
{
	struct assay_error err = { 0 };

	if (store_script(store, sql, &err) < 0)
		fail_msg("%s", err.text);
}

/* The engines know a statement by its address: each question has its own. */
static uint64_t number(const char *sql)
{
	static struct store_statement asked[256];
	static size_t count;
	struct assay_error err = { 0 };
	uint64_t ret = UINT64_MAX;

	assert_true(count < sizeof(asked) / sizeof(asked[0]));
	asked[count] = (struct store_statement){ "", sql, NULL };
	if (store_run(store, &asked[count++], NULL, 1, store_take_number, &ret, &err) < 0)
		fail_msg("%s: %s", sql, err.text);
	return ret;
}

static void add_device(const char *name, const char *label, enum device_verdict verdict)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO device (name, identity, record, ak, label, approved, enrolled) "
		 "VALUES ('%s', CAST('%s' AS %s), '', CAST('' AS %s), '%s', 1, 5);"
		 "INSERT INTO device_state (name, verdict) VALUES ('%s', %d)",
		 name, name, store_is_postgres(store) ? "BYTEA" : "BLOB",
		 store_is_postgres(store) ? "BYTEA" : "BLOB", label, name, (int)verdict);
	script(sql);
}

/* As intake and the lease do it. */
static uint64_t change(const char *name, enum device_verdict verdict, uint64_t at,
		       const char *reason)
{
	const struct device_change row = { .name = name,
					   .at = at,
					   .verdict = verdict,
					   .reason = reason,
					   .policy = "p@1",
					   .first = number("SELECT count(*) FROM verdict_change") ==
						    0 };
	struct device device = { 0 };
	const struct device *const changed[] = { &device };
	struct assay_error err = { 0 };
	uint64_t id;

	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_load(store, &name, 1, true, &device, &err), 0);
	if (devices_add_changes(store, &row, 1, &device.change, &err) < 0)
		fail_msg("%s", err.text);
	device.verdict = verdict;
	device.since = at;
	assert_int_equal(devices_save(store, changed, 1, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	id = device.change;
	device_free(&device);
	return id;
}

/* ---------------------------------------------------------------- counts */

static void assert_count(const json_t *list, size_t index, const char *member, const char *verdict,
			 int count)
{
	const json_t *row = json_array_get(list, index);

	assert_int_equal(json_integer_value(json_object_get(json_object_get(row, member), verdict)),
			 count);
}

static bool take_at(uint64_t now)
{
	struct assay_error err = { 0 };
	bool taken;

	if (tally_take(store, now, &taken, &err) < 0)
		fail_msg("%s", err.text);
	return taken;
}

static json_t *listed(uint64_t span, const char *label)
{
	struct assay_error err = { 0 };
	json_t *list = json_array();

	assert_int_equal(tally_list(store, span, label, 0, list, &err), 0);
	return list;
}

static void devices_are_counted(void **state)
{
	json_t *list;

	(void)state;
	add_device("a", "shop", DEVICE_TRUSTED);
	add_device("b", "shop", DEVICE_TRUSTED);
	add_device("c", "", DEVICE_NOT_TRUSTED);
	assert_true(take_at(NOW));
	/* Once an hour, whoever asks. */
	assert_false(take_at(NOW + 10));
	script("UPDATE device_state SET verdict = 3 WHERE name = 'b'");
	assert_true(take_at(NOW + 3600));
	script("UPDATE device_state SET verdict = 1 WHERE name = 'b'");
	assert_true(take_at(NOW + 2 * 3600));
	assert_true(take_at(NOW + DAY));

	list = listed(TALLY_HOUR, TALLY_ALL);
	assert_int_equal(json_array_size(list), 4);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "at")),
			 NOW - 100);
	assert_count(list, 0, "devices", "trusted", 2);
	assert_count(list, 0, "devices", "not-trusted", 1);
	assert_count(list, 1, "devices", "trusted", 1);
	assert_count(list, 1, "devices", "silent", 1);
	/* What is no more is told as none, and is not what was there before. */
	assert_count(list, 2, "devices", "silent", 0);
	json_decref(list);
	/* A day: its last count, and the highest. */
	list = listed(TALLY_DAY, TALLY_ALL);
	assert_int_equal(json_array_size(list), 2);
	assert_count(list, 0, "devices", "silent", 0);
	assert_count(list, 0, "most", "silent", 1);
	assert_count(list, 1, "most", "silent", 0);
	json_decref(list);
	list = listed(TALLY_DAY, "shop");
	assert_count(list, 0, "devices", "trusted", 2);
	assert_count(list, 0, "devices", "not-trusted", 0);
	json_decref(list);
	/* A clock that was ahead, and is set right, keeps nothing from being counted. */
	assert_true(take_at(NOW + 3 * 3600));
	/* Hours are forgotten, days are not. */
	assert_true(take_at(NOW + 30 * DAY));
	list = listed(TALLY_HOUR, TALLY_ALL);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	list = listed(TALLY_DAY, TALLY_ALL);
	assert_int_equal(json_array_size(list), 3);
	json_decref(list);
}

/* Labels of which there are more than are counted one by one are in the sum of all. */
static void many_labels_are_bounded(void **state)
{
	char name[16];
	json_t *list;

	(void)state;
	for (int i = 0; i < TALLY_LABELS_MAX + 20; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		add_device(name, name, DEVICE_TRUSTED);
	}
	assert_true(take_at(NOW));
	assert_int_equal(number("SELECT count(*) FROM tally WHERE span = 3600"),
			 4 * (TALLY_LABELS_MAX + 1));
	list = listed(TALLY_HOUR, TALLY_ALL);
	assert_count(list, 0, "devices", "trusted", TALLY_LABELS_MAX + 20);
	json_decref(list);
}

/* ---------------------------------------------------------------- alarms */

static json_t *alarms(int64_t open, int64_t acknowledged, const char *device)
{
	const struct alarm_filter filter = { .open = open,
					     .acknowledged = acknowledged,
					     .verdict = -1,
					     .device = device,
					     .label = "",
					     .limit = 10 };
	struct assay_error err = { 0 };
	json_t *list = json_array();

	if (alarms_list(store, &filter, list, &err) < 0)
		fail_msg("%s", err.text);
	return list;
}

static size_t count_alarms(int64_t open, int64_t acknowledged, const char *device)
{
	json_t *list = alarms(open, acknowledged, device);
	size_t count = json_array_size(list);

	json_decref(list);
	return count;
}

/* What those say who tell of changes: the alarm that each is of, or 0. */
static json_int_t alarm_of(uint64_t change)
{
	struct assay_error err = { 0 };
	json_t *list = json_array(), *row;
	json_int_t alarm;

	assert_int_equal(changes_after(store, change - 1, 1, list, &err), 0);
	row = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "id")), change);
	alarm = json_integer_value(json_object_get(row, "alarm"));
	json_decref(list);
	return alarm;
}

static void alarms_are_opened_and_closed(void **state)
{
	uint64_t good, red, other, silent, green, again, open = 0, unseen = 0;
	struct assay_error err = { 0 };
	json_t *list;

	(void)state;
	add_device("a", "shop", DEVICE_NEVER);
	add_device("b", "", DEVICE_NEVER);
	good = change("a", DEVICE_TRUSTED, NOW, "");
	red = change("a", DEVICE_NOT_TRUSTED, NOW + 1, "a: file");
	assert_int_equal(count_alarms(1, -1, ""), 1);
	assert_int_equal(alarms_acknowledge(store, red, "operator me", "seen", NOW + 2, &err), 0);
	assert_int_equal(alarms_count(store, &open, &unseen, &err), 0);
	assert_true(open == 1 && unseen == 0);
	/* The same again, as by another policy, is no news; another reason, or silence, is. */
	other = change("a", DEVICE_NOT_TRUSTED, NOW + 3, "a: file");
	assert_int_equal(count_alarms(1, 1, ""), 1);
	change("a", DEVICE_NOT_TRUSTED, NOW + 4, "a: firmware");
	assert_int_equal(count_alarms(1, 1, ""), 0);
	assert_int_equal(alarms_acknowledge(store, red, "operator me", "", NOW + 5, &err), 0);
	silent = change("a", DEVICE_SILENT, NOW + 6, "a: firmware");
	assert_int_equal(count_alarms(1, 0, ""), 1);
	list = alarms(1, -1, "a");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), red);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "change")),
			 silent);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "at")),
			 NOW + 1);
	json_decref(list);
	assert_int_equal(count_alarms(1, -1, "b"), 0);
	green = change("a", DEVICE_TRUSTED, NOW + 7, "");
	assert_int_equal(count_alarms(1, -1, ""), 0);
	assert_int_equal(count_alarms(0, -1, ""), 1);
	/* What is closed needs nobody any more. */
	assert_int_equal(alarms_acknowledge(store, red, "operator me", "", NOW, &err), -ENOENT);
	assert_int_equal(alarms_acknowledge(store, 999, "operator me", "", NOW, &err), -ENOENT);
	again = change("a", DEVICE_SILENT, NOW + 8, "");
	assert_int_equal(alarm_of(good), 0);
	assert_int_equal(alarm_of(red), red);
	assert_int_equal(alarm_of(other), red);
	assert_int_equal(alarm_of(silent), red);
	assert_int_equal(alarm_of(green), red);
	assert_int_equal(alarm_of(again), again);
	/* Of a device that is removed; what there was stays to be seen. */
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_remove(store, "a", NOW + 9, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(count_alarms(1, -1, ""), 0);
	assert_int_equal(count_alarms(-1, -1, ""), 2);
	assert_int_equal(alarm_of(again), again);
	open = 0;
	assert_int_equal(alarms_prune(store, NOW + 8, 10, &open, &err), 0);
	assert_int_equal(open, 1);
}

/* Of one transaction, in which a device may be there more than once: in their order. */
static void alarms_follow_a_batch(void **state)
{
	static const struct device_change changes[] = {
		{ .name = "a", .at = NOW, .verdict = DEVICE_TRUSTED, .reason = "", .policy = "" },
		{ .name = "b", .at = NOW, .verdict = DEVICE_SILENT, .reason = "x", .policy = "" },
		{ .name = "a", .at = NOW, .verdict = DEVICE_SILENT, .reason = "y", .policy = "" },
		{ .name = "c", .at = NOW, .verdict = DEVICE_SILENT, .reason = "z", .policy = "" },
		{ .name = "d", .at = NOW, .verdict = DEVICE_TRUSTED, .reason = "", .policy = "" },
		{ .name = "c", .at = NOW, .verdict = DEVICE_TRUSTED, .reason = "", .policy = "" },
		{ .name = "b", .at = NOW, .verdict = DEVICE_TRUSTED, .reason = "", .policy = "" },
		{ .name = "b", .at = NOW, .verdict = DEVICE_SILENT, .reason = "x", .policy = "" },
		/* Of a device that the database knows nothing of yet. */
		{ "e", NOW, DEVICE_NOT_TRUSTED, "x", "", .first = true },
		{ "e", NOW, DEVICE_TRUSTED, "", "", .first = true },
	};
	const size_t count = sizeof(changes) / sizeof(changes[0]);
	uint64_t ids[sizeof(changes) / sizeof(changes[0])];
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(store_begin(store, &err), 0);
	if (devices_add_changes(store, changes, count, ids, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(count_alarms(-1, -1, ""), 5);
	assert_int_equal(count_alarms(1, -1, ""), 2);
	assert_int_equal(count_alarms(1, -1, "a"), 1);
	assert_int_equal(count_alarms(0, -1, "e"), 1);
	assert_int_equal(alarm_of(ids[1]), ids[1]);
	assert_int_equal(alarm_of(ids[6]), ids[1]);
	assert_int_equal(alarm_of(ids[7]), ids[7]);
	assert_int_equal(alarm_of(ids[5]), ids[3]);
	assert_int_equal(alarm_of(ids[0]), 0);
}

/* ---------------------------------------------------------------- versions */

static void versions_are_read(void **state)
{
	static const struct versions_proven none = { false, false }, log = { true, false },
					    both = { true, true };
	struct evidence evidence = { .has_assay_log = true, .has_uefi_log = true };
	struct log_builder builder;
	struct versions versions;

	(void)state;
	evidence.uefi_data = log_test_data("uefi/keylime-secureboot.bin");
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	buffer_append_bytes(&evidence.assay_cel, buffer_bytes(&builder.log));
	versions_read(&evidence, &versions);
	assert_true(versions.known);
	assert_string_equal(versions.kernel, "6.12.0-test");
	assert_string_equal(versions.module, "0.1.0");
	assert_string_equal(versions.firmware, "edk2-20240524-7.el9");
	/* What no quote proves anybody could have written. */
	versions_believe(&versions, both);
	assert_string_equal(versions.firmware, "edk2-20240524-7.el9");
	versions_believe(&versions, log);
	assert_string_equal(versions.kernel, "6.12.0-test");
	assert_string_equal(versions.firmware, "");
	assert_true(versions.known);
	versions_believe(&versions, none);
	assert_string_equal(versions.kernel, "");
	assert_false(versions.known);
	/* What goes on from a log that was judged does not begin with START: that it has none is no
	 * news. */
	evidence.assay_first = 1;
	versions_read(&evidence, &versions);
	assert_string_equal(versions.kernel, "");
	assert_false(versions.known);
	evidence.assay_first = 0;
	/* Cut anywhere: no more than what is whole, and nothing behind it is read. */
	for (size_t size = 0; size < evidence.uefi_data.size; size += 7) {
		struct evidence cut = { .has_assay_log = true, .has_uefi_log = true };

		buffer_append(&cut.uefi_data, evidence.uefi_data.data, size);
		buffer_append(&cut.assay_cel, evidence.assay_cel.data,
			      size < evidence.assay_cel.size ? size : evidence.assay_cel.size);
		versions_read(&cut, &versions);
		assert_true(versions.kernel[0] == '\0' ||
			    strcmp(versions.kernel, "6.12.0-test") == 0);
		evidence_free(&cut);
	}
	/* A firmware whose version is a number of 16 bytes, and no text. */
	buffer_free(&evidence.uefi_data);
	evidence.uefi_data = log_test_data("uefi/tpm2tools-event-arch-linux.bin");
	versions_read(&evidence, &versions);
	assert_string_equal(versions.firmware, "");
	log_builder_free(&builder);
	evidence_free(&evidence);
}

static void set_versions(const char *name, const char *kernel)
{
	struct versions versions = { .known = true, .module = "0.1.0", .firmware = "" };
	const struct device_versions device = { name, &versions };
	struct assay_error err = { 0 };

	snprintf(versions.kernel, sizeof(versions.kernel), "%s", kernel);
	if (versions_save(store, &device, 1, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_version(const json_t *counts, const char *kind, size_t index,
			   const char *version, int count)
{
	const json_t *row = json_array_get(json_object_get(counts, kind), index);

	assert_string_equal(json_string_value(json_object_get(row, "version")), version);
	assert_int_equal(json_integer_value(json_object_get(row, "count")), count);
}

static void versions_are_counted(void **state)
{
	json_t *counts = json_object();
	struct assay_error err = { 0 };

	(void)state;
	for (const char *name = "abcd"; *name; name++)
		add_device((char[]){ *name, '\0' }, "", DEVICE_NEVER);
	change("a", DEVICE_TRUSTED, NOW, "");
	set_versions("a", "6.12");
	set_versions("b", "6.12");
	set_versions("c", "6.1");
	set_versions("c", "6.12");
	set_versions("b", "7.3");
	assert_int_equal(versions_count(store, 10, counts, &err), 0);
	assert_version(counts, "kernel", 0, "6.12", 2);
	assert_version(counts, "kernel", 1, "", 1);
	assert_version(counts, "kernel", 2, "7.3", 1);
	assert_int_equal(json_array_size(json_object_get(counts, "kernel")), 3);
	assert_version(counts, "module", 0, "0.1.0", 3);
	assert_version(counts, "firmware", 0, "", 4);
	assert_version(counts, "policy", 0, "", 3);
	assert_version(counts, "policy", 1, "p@1", 1);
	json_decref(counts);
	/* Of the most, as many as are asked for; and nothing of who is gone. */
	assert_int_equal(devices_remove(store, "a", NOW, &err), 0);
	counts = json_object();
	assert_int_equal(versions_count(store, 1, counts, &err), 0);
	assert_int_equal(json_array_size(json_object_get(counts, "kernel")), 1);
	assert_int_equal(number("SELECT count(*) FROM device_version"), 2);
	json_decref(counts);
}

/* ---------------------------------------------------------------- retention */

static struct retention_terms terms_at(uint64_t now)
{
	return (struct retention_terms){ now, 90, 400, PARTITION_CHANGES };
}

static struct retention_done look_at(uint64_t now)
{
	const struct retention_terms terms = terms_at(now);
	struct retention_done done = { 0 };
	struct assay_error err = { 0 };

	if (retention_look(store, &terms, &done, &err) < 0)
		fail_msg("%s", err.text);
	return done;
}

static void add_evidence(uint8_t digest, const char *name, uint64_t at, const char *boot_id)
{
	struct device_evidence evidence = { .name = name,
					    .at = at,
					    .boot_id = boot_id,
					    .nonce = BYTES(&digest, 1),
					    .body = BYTES(&digest, 1) };
	struct assay_error err = { 0 };

	evidence.digest = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	evidence.digest.bytes[0] = digest;
	assert_int_equal(devices_add_evidence(store, &evidence, 1, &err), 0);
}

static void what_is_old_is_removed(void **state)
{
	struct retention_done done;
	uint64_t first, held, removed = 0;

	(void)state;
	add_device("a", "", DEVICE_NEVER);
	add_device("b", "", DEVICE_NEVER);
	first = change("a", DEVICE_TRUSTED, NOW - 200 * DAY, "");
	change("a", DEVICE_NOT_TRUSTED, NOW - 150 * DAY, "why");
	held = change("b", DEVICE_TRUSTED, NOW - 149 * DAY, "");
	change("a", DEVICE_TRUSTED, NOW - 80 * DAY, "");
	change("a", DEVICE_NOT_TRUSTED, NOW - DAY, "again");
	script("UPDATE device_state SET boot_id = 'now' WHERE name = 'a'");
	for (int i = 0; i < 255; i += 51) {
		add_evidence((uint8_t)i, "a", NOW - 100 * DAY, "former");
		add_evidence((uint8_t)(i + 1), "a", NOW - 100 * DAY, "now");
		add_evidence((uint8_t)(i + 2), "a", NOW - DAY, "former");
	}
	add_evidence(0xfe, "gone", NOW - 100 * DAY, "former");
	/* The first look begins a pass; each that follows does a step of it. */
	done = look_at(NOW);
	assert_int_equal(done.changes + done.evidence, 0);
	assert_int_equal(look_at(NOW + 30).changes, 2);
	for (int i = 0; i < 300; i++)
		removed += look_at(NOW + 60).evidence;
	assert_int_equal(removed, 6);
	assert_int_equal(number("SELECT count(*) FROM evidence"), 10);
	/* What a device is held for stays, however old. */
	assert_int_equal(number("SELECT min(id) FROM verdict_change"), held);
	assert_int_equal(number("SELECT count(*) FROM verdict_change"), 3);
	assert_true(first < held);
	/* The next pass is in a day. */
	script("INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) "
	       "VALUES "
	       "('x', 1, 1, '', '', '{}')");
	for (int i = 0; i < 10; i++)
		assert_int_equal(look_at(NOW + DAY - 10).changes, 0);
	look_at(NOW + DAY);
	for (int i = 0; i < 10; i++)
		removed += look_at(NOW + DAY + 10).changes;
	assert_int_equal(removed, 7);
}

/* A time to come says nothing: what follows says how old such a change is. */
static void a_clock_that_was_ahead_stops_nothing(void **state)
{
	static const struct {
		unsigned int id;
		int days;
	} rows[] = { { 1, 1000 },     { 2, -200 },    { 3, 1000 },  { 30000, -199 },
		     { 30001, 1000 }, { 30002, -10 }, { 60000, -9 } };
	uint64_t removed = 0;
	char sql[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO verdict_change (id, name, at, verdict, reason, policy, "
			 "verdict_json) VALUES (%u, 'x', %lld, 1, '', '', '{}')",
			 rows[i].id, (long long)NOW + (long long)DAY * rows[i].days);
		script(sql);
	}
	for (int i = 0; i < 10; i++)
		removed += look_at(NOW).changes;
	assert_int_equal(removed, 4);
	assert_int_equal(number("SELECT min(id) FROM verdict_change"), 30001);
	for (int i = 0; i < 10; i++)
		removed += look_at(NOW + 82 * DAY).changes;
	assert_int_equal(removed, 7);
}

/* Others wait for who removes them: so not all at once. */
static void alarms_are_removed_in_steps(void **state)
{
	struct retention_done done;
	uint64_t removed = 0, steps = 0;

	(void)state;
	script("INSERT INTO alarm (id, name, at, verdict, reason, change_id, closed) WITH "
	       "RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 12000) SELECT "
	       "n, 'a', n, 2, '', n, CASE WHEN n > 11990 THEN 1728025300 ELSE n END FROM c");
	assert_int_equal(look_at(NOW).alarms, 0);
	do {
		done = look_at(NOW);
		removed += done.alarms;
		steps++;
	} while (done.alarms > 0 && steps < 10);
	assert_int_equal(removed, 11990);
	assert_int_equal(steps, 4);
	assert_int_equal(number("SELECT count(*) FROM alarm"), 10);
}

/* An agent that does not say which boot it is sends all there is each time. */
static void newest_of_no_boot_stays(void **state)
{
	uint64_t removed = 0;

	(void)state;
	add_device("k", "", DEVICE_TRUSTED);
	for (int i = 0; i < 5; i++)
		add_evidence((uint8_t)(i * 51), "k", NOW - (100 + (uint64_t)i) * DAY, "");
	for (int i = 0; i < 300; i++)
		removed += look_at(NOW).evidence;
	assert_int_equal(removed, 4);
	assert_int_equal(number("SELECT at FROM evidence"), NOW - 100 * DAY);
	/* It is of no boot that the device is in any more. */
	script("UPDATE device_state SET boot_id = 'now'; UPDATE meta SET value = 0 WHERE name = "
	       "'prune_digest'");
	for (int i = 0; i < 300; i++)
		removed += look_at(NOW).evidence;
	assert_int_equal(removed, 5);
}

static void summaries_are_removed(void **state)
{
	const struct retention_terms never = { NOW + 500 * DAY, 0, 400, PARTITION_CHANGES };
	struct retention_done done = { 0 };
	struct assay_error err = { 0 };

	(void)state;
	add_device("a", "", DEVICE_TRUSTED);
	take_at(NOW);
	take_at(NOW + 300 * DAY);
	/* By 0 days nothing is removed. */
	assert_int_equal(retention_look(store, &never, &done, &err), 0);
	assert_int_equal(done.summaries, 0);
	done = look_at(NOW + 500 * DAY);
	assert_int_equal(done.summaries, 8); /* four verdicts, of all and of the one label */
	assert_int_equal(number("SELECT count(*) FROM tally WHERE span = 86400"), 8);
}

/* Of PostgreSQL: made ahead, found by their numbers, and dropped whole when they are old. */
static void partitions_come_and_go(void **state)
{
	const struct retention_terms terms = terms_at(NOW), later = terms_at(NOW + 100 * DAY);
	struct retention_done done = { 0 };
	struct assay_error err = { 0 };
	uint64_t held;

	(void)state;
	add_device("a", "", DEVICE_NEVER);
	add_device("b", "", DEVICE_NEVER);
	assert_int_equal(number("SELECT value FROM meta WHERE name = 'changes_to'"), 2000000);
	change("a", DEVICE_TRUSTED, NOW - 200 * DAY, "");
	script("SELECT setval('verdict_change_ids', 1000000, false)");
	held = change("b", DEVICE_TRUSTED, NOW - 190 * DAY, "kept");
	change("a", DEVICE_SILENT, NOW - 180 * DAY, "");
	assert_int_equal(held, 1000000);
	/* Ahead, once: who comes second finds it done. */
	assert_int_equal(partitions_ahead(store, PARTITION_CHANGES, &err), 0);
	assert_int_equal(partitions_ahead(store, PARTITION_CHANGES, &err), 0);
	assert_int_equal(number("SELECT value FROM meta WHERE name = 'changes_to'"), 3000000);
	script("SELECT setval('verdict_change_ids', 2000000, false)");
	change("a", DEVICE_TRUSTED, NOW - 10 * DAY, "new");
	assert_int_equal(partitions_ahead(store, PARTITION_CHANGES, &err), 0);
	assert_int_equal(number("SELECT count(*) FROM verdict_change"), 4);
	assert_int_equal(number("SELECT count(*) FROM pg_inherits WHERE inhparent = "
				"'verdict_change'::regclass"),
			 3);
	/* In each what is packed already is not packed once more. */
	assert_int_equal(number("SELECT count(*) FROM pg_attribute a JOIN pg_inherits i ON "
				"a.attrelid = i.inhrelid WHERE i.inhparent = "
				"'verdict_change'::regclass AND a.attname = 'packed' AND "
				"a.attstorage = 'e'"),
			 3);
	assert_int_equal(retention_begin(store, &terms, &done, &err), 0);
	assert_int_equal(done.partitions, 1);
	/* What b is held for has moved to the oldest; what nobody is held for is gone with its own.
	 */
	assert_int_equal(number("SELECT count(*) FROM verdict_change"), 3);
	assert_int_equal(number("SELECT count(*) FROM verdict_change_0"), 2);
	assert_int_equal(number("SELECT count(*) FROM verdict_change WHERE id = 1000000 AND reason "
				"= 'kept'"),
			 1);
	/* What is new is in its own, and there is room for more. */
	assert_int_equal(number("SELECT count(*) FROM verdict_change_2000000"), 1);
	assert_int_equal(change("b", DEVICE_SILENT, NOW, ""), 2000001);
	done = (struct retention_done){ 0 };
	assert_int_equal(retention_begin(store, &terms, &done, &err), 0);
	assert_int_equal(done.partitions, 0);
	for (bool more = true; more;)
		assert_int_equal(retention_step(store, &terms, &done, &more, &err), 0);
	assert_int_equal(done.changes, 2);
	assert_int_equal(number("SELECT count(*) FROM verdict_change_0"), 0);
	/* Of a time to come: it stays until what follows is old. */
	script("SELECT setval('verdict_change_ids', 2999999, false)");
	assert_int_equal(partitions_ahead(store, PARTITION_CHANGES, &err), 0);
	change("a", DEVICE_SILENT, NOW + 1000 * DAY, "");
	change("a", DEVICE_TRUSTED, NOW + DAY, "");
	assert_int_equal(retention_begin(store, &terms, &done, &err), 0);
	assert_int_equal(done.partitions, 0);
	assert_int_equal(partitions_ahead(store, PARTITION_CHANGES, &err), 0);
	assert_int_equal(retention_begin(store, &later, &done, &err), 0);
	assert_int_equal(done.partitions, 1);
	assert_int_equal(number("SELECT min(id) FROM verdict_change"), 2000001);
	assert_int_equal(number("SELECT count(*) FROM verdict_change_3000000"), 1);
}

/* ---------------------------------------------------------------- former versions */

#define VERSION_OF_ALARMS 13

/* As the program of that version had it. */
static void fill_former(uint64_t version)
{
	const char *type = store_is_postgres(store) ? "BYTEA" : "BLOB";
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO device (name, identity, record, ak, label, approved, enrolled) "
		 "VALUES ('old', CAST('i' AS %s), '{}', CAST('k' AS %s), 'shop', 1, 5);"
		 "INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) "
		 "VALUES ('old', 10, 1, '', 'p@1', '{}'), ('old', 20, 2, 'it was so', 'p@1', '{}');"
		 "INSERT INTO device_state (name, verdict, change_id, since) SELECT 'old', 2, "
		 "max(id), 20 FROM verdict_change;"
		 "INSERT INTO audit (id, at, who, act, what, digest) VALUES (1, 1, 'w', 'a', 'x', "
		 "CAST('d' AS %s));",
		 type, type, type);
	script(sql);
	if (version >= VERSION_OF_ALARMS)
		script("INSERT INTO alarm (id, name, at, verdict, reason, change_id) SELECT id, "
		       "name, at, verdict, reason, id FROM verdict_change WHERE verdict = 2");
}

static void former_versions_are_migrated(void **state)
{
	struct assay_error err = { 0 };
	struct store *own = store;

	(void)state;
	for (uint64_t version = 1; version < schema_newest(); version++) {
		const char *name = "old";
		struct device device = { 0 };
		char reason[64], database[32];

		snprintf(database, sizeof(database), "from_%" PRIu64, version);
		store = open_database(database);
		assert_int_equal(schema_migrate(store, version, &err), 0);
		fill_former(version);
		assert_int_equal(schema_check(store, &err), -EINVAL);
		if (schema_migrate(store, schema_newest(), &err) < 0)
			fail_msg("from version %" PRIu64 ": %s", version, err.text);
		assert_int_equal(schema_check(store, &err), 0);
		assert_int_equal(devices_load(store, &name, 1, false, &device, &err), 0);
		assert_string_equal(device.label, "shop");
		assert_int_equal(device.verdict, DEVICE_NOT_TRUSTED);
		assert_int_equal(devices_reason(store, device.change, reason, sizeof(reason), &err),
				 0);
		assert_string_equal(reason, "it was so");
		assert_int_equal(number("SELECT count(*) FROM audit"), 1);
		/* Who is not trusted has an alarm, also of before there were any. */
		assert_int_equal(count_alarms(1, 0, "old"), 1);
		assert_int_equal(alarm_of(device.change), device.change);
		/* And goes on from there. */
		assert_true(change("old", DEVICE_TRUSTED, NOW, "") > device.change);
		assert_int_equal(number("SELECT count(*) FROM verdict_change"), 3);
		assert_int_equal(count_alarms(1, -1, ""), 0);
		assert_true(take_at(NOW));
		device_free(&device);
		store_disconnect(store);
	}
	store = own;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* What reads tests/data comes before the others leave their directories. */
		cmocka_unit_test(versions_are_read),
		cmocka_unit_test_setup_teardown(devices_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_labels_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alarms_are_opened_and_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alarms_follow_a_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(versions_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_old_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_stops_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(alarms_are_removed_in_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newest_of_no_boot_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(summaries_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(former_versions_are_migrated, set_up, tear_down),
		/* The last one is for PostgreSQL only. */
		cmocka_unit_test_setup_teardown(partitions_come_and_go, set_up, tear_down),
	};

	if (getenv("FLEET_DATABASE"))
		return cmocka_run_group_tests(tests, NULL, NULL);
	return _cmocka_run_group_tests("SQLite", tests, sizeof(tests) / sizeof(tests[0]) - 1, NULL,
				       NULL);
}
