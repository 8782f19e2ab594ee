// SPDX-License-Identifier: MIT
#include "store.h"

#include <errno.h>
#include <string.h>

#define SQLITE_PREFIX "sqlite:"

struct store_value store_number(uint64_t number)
{
	return (struct store_value){ .type = STORE_NUMBER, .number = (int64_t)number };
}

struct store_value store_text(const char *text)
{
	if (!text)
		return (struct store_value){ .type = STORE_NULL };
	return (struct store_value){ .type = STORE_TEXT,
				     .bytes = { (const uint8_t *)text, strlen(text) } };
}

struct store_value store_blob(struct bytes bytes)
{
	return (struct store_value){ .type = STORE_BLOB, .bytes = bytes };
}

uint64_t store_get_number(const struct store_value *value)
{
	return value->type == STORE_NUMBER ? (uint64_t)value->number : 0;
}

const char *store_get_text(const struct store_value *value)
{
	return value->type == STORE_TEXT ? (const char *)value->bytes.data : "";
}

int store_take_number(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	(void)err;
	*(uint64_t *)context = store_get_number(&columns[0]);
	return 0;
}

int store_count_row(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	(void)set;
	(void)columns;
	(void)count;
	(void)err;
	++*(uint64_t *)context;
	return 0;
}

static bool is_postgres_url(const char *url)
{
	return strncmp(url, "postgresql:", strlen("postgresql:")) == 0 ||
	       strncmp(url, "postgres:", strlen("postgres:")) == 0;
}

int store_connect(const char *url, struct store **ret, struct assay_error *err)
{
	if (strncmp(url, SQLITE_PREFIX, strlen(SQLITE_PREFIX)) == 0 &&
	    url[strlen(SQLITE_PREFIX)] != '\0')
		return store_sqlite_open(url + strlen(SQLITE_PREFIX), ret, err);
	if (is_postgres_url(url))
		return store_postgres_open(url, ret, err);
	/* It is not quoted: there may be a password in it. */
	return assay_fail(err, EINVAL,
			  "the database must be sqlite:PATH or begin with postgresql:");
}

void store_disconnect(struct store *store)
{
	if (store)
		store->engine->close(store);
}

bool store_is_postgres(const struct store *store)
{
	return store->engine->name[0] == 'P';
}

static int begin(struct store *store, bool by_keys, struct assay_error *err)
{
	int r = store->engine->begin(store, by_keys, err);

	store->inside = r == 0;
	store->orders_changes = false;
	return r;
}

int store_begin(struct store *store, struct assay_error *err)
{
	return begin(store, false, err);
}

int store_begin_by_keys(struct store *store, struct assay_error *err)
{
	return begin(store, true, err);
}

int store_commit(struct store *store, struct assay_error *err)
{
	int r = store->engine->end(store, true, err);

	store->inside = false;
	return r;
}

void store_rollback(struct store *store)
{
	struct assay_error unused;

	if (store->inside)
		(void)store->engine->end(store, false, &unused);
	store->inside = false;
}

int store_run(struct store *store, const struct store_statement *statement,
	      const struct store_value *values, size_t sets, store_row *row, void *context,
	      struct assay_error *err)
{
	return sets == 0 ? 0 :
			   store->engine->run(store, statement, values, sets, row, context, err);
}

int store_run_many(struct store *store, const struct store_many *many,
		   const struct store_value *values, size_t sets, store_row *row, void *context,
		   struct assay_error *err)
{
	if (sets == 0)
		return 0;
	if (!store->engine->run_many)
		return store_run(store, &many->one, values, sets, row, context, err);
	return store->engine->run_many(store, many, values, sets, row, context, err);
}

int store_script(struct store *store, const char *sql, struct assay_error *err)
{
	return store->engine->script(store, sql, err);
}
