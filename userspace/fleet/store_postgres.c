// SPDX-License-Identifier: MIT
/* PostgreSQL, by libpq: statements made ready, many sets of parameters in one pipeline. */
#define _GNU_SOURCE /* reallocarray() */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store_arrays.h"
#include "store_rows.h"

#define PARAMETERS_MAX STORE_ARRAYS_MAX
#define NAME_SIZE 32
/* Bytes of arrays that go in one statement; the server holds them several times. */
#define ARRAYS_MAX (16U << 20)
/* Sets that are under way at a time: what both sides' buffers hold without waiting. */
#define PIPELINE_SETS 256

/* struct ready - what is prepared: a struct store_statement, or .arrays of a struct store_many */
struct ready {
	const void *statement;
};

struct postgres_store {
	struct store store;
	PGconn *connection;
	struct ready *ready;
	size_t ready_count;
};

CLEANUP_POINTER(PGresult, PQclear, PQclear);

static struct postgres_store *of(struct store *store)
{
	return (struct postgres_store *)store;
}

/* libpq's sentences end with a newline. */
static int failed_with(const char *said, struct assay_error *err)
{
	size_t length = said ? strcspn(said, "\n") : 0;

	return assay_fail(err, EIO, "the database: %.*s", length > 0 ? (int)length : 8,
			  length > 0 ? said : "no answer");
}

static int failed(struct postgres_store *postgres, const PGresult *result, struct assay_error *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	if (state && strcmp(state, "23505") == 0) /* unique_violation */
		return assay_fail(err, EEXIST, "it is in the database already");
	if (state && strcmp(state, "55P03") == 0) /* lock_not_available */
		return assay_fail(err, EBUSY, "the database: others use what is to be locked");
	return failed_with(result && PQresultErrorMessage(result)[0] ?
				   PQresultErrorMessage(result) :
				   PQerrorMessage(postgres->connection),
			   err);
}

static int script(struct store *store, const char *sql, struct assay_error *err)
{
	CLEANUP(PQclear_pointer) PGresult *result = PQexec(of(store)->connection, sql);
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ?
		       0 :
		       failed(of(store), result, err);
}

/* ---------------------------------------------------------------- connection */

static void close_store(struct store *store)
{
	struct postgres_store *postgres = of(store);

	PQfinish(postgres->connection);
	free(postgres->ready);
	free(postgres);
}

static void be_quiet(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

static int set_up(struct postgres_store *postgres, struct assay_error *err)
{
	if (PQstatus(postgres->connection) != CONNECTION_OK)
		return failed_with(PQerrorMessage(postgres->connection), err);
	PQsetNoticeReceiver(postgres->connection, be_quiet, NULL);
	postgres->ready_count = 0;
	return 0;
}

/* After a failure: a server that was restarted, or another one of those in the URL. */
static int connect_again(struct postgres_store *postgres, struct assay_error *err)
{
	if (PQstatus(postgres->connection) == CONNECTION_OK &&
	    PQpipelineStatus(postgres->connection) == PQ_PIPELINE_OFF &&
	    PQtransactionStatus(postgres->connection) == PQTRANS_IDLE)
		return 0;
	PQreset(postgres->connection);
	return set_up(postgres, err);
}

/*
 * A plan is kept from when it is first made, which may be when the tables are nearly empty, and
 * would read all of them when they are not.
 */
#define BY_KEYS                                                                              \
	"BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL " \
	"enable_mergejoin = off"

static int begin(struct store *store, bool by_keys, struct assay_error *err)
{
	int r = connect_again(of(store), err);

	return r < 0 ? r : script(store, by_keys ? BY_KEYS : "BEGIN", err);
}

static int end(struct store *store, bool commit, struct assay_error *err)
{
	CLEANUP(PQclear_pointer)
	PGresult *result = PQexec(of(store)->connection, commit ? "COMMIT" : "ROLLBACK");

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		return failed(of(store), result, err);
	/* A transaction in which something failed is rolled back by COMMIT, which says so. */
	if (commit && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		return assay_fail(err, EIO, "the database: the transaction was rolled back");
	return 0;
}

/* ---------------------------------------------------------------- statements */

static void statement_name(const void *statement, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "s%" PRIxPTR, (uintptr_t)statement);
}

static int note_ready(struct postgres_store *postgres, const void *statement,
		      struct assay_error *err)
{
	struct ready *ready =
		reallocarray(postgres->ready, postgres->ready_count + 1, sizeof(*ready));

	if (!ready)
		return assay_fail(err, ENOMEM, "out of memory");
	postgres->ready = ready;
	ready[postgres->ready_count++] = (struct ready){ statement };
	return 0;
}

/* @statement: names it; @arrays: its parameters are arrays of what @letters say */
static int prepare(struct postgres_store *postgres, const void *statement, const char *sql,
		   const char *letters, bool arrays, struct assay_error *err)
{
	CLEANUP(PQclear_pointer) PGresult *result = NULL;
	size_t count = strlen(letters);
	Oid types[PARAMETERS_MAX];
	char name[NAME_SIZE];

	for (size_t i = 0; i < postgres->ready_count; i++)
		if (postgres->ready[i].statement == statement)
			return 0;
	if (count > PARAMETERS_MAX)
		return assay_fail(err, EIO, "a statement has %zu parameters", count);
	for (size_t i = 0; i < count; i++)
		types[i] = arrays ? store_array_type(letters[i]) : store_value_type(letters[i]);
	statement_name(statement, name);
	result = PQprepare(postgres->connection, name, sql, (int)count, types);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		return failed(postgres, result, err);
	return note_ready(postgres, statement, err);
}

static int send_set(struct postgres_store *postgres, const char *name,
		    const struct store_value *values, size_t count, struct assay_error *err)
{
	const char *data[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	uint64_t numbers[PARAMETERS_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct bytes *bytes = &values[i].bytes;

		formats[i] = 1;
		data[i] = NULL;
		lengths[i] = 0;
		if (values[i].type == STORE_NUMBER) {
			numbers[i] = htobe64((uint64_t)values[i].number);
			data[i] = (const char *)&numbers[i];
			lengths[i] = sizeof(numbers[i]);
		} else if (values[i].type != STORE_NULL) {
			if (bytes->size > INT32_MAX / 2)
				return assay_fail(err, EFBIG, "a value has %zu bytes", bytes->size);
			data[i] = bytes->size > 0 ? (const char *)bytes->data : "";
			lengths[i] = (int)bytes->size;
		}
	}
	if (PQsendQueryPrepared(postgres->connection, name, (int)count, data, lengths, formats,
				1) != 1)
		return failed(postgres, NULL, err);
	return 0;
}

static int take_result(struct postgres_store *postgres, const PGresult *result, size_t set,
		       store_row *row, void *context, struct assay_error *err)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK)
		return store_rows_give(result, set, row, context, err);
	return status == PGRES_COMMAND_OK ? 0 : failed(postgres, result, err);
}

/* What came of one set: its result, and the end that follows it. */
static int take_set(struct postgres_store *postgres, size_t set, store_row *row, void *context,
		    struct assay_error *err)
{
	PGresult *result;
	int r = 0;

	while ((result = PQgetResult(postgres->connection))) {
		if (r == 0)
			r = take_result(postgres, result, set, row, context, err);
		PQclear(result);
	}
	return r;
}

/* The mark that ends a pipeline; without it nothing can follow. */
static int take_mark(struct postgres_store *postgres, int r, struct assay_error *err)
{
	PGresult *result = PQgetResult(postgres->connection);
	bool there = PQresultStatus(result) == PGRES_PIPELINE_SYNC;

	PQclear(result);
	if ((!there || PQexitPipelineMode(postgres->connection) != 1) && r == 0)
		return failed(postgres, NULL, err);
	return r;
}

static int run_some(struct postgres_store *postgres, const struct store_statement *statement,
		    const struct store_value *values, size_t first, size_t sets, store_row *row,
		    void *context, struct assay_error *err)
{
	size_t parameters = strlen(statement->types), sent = 0;
	struct assay_error *told = err, unused;
	char name[NAME_SIZE];
	int r = 0;

	statement_name(statement, name);
	if (PQenterPipelineMode(postgres->connection) != 1)
		return failed(postgres, NULL, err);
	while (r == 0 && sent < sets) {
		r = send_set(postgres, name, values + (first + sent) * parameters, parameters, err);
		sent += r == 0;
	}
	if (PQpipelineSync(postgres->connection) != 1)
		return r < 0 ? r : failed(postgres, NULL, err);
	for (size_t i = 0; i < sent; i++) {
		/* After the first failure the others say only that they were not tried. */
		int one = take_set(postgres, first + i, r == 0 ? row : NULL, context, told);

		if (one < 0 && r == 0) {
			r = one;
			told = &unused;
		}
	}
	return take_mark(postgres, r, err);
}

static int run(struct store *store, const struct store_statement *statement,
	       const struct store_value *values, size_t sets, store_row *row, void *context,
	       struct assay_error *err)
{
	struct postgres_store *postgres = of(store);
	int r = store->inside ? 0 : connect_again(postgres, err);

	if (r == 0)
		r = prepare(postgres, statement,
			    statement->postgres ? statement->postgres : statement->sql,
			    statement->types, false, err);
	for (size_t first = 0; r == 0 && first < sets; first += PIPELINE_SETS) {
		size_t some = sets - first > PIPELINE_SETS ? PIPELINE_SETS : sets - first;

		r = run_some(postgres, statement, values, first, some, row, context, err);
	}
	return r;
}

/* struct later - for rows of sets that are not the first; @first: their first */
struct later {
	size_t first;
	store_row *row;
	void *context;
};

static int take_later(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	const struct later *later = context;

	return later->row(later->context, later->first + set, columns, count, err);
}

static int run_arrays(struct postgres_store *postgres, const struct store_many *many,
		      const struct store_arrays *arrays, store_row *row, void *context,
		      struct assay_error *err)
{
	CLEANUP(PQclear_pointer) PGresult *result = NULL;
	const char *data[STORE_ARRAYS_MAX];
	int lengths[STORE_ARRAYS_MAX], formats[STORE_ARRAYS_MAX];
	char name[NAME_SIZE];

	for (size_t i = 0; i < arrays->count; i++) {
		data[i] = (const char *)arrays->array[i].data;
		lengths[i] = (int)arrays->array[i].size;
		formats[i] = 1;
	}
	statement_name(&many->arrays, name);
	result = PQexecPrepared(postgres->connection, name, (int)arrays->count, data, lengths,
				formats, 1);
	return take_result(postgres, result, STORE_SET_IN_ROW, row, context, err);
}

/* Of so many of the next @sets as go in one statement; of one they do, whatever it has. */
static int make_arrays(const struct store_many *many, const struct store_value *values,
		       size_t *sets, struct store_arrays *ret, struct assay_error *err)
{
	const char *types = many->one.types;
	int r;

	while (*sets > 1) {
		r = store_arrays_make(types, values, *sets, ARRAYS_MAX, ret, err);
		if (r != -EFBIG)
			return r;
		*sets /= 2;
	}
	return store_arrays_make(types, values, *sets, INT32_MAX / 2, ret, err);
}

static int run_many(struct store *store, const struct store_many *many,
		    const struct store_value *values, size_t sets, store_row *row, void *context,
		    struct assay_error *err)
{
	struct postgres_store *postgres = of(store);
	const size_t width = strlen(many->one.types);
	int r = store->inside ? 0 : connect_again(postgres, err);

	if (r == 0)
		r = prepare(postgres, &many->arrays, many->arrays, many->one.types, true, err);
	for (size_t first = 0, some; r == 0 && first < sets; first += some) {
		CLEANUP(store_arrays_free) struct store_arrays arrays = { 0 };
		struct later later = { first, row, context };

		some = sets - first;
		r = make_arrays(many, values + first * width, &some, &arrays, err);
		if (r == 0)
			r = run_arrays(postgres, many, &arrays, row ? take_later : NULL, &later,
				       err);
	}
	return r;
}

static const struct store_engine engine = {
	.name = "PostgreSQL",
	.begin = begin,
	.end = end,
	.run = run,
	.run_many = run_many,
	.script = script,
	.close = close_store,
};

/* A URL stands on command lines, which everybody can read. */
static int refuse_password(const char *url, struct assay_error *err)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	int r = options ? 0 : assay_fail(err, EINVAL, "the URL of the database is none");

	for (PQconninfoOption *option = options; option && option->keyword; option++)
		if (strcmp(option->keyword, "password") == 0 && option->val)
			r = assay_fail(
				err, EINVAL,
				"the URL of the database must have no password: put it into a "
				"password file (PGPASSFILE)");
	PQconninfoFree(options);
	return r;
}

int store_postgres_open(const char *url, struct store **ret, struct assay_error *err)
{
	struct postgres_store *postgres;
	int r = refuse_password(url, err);

	if (r < 0)
		return r;
	postgres = calloc(1, sizeof(*postgres));

	if (!postgres)
		return assay_fail(err, ENOMEM, "out of memory");
	postgres->store.engine = &engine;
	postgres->connection = PQconnectdb(url);
	r = set_up(postgres, err);
	if (r < 0) {
		close_store(&postgres->store);
		return r;
	}
	*ret = &postgres->store;
	return 0;
}
