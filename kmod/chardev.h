/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/assay: the ioctls and the read-only mapping of uapi/assay.h. All that comes
 * from user space is checked here. Called by main.
 */
#ifndef _ASSAY_CHARDEV_H
#define _ASSAY_CHARDEV_H

struct assay;
struct device;

/**
 * assay_chardev_register() - make /dev/assay
 * @assay: device whose ledger is created
 * @parent: its platform device
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_chardev_register(struct assay *assay, struct device *parent);

/**
 * assay_chardev_unregister() - remove /dev/assay, which nobody has open
 * @assay: device that was registered
 */
void assay_chardev_unregister(struct assay *assay);

#endif /* _ASSAY_CHARDEV_H */
