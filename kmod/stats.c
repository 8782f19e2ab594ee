// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people and programs see of the module without opening /dev/assay. Reads the
 * other rooms, changes nothing. Called by main and chardev.
 *
 * In sysfs, below /sys/class/misc/assay:
 *
 *	memory/		totals of all regions; kind and last_claim_us are of the log's,
 *			protection is "full" (in the linear map), "alias" (of a
 *			nomap region) or "none (why)"
 *	log/		the log
 *	regions/N/	(a link to the platform device's) a region: kind, base, bytes_reserved,
 *bytes_claimed, bytes_lent, windows, claims, claim_retries, claim_failures, last_claim_us,
 *			max_claim_us, stock (chunks that lie ready), lending ("full" or
 *			"none (why)"), claim_us ("UPPER_BOUND_US:COUNT ...": how many
 *			claims took less than so long, but not less than half of it)
 *
 * In debugfs, /sys/kernel/debug/assay/pages: a line for each page of each region, in
 * order, "0xPFN STATE OWNER ORDER SINCE FLAGS":
 *
 *	STATE	lent or held (idle, see region.h), offline, or what page_desc.h has
 *	OWNER	log, pool-ID, stock, or a window's name
 *	ORDER	of its claim, counted from 1
 *	SINCE	of its claim, in seconds since boot
 *	FLAGS	of struct page, numbered as in /proc/kpageflags, 0x...: those that say
 *		what it is used for. BUDDY is any page that nobody has
 *
 * OWNER, ORDER and SINCE are "-" for pages that no window has. One that is claimed and
 * no window's is being claimed or released just now, or was abandoned.
 *
 * Counters are u64s that are read without the locks that protect them. What is read
 * with a region's lock held are its windows: they come and go, and their descriptors
 * with them.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/kernel-page-flags.h>
#include <linux/kobject.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "alias.h"
#include "compat.h"
#include "device.h"
#include "fault.h"
#include "pool.h"
#include "stats.h"
#include "stock.h"
#include "window.h"

/* ------------------------------------------------------------------ regions */
static u64 assay_region_reserved(struct assay_region *region)
{
	return (u64)region->count << PAGE_SHIFT;
}

static u64 assay_region_claimed(struct assay_region *region)
{
	return READ_ONCE(region->stats.claimed);
}

static u64 assay_region_lent(struct assay_region *region)
{
	if (!region->ops->lent)
		return 0;
	return assay_region_reserved(region) - assay_region_claimed(region);
}

static u64 assay_region_sealed(struct assay_region *region)
{
	return (u64)atomic_long_read(&region->sealed) << PAGE_SHIFT;
}

static u64 assay_region_windows(struct assay_region *region)
{
	return READ_ONCE(region->stats.windows);
}

static u64 assay_region_claims(struct assay_region *region)
{
	return READ_ONCE(region->stats.claims);
}

static u64 assay_region_claim_retries(struct assay_region *region)
{
	return READ_ONCE(region->stats.retries);
}

static u64 assay_region_claim_failures(struct assay_region *region)
{
	return READ_ONCE(region->stats.failures);
}

static u64 assay_region_last_claim_us(struct assay_region *region)
{
	return READ_ONCE(region->stats.last_claim_us);
}

static u64 assay_region_max_claim_us(struct assay_region *region)
{
	return READ_ONCE(region->stats.max_claim_us);
}

static u64 assay_region_stock(struct assay_region *region)
{
	return assay_stock_chunks(region);
}

static u64 assay_total(u64 (*value)(struct assay_region *region))
{
	struct assay_region *region;
	unsigned int id;
	u64 total = 0;

	for (id = 0; (region = assay_region_get(id)); id++)
		total += value(region);
	return total;
}

/* ------------------------------------------------------------------ memory/, log/ */
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

ASSAY_COUNTER(memory, bytes_reserved, assay_total(assay_region_reserved));
ASSAY_COUNTER(memory, bytes_lent, assay_total(assay_region_lent));
ASSAY_COUNTER(memory, bytes_claimed, assay_total(assay_region_claimed));
ASSAY_COUNTER(memory, bytes_sealed, assay_total(assay_region_sealed));
ASSAY_COUNTER(memory, claims, assay_total(assay_region_claims));
ASSAY_COUNTER(memory, claim_retries, assay_total(assay_region_claim_retries));
ASSAY_COUNTER(memory, claim_failures, assay_total(assay_region_claim_failures));
ASSAY_COUNTER(memory, last_claim_us, assay_region_last_claim_us(assay->ledger.ring.region));
ASSAY_COUNTER(memory, flushes, assay_alias_flushes());

static ssize_t memory_kind_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%s\n", assay_of_device(dev)->ledger.ring.region->ops->name);
}

static struct device_attribute memory_kind = __ATTR(kind, 0444, memory_kind_show, NULL);

static ssize_t memory_protection_show(struct device *dev, struct device_attribute *attr,
				      char *buffer)
{
	const struct assay_log_window *log = &assay_of_device(dev)->ledger.ring.memory;
	const char *why = log->area.unprotectable;

	if (why)
		return sysfs_emit(buffer, "none (%s)\n", why);
	return sysfs_emit(buffer, "%s\n", assay_log_window_protection_name(log));
}

static struct device_attribute memory_protection =
	__ATTR(protection, 0444, memory_protection_show, NULL);

static struct attribute *assay_memory_attributes[] = {
	&memory_kind.attr,	    &memory_bytes_reserved.attr, &memory_bytes_lent.attr,
	&memory_bytes_claimed.attr, &memory_bytes_sealed.attr,	 &memory_claims.attr,
	&memory_claim_retries.attr, &memory_claim_failures.attr, &memory_last_claim_us.attr,
	&memory_protection.attr,    &memory_flushes.attr,	 NULL,
};

ASSAY_COUNTER(log, ring_size, assay->ledger.ring.size);
ASSAY_COUNTER(log, records, READ_ONCE(assay->ledger.records));
ASSAY_COUNTER(log, calls, READ_ONCE(assay->commit.calls));
ASSAY_COUNTER(log, entries, READ_ONCE(assay->commit.entries));
ASSAY_COUNTER(log, bytes, READ_ONCE(assay->ledger.ring.tail) - READ_ONCE(assay->ledger.ring.head));
ASSAY_COUNTER(log, anchors, READ_ONCE(assay->ledger.anchored_records));
ASSAY_COUNTER(log, anchor_failures, READ_ONCE(assay->ledger.anchor_failures));
ASSAY_COUNTER(log, pcr, assay->ledger.anchor.pcr);

static ssize_t log_last_error_show(struct device *dev, struct device_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%d\n", READ_ONCE(assay_of_device(dev)->ledger.last_error));
}

static struct device_attribute log_last_error = __ATTR(last_error, 0444, log_last_error_show, NULL);

static struct attribute *assay_log_attributes[] = {
	&log_calls.attr,      &log_entries.attr,
	&log_pcr.attr,	      &log_ring_size.attr,
	&log_records.attr,    &log_bytes.attr,
	&log_anchors.attr,    &log_anchor_failures.attr,
	&log_last_error.attr, NULL,
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

/* ------------------------------------------------------------------ regions/N/ */
/**
 * struct assay_region_object - a directory regions/N
 * @node: in the list of all
 * @kobject: N
 * @region: what it shows; it outlives the directory
 */
struct assay_region_object {
	struct list_head node;
	struct kobject kobject;
	struct assay_region *region;
};

static LIST_HEAD(assay_region_objects); /* changed by open and close alone */

static struct assay_region *assay_region_of(struct kobject *kobject)
{
	return container_of(kobject, struct assay_region_object, kobject)->region;
}

/* A read-only file @name that shows a u64, by the function above. */
#define ASSAY_REGION_COUNTER(name)                                                       \
	static ssize_t name##_show(struct kobject *kobject, struct kobj_attribute *attr, \
				   char *buffer)                                         \
	{                                                                                \
		return sysfs_emit(buffer, "%llu\n",                                      \
				  assay_region_##name(assay_region_of(kobject)));        \
	}                                                                                \
	static struct kobj_attribute region_##name = __ATTR_RO(name)

#define assay_region_bytes_reserved assay_region_reserved
#define assay_region_bytes_claimed assay_region_claimed
#define assay_region_bytes_lent assay_region_lent
ASSAY_REGION_COUNTER(bytes_reserved);
ASSAY_REGION_COUNTER(bytes_claimed);
ASSAY_REGION_COUNTER(bytes_lent);
ASSAY_REGION_COUNTER(windows);
ASSAY_REGION_COUNTER(claims);
ASSAY_REGION_COUNTER(claim_retries);
ASSAY_REGION_COUNTER(claim_failures);
ASSAY_REGION_COUNTER(last_claim_us);
ASSAY_REGION_COUNTER(max_claim_us);
ASSAY_REGION_COUNTER(stock);

static ssize_t kind_show(struct kobject *kobject, struct kobj_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%s\n", assay_region_of(kobject)->ops->name);
}
static struct kobj_attribute region_kind = __ATTR_RO(kind);

static ssize_t base_show(struct kobject *kobject, struct kobj_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%#llx\n", (u64)PFN_PHYS(assay_region_of(kobject)->pfn));
}
static struct kobj_attribute region_base = __ATTR_RO(base);

static ssize_t lending_show(struct kobject *kobject, struct kobj_attribute *attr, char *buffer)
{
	const struct assay_region *region = assay_region_of(kobject);

	if (!region->ops->lent)
		return sysfs_emit(buffer, "none (held)\n");
	if (region->idle_unused)
		return sysfs_emit(buffer, "none (%s)\n", region->idle_unused);
	return sysfs_emit(buffer, "full\n");
}
static struct kobj_attribute region_lending = __ATTR_RO(lending);

static ssize_t claim_us_show(struct kobject *kobject, struct kobj_attribute *attr, char *buffer)
{
	const struct assay_region *region = assay_region_of(kobject);
	unsigned int i;
	int size = 0;

	for (i = 0; i < ASSAY_LATENCY_SLOTS; i++) {
		u64 count = READ_ONCE(region->stats.claim_us[i]);

		if (count)
			size += sysfs_emit_at(buffer, size, "%s%llu:%llu", size ? " " : "",
					      BIT_ULL(i), count);
	}
	return size + sysfs_emit_at(buffer, size, "\n");
}
static struct kobj_attribute region_claim_us = __ATTR_RO(claim_us);

static struct attribute *assay_region_attrs[] = {
	&region_kind.attr,	    &region_base.attr,		&region_bytes_reserved.attr,
	&region_bytes_claimed.attr, &region_bytes_lent.attr,	&region_windows.attr,
	&region_claims.attr,	    &region_claim_retries.attr, &region_claim_failures.attr,
	&region_last_claim_us.attr, &region_max_claim_us.attr,	&region_claim_us.attr,
	&region_lending.attr,	    &region_stock.attr,		NULL,
};
ATTRIBUTE_GROUPS(assay_region);

static void assay_region_object_release(struct kobject *kobject)
{
	kfree(container_of(kobject, struct assay_region_object, kobject));
}

static const struct kobj_type assay_region_type = {
	.release = assay_region_object_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = assay_region_groups,
};

static int assay_region_object_add(struct assay *assay, struct assay_region *region)
{
	struct assay_region_object *object;
	int ret;

	object = kzalloc(sizeof(*object), GFP_KERNEL);
	if (!object)
		return -ENOMEM;
	object->region = region;
	ret = kobject_init_and_add(&object->kobject, &assay_region_type, assay->regions, "%u",
				   region->id);
	if (ret) {
		kobject_put(&object->kobject);
		return ret;
	}
	list_add(&object->node, &assay_region_objects);
	return 0;
}

static void assay_region_objects_remove(struct assay *assay)
{
	struct assay_region_object *object, *next;

	list_for_each_entry_safe(object, next, &assay_region_objects, node) {
		list_del(&object->node);
		/* Waits for readers. */
		kobject_del(&object->kobject);
		kobject_put(&object->kobject);
	}
	kobject_put(assay->regions);
}

/* ------------------------------------------------------------------ pages */
/**
 * struct assay_pages_cursor - where a reader of the pages is
 * @region: region, locked; NULL behind the last page
 * @index: page in it
 * @window: the first window that ends behind the page, if there is one
 * @owner: that @name is the name of
 * @name: of the owner of the last page
 */
struct assay_pages_cursor {
	struct assay_region *region;
	unsigned long index;
	struct assay_window *window;
	u16 owner;
	char name[PMALLOC_NAME_SIZE];
};

/* Step to the region @id, or behind the last page. */
static void *assay_pages_enter(struct assay_pages_cursor *cursor, unsigned int id,
			       unsigned long index)
{
	cursor->region = assay_region_get(id);
	if (!cursor->region)
		return NULL;
	mutex_lock(&cursor->region->lock);
	cursor->index = index;
	cursor->window =
		list_first_entry_or_null(&cursor->region->windows, struct assay_window, node);
	cursor->owner = ASSAY_OWNER_WINDOW;
	return cursor;
}

static void *assay_pages_start(struct seq_file *seq, loff_t *position)
{
	struct assay_pages_cursor *cursor = seq->private;
	struct assay_region *region;
	loff_t index = *position;
	unsigned int id;

	cursor->region = NULL;
	for (id = 0; (region = assay_region_get(id)); id++) {
		if (index < region->count)
			return assay_pages_enter(cursor, id, index);
		index -= region->count;
	}
	return NULL;
}

static void *assay_pages_next(struct seq_file *seq, void *unused, loff_t *position)
{
	struct assay_pages_cursor *cursor = seq->private;
	struct assay_region *region = cursor->region;

	++*position;
	if (++cursor->index < region->count)
		return cursor;
	mutex_unlock(&region->lock);
	return assay_pages_enter(cursor, region->id + 1, 0);
}

static void assay_pages_stop(struct seq_file *seq, void *unused)
{
	struct assay_pages_cursor *cursor = seq->private;

	if (cursor->region)
		mutex_unlock(&cursor->region->lock);
}

/* A page's flags, numbered as /proc/kpageflags does, as far as they tell what it is for. */
static u64 assay_page_kpf(struct page *page)
{
	static const struct {
		u8 flag;
		u8 shown;
	} map[] = {
		{ PG_locked, KPF_LOCKED },
		{ PG_referenced, KPF_REFERENCED },
		{ PG_uptodate, KPF_UPTODATE },
		{ PG_dirty, KPF_DIRTY },
		{ PG_lru, KPF_LRU },
		{ PG_active, KPF_ACTIVE },
		{ PG_writeback, KPF_WRITEBACK },
		{ PG_reclaim, KPF_RECLAIM },
		{ PG_swapbacked, KPF_SWAPBACKED },
		{ PG_reserved, KPF_RESERVED },
	};
	/* Of a lent page it may change while we look: each value is one that it could have had. */
	struct folio *folio = page_folio(page);
	unsigned long flags = assay_page_flags(&folio->page);
	unsigned int i;
	u64 shown = 0;

	if (!page_ref_count(&folio->page))
		return BIT_ULL(KPF_BUDDY);
	for (i = 0; i < ARRAY_SIZE(map); i++) {
		if (flags & BIT(map[i].flag))
			shown |= BIT_ULL(map[i].shown);
	}
	if (folio_test_anon(folio))
		shown |= BIT_ULL(KPF_ANON);
	return shown;
}

/* The window that has the page, or NULL; pages are asked for in order. */
static const struct assay_window *assay_pages_window(struct assay_pages_cursor *cursor,
						     unsigned long pfn)
{
	struct assay_region *region = cursor->region;

	while (cursor->window && cursor->window->pfn + cursor->window->count <= pfn)
		cursor->window = list_is_last(&cursor->window->node, &region->windows) ?
					 NULL :
					 list_next_entry(cursor->window, node);
	return cursor->window && cursor->window->pfn <= pfn ? cursor->window : NULL;
}

static const char *assay_pages_owner(struct assay_pages_cursor *cursor,
				     const struct assay_window *window, u16 owner)
{
	if (owner == ASSAY_OWNER_WINDOW)
		return window->name;
	if (owner != cursor->owner) {
		pmalloc_pool_name(owner, cursor->name);
		cursor->owner = owner;
	}
	return cursor->name;
}

static int assay_pages_show(struct seq_file *seq, void *unused)
{
	struct assay_pages_cursor *cursor = seq->private;
	const struct assay_region *region = cursor->region;
	unsigned long pfn = region->pfn + cursor->index;
	const struct assay_window *window = assay_pages_window(cursor, pfn);
	/* Memory can have been unplugged since the region was opened. */
	struct page *page = pfn_to_online_page(pfn);
	u64 flags = page ? assay_page_kpf(page) : 0;
	const struct assay_page_desc *desc = window ? &window->desc[pfn - window->pfn] : NULL;
	const char *state;

	if (desc && assay_page_state(desc) != ASSAY_PAGE_LENT) {
		seq_printf(seq, "%#lx %s %s %u %u %#llx\n", pfn, assay_page_state_name(desc),
			   assay_pages_owner(cursor, window, READ_ONCE(window->owner)),
			   window->order, desc->since, flags);
		return 0;
	}
	state = region->ops->lent ? "lent" : "held";
	if (!desc && test_bit(cursor->index, region->taken))
		state = "claimed"; /* being claimed just now, or kept for ever */
	else if (!page && region->ops->lent)
		state = "offline";
	seq_printf(seq, "%#lx %s - - - %#llx\n", pfn, state, flags);
	return 0;
}

static const struct seq_operations assay_pages_operations = {
	.start = assay_pages_start,
	.next = assay_pages_next,
	.stop = assay_pages_stop,
	.show = assay_pages_show,
};

static int assay_pages_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &assay_pages_operations, sizeof(struct assay_pages_cursor));
}

static const struct file_operations assay_pages_fops = {
	.owner = THIS_MODULE,
	.open = assay_pages_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/* ------------------------------------------------------------------ */
/**
 * assay_stats_open() - make regions/ and the debugfs files
 * @assay: device with its regions and its ledger
 *
 * Return: 0, or a negative errno after a dev_err(), with nothing made.
 */
int assay_stats_open(struct assay *assay)
{
	struct assay_region *region;
	unsigned int id;
	int ret = 0;

	assay->regions = kobject_create_and_add("regions", &assay->dev->kobj);
	if (!assay->regions)
		ret = -ENOMEM;
	for (id = 0; !ret && (region = assay_region_get(id)); id++)
		ret = assay_region_object_add(assay, region);
	if (ret) {
		dev_err(assay->dev, "cannot make regions/ in sysfs (error %d)\n", ret);
		assay_region_objects_remove(assay);
		return ret;
	}
	assay->debugfs = debugfs_create_dir("assay", NULL);
	debugfs_create_file("pages", 0400, assay->debugfs, NULL, &assay_pages_fops);
	assay_fault_open(assay->debugfs);
	return 0;
}

/**
 * assay_stats_close() - remove them
 * @assay: device whose counters are open
 */
void assay_stats_close(struct assay *assay)
{
	debugfs_remove_recursive(assay->debugfs);
	assay_region_objects_remove(assay);
}

/**
 * assay_stats_link() - have regions/ beside the other counters of /dev/assay
 * @assay: registered device, whose counters are open
 *
 * The link goes with the directory it is in. Without it, after a message, regions/ is
 * found below the platform device only.
 */
void assay_stats_link(struct assay *assay)
{
	int ret = sysfs_create_link(&assay->misc.this_device->kobj, assay->regions, "regions");

	if (ret)
		dev_warn(assay->dev, "cannot link regions/ to /sys/class/misc/assay (error %d)\n",
			 ret);
}
