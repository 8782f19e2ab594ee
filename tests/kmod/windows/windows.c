// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another module's use of windows, for tests and benchmarks: claims and releases them
 * as it is told to, through /dev/windows. What one opener claims is its own and goes
 * back when it closes; several may work at once. A command is written, what came of it
 * is read:
 *
 *	hold REGION PAGES COUNT
 *		claim windows anywhere and keep them
 *		-> "held N error E", E of the claim that failed, or 0
 *	churn REGION FIRST SPAN PAGES WINDOWS ROUNDS SEED
 *		claim and release in random order at exact addresses, up to WINDOWS at
 *		once, in SPAN pages from page FIRST of the region; each window is
 *		written when claimed and looked at when released
 *		-> "claimed N failed F error E at PFN changed W shared S most M
 *		    claim_us MEDIAN P99 MAX release_us MEDIAN P99 MAX"
 *	time claim|clear|dma REGION FIRST PAGES BATCH ROUNDS
 *		claim BATCH buffers one behind the other, release them, ROUNDS times:
 *		windows at exact addresses, windows that are cleared, or
 *		dma_alloc_pages(), which clears, from the same CMA area
 *		-> "claimed N failed F error E outside O claim_ns MEDIAN P99 MAX
 *		    claims_ns TOTAL releases_ns TOTAL"
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "region.h"
#include "window.h"

#define WINDOWS_MAX_ROUNDS 1000000

/**
 * struct session - an opener
 * @lock: one command at a time
 * @held: windows of "hold"
 * @held_count: how many
 * @text: what came of the last command
 */
struct session {
	struct mutex lock; /* see above */
	struct assay_window **held;
	unsigned int held_count;
	char text[320];
};

static struct platform_device *dma_user;

/* Adds to what the opener reads. */
static __printf(2, 3) void say(struct session *session, const char *format, ...)
{
	size_t used = strlen(session->text);
	va_list arguments;

	va_start(arguments, format);
	vscnprintf(session->text + used, sizeof(session->text) - used, format, arguments);
	va_end(arguments);
}

/* ------------------------------------------------------------------ latencies */
struct times {
	u64 *ns;
	unsigned int count;
	u64 total;
};

static int times_open(struct times *times, unsigned int most)
{
	times->ns = kvcalloc(most, sizeof(*times->ns), GFP_KERNEL);
	times->count = 0;
	times->total = 0;
	return times->ns ? 0 : -ENOMEM;
}

static void times_add(struct times *times, u64 from)
{
	u64 ns = ktime_get_ns() - from;

	times->ns[times->count++] = ns;
	times->total += ns;
}

static int compare_u64(const void *a, const void *b)
{
	u64 left = *(const u64 *)a, right = *(const u64 *)b;

	return left < right ? -1 : left > right;
}

static void times_sort(struct times *times)
{
	sort(times->ns, times->count, sizeof(*times->ns), compare_u64, NULL);
}

/* After times_sort(): what so many of a thousand were not above. */
static u64 times_at(const struct times *times, unsigned int per_mille)
{
	if (!times->count)
		return 0;
	return times->ns[(u64)(times->count - 1) * per_mille / 1000];
}

static void say_times_us(struct session *session, const char *name, struct times *times)
{
	times_sort(times);
	say(session, "%s %llu %llu %llu", name, div_u64(times_at(times, 500), 1000),
	    div_u64(times_at(times, 990), 1000), div_u64(times_at(times, 1000), 1000));
}

/* ------------------------------------------------------------------ hold */
static int hold(struct session *session, const char *arguments)
{
	unsigned int id, count, i;
	struct assay_region *region;
	unsigned long pages;
	long error = 0;

	if (sscanf(arguments, "%u %lu %u", &id, &pages, &count) != 3 || session->held || !count ||
	    count > WINDOWS_MAX_ROUNDS)
		return -EINVAL;
	region = assay_region_get(id);
	if (!region)
		return -ENODEV;
	session->held = kvcalloc(count, sizeof(*session->held), GFP_KERNEL);
	if (!session->held)
		return -ENOMEM;
	for (i = 0; i < count && !error; i++) {
		struct assay_window *window;

		window = assay_window_claim(region, ASSAY_ANYWHERE, pages, "windows");
		if (IS_ERR(window))
			error = PTR_ERR(window);
		else
			session->held[session->held_count++] = window;
	}
	say(session, "held %u error %ld\n", session->held_count, error);
	return 0;
}

/* ------------------------------------------------------------------ churn */
/**
 * struct slot - a place for a window
 * @pfn: first page frame
 * @window: what is there, if it is claimed
 * @seed: of the window's content
 */
struct slot {
	unsigned long pfn;
	struct assay_window *window;
	u64 seed;
};

/**
 * struct churn - one command
 * @region: where
 * @pages: of a window
 * @windows: at most so many at once
 * @rounds: claims to make
 * @random: seeded by the command, so that it can be repeated
 * @slots: those in use come first
 * @slot_count: how many
 * @used: how many are in use
 * @most: of @used so far
 * @failed: claims that failed
 * @error: of the first of these
 * @failed_pfn: and where
 * @changed: windows whose content was not what had been written
 * @shared: pages that somebody else had as well when they were claimed
 * @claims: latencies of claims that succeeded
 * @releases: latencies
 */
struct churn {
	struct assay_region *region;
	unsigned long pages;
	unsigned int windows;
	unsigned int rounds;
	struct rnd_state random;
	struct slot *slots;
	unsigned int slot_count;
	unsigned int used;
	unsigned int most;
	unsigned int failed;
	long error;
	unsigned long failed_pfn;
	unsigned int changed;
	unsigned int shared;
	struct times claims;
	struct times releases;
};

static unsigned int churn_random(struct churn *churn, unsigned int below)
{
	return prandom_u32_state(&churn->random) % below;
}

static void churn_write(const struct churn *churn, const struct slot *slot)
{
	u64 *word = assay_window_address(slot->window);
	unsigned long i;

	for (i = 0; i < churn->pages * (PAGE_SIZE / sizeof(*word)); i++)
		word[i] = slot->seed + i;
}

static bool churn_same(const struct churn *churn, const struct slot *slot)
{
	const u64 *word = assay_window_address(slot->window);
	unsigned long i;

	for (i = 0; i < churn->pages * (PAGE_SIZE / sizeof(*word)); i++)
		if (word[i] != slot->seed + i)
			return false;
	return true;
}

static void churn_claim(struct churn *churn)
{
	unsigned int chosen = churn->used + churn_random(churn, churn->slot_count - churn->used);
	struct slot *slot = &churn->slots[chosen];
	u64 from = ktime_get_ns();
	unsigned long i;

	slot->window = assay_window_claim(churn->region, slot->pfn, churn->pages, "churn");
	if (IS_ERR(slot->window)) {
		if (!churn->failed++) {
			churn->error = PTR_ERR(slot->window);
			churn->failed_pfn = slot->pfn;
		}
		slot->window = NULL;
		return;
	}
	times_add(&churn->claims, from);
	for (i = 0; i < churn->pages; i++) {
		struct page *page = pfn_to_page(slot->pfn + i);

		churn->shared += page_count(page) != 1 || folio_mapped(page_folio(page));
	}
	slot->seed = ((u64)prandom_u32_state(&churn->random) << 32) ^ slot->pfn;
	churn_write(churn, slot);
	swap(*slot, churn->slots[churn->used]);
	churn->used++;
	churn->most = max(churn->most, churn->used);
}

static void churn_release(struct churn *churn)
{
	struct slot *slot = &churn->slots[churn_random(churn, churn->used)];
	u64 from;

	churn->changed += !churn_same(churn, slot);
	from = ktime_get_ns();
	assay_window_release(slot->window);
	times_add(&churn->releases, from);
	slot->window = NULL;
	churn->used--;
	swap(*slot, churn->slots[churn->used]);
}

/* Up to all windows and down to none, again and again, with steps back on the way. */
static void churn_run(struct churn *churn)
{
	bool filling = true;

	while (churn->claims.count + churn->failed < churn->rounds &&
	       !fatal_signal_pending(current)) {
		bool claim;

		if (!churn->used)
			filling = true;
		else if (churn->used == churn->windows)
			filling = false;
		claim = filling ^ !churn_random(churn, 4);
		if (claim && churn->used < churn->windows)
			churn_claim(churn);
		else if (!claim && churn->used)
			churn_release(churn);
		cond_resched();
	}
	while (churn->used)
		churn_release(churn);
}

/* Slots of which no page belongs to a window already. */
static void churn_find_slots(struct churn *churn, unsigned long first, unsigned long span)
{
	struct assay_region *region = churn->region;
	unsigned long page;

	mutex_lock(&region->lock);
	for (page = first; page + churn->pages <= first + span; page += churn->pages)
		if (find_next_bit(region->taken, page + churn->pages, page) >= page + churn->pages)
			churn->slots[churn->slot_count++].pfn = region->pfn + page;
	mutex_unlock(&region->lock);
}

static int churn(struct session *session, const char *arguments)
{
	struct churn churn = {};
	unsigned long first, span;
	unsigned int id, seed;
	int ret = -ENOMEM;

	if (sscanf(arguments, "%u %lu %lu %lu %u %u %u", &id, &first, &span, &churn.pages,
		   &churn.windows, &churn.rounds, &seed) != 7)
		return -EINVAL;
	churn.region = assay_region_get(id);
	if (!churn.region)
		return -ENODEV;
	if (first > churn.region->count || span > churn.region->count - first || !churn.pages ||
	    churn.pages > span || !churn.windows || churn.rounds > WINDOWS_MAX_ROUNDS)
		return -EINVAL;
	prandom_seed_state(&churn.random, seed);
	churn.slots = kvcalloc(span / churn.pages, sizeof(*churn.slots), GFP_KERNEL);
	if (times_open(&churn.claims, churn.rounds) || times_open(&churn.releases, churn.rounds) ||
	    !churn.slots)
		goto out;
	churn_find_slots(&churn, first, span);
	ret = -ENOSPC;
	if (churn.slot_count < churn.windows)
		goto out;
	churn_run(&churn);
	say(session, "claimed %u failed %u error %ld at %#lx changed %u shared %u most %u",
	    churn.claims.count, churn.failed, churn.error, churn.failed_pfn, churn.changed,
	    churn.shared, churn.most);
	say_times_us(session, " claim_us", &churn.claims);
	say_times_us(session, " release_us", &churn.releases);
	say(session, "\n");
	ret = 0;
out:
	kvfree(churn.claims.ns);
	kvfree(churn.releases.ns);
	kvfree(churn.slots);
	return ret;
}

/* ------------------------------------------------------------------ time */
enum way {
	WAY_CLAIM,
	WAY_CLEAR,
	WAY_DMA,
};

static const char *const way_names[] = { "claim", "clear", "dma" };

/**
 * struct buffer - one of a batch
 * @window: of a window
 * @page: of dma_alloc_pages()
 * @dma: its address for the device
 */
struct buffer {
	struct assay_window *window;
	struct page *page;
	dma_addr_t dma;
};

/* 0, an error, or 1 for pages from outside of the area: its allocator falls back on others. */
static int buffer_get(struct buffer *buffer, enum way way, struct assay_region *region,
		      unsigned long pfn, unsigned long pages)
{
	if (way == WAY_DMA) {
		buffer->page = dma_alloc_pages(&dma_user->dev, pages * PAGE_SIZE, &buffer->dma,
					       DMA_BIDIRECTIONAL, GFP_KERNEL | __GFP_NOWARN);
		if (!buffer->page)
			return -ENOMEM;
		return page_to_pfn(buffer->page) - region->pfn >= region->count;
	}
	buffer->window = assay_window_claim(region, pfn, pages, "time");
	if (IS_ERR(buffer->window)) {
		int ret = PTR_ERR(buffer->window);

		buffer->window = NULL;
		return ret;
	}
	if (way == WAY_CLEAR)
		memset(assay_window_address(buffer->window), 0, pages * PAGE_SIZE);
	return 0;
}

static void buffer_put(struct buffer *buffer, unsigned long pages)
{
	if (buffer->page)
		dma_free_pages(&dma_user->dev, pages * PAGE_SIZE, buffer->page, buffer->dma,
			       DMA_BIDIRECTIONAL);
	assay_window_release(buffer->window);
	*buffer = (struct buffer){};
}

static int time_ways(struct session *session, const char *arguments)
{
	unsigned int id, batch, rounds, i, failed = 0, outside = 0;
	struct times claims = {}, releases = {};
	struct buffer *buffers = NULL;
	struct assay_region *region;
	unsigned long first, pages;
	int way, error = 0, ret;
	char name[8];

	if (sscanf(arguments, "%7s %u %lu %lu %u %u", name, &id, &first, &pages, &batch, &rounds) !=
	    6)
		return -EINVAL;
	way = match_string(way_names, ARRAY_SIZE(way_names), name);
	if (way < 0 || !batch || !rounds || (u64)batch * rounds > WINDOWS_MAX_ROUNDS)
		return -EINVAL;
	region = assay_region_get(id);
	if (!region)
		return -ENODEV;
	if (way == WAY_DMA && !region->cma)
		return -EOPNOTSUPP;
#ifdef CONFIG_DMA_CMA
	if (region->cma)
		dma_user->dev.cma_area = region->cma->cma_area;
#endif

	ret = -ENOMEM;
	buffers = kvcalloc(batch, sizeof(*buffers), GFP_KERNEL);
	if (!buffers || times_open(&claims, batch * rounds) || times_open(&releases, rounds))
		goto out;
	while (rounds-- && !fatal_signal_pending(current)) {
		u64 from;

		for (i = 0; i < batch; i++) {
			from = ktime_get_ns();
			ret = buffer_get(&buffers[i], way, region, region->pfn + first + i * pages,
					 pages);
			if (ret < 0) {
				failed++;
				error = ret;
				continue;
			}
			times_add(&claims, from);
			outside += ret;
		}
		from = ktime_get_ns();
		for (i = 0; i < batch; i++)
			buffer_put(&buffers[i], pages);
		times_add(&releases, from);
		cond_resched();
	}
	times_sort(&claims);
	say(session, "claimed %u failed %u error %d outside %u", claims.count, failed, error,
	    outside);
	say(session, " claim_ns %llu %llu %llu", times_at(&claims, 500), times_at(&claims, 990),
	    times_at(&claims, 1000));
	say(session, " claims_ns %llu releases_ns %llu\n", claims.total, releases.total);
	ret = 0;
out:
	kvfree(claims.ns);
	kvfree(releases.ns);
	kvfree(buffers);
	return ret;
}

/* ------------------------------------------------------------------ /dev/windows */
static const struct {
	const char *name;
	int (*run)(struct session *session, const char *arguments);
} commands[] = {
	{ "hold ", hold },
	{ "churn ", churn },
	{ "time ", time_ways },
};

static int windows_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;
	mutex_init(&session->lock);
	file->private_data = session;
	return 0;
}

static int windows_release(struct inode *inode, struct file *file)
{
	struct session *session = file->private_data;

	while (session->held_count)
		assay_window_release(session->held[--session->held_count]);
	kvfree(session->held);
	kfree(session);
	return 0;
}

static ssize_t windows_write(struct file *file, const char __user *from, size_t size,
			     loff_t *position)
{
	struct session *session = file->private_data;
	int ret = -EINVAL;
	unsigned int i;
	char *command;

	if (size > PAGE_SIZE)
		return -EINVAL;
	command = memdup_user_nul(from, size);
	if (IS_ERR(command))
		return PTR_ERR(command);
	mutex_lock(&session->lock);
	session->text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (str_has_prefix(command, commands[i].name))
			ret = commands[i].run(session, command + strlen(commands[i].name));
	*position = 0; /* what is read next is of this command */
	mutex_unlock(&session->lock);
	kfree(command);
	return ret ? ret : size;
}

static ssize_t windows_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct session *session = file->private_data;
	ssize_t ret;

	mutex_lock(&session->lock);
	ret = simple_read_from_buffer(to, size, position, session->text, strlen(session->text));
	mutex_unlock(&session->lock);
	return ret;
}

static const struct file_operations windows_fops = {
	.owner = THIS_MODULE,
	.open = windows_open,
	.release = windows_release,
	.read = windows_read,
	.write = windows_write,
};

static struct miscdevice windows_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "windows",
	.fops = &windows_fops,
};

MODULE_DESCRIPTION("Claims and releases windows, for tests");
MODULE_AUTHOR("The assay authors");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "ASSAY");

static int __init windows_init(void)
{
	int ret;

	dma_user = platform_device_register_simple("windows-dma", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(dma_user))
		return PTR_ERR(dma_user);
	ret = dma_coerce_mask_and_coherent(&dma_user->dev, DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&windows_misc);
	if (ret)
		platform_device_unregister(dma_user);
	return ret;
}
module_init(windows_init);

static void __exit windows_exit(void)
{
	misc_deregister(&windows_misc);
	platform_device_unregister(dma_user);
}
module_exit(windows_exit);
