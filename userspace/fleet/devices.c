// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream(), reallocarray() */
#include "devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_events.h"
#include "base/cleanup.h"
#include "versions.h"

static const char *const verdict_names[DEVICE_VERDICTS] = {
	[DEVICE_NEVER] = "never",
	[DEVICE_TRUSTED] = "trusted",
	[DEVICE_NOT_TRUSTED] = "not-trusted",
	[DEVICE_SILENT] = "silent",
};

const char *device_verdict_name(enum device_verdict verdict)
{
	return verdict_names[verdict];
}

bool device_verdict_by_name(const char *name, enum device_verdict *ret)
{
	for (int i = 0; i < DEVICE_VERDICTS; i++)
		if (strcmp(verdict_names[i], name) == 0) {
			*ret = (enum device_verdict)i;
			return true;
		}
	return false;
}

void device_free(struct device *device)
{
	buffer_free(&device->ak);
	buffer_free(&device->qualified_name);
	buffer_free(&device->state);
	*device = (struct device){ 0 };
}

void device_forget_verdicts(struct device *device)
{
	device->verdict = DEVICE_NEVER;
	device->change = device->since = device->seen = device->judged = device->due = 0;
	device->boot_id[0] = '\0';
	device->resets = device->restarts = device->clock = 0;
	device->records = device->entries = 0;
	device->evidence = device->checks = (struct assay_digest){ 0 };
	device->state.size = 0;
}

/* ---------------------------------------------------------------- reading */

#define COLUMNS                                                                                  \
	"d.name, d.label, d.approved, d.ak, d.qualified_name, s.verdict, s.change_id, s.since, " \
	"s.seen, s.judged, s.due, s.boot_id, s.resets, s.restarts, s.clock, s.evidence, "        \
	"s.records, s.entries, s.state, s.checks, s.kept, s.kept_since"
#define FROM " FROM device d JOIN device_state s ON s.name = d.name WHERE d.name = $1"
#define FROM_MANY                                                                          \
	" FROM unnest($1) WITH ORDINALITY AS v(name, n) JOIN device d ON d.name = v.name " \
	"JOIN device_state s ON s.name = v.name ORDER BY v.n"
#define LOCK " FOR UPDATE OF s"

static const struct store_many load = {
	{ "t", "SELECT " COLUMNS FROM, NULL },
	"SELECT v.n, " COLUMNS FROM_MANY,
};
static const struct store_many load_locked = {
	{ "t", "SELECT " COLUMNS FROM, NULL },
	"SELECT v.n, " COLUMNS FROM_MANY LOCK,
};

static int copy_text(char *to, size_t capacity, const struct store_value *value,
		     struct assay_error *err)
{
	const char *text = store_get_text(value);

	if (strlen(text) >= capacity)
		return assay_fail(err, EIO, "a text in the database is too long");
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static void take_digest(const struct store_value *value, struct assay_digest *ret)
{
	*ret = (struct assay_digest){ 0 };
	if (value->bytes.size != assay_hash_size(ASSAY_HASH_SHA256))
		return;
	ret->hash = ASSAY_HASH_SHA256;
	ret->size = value->bytes.size;
	memcpy(ret->bytes, value->bytes.data, ret->size);
}

static int take_device(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	struct device *device = (struct device *)context + set;
	int r = copy_text(device->name, sizeof(device->name), &columns[0], err);

	(void)count;
	if (r == 0)
		r = copy_text(device->label, sizeof(device->label), &columns[1], err);
	if (r == 0)
		r = copy_text(device->boot_id, sizeof(device->boot_id), &columns[11], err);
	if (r < 0)
		return r;
	device->approved = store_get_number(&columns[2]) != 0;
	buffer_append_bytes(&device->ak, columns[3].bytes);
	buffer_append_bytes(&device->qualified_name, columns[4].bytes);
	if (store_get_number(&columns[5]) >= DEVICE_VERDICTS)
		return assay_fail(err, EIO, "a verdict in the database is none");
	device->verdict = (enum device_verdict)store_get_number(&columns[5]);
	device->change = store_get_number(&columns[6]);
	device->since = store_get_number(&columns[7]);
	device->seen = store_get_number(&columns[8]);
	device->judged = store_get_number(&columns[9]);
	device->due = store_get_number(&columns[10]);
	device->resets = store_get_number(&columns[12]);
	device->restarts = store_get_number(&columns[13]);
	device->clock = store_get_number(&columns[14]);
	take_digest(&columns[15], &device->evidence);
	device->records = store_get_number(&columns[16]);
	device->entries = store_get_number(&columns[17]);
	buffer_append_bytes(&device->state, columns[18].bytes);
	take_digest(&columns[19], &device->checks);
	device->kept = store_get_number(&columns[20]);
	device->kept_since = store_get_number(&columns[21]);
	if (device->ak.failed || device->qualified_name.failed || device->state.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

int devices_load(struct store *store, const char *const *names, size_t count, bool lock,
		 struct device *ret, struct assay_error *err)
{
	struct store_value *values = calloc(count + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		values[i] = store_text(names[i]);
	r = store_run_many(store, lock ? &load_locked : &load, values, count, take_device, ret,
			   err);
	free(values);
	return r;
}

/* ---------------------------------------------------------------- writing */

static struct store_value digest_value(const struct assay_digest *digest)
{
	if (digest->size == 0)
		return (struct store_value){ .type = STORE_NULL };
	return store_blob(BYTES(digest->bytes, digest->size));
}

static struct store_value bytes_value(struct bytes bytes)
{
	if (bytes.size == 0)
		return (struct store_value){ .type = STORE_NULL };
	return store_blob(bytes);
}

static struct store_value buffer_value(const struct buffer *buffer)
{
	return bytes_value(buffer_bytes(buffer));
}

int devices_save(struct store *store, const struct device *const *devices, size_t count,
		 struct assay_error *err)
{
	static const struct store_many save = {
		{ "nnnnnntnnnbnnbbnnt",
		  "UPDATE device_state SET verdict = $1, change_id = $2, since = $3, seen = $4, "
		  "judged = $5, due = $6, boot_id = $7, resets = $8, restarts = $9, clock = $10, "
		  "evidence = $11, records = $12, entries = $13, state = $14, checks = $15, "
		  "kept = $16, kept_since = $17 WHERE name = $18",
		  NULL },
		"UPDATE device_state AS s SET verdict = v.verdict, change_id = v.change_id, since "
		"= v.since, seen = v.seen, judged = v.judged, due = v.due, boot_id = v.boot_id, "
		"resets = v.resets, restarts = v.restarts, clock = v.clock, evidence = v.evidence, "
		"records = v.records, entries = v.entries, state = v.state, checks = v.checks, "
		"kept = v.kept, kept_since = v.kept_since FROM unnest($1, $2, $3, $4, $5, $6, $7, "
		"$8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS v(verdict, change_id, "
		"since, seen, judged, due, boot_id, resets, restarts, clock, evidence, records, "
		"entries, state, checks, kept, kept_since, name) WHERE s.name = v.name",
	};
	const size_t width = strlen(save.one.types);
	struct store_value *values = calloc(count * width + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct device *device = devices[i];
		const struct store_value row[] = {
			store_number(device->verdict),	  store_number(device->change),
			store_number(device->since),	  store_number(device->seen),
			store_number(device->judged),	  store_number(device->due),
			store_text(device->boot_id),	  store_number(device->resets),
			store_number(device->restarts),	  store_number(device->clock),
			digest_value(&device->evidence),  store_number(device->records),
			store_number(device->entries),	  buffer_value(&device->state),
			digest_value(&device->checks),	  store_number(device->kept),
			store_number(device->kept_since), store_text(device->name),
		};

		memcpy(values + i * width, row, sizeof(row));
	}
	r = store_run_many(store, &save, values, count, NULL, NULL, err);
	free(values);
	return r;
}

/*
 * Who follows changes by their ids must not see one before another with a smaller id is committed.
 * PostgreSQL gives ids as they are asked for, and not in the order of commits: so only one
 * transaction at a time has changes, until its end. SQLite has one that writes anyhow. "asychang".
 */
static int order_changes(struct store *store, struct assay_error *err)
{
	int r;

	if (store->orders_changes || !store_is_postgres(store))
		return 0;
	r = store_script(store, "SELECT pg_advisory_xact_lock(7022089711860674151)", err);
	store->orders_changes = r == 0 && store->inside;
	return r;
}

static int take_id(void *context, size_t set, const struct store_value *columns, size_t count,
		   struct assay_error *err)
{
	(void)count;
	(void)err;
	((uint64_t *)context)[set] = store_get_number(&columns[0]);
	return 0;
}

static bool is_alarm(enum device_verdict verdict)
{
	return verdict == DEVICE_NOT_TRUSTED || verdict == DEVICE_SILENT;
}

/* Most are the first of their device, which has no alarm; but one of these may have opened one. */
static bool may_have_alarm(const struct device_change *changes, size_t at)
{
	if (!changes[at].first)
		return true;
	for (size_t i = 0; i < at; i++)
		if (is_alarm(changes[i].verdict) && strcmp(changes[i].name, changes[at].name) == 0)
			return true;
	return false;
}

/* In their order, since a device may be there twice; those of a kind that follow each other at
 * once.
 */
static int follow_alarms(struct store *store, const struct device_change *changes,
			 const uint64_t *ids, size_t count, struct assay_error *err)
{
	struct alarm_event *events = calloc(count + 1, sizeof(*events));
	size_t ready = 0;
	int r = 0;

	if (!events)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < count; i++) {
		const bool opens = is_alarm(changes[i].verdict);

		if (opens || may_have_alarm(changes, i))
			events[ready++] =
				(struct alarm_event){ changes[i].name, ids[i], changes[i].at,
						      changes[i].verdict, changes[i].reason };
		if (i + 1 < count && is_alarm(changes[i + 1].verdict) == opens)
			continue;
		r = opens ? alarms_open(store, events, ready, err) :
			    alarms_close(store, events, ready, err);
		ready = 0;
	}
	free(events);
	return r;
}

int devices_add_changes(struct store *store, const struct device_change *changes, size_t count,
			uint64_t *ret_ids, struct assay_error *err)
{
	/* Ids rise in the order of the rows, which are sorted before they are given any. */
	static const struct store_many add = {
		{ "tnnttbb",
		  "INSERT INTO verdict_change (name, at, verdict, reason, policy, packed, "
		  "evidence, verdict_json) VALUES ($1, $2, $3, $4, $5, $6, $7, '{}') "
		  "RETURNING id",
		  NULL },
		"WITH added AS (INSERT INTO verdict_change (name, at, verdict, reason, policy, "
		"packed, evidence, verdict_json) SELECT v.name, v.at, v.verdict, v.reason, "
		"v.policy, v.packed, v.evidence, '{}' FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH "
		"ORDINALITY AS v(name, at, verdict, reason, policy, packed, evidence, n) ORDER BY "
		"v.n RETURNING id) SELECT row_number() OVER (ORDER BY id), id FROM added",
	};
	const size_t width = strlen(add.one.types);
	struct store_value *values = calloc(count * width + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct device_change *change = &changes[i];
		const struct store_value row[] = {
			store_text(change->name),	store_number(change->at),
			store_number(change->verdict),	store_text(change->reason),
			store_text(change->policy),	bytes_value(change->kept),
			digest_value(&change->evidence)
		};

		memcpy(values + i * width, row, sizeof(row));
	}
	r = count > 0 ? order_changes(store, err) : 0;
	if (r == 0 && count > 0)
		r = store_run_many(store, &add, values, count, take_id, ret_ids, err);
	if (r == 0)
		r = follow_alarms(store, changes, ret_ids, count, err);
	free(values);
	return r;
}

/* struct reason - where a text goes */
struct reason {
	char *text;
	size_t capacity;
};

static int take_reason(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	const struct reason *reason = context;

	(void)set;
	(void)count;
	(void)err;
	snprintf(reason->text, reason->capacity, "%s", store_get_text(&columns[0]));
	return 0;
}

int devices_reason(struct store *store, uint64_t change, char *reason, size_t capacity,
		   struct assay_error *err)
{
	static const struct store_statement get = {
		"n", "SELECT reason FROM verdict_change WHERE id = $1", NULL
	};
	const struct store_value value = store_number(change);
	struct reason to = { reason, capacity };

	reason[0] = '\0';
	return store_run(store, &get, &value, 1, take_reason, &to, err);
}

int devices_add_evidence(struct store *store, const struct device_evidence *evidence, size_t count,
			 struct assay_error *err)
{
	static const struct store_many add = {
		{ "btntbnbn",
		  "INSERT INTO evidence (digest, name, at, boot_id, nonce, issued, body, clock) "
		  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (digest) DO NOTHING",
		  NULL },
		"INSERT INTO evidence (digest, name, at, boot_id, nonce, issued, body, clock) "
		"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (digest) DO "
		"NOTHING",
	};
	const size_t width = strlen(add.one.types);
	struct store_value *values = calloc(count * width + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct store_value row[] = {
			digest_value(&evidence[i].digest), store_text(evidence[i].name),
			store_number(evidence[i].at),	   store_text(evidence[i].boot_id),
			store_blob(evidence[i].nonce),	   store_number(evidence[i].issued),
			store_blob(evidence[i].body),	   store_number(evidence[i].clock)
		};

		memcpy(values + i * width, row, sizeof(row));
	}
	r = store_run_many(store, &add, values, count, NULL, NULL, err);
	free(values);
	return r;
}

/* ---------------------------------------------------------------- enrolment */

static int record_text(const struct device_record *record, char **ret, struct assay_error *err)
{
	struct device_record bare = *record;
	size_t size = 0;
	FILE *stream = open_memstream(ret, &size);
	int r;

	if (!stream)
		return assay_fail(err, ENOMEM, "out of memory");
	bare.has_state = false;
	r = device_record_write(stream, &bare, err);
	if (fclose(stream) != 0 && r == 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

/* The row of its own, of a TPM whose identity must be no other device's. */
static int add_device(struct store *store, const struct device_record *record, const char *text,
		      const char *label, bool approved, bool replace, struct assay_error *err)
{
	static const struct store_statement add = {
		"tbtbbtnn",
		"INSERT INTO device (name, identity, record, ak, qualified_name, label, approved, "
		"enrolled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING enrolled",
		NULL,
	};
	static const struct store_statement exchange = {
		"tbtbbtnn",
		"INSERT INTO device (name, identity, record, ak, qualified_name, label, approved, "
		"enrolled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE "
		"SET record = excluded.record, ak = excluded.ak, qualified_name = "
		"excluded.qualified_name, approved = excluded.approved, enrolled = "
		"excluded.enrolled WHERE device.identity = excluded.identity RETURNING enrolled",
		NULL,
	};
	struct assay_digest identity;
	uint64_t enrolled = 0;
	int r = device_record_identity(record, &identity, err);

	if (r == 0) {
		const struct store_value values[] = {
			store_text(record->machine_id),
			digest_value(&identity),
			store_text(text),
			store_blob(buffer_bytes(&record->ak_public)),
			buffer_value(&record->ak_qualified_name),
			store_text(label),
			store_number(approved),
			store_number(record->enrolled),
		};

		r = store_run(store, replace ? &exchange : &add, values, 1, store_take_number,
			      &enrolled, err);
	}
	/* Nothing is exchanged where the key is another TPM's. */
	if (r == -EEXIST || (r == 0 && enrolled == 0))
		return assay_fail(err, EEXIST,
				  "the device %s, or another one with its TPM's key, is enrolled "
				  "already",
				  record->machine_id);
	return r;
}

/* A new key has nothing of the old one's: its counters are obfuscated by another number. */
static int begin_state(struct store *store, const char *name, uint64_t due, struct assay_error *err)
{
	static const struct store_statement clear = { "t",
						      "DELETE FROM device_state WHERE name = $1",
						      NULL };
	static const struct store_statement begin = {
		"tn", "INSERT INTO device_state (name, due) VALUES ($1, $2)", NULL
	};
	const struct store_value values[] = { store_text(name), store_number(due) };
	int r = store_run(store, &clear, values, 1, NULL, NULL, err);

	return r < 0 ? r : store_run(store, &begin, values, 1, NULL, NULL, err);
}

int devices_enrol(struct store *store, const struct device_record *record, const char *label,
		  uint64_t due, bool replace, struct assay_error *err)
{
	CLEANUP(free_pointer) char *text = NULL;
	int r = record_text(record, &text, err);

	if (r == 0)
		r = add_device(store, record, text, label, due > 0, replace, err);
	if (r == 0)
		r = begin_state(store, record->machine_id, due, err);
	/* With a new key it is held for nothing yet, and has proved nothing. */
	if (r == 0 && replace)
		r = alarms_close(store,
				 &(struct alarm_event){ .device = record->machine_id,
							.at = record->enrolled },
				 1, err);
	if (r == 0 && replace)
		r = versions_forget(store, record->machine_id, err);
	return r;
}

/* Statements that return the name of what they did. */
static int one_of(struct store *store, const struct store_statement *statement,
		  const struct store_value *values, const char *name, struct assay_error *err)
{
	uint64_t found = 0;
	int r = store_run(store, statement, values, 1, store_take_number, &found, err);

	if (r == 0 && found == 0)
		return assay_fail(err, ENOENT, "the device %s is not enrolled", name);
	return r;
}

int devices_remove(struct store *store, const char *name, uint64_t now, struct assay_error *err)
{
	static const struct store_statement forget = { "t",
						       "DELETE FROM device_state WHERE name = $1",
						       NULL };
	static const struct store_statement evidence = { "t",
							 "DELETE FROM evidence WHERE name = $1",
							 NULL };
	static const struct store_statement remove = {
		"t", "DELETE FROM device WHERE name = $1 RETURNING enrolled", NULL
	};
	const struct store_value value = store_text(name);
	int r = store_run(store, &forget, &value, 1, NULL, NULL, err);

	if (r == 0)
		r = store_run(store, &evidence, &value, 1, NULL, NULL, err);
	if (r == 0)
		r = alarms_close(store, &(struct alarm_event){ .device = name, .at = now }, 1, err);
	if (r == 0)
		r = versions_forget(store, name, err);
	return r < 0 ? r : one_of(store, &remove, &value, name, err);
}

int devices_set_label(struct store *store, const char *name, const char *label,
		      struct assay_error *err)
{
	static const struct store_statement set = {
		"tt", "UPDATE device SET label = $1 WHERE name = $2 RETURNING enrolled", NULL
	};
	const struct store_value values[] = { store_text(label), store_text(name) };

	return one_of(store, &set, values, name, err);
}

int devices_approve(struct store *store, const char *name, uint64_t due, struct assay_error *err)
{
	static const struct store_statement expect = {
		"nt",
		"UPDATE device_state SET due = $1 WHERE name = $2 AND verdict = 0 AND due = 0",
		NULL,
	};
	static const struct store_statement approve = {
		"t", "UPDATE device SET approved = 1 WHERE name = $1 RETURNING enrolled", NULL
	};
	const struct store_value values[] = { store_number(due), store_text(name) };
	int r = store_run(store, &expect, values, 1, NULL, NULL, err);

	return r < 0 ? r : one_of(store, &approve, &values[1], name, err);
}
