// SPDX-License-Identifier: MIT
#include "lease.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "clock.h"
#include "devices.h"
#include "overdue.h"

/* Periods without a look after which the verifier was away. */
#define AWAY_PERIODS 3
#define REASON_MAX 128

/* ---------------------------------------------------------------- the lease */

struct looks {
	uint64_t swept, up_since;
};

static int take_looks(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	struct looks *looks = context;

	(void)set;
	(void)count;
	(void)err;
	*(strcmp(store_get_text(&columns[0]), "swept") == 0 ? &looks->swept : &looks->up_since) =
		store_get_number(&columns[1]);
	return 0;
}

static int read_looks(struct store *store, struct looks *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"",
		"SELECT name, value FROM meta WHERE name = 'swept' OR name = 'up_since'",
		"SELECT name, value FROM meta WHERE name = 'swept' OR name = 'up_since' FOR UPDATE",
	};

	*ret = (struct looks){ 0 };
	return store_run(store, &get, NULL, 1, take_looks, ret, err);
}

static int write_looks(struct store *store, const struct looks *looks, struct assay_error *err)
{
	static const struct store_statement set = { "nt",
						    "UPDATE meta SET value = $1 WHERE name = $2",
						    NULL };
	const struct store_value values[] = { store_number(looks->swept), store_text("swept"),
					      store_number(looks->up_since),
					      store_text("up_since") };

	return store_run(store, &set, values, 2, NULL, NULL, err);
}

/* In a transaction: the rows are locked until its end. */
static int take_lease(struct store *store, struct lease_terms *terms, struct looks *looks,
		      struct lease_found *ret, struct assay_error *err)
{
	int r = read_looks(store, looks, err);

	/* Behind the lock: who had to wait for it must not come with a time of before. */
	if (r == 0 && terms->now == 0)
		r = clock_read(store, &terms->now, err);
	if (r < 0)
		return r;
	if (looks->swept > terms->now + CLOCK_SLACK)
		ret->clock_back = looks->swept - terms->now;
	ret->mine = ret->clock_back > 0 || looks->swept + terms->period <= terms->now;
	if (!ret->mine)
		return 0;
	ret->was_away =
		ret->clock_back > 0 || looks->swept + AWAY_PERIODS * terms->period < terms->now;
	if (ret->was_away)
		looks->up_since = terms->now;
	looks->swept = terms->now;
	return write_looks(store, looks, err);
}

/* ---------------------------------------------------------------- silence */

/* struct late - devices that are overdue, of one transaction */
struct late {
	struct late_device {
		char name[RECORD_MAX_MACHINE_ID + 1];
		uint64_t judged, due, change;
	} devices[LEASE_ROWS];
	size_t count;
};

/* struct names - of devices that were overdue when somebody looked */
struct names {
	char list[LEASE_ROWS][RECORD_MAX_MACHINE_ID + 1];
	size_t count;
};

static int take_name(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	struct names *names = context;

	(void)set;
	(void)count;
	if (names->count == LEASE_ROWS || columns[0].bytes.size >= sizeof(names->list[0]))
		return assay_fail(err, EIO, "a device's name in the database is too long");
	memcpy(names->list[names->count++], store_get_text(&columns[0]), columns[0].bytes.size + 1);
	return 0;
}

static int take_late(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	struct late *late = context;
	struct late_device *device = &late->devices[late->count];

	(void)set;
	(void)count;
	if (late->count == LEASE_ROWS || columns[0].bytes.size >= sizeof(device->name))
		return assay_fail(err, EIO, "a device's name in the database is too long");
	memcpy(device->name, store_get_text(&columns[0]), columns[0].bytes.size + 1);
	device->judged = store_get_number(&columns[1]);
	device->due = store_get_number(&columns[2]);
	late->count++;
	return 0;
}

/* @reason: has room for REASON_MAX */
static void tell_silence(const struct late_device *device, char *reason)
{
	char judged[UTC_LENGTH + 1], due[UTC_LENGTH + 1];

	if (device->judged > 0)
		snprintf(reason, REASON_MAX, "nothing was judged since %s; the next was due at %s",
			 utc_text(device->judged, judged), utc_text(device->due, due));
	else
		snprintf(reason, REASON_MAX, "it never attested; the first was due at %s",
			 utc_text(device->due, due));
}

static int note_silence(struct store *store, struct late *late, uint64_t now,
			struct assay_error *err)
{
	struct device_change changes[LEASE_ROWS];
	char reasons[LEASE_ROWS][REASON_MAX];
	uint64_t ids[LEASE_ROWS];
	int r;

	for (size_t i = 0; i < late->count; i++) {
		tell_silence(&late->devices[i], reasons[i]);
		changes[i] = (struct device_change){ .name = late->devices[i].name,
						     .at = now,
						     .verdict = DEVICE_SILENT,
						     .reason = reasons[i],
						     .policy = "" };
	}
	r = devices_add_changes(store, changes, late->count, ids, err);
	for (size_t i = 0; r == 0 && i < late->count; i++)
		late->devices[i].change = ids[i];
	return r;
}

static int mark(struct store *store, const struct late *late, uint64_t now, struct assay_error *err)
{
	static const struct store_many set = {
		{ "nnnt",
		  "UPDATE device_state SET verdict = $1, change_id = $2, since = $3, checks = NULL "
		  "WHERE name = $4",
		  NULL },
		"UPDATE device_state AS s SET verdict = v.verdict, change_id = v.change_id, since "
		"= "
		"v.since, checks = NULL FROM unnest($1, $2, $3, $4) AS v(verdict, change_id, "
		"since, "
		"name) WHERE s.name = v.name",
	};
	struct store_value values[LEASE_ROWS * 4];

	for (size_t i = 0; i < late->count; i++) {
		values[4 * i] = store_number(DEVICE_SILENT);
		values[4 * i + 1] = store_number(late->devices[i].change);
		values[4 * i + 2] = store_number(now);
		values[4 * i + 3] = store_text(late->devices[i].name);
	}
	return late->count == 0 ? 0 :
				  store_run_many(store, &set, values, late->count, NULL, NULL, err);
}

/* What a worker has locked for a verdict right now is not silent, nor what it has judged meanwhile.
 */
static int lock_late(struct store *store, const struct store_value *values, size_t count,
		     struct late *ret, struct assay_error *err)
{
	static const struct store_many get = {
		{ "tn",
		  "SELECT name, judged, due FROM device_state WHERE name = $1 AND due > 0 AND due "
		  "< $2 AND verdict <> 3",
		  NULL },
		"SELECT v.n, s.name, s.judged, s.due FROM unnest($1, $2) WITH ORDINALITY AS "
		"v(name, "
		"before, n) JOIN device_state s ON s.name = v.name WHERE s.due > 0 AND s.due < "
		"v.before AND s.verdict <> 3 FOR UPDATE OF s SKIP LOCKED",
	};

	ret->count = 0;
	return store_run_many(store, &get, values, count, take_late, ret, err);
}

/* @r: what came of what is in the transaction */
static int end_transaction(struct store *store, int r, struct assay_error *err)
{
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

/* @done: those of them that are dealt with */
static int sweep(struct store *store, const struct lease_terms *terms, const struct names *names,
		 struct late *late, uint64_t *done, struct assay_error *err)
{
	struct store_value values[LEASE_ROWS * 2];
	int r;

	for (size_t i = 0; i < names->count; i++) {
		values[2 * i] = store_text(names->list[i]);
		values[2 * i + 1] = store_number(terms->now - terms->interval);
	}
	r = lock_late(store, values, names->count, late, err);
	if (r == 0)
		r = note_silence(store, late, terms->now, err);
	if (r == 0)
		r = mark(store, late, terms->now, err);
	return r < 0 ? r : overdue_forget(store, values, names->count, done, err);
}

int lease_go_on(struct store *store, const struct lease_terms *given, struct lease_found *ret,
		struct assay_error *err)
{
	struct lease_terms terms = *given;
	struct names names;
	struct late late;
	uint64_t done = 0;
	int r = terms.now == 0 ? clock_read(store, &terms.now, err) : 0;

	ret->more = false;
	names.count = 0;
	if (r == 0)
		r = overdue_find(store, terms.now - terms.interval, LEASE_ROWS, take_name, &names,
				 err);
	if (r < 0 || names.count == 0)
		return r;
	r = store_begin_by_keys(store, err);
	if (r < 0)
		return r;
	r = end_transaction(store, sweep(store, &terms, &names, &late, &done, err), err);
	if (r < 0)
		return r;
	ret->silent += late.count;
	/* Where all are locked by others they are found at the next look. */
	ret->more = names.count == LEASE_ROWS && done > 0;
	return 0;
}

int lease_sweep(struct store *store, const struct lease_terms *given, struct lease_found *ret,
		struct assay_error *err)
{
	struct lease_terms terms = *given;
	struct looks looks;
	int r = store_begin(store, err);

	*ret = (struct lease_found){ 0 };
	if (r < 0)
		return r;
	r = take_lease(store, &terms, &looks, ret, err);
	if (r == 0 && ret->mine)
		r = overdue_read_part(store,
				      &(struct overdue_look){ terms.now, terms.period,
							      terms.interval, CLOCK_SLACK,
							      ret->clock_back > 0 },
				      err);
	r = end_transaction(store, r, err);
	if (r < 0 || !ret->mine || ret->clock_back > 0 ||
	    looks.up_since + 2 * terms.interval > terms.now)
		return r;
	return lease_go_on(store, &terms, ret, err);
}
