/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one device of the module: a device-tree node compatible "assay,log" or, without
 * one, a device of the module's own for the regions of its parameters; the log in
 * the first region, and /dev/assay. Made by main, used by chardev, reader and stats.
 */
#ifndef _ASSAY_DEVICE_H
#define _ASSAY_DEVICE_H

#include <linux/fs.h>
#include <linux/miscdevice.h>

#include "commit.h"
#include "ledger.h"
#include "power.h"
#include "region.h"
#include "trim.h"

struct dentry;
struct device;
struct kobject;
struct vfsmount;

/**
 * struct assay - the device
 * @dev: the platform device
 * @parts: how many of main's parts of it are open
 * @ledger: the log, in the region whose number is 0
 * @trimmer: what moves its head
 * @commit: the queue before it
 * @power: what is told of suspend and of the TPM
 * @misc: /dev/assay
 * @mount: a file system of the module's own, for @inode
 * @inode: whose mapping all files of /dev/assay share, see reader.c
 * @debugfs: directory of the debugging files
 * @regions: directory regions/ in sysfs, below @dev
 *
 * Lives from probe to remove. Every open file and mapping of /dev/assay holds a
 * reference to the module, so does every module that claims windows or has pools, the
 * driver has no bind and unbind files in sysfs, and so remove comes only when nobody
 * uses the log or the regions.
 */
struct assay {
	struct device *dev;
	unsigned int parts;
	struct assay_ledger ledger;
	struct assay_trimmer trimmer;
	struct assay_commit commit;
	struct assay_power power;
	struct miscdevice misc;
	struct vfsmount *mount;
	struct inode *inode;
	struct dentry *debugfs;
	struct kobject *regions;
};

/* The device of an open file of /dev/assay, where misc_open() leaves the misc device. */
static inline struct assay *assay_of_file(const struct file *file)
{
	return container_of(file->private_data, struct assay, misc);
}

#endif /* _ASSAY_DEVICE_H */
