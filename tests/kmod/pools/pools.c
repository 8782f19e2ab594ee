// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of pmalloc from where its users are, in the kernel. Reading a file runs a
 * case and gives a line "ok - TITLE" or "not ok - TITLE" for each check:
 *
 *	cat /sys/kernel/debug/pools/CASE
 *
 * Other files, for tests that look at pools from outside:
 *
 *	echo "MODE PAGES" >hold		make a pool with an object of so many pages, protected
 *					where its mode has that; the object is all that
 *					refers to another, of slab
 *	cat hold			"0xADDRESS 0xPHYSICAL": of that object
 *	echo release >hold
 *	echo "MODE PAGES" >cycle	a pool's life from beginning to end, whatever fails;
 *					the write fails with the first errno that it met
 *
 * MODE is a number of enum pmalloc_mode. For tests only.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "pool.h"
#include "window.h"

#define POOLS_REPORT_SIZE (64 * 1024)
#define POOLS_THREADS 4
#define POOLS_ROUNDS (IS_ENABLED(CONFIG_KASAN) ? 20 : 200) /* it makes them slow */

/**
 * struct pools_report - what a case says
 * @size: bytes of @text
 * @text: lines
 */
struct pools_report {
	size_t size;
	char text[POOLS_REPORT_SIZE];
};

static const char *const pools_modes[] = {
	[PMALLOC_MODE_RO] = "RO",
	[PMALLOC_MODE_WR] = "WR",
	[PMALLOC_MODE_AUTO_RO] = "AUTO_RO",
	[PMALLOC_MODE_AUTO_WR] = "AUTO_WR",
	[PMALLOC_MODE_START_WR] = "START_WR",
};

static __printf(3, 4) bool pools_check(struct pools_report *report, bool good, const char *format,
				       ...)
{
	va_list arguments;

	report->size += scnprintf(report->text + report->size, POOLS_REPORT_SIZE - report->size,
				  "%sok - ", good ? "" : "not ");
	va_start(arguments, format);
	report->size += vscnprintf(report->text + report->size, POOLS_REPORT_SIZE - report->size,
				   format, arguments);
	va_end(arguments);
	report->size +=
		scnprintf(report->text + report->size, POOLS_REPORT_SIZE - report->size, "\n");
	return good;
}

/* A stray write, of what is there: does it fault? */
static bool pools_faults(const void *place)
{
	u8 value;

	__get_kernel_nofault(&value, place, u8, fault);
	__put_kernel_nofault((void *)place, &value, u8, fault);
	return false;
fault:
	return true;
}

/* The same for each page that an object covers, at both ends: all of them, or none? */
static bool pools_all(const void *object, size_t size, bool fault)
{
	const u8 *bytes = object;
	size_t at;

	for (at = 0; at < size; at += PAGE_SIZE - offset_in_page(bytes + at)) {
		if (pools_faults(bytes + at) != fault)
			return false;
	}
	return pools_faults(bytes + size - 1) == fault;
}

static bool pools_is_zero(const void *object, size_t size)
{
	return !memchr_inv(object, 0, size);
}

static enum assay_page_state pools_state(const struct pmalloc_pool *pool, const void *object)
{
	unsigned long address = (unsigned long)object;
	const struct pmalloc_area *area;

	list_for_each_entry(area, &pool->areas, node) {
		if (address >= area->pages.base && address - area->pages.base < area->size)
			return assay_page_state(
				&area->pages.window
					 ->desc[(address - area->pages.base) >> PAGE_SHIFT]);
	}
	return ASSAY_PAGE_LENT;
}

static struct pmalloc_pool *pools_new(struct pools_report *report, enum pmalloc_mode mode)
{
	struct pmalloc_pool *pool = pmalloc_create_pool(mode);

	if (pools_check(report, !IS_ERR(pool), "%s: a pool is created", pools_modes[mode]))
		return pool;
	return NULL;
}

static void pools_create(struct pools_report *report)
{
	static const struct {
		size_t refill;
		short align_order;
		unsigned int mode;
		const char *what;
	} refused[] = {
		{ 0, -1, PMALLOC_MODE_START_WR + 1, "a mode that there is not" },
		{ 0, -1, UINT_MAX, "another" },
		{ 0, -2, PMALLOC_MODE_RO, "a negative alignment" },
		{ 0, PAGE_SHIFT + 1, PMALLOC_MODE_RO, "an alignment of more than a page" },
		{ SIZE_MAX, -1, PMALLOC_MODE_RO, "a refill that overflows" },
	};
	struct pmalloc_pool *pool;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		pool = pmalloc_create_custom_pool(refused[i].refill, refused[i].align_order,
						  refused[i].mode);
		pools_check(report, PTR_ERR(pool) == -EINVAL, "%s is refused", refused[i].what);
	}
	for (i = 0; i < ARRAY_SIZE(pools_modes); i++) {
		pool = pools_new(report, i);
		if (!pool)
			continue;
		pools_check(report, !pmalloc_protect_pool(pool),
			    "%s: an empty pool can be protected", pools_modes[i]);
		pmalloc_destroy_pool(pool);
	}
	pmalloc_destroy_pool(NULL);
	pools_check(report, true, "no pool can be destroyed");
}

/* RO and WR: writable, until protected. */
static void pools_manual(struct pools_report *report, enum pmalloc_mode mode)
{
	bool has_writes = mode == PMALLOC_MODE_WR;
	const char *name = pools_modes[mode];
	struct pmalloc_pool *pool;
	u8 *first, *second;
	u8 byte = 0x5a;
	size_t size = 3 * PAGE_SIZE;
	int ret;

	pool = pools_new(report, mode);
	if (!pool)
		return;
	first = pmalloc(pool, size);
	if (!pools_check(report, first, "%s: an object of three pages", name))
		goto destroy;
	pools_check(report, pools_is_zero(first, size), "%s: it is zeroed", name);
	pools_check(report, pools_all(first, size, false), "%s: it is writable", name);
	pools_check(report, pools_state(pool, first) == ASSAY_PAGE_WRITABLE, "%s: its pages say so",
		    name);
	memset(first, 0xa5, size);
	ret = pmalloc_write(pool, first, &byte, 1);
	pools_check(report, ret == (has_writes ? 0 : -EPERM),
		    "%s: pmalloc_write before it is protected: %d", name, ret);
	pools_check(report, pools_all(first, size, false), "%s: it is still writable", name);
	first[0] = 0xa5;

	pools_check(report, !pmalloc_protect_pool(pool), "%s: the pool is protected", name);
	pools_check(report, pools_all(first, size, true), "%s: a write to any page faults", name);
	pools_check(report, first[0] == 0xa5 && !memchr_inv(first, 0xa5, size),
		    "%s: it holds what was written", name);
	pools_check(report,
		    pools_state(pool, first) == (has_writes ? ASSAY_PAGE_PART : ASSAY_PAGE_SEALED),
		    "%s: its pages say so", name);
	ret = pmalloc_write(pool, first + PAGE_SIZE, &byte, 1);
	pools_check(report, ret == (has_writes ? 0 : -EPERM), "%s: pmalloc_write: %d", name, ret);
	pools_check(report, first[PAGE_SIZE] == (has_writes ? byte : 0xa5), "%s: accordingly",
		    name);
	pools_check(report, pools_all(first, size, true), "%s: a write still faults", name);

	second = pmalloc(pool, 1);
	pools_check(report, second && !pools_faults(second),
		    "%s: the protected pool goes on with writable memory", name);
	pools_check(report, pools_all(first, size, true), "%s: the first object is untouched",
		    name);
	pools_check(report, !pmalloc_make_pool_ro(pool), "%s: the pool is made read-only", name);
	pools_check(report, pools_faults(first) && second && pools_faults(second),
		    "%s: all of it is", name);
	pools_check(report, pools_state(pool, first) == ASSAY_PAGE_SEALED,
		    "%s: its pages are sealed", name);
	pools_check(report, pmalloc_write(pool, first, &byte, 1) == -EPERM,
		    "%s: then it takes no write", name);
	pools_check(report, !pmalloc(pool, 1) && !pzalloc(pool, 1) && !pstrdup(pool, "x"),
		    "%s: and no allocation", name);
destroy:
	pmalloc_destroy_pool(pool);
}

static void pools_ro(struct pools_report *report)
{
	pools_manual(report, PMALLOC_MODE_RO);
}

static void pools_wr(struct pools_report *report)
{
	pools_manual(report, PMALLOC_MODE_WR);
}

/* AUTO: an exhausted area is protected when the next is taken. */
static void pools_auto_mode(struct pools_report *report, enum pmalloc_mode mode)
{
	bool has_writes = mode == PMALLOC_MODE_AUTO_WR;
	const char *name = pools_modes[mode];
	u8 *first, *last = NULL, *object = NULL;
	struct pmalloc_pool *pool;
	bool open = true;
	u8 byte = 0x5a;

	pool = pools_new(report, mode);
	if (!pool)
		return;
	first = pmalloc(pool, 100);
	if (!pools_check(report, first, "%s: an object", name))
		goto destroy;
	memset(first, 0xa5, 100);
	while (pool->area_count == 1) {
		object = pmalloc(pool, 100);
		if (!object)
			break;
		if (pool->area_count == 1) {
			open = open && !pools_faults(first) && !pools_faults(object);
			memset(object, 0xa5, 100);
			last = object;
		}
	}
	pools_check(report, open, "%s: objects stay writable while the area has room", name);
	pools_check(report, object && pool->area_count == 2, "%s: until it is exhausted", name);
	pools_check(report, pools_faults(first) && last && pools_faults(last),
		    "%s: then the exhausted area is read-only", name);
	pools_check(report, object && !pools_faults(object), "%s: and the next is writable", name);
	pools_check(report, pmalloc_write(pool, last, &byte, 1) == (has_writes ? 0 : -EPERM),
		    "%s: pmalloc_write to the exhausted one", name);
	pools_check(report, last && pools_faults(last), "%s: a write still faults", name);
	pools_check(report, !pmalloc_protect_pool(pool) && object && pools_faults(object),
		    "%s: the rest is protected on demand", name);
destroy:
	pmalloc_destroy_pool(pool);
}

static void pools_auto(struct pools_report *report)
{
	pools_auto_mode(report, PMALLOC_MODE_AUTO_RO);
	pools_auto_mode(report, PMALLOC_MODE_AUTO_WR);
}

static void pools_start(struct pools_report *report)
{
	size_t size = 3 * PAGE_SIZE;
	struct pmalloc_pool *pool;
	u8 byte = 0x5a;
	u8 *object;

	pool = pools_new(report, PMALLOC_MODE_START_WR);
	if (!pool)
		return;
	object = pmalloc(pool, size);
	if (!pools_check(report, object, "START_WR: an object of three pages"))
		goto destroy;
	pools_check(report, pools_all(object, size, true), "START_WR: a write faults at once");
	pools_check(report, pools_is_zero(object, size), "START_WR: it is zeroed");
	pools_check(report, pools_state(pool, object) == ASSAY_PAGE_EMPTY,
		    "START_WR: its pages are empty");
	pools_check(report, !pmalloc_write(pool, object + 1, &byte, 1) && object[1] == byte,
		    "START_WR: pmalloc_write writes");
	pools_check(report, pools_all(object, size, true), "START_WR: a write still faults");
	pools_check(report,
		    pools_state(pool, object) == ASSAY_PAGE_PART &&
			    pools_state(pool, object + size - 1) == ASSAY_PAGE_EMPTY,
		    "START_WR: the page that was written says so, and no other");
	object = pzalloc(pool, 8);
	pools_check(report, object && pools_faults(object), "START_WR: so for the next object");
	pools_check(report, !pmalloc_make_pool_ro(pool), "START_WR: the pool is made read-only");
	pools_check(report, pmalloc_write(pool, object, &byte, 1) == -EPERM && !pmalloc(pool, 1),
		    "START_WR: then it takes no write and no allocation");
destroy:
	pmalloc_destroy_pool(pool);
}

static void pools_reuse(struct pools_report *report)
{
	struct pmalloc_pool *pool = pools_new(report, PMALLOC_MODE_RO);
	u8 *small, *large, *next;
	size_t size;

	if (!pool)
		return;
	small = pmalloc(pool, 8);
	if (!pools_check(report, small, "a small object"))
		goto destroy;
	size = list_first_entry(&pool->areas, struct pmalloc_area, node)->size;
	large = pmalloc(pool, size);
	pools_check(report, large && pool->area_count == 2,
		    "one that the rest of the area is too small for is in another");
	next = pmalloc(pool, 8);
	pools_check(report, next == small + 8 && pool->area_count == 2,
		    "the mostly empty area is used for the next small one");
	pools_check(report,
		    !pmalloc_protect_pool(pool) && pools_faults(small) && large &&
			    pools_all(large, size, true),
		    "both areas are protected together");
	next = pmalloc(pool, 8);
	pools_check(report, next && pool->area_count == 3 && !pools_faults(next),
		    "what is protected is not allocated from");
destroy:
	pmalloc_destroy_pool(pool);
}

static void pools_refused_writes(struct pools_report *report, struct pmalloc_pool *pool, u8 *object,
				 size_t size)
{
	struct pmalloc_area *area = list_first_entry(&pool->areas, struct pmalloc_area, node);
	u8 *base = (u8 *)area->pages.base;
	static u8 elsewhere[16];
	u8 bytes[16] = {};
	const struct {
		u8 *place;
		size_t size;
		const char *what;
	} refused[] = {
		{ object, 0, "no byte" },
		{ object + size - 1, 2, "beyond what was handed out" },
		{ object + size, 1, "behind it" },
		{ base - 1, 2, "from before the area" },
		{ object, SIZE_MAX, "a size that overflows" },
		{ object + 1, SIZE_MAX - 1, "one that wraps to the start" },
		{ elsewhere, 1, "memory that is not the pool's" },
		{ NULL, 1, "NULL" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		pools_check(report,
			    pmalloc_write(pool, refused[i].place, bytes, refused[i].size) ==
				    -EINVAL,
			    "pmalloc_write: %s: is refused", refused[i].what);
}

static void pools_write(struct pools_report *report)
{
	struct pmalloc_pool *pool = pools_new(report, PMALLOC_MODE_START_WR);
	size_t size = 4 * PAGE_SIZE, at = PAGE_SIZE - 3, length = 2 * PAGE_SIZE + 7, i;
	u8 *object, *source = kmalloc(length, GFP_KERNEL);
	bool same = true;

	if (!pool || !source)
		goto free;
	for (i = 0; i < length; i++)
		source[i] = i * 7 + 1;
	object = pmalloc(pool, size);
	if (!pools_check(report, object, "an object of four pages"))
		goto free;
	pools_check(report, !pmalloc_write(pool, object + at, source, length),
		    "an unaligned write over four pages");
	for (i = 0; i < size; i++)
		same = same && object[i] == (i < at || i >= at + length ? 0 : source[i - at]);
	pools_check(report, same, "what it wrote is there, and nothing beside it changed");
	pools_check(report, pools_all(object, size, true), "all pages are read-only again");
	pools_check(report,
		    !pmalloc_write(pool, object + size - 1, source, 1) &&
			    object[size - 1] == source[0],
		    "the last byte can be written");
	pools_refused_writes(report, pool, object, size);
free:
	kfree(source);
	pmalloc_destroy_pool(pool);
}

static void pools_array(struct pools_report *report)
{
	struct pmalloc_pool *pool = pools_new(report, PMALLOC_MODE_WR);
	u8 *array, *next;

	if (!pool)
		return;
	array = pcalloc(pool, 3, 5);
	next = pmalloc_array(pool, 2, 4);
	pools_check(report, array && next == array + 16, "arrays have the size asked for");
	pools_check(report, array && pools_is_zero(array, 15), "pcalloc's is zeroed");
	pools_check(report, !pmalloc_array(pool, SIZE_MAX / 2, 3), "pmalloc_array: overflow");
	pools_check(report, !pmalloc_array(pool, (size_t)1 << 33, (size_t)1 << 33),
		    "pmalloc_array: overflow to a small size");
	pools_check(report, !pcalloc(pool, SIZE_MAX, 2), "pcalloc: overflow");
	pools_check(report, !pmalloc_array(pool, 0, 8) && !pcalloc(pool, 8, 0), "an empty array");
	pools_check(report, !pmalloc(pool, 0) && !pzalloc(pool, 0), "an empty object");
	pools_check(report, !pmalloc(pool, SIZE_MAX) && !pzalloc(pool, SIZE_MAX - PAGE_SIZE),
		    "more than there is address space");
	pools_check(report, !pmalloc(pool, (size_t)1 << 40), "more than any region has");
	pools_check(report, pmalloc(pool, 8) == next + 8, "afterwards the pool goes on");
	/* What is not cleared by pzalloc() alone: a neighbour wrote too far. */
	memset(next, 0xff, 64);
	array = pzalloc(pool, 32);
	pools_check(report, array && pools_is_zero(array, 32), "pzalloc's is zeroed in any case");
	pmalloc_destroy_pool(pool);
}

static void pools_align(struct pools_report *report)
{
	static const short orders[] = { PMALLOC_ALIGN_ORDER_DEFAULT, 0, 6, PAGE_SHIFT };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		size_t align = orders[i] < 0 ? sizeof(void *) : (size_t)1 << orders[i];
		/* One area has room for all of them; two need not lie side by side. */
		struct pmalloc_pool *pool =
			pmalloc_create_custom_pool(16 * PAGE_SIZE, orders[i], PMALLOC_MODE_RO);
		u8 *before = NULL, *object;
		bool good = !IS_ERR(pool);

		for (n = 0; good && n < 5; n++) {
			object = pmalloc(pool, align + 1);
			good = object && IS_ALIGNED((unsigned long)object, align) &&
			       (!before || object == before + ALIGN(align + 1, align));
			before = object;
		}
		pools_check(report, good, "alignment of %zu bytes, without gaps", align);
		if (!IS_ERR(pool))
			pmalloc_destroy_pool(pool);
	}
}

static void pools_refill(struct pools_report *report)
{
	size_t refill = SZ_1M + 1, whole = PAGE_ALIGN(refill);
	struct pmalloc_pool *pool =
		pmalloc_create_custom_pool(refill, PMALLOC_ALIGN_ORDER_DEFAULT, PMALLOC_MODE_RO);
	u8 *first, *second;

	if (!pools_check(report, !IS_ERR(pool), "a pool that grows by a mebibyte and a byte"))
		return;
	first = pmalloc(pool, 1);
	pools_check(report,
		    first && list_first_entry(&pool->areas, struct pmalloc_area, node)->size ==
				     whole,
		    "its area has that, in whole pages");
	second = pmalloc(pool, whole - 8);
	pools_check(report, second == first + 8 && pool->area_count == 1, "all of it can be used");
	second = pmalloc(pool, whole + 1);
	pools_check(report,
		    second && list_first_entry(&pool->areas, struct pmalloc_area, node)->size ==
				      whole + PAGE_SIZE,
		    "a larger object has an area of its own size");
	pmalloc_destroy_pool(pool);
}

static void pools_strings(struct pools_report *report)
{
	static const char text[] = "a string to be kept";
	enum pmalloc_mode mode;

	for (mode = PMALLOC_MODE_RO; mode <= PMALLOC_MODE_START_WR; mode++) {
		struct pmalloc_pool *pool = pools_new(report, mode);
		char *copy, *empty;

		if (!pool)
			continue;
		copy = pstrdup(pool, text);
		empty = pstrdup(pool, "");
		pools_check(report, copy && !strcmp(copy, text) && empty && !*empty,
			    "%s: strings are copied", pools_modes[mode]);
		pools_check(report, !pstrdup(pool, NULL), "%s: NULL is no string",
			    pools_modes[mode]);
		pools_check(report, copy && pools_faults(copy) == (mode == PMALLOC_MODE_START_WR),
			    "%s: as writable as the mode has it", pools_modes[mode]);
		pmalloc_destroy_pool(pool);
	}
}

/* What other mappings of protected memory can do. */
static void pools_aliases(struct pools_report *report)
{
	struct pmalloc_pool *pool = pools_new(report, PMALLOC_MODE_RO);
	u8 *object, *removed, *kept, *mapped;
	struct page *page;

	if (!pool)
		return;
	object = pzalloc(pool, PAGE_SIZE);
	if (!pools_check(report, object, "a page"))
		goto destroy;
	page = virt_to_page(object);
	removed = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	kept = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	if (!pools_check(report, removed && kept, "is mapped twice more, writable"))
		goto unmap;
	removed[1] = 1;
	kept[2] = 2;
	/* Lazily: until TLBs are flushed this CPU may still write there. */
	vunmap(removed);
	pools_check(report, !pmalloc_protect_pool(pool), "the pool is protected");
	pools_check(report, pools_faults(object), "a write through the linear map faults");
	pools_check(report, pools_faults(removed + 1),
		    "a write through a mapping that was removed before faults");
	removed = NULL;
	mapped = vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO);
	pools_check(report, mapped && mapped[1] == 1 && mapped[2] == 2 && pools_faults(mapped),
		    "a read-only mapping of a protected page can be read; a write to it faults");
	vunmap(mapped);
	/* The limit that pmalloc.h states; if this fails, it can promise more. */
	pools_check(report, !pools_faults(kept),
		    "a writable mapping that its owner has kept stays what it was");
unmap:
	vunmap(kept);
	vunmap(removed);
destroy:
	pmalloc_destroy_pool(pool);
}

/**
 * struct pools_worker - one of several that use a pool at the same time
 * @pool: pool
 * @number: of the worker, from 0
 * @count: an object that it writes to, in a pool that has writes
 * @good: whether all went well
 * @done: completed at the end
 */
struct pools_worker {
	struct pmalloc_pool *pool;
	unsigned int number;
	u64 *count;
	bool good;
	struct completion done;
};

static int pools_work(void *data)
{
	struct pools_worker *worker = data;
	struct pmalloc_pool *pool = worker->pool;
	char text[160];
	u64 round;
	char *copy;

	worker->count = pool->mode == PMALLOC_MODE_START_WR ? pzalloc(pool, sizeof(u64)) : NULL;
	worker->good = true;
	memset(text, 'a' + worker->number, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (round = 1; round <= POOLS_ROUNDS && worker->good; round++) {
		copy = pstrdup(pool, text);
		worker->good = copy && !strcmp(copy, text);
		if (pool->mode != PMALLOC_MODE_START_WR)
			continue;
		/* Its page may be open just now, for another worker. */
		worker->good = worker->good && worker->count &&
			       !pmalloc_write(pool, worker->count, &round, sizeof(round)) &&
			       READ_ONCE(*worker->count) == round;
	}
	complete(&worker->done);
	return 0;
}

static void pools_together(struct pools_report *report)
{
	static const enum pmalloc_mode modes[] = { PMALLOC_MODE_RO, PMALLOC_MODE_AUTO_RO,
						   PMALLOC_MODE_START_WR };
	static struct pools_worker workers[POOLS_THREADS];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct pmalloc_pool *pool = pools_new(report, modes[i]);
		bool good = true;

		if (!pool)
			continue;
		for (n = 0; n < POOLS_THREADS; n++) {
			struct task_struct *task;

			workers[n].pool = pool;
			workers[n].number = n;
			workers[n].good = false;
			init_completion(&workers[n].done);
			task = kthread_run(pools_work, &workers[n], "pools/%u", n);
			if (IS_ERR(task))
				complete(&workers[n].done);
		}
		for (n = 0; n < POOLS_THREADS; n++) {
			wait_for_completion(&workers[n].done);
			good = good && workers[n].good;
		}
		for (n = 0; n < POOLS_THREADS; n++)
			good = good && (!workers[n].count || pools_faults(workers[n].count));
		pools_check(report, good, "%s: %u threads use a pool at the same time",
			    pools_modes[modes[i]], POOLS_THREADS);
		pmalloc_destroy_pool(pool);
	}
}

static const struct pools_case {
	const char *name;
	void (*run)(struct pools_report *report);
} pools_cases[] = {
	{ "create", pools_create },	{ "ro", pools_ro },	      { "wr", pools_wr },
	{ "auto", pools_auto },		{ "start", pools_start },     { "reuse", pools_reuse },
	{ "write", pools_write },	{ "array", pools_array },     { "align", pools_align },
	{ "refill", pools_refill },	{ "strings", pools_strings }, { "aliases", pools_aliases },
	{ "together", pools_together },
};

static int pools_case_open(struct inode *inode, struct file *file)
{
	const struct pools_case *test = inode->i_private;
	struct pools_report *report = kvzalloc(sizeof(*report), GFP_KERNEL);

	if (!report)
		return -ENOMEM;
	test->run(report);
	file->private_data = report;
	return 0;
}

static ssize_t pools_case_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct pools_report *report = file->private_data;

	return simple_read_from_buffer(to, size, position, report->text, report->size);
}

static int pools_case_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static const struct file_operations pools_case_fops = {
	.owner = THIS_MODULE,
	.open = pools_case_open,
	.read = pools_case_read,
	.release = pools_case_release,
};

/* ------------------------------------------------------------------ hold, cycle */
static DEFINE_MUTEX(pools_lock); /* protects the two below */
static struct pmalloc_pool *pools_held;
static void **pools_object;

static void pools_drop(void)
{
	if (pools_object)
		kfree(*pools_object);
	pools_object = NULL;
	pmalloc_destroy_pool(pools_held);
	pools_held = NULL;
}

static int pools_hold(unsigned int mode, unsigned int pages)
{
	struct pmalloc_pool *pool;
	void *other;
	int ret;

	if (pools_held)
		return -EBUSY;
	pool = pmalloc_create_custom_pool((size_t)pages << PAGE_SHIFT, -1, mode);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	pools_held = pool;
	pools_object = pzalloc(pool, (size_t)pages << PAGE_SHIFT);
	if (!pools_object) {
		pools_drop();
		return -ENOMEM;
	}
	other = kzalloc(64, GFP_KERNEL);
	if (mode == PMALLOC_MODE_START_WR)
		ret = pmalloc_write(pool, pools_object, &other, sizeof(other));
	else
		*pools_object = other;
	ret = pmalloc_protect_pool(pool);
	if (ret)
		pools_drop();
	return ret;
}

static int pools_first_error(int before, int now)
{
	return before ? before : now;
}

/* All that a pool can do, in its mode; it goes on after an error. */
static int pools_cycle(unsigned int mode, unsigned int pages)
{
	size_t size = (size_t)pages << PAGE_SHIFT;
	u8 byte = 0x5a, *first, *second;
	struct pmalloc_pool *pool;
	int ret;

	pool = pmalloc_create_custom_pool(size, -1, mode);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	first = pmalloc(pool, size);
	second = pmalloc(pool, 100);
	ret = first && second ? 0 : -ENOMEM;
	if (first && mode == PMALLOC_MODE_START_WR)
		ret = pools_first_error(ret, pmalloc_write(pool, first + 1, &byte, 1));
	ret = pools_first_error(ret, pmalloc_protect_pool(pool));
	if (second && mode == PMALLOC_MODE_WR)
		ret = pools_first_error(ret, pmalloc_write(pool, second, &byte, 1));
	ret = pools_first_error(ret, pmalloc_make_pool_ro(pool));
	pmalloc_destroy_pool(pool);
	return ret;
}

static ssize_t pools_command(const char __user *from, size_t size,
			     int (*command)(unsigned int mode, unsigned int pages))
{
	unsigned int mode, pages;
	char text[32] = "";
	int ret;

	if (size >= sizeof(text) || copy_from_user(text, from, size))
		return -EINVAL;
	mutex_lock(&pools_lock);
	if (sysfs_streq(text, "release")) {
		pools_drop();
		ret = 0;
	} else if (sscanf(text, "%u %u", &mode, &pages) == 2) {
		ret = command(mode, pages);
	} else {
		ret = -EINVAL;
	}
	mutex_unlock(&pools_lock);
	return ret ? ret : size;
}

static ssize_t pools_hold_write(struct file *file, const char __user *from, size_t size,
				loff_t *position)
{
	return pools_command(from, size, pools_hold);
}

static ssize_t pools_hold_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	char text[48] = "";

	mutex_lock(&pools_lock);
	if (pools_object)
		snprintf(text, sizeof(text), "0x%016lx %#llx\n", (unsigned long)pools_object,
			 (u64)__pa(pools_object));
	mutex_unlock(&pools_lock);
	return simple_read_from_buffer(to, size, position, text, strlen(text));
}

static ssize_t pools_cycle_write(struct file *file, const char __user *from, size_t size,
				 loff_t *position)
{
	return pools_command(from, size, pools_cycle);
}

static const struct file_operations pools_hold_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = pools_hold_read,
	.write = pools_hold_write,
};

static const struct file_operations pools_cycle_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = pools_cycle_write,
};

static struct dentry *pools_directory;

static int __init pools_init(void)
{
	unsigned int i;

	pools_directory = debugfs_create_dir("pools", NULL);
	for (i = 0; i < ARRAY_SIZE(pools_cases); i++)
		debugfs_create_file(pools_cases[i].name, 0400, pools_directory,
				    (void *)&pools_cases[i], &pools_case_fops);
	debugfs_create_file("hold", 0600, pools_directory, NULL, &pools_hold_fops);
	debugfs_create_file("cycle", 0200, pools_directory, NULL, &pools_cycle_fops);
	return 0;
}
module_init(pools_init);

static void __exit pools_exit(void)
{
	debugfs_remove_recursive(pools_directory);
	pools_drop();
}
module_exit(pools_exit);

MODULE_DESCRIPTION("Tests of protectable memory pools");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "ASSAY");
