/* SPDX-License-Identifier: MIT */
/* Verdicts that became other ones, in their order: for all who tell of them. */
#ifndef ASSAY_FLEET_CHANGES_H
#define ASSAY_FLEET_CHANGES_H

#include <jansson.h>

#include "store.h"

/* changes_after() - those behind @id, the oldest first, at most @limit, appended to @list */
int changes_after(struct store *store, uint64_t id, uint64_t limit, json_t *list,
		  struct assay_error *err);

/**
 * struct changes_range - changes behind @after, at most @limit
 * @up_to: and no further
 * @alarms: only those to not trusted and silent
 */
struct changes_range {
	uint64_t after, up_to, limit;
	bool alarms;
};

/* changes_between() - those, the oldest first, appended to @list */
int changes_between(struct store *store, const struct changes_range *range, json_t *list,
		    struct assay_error *err);

/* changes_end() - the number of the last of those, whatever .up_to is; 0 if there is none */
int changes_end(struct store *store, const struct changes_range *range, uint64_t *ret,
		struct assay_error *err);

/* changes_newest() - the number of the newest; 0 if there is none */
int changes_newest(struct store *store, uint64_t *ret, struct assay_error *err);

/* CHANGE_COLUMNS - of verdict_change, as change_json() takes them; the last is its alarm's number
 */
#define CHANGE_COLUMNS                                                                           \
	"id, name, at, verdict, reason, policy, evidence, (SELECT max(a.id) FROM alarm a WHERE " \
	"a.name = verdict_change.name AND a.id <= verdict_change.id AND (a.closed = 0 OR "       \
	"a.closed_by >= verdict_change.id OR (a.closed_by = 0 AND a.closed >= "                  \
	"verdict_change.at)))"

/* change_verdict_name() - device_verdict_name() of a column; "never" for what is none */
const char *change_verdict_name(const struct store_value *column);

/* change_json() - a new object; NULL without memory */
json_t *change_json(const struct store_value *columns);

#endif /* ASSAY_FLEET_CHANGES_H */
