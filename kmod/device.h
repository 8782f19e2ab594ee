/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one device of the module: a device-tree node compatible "assay,log", its
 * region, the log in it and /dev/assay. Made by main, used by chardev and stats.
 */
#ifndef _ASSAY_DEVICE_H
#define _ASSAY_DEVICE_H

#include <linux/miscdevice.h>

#include "ledger.h"
#include "region.h"

/**
 * struct assay - the device
 * @region: where the memory comes from
 * @ledger: the log
 * @misc: /dev/assay
 * @debugfs: directory of the debugging files
 *
 * Lives from probe to remove. Every open file and mapping of /dev/assay holds a
 * reference to the module, the driver has no bind and unbind files in sysfs, and
 * so remove comes only when nobody uses the log.
 */
struct assay {
	struct assay_region region;
	struct assay_ledger ledger;
	struct miscdevice misc;
	struct dentry *debugfs;
};

#endif /* _ASSAY_DEVICE_H */
