// SPDX-License-Identifier: MIT
#include "schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"

/*
 * A step is never changed once a version with it was published: another one follows it. What both
 * engines take stands in .both; what they say differently, in .sqlite and .postgres, comes first.
 *
 * device: who is enrolled, which changes seldom. device_state: one narrow row a device, which each
 * attestation writes, without an index on what it writes, so that PostgreSQL has it in the same
 * page (HOT). verdict_change: a row when a verdict becomes another one. evidence: by its digest,
 * out of the way.
 */
static const struct step {
	const char *sqlite, *postgres, *both;
} steps[] = {
	{
		.sqlite =
			"CREATE TABLE device_state (name TEXT PRIMARY KEY REFERENCES device(name) "
			"ON DELETE CASCADE, verdict BIGINT NOT NULL DEFAULT 0, change_id BIGINT "
			"NOT NULL DEFAULT 0, since BIGINT NOT NULL DEFAULT 0, seen BIGINT NOT NULL "
			"DEFAULT 0, judged BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL DEFAULT "
			"0, boot_id TEXT NOT NULL DEFAULT '', resets BIGINT NOT NULL DEFAULT 0, "
			"restarts BIGINT NOT NULL DEFAULT 0, clock BIGINT NOT NULL DEFAULT 0, "
			"evidence BLOB, records BIGINT NOT NULL DEFAULT 0, entries BIGINT NOT NULL "
			"DEFAULT 0, state BLOB) WITHOUT ROWID;"
			"CREATE TABLE verdict_change (id INTEGER PRIMARY KEY AUTOINCREMENT, name "
			"TEXT NOT NULL, at BIGINT NOT NULL, verdict BIGINT NOT NULL, reason TEXT "
			"NOT NULL, policy TEXT NOT NULL, verdict_json TEXT NOT NULL, evidence "
			"BLOB);"
			"CREATE TABLE evidence (digest BLOB PRIMARY KEY, name TEXT NOT NULL, at "
			"BIGINT NOT NULL, boot_id TEXT NOT NULL, nonce BLOB NOT NULL, issued "
			"BIGINT NOT NULL, body BLOB NOT NULL);"
			"CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT "
			"NULL, who TEXT NOT NULL, act TEXT NOT NULL, what TEXT NOT NULL, digest "
			"BLOB NOT NULL);"
			"CREATE TABLE nonce_key (id INTEGER PRIMARY KEY AUTOINCREMENT, made BIGINT "
			"NOT NULL, secret BLOB NOT NULL);",
		.postgres =
			"CREATE TABLE device_state (name TEXT NOT NULL, verdict BIGINT NOT NULL "
			"DEFAULT 0, change_id BIGINT NOT NULL DEFAULT 0, since BIGINT NOT NULL "
			"DEFAULT 0, seen BIGINT NOT NULL DEFAULT 0, judged BIGINT NOT NULL DEFAULT "
			"0, due BIGINT NOT NULL DEFAULT 0, boot_id TEXT NOT NULL DEFAULT '', "
			"resets BIGINT NOT NULL DEFAULT 0, restarts BIGINT NOT NULL DEFAULT 0, "
			"clock BIGINT NOT NULL DEFAULT 0, evidence BYTEA, records BIGINT NOT NULL "
			"DEFAULT 0, entries BIGINT NOT NULL DEFAULT 0, state BYTEA, PRIMARY KEY "
			"(name)) PARTITION BY HASH (name);"
			"DO $$ BEGIN FOR i IN 0..15 LOOP EXECUTE format('CREATE TABLE "
			"device_state_%s PARTITION OF device_state FOR VALUES WITH (MODULUS 16, "
			"REMAINDER %s) WITH (fillfactor = 70)', i, i); END LOOP; END $$;"
			"CREATE TABLE verdict_change (id BIGINT GENERATED ALWAYS AS IDENTITY "
			"PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL, verdict BIGINT NOT "
			"NULL, reason TEXT NOT NULL, policy TEXT NOT NULL, verdict_json TEXT NOT "
			"NULL, evidence BYTEA);"
			"CREATE TABLE evidence (digest BYTEA PRIMARY KEY, name TEXT NOT NULL, at "
			"BIGINT NOT NULL, boot_id TEXT NOT NULL, nonce BYTEA NOT NULL, issued "
			"BIGINT NOT NULL, body BYTEA NOT NULL);"
			"ALTER TABLE evidence ALTER COLUMN body SET STORAGE EXTERNAL;"
			"CREATE TABLE audit (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT "
			"NOT NULL, act TEXT NOT NULL, what TEXT NOT NULL, digest BYTEA NOT NULL);"
			"CREATE TABLE nonce_key (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY "
			"KEY, made BIGINT NOT NULL, secret BYTEA NOT NULL);",
		.both = "CREATE TABLE device (name TEXT PRIMARY KEY, identity BYTEA NOT NULL "
			"UNIQUE, record TEXT NOT NULL, ak BYTEA NOT NULL, qualified_name BYTEA, "
			"label TEXT NOT NULL DEFAULT '', approved BIGINT NOT NULL DEFAULT 0, "
			"enrolled BIGINT NOT NULL);"
			"CREATE INDEX device_label ON device (label, name);"
			"CREATE TABLE pending (identity BYTEA PRIMARY KEY, id BYTEA NOT NULL "
			"UNIQUE, expires BIGINT NOT NULL, request TEXT NOT NULL);"
			"CREATE INDEX verdict_change_name ON verdict_change (name, id);"
			"CREATE INDEX evidence_name ON evidence (name, at);"
			"CREATE TABLE reference (kind TEXT NOT NULL, name TEXT NOT NULL, version "
			"BIGINT NOT NULL, at BIGINT NOT NULL, who TEXT NOT NULL, content BYTEA NOT "
			"NULL, signature BYTEA, PRIMARY KEY (kind, name, version));"
			"CREATE TABLE assignment (label TEXT PRIMARY KEY, policy TEXT NOT NULL, "
			"version BIGINT NOT NULL, at BIGINT NOT NULL, who TEXT NOT NULL);"
			"CREATE TABLE meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL);"
			"INSERT INTO meta (name, value) VALUES ('references', 1);",
	},
	{
		.sqlite = "ALTER TABLE device_state ADD COLUMN checks BLOB;",
		.postgres = "ALTER TABLE device_state ADD COLUMN checks BYTEA;",
		.both = "INSERT INTO meta (name, value) VALUES ('swept', 0), ('up_since', 0);",
	},
	{
		.both = "CREATE INDEX verdict_change_at ON verdict_change (at);"
			"CREATE INDEX verdict_change_alarm ON verdict_change (id) WHERE verdict >= "
			"2;",
	},
	/* Who may attest and never did is overdue. */
	{
		.both = "UPDATE device_state SET due = (SELECT enrolled FROM device WHERE "
			"device.name = device_state.name) WHERE verdict = 0 AND due = 0 AND name "
			"IN (SELECT name FROM device WHERE approved = 1);",
	},
	/* generation: meta's 'references' of then. An assignment is of what was there. */
	{
		.both = "ALTER TABLE reference ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;"
			"ALTER TABLE assignment ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;",
	},
	/* More than one challenge a TPM; those that were open are asked for again. */
	{
		.both = "DROP TABLE pending;"
			"CREATE TABLE pending (id BYTEA PRIMARY KEY, identity BYTEA NOT NULL, "
			"expires BIGINT NOT NULL, request TEXT NOT NULL);"
			"CREATE INDEX pending_identity ON pending (identity, expires);",
	},
	/* How far each receiver was told of changes; up_to: of the message that is under way. */
	{
		.both = "CREATE TABLE webhook (name TEXT PRIMARY KEY, last BIGINT NOT NULL, up_to "
			"BIGINT NOT NULL DEFAULT 0, attempts BIGINT NOT NULL DEFAULT 0, due BIGINT "
			"NOT NULL DEFAULT 0, lease BIGINT NOT NULL DEFAULT 0);",
	},
	/* Policies for a share of the devices of a label; what waits for a second person. */
	{
		.sqlite = "CREATE TABLE proposal (id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT "
			  "NOT NULL, who TEXT NOT NULL, label TEXT NOT NULL, policy TEXT NOT NULL, "
			  "version BIGINT NOT NULL, generation BIGINT NOT NULL, percent BIGINT NOT "
			  "NULL, halt_percent BIGINT NOT NULL);",
		.postgres = "CREATE TABLE proposal (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY "
			    "KEY, at BIGINT NOT NULL, who TEXT NOT NULL, label TEXT NOT NULL, "
			    "policy TEXT NOT NULL, version BIGINT NOT NULL, generation BIGINT NOT "
			    "NULL, percent BIGINT NOT NULL, halt_percent BIGINT NOT NULL);",
		.both = "CREATE TABLE rollout (label TEXT PRIMARY KEY, policy TEXT NOT NULL, "
			"version BIGINT NOT NULL, generation BIGINT NOT NULL, percent BIGINT NOT "
			"NULL, halt_percent BIGINT NOT NULL, since BIGINT NOT NULL, halted BIGINT "
			"NOT NULL, who TEXT NOT NULL, at BIGINT NOT NULL);",
	},
	/* How many bytes of a device's evidence are kept, since when: not to be added up each time.
	 */
	{
		.both = "ALTER TABLE device_state ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;"
			"ALTER TABLE device_state ADD COLUMN kept_since BIGINT NOT NULL DEFAULT 0;",
	},
	/*
	 * How many devices of a label were held for what: span is 3600 or 86400 seconds, from at
	 * on; label '*' is all. What is pruned when: prune_change and prune_digest are how far it
	 * came.
	 */
	{
		.both = "CREATE TABLE tally (span BIGINT NOT NULL, label TEXT NOT NULL, at BIGINT "
			"NOT NULL, verdict BIGINT NOT NULL, devices BIGINT NOT NULL, most BIGINT "
			"NOT NULL, PRIMARY KEY (span, label, at, verdict));"
			"INSERT INTO meta (name, value) VALUES ('tallied', 0), ('pruned', 0), "
			"('prune_change', 0), ('prune_digest', 256);",
	},
	/*
	 * Changes in partitions by their numbers, which go up with time: what asks for a number
	 * looks at one of them, and those that are old are dropped whole. Numbers below changes_to
	 * have one.
	 */
	{
		.postgres =
			"ALTER TABLE verdict_change RENAME TO verdict_change_0;"
			"ALTER TABLE verdict_change_0 ALTER COLUMN id DROP IDENTITY;"
			"ALTER INDEX verdict_change_pkey RENAME TO verdict_change_0_pkey;"
			"ALTER INDEX verdict_change_name RENAME TO verdict_change_0_name;"
			"ALTER INDEX verdict_change_at RENAME TO verdict_change_0_at;"
			"ALTER INDEX verdict_change_alarm RENAME TO verdict_change_0_alarm;"
			"CREATE TABLE verdict_change (id BIGINT NOT NULL PRIMARY KEY, name TEXT "
			"NOT NULL, at BIGINT NOT NULL, verdict BIGINT NOT NULL, reason TEXT NOT "
			"NULL, policy TEXT NOT NULL, verdict_json TEXT NOT NULL, evidence BYTEA) "
			"PARTITION BY RANGE (id);"
			"CREATE SEQUENCE verdict_change_ids OWNED BY verdict_change.id;"
			"ALTER TABLE verdict_change ALTER COLUMN id SET DEFAULT "
			"nextval('verdict_change_ids');"
			"CREATE INDEX verdict_change_name ON verdict_change (name, id);"
			"CREATE INDEX verdict_change_at ON verdict_change (at);"
			"CREATE INDEX verdict_change_alarm ON verdict_change (id) WHERE verdict >= "
			"2;"
			"DO $$ DECLARE newest BIGINT; bound BIGINT; BEGIN SELECT "
			"coalesce(max(id), 0) INTO newest FROM verdict_change_0; bound := (newest "
			"/ 1000000 + 1) * 1000000; PERFORM setval('verdict_change_ids', newest + "
			"1, false); EXECUTE format('ALTER TABLE verdict_change ATTACH PARTITION "
			"verdict_change_0 FOR VALUES FROM (MINVALUE) TO (%s)', bound); EXECUTE "
			"format('CREATE TABLE verdict_change_%s PARTITION OF verdict_change FOR "
			"VALUES FROM (%s) TO (%s)', bound, bound, bound + 1000000); INSERT INTO "
			"meta (name, value) VALUES ('changes_to', bound + 1000000); END $$;",
	},
	/* A verdict as kept_verdict_pack() has it; verdict_json is of those from before. It is
	 * packed as well as it can be. */
	{
		.sqlite = "ALTER TABLE verdict_change ADD COLUMN packed BLOB;",
		.postgres = "ALTER TABLE verdict_change ADD COLUMN packed BYTEA;"
			    "ALTER TABLE verdict_change ALTER COLUMN packed SET STORAGE EXTERNAL;",
	},
	/* From when on a device was not trusted or silent; closed: 0, or when it was trusted again.
	 */
	{
		.both = "CREATE TABLE alarm (id BIGINT PRIMARY KEY, name TEXT NOT NULL, at BIGINT "
			"NOT NULL, verdict BIGINT NOT NULL, reason TEXT NOT NULL, change_id BIGINT "
			"NOT NULL, closed BIGINT NOT NULL DEFAULT 0, closed_by BIGINT NOT NULL "
			"DEFAULT 0, acknowledged BIGINT NOT NULL DEFAULT 0, who TEXT NOT NULL "
			"DEFAULT '', note TEXT NOT NULL DEFAULT '');"
			"CREATE UNIQUE INDEX alarm_open ON alarm (name) WHERE closed = 0;"
			"CREATE INDEX alarm_open_id ON alarm (id) WHERE closed = 0;"
			"CREATE INDEX alarm_name ON alarm (name, id);"
			"INSERT INTO alarm (id, name, at, verdict, reason, change_id) SELECT c.id, "
			"s.name, s.since, s.verdict, c.reason, c.id FROM device_state s JOIN "
			"verdict_change c ON c.id = s.change_id WHERE s.verdict >= 2;",
	},
	/* What a device's evidence proves that it runs. */
	{
		.both = "CREATE TABLE device_version (name TEXT PRIMARY KEY, kernel TEXT NOT NULL, "
			"module TEXT NOT NULL, firmware TEXT NOT NULL);",
	},
	/* The TPM's, which says the order of what came in one second. */
	{
		.both = "ALTER TABLE evidence ADD COLUMN clock BIGINT NOT NULL DEFAULT 0;",
	},
	/*
	 * due_watch: devices that are overdue, as overdue.c has noted them; watched: the part of
	 * device_state that it reads next. Alarms that were closed first are forgotten first.
	 */
	{
		.both = "CREATE TABLE due_watch (name TEXT PRIMARY KEY, due BIGINT NOT NULL);"
			"CREATE INDEX due_watch_due ON due_watch (due);"
			"INSERT INTO meta (name, value) VALUES ('watched', 0);"
			"CREATE INDEX alarm_closed ON alarm (closed) WHERE closed > 0;",
	},
};

#define NEWEST (sizeof(steps) / sizeof(steps[0]))

uint64_t schema_newest(void)
{
	return NEWEST;
}

static int read_version(struct store *store, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement there = {
		"",
		"SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'",
		"SELECT count(*) FROM pg_tables WHERE tablename = 'schema_version' AND schemaname "
		"= current_schema()",
	};
	static const struct store_statement version = { "", "SELECT version FROM schema_version",
							NULL };
	uint64_t tables = 0;
	int r = store_run(store, &there, NULL, 1, store_take_number, &tables, err);

	*ret = 0;
	if (r < 0 || tables == 0)
		return r;
	return store_run(store, &version, NULL, 1, store_take_number, ret, err);
}

int schema_version(struct store *store, uint64_t *ret, struct assay_error *err)
{
	return read_version(store, ret, err);
}

static int execute_step(struct store *store, const struct step *step, uint64_t version,
			struct assay_error *err)
{
	static const struct store_statement note = { "n", "UPDATE schema_version SET version = $1",
						     NULL };
	const struct store_value value = store_number(version);
	const char *own = store_is_postgres(store) ? step->postgres : step->sqlite;
	int r = 0;

	if (version == 1)
		r = store_script(store,
				 "CREATE TABLE schema_version (version BIGINT NOT NULL);"
				 "INSERT INTO schema_version (version) VALUES (0)",
				 err);
	if (r == 0 && own)
		r = store_script(store, own, err);
	if (r == 0 && step->both)
		r = store_script(store, step->both, err);
	if (r == 0)
		r = store_run(store, &note, &value, 1, NULL, NULL, err);
	return r;
}

/* In a transaction. Of PostgreSQL, a lock that all who migrate take: "assayflt". */
static int migrate(struct store *store, uint64_t version, struct assay_error *err)
{
	uint64_t present;
	int r = store_is_postgres(store) ?
			store_script(store, "SELECT pg_advisory_xact_lock(7022083106022616180)",
				     err) :
			0;

	if (r == 0)
		r = read_version(store, &present, err);
	if (r == 0 && present > version)
		return assay_fail(err, EINVAL,
				  "the database is of version %" PRIu64
				  "; it can only become a newer one, not %" PRIu64
				  ": use a newer assay-fleet",
				  present, version);
	for (; r == 0 && present < version; present++)
		r = execute_step(store, &steps[present], present + 1, err);
	return r;
}

int schema_migrate(struct store *store, uint64_t version, struct assay_error *err)
{
	int r;

	if (version < 1 || version > NEWEST)
		return assay_fail(err, EINVAL, "the database's versions are 1 to %zu, not %" PRIu64,
				  NEWEST, version);
	r = store_begin(store, err);
	if (r < 0)
		return r;
	r = migrate(store, version, err);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

int schema_check(struct store *store, struct assay_error *err)
{
	uint64_t version;
	int r = schema_version(store, &version, err);

	if (r == 0 && version != NEWEST)
		return assay_fail(err, EINVAL,
				  "the database is of version %" PRIu64
				  ", this program works with version %zu: %s",
				  version, NEWEST,
				  version < NEWEST ? "stop all that use it and run assay-fleet "
						     "migrate" :
						     "use a newer assay-fleet");
	return r;
}
