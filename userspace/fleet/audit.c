// SPDX-License-Identifier: MIT
#include "audit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"

/* The digest of a row: of the one before, and of its fields, each with its length before it. */
static int digest_row(struct bytes before, const struct audit_row *row, struct assay_digest *ret,
		      struct assay_error *err)
{
	const char *const texts[] = { row->who, row->act, row->what };
	struct buffer message = { 0 };
	int r;

	buffer_append_bytes(&message, before);
	buffer_append_be64(&message, row->id);
	buffer_append_be64(&message, row->at);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buffer_append_be64(&message, strlen(texts[i]));
		buffer_append(&message, texts[i], strlen(texts[i]));
	}
	r = message.failed ? assay_fail(err, ENOMEM, "out of memory") :
			     digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&message), ret, err);
	buffer_free(&message);
	return r;
}

/* struct last - the newest row */
struct last {
	uint64_t id;
	uint8_t digest[32];
	size_t size;
};

static int take_last(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	struct last *last = context;

	(void)set;
	(void)count;
	last->id = store_get_number(&columns[0]);
	if (columns[1].bytes.size != sizeof(last->digest))
		return assay_fail(err, EIO, "a digest of the audit is of another size");
	memcpy(last->digest, columns[1].bytes.data, sizeof(last->digest));
	last->size = sizeof(last->digest);
	return 0;
}

int audit_add(struct store *store, uint64_t now, const char *who, const char *act, const char *what,
	      struct assay_error *err)
{
	static const struct store_statement newest = {
		"", "SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1", NULL
	};
	static const struct store_statement add = {
		"nntttb",
		"INSERT INTO audit (id, at, who, act, what, digest) VALUES ($1, $2, $3, $4, $5, "
		"$6)",
		NULL,
	};
	struct last last = { 0 };
	struct assay_digest digest;
	int r = 0;

	/* One after the other: the next must see the one before. */
	if (store_is_postgres(store))
		r = store_script(store, "LOCK TABLE audit IN EXCLUSIVE MODE", err);
	if (r == 0)
		r = store_run(store, &newest, NULL, 1, take_last, &last, err);
	if (r < 0)
		return r;
	const struct audit_row row = { last.id + 1, now, who, act, what, { 0 } };

	r = digest_row(BYTES(last.digest, last.size), &row, &digest, err);
	if (r < 0)
		return r;
	const struct store_value values[] = {
		store_number(row.id), store_number(now),
		store_text(who),      store_text(act),
		store_text(what),     store_blob(BYTES(digest.bytes, digest.size))
	};

	return store_run(store, &add, values, 1, NULL, NULL, err);
}

/* ---------------------------------------------------------------- reading */

struct listing {
	audit_each *each;
	void *context;
};

static int give_row(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	const struct listing *listing = context;
	const struct audit_row row = {
		.id = store_get_number(&columns[0]),
		.at = store_get_number(&columns[1]),
		.who = store_get_text(&columns[2]),
		.act = store_get_text(&columns[3]),
		.what = store_get_text(&columns[4]),
		.digest = columns[5].bytes,
	};

	(void)set;
	(void)count;
	return listing->each(listing->context, &row, err);
}

int audit_list(struct store *store, uint64_t from, uint64_t limit, audit_each *each, void *context,
	       struct assay_error *err)
{
	static const struct store_statement get = {
		"nn",
		"SELECT id, at, who, act, what, digest FROM audit WHERE id >= $1 ORDER BY id LIMIT "
		"$2",
		NULL,
	};
	const struct store_value values[] = { store_number(from), store_number(limit) };
	struct listing listing = { each, context };

	return store_run(store, &get, values, 1, give_row, &listing, err);
}

static int check_row(void *context, const struct audit_row *row, struct assay_error *err)
{
	struct last *last = context;
	struct assay_digest digest;
	int r;

	if (row->id != last->id + 1)
		return assay_fail(err, EBADMSG, "row %" PRIu64 " of the audit is missing",
				  last->id + 1);
	r = digest_row(BYTES(last->digest, last->size), row, &digest, err);
	if (r < 0)
		return r;
	if (!bytes_equal(row->digest, BYTES(digest.bytes, digest.size)))
		return assay_fail(err, EBADMSG,
				  "row %" PRIu64 " of the audit, or the one before, was changed",
				  row->id);
	last->id = row->id;
	last->size = digest.size;
	memcpy(last->digest, digest.bytes, digest.size);
	return 0;
}

int audit_check(struct store *store, uint64_t *ret_rows, struct assay_error *err)
{
	struct last last = { 0 };
	int r = audit_list(store, 0, INT64_MAX, check_row, &last, err);

	*ret_rows = last.id;
	return r;
}
