/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bytes of the log lie: a header page and a ring behind it, in a protected
 * pool of one window. Knows bytes, offsets and pages; not records, nor what the header
 * says of them.
 *
 * Offsets only grow; a byte's place in the ring is its offset modulo the ring's size.
 * A write is three steps, alone, in this order:
 *
 *	assay_ring_begin()	room for all of its bytes, or an error and nothing has
 *				changed; the pages they touch and the header are open
 *	assay_ring_put()	the bytes, in pieces; and any field of @header but tail
 *	assay_ring_end()	readers see the new tail; the pages are closed
 *
 * The window is the ring's address range, and nobody else can claim in it. Its memory
 * comes and goes chunk by chunk:
 *
 *	freed <= floor <= head <= tail <= limit <= freed + size
 *
 *	[floor, limit)	memory that is claimed: what is written, and what will be. A
 *			worker claims some of it ahead of need, so that neither moving
 *			other data away nor clearing is waited for by an append, unless
 *			it is larger than what there is ahead
 *	[freed, floor)	memory that readers do not see any more and that is given back just now
 *	the rest	the kernel's; readers see zeros
 *
 * All but head and tail are borders of chunks. Chunks end where the ring does.
 *
 * Called by the ledger, which serialises writes, and by reader.
 */
#ifndef _ASSAY_RING_H
#define _ASSAY_RING_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "pool.h"
#include "uapi/assay.h"

struct address_space;
struct assay_region;
struct assay_window;

/**
 * struct assay_ring_place - where a ring is to be
 * @region: where its pages are from
 * @pfn: first page frame of the window
 * @count: pages of the window, the first of them the header's
 * @chunk: pages that are claimed and given back together; made less for a small window
 * @ahead: pages to keep claimed behind the tail
 */
struct assay_ring_place {
	struct assay_region *region;
	unsigned long pfn;
	unsigned long count;
	unsigned long chunk;
	unsigned long ahead;
};

/**
 * struct assay_ring - header and ring
 * @region: where its pages are from
 * @pool: its memory
 * @window: the pages of that
 * @header: the header page: for readers, never read back; written only between
 *          assay_ring_begin() and assay_ring_end()
 * @bytes: the ring, behind the header page
 * @size: bytes of the ring, a multiple of the page size
 * @chunk: bytes that are claimed and given back together
 * @ahead: bytes to keep claimed behind the tail
 * @head: offset of the oldest byte
 * @tail: offset behind the newest; like @head, only grows and is read without a lock
 * @freed: what was below it has been given back
 * @stuck: some could not be, and none is any more
 * @floor: lowest byte whose memory readers see
 * @limit: where claimed memory ends
 * @map_lock: held for writing while @floor and @limit change and mappings are brought up
 *            to date; for reading while a page is mapped or read
 * @mapping: through which all readers map the log, NULL before there can be any
 * @grow_lock: serialises claims; outside @map_lock
 * @grow: the worker that claims ahead
 * @readers: woken when the tail moves
 * @sequence: of the header; odd during a write
 * @at: during a write, offset of the next byte
 * @ranges: during a write, what is open
 * @range_count: how many
 */
struct assay_ring {
	struct assay_region *region;
	struct pmalloc_pool *pool;
	const struct assay_window *window;
	struct assay_log_header *header;
	u8 *bytes;
	u64 size;
	u64 chunk;
	u64 ahead;
	u64 head;
	u64 tail;
	u64 freed;
	u64 floor;
	u64 limit;
	bool stuck;
	struct rw_semaphore map_lock; /* see above */
	struct address_space *mapping;
	struct mutex grow_lock; /* see above */
	struct work_struct grow;
	wait_queue_head_t readers;
	u32 sequence;
	u64 at;
	struct pmalloc_range ranges[PMALLOC_MAX_RANGES];
	unsigned int range_count;
};

/**
 * assay_ring_create() - a ring with nothing claimed
 * @ring: to initialise; to be released by assay_ring_destroy()
 * @place: where; nobody else can claim there from now on
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_ring_create(struct assay_ring *ring, const struct assay_ring_place *place);

/**
 * assay_ring_start() - begin with an empty ring
 * @ring: created ring with nothing claimed
 *
 * Claims the header page and what is to be ahead. Of the header, what describes the ring
 * is filled in: magic, version, sizes.
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_ring_start(struct assay_ring *ring);

/**
 * assay_ring_resume() - begin with what is in the memory already
 * @ring: created ring with nothing claimed, of a region that keeps its content
 * @head: offset of the oldest byte
 * @tail: offset behind the newest
 * @sequence: the header's that is there: the next is another
 *
 * The header page and the chunks of these bytes are claimed with their content.
 *
 * Return: 0; -ENOSPC if there is no room to go on, with nothing claimed; or another
 * negative errno after a dev_err().
 */
int assay_ring_resume(struct assay_ring *ring, u64 head, u64 tail, u32 sequence);

/**
 * assay_ring_destroy() - give its memory back
 * @ring: created ring that nobody maps any more
 */
void assay_ring_destroy(struct assay_ring *ring);

/**
 * assay_ring_room() - the most bytes that a write may have
 * @ring: created ring
 *
 * Room in the window: whether the memory can be claimed turns out when it is.
 */
u64 assay_ring_room(const struct assay_ring *ring);

/**
 * assay_ring_room_after() - the same, once the head has moved
 * @ring: started ring
 * @head: where to
 *
 * Return: bytes; more than now only where whole chunks are below @head.
 */
u64 assay_ring_room_after(const struct assay_ring *ring, u64 head);

/**
 * assay_ring_begin() - start to write at the tail
 * @ring: created ring
 * @size: bytes that will be put, exactly; 0 to write to the header alone
 *
 * Return: 0, and assay_ring_end() must follow; -ENOSPC (no room, or its memory
 * cannot be claimed now), -EINTR (killed while it was claimed), -EIO (the pool is
 * broken) or what else pmalloc_begin_write() returns: nothing has changed.
 */
int assay_ring_begin(struct assay_ring *ring, u64 size);

/**
 * assay_ring_put() - the next bytes
 * @ring: ring being written
 * @data: bytes
 * @size: how many
 */
void assay_ring_put(struct assay_ring *ring, const u8 *data, size_t size);

/**
 * assay_ring_set_head() - during a write, move the head
 * @ring: ring being written
 * @offset: of the oldest byte from now on
 */
void assay_ring_set_head(struct assay_ring *ring, u64 offset);

/**
 * assay_ring_give_back() - give memory that holds nothing above the head to the kernel
 * @ring: created ring; the caller serialises calls, and moves of the head
 *
 * Whole chunks, after they have been unmapped from all readers. What cannot be given back is
 * kept, after a message, and the ring has that much less room from then on.
 */
void assay_ring_give_back(struct assay_ring *ring);

/**
 * assay_ring_end() - publish what was put
 * @ring: ring being written
 *
 * Return: 0, or -EIO after a message if a page could not be made read-only again: what
 * was put is written and published, and nothing is from then on.
 */
int assay_ring_end(struct assay_ring *ring);

/**
 * assay_ring_get() - copy bytes of the log
 * @ring: created ring
 * @offset: of the first
 * @buffer: to copy to; memory of the kernel
 * @size: most bytes to copy
 *
 * Return: how many, 0 if @offset is the tail; -ESTALE if it is below the head;
 * -EINVAL if it is behind the tail.
 */
ssize_t assay_ring_get(struct assay_ring *ring, u64 offset, u8 *buffer, size_t size);

/**
 * assay_ring_set_mapping() - through which all readers will map the log
 * @ring: created ring
 * @mapping: from now on; NULL when there can be no reader any more
 */
void assay_ring_set_mapping(struct assay_ring *ring, struct address_space *mapping);

/**
 * assay_ring_mapped_pages() - pages of the log as readers map it
 * @ring: created ring
 *
 * Return: the header page and twice the ring.
 */
unsigned long assay_ring_mapped_pages(const struct assay_ring *ring);

/**
 * assay_ring_mapped_pfn() - the page frame behind a page of that mapping
 * @ring: created ring, with @map_lock held until the page is mapped
 * @index: below assay_ring_mapped_pages()
 *
 * Return: page frame number; that of the kernel's page of zeros where no memory is
 * claimed.
 */
unsigned long assay_ring_mapped_pfn(struct assay_ring *ring, unsigned long index);

#endif /* _ASSAY_RING_H */
