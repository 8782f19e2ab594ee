// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>

#include "alias.h"
#include "device.h"
#include "stats.h"

static struct assay *assay_of_device(struct device *dev)
{
	return container_of(dev_get_drvdata(dev), struct assay, misc);
}

/* A read-only file @name that shows a u64, which is an expression of "assay". */
#define ASSAY_COUNTER(group, name, expression)                                                     \
	static u64 group##_##name##_value(const struct assay *assay)                               \
	{                                                                                          \
		return expression;                                                                 \
	}                                                                                          \
	static ssize_t group##_##name##_show(struct device *dev, struct device_attribute *attr,    \
					     char *buffer)                                         \
	{                                                                                          \
		return sysfs_emit(buffer, "%llu\n", group##_##name##_value(assay_of_device(dev))); \
	}                                                                                          \
	static struct device_attribute group##_##name =                                            \
		__ATTR(name, 0444, group##_##name##_show, NULL)

ASSAY_COUNTER(memory, bytes_reserved, assay->region.size);
ASSAY_COUNTER(memory, bytes_lent, assay->region.size - READ_ONCE(assay->region.claimed));
ASSAY_COUNTER(memory, bytes_claimed, READ_ONCE(assay->region.claimed));
ASSAY_COUNTER(memory, bytes_sealed, assay_ledger_sealed(&assay->ledger));
ASSAY_COUNTER(memory, claims, READ_ONCE(assay->region.claims));
ASSAY_COUNTER(memory, claim_retries, READ_ONCE(assay->region.retries));
ASSAY_COUNTER(memory, claim_failures, READ_ONCE(assay->region.failures));
ASSAY_COUNTER(memory, last_claim_us, READ_ONCE(assay->region.last_claim_us));

static ssize_t memory_kind_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%s\n", assay_of_device(dev)->region.ops->name);
}

static struct device_attribute memory_kind = __ATTR(kind, 0444, memory_kind_show, NULL);

static ssize_t memory_protection_show(struct device *dev, struct device_attribute *attr,
				      char *buffer)
{
	if (assay_of_device(dev)->ledger.pool->protected)
		return sysfs_emit(buffer, "full\n");
	return sysfs_emit(buffer, "none (%s)\n", ASSAY_ALIAS_ADVICE);
}

static struct device_attribute memory_protection =
	__ATTR(protection, 0444, memory_protection_show, NULL);

static struct attribute *assay_memory_attributes[] = {
	&memory_kind.attr,
	&memory_bytes_reserved.attr,
	&memory_bytes_lent.attr,
	&memory_bytes_claimed.attr,
	&memory_bytes_sealed.attr,
	&memory_claims.attr,
	&memory_claim_retries.attr,
	&memory_claim_failures.attr,
	&memory_last_claim_us.attr,
	&memory_protection.attr,
	NULL,
};

ASSAY_COUNTER(log, ring_size, assay->ledger.ring_size);
ASSAY_COUNTER(log, records, READ_ONCE(assay->ledger.records));
ASSAY_COUNTER(log, bytes, READ_ONCE(assay->ledger.tail) - READ_ONCE(assay->ledger.head));
ASSAY_COUNTER(log, anchors, READ_ONCE(assay->ledger.anchored_records));
ASSAY_COUNTER(log, anchor_failures, READ_ONCE(assay->ledger.anchor_failures));
ASSAY_COUNTER(log, pcr, assay->ledger.anchor.pcr);

static ssize_t log_last_error_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%d\n", READ_ONCE(assay_of_device(dev)->ledger.last_error));
}

static struct device_attribute log_last_error = __ATTR(last_error, 0444, log_last_error_show, NULL);

static struct attribute *assay_log_attributes[] = {
	&log_pcr.attr,	   &log_ring_size.attr,	      &log_records.attr,    &log_bytes.attr,
	&log_anchors.attr, &log_anchor_failures.attr, &log_last_error.attr, NULL,
};

static const struct attribute_group assay_memory_group = {
	.name = "memory",
	.attrs = assay_memory_attributes,
};

static const struct attribute_group assay_log_group = {
	.name = "log",
	.attrs = assay_log_attributes,
};

const struct attribute_group *assay_stats_groups[] = {
	&assay_memory_group,
	&assay_log_group,
	NULL,
};

static const char *assay_page_name(const struct assay_page_desc *desc)
{
	static const char *const names[] = {
		[ASSAY_PAGE_EMPTY] = "empty",
		[ASSAY_PAGE_OPEN] = "open",
		[ASSAY_PAGE_PART] = "part",
		[ASSAY_PAGE_SEALED] = "sealed",
	};
	u8 state = READ_ONCE(desc->state);

	if (state != ASSAY_PAGE_OPEN && desc->type == ASSAY_PAGE_HEADER)
		return "header";
	return names[state];
}

static int assay_pages_show(struct seq_file *seq, void *unused)
{
	const struct assay *assay = seq->private;
	const struct pmalloc_pool *pool = assay->ledger.pool;
	unsigned long i;

	for (i = 0; i < pool->count; i++)
		seq_printf(seq, "%#lx %s log\n", pool->pfn + i, assay_page_name(&pool->desc[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(assay_pages);

void assay_stats_open(struct assay *assay)
{
	assay->debugfs = debugfs_create_dir("assay", NULL);
	debugfs_create_file("pages", 0400, assay->debugfs, assay, &assay_pages_fops);
}

void assay_stats_close(struct assay *assay)
{
	debugfs_remove_recursive(assay->debugfs);
}
