/* SPDX-License-Identifier: MIT */
/* Alarms (alarm_events.h) for who looks at them, and for who says that they were seen. */
#ifndef ASSAY_FLEET_ALARMS_H
#define ASSAY_FLEET_ALARMS_H

#include <jansson.h>

#include "store.h"

#define ALARM_NOTE_MAX 1000 /* bytes of what an operator says */

/**
 * struct alarm_filter - which alarms
 * @open: 1 those that are, 0 those that are closed, -1 any
 * @acknowledged: likewise
 * @verdict: of enum device_verdict; -1 any
 * @device: part of a name; @label; "" for any
 * @before: with a smaller number; 0: any
 */
struct alarm_filter {
	int64_t open, acknowledged, verdict;
	const char *device, *label;
	uint64_t before, limit;
};

/* alarms_list() - the newest first, appended to @list */
int alarms_list(struct store *store, const struct alarm_filter *filter, json_t *list,
		struct assay_error *err);

/* alarms_get() - that one, appended to @list; none if there is no such */
int alarms_get(struct store *store, uint64_t id, json_t *list, struct assay_error *err);

/* alarms_count() - how many are open, and how many of those nobody has acknowledged */
int alarms_count(struct store *store, uint64_t *ret_open, uint64_t *ret_unseen,
		 struct assay_error *err);

/*
 * alarms_acknowledge() - somebody has seen it
 * @note: UTF-8, of ALARM_NOTE_MAX bytes at most
 *
 * Return: 0; -ENOENT if there is no such, or it is closed
 */
int alarms_acknowledge(struct store *store, uint64_t id, const char *who, const char *note,
		       uint64_t now, struct assay_error *err);

/* alarms_prune() - forget @most of those that were closed before @before, the oldest first */
int alarms_prune(struct store *store, uint64_t before, uint64_t most, uint64_t *done,
		 struct assay_error *err);

#endif /* ASSAY_FLEET_ALARMS_H */
