// SPDX-License-Identifier: MIT
/* SQLite: one machine, a file. */
#define _GNU_SOURCE /* reallocarray() */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

#define BUSY_MILLISECONDS 30000
#define COLUMNS_MAX 40

struct ready {
	const struct store_statement *statement;
	sqlite3_stmt *prepared;
};

struct sqlite_store {
	struct store store;
	sqlite3 *db;
	struct ready *ready;
	size_t ready_count;
};

static struct sqlite_store *of(struct store *store)
{
	return (struct sqlite_store *)store;
}

static int failed(struct sqlite_store *sqlite, struct assay_error *err)
{
	int code = sqlite3_extended_errcode(sqlite->db);

	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		return assay_fail(err, EEXIST, "it is in the database already");
	return assay_fail(err, EIO, "the database: %s", sqlite3_errmsg(sqlite->db));
}

static int script(struct store *store, const char *sql, struct assay_error *err)
{
	return sqlite3_exec(of(store)->db, sql, NULL, NULL, NULL) == SQLITE_OK ?
		       0 :
		       failed(of(store), err);
}

/* Readers, too, wait their turn: who reads first and writes then would be refused. */
static int begin(struct store *store, bool by_keys, struct assay_error *err)
{
	(void)by_keys;
	return script(store, "BEGIN IMMEDIATE", err);
}

static int end(struct store *store, bool commit, struct assay_error *err)
{
	int r = script(store, commit ? "COMMIT" : "ROLLBACK", err);

	/* A commit that fails leaves the transaction open. */
	if (r < 0 && commit)
		(void)sqlite3_exec(of(store)->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int prepare(struct sqlite_store *sqlite, const struct store_statement *statement,
		   sqlite3_stmt **ret, struct assay_error *err)
{
	struct ready *ready;

	for (size_t i = 0; i < sqlite->ready_count; i++)
		if (sqlite->ready[i].statement == statement) {
			*ret = sqlite->ready[i].prepared;
			return 0;
		}
	ready = reallocarray(sqlite->ready, sqlite->ready_count + 1, sizeof(*ready));
	if (!ready)
		return assay_fail(err, ENOMEM, "out of memory");
	sqlite->ready = ready;
	if (sqlite3_prepare_v3(sqlite->db, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, ret,
			       NULL) != SQLITE_OK)
		return failed(sqlite, err);
	ready[sqlite->ready_count++] = (struct ready){ statement, *ret };
	return 0;
}

static int bind_value(sqlite3_stmt *prepared, int place, const struct store_value *value)
{
	const char *data = (const char *)value->bytes.data;

	switch (value->type) {
	case STORE_NUMBER:
		return sqlite3_bind_int64(prepared, place, value->number);
	case STORE_TEXT:
		return sqlite3_bind_text64(prepared, place, data ? data : "", value->bytes.size,
					   SQLITE_STATIC, SQLITE_UTF8);
	case STORE_BLOB:
		return sqlite3_bind_blob64(prepared, place, data ? data : "", value->bytes.size,
					   SQLITE_STATIC);
	default:
		return sqlite3_bind_null(prepared, place);
	}
}

static struct store_value column(sqlite3_stmt *prepared, int place)
{
	struct store_value value = { .type = STORE_NULL };

	switch (sqlite3_column_type(prepared, place)) {
	case SQLITE_INTEGER:
		value.type = STORE_NUMBER;
		value.number = sqlite3_column_int64(prepared, place);
		break;
	case SQLITE_TEXT:
		value.type = STORE_TEXT;
		value.bytes.data = sqlite3_column_text(prepared, place);
		value.bytes.size = (size_t)sqlite3_column_bytes(prepared, place);
		break;
	case SQLITE_BLOB:
		value.type = STORE_BLOB;
		value.bytes.data = sqlite3_column_blob(prepared, place);
		value.bytes.size = (size_t)sqlite3_column_bytes(prepared, place);
		break;
	default:
		break;
	}
	return value;
}

static int give_row(sqlite3_stmt *prepared, size_t set, store_row *row, void *context,
		    struct assay_error *err)
{
	struct store_value columns[COLUMNS_MAX];
	int count = sqlite3_column_count(prepared);

	if (!row)
		return 0;
	if (count > COLUMNS_MAX)
		return assay_fail(err, EIO, "a row has %d columns", count);
	for (int i = 0; i < count; i++)
		columns[i] = column(prepared, i);
	return row(context, set, columns, (size_t)count, err);
}

static int run_once(struct sqlite_store *sqlite, sqlite3_stmt *prepared,
		    const struct store_value *values, size_t parameters, size_t set, store_row *row,
		    void *context, struct assay_error *err)
{
	int step, r = 0;

	for (size_t i = 0; i < parameters; i++)
		if (bind_value(prepared, (int)i + 1, &values[i]) != SQLITE_OK)
			return failed(sqlite, err);
	while (r == 0 && (step = sqlite3_step(prepared)) != SQLITE_DONE)
		r = step == SQLITE_ROW ? give_row(prepared, set, row, context, err) :
					 failed(sqlite, err);
	sqlite3_reset(prepared);
	sqlite3_clear_bindings(prepared);
	return r;
}

static int run(struct store *store, const struct store_statement *statement,
	       const struct store_value *values, size_t sets, store_row *row, void *context,
	       struct assay_error *err)
{
	size_t parameters = strlen(statement->types);
	sqlite3_stmt *prepared = NULL;
	int r = prepare(of(store), statement, &prepared, err);

	for (size_t set = 0; r == 0 && set < sets; set++)
		r = run_once(of(store), prepared, values + set * parameters, parameters, set, row,
			     context, err);
	return r;
}

static void close_store(struct store *store)
{
	struct sqlite_store *sqlite = of(store);

	for (size_t i = 0; i < sqlite->ready_count; i++)
		sqlite3_finalize(sqlite->ready[i].prepared);
	free(sqlite->ready);
	sqlite3_close(sqlite->db);
	free(sqlite);
}

static const struct store_engine engine = {
	.name = "SQLite",
	.begin = begin,
	.end = end,
	.run = run,
	.script = script,
	.close = close_store,
};

int store_sqlite_open(const char *path, struct store **ret, struct assay_error *err)
{
	struct sqlite_store *sqlite = calloc(1, sizeof(*sqlite));
	int r;

	if (!sqlite)
		return assay_fail(err, ENOMEM, "out of memory");
	sqlite->store.engine = &engine;
	if (sqlite3_open_v2(path, &sqlite->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		r = assay_fail(err, EIO, "the database %s cannot be opened: %s", path,
			       sqlite->db ? sqlite3_errmsg(sqlite->db) : "out of memory");
		close_store(&sqlite->store);
		return r;
	}
	sqlite3_busy_timeout(sqlite->db, BUSY_MILLISECONDS);
	/* FULL: what was committed is on the disk, also in the journal that is written ahead. */
	r = script(&sqlite->store,
		   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
		   "PRAGMA foreign_keys = ON",
		   err);
	if (r < 0) {
		close_store(&sqlite->store);
		return r;
	}
	*ret = &sqlite->store;
	return 0;
}
