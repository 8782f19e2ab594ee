/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/assay: the ioctls and the read-only mapping of uapi/assay.h. All that comes
 * from user space is checked here. Called by main.
 */
#ifndef _ASSAY_CHARDEV_H
#define _ASSAY_CHARDEV_H

struct assay;

int assay_chardev_register(struct assay *assay);
void assay_chardev_unregister(struct assay *assay);

#endif /* _ASSAY_CHARDEV_H */
