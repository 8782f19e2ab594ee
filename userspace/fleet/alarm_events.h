/* SPDX-License-Identifier: MIT */
/*
 * Alarms: from when on a device is not trusted, or silent, until it is trusted again. An alarm has
 * the number of the change that opened it, so all that tell of changes can name it. It is opened
 * and closed in the transaction of the change, and by nothing else but the device's removal.
 */
#ifndef ASSAY_FLEET_ALARM_EVENTS_H
#define ASSAY_FLEET_ALARM_EVENTS_H

#include "store.h"

/**
 * struct alarm_event - a change that opens or closes an alarm
 * @id: of the change; 0: it is closed by none
 * @verdict: of enum device_verdict; it and @reason only of what opens one
 */
struct alarm_event {
	const char *device;
	uint64_t id, at, verdict;
	const char *reason;
};

/*
 * alarms_open() - open one for each, or go on with the one that is open
 * Another reason, or verdict, is for an operator to look at again: it is not acknowledged any more.
 */
int alarms_open(struct store *store, const struct alarm_event *events, size_t count,
		struct assay_error *err);

/* alarms_close() - close those that are open of these devices */
int alarms_close(struct store *store, const struct alarm_event *events, size_t count,
		 struct assay_error *err);

#endif /* ASSAY_FLEET_ALARM_EVENTS_H */
