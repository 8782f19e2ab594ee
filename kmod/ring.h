/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the log's bytes lie: a header page, and a ring behind it. */
#ifndef _ASSAY_RING_H
#define _ASSAY_RING_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "log_window.h"
#include "uapi/assay.h"
#include "writeback.h"

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
 * @mapping: through which readers will map it, for as long as the ring exists
 */
struct assay_ring_place {
	struct assay_region *region;
	unsigned long pfn;
	unsigned long count;
	unsigned long chunk;
	unsigned long ahead;
	struct address_space *mapping;
};

/**
 * struct assay_ring - header and ring
 * @region: where its pages are from
 * @memory: its memory
 * @window: the pages of that
 * @header: the header page, to be read alone: for readers, the module never reads it back
 * @bytes: the ring, behind the header page, to be read alone
 * @durable: the memory outlives this kernel, and may outlive a reset
 * @secret: where it is durable, the window's last page: no part of the ring, nor mapped
 * @size: bytes of the ring, a multiple of the page size
 * @chunk: bytes that are claimed and given back together
 * @ahead: bytes to keep claimed behind the tail
 * @head: offset of the oldest byte
 * @tail: offset behind the newest; like @head, only grows and is read without a lock
 * @freed: what was below it has been given back
 * @stuck: some could not be, and none is any more
 * @floor: lowest byte whose memory readers see
 * @ceiling: where the memory ends that readers see
 * @limit: where the memory ends that may be written: as @ceiling, but while a chunk comes
 * @copy_lock: held for reading while bytes are copied, at most a page; for writing to move
 *             @floor, after @head
 * @mapping: through which all readers map the log
 * @grow_lock: serialises claims
 * @grow: the worker that claims ahead
 * @readers: woken when the tail moves
 * @sequence: of the header; odd during a write
 */
struct assay_ring {
	struct assay_region *region;
	struct assay_log_window memory;
	const struct assay_window *window;
	const struct assay_log_header *header;
	const u8 *bytes;
	bool durable;
	const u8 *secret;
	u64 size;
	u64 chunk;
	u64 ahead;
	u64 head;
	u64 tail;
	u64 freed;
	u64 floor;
	u64 ceiling;
	u64 limit;
	bool stuck;
	rwlock_t copy_lock; /* see above */
	struct address_space *mapping;
	struct mutex grow_lock; /* see above */
	struct work_struct grow;
	wait_queue_head_t readers;
	u32 sequence;
};

/**
 * struct assay_ring_write - a write at the tail, from assay_ring_begin() to assay_ring_end()
 * @header: where the header is written
 * @at: offset of the next byte
 * @ranges: what is open: the header, and the ring's bytes in up to two parts
 * @open: where that is written
 */
struct assay_ring_write {
	struct assay_log_header *header;
	u64 at;
	struct assay_log_range ranges[ASSAY_OPEN_MAX];
	struct assay_open open;
};

/**
 * assay_ring_write_back() - have bytes in memory before anything that is stored later
 * @ring: ring being written
 * @start: first byte
 * @size: how many
 *
 * For who sees the memory after a reset, where it outlives that; else for other processors.
 */
static inline void assay_ring_write_back(const struct assay_ring *ring, const void *start,
					 size_t size)
{
	if (ring->durable)
		assay_writeback(start, size);
	else
		smp_wmb(); /* pairs with readers that load the sequence with acquire semantics */
}

int assay_ring_create(struct assay_ring *ring, const struct assay_ring_place *place);
int assay_ring_start(struct assay_ring *ring);
int assay_ring_put_secret(struct assay_ring *ring, const u8 *secret, size_t size);
int assay_ring_resume(struct assay_ring *ring, u64 head, u64 tail, u32 sequence);
void assay_ring_destroy(struct assay_ring *ring);
u64 assay_ring_room(const struct assay_ring *ring);
u64 assay_ring_room_after(const struct assay_ring *ring, u64 head);
int assay_ring_begin(struct assay_ring *ring, u64 size, struct assay_ring_write *write);
void assay_ring_put(const struct assay_ring *ring, struct assay_ring_write *write, const u8 *data,
		    size_t size);
void assay_ring_set_head(struct assay_ring *ring, struct assay_ring_write *write, u64 offset);
void assay_ring_give_back(struct assay_ring *ring);
int assay_ring_end(struct assay_ring *ring, struct assay_ring_write *write);
ssize_t assay_ring_get(struct assay_ring *ring, u64 offset, u8 *buffer, size_t size);
unsigned long assay_ring_mapped_pages(const struct assay_ring *ring);
unsigned long assay_ring_mapped_pfn(const struct assay_ring *ring, unsigned long index);

#endif /* _ASSAY_RING_H */
