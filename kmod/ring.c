// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/string.h>

#include "region.h"
#include "ring.h"
#include "window.h"

static_assert(sizeof(struct assay_log_header) <= PAGE_SIZE);

/* Where an offset of the log is in the ring. */
static u64 assay_ring_place(const struct assay_ring *ring, u64 offset)
{
	u64 place;

	div64_u64_rem(offset, ring->size, &place);
	return place;
}

/* What a write of @size bytes at the tail touches: the header, and the ring in up to two parts. */
static void assay_ring_set_ranges(struct assay_ring *ring, u64 size)
{
	u64 place = assay_ring_place(ring, ring->tail);
	u64 first = min(size, ring->size - place);
	unsigned int n = 0;

	ring->ranges[n++] = (struct pmalloc_range){ ring->header, sizeof(*ring->header) };
	if (first)
		ring->ranges[n++] = (struct pmalloc_range){ ring->bytes + place, first };
	if (size > first)
		ring->ranges[n++] = (struct pmalloc_range){ ring->bytes, size - first };
	ring->range_count = n;
}

/* Bring the descriptors of the ring's pages up to date for bytes [@offset, @end) of the log. */
static void assay_ring_account(struct assay_ring *ring, u64 offset, u64 end)
{
	u64 first = ALIGN_DOWN(offset, PAGE_SIZE);

	for (; first < end; first += PAGE_SIZE) {
		u64 place = assay_ring_place(ring, first);
		struct assay_page_desc *desc = &ring->window->desc[1 + (place >> PAGE_SHIFT)];

		WRITE_ONCE(desc->used, min_t(u64, end - first, PAGE_SIZE));
	}
}

int assay_ring_begin(struct assay_ring *ring, u64 size)
{
	int ret;

	if (size > ring->size - (ring->tail - ring->head))
		return -ENOSPC;
	assay_ring_set_ranges(ring, size);
	ret = pmalloc_begin_write(ring->pool, ring->ranges, ring->range_count);
	if (ret)
		return ret;
	ring->at = ring->tail;
	WRITE_ONCE(ring->header->sequence, ++ring->sequence);
	/* Who sees any of the changes sees that the sequence is odd. */
	smp_wmb();
	return 0;
}

void assay_ring_put(struct assay_ring *ring, const u8 *data, size_t size)
{
	u64 place = assay_ring_place(ring, ring->at);
	size_t first = min_t(u64, size, ring->size - place);

	memcpy(ring->bytes + place, data, first);
	memcpy(ring->bytes, data + first, size - first);
	ring->at += size;
}

int assay_ring_end(struct assay_ring *ring)
{
	bool grown = ring->at > ring->tail;
	int ret;

	assay_ring_account(ring, ring->tail, ring->at);
	/* Pairs with assay_ring_get(). */
	smp_store_release(&ring->tail, ring->at);
	/* Readers that see the new tail see all of it, and what the header says of it. */
	smp_store_release(&ring->header->tail, ring->tail);
	/* Likewise. */
	smp_store_release(&ring->header->sequence, ++ring->sequence);
	ret = pmalloc_end_write(ring->pool, ring->ranges, ring->range_count);
	if (grown)
		wake_up_interruptible_poll(&ring->readers, EPOLLIN | EPOLLRDNORM);
	return ret;
}

ssize_t assay_ring_get(struct assay_ring *ring, u64 offset, u8 *buffer, size_t size)
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

static int assay_ring_write_header(struct assay_ring *ring)
{
	struct assay_log_header *header = ring->header;
	int ret;

	ret = assay_ring_begin(ring, 0);
	if (ret)
		return ret;
	memcpy(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic));
	header->version = ASSAY_LOG_VERSION;
	header->header_size = sizeof(*header);
	header->page_size = PAGE_SIZE;
	header->ring_size = ring->size;
	WRITE_ONCE(ring->window->desc[0].used, sizeof(*header));
	return assay_ring_end(ring);
}

int assay_ring_create(struct assay_ring *ring, struct assay_region *region, unsigned long pfn,
		      unsigned long count)
{
	int ret;

	memset(ring, 0, sizeof(*ring));
	init_waitqueue_head(&ring->readers);
	ring->region = region;
	if (count < 2) {
		dev_err(region->dev,
			"a window of %lu bytes has no room for a log; give it at least %lu\n",
			count << PAGE_SHIFT, 2 * PAGE_SIZE);
		return -EINVAL;
	}
	ring->pool = pmalloc_create_window_pool(region, pfn, count, "log");
	if (IS_ERR(ring->pool))
		return PTR_ERR(ring->pool);
	ring->window = pmalloc_pool_area(ring->pool)->window;
	/* The header has the first page, the ring all others, as assay_ring_account() knows. */
	ring->size = (u64)(count - 1) << PAGE_SHIFT;
	ring->header = pmalloc_typed(ring->pool, PAGE_SIZE, ASSAY_PAGE_HEADER);
	ring->bytes = pmalloc_typed(ring->pool, ring->size, ASSAY_PAGE_RING);
	ret = assay_ring_write_header(ring);
	if (ret)
		assay_ring_destroy(ring);
	return ret;
}

void assay_ring_destroy(struct assay_ring *ring)
{
	pmalloc_destroy_pool(ring->pool);
}

unsigned long assay_ring_mapped_pages(const struct assay_ring *ring)
{
	return 1 + 2 * (ring->size >> PAGE_SHIFT);
}

unsigned long assay_ring_mapped_pfn(const struct assay_ring *ring, unsigned long index)
{
	if (!index)
		return ring->window->pfn;
	return ring->window->pfn + 1 + (index - 1) % (ring->size >> PAGE_SHIFT);
}
