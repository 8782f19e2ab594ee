// SPDX-License-Identifier: MIT
#include "retention.h"

#include <errno.h>

#include "alarms.h"
#include "meta.h"
#include "tally.h"

#define DAY 86400U
#define CHANGES_A_STEP 20000U /* numbers of changes that are looked at */
#define ALARMS_A_STEP 5000U
#define DIGESTS 256U /* steps for evidence: by the first byte of its digest */

static uint64_t days_before(const struct retention_terms *terms, uint64_t days)
{
	return terms->now > days * DAY ? terms->now - days * DAY : 0;
}

static int end_transaction(struct store *store, int r, struct assay_error *err)
{
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

/* ---------------------------------------------------------------- a pass */

static int remove_summaries(struct store *store, uint64_t before, uint64_t *done,
			    struct assay_error *err)
{
	static const struct store_statement days = {
		"nn", "DELETE FROM tally WHERE span = $1 AND at < $2 RETURNING 1", NULL
	};
	const struct store_value values[] = { store_number(TALLY_DAY), store_number(before) };

	return store_run(store, &days, values, 1, store_count_row, done, err);
}

int retention_begin(struct store *store, const struct retention_terms *terms,
		    struct retention_done *done, struct assay_error *err)
{
	int r = partitions_drop(store, days_before(terms, terms->days), terms->now,
				&done->partitions, err);

	if (r == 0)
		r = store_begin(store, err);
	if (r < 0)
		return r;
	r = meta_set(store, "pruned", terms->now, err);
	if (r == 0)
		r = meta_set(store, "prune_change", 1, err);
	if (r == 0)
		r = meta_set(store, "prune_digest", 0, err);
	if (r == 0)
		r = remove_summaries(store, days_before(terms, terms->summary_days),
				     &done->summaries, err);
	return end_transaction(store, r, err);
}

/*
 * A time to come was noted by a clock that was ahead, and says nothing: such a change is as old as
 * those behind it, since numbers go up with time.
 * @ret_old: the first from number @from on whose time says something is old
 */
static int is_old_from(struct store *store, const struct retention_terms *terms, uint64_t from,
		       bool *ret_old, struct assay_error *err)
{
	static const struct store_statement get = {
		"nnn",
		"SELECT count(*) FROM (SELECT at FROM verdict_change WHERE id >= $1 AND at <= $2 "
		"ORDER BY id LIMIT 1) AS c WHERE at < $3",
		NULL,
	};
	const struct store_value values[] = { store_number(from), store_number(terms->now),
					      store_number(days_before(terms, terms->days)) };
	uint64_t old = 0;
	int r = store_run(store, &get, values, 1, store_take_number, &old, err);

	*ret_old = old > 0;
	return r;
}

static int remove_some(struct store *store, const struct retention_terms *terms, uint64_t from,
		       uint64_t *done, struct assay_error *err)
{
	static const struct store_statement remove = {
		"nnnn",
		"DELETE FROM verdict_change WHERE id >= $1 AND id < $2 AND (at < $3 OR at > $4) "
		"AND NOT EXISTS (SELECT 1 FROM device_state s WHERE s.name = verdict_change.name "
		"AND s.change_id = verdict_change.id) RETURNING 1",
		NULL,
	};
	const uint64_t to = from + CHANGES_A_STEP;
	bool old;
	int r = is_old_from(store, terms, to, &old, err);
	const struct store_value values[] = { store_number(from), store_number(to),
					      store_number(days_before(terms, terms->days)),
					      store_number(old ? terms->now : INT64_MAX) };

	return r < 0 ? r : store_run(store, &remove, values, 1, store_count_row, done, err);
}

/*
 * The pass is at its end where a change is not old.
 * @at: the number to go on from; 0 is that end.
 */
static int remove_changes(struct store *store, const struct retention_terms *terms, uint64_t at,
			  uint64_t *done, struct assay_error *err)
{
	/* The oldest that there is from there on: partitions may be gone, or rows. */
	static const struct store_statement first = {
		"n", "SELECT coalesce(min(id), 0) FROM verdict_change WHERE id >= $1", NULL
	};
	const struct store_value value = store_number(at);
	uint64_t from = 0;
	bool old = false;
	int r = store_run(store, &first, &value, 1, store_take_number, &from, err);

	if (r == 0 && from > 0)
		r = is_old_from(store, terms, from, &old, err);
	if (r == 0 && old)
		r = remove_some(store, terms, from, done, err);
	return r < 0 ? r : meta_set(store, "prune_change", old ? from + CHANGES_A_STEP : 0, err);
}

/*
 * An index by time would cost each attestation that is kept; the digests' own parts are as even.
 * Of who does not say which boot it is, each evidence is whole: the newest stays.
 */
static int remove_evidence(struct store *store, uint64_t before, uint64_t part, uint64_t *done,
			   struct assay_error *err)
{
	static const struct store_statement remove = {
		"bnb",
		"DELETE FROM evidence WHERE digest >= $1 AND at < $2 AND ($3 IS NULL OR digest < "
		"$3) AND NOT EXISTS (SELECT 1 FROM device_state s WHERE s.name = evidence.name AND "
		"s.boot_id = evidence.boot_id AND (s.boot_id <> '' OR NOT EXISTS (SELECT 1 FROM "
		"evidence l WHERE l.name = evidence.name AND l.boot_id = '' AND l.at > "
		"evidence.at))) RETURNING 1",
		NULL,
	};
	const uint8_t from = (uint8_t)part, to = (uint8_t)(part + 1);
	const struct store_value values[] = {
		store_blob(BYTES(&from, 1)),
		store_number(before),
		part + 1 < DIGESTS ? store_blob(BYTES(&to, 1)) : store_text(NULL),
	};
	int r = store_run(store, &remove, values, 1, store_count_row, done, err);

	return r < 0 ? r : meta_set(store, "prune_digest", part + 1, err);
}

static int step(struct store *store, const struct retention_terms *terms,
		struct retention_done *done, bool *ret_more, struct assay_error *err)
{
	const uint64_t before = days_before(terms, terms->days);
	uint64_t change = 0, digest = 0, alarms = 0;
	int r = alarms_prune(store, before, ALARMS_A_STEP, &alarms, err);

	done->alarms += alarms;
	if (r == 0)
		r = meta_get(store, "prune_change", &change, err);
	if (r == 0)
		r = meta_get(store, "prune_digest", &digest, err);
	if (r < 0)
		return r;
	*ret_more = alarms == ALARMS_A_STEP || change > 0 || digest < DIGESTS;
	/* They have a mark of their own to go on from: the index by when they were closed. */
	if (alarms == ALARMS_A_STEP)
		return 0;
	if (change > 0)
		return remove_changes(store, terms, change, &done->changes, err);
	return digest < DIGESTS ? remove_evidence(store, before, digest, &done->evidence, err) : 0;
}

int retention_step(struct store *store, const struct retention_terms *terms,
		   struct retention_done *done, bool *ret_more, struct assay_error *err)
{
	int r = store_begin(store, err);

	*ret_more = false;
	return r < 0 ? r : end_transaction(store, step(store, terms, done, ret_more, err), err);
}

/* ---------------------------------------------------------------- from time to time */

int retention_look(struct store *store, const struct retention_terms *terms,
		   struct retention_done *done, struct assay_error *err)
{
	uint64_t pruned = 0, change = 0, digest = 0;
	bool more;
	int r = partitions_ahead(store, terms->partition, err);

	if (r < 0 || terms->days == 0)
		return r;
	r = meta_get(store, "pruned", &pruned, err);
	/* A time to come was noted by a clock that was ahead. */
	if (r == 0 && (pruned + DAY <= terms->now || pruned > terms->now))
		return retention_begin(store, terms, done, err);
	if (r == 0)
		r = meta_get(store, "prune_change", &change, err);
	if (r == 0)
		r = meta_get(store, "prune_digest", &digest, err);
	if (r < 0 || (change == 0 && digest >= DIGESTS))
		return r;
	return retention_step(store, terms, done, &more, err);
}
