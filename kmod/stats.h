/* SPDX-License-Identifier: GPL-2.0-only */
/* What people and programs see of the module without opening /dev/assay. */
#ifndef _ASSAY_STATS_H
#define _ASSAY_STATS_H

struct assay;
struct attribute_group;

/* For struct miscdevice: attributes of the misc device that struct assay embeds. */
extern const struct attribute_group *assay_stats_groups[];

int assay_stats_open(struct assay *assay);
void assay_stats_close(struct assay *assay);
void assay_stats_link(struct assay *assay);

#endif /* _ASSAY_STATS_H */
