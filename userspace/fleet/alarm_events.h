/* SPDX-License-Identifier: MIT */
/*
 * Alarms: from when on a device is not trusted, or silent, until it is trusted again. An alarm has
 * the number of the change that opened it, so all that tell of changes can name it. It is opened
 * and closed in the transaction of the change, and by nothing else but the device's removal.
 */
#ifndef ASSAY_FLEET_ALARM_EVENTS_H
#define ASSAY_FLEET_ALARM_EVENTS_H

#include "store.h"

/*
 * struct alarm_event - a change to a verdict that is an alarm
 * @id: of the change; @verdict: of enum device_verdict
 */
struct alarm_event {
	const char *device;
	uint64_t id, at, verdict;
	const char *reason;
};

/*
 * alarm_open() - open one, or go on with the one that is open
 * Another reason, or verdict, is for an operator to look at again: it is not acknowledged any more.
 */
int alarm_open(struct store *store, const struct alarm_event *event, struct assay_error *err);

/* alarm_close() - close the one that is open, if there is one, by the change @id; 0: by none */
int alarm_close(struct store *store, const char *device, uint64_t id, uint64_t at,
		struct assay_error *err);

#endif /* ASSAY_FLEET_ALARM_EVENTS_H */
