// SPDX-License-Identifier: MIT
#include "rollouts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "base/digest.h"
#include "changes.h"

/* ---------------------------------------------------------------- rows */

struct rollouts {
	struct rollout *list;
	size_t count;
};

static int take_rollout(void *context, size_t set, const struct store_value *columns, size_t count,
			struct assay_error *err)
{
	struct rollouts *rollouts = context;
	struct rollout *to = &rollouts->list[rollouts->count];
	const char *label = store_get_text(&columns[0]), *policy = store_get_text(&columns[1]);

	(void)set;
	(void)count;
	if (rollouts->count == ROLLOUTS_MAX || strlen(label) >= sizeof(to->to.label) ||
	    strlen(policy) >= sizeof(to->to.policy))
		return assay_fail(err, EIO,
				  "a roll-out in the database is too long, or there are "
				  "too many");
	*to = (struct rollout){ .to = { .version = store_get_number(&columns[2]),
					.generation = store_get_number(&columns[3]) },
				.percent = store_get_number(&columns[4]),
				.halt_percent = store_get_number(&columns[5]),
				.since = store_get_number(&columns[6]),
				.halted = store_get_number(&columns[7]) != 0 };
	memcpy(to->to.label, label, strlen(label) + 1);
	memcpy(to->to.policy, policy, strlen(policy) + 1);
	rollouts->count++;
	return 0;
}

int rollouts_list(struct store *store, struct rollout *ret, size_t *ret_count,
		  struct assay_error *err)
{
	static const struct store_statement get = {
		"",
		"SELECT label, policy, version, generation, percent, halt_percent, since, halted "
		"FROM rollout ORDER BY label",
		NULL,
	};
	struct rollouts rollouts = { ret, 0 };
	int r = store_run(store, &get, NULL, 1, take_rollout, &rollouts, err);

	*ret_count = rollouts.count;
	return r;
}

static int end_of_label(struct store *store, const char *label, struct assay_error *err)
{
	static const struct store_statement end = { "t", "DELETE FROM rollout WHERE label = $1",
						    NULL };
	const struct store_value value = store_text(label);
	int r = refs_touch(store, err);

	return r < 0 ? r : store_run(store, &end, &value, 1, NULL, NULL, err);
}

static const struct rollout *find(const struct rollout *list, size_t count, const char *label)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].to.label, label) == 0)
			return &list[i];
	return NULL;
}

static bool is_same(const struct rollout *a, const struct rollout *b)
{
	return strcmp(a->to.policy, b->to.policy) == 0 && a->to.version == b->to.version;
}

/* What goes on with more devices is compared with what was there before its begin. */
static int begin(struct store *store, struct rollout *rollout, const char *who, uint64_t now,
		 struct assay_error *err)
{
	static const struct store_statement set = {
		"ttnnnnnntn",
		"INSERT INTO rollout (label, policy, version, generation, percent, halt_percent, "
		"since, halted, who, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON "
		"CONFLICT (label) DO UPDATE SET policy = excluded.policy, version = "
		"excluded.version, generation = excluded.generation, percent = excluded.percent, "
		"halt_percent = excluded.halt_percent, since = excluded.since, halted = "
		"excluded.halted, who = excluded.who, at = excluded.at",
		NULL,
	};
	struct rollout list[ROLLOUTS_MAX];
	const struct rollout *present;
	size_t count = 0;
	int r = refs_touch(store, err); /* locks who else decides */

	if (r == 0 && rollout->to.generation == 0)
		r = refs_generation(store, &rollout->to.generation, err);
	if (r == 0)
		r = rollouts_list(store, list, &count, err);
	if (r < 0)
		return r;
	present = find(list, count, rollout->to.label);
	if (!present && count == ROLLOUTS_MAX)
		return assay_fail(err, EINVAL, "there are %d roll-outs already", ROLLOUTS_MAX);
	if (present && is_same(present, rollout) && !present->halted)
		rollout->since = present->since;
	else
		r = changes_newest(store, &rollout->since, err);
	if (r < 0)
		return r;
	const struct store_value values[] = {
		store_text(rollout->to.label),
		store_text(rollout->to.policy),
		store_number(rollout->to.version),
		store_number(rollout->to.generation),
		store_number(rollout->percent),
		store_number(rollout->halt_percent),
		store_number(rollout->since),
		store_number(rollout->halted),
		store_text(who),
		store_number(now),
	};

	return store_run(store, &set, values, 1, NULL, NULL, err);
}

int rollouts_decide(struct store *store, struct rollout *rollout, const char *who, uint64_t now,
		    struct assay_error *err)
{
	int r;

	if (rollout->percent > 0 && rollout->percent < 100)
		return begin(store, rollout, who, now, err);
	r = end_of_label(store, rollout->to.label, err);
	if (r == 0 && rollout->percent > 0)
		r = refs_assign(store, &rollout->to, who, now, err);
	return r;
}

/* Another one for each policy, so that it is not always the same devices that are first. */
bool rollout_includes(const struct rollout *rollout, const char *device)
{
	char text[sizeof(rollout->to.label) + sizeof(rollout->to.policy) + 256];
	struct assay_digest digest;
	uint32_t number;

	if (rollout->halted)
		return false;
	snprintf(text, sizeof(text), "%s %s %" PRIu64 " %s", rollout->to.label, rollout->to.policy,
		 rollout->to.version, device);
	if (digest_bytes(ASSAY_HASH_SHA256, BYTES((const uint8_t *)text, strlen(text)), &digest,
			 NULL) < 0)
		return false;
	number = (uint32_t)digest.bytes[0] << 24 | (uint32_t)digest.bytes[1] << 16 |
		 (uint32_t)digest.bytes[2] << 8 | digest.bytes[3];
	return number % 100 < rollout->percent;
}

/* ---------------------------------------------------------------- what comes of it */

static int take_counts(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	struct rollout_counts *counts = context;

	(void)set;
	(void)count;
	(void)err;
	counts->judged = store_get_number(&columns[0]);
	counts->red = store_get_number(&columns[1]);
	return 0;
}

/* A device has a change as soon as it is judged by another policy. */
int rollouts_count(struct store *store, const struct rollout *rollout, struct rollout_counts *ret,
		   struct assay_error *err)
{
	static const struct store_statement label = {
		"t", "SELECT count(*) FROM device WHERE label = $1", NULL
	};
	static const struct store_statement others = {
		"", "SELECT count(*) FROM device WHERE label " ROLLOUT_OTHERS, NULL
	};
	static const struct store_statement judged = {
		"ntt",
		"SELECT count(*), coalesce(sum(CASE WHEN s.verdict = 2 AND (SELECT p.verdict FROM "
		"verdict_change p WHERE p.name = c.name AND p.id <= $1 ORDER BY p.id DESC LIMIT 1) "
		"= 1 THEN 1 ELSE 0 END), 0) FROM verdict_change c JOIN device_state s ON s.name = "
		"c.name AND s.change_id = c.id JOIN device d ON d.name = c.name WHERE c.id > $1 "
		"AND c.policy = $2 AND (d.label = $3 OR ($3 = '' AND d.label " ROLLOUT_OTHERS "))",
		NULL,
	};
	char id[REF_NAME_MAX + 32];
	const char *name = rollout->to.label;
	const struct store_value labels[] = { store_text(name) };
	uint64_t devices = 0;
	int r = store_run(store, name[0] ? &label : &others, labels, 1, store_take_number, &devices,
			  err);

	*ret = (struct rollout_counts){ .staged = (devices * rollout->percent + 99) / 100 };
	snprintf(id, sizeof(id), "%s@%" PRIu64, rollout->to.policy, rollout->to.version);
	const struct store_value values[] = { store_number(rollout->since), store_text(id),
					      store_text(name) };

	return r < 0 ? r : store_run(store, &judged, values, 1, take_counts, ret, err);
}

int rollouts_halt(struct store *store, const struct rollout *rollout,
		  const struct rollout_counts *counts, uint64_t now, bool *ret_mine,
		  struct assay_error *err)
{
	static const struct store_statement set = {
		"tn",
		"UPDATE rollout SET halted = 1 WHERE label = $1 AND since = $2 AND halted = 0 "
		"RETURNING halted",
		NULL,
	};
	const struct store_value values[] = { store_text(rollout->to.label),
					      store_number(rollout->since) };
	char what[2 * REF_NAME_MAX + 192];
	uint64_t halted = 0;
	int r = store_begin(store, err);

	*ret_mine = false;
	if (r < 0)
		return r;
	snprintf(what, sizeof(what),
		 "%.128s@%" PRIu64 " of %.64s: %" PRIu64 " of about %" PRIu64 " turned not trusted",
		 rollout->to.policy, rollout->to.version,
		 rollout->to.label[0] ? rollout->to.label : "all others", counts->red,
		 counts->staged);
	r = refs_touch(store, err);
	if (r == 0)
		r = store_run(store, &set, values, 1, store_take_number, &halted, err);
	if (r == 0 && halted == 1)
		r = audit_add(store, now, "the verifier", "halt", what, err);
	if (r < 0 || halted == 0) {
		store_rollback(store);
		return r;
	}
	r = store_commit(store, err);
	*ret_mine = r == 0;
	return r;
}

int rollouts_watch(struct store *store, uint64_t now, uint64_t *ret_halted, struct assay_error *err)
{
	struct rollout list[ROLLOUTS_MAX];
	struct rollout_counts counts;
	size_t count = 0;
	bool mine = false;
	int r = rollouts_list(store, list, &count, err);

	*ret_halted = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (list[i].halted)
			continue;
		r = rollouts_count(store, &list[i], &counts, err);
		if (r < 0 || counts.red * 100 <= list[i].halt_percent * counts.staged)
			continue;
		r = rollouts_halt(store, &list[i], &counts, now, &mine, err);
		*ret_halted += mine;
	}
	return r;
}
