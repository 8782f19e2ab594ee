// SPDX-License-Identifier: MIT
#include "retention.h"

#include <errno.h>

#include "alarms.h"
#include "tally.h"

#define DAY 86400U
#define CHANGES_A_STEP 20000U /* numbers of changes that are looked at */
#define DIGESTS 256U	      /* steps for evidence: by the first byte of its digest */

static int get_meta(struct store *store, const char *name, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement get = { "t", "SELECT value FROM meta WHERE name = $1",
						    NULL };
	const struct store_value value = store_text(name);

	*ret = 0;
	return store_run(store, &get, &value, 1, store_take_number, ret, err);
}

static int set_meta(struct store *store, const char *name, uint64_t number, struct assay_error *err)
{
	static const struct store_statement set = { "nt",
						    "UPDATE meta SET value = $1 WHERE name = $2",
						    NULL };
	const struct store_value values[] = { store_number(number), store_text(name) };

	return store_run(store, &set, values, 1, NULL, NULL, err);
}

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
	int r = partitions_drop(store, days_before(terms, terms->days), &done->partitions, err);

	if (r == 0)
		r = store_begin(store, err);
	if (r < 0)
		return r;
	r = set_meta(store, "pruned", terms->now, err);
	if (r == 0)
		r = set_meta(store, "prune_change", 1, err);
	if (r == 0)
		r = set_meta(store, "prune_digest", 0, err);
	if (r == 0)
		r = remove_summaries(store, days_before(terms, terms->summary_days),
				     &done->summaries, err);
	if (r == 0)
		r = alarms_prune(store, days_before(terms, terms->days), &done->alarms, err);
	return end_transaction(store, r, err);
}

/*
 * Numbers go up with time: the pass is at its end where a change is not old. @at: the number to go
 * on from; 0 is that end.
 */
static int remove_changes(struct store *store, uint64_t before, uint64_t at, uint64_t *done,
			  struct assay_error *err)
{
	/* The oldest that there is from there on: partitions may be gone, or rows. */
	static const struct store_statement first = {
		"nn",
		"SELECT coalesce(min(id), 0) FROM (SELECT id, at FROM verdict_change WHERE id >= "
		"$1 ORDER BY id LIMIT 1) AS c WHERE at < $2",
		NULL,
	};
	static const struct store_statement remove = {
		"nnn",
		"DELETE FROM verdict_change WHERE id >= $1 AND id < $2 AND at < $3 AND NOT EXISTS "
		"(SELECT 1 FROM device_state s WHERE s.name = verdict_change.name AND s.change_id "
		"= verdict_change.id) RETURNING 1",
		NULL,
	};
	const struct store_value from[] = { store_number(at), store_number(before) };
	uint64_t next = 0;
	int r = store_run(store, &first, from, 1, store_take_number, &next, err);

	if (r == 0 && next > 0) {
		const struct store_value values[] = { store_number(next),
						      store_number(next + CHANGES_A_STEP),
						      store_number(before) };

		r = store_run(store, &remove, values, 1, store_count_row, done, err);
		next += CHANGES_A_STEP;
	}
	return r < 0 ? r : set_meta(store, "prune_change", next, err);
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

	return r < 0 ? r : set_meta(store, "prune_digest", part + 1, err);
}

static int step(struct store *store, const struct retention_terms *terms,
		struct retention_done *done, bool *ret_more, struct assay_error *err)
{
	const uint64_t before = days_before(terms, terms->days);
	uint64_t change = 0, digest = 0;
	int r = get_meta(store, "prune_change", &change, err);

	if (r == 0)
		r = get_meta(store, "prune_digest", &digest, err);
	if (r < 0)
		return r;
	*ret_more = change > 0 || digest < DIGESTS;
	if (change > 0)
		return remove_changes(store, before, change, &done->changes, err);
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
	r = get_meta(store, "pruned", &pruned, err);
	/* A time to come was noted by a clock that was ahead. */
	if (r == 0 && (pruned + DAY <= terms->now || pruned > terms->now))
		return retention_begin(store, terms, done, err);
	if (r == 0)
		r = get_meta(store, "prune_change", &change, err);
	if (r == 0)
		r = get_meta(store, "prune_digest", &digest, err);
	if (r < 0 || (change == 0 && digest >= DIGESTS))
		return r;
	return retention_step(store, terms, done, &more, err);
}
