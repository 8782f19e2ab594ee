/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bytes of the log lie: a header page and a ring behind it, in a protected
 * pool. Knows bytes, offsets and pages; not records, nor what the header says of them.
 *
 * Offsets only grow; a byte's place in the ring is its offset modulo the ring's size.
 * A write is three steps, alone, in this order:
 *
 *	assay_ring_begin()	room for all of its bytes, or an error and nothing has
 *				changed; the pages they touch and the header are open
 *	assay_ring_put()	the bytes, in pieces; and any field of @header but tail
 *	assay_ring_end()	readers see the new tail; the pages are closed
 *
 * Called by the ledger, which serialises writes, and by reader.
 */
#ifndef _ASSAY_RING_H
#define _ASSAY_RING_H

#include <linux/types.h>
#include <linux/wait.h>

#include "pool.h"
#include "uapi/assay.h"

struct assay_region;
struct assay_window;

/**
 * struct assay_ring - header and ring
 * @region: where its pages are from
 * @pool: its memory
 * @window: the pages of that
 * @header: the header page: for readers, never read back; written only between
 *          assay_ring_begin() and assay_ring_end()
 * @bytes: the ring, behind the header page
 * @size: bytes of the ring, a multiple of the page size
 * @head: offset of the oldest byte
 * @tail: offset behind the newest; like @head, only grows and is read without a lock
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
	u64 head;
	u64 tail;
	wait_queue_head_t readers;
	u32 sequence;
	u64 at;
	struct pmalloc_range ranges[PMALLOC_MAX_RANGES];
	unsigned int range_count;
};

/**
 * assay_ring_create() - an empty ring
 * @ring: to initialise; to be released by assay_ring_destroy()
 * @region: where its memory is claimed
 * @pfn: first page frame of the window
 * @count: pages of the window, the first of them the header's
 *
 * Of the header, what describes the ring is filled in: magic, version, sizes.
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_ring_create(struct assay_ring *ring, struct assay_region *region, unsigned long pfn,
		      unsigned long count);

/**
 * assay_ring_destroy() - give its memory back
 * @ring: created ring that nobody maps any more
 */
void assay_ring_destroy(struct assay_ring *ring);

/**
 * assay_ring_begin() - start to write at the tail
 * @ring: created ring
 * @size: bytes that will be put, exactly; 0 to write to the header alone
 *
 * Return: 0, and assay_ring_end() must follow; -ENOSPC (no room), -EIO (the pool
 * is broken) or what else pmalloc_begin_write() returns: nothing has changed.
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
 * assay_ring_mapped_pages() - pages of the log as readers map it
 * @ring: created ring
 *
 * Return: the header page and twice the ring.
 */
unsigned long assay_ring_mapped_pages(const struct assay_ring *ring);

/**
 * assay_ring_mapped_pfn() - the page frame behind a page of that mapping
 * @ring: created ring
 * @index: below assay_ring_mapped_pages()
 *
 * Return: page frame number.
 */
unsigned long assay_ring_mapped_pfn(const struct assay_ring *ring, unsigned long index);

#endif /* _ASSAY_RING_H */
