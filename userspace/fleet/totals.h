/* SPDX-License-Identifier: MIT */
/* How many devices are held for what, and how many alarms are open, now. */
#ifndef ASSAY_FLEET_TOTALS_H
#define ASSAY_FLEET_TOTALS_H

#include "devices.h"
#include "seldom.h"

/* struct totals - begin with {0}; @unseen: of the open ones, those that nobody has acknowledged */
struct totals {
	uint64_t devices[DEVICE_VERDICTS];
	uint64_t open, unseen;
	struct seldom seldom;
};

/* totals_count_devices() - of all devices, by what they are held for: each is looked at */
int totals_count_devices(struct store *store, uint64_t ret[DEVICE_VERDICTS],
			 struct assay_error *err);

/* totals_get() - have them as they are or, of many devices, were a little while ago */
int totals_get(struct totals *totals, struct store *store, struct assay_error *err);

#endif /* ASSAY_FLEET_TOTALS_H */
