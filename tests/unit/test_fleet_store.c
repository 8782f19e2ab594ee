// SPDX-License-Identifier: MIT
/*
 * The fleet's database: the same tests on each engine. SQLite is always there; for PostgreSQL
 * tests/e2e/test_fleet_store.sh runs this with $FLEET_DATABASE, the URL of an empty database.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet/audit.h"
#include "fleet/devices.h"
#include "fleet/kept_verdict.h"
#include "fleet/lease.h"
#include "fleet/policies.h"
#include "fleet/refs.h"
#include "fleet/rollouts.h"
#include "fleet/schema.h"

static struct store *store;

static const char *url(void)
{
	const char *given = getenv("FLEET_DATABASE");

	return given ? given : "sqlite:fleet.db";
}

static void in_transaction(int r, struct assay_error *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
	assert_int_equal(store_commit(store, err), 0);
}

/* Verdicts are kept packed from the next version on. */
#define LAST_WITH_JSON 11U

/* A verdict as programs of that version kept it. */
static int keep_json(uint64_t version, struct assay_error *err)
{
	static const struct store_statement keep = {
		"nt",
		"INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) "
		"VALUES "
		"('of before', $1, 1, '', '', $2)",
		NULL,
	};
	struct store_value values[] = { store_number(version), { .type = STORE_NULL } };
	char text[64];

	snprintf(text, sizeof(text), "{\"assay\": 1, \"of\": %u}", (unsigned int)version);
	values[1] = store_text(text);
	return store_run(store, &keep, values, 1, NULL, NULL, err);
}

/* A step at a time: each former version becomes the next one, with what is in it. */
static int set_up(void **state)
{
	struct assay_error err = { 0 };
	int r;

	if (support_enter_directory(state) != 0)
		return -1;
	r = store_connect(url(), &store, &err);
	for (uint64_t version = 1; r == 0 && version <= schema_newest(); version++) {
		r = schema_migrate(store, version, &err);
		if (r == 0 && version <= LAST_WITH_JSON)
			r = keep_json(version, &err);
	}
	if (r < 0)
		print_error("%s\n", err.text);
	return r;
}

static int tear_down(void **state)
{
	store_disconnect(store);
	return support_leave_directory(state);
}

/* ---------------------------------------------------------------- the engine */

struct collected {
	size_t rows, last_set;
	struct store_value first;
	uint8_t bytes[64];
	uint64_t sum;
};

static int collect(void *context, size_t set, const struct store_value *columns, size_t count,
		   struct assay_error *err)
{
	struct collected *collected = context;

	(void)err;
	assert_true(count >= 1);
	collected->rows++;
	collected->last_set = set;
	collected->first = columns[0];
	collected->sum += store_get_number(&columns[0]);
	if (columns[0].bytes.size <= sizeof(collected->bytes) && columns[0].bytes.size > 0) {
		memcpy(collected->bytes, columns[0].bytes.data, columns[0].bytes.size);
		collected->first.bytes.data = collected->bytes;
	}
	return 0;
}

static void versions_are_known(void **state)
{
	struct assay_error err = { 0 };
	uint64_t version = 0;

	(void)state;
	assert_int_equal(schema_version(store, &version, &err), 0);
	assert_int_equal(version, schema_newest());
	assert_int_equal(schema_check(store, &err), 0);
	/* Once more is nothing to do; a version that nobody knows is refused. */
	assert_int_equal(schema_migrate(store, schema_newest(), &err), 0);
	assert_int_equal(schema_migrate(store, schema_newest() + 1, &err), -EINVAL);
	support_assert_error(&err, "versions are 1 to");
}

static int take_json(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	json_t *json = NULL;
	int r = kept_verdict_take(columns, &json, err);

	(void)set;
	(void)count;
	*(json_int_t *)context += json_integer_value(json_object_get(json, "of"));
	json_decref(json);
	return r;
}

static void what_was_kept_before_is_read(void **state)
{
	static const struct store_statement get = {
		"",
		"SELECT " KEPT_VERDICT_COLUMNS("") " FROM verdict_change WHERE name = 'of before'",
		NULL
	};
	struct assay_error err = { 0 };
	json_int_t sum = 0;

	(void)state;
	assert_int_equal(store_run(store, &get, NULL, 1, take_json, &sum, &err), 0);
	assert_int_equal(sum, LAST_WITH_JSON * (LAST_WITH_JSON + 1) / 2);
	assert_int_equal(
		store_script(store, "DELETE FROM verdict_change WHERE name = 'of before'", &err),
		0);
}

static void values_come_back(void **state)
{
	static const struct store_statement number = { "n", "SELECT $1", "SELECT $1::bigint" };
	static const struct store_statement text = { "t", "SELECT $1", "SELECT $1::text" };
	static const struct store_statement blob = { "b", "SELECT $1", "SELECT $1::bytea" };
	static const uint64_t numbers[] = { 0, 1, 255, 65536, INT64_MAX, (uint64_t)-1 };
	static const char *const texts[] = { "", "a", "it's \"quoted\"; DROP TABLE device; --",
					     "\xc3\xa4\xe2\x82\xac" };
	static const uint8_t bytes[] = { 0, 1, 0, 255, '\'', 0 };
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct store_value value = store_number(numbers[i]);
		struct collected collected = { 0 };

		assert_int_equal(store_run(store, &number, &value, 1, collect, &collected, &err),
				 0);
		assert_int_equal(collected.first.type, STORE_NUMBER);
		assert_true((uint64_t)collected.first.number == numbers[i]);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct store_value value = store_text(texts[i]);
		struct collected collected = { 0 };

		assert_int_equal(store_run(store, &text, &value, 1, collect, &collected, &err), 0);
		assert_int_equal(collected.first.type, STORE_TEXT);
		assert_true(bytes_equal(collected.first.bytes, value.bytes));
	}
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		const struct store_value value = store_blob(BYTES(bytes, size));
		struct collected collected = { 0 };

		assert_int_equal(store_run(store, &blob, &value, 1, collect, &collected, &err), 0);
		assert_int_equal(collected.first.type, STORE_BLOB);
		assert_true(bytes_equal(collected.first.bytes, value.bytes));
	}
	const struct store_value none = store_text(NULL);
	struct collected collected = { 0 };

	assert_int_equal(store_run(store, &text, &none, 1, collect, &collected, &err), 0);
	assert_int_equal(collected.first.type, STORE_NULL);
	assert_string_equal(store_get_text(&collected.first), "");
	assert_int_equal(store_get_number(&collected.first), 0);
}

/* More than one pipeline has, and what the rows are of. */
static void many_sets(void **state)
{
	static const struct store_statement double_it = { "n", "SELECT 2 * $1",
							  "SELECT 2 * $1::bigint" };
	enum { SETS = 1000 };
	struct store_value values[SETS];
	struct collected collected = { 0 };
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < SETS; i++)
		values[i] = store_number(i);
	assert_int_equal(store_run(store, &double_it, values, SETS, collect, &collected, &err), 0);
	assert_int_equal(collected.rows, SETS);
	assert_int_equal(collected.last_set, SETS - 1);
	assert_int_equal(collected.sum, SETS * (SETS - 1));
	assert_int_equal(store_run(store, &double_it, values, 0, collect, &collected, &err), 0);
	assert_int_equal(collected.rows, SETS);
}

/* struct several - what came of several sets, by their numbers */
struct several {
	int64_t numbers[3];
	bool nulls[3];
	char texts[3][16];
	size_t sizes[3];
};

static int take_several(void *context, size_t set, const struct store_value *columns, size_t count,
			struct assay_error *error)
{
	struct several *several = context;

	(void)error;
	assert_int_equal(count, 3);
	assert_in_range(set, 0, 2);
	several->nulls[set] = columns[0].type == STORE_NULL;
	several->numbers[set] = columns[0].number;
	snprintf(several->texts[set], sizeof(several->texts[set]), "%s",
		 store_get_text(&columns[1]));
	several->sizes[set] = columns[2].type == STORE_NULL ? SIZE_MAX : columns[2].bytes.size;
	return 0;
}

/*
 * By arrays, some at a time where they have more bytes than one statement takes, and alone: no
 * other form is PostgreSQL's, which has no unicode().
 */
static void many_at_once(void **state)
{
	static const struct store_many get = {
		{ "ntb", "SELECT $1, $2, $3 WHERE unicode('a') = 97", NULL },
		"SELECT n, number, text, blob FROM unnest($1, $2, $3) WITH ORDINALITY AS "
		"v(number, text, blob, n) ORDER BY n DESC",
	};
	static uint8_t large[20U << 20];
	const size_t sizes[] = { 4, sizeof(large) };
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct store_value none = { .type = STORE_NULL };
		const struct store_value values[] = {
			store_number(7),
			store_text("seven"),
			store_blob(BYTES(large, sizes[i])),
			none,
			store_text(""),
			store_blob(BYTES(NULL, 0)),
			store_number(INT64_MAX),
			none,
			none,
		};
		struct several several = { .numbers = { 0 } };

		assert_int_equal(
			store_run_many(store, &get, values, 3, take_several, &several, &err), 0);
		assert_true(several.numbers[0] == 7 && several.nulls[1] &&
			    several.numbers[2] == INT64_MAX);
		assert_string_equal(several.texts[0], "seven");
		assert_string_equal(several.texts[1], "");
		assert_true(several.sizes[0] == sizes[i] && several.sizes[1] == 0 &&
			    several.sizes[2] == SIZE_MAX);
		assert_int_equal(
			store_run_many(store, &get, values, 1, take_several, &several, &err), 0);
		assert_int_equal(
			store_run_many(store, &get, values, 0, take_several, &several, &err), 0);
	}
}

static const struct store_statement add_meta = { "tn",
						 "INSERT INTO meta (name, value) VALUES ($1, $2)",
						 NULL };
static const struct store_statement count_meta = { "t", "SELECT count(*) FROM meta WHERE name = $1",
						   NULL };

static uint64_t metas(const char *name)
{
	const struct store_value value = store_text(name);
	struct collected collected = { 0 };
	struct assay_error err = { 0 };

	assert_int_equal(store_run(store, &count_meta, &value, 1, collect, &collected, &err), 0);
	return collected.sum;
}

static void transactions(void **state)
{
	const struct store_value first[] = { store_text("a"), store_number(1) };
	const struct store_value twice[] = { store_text("b"), store_number(1), store_text("b"),
					     store_number(2), store_text("c"), store_number(3) };
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_run(store, &add_meta, first, 1, NULL, NULL, &err), 0);
	assert_int_equal(metas("a"), 1);
	store_rollback(store);
	assert_int_equal(metas("a"), 0);
	/* What is there already is told as that, and the transaction is gone with it. */
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_run(store, &add_meta, first, 1, NULL, NULL, &err), 0);
	assert_int_equal(store_run(store, &add_meta, twice, 3, NULL, NULL, &err), -EEXIST);
	store_rollback(store);
	assert_int_equal(metas("a") + metas("b") + metas("c"), 0);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_run(store, &add_meta, first, 1, NULL, NULL, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(metas("a"), 1);
}

static void errors_are_told(void **state)
{
	static const struct store_statement wrong = { "", "SELECT x FROM nowhere", NULL };
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(store_run(store, &wrong, NULL, 1, NULL, NULL, &err), -EIO);
	support_assert_error(&err, "the database: ");
	support_assert_error(&err, "nowhere");
	assert_int_equal(metas("a"), 1);
}

static void urls_are_refused(void **state)
{
	static const char *const bad[] = { "", "sqlite:", "mysql://x", "fleet.db" };
	struct store *other = NULL;
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(store_connect(bad[i], &other, &err), -EINVAL);
	assert_int_equal(store_connect("sqlite:/nonexistent/fleet.db", &other, &err), -EIO);
	assert_int_equal(store_connect("postgresql:///x?host=/nonexistent", &other, &err), -EIO);
	support_assert_error(&err, "/nonexistent");
}

/* ---------------------------------------------------------------- devices */

static struct device_record make_record(const char *name, uint8_t seed, uint8_t ak)
{
	struct device_record record = { .enrolled = 1000 };

	snprintf(record.machine_id, sizeof(record.machine_id), "%s", name);
	buffer_append_u8(&record.ak_public, ak);
	record.ak_name.size = 34;
	record.ak_name.bytes[0] = ak;
	record.ek_key = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	record.ek_key.bytes[0] = seed;
	return record;
}

static int enrol(const char *name, uint8_t seed, uint8_t ak, bool replace, struct assay_error *err)
{
	struct device_record record = make_record(name, seed, ak);
	int r = store_begin(store, err);

	assert_int_equal(r, 0);
	r = devices_enrol(store, &record, "shop", 0, replace, err);
	if (r == 0)
		assert_int_equal(store_commit(store, err), 0);
	else
		store_rollback(store);
	device_record_free(&record);
	return r;
}

static struct device load(const char *name)
{
	struct device device = { 0 };
	struct assay_error err = { 0 };

	assert_int_equal(devices_load(store, &name, 1, false, &device, &err), 0);
	return device;
}

static void devices_are_enrolled(void **state)
{
	static const struct store_statement versions = { "", "SELECT count(*) FROM device_version",
							 NULL };
	struct assay_error err = { 0 };
	uint64_t count = 1;
	struct device device;

	(void)state;
	assert_int_equal(enrol("d1", 1, 10, false, &err), 0);
	assert_int_equal(enrol("d2", 2, 11, false, &err), 0);
	assert_int_equal(enrol("d1", 1, 12, false, &err), -EEXIST);
	support_assert_error(&err, "enrolled already");
	/* The same TPM under another name, and another TPM under the same one. */
	assert_int_equal(enrol("d3", 1, 13, false, &err), -EEXIST);
	assert_int_equal(enrol("d1", 9, 13, true, &err), -EEXIST);
	device = load("d1");
	assert_string_equal(device.name, "d1");
	assert_string_equal(device.label, "shop");
	assert_int_equal(device.ak.size, 1);
	assert_int_equal(device.ak.data[0], 10);
	assert_false(device.approved);
	assert_int_equal(device.verdict, DEVICE_NEVER);
	device_free(&device);
	/* Another attestation key of the same TPM: it has proved nothing yet. */
	assert_int_equal(store_script(store,
				      "INSERT INTO device_version (name, kernel, module, firmware) "
				      "VALUES ('d1', 'k', 'm', 'f')",
				      &err),
			 0);
	assert_int_equal(enrol("d1", 1, 14, true, &err), 0);
	assert_int_equal(store_run(store, &versions, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, 0);
	device = load("d1");
	assert_int_equal(device.ak.data[0], 14);
	device_free(&device);
	device = load("d9");
	assert_string_equal(device.name, "");
	device_free(&device);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_approve(store, "d9", 1000, &err), -ENOENT);
	in_transaction(devices_approve(store, "d1", 1300, &err), &err);
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(devices_set_label(store, "d1", "office", &err), &err);
	device = load("d1");
	assert_true(device.approved);
	assert_true(device.due == 1300);
	assert_string_equal(device.label, "office");
	device_free(&device);
}

static void a_verdict_is_kept(void **state)
{
	static const char *const names[] = { "d1", "d2", "d9" };
	struct device devices[3] = { 0 };
	const struct device *changed[] = { &devices[0] };
	struct device_change change = { "d1",	   2000,  DEVICE_NOT_TRUSTED,
					"why not", "p@1", BYTES_LITERAL("kept"),
					{ 0 },	   false };
	struct assay_error err = { 0 };
	struct device again;
	char reason[64];

	(void)state;
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_load(store, names, 3, true, devices, &err), 0);
	assert_string_equal(devices[1].name, "d2");
	assert_string_equal(devices[2].name, "");
	assert_int_equal(devices_add_changes(store, &change, 1, &devices[0].change, &err), 0);
	assert_true(devices[0].change > 0);
	devices[0].verdict = DEVICE_NOT_TRUSTED;
	devices[0].since = devices[0].seen = devices[0].judged = 2000;
	devices[0].due = 2300;
	devices[0].resets = UINT32_MAX;
	devices[0].restarts = 3;
	devices[0].clock = INT64_MAX;
	devices[0].records = 7;
	devices[0].entries = 8;
	devices[0].kept = 9;
	devices[0].kept_since = 1999;
	devices[0].evidence = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	memcpy(devices[0].boot_id, "01234567-89ab-cdef-0123-456789abcdef", 37);
	buffer_append(&devices[0].state, "state", 5);
	in_transaction(devices_save(store, changed, 1, &err), &err);
	again = load("d1");
	assert_int_equal(again.verdict, DEVICE_NOT_TRUSTED);
	assert_true(again.change == devices[0].change && again.due == 2300 &&
		    again.resets == UINT32_MAX && again.clock == INT64_MAX && again.records == 7 &&
		    again.entries == 8 && again.kept == 9 && again.kept_since == 1999 &&
		    again.evidence.size == 32 && again.restarts == 3);
	assert_string_equal(again.boot_id, devices[0].boot_id);
	assert_true(bytes_equal(buffer_bytes(&again.state), buffer_bytes(&devices[0].state)));
	assert_int_equal(devices_reason(store, again.change, reason, sizeof(reason), &err), 0);
	assert_string_equal(reason, "why not");
	device_free(&again);
	for (size_t i = 0; i < 3; i++)
		device_free(&devices[i]);
}

static void evidence_is_kept_once(void **state)
{
	static const struct store_statement count = { "", "SELECT count(*) FROM evidence", NULL };
	static const uint8_t body[1000] = { 40, 181, 47, 253 };
	struct device_evidence pieces[2] = {
		{ .name = "d1", .at = 500, .boot_id = "b", .body = { body, sizeof(body) } },
		{ .name = "d1", .boot_id = "b", .body = { body, sizeof(body) } },
	};
	struct collected collected = { 0 };
	struct assay_error err = { 0 };

	(void)state;
	pieces[0].digest = pieces[1].digest =
		(struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(devices_add_evidence(store, pieces, 2, &err), &err);
	assert_int_equal(store_run(store, &count, NULL, 1, collect, &collected, &err), 0);
	assert_int_equal(collected.sum, 1);
}

static void a_device_is_removed(void **state)
{
	struct assay_error err = { 0 };
	struct device device;

	(void)state;
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(devices_remove(store, "d1", 50000, &err), &err);
	device = load("d1");
	assert_string_equal(device.name, "");
	device_free(&device);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_remove(store, "d1", 50000, &err), -ENOENT);
	store_rollback(store);
	assert_int_equal(enrol("d4", 1, 10, false, &err), 0);
}

/* ---------------------------------------------------------------- references, audit */

static void references_have_versions(void **state)
{
	struct ref_assignment assignment = { "shop", "p.json", 2, 0 };
	static struct ref_assignment found[REF_ASSIGNMENTS_MAX];
	struct assay_error err = { 0 };
	uint64_t version = 0, before = 0, after = 0;
	size_t count = 0;
	struct ref ref;

	(void)state;
	assert_int_equal(refs_generation(store, &before, &err), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		const uint8_t content = (uint8_t)i;

		assert_int_equal(store_begin(store, &err), 0);
		in_transaction(refs_add(store, REF_POLICY, "p.json", BYTES(&content, 1),
					BYTES(NULL, 0), "me", 1, &version, &err),
			       &err);
		assert_int_equal(version, i);
	}
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(refs_assign(store, &assignment, "me", 1, &err), &err);
	assert_int_equal(refs_generation(store, &after, &err), 0);
	assert_int_equal(after, before + 4);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 0, REF_NEWEST, &ref, &err), 0);
	assert_int_equal(ref.version, 3);
	ref_free(&ref);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 2, REF_NEWEST, &ref, &err), 0);
	assert_int_equal(ref.content.data[0], 2);
	ref_free(&ref);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 4, REF_NEWEST, &ref, &err), -ENOENT);
	assert_int_equal(refs_get(store, REF_MANIFEST, "p.json", 0, REF_NEWEST, &ref, &err),
			 -ENOENT);
	assert_int_equal(refs_assignments(store, found, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(found[0].policy, "p.json");
	assert_int_equal(found[0].version, 2);
	/* What is added later is not there for it. */
	assert_int_equal(found[0].generation, after);
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(refs_add(store, REF_POLICY, "p.json", BYTES((const uint8_t *)"x", 1),
				BYTES(NULL, 0), "me", 1, &version, &err),
		       &err);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 0, REF_NEWEST, &ref, &err), 0);
	assert_int_equal(ref.version, 4);
	ref_free(&ref);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 0, after, &ref, &err), 0);
	assert_int_equal(ref.version, 3);
	ref_free(&ref);
	assert_int_equal(refs_get(store, REF_POLICY, "p.json", 4, after, &ref, &err), -ENOENT);
}

static void the_audit_is_a_chain(void **state)
{
	struct assay_error err = { 0 };
	uint64_t rows = 0, before = 0;

	(void)state;
	assert_int_equal(audit_check(store, &before, &err), 0);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(store_begin(store, &err), 0);
		in_transaction(audit_add(store, 100 + i, "operator me", "enrol", "d1", &err), &err);
	}
	assert_int_equal(audit_check(store, &rows, &err), 0);
	assert_int_equal(rows, before + 4);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(
		store_script(store, "UPDATE audit SET who = 'operator x' WHERE id = 2", &err), 0);
	assert_int_equal(audit_check(store, &rows, &err), -EBADMSG);
	support_assert_error(&err, "row 2 of the audit");
	store_rollback(store);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_script(store, "DELETE FROM audit WHERE id = 3", &err), 0);
	assert_int_equal(audit_check(store, &rows, &err), -EBADMSG);
	support_assert_error(&err, "row 3 of the audit is missing");
	store_rollback(store);
	assert_int_equal(audit_check(store, &rows, &err), 0);
}

/* ---------------------------------------------------------------- silence */

static struct lease_found look(uint64_t now)
{
	const struct lease_terms terms = { now, 30, 300 };
	struct lease_found found = { 0 };
	struct assay_error err = { 0 };

	if (lease_sweep(store, &terms, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

static void set_judged(const char *name, uint64_t judged)
{
	struct device device = { 0 };
	const struct device *const changed[] = { &device };
	struct assay_error err = { 0 };

	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_load(store, &name, 1, true, &device, &err), 0);
	device.verdict = DEVICE_TRUSTED;
	device.judged = device.seen = judged;
	device.due = judged + 300;
	in_transaction(devices_save(store, changed, 1, &err), &err);
	device_free(&device);
}

static void silence_is_found(void **state)
{
	struct lease_found found;
	struct device device;
	struct assay_error err = { 0 };
	char reason[128];

	(void)state;
	set_judged("d2", 10000);
	set_judged("d4", 19900);
	/* Nobody has looked before: the verifier was away, and no device is to blame. */
	found = look(20000);
	assert_true(found.mine && found.was_away && found.silent == 0);
	/* One process at a time, and each period once. */
	assert_false(look(20010).mine);
	for (uint64_t now = 20030; now < 20600; now += 30) {
		found = look(now);
		assert_true(found.mine && !found.was_away && found.silent == 0);
		set_judged("d4", now);
	}
	found = look(20600);
	assert_int_equal(found.silent, 1);
	device = load("d2");
	assert_int_equal(device.verdict, DEVICE_SILENT);
	assert_int_equal(device.since, 20600);
	assert_int_equal(devices_reason(store, device.change, reason, sizeof(reason), &err), 0);
	assert_string_equal(reason, "nothing was judged since 1970-01-01T02:46:40Z; the next was "
				    "due at 1970-01-01T02:51:40Z");
	device_free(&device);
	device = load("d4");
	assert_int_equal(device.verdict, DEVICE_TRUSTED);
	device_free(&device);
	/* Once. */
	assert_int_equal(look(20630).silent, 0);
	/* A clock that goes back calls nobody silent, and is told. */
	found = look(15000);
	assert_true(found.clock_back == 5630 && found.silent == 0);
	assert_int_equal(look(15030).silent, 0);
	/* What was due by the clock that was ahead is due an interval from then on. */
	device = load("d4");
	assert_true(device.due == 15330 || device.due == 15300);
	device_free(&device);
	for (uint64_t now = 15060; now <= 15600; now += 30)
		assert_int_equal(look(now).silent, 0);
	assert_int_equal(look(15630).silent, 1);
}

static void enrol_due(const char *name, uint8_t seed, uint64_t due)
{
	struct device_record record = make_record(name, seed, seed);
	struct assay_error err = { 0 };

	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(devices_enrol(store, &record, "", due, false, &err), &err);
	device_record_free(&record);
}

/* Who may attest and never does; and not who is not approved yet. */
#define MANY "4500"
#define MANY_COUNT 4500

static void make_many(const char *bytes)
{
	struct assay_error err = { 0 };
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO device (name, identity, record, ak, enrolled) WITH RECURSIVE c(n) AS "
		 "(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " MANY ") SELECT 'many' || n, "
		 "%s, '', %s, 0 FROM c;"
		 "INSERT INTO device_state (name, verdict, due) SELECT name, 1, 50000 FROM device "
		 "WHERE name LIKE 'many%%';",
		 bytes, bytes);
	if (store_script(store, sql, &err) < 0)
		fail_msg("%s", err.text);
}

/* Whoever looks answers nobody meanwhile: some at a time, and none is left out. */
static void many_are_silent_at_once(void **state)
{
	static const struct store_statement changes = {
		"", "SELECT count(DISTINCT name) FROM verdict_change WHERE name LIKE 'many%'", NULL
	};
	static const struct store_statement held = {
		"",
		"SELECT count(*) FROM device_state s JOIN verdict_change c ON c.id = s.change_id "
		"WHERE s.verdict = 3 AND c.verdict = 3 AND s.name = c.name AND s.name LIKE 'many%'",
		NULL
	};
	static const struct store_statement noted = {
		"", "SELECT count(*) FROM due_watch WHERE name LIKE 'many%'", NULL
	};
	const struct lease_terms terms = { 50310, 30, 300 };
	struct lease_found found = { 0 };
	struct assay_error err = { 0 };
	uint64_t count = 0;

	(void)state;
	for (uint64_t now = 49500; now < 49800; now += 30)
		look(now);
	make_many(store_is_postgres(store) ? "convert_to('many' || n, 'UTF8')" :
					     "CAST('many' || n AS BLOB)");
	for (uint64_t now = 49800; now <= 50010; now += 30)
		assert_false(look(now).more);
	/* A look reads a part of them, and all are read before any can be silent. */
	assert_int_equal(store_run(store, &noted, NULL, 1, store_take_number, &count, &err), 0);
	assert_true(!store_is_postgres(store) || (count > 0 && count < MANY_COUNT / 4));
	for (uint64_t now = 50040; now < 50310; now += 30)
		assert_false(look(now).more);
	/* Of those that were noted one was judged meanwhile. */
	set_judged("many7", 50200);
	found = look(50310);
	for (uint64_t looks = 1; found.more; looks++) {
		assert_true(found.silent >= looks * LEASE_ROWS - 1 &&
			    found.silent <= looks * LEASE_ROWS);
		if (lease_go_on(store, &terms, &found, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_true(found.silent >= MANY_COUNT - 1);
	assert_int_equal(store_run(store, &changes, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, MANY_COUNT - 1);
	assert_int_equal(store_run(store, &held, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, MANY_COUNT - 1);
	assert_int_equal(store_run(store, &noted, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_script(store,
				      "DELETE FROM device_state WHERE name LIKE 'many%';"
				      "DELETE FROM device WHERE name LIKE 'many%';"
				      "DELETE FROM verdict_change WHERE name LIKE 'many%';",
				      &err),
			 0);
}

static void who_never_attests_is_silent(void **state)
{
	struct assay_error err = { 0 };
	struct device device;
	char reason[128];
	size_t silent = 0;

	(void)state;
	for (uint64_t now = 30000; now <= 30900; now += 30) {
		if (now == 30000) {
			enrol_due("n1", 31, now + 300);
			enrol_due("n2", 32, 0);
			enrol_due("n3", 33, 0);
		}
		if (now == 30600) {
			assert_int_equal(store_begin(store, &err), 0);
			in_transaction(devices_approve(store, "n3", now + 300, &err), &err);
		}
		silent += look(now).silent;
	}
	assert_int_equal(silent, 1);
	device = load("n1");
	assert_int_equal(device.verdict, DEVICE_SILENT);
	assert_true(device.since == 30630);
	assert_int_equal(devices_reason(store, device.change, reason, sizeof(reason), &err), 0);
	assert_string_equal(reason, "it never attested; the first was due at 1970-01-01T08:25:00Z");
	device_free(&device);
	device = load("n2");
	assert_int_equal(device.verdict, DEVICE_NEVER);
	device_free(&device);
	for (uint64_t now = 30930; now <= 31230; now += 30)
		silent += look(now).silent;
	assert_int_equal(silent, 2);
}

/* Of one device as of many: who is locked for a verdict is waited for by nobody, and not silent. */
static void who_is_judged_right_now_is_not_silent(void **state)
{
	static const struct store_statement noted = {
		"", "SELECT count(*) FROM due_watch WHERE name = 'r1'", NULL
	};
	const struct lease_terms terms = { 60700, 30, 300 };
	const char *name = "r1";
	struct device device = { 0 };
	const struct device *const changed[] = { &device };
	struct store *other = NULL;
	struct lease_found found = { 0 };
	struct assay_error err = { 0 };
	uint64_t count = 0;

	(void)state;
	if (!store_is_postgres(store))
		return; /* SQLite has one that writes at a time */
	enrol_due("r1", 41, 60000);
	assert_int_equal(store_script(store,
				      "INSERT INTO due_watch (name, due) VALUES ('r1', 60000);"
				      "SET lock_timeout = '100ms'",
				      &err),
			 0);
	assert_int_equal(store_connect(url(), &other, &err), 0);
	assert_int_equal(store_begin_by_keys(other, &err), 0);
	assert_int_equal(devices_load(other, &name, 1, true, &device, &err), 0);
	if (lease_go_on(store, &terms, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(found.silent, 0);
	assert_int_equal(store_run(store, &noted, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, 1);
	device.verdict = DEVICE_TRUSTED;
	device.judged = 60690;
	device.due = 60990;
	assert_int_equal(devices_save(other, changed, 1, &err), 0);
	assert_int_equal(store_commit(other, &err), 0);
	device_free(&device);
	store_disconnect(other);
	if (lease_go_on(store, &terms, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(found.silent, 0);
	assert_int_equal(store_run(store, &noted, NULL, 1, store_take_number, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(devices_remove(store, name, 60700, &err), &err);
}

/*
 * Two processes whose clocks differ share the database's: theirs is not asked. On PostgreSQL that
 * clock is another one here, which stands before the engine's own.
 */
static void the_clock_is_the_databases(void **state)
{
	static const struct store_statement swept = { "",
						      "SELECT value FROM meta WHERE name = 'swept'",
						      NULL };
	const struct lease_terms terms = { 0, 3600, 300 };
	struct store *other = NULL;
	struct lease_found found;
	struct assay_error err = { 0 };
	uint64_t at = 0, now = (uint64_t)time(NULL);

	(void)state;
	assert_int_equal(store_connect(url(), &other, &err), 0);
	if (store_is_postgres(other)) {
		now = 100000;
		assert_int_equal(
			store_script(other,
				     "CREATE SCHEMA skewed; CREATE FUNCTION "
				     "skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
				     "'SELECT to_timestamp(100000)'; SET search_path = skewed, "
				     "public, pg_catalog",
				     &err),
			0);
	}
	assert_int_equal(lease_sweep(other, &terms, &found, &err), 0);
	assert_true(found.mine);
	assert_int_equal(store_run(store, &swept, NULL, 1, store_take_number, &at, &err), 0);
	assert_true(at >= now && at <= now + 3600 * !store_is_postgres(other));
	assert_int_equal(lease_sweep(other, &terms, &found, &err), 0);
	assert_true(!found.mine && found.clock_back == 0);
	store_disconnect(other);
}

/* ---------------------------------------------------------------- two at once */

/* Each adds to what it reads: nothing is lost if they take turns. */
static void *add_hundred(void *context)
{
	static const char *const names[] = { "d2" };
	struct store *mine = NULL;
	struct assay_error err = { 0 };

	if (store_connect(url(), &mine, &err) < 0)
		return &store;
	for (int i = 0; i < 100; i++) {
		struct device device = { 0 };
		const struct device *const changed[] = { &device };
		int r = store_begin(mine, &err);

		if (r == 0)
			r = devices_load(mine, names, 1, true, &device, &err);
		device.records++;
		if (r == 0)
			r = devices_save(mine, changed, 1, &err);
		if (r == 0)
			r = store_commit(mine, &err);
		device_free(&device);
		if (r < 0) {
			print_error("%s\n", err.text);
			context = &store;
			break;
		}
	}
	store_disconnect(mine);
	return context;
}

static void two_processes_take_turns(void **state)
{
	pthread_t threads[2];
	struct device device;
	void *failed;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_hundred, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	device = load("d2");
	assert_int_equal(device.records, 200);
	device_free(&device);
}

/*
 * Who follows changes by their ids misses none: nobody has a greater id than one that is not
 * committed yet.
 */
static void changes_come_in_order(void **state)
{
	struct device_change change = { "d2", 1, DEVICE_SILENT, "", "", { NULL, 0 }, { 0 }, false };
	struct store *other = NULL;
	struct assay_error err = { 0 };
	uint64_t first = 0, second = 0;

	(void)state;
	if (!store_is_postgres(store))
		return; /* SQLite has one that writes at a time */
	assert_int_equal(store_connect(url(), &other, &err), 0);
	assert_int_equal(store_script(other, "SET lock_timeout = '100ms'", &err), 0);
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_add_changes(store, &change, 1, &first, &err), 0);
	assert_int_equal(devices_add_changes(store, &change, 1, &first, &err), 0);
	assert_int_equal(store_begin(other, &err), 0);
	assert_int_equal(devices_add_changes(other, &change, 1, &second, &err), -EBUSY);
	support_assert_error(&err, "others use");
	store_rollback(other);
	assert_int_equal(store_commit(store, &err), 0);
	/* The next transaction has to wait anew. */
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(store_begin(other, &err), 0);
	assert_int_equal(devices_add_changes(other, &change, 1, &second, &err), 0);
	assert_true(second > first);
	assert_int_equal(store_script(store, "SET lock_timeout = '100ms'", &err), 0);
	assert_int_equal(devices_add_changes(store, &change, 1, &first, &err), -EBUSY);
	store_rollback(store);
	assert_int_equal(store_commit(other, &err), 0);
	store_disconnect(other);
}

/* Each share has about as many as it should, and a greater one has all of a smaller one. */
static void a_share_is_chosen(void **state)
{
	struct rollout rollout = {
		.to = { .label = "shop", .policy = "policy.json", .version = 2 }
	};
	struct rollout other = { .to = { .label = "shop", .policy = "policy.json", .version = 3 },
				 .percent = 50 };
	bool before[2000] = { false };
	size_t same = 0;

	(void)state;
	for (uint64_t percent = 0; percent <= 100; percent += 10) {
		size_t included = 0;

		rollout.percent = percent;
		for (size_t i = 0; i < 2000; i++) {
			char name[16];
			bool now;

			snprintf(name, sizeof(name), "d%zu", i);
			now = rollout_includes(&rollout, name);
			assert_true(now || !before[i]);
			before[i] = now;
			included += now;
			same += percent == 50 && now == rollout_includes(&other, name);
		}
		assert_in_range(included, percent > 4 ? percent * 20 - 80 : 0, percent * 20 + 80);
	}
	/* Another policy has others. */
	assert_in_range(same, 800, 1200);
	rollout.halted = true;
	assert_false(rollout_includes(&rollout, "d1"));
}

static void roll_outs_are_kept(void **state)
{
	struct rollout rollout = { .to = { .label = "shop", .policy = "p", .version = 2 },
				   .percent = 10,
				   .halt_percent = 5 };
	struct rollout list[ROLLOUTS_MAX];
	struct assay_error err = { 0 };
	const struct rollout_counts counts = { 10, 5, 4 };
	uint64_t halted = 1, rows = 0, after = 0;
	bool mine = true;
	size_t count = 0;

	(void)state;
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(rollouts_decide(store, &rollout, "me", 1000, &err), &err);
	assert_true(rollout.to.generation > 0);
	assert_int_equal(rollouts_list(store, list, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].to.policy, "p");
	assert_int_equal(list[0].percent, 10);
	assert_int_equal(list[0].to.generation, rollout.to.generation);
	assert_int_equal(rollouts_watch(store, 1001, &halted, &err), 0);
	assert_int_equal(halted, 0);
	/* Two processes have seen the same: one halts it, and one row says so. */
	assert_int_equal(audit_check(store, &rows, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rollouts_halt(store, &list[0], &counts, 1001, &mine, &err), 0);
		assert_int_equal(mine, i == 0);
		assert_int_equal(audit_check(store, &after, &err), 0);
		assert_int_equal(after, rows + 1);
	}
	for (int i = 0; i < ROLLOUTS_MAX; i++) {
		struct rollout more = { .to = { .policy = "p", .version = 1 }, .percent = 1 };
		int r;

		snprintf(more.to.label, sizeof(more.to.label), "l%d", i);
		assert_int_equal(store_begin(store, &err), 0);
		r = rollouts_decide(store, &more, "me", 1002, &err);
		if (i < ROLLOUTS_MAX - 1) {
			in_transaction(r, &err);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		store_rollback(store);
	}
	assert_int_equal(rollouts_list(store, list, &count, &err), 0);
	for (size_t i = 0; i < count; i++) {
		list[i].percent = 0;
		assert_int_equal(store_begin(store, &err), 0);
		in_transaction(rollouts_decide(store, &list[i], "me", 1003, &err), &err);
	}
	assert_int_equal(rollouts_list(store, list, &count, &err), 0);
	assert_int_equal(count, 0);
}

/* Its verdict becomes another one, by that policy. */
static void turn(const char *name, enum device_verdict verdict, const char *policy)
{
	const struct device_change change = {
		.name = name, .at = 40000, .verdict = verdict, .reason = "", .policy = policy
	};
	struct assay_error err = { 0 };
	struct device device = load(name);
	const struct device *const changed[] = { &device };

	device.verdict = verdict;
	assert_int_equal(store_begin(store, &err), 0);
	assert_int_equal(devices_add_changes(store, &change, 1, &device.change, &err), 0);
	in_transaction(devices_save(store, changed, 1, &err), &err);
	device_free(&device);
}

/* What turns in a label with a policy of its own is no reason to halt a roll-out for others. */
static void a_roll_out_counts_its_own(void **state)
{
	struct rollout rollout = { .to = { .policy = "own", .version = 2 },
				   .percent = 50,
				   .halt_percent = 100 };
	struct ref_assignment own = { .label = "shop", .policy = "own", .version = 2 };
	struct rollout_counts counts;
	struct assay_error err = { 0 };

	(void)state;
	enrol_due("r1", 41, 0);
	assert_int_equal(enrol("r2", 42, 42, false, &err), 0);
	turn("r1", DEVICE_TRUSTED, "own@1");
	turn("r2", DEVICE_TRUSTED, "own@1");
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(rollouts_decide(store, &rollout, "me", 40000, &err), &err);
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(refs_assign(store, &own, "me", 40000, &err), &err);
	turn("r2", DEVICE_NOT_TRUSTED, "own@2");
	assert_int_equal(rollouts_count(store, &rollout, &counts, &err), 0);
	assert_int_equal(counts.judged, 0);
	assert_int_equal(counts.red, 0);
	turn("r1", DEVICE_NOT_TRUSTED, "own@2");
	assert_int_equal(rollouts_count(store, &rollout, &counts, &err), 0);
	assert_int_equal(counts.judged, 1);
	assert_int_equal(counts.red, 1);
	rollout.percent = 0;
	assert_int_equal(store_begin(store, &err), 0);
	in_transaction(rollouts_decide(store, &rollout, "me", 40000, &err), &err);
}

/* A label need not have had a policy of its own before. */
static void a_roll_out_is_for_its_label(void **state)
{
	static struct policies policies = {
		.assignments = { { .policy = "p", .version = 1 } },
		.count = 1,
		.rollouts = { { .to = { .policy = "q", .version = 1 }, .percent = 99 },
			      { .to = { .label = "shop", .policy = "p", .version = 2 },
				.percent = 99 } },
		.staged_count = 2,
	};
	/* Only whether there is one is looked at. */
	struct assay_policy *const one = (struct assay_policy *)&policies;

	(void)state;
	policies.staged[0].policy = policies.staged[1].policy = one;
	assert_true(rollout_includes(&policies.rollouts[0], "d1"));
	assert_true(rollout_includes(&policies.rollouts[1], "d1"));
	assert_ptr_equal(policies_of(&policies, "shop", "d1"), &policies.staged[1]);
	assert_ptr_equal(policies_of(&policies, "office", "d1"), &policies.staged[0]);
	/* Who is not of the share is judged as before. */
	policies.rollouts[1].percent = 0;
	assert_ptr_equal(policies_of(&policies, "shop", "d1"), &policies.list[0]);
	/* One that is halted is as none. */
	policies.rollouts[1].percent = 99;
	policies.rollouts[1].halted = true;
	assert_ptr_equal(policies_of(&policies, "shop", "d1"), &policies.staged[0]);
	policies.rollouts[0].halted = true;
	assert_ptr_equal(policies_of(&policies, "shop", "d1"), &policies.list[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_known),
		cmocka_unit_test(what_was_kept_before_is_read),
		cmocka_unit_test(values_come_back),
		cmocka_unit_test(many_sets),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(transactions),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(urls_are_refused),
		cmocka_unit_test(devices_are_enrolled),
		cmocka_unit_test(a_verdict_is_kept),
		cmocka_unit_test(evidence_is_kept_once),
		cmocka_unit_test(two_processes_take_turns),
		cmocka_unit_test(changes_come_in_order),
		cmocka_unit_test(a_device_is_removed),
		cmocka_unit_test(silence_is_found),
		cmocka_unit_test(who_never_attests_is_silent),
		cmocka_unit_test(many_are_silent_at_once),
		cmocka_unit_test(who_is_judged_right_now_is_not_silent),
		cmocka_unit_test(the_clock_is_the_databases),
		cmocka_unit_test(references_have_versions),
		cmocka_unit_test(a_share_is_chosen),
		cmocka_unit_test(roll_outs_are_kept),
		cmocka_unit_test(a_roll_out_counts_its_own),
		cmocka_unit_test(a_roll_out_is_for_its_label),
		cmocka_unit_test(the_audit_is_a_chain),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
