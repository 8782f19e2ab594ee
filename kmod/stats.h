/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What people and programs see of the module without opening /dev/assay: counters
 * in sysfs below /sys/class/misc/assay (memory/, log/), and the window's pages in
 * debugfs. Reads the other rooms, changes nothing. Called by main and chardev.
 */
#ifndef _ASSAY_STATS_H
#define _ASSAY_STATS_H

struct assay;
struct attribute_group;

/* For struct miscdevice: attributes of the misc device that struct assay embeds. */
extern const struct attribute_group *assay_stats_groups[];

/**
 * assay_stats_open() - make the debugfs files
 * @assay: registered device
 *
 * /sys/kernel/debug/assay/pages has a line "0xPFN STATE OWNER" for each page of the
 * window: STATE is header, open, empty, part or sealed, OWNER is log.
 */
void assay_stats_open(struct assay *assay);

/**
 * assay_stats_close() - remove them
 * @assay: device
 */
void assay_stats_close(struct assay *assay);

#endif /* _ASSAY_STATS_H */
