/* SPDX-License-Identifier: MIT */
/*
 * A database, whichever it is: SQL that both engines understand, with its parameters beside it. No
 * value is ever put into the text of a statement.
 *
 * Of one thread. A statement is made ready once a connection.
 */
#ifndef ASSAY_FLEET_STORE_H
#define ASSAY_FLEET_STORE_H

#include "base/bytes.h"

enum store_type { STORE_NULL, STORE_NUMBER, STORE_TEXT, STORE_BLOB };

/**
 * struct store_value - a parameter, or a column of a row
 * @number: of STORE_NUMBER
 * @bytes: of STORE_TEXT and STORE_BLOB; borrowed. Text that comes from the database ends with a NUL
 *         behind its last byte
 */
struct store_value {
	enum store_type type;
	int64_t number;
	struct bytes bytes;
};

struct store_value store_number(uint64_t number); /* up to 2^63-1 */
struct store_value store_text(const char *text);  /* NULL: null */
struct store_value store_blob(struct bytes bytes);

/* store_get_number() - 0 for null; store_get_text() - "" for null */
uint64_t store_get_number(const struct store_value *value);
const char *store_get_text(const struct store_value *value);

/**
 * struct store_statement - one statement; must stay for as long as the store is open
 * @types: a letter a parameter, $1 first: 'n' number, 't' text, 'b' bytes
 * @sql: with $1, $2 ... which first appear in this order
 * @postgres: the same where PostgreSQL wants it in other words; else NULL
 */
struct store_statement {
	const char *types;
	const char *sql;
	const char *postgres;
};

/**
 * struct store_many - a statement that is executed for many sets of values at once. Each engine has
 * one form of it, whatever the number of sets: what two forms lock, or how, would be another
 * @one: SQLite's, set by set; without .postgres
 * @arrays: PostgreSQL's, with an array of as many values as there are sets for each parameter; the
 *          first column of its rows, which @one does not have, is the set, from 1
 */
struct store_many {
	struct store_statement one;
	const char *arrays;
};

/*
 * store_row - takes a row; @columns live until it returns. It must not call the store.
 * Return: 0; a negative errno ends the statement
 */
typedef int store_row(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err);

/* store_take_number() - a store_row for statements of one number: @context is a uint64_t */
store_row store_take_number;

/* store_count_row() - a store_row for statements of which the number of rows counts: @context is a
 * uint64_t that each adds one to */
store_row store_count_row;

struct store;

/* What an engine does; store_*() below say what. Only for the engines and store.c. */
struct store_engine {
	const char *name;
	int (*begin)(struct store *store, bool by_keys, struct assay_error *err);
	int (*end)(struct store *store, bool commit, struct assay_error *err);
	int (*run)(struct store *store, const struct store_statement *statement,
		   const struct store_value *values, size_t sets, store_row *row, void *context,
		   struct assay_error *err);
	/* NULL: by .run, set by set */
	int (*run_many)(struct store *store, const struct store_many *many,
			const struct store_value *values, size_t sets, store_row *row,
			void *context, struct assay_error *err);
	int (*script)(struct store *store, const char *sql, struct assay_error *err);
	void (*close)(struct store *store);
};

struct store {
	const struct store_engine *engine;
	bool inside;	     /* of a transaction */
	bool orders_changes; /* it is the one whose changes come next: devices_add_changes() */
};

/*
 * store_connect() - connect
 * @url: "sqlite:PATH", whose file is made if it is not there; or what libpq takes that begins with
 *       "postgresql:" or "postgres:"
 *
 * Return: 0; -EINVAL for another kind; -EIO with what the database says
 */
int store_connect(const char *url, struct store **ret, struct assay_error *err);
void store_disconnect(struct store *store); /* does nothing with NULL */

bool store_is_postgres(const struct store *store);

/*
 * store_begin(), store_commit(), store_rollback() - a transaction. What was committed is on the
 * disk. A transaction that writes excludes others of SQLite from its begin on.
 */
int store_begin(struct store *store, struct assay_error *err);
/* store_begin_by_keys() - of statements that find all their rows by keys, however many they are */
int store_begin_by_keys(struct store *store, struct assay_error *err);
int store_commit(struct store *store, struct assay_error *err);
void store_rollback(struct store *store);

/*
 * store_run() - execute a statement @sets times
 * @values: as many as the statement has parameters, @sets times
 * @row: called for each row of each; may be NULL
 *
 * Return: 0; -EEXIST where a row is there that excludes this one; -EIO with what the database
 * says; what @row returned. In a transaction that failed, nothing but store_rollback() is
 * allowed.
 */
int store_run(struct store *store, const struct store_statement *statement,
	      const struct store_value *values, size_t sets, store_row *row, void *context,
	      struct assay_error *err);

/* store_run_many() - as store_run(), at what one statement costs where the engine can do that, but
 * for many bytes, which go some sets at a time */
int store_run_many(struct store *store, const struct store_many *many,
		   const struct store_value *values, size_t sets, store_row *row, void *context,
		   struct assay_error *err);

/*
 * store_script() - statements without parameters, of this program's own
 * Return: as store_run(); -EBUSY where one waits for a lock for longer than lock_timeout
 */
int store_script(struct store *store, const char *sql, struct assay_error *err);

/* Both engines' ways to open; only for store.c. */
int store_sqlite_open(const char *path, struct store **ret, struct assay_error *err);
int store_postgres_open(const char *url, struct store **ret, struct assay_error *err);

#endif /* ASSAY_FLEET_STORE_H */
