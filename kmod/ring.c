// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the bytes of the log lie: a header page and a ring behind it, in a protected
 * window. Knows bytes, offsets and pages; not records, nor what the header
 * says of them.
 *
 * Offsets only grow; a byte's place in the ring is its offset modulo the ring's size.
 * A write is three steps, alone, in this order:
 *
 *	assay_ring_begin()	room for all of its bytes, or an error and nothing has
 *				changed; the pages they touch and the header are open
 *	assay_ring_put()	the bytes, in pieces; and any field of the header but tail
 *	assay_ring_end()	readers see the new tail; the pages are closed
 *
 * The window is the ring's address range, and nobody else can claim in it. Its memory
 * comes and goes chunk by chunk:
 *
 *	freed <= floor <= head <= tail <= limit <= ceiling <= freed + size
 *
 *	[floor, limit)	memory that is claimed: what is written, and what will be. A
 *			worker claims some of it ahead of need, so that neither moving
 *			other data away nor clearing is waited for by an append, unless
 *			it is larger than what there is ahead
 *	[limit, ceiling) memory that readers see already, and that is not written yet: only
 *			while a chunk comes
 *	[freed, floor)	memory that readers do not see any more and that is given back just now
 *	the rest	the kernel's; readers see zeros
 *
 * All but head and tail are borders of chunks. Chunks end where the ring does.
 *
 * Called by the ledger, which serialises writes, and by reader.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "layout.h"
#include "region.h"
#include "ring.h"
#include "window.h"

static_assert(sizeof(struct assay_log_header) <= PAGE_SIZE);

static struct assay_layout assay_ring_layout(const struct assay_ring *ring)
{
	return (struct assay_layout){ .size = ring->size, .chunk = ring->chunk };
}

/* Where an offset of the log is in the ring. */
static u64 assay_ring_place(const struct assay_ring *ring, u64 offset)
{
	const struct assay_layout layout = assay_ring_layout(ring);

	return assay_layout_place(&layout, offset);
}

/* The window's first page is the header's, the ring has all others. */
static unsigned long assay_ring_page(u64 place)
{
	return 1 + (place >> PAGE_SHIFT);
}

/* What a write of @size bytes at the tail touches: the header, and the ring in up to two parts. */
static unsigned int assay_ring_ranges(const struct assay_ring *ring, u64 size,
				      struct assay_log_range ranges[ASSAY_OPEN_MAX])
{
	u64 place = assay_ring_place(ring, ring->tail);
	u64 first = min(size, ring->size - place);
	unsigned int n = 0;

	ranges[n++] = (struct assay_log_range){ 0, sizeof(*ring->header) };
	if (first)
		ranges[n++] = (struct assay_log_range){ PAGE_SIZE + place, first };
	if (size > first)
		ranges[n++] = (struct assay_log_range){ PAGE_SIZE, size - first };
	return n;
}

/* Open them. */
static int assay_ring_open(struct assay_ring *ring, u64 size, struct assay_ring_write *write)
{
	unsigned int n = assay_ring_ranges(ring, size, write->ranges);
	int ret;

	ret = assay_log_window_begin(&ring->memory, write->ranges, n, &write->open);
	if (ret)
		return ret;
	write->header = (void *)write->open.address[0];
	write->at = ring->tail;
	return 0;
}

/* Bring the descriptors of the ring's pages up to date for bytes [@offset, @end) of the log. */
static void assay_ring_account(struct assay_ring *ring, u64 offset, u64 end)
{
	u64 first = ALIGN_DOWN(offset, PAGE_SIZE);

	for (; first < end; first += PAGE_SIZE) {
		u64 place = assay_ring_place(ring, first);
		struct assay_page_desc *desc = &ring->window->desc[assay_ring_page(place)];

		assay_page_set_used(desc, min_t(u64, end - first, PAGE_SIZE));
	}
}

/* ------------------------------------------------------------------ chunks */
/*
 * What readers have mapped of the ring's bytes [@place, @place + @size), in both copies, after
 * @floor or @ceiling has changed. A reader's fault that still sees the old value has made its
 * page table before, and finishes before that is unmapped: see assay_reader_set_pte().
 */
static void assay_ring_unmap(struct assay_ring *ring, u64 place, u64 size)
{
	/* Pairs with assay_ring_mapped_pfn(). */
	smp_mb();
	unmap_mapping_range(ring->mapping, PAGE_SIZE + place, size, 0);
	unmap_mapping_range(ring->mapping, PAGE_SIZE + ring->size + place, size, 0);
}

/* From a border of chunks to the next. */
static u64 assay_ring_chunk(const struct assay_ring *ring, u64 border)
{
	const struct assay_layout layout = assay_ring_layout(ring);

	return assay_layout_chunk(&layout, border);
}

static int assay_ring_claim_chunk(struct assay_ring *ring)
{
	u64 place = assay_ring_place(ring, ring->limit);
	u64 size = assay_ring_chunk(ring, ring->limit);
	int ret;

	ret = assay_log_window_fill(&ring->memory, assay_ring_page(place), size >> PAGE_SHIFT,
				    ASSAY_PAGE_RING);
	if (ret)
		return ret;
	WRITE_ONCE(ring->ceiling, ring->limit + size);
	/* Of zeros. Nothing is written there before: who has that mapped would not see it. */
	assay_ring_unmap(ring, place, size);
	/* An append that sees the new limit may write there: readers' zeros are gone by then. */
	smp_store_release(&ring->limit, ring->ceiling);
	return 0;
}

static u64 assay_ring_end_of_room(const struct assay_ring *ring)
{
	return READ_ONCE(ring->freed) + ring->size;
}

/* The highest border that is not above @head. */
static u64 assay_ring_border(const struct assay_ring *ring, u64 head)
{
	const struct assay_layout layout = assay_ring_layout(ring);

	return assay_layout_below(&layout, head);
}

/* Claim chunks until there is memory up to @end, or no room for more. */
static int assay_ring_grow_to(struct assay_ring *ring, u64 end)
{
	int ret = 0;

	if (mutex_lock_killable(&ring->grow_lock))
		return -EINTR;
	while (!ret && ring->limit < min(end, assay_ring_end_of_room(ring)))
		ret = assay_ring_claim_chunk(ring);
	mutex_unlock(&ring->grow_lock);
	return ret;
}

static void assay_ring_grow(struct work_struct *work)
{
	struct assay_ring *ring = container_of(work, struct assay_ring, grow);

	/* If that fails, after a message, the next append tries again. */
	assay_ring_grow_to(ring, READ_ONCE(ring->tail) + ring->ahead);
}

static void assay_ring_claim_ahead(struct assay_ring *ring)
{
	if (READ_ONCE(ring->limit) <
	    min(READ_ONCE(ring->tail) + ring->ahead, assay_ring_end_of_room(ring)))
		queue_work(assay_regions_queue, &ring->grow);
}

/* ------------------------------------------------------------------ writing */
/**
 * assay_ring_room() - the most bytes that a write may have
 * @ring: created ring
 *
 * Room in the window: whether the memory can be claimed turns out when it is.
 */
u64 assay_ring_room(const struct assay_ring *ring)
{
	return assay_ring_end_of_room(ring) - ring->tail;
}

/**
 * assay_ring_room_after() - the same, once the head has moved
 * @ring: started ring
 * @head: where to
 *
 * Return: bytes; more than now only where whole chunks are below @head.
 */
u64 assay_ring_room_after(const struct assay_ring *ring, u64 head)
{
	if (ring->stuck)
		return assay_ring_room(ring);
	return max(ring->freed, assay_ring_border(ring, head)) + ring->size - ring->tail;
}

/* Memory for @size bytes at the tail. */
static int assay_ring_reserve(struct assay_ring *ring, u64 size)
{
	int ret = 0;

	if (size > assay_ring_room(ring))
		return -ENOSPC;
	/* Pairs with assay_ring_claim_chunk(): readers see what is written below it. */
	if (ring->tail + size > smp_load_acquire(&ring->limit))
		ret = assay_ring_grow_to(ring, ring->tail + size);
	return !ret || ret == -EINTR ? ret : -ENOSPC;
}

/**
 * assay_ring_begin() - start to write at the tail
 * @ring: created ring
 * @size: bytes that will be put, exactly; 0 to write to the header alone
 * @write: set: to be passed to the other steps
 *
 * Return: 0, and assay_ring_end() must follow; -ENOSPC (no room, or its memory
 * cannot be claimed now), -EINTR (killed while it was claimed), or what
 * assay_log_window_begin() returns: nothing has changed.
 */
int assay_ring_begin(struct assay_ring *ring, u64 size, struct assay_ring_write *write)
{
	int ret;

	ret = assay_ring_reserve(ring, size);
	if (ret)
		return ret;
	ret = assay_ring_open(ring, size, write);
	if (ret)
		return ret;
	WRITE_ONCE(write->header->sequence, ++ring->sequence);
	/* Who sees any of the changes, also after a reset, sees that the sequence is odd. */
	assay_ring_write_back(ring, &write->header->sequence, ASSAY_LOG_LINE);
	return 0;
}

/**
 * assay_ring_put() - the next bytes
 * @ring: ring being written
 * @write: from assay_ring_begin()
 * @data: bytes
 * @size: how many
 */
void assay_ring_put(const struct assay_ring *ring, struct assay_ring_write *write, const u8 *data,
		    size_t size)
{
	u64 at = write->at - ring->tail;
	unsigned int i;

	write->at += size;
	for (i = 1; size; i++) {
		u64 room = write->ranges[i].size;

		if (at < room) {
			size_t piece = min_t(u64, size, room - at);

			memcpy((u8 *)write->open.address[i] + at, data, piece);
			data += piece;
			size -= piece;
			at += piece;
		}
		at -= room;
	}
}

/**
 * assay_ring_set_head() - during a write, move the head
 * @ring: ring being written
 * @write: from assay_ring_begin()
 * @offset: of the oldest byte from now on
 */
void assay_ring_set_head(struct assay_ring *ring, struct assay_ring_write *write, u64 offset)
{
	WRITE_ONCE(ring->head, offset);
	WRITE_ONCE(write->header->head, offset);
}

/**
 * assay_ring_end() - publish what was put
 * @ring: ring being written
 * @write: from assay_ring_begin()
 *
 * Return: 0, or -EIO after a message if a page could not be protected again: what
 * was put is written and published, and nothing is from then on.
 */
int assay_ring_end(struct assay_ring *ring, struct assay_ring_write *write)
{
	bool grown = write->at > ring->tail;
	unsigned int i;
	int ret;

	/* After a reset, too, what the tail and the sequence stand for is there. */
	for (i = 0; i < write->open.count; i++)
		assay_ring_write_back(ring, (void *)write->open.address[i], write->ranges[i].size);
	assay_ring_account(ring, ring->tail, write->at);
	/* Pairs with assay_ring_get(). */
	smp_store_release(&ring->tail, write->at);
	/* Readers that see the new tail see all of it, and what the header says of it. */
	smp_store_release(&write->header->tail, ring->tail);
	/* Likewise. */
	smp_store_release(&write->header->sequence, ++ring->sequence);
	assay_ring_write_back(ring, &write->header->sequence, ASSAY_LOG_LINE);
	ret = assay_log_window_end(&ring->memory, &write->open);
	if (grown) {
		wake_up_interruptible_poll(&ring->readers, EPOLLIN | EPOLLRDNORM);
		assay_ring_claim_ahead(ring);
	}
	return ret;
}

/* From now on readers see zeros in the chunks that end at or below the head. */
static void assay_ring_hide(struct assay_ring *ring)
{
	u64 at = ring->floor, end = assay_ring_border(ring, ring->head);

	/* The head is above these chunks already: who copies from them does so until here. */
	write_lock(&ring->copy_lock);
	WRITE_ONCE(ring->floor, end);
	write_unlock(&ring->copy_lock);
	while (at < end) {
		u64 size = assay_ring_chunk(ring, at);

		assay_ring_unmap(ring, assay_ring_place(ring, at), size);
		at += size;
	}
}

/**
 * assay_ring_give_back() - give memory that holds nothing above the head to the kernel
 * @ring: created ring; the caller serialises calls, and moves of the head
 *
 * Whole chunks, after they have been unmapped from all readers. What cannot be given back is
 * kept, after a message, and the ring has that much less room from then on.
 */
void assay_ring_give_back(struct assay_ring *ring)
{
	assay_ring_hide(ring);
	while (!ring->stuck && ring->freed < ring->floor) {
		unsigned long page = assay_ring_page(assay_ring_place(ring, ring->freed));
		u64 size = assay_ring_chunk(ring, ring->freed);

		ring->stuck = !assay_log_window_empty(&ring->memory, page, size >> PAGE_SHIFT);
		if (!ring->stuck)
			WRITE_ONCE(ring->freed, ring->freed + size);
	}
	assay_ring_claim_ahead(ring);
}

/* ------------------------------------------------------------------ reading */
static ssize_t assay_ring_get_locked(struct assay_ring *ring, u64 offset, u8 *buffer, size_t size)
{
	/* Pairs with assay_ring_end(): what is below the tail is written. */
	u64 tail = smp_load_acquire(&ring->tail);
	u64 place = assay_ring_place(ring, offset);
	size_t first;

	if (offset < READ_ONCE(ring->head))
		return -ESTALE;
	if (offset > tail)
		return -EINVAL;
	size = min_t(u64, size, tail - offset);
	first = min_t(u64, size, ring->size - place);
	memcpy(buffer, ring->bytes + place, first);
	memcpy(buffer + first, ring->bytes, size - first);
	return size;
}

/**
 * assay_ring_get() - copy bytes of the log
 * @ring: created ring
 * @offset: of the first
 * @buffer: to copy to; memory of the kernel
 * @size: most bytes to copy
 *
 * Copies a page at most, since what it copies is not given back meanwhile: a spinning lock
 * keeps the reader running until it is done.
 *
 * Return: how many, 0 if @offset is the tail; -ESTALE if it is below the head;
 * -EINVAL if it is behind the tail.
 */
ssize_t assay_ring_get(struct assay_ring *ring, u64 offset, u8 *buffer, size_t size)
{
	ssize_t ret;

	read_lock(&ring->copy_lock);
	ret = assay_ring_get_locked(ring, offset, buffer, min(size, PAGE_SIZE));
	read_unlock(&ring->copy_lock);
	return ret;
}

/**
 * assay_ring_mapped_pages() - pages of the log as readers map it
 * @ring: created ring
 *
 * Return: the header page and twice the ring.
 */
unsigned long assay_ring_mapped_pages(const struct assay_ring *ring)
{
	return 1 + 2 * (ring->size >> PAGE_SHIFT);
}

/* Whether a place of the ring is one of [floor, ceiling), of which no two are at one place. */
static bool assay_ring_is_claimed(const struct assay_ring *ring, u64 place)
{
	u64 floor, ceiling, from, distance;

	/* In this order: with a floor above the ceiling all would count as claimed. */
	floor = READ_ONCE(ring->floor);
	/* Likewise. */
	smp_rmb();
	ceiling = READ_ONCE(ring->ceiling);
	from = assay_ring_place(ring, floor);
	distance = place >= from ? place - from : place + ring->size - from;
	return distance < ceiling - floor;
}

/**
 * assay_ring_mapped_pfn() - the page frame behind a page of that mapping
 * @ring: created ring
 * @index: below assay_ring_mapped_pages()
 *
 * For who holds the lock of the page table that the page frame goes to, which is there
 * already, and sets its entry before that is unlocked: what has changed by then is unmapped
 * after that.
 *
 * Return: page frame number; that of the kernel's page of zeros where no memory is
 * claimed.
 */
unsigned long assay_ring_mapped_pfn(const struct assay_ring *ring, unsigned long index)
{
	unsigned long page;

	if (!index)
		return ring->window->pfn;
	page = (index - 1) % (ring->size >> PAGE_SHIFT);
	/*
	 * Pairs with assay_ring_unmap(): either we see what it has changed, or it sees our page
	 * table, and waits for its lock.
	 */
	smp_mb();
	if (!assay_ring_is_claimed(ring, (u64)page << PAGE_SHIFT))
		return page_to_pfn(ZERO_PAGE(0));
	return ring->window->pfn + 1 + page;
}

/* ------------------------------------------------------------------ a ring's life */
static int assay_ring_write_header(struct assay_ring *ring)
{
	struct assay_ring_write write;
	int ret;

	ret = assay_ring_begin(ring, 0, &write);
	if (ret)
		return ret;
	memcpy(write.header->magic, ASSAY_LOG_MAGIC, sizeof(write.header->magic));
	write.header->version = ASSAY_LOG_VERSION;
	write.header->header_size = sizeof(*write.header);
	write.header->page_size = PAGE_SIZE;
	write.header->ring_size = ring->size;
	assay_page_set_used(&ring->window->desc[0], sizeof(*write.header));
	return assay_ring_end(ring, &write);
}

/**
 * assay_ring_create() - a ring with nothing claimed
 * @ring: to initialise; to be released by assay_ring_destroy()
 * @place: where; nobody else can claim there from now on
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_ring_create(struct assay_ring *ring, const struct assay_ring_place *place)
{
	/* Besides the ring: the header and, where they outlive this kernel, its secrets. */
	unsigned long others = place->region->ops->keeps ? 2 : 1;
	unsigned long pages = place->count - others;
	int ret;

	if (place->count <= others) {
		dev_err(place->region->dev,
			"a window of %lu bytes has no room for a log; give it at least %lu\n",
			place->count << PAGE_SHIFT, (others + 1) * PAGE_SIZE);
		return -EINVAL;
	}
	memset(ring, 0, sizeof(*ring));
	ring->region = place->region;
	ring->mapping = place->mapping;
	ring->durable = place->region->ops->keeps;
	ring->size = (u64)pages << PAGE_SHIFT;
	/* Memory comes back by whole chunks only: of a small ring they must be few pages. */
	ring->chunk = (u64)clamp(place->chunk, 1UL, max(pages / 8, 1UL)) << PAGE_SHIFT;
	ring->ahead = (u64)min(place->ahead, pages) << PAGE_SHIFT;
	init_waitqueue_head(&ring->readers);
	rwlock_init(&ring->copy_lock);
	mutex_init(&ring->grow_lock);
	INIT_WORK(&ring->grow, assay_ring_grow);

	ret = assay_log_window_reserve(&ring->memory, place->region, place->pfn, place->count,
				       "log");
	if (ret) {
		mutex_destroy(&ring->grow_lock);
		return ret;
	}
	ring->window = ring->memory.area.window;
	ring->header = (const void *)ring->memory.area.base;
	ring->bytes = (const u8 *)ring->header + PAGE_SIZE;
	if (ring->durable)
		ring->secret = ring->bytes + ring->size;
	return 0;
}

/**
 * assay_ring_start() - begin with an empty ring
 * @ring: created ring with nothing claimed
 *
 * Claims the header page and what is to be ahead. Of the header, what describes the ring
 * is filled in: magic, version, sizes.
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_ring_start(struct assay_ring *ring)
{
	int ret;

	ret = assay_log_window_fill(&ring->memory, 0, 1, ASSAY_PAGE_HEADER);
	if (!ret && ring->secret)
		ret = assay_log_window_fill(&ring->memory, assay_ring_page(ring->size), 1,
					    ASSAY_PAGE_SECRET);
	/* One chunk more, which START begins. */
	if (!ret)
		ret = assay_ring_grow_to(ring, ring->ahead + ring->chunk);
	if (!ret)
		ret = assay_ring_write_header(ring);
	return ret;
}

/**
 * assay_ring_put_secret() - keep what a kernel that goes on with the log must know
 * @ring: started ring
 * @secret: to be kept in memory that readers cannot map, where that outlives this kernel
 * @size: bytes, less than a page
 *
 * Return: 0; or why the page could not be written.
 */
int assay_ring_put_secret(struct assay_ring *ring, const u8 *secret, size_t size)
{
	const struct assay_log_range range = { PAGE_SIZE + ring->size, size };
	struct assay_open open;
	int ret;

	if (!ring->secret)
		return 0;
	ret = assay_log_window_begin(&ring->memory, &range, 1, &open);
	if (ret)
		return ret;
	memcpy((void *)open.address[0], secret, size);
	assay_page_set_used(&ring->window->desc[assay_ring_page(ring->size)], size);
	return assay_log_window_end(&ring->memory, &open);
}

/* Who was cut off may have begun a record behind the tail: readers see zeros there. */
static int assay_ring_clear_rest(struct assay_ring *ring)
{
	struct assay_ring_write write;
	unsigned int i;
	int ret;

	if (ring->tail == ring->limit)
		return 0;
	ret = assay_ring_open(ring, ring->limit - ring->tail, &write);
	if (ret)
		return ret;
	for (i = 1; i < write.open.count; i++)
		memset((void *)write.open.address[i], 0, write.ranges[i].size);
	return assay_log_window_end(&ring->memory, &write.open);
}

/* Claim the header page and the chunks up to @limit, with their content. */
static int assay_ring_keep(struct assay_ring *ring, u64 limit)
{
	int ret;

	ret = assay_log_window_keep(&ring->memory, 0, 1, ASSAY_PAGE_HEADER);
	if (!ret)
		ret = assay_log_window_keep(&ring->memory, assay_ring_page(ring->size), 1,
					    ASSAY_PAGE_SECRET);
	while (!ret && ring->limit < limit) {
		u64 size = assay_ring_chunk(ring, ring->limit);

		ret = assay_log_window_keep(&ring->memory,
					    assay_ring_page(assay_ring_place(ring, ring->limit)),
					    size >> PAGE_SHIFT, ASSAY_PAGE_RING);
		ring->limit += size;
	}
	return ret;
}

/**
 * assay_ring_resume() - begin with what is in the memory already
 * @ring: created ring with nothing claimed, of a region that keeps its content
 * @head: offset of the oldest byte
 * @tail: offset behind the newest
 * @sequence: the header's that is there. If it is odd, a write was cut off: the next one
 *            has the same sequence, and must complete it
 *
 * The header page and the chunks of these bytes are claimed with their content, which is
 * read-only from then on where it can be.
 *
 * Return: 0; -ENOSPC if there is no room for more records, with nothing claimed; or another
 * negative errno after a dev_err().
 */
int assay_ring_resume(struct assay_ring *ring, u64 head, u64 tail, u32 sequence)
{
	const struct assay_layout layout = assay_ring_layout(ring);
	u64 floor, limit, at;
	int ret;

	ret = assay_layout_resume(&layout, head, tail, &floor, &limit);
	if (ret)
		return ret;
	ring->head = head;
	ring->tail = tail;
	ring->sequence = sequence & ~1U;
	ring->freed = floor;
	ring->floor = floor;
	ring->limit = floor;
	ret = assay_ring_keep(ring, limit);
	if (!ret)
		ret = assay_ring_clear_rest(ring);
	if (ret)
		return ret;
	ring->ceiling = ring->limit;
	assay_page_set_used(&ring->window->desc[0], sizeof(*ring->header));
	assay_log_window_note_used(&ring->memory, 0, 1);
	assay_ring_account(ring, floor, tail);
	for (at = floor; at < ring->limit; at += PAGE_SIZE)
		assay_log_window_note_used(&ring->memory,
					   assay_ring_page(assay_ring_place(ring, at)), 1);
	/* If that fails, the next append tries again. */
	assay_ring_grow_to(ring, tail + ring->ahead);
	return 0;
}

/**
 * assay_ring_destroy() - give its memory back
 * @ring: created ring that nobody maps any more
 */
void assay_ring_destroy(struct assay_ring *ring)
{
	cancel_work_sync(&ring->grow);
	assay_log_window_destroy(&ring->memory);
	mutex_destroy(&ring->grow_lock);
}
