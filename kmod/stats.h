/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What people and programs see of the module without opening /dev/assay. Reads the
 * other rooms, changes nothing. Called by main and chardev.
 *
 * In sysfs, below /sys/class/misc/assay:
 *
 *	memory/		totals of all regions; kind and last_claim_us are of the log's,
 *			protection is "full" or "none (why)"
 *	log/		the log
 *	regions/N/	a region: kind, base, bytes_reserved, bytes_claimed, bytes_lent,
 *			windows, claims, claim_retries, claim_failures, last_claim_us,
 *			max_claim_us, stock (chunks that lie ready), lending ("full" or
 *			"none (why)"), claim_us ("UPPER_BOUND_US:COUNT ...": how many
 *			claims took less than so long, but not less than half of it)
 *
 * In debugfs, /sys/kernel/debug/assay/pages: a line for each page of each region, in
 * order, "0xPFN STATE OWNER ORDER SINCE FLAGS":
 *
 *	STATE	lent or held (idle, see region.h), or what page_desc.h has
 *	OWNER	log, pool-ID, stock, or a window's name
 *	ORDER	of its claim, counted from 1
 *	SINCE	of its claim, in seconds since boot
 *	FLAGS	of struct page, numbered as in /proc/kpageflags, 0x...: those that say
 *		what it is used for. BUDDY is any page that nobody has
 *
 * OWNER, ORDER and SINCE are "-" for pages that no window has. One that is claimed and
 * no window's is being claimed or released just now, or was abandoned.
 */
#ifndef _ASSAY_STATS_H
#define _ASSAY_STATS_H

struct assay;
struct attribute_group;

/* For struct miscdevice: attributes of the misc device that struct assay embeds. */
extern const struct attribute_group *assay_stats_groups[];

/**
 * assay_stats_open() - make regions/ and the debugfs files
 * @assay: registered device
 *
 * Return: 0 or a negative errno, with nothing made.
 */
int assay_stats_open(struct assay *assay);

/**
 * assay_stats_close() - remove them
 * @assay: device, still registered
 */
void assay_stats_close(struct assay *assay);

#endif /* _ASSAY_STATS_H */
