// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to do with a log that memory has kept. If the PCR holds what the log
 * says, the machine was not reset since: the log goes on, with a KEXEC record (also after
 * the module was loaded again). Else it is the log of the boot before: as much of it as is
 * good is copied to a pool of its own, for reading alone, and a fresh log begins. Called by
 * the ledger when it is created.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/uuid.h>

#include "adopt.h"
#include "anchor.h"
#include "chain.h"
#include "found.h"
#include "frame.h"
#include "region.h"
#include "window.h"
#include "ring.h"

static int assay_adopt_hash(void *context, __u16 alg, const struct assay_found_bytes pieces[2],
			    __u8 *digest)
{
	const struct kvec both[] = {
		{ (void *)pieces[0].data, pieces[0].size },
		{ (void *)pieces[1].data, pieces[1].size },
	};

	cond_resched();
	return assay_anchor_hash_by_alg(context, alg, both, ARRAY_SIZE(both), digest);
}

static struct assay_found_bytes assay_adopt_window(const struct assay_ring *ring)
{
	return (struct assay_found_bytes){
		.data = (const u8 *)ring->header,
		.size = PAGE_SIZE + ring->size,
	};
}

/* ------------------------------------------------------------------ the same log goes on */
/* The framing of the record at *@offset, which is moved behind it; @bytes holds it. */
static int assay_adopt_frame(const struct assay_ring *ring, u64 tail, u64 *offset, u8 *bytes,
			     struct assay_frame *ret)
{
	u64 left = tail - *offset, size = min_t(u64, left, ASSAY_FRAME_MAX), place, i;

	div64_u64_rem(*offset, ring->size, &place);
	for (i = 0; i < size; i++)
		bytes[i] = ring->bytes[place + i < ring->size ? place + i : place + i - ring->size];
	if (assay_frame_parse(bytes, size, ret) || ret->size > left)
		return -EBADMSG;
	*offset += ret->size;
	return 0;
}

/* A record that the TPM may have or not; NULL if it lacks a digest, or memory for it does. */
static struct assay_pending *assay_adopt_pending(const struct assay_anchor *anchor,
						 const struct assay_frame *frame, u64 end)
{
	struct assay_pending *pending = kzalloc(sizeof(*pending), GFP_KERNEL);
	unsigned int i;

	if (!pending)
		return ERR_PTR(-ENOMEM);
	pending->recnum = frame->recnum;
	pending->end = end;
	for (i = 0; i < anchor->bank_count; i++) {
		const struct assay_bank *bank = &anchor->banks[i];
		const u8 *digest = assay_frame_digest(frame, bank->alg);

		if (!digest) {
			kfree(pending);
			return ERR_PTR(-EBADMSG);
		}
		memcpy(pending->digest[bank->hash], digest, bank->size);
	}
	return pending;
}

static bool assay_adopt_same_values(const struct assay_anchor *anchor, const u8 *values)
{
	unsigned int i;

	for (i = 0; i < anchor->bank_count; i++) {
		if (memcmp(anchor->banks[i].value, values + i * ASSAY_MAX_DIGEST,
			   anchor->banks[i].size))
			return false;
	}
	return true;
}

/* The records behind what is anchored, in order: to @pending. */
static int assay_adopt_list(const struct assay_ring *ring, const struct assay_anchor *anchor,
			    const struct assay_log_header *header, struct list_head *pending)
{
	u64 offset = header->anchored;
	u8 bytes[ASSAY_FRAME_MAX];
	struct assay_frame frame;
	int ret;

	while (offset < header->tail) {
		struct assay_pending *next;

		ret = assay_adopt_frame(ring, header->tail, &offset, bytes, &frame);
		if (ret)
			return ret;
		next = assay_adopt_pending(anchor, &frame, offset);
		if (IS_ERR(next))
			return PTR_ERR(next);
		list_add_tail(&next->node, pending);
		cond_resched();
	}
	return 0;
}

/*
 * Whether the PCR, as it was read when the TPM was found, is what the log says after what is
 * anchored, or after any of @pending, the records behind.
 */
static int assay_adopt_is_in_pcr(const struct assay_anchor *anchor,
				 const struct assay_log_header *header,
				 const struct list_head *pending)
{
	u8 values[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
	const struct assay_pending *each;
	unsigned int i;
	int ret;

	for (i = 0; i < anchor->bank_count; i++)
		memcpy(values[i], header->banks[i].value, sizeof(values[i]));
	if (assay_adopt_same_values(anchor, values[0]))
		return 1;
	list_for_each_entry(each, pending, node) {
		for (i = 0; i < anchor->bank_count; i++) {
			ret = assay_anchor_chain(anchor, i, values[i],
						 each->digest[anchor->banks[i].hash]);
			if (ret)
				return ret;
		}
		if (assay_adopt_same_values(anchor, values[0]))
			return 1;
		cond_resched();
	}
	return 0;
}

static void assay_adopt_free_pending(struct list_head *pending)
{
	struct assay_pending *each, *next;

	list_for_each_entry_safe(each, next, pending, node)
		kfree(each);
	INIT_LIST_HEAD(pending);
}

static bool assay_adopt_same_banks(const struct assay_anchor *anchor,
				   const struct assay_log_header *header)
{
	unsigned int i;

	if (!anchor->bank_count || anchor->bank_count != header->bank_count)
		return false;
	for (i = 0; i < anchor->bank_count; i++) {
		if (anchor->banks[i].alg != header->banks[i].alg)
			return false;
	}
	return true;
}

/* Whether the log is the one that the PCR speaks for: 1 or 0. @pending is set if it is. */
static int assay_adopt_is_ours(const struct assay_ring *ring, const struct assay_anchor *anchor,
			       const struct assay_found *found, struct list_head *pending)
{
	const struct assay_log_header *header = &found->header;
	int ret;

	if (found->what || header->page_size != PAGE_SIZE || header->ring_size != ring->size ||
	    header->pcr != anchor->pcr || !assay_adopt_same_banks(anchor, header))
		return 0;
	ret = assay_adopt_list(ring, anchor, header, pending);
	if (!ret)
		ret = assay_adopt_is_in_pcr(anchor, header, pending);
	if (ret <= 0)
		assay_adopt_free_pending(pending);
	return ret;
}

/* What was found is read-only now: is it still what was found? @pending is made of it. */
static int assay_adopt_check_again(const struct assay_ring *ring, struct assay_anchor *anchor,
				   const struct assay_log_header *header, struct list_head *pending)
{
	struct assay_found *found = kzalloc(sizeof(*found), GFP_KERNEL);
	int ret;

	if (!found)
		return -ENOMEM;
	ret = assay_found_check(assay_adopt_window(ring), assay_adopt_hash, anchor, found);
	if (!ret && memcmp(&found->header, header, sizeof(*header)))
		ret = -EIO;
	if (!ret) {
		ret = assay_adopt_is_ours(ring, anchor, found, pending);
		ret = ret > 0 ? 0 : ret ?: -EIO;
	}
	kfree(found);
	/* What is wrong with it now was not when it was checked first. */
	return !ret || ret == -ENOMEM ? ret : -EIO;
}

/* Take over what was found; -EAGAIN if that does not work, and nothing is claimed. */
static int assay_adopt_resume(struct assay_ring *ring, struct assay_anchor *anchor,
			      const struct assay_found *found)
{
	const struct assay_log_header *header = &found->header;
	LIST_HEAD(pending);
	int ret;

	ret = assay_ring_resume(ring, header->head, header->tail, found->was.sequence);
	if (ret)
		return ret == -ENOSPC ? -EAGAIN : ret;
	ret = assay_adopt_check_again(ring, anchor, header, &pending);
	if (ret) {
		dev_err(anchor->dev,
			"the log changed while it was adopted (error %d); load the module again\n",
			ret);
		return ret;
	}
	assay_anchor_resume(anchor, header->banks, &pending);
	return 1;
}

/* ------------------------------------------------------------------ the boot before's */
/*
 * What was copied is read-only now: is it what its header says, which was computed? And is that
 * the one of @header, with a ring of @ring_size bytes? Until a moment ago it could be written.
 */
static int assay_adopt_check_copy(const struct assay_log_header *copy,
				  const struct assay_log_header *header, u64 ring_size,
				  struct assay_anchor *anchor)
{
	const struct assay_found_bytes window = { (const u8 *)copy, PAGE_SIZE + ring_size };
	struct assay_found *found;
	int ret;

	if (copy->page_size != PAGE_SIZE || copy->ring_size != ring_size ||
	    copy->head != header->head || copy->tail != header->tail)
		return -EIO;
	if (header->head == header->tail)
		return 0;
	found = kzalloc(sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	ret = assay_found_check(window, assay_adopt_hash, anchor, found);
	if (!ret && (found->header.tail != copy->tail || found->header.records != copy->records ||
		     memcmp(found->header.banks, copy->banks, sizeof(copy->banks))))
		ret = -EIO;
	kfree(found);
	return ret;
}

/* In the log's region or, where it has no room, in another. */
static int assay_adopt_claim(struct assay_region *first, unsigned long pages,
			     struct assay_log_window *memory)
{
	struct assay_region *region;
	unsigned int id;
	int ret;

	ret = assay_log_window_claim(memory, first, pages, "log before");
	for (id = 0; ret && (region = assay_region_get(id)); id++) {
		if (region != first)
			ret = assay_log_window_claim(memory, region, pages, "log before");
	}
	return ret;
}

/* The good part of a ring, to the ring of @copy, which is smaller. */
static void assay_adopt_copy_bytes(const u8 *from, const struct assay_log_header *header,
				   struct assay_log_header *copy)
{
	u8 *to = (u8 *)copy + PAGE_SIZE;
	u64 at;

	for (at = header->head; at < header->tail; at++) {
		to[at % copy->ring_size] = from[at % header->ring_size];
		if (!(at % PAGE_SIZE))
			cond_resched();
	}
}

static int assay_adopt_copy(const struct assay_ring *ring, struct assay_anchor *anchor,
			    const struct assay_log_header *header, struct assay_previous *previous)
{
	u64 ring_size = max_t(u64, PAGE_ALIGN(header->tail - header->head), PAGE_SIZE);
	const struct assay_log_range all = { 0, PAGE_SIZE + ring_size };
	struct assay_log_window *memory = &previous->memory;
	struct assay_log_header *copy;
	struct assay_open open;
	int ret;

	ret = assay_adopt_claim(ring->region, PHYS_PFN(all.size), memory);
	if (ret)
		return ret;
	ret = assay_log_window_begin(memory, &all, 1, &open);
	if (!ret) {
		copy = (void *)open.address[0];
		*copy = *header;
		copy->page_size = PAGE_SIZE;
		copy->ring_size = ring_size;
		assay_adopt_copy_bytes((const u8 *)ring->header + header->page_size, header, copy);
		ret = assay_log_window_end(memory, &open);
	}
	if (!ret)
		ret = assay_adopt_check_copy((const void *)memory->area.base, header, ring_size,
					     anchor);
	if (ret) {
		assay_log_window_destroy(memory);
		return ret;
	}
	previous->pfn = memory->area.window->pfn;
	previous->ring_pages = ring_size >> PAGE_SHIFT;
	return 0;
}

static const char *assay_adopt_lost(int error)
{
	if (error == -ENOMEM || error == -ENOSPC)
		return "no memory for a copy; make a region larger by the size of the window";
	return "it could not be copied, or changed meanwhile";
}

static void assay_adopt_keep(const struct assay_ring *ring, struct assay_anchor *anchor,
			     const struct assay_found *found, struct assay_previous *previous)
{
	const struct assay_log_header *header = &found->header;
	struct device *dev = ring->region->dev;
	int ret;

	if (found->what)
		dev_warn(
			dev,
			"the log of the boot before is damaged: %s; it is good up to offset %llu\n",
			found->what, header->tail);
	ret = assay_adopt_copy(ring, anchor, header, previous);
	if (ret)
		dev_err(dev, "the log of the boot before, %llu bytes, is lost: %s (error %d)\n",
			header->tail - header->head, assay_adopt_lost(ret), ret);
	else
		dev_info(dev, "kept the log of the boot before, boot %pUb, %llu records\n",
			 header->boot_id, header->records - header->head_recnum);
}

/* A log of which nothing can be read: named, and empty. */
static void assay_adopt_keep_unusable(const struct assay_ring *ring, struct assay_anchor *anchor,
				      struct assay_found *found, struct assay_previous *previous)
{
	struct assay_log_header *header = &found->header;

	memset(header, 0, sizeof(*header));
	memcpy(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic));
	header->version = ASSAY_LOG_VERSION;
	header->header_size = sizeof(*header);
	header->page_size = PAGE_SIZE;
	header->ring_size = PAGE_SIZE;
	header->flags = ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED;
	assay_adopt_keep(ring, anchor, found, previous);
}

/* ------------------------------------------------------------------ */
/* Is the seed of its records' keys there? The newest one says what the next key must be. */
static int assay_adopt_chain(const struct assay_ring *ring, struct assay_chain *chain,
			     const struct assay_log_header *header)
{
	u64 offset = header->head, content = header->tail, place, i;
	u8 bytes[ASSAY_FRAME_MAX];
	struct assay_frame frame;
	int ret;

	static_assert(sizeof(bytes) >= ASSAY_CHAIN_HEAD_SIZE);
	while (offset < header->tail) {
		content = offset;
		ret = assay_adopt_frame(ring, header->tail, &offset, bytes, &frame);
		if (ret)
			return ret;
		content += frame.content;
		cond_resched();
	}
	if (header->tail - content < ASSAY_CHAIN_HEAD_SIZE)
		return -EBADMSG;
	div64_u64_rem(content, ring->size, &place);
	for (i = 0; i < ASSAY_CHAIN_HEAD_SIZE; i++)
		bytes[i] = ring->bytes[place + i < ring->size ? place + i : place + i - ring->size];
	return assay_chain_resume(chain, ring->secret, header->records, bytes);
}

static int assay_adopt_found(struct assay_ring *ring, struct assay_anchor *anchor,
			     struct assay_chain *chain, const struct assay_found *found,
			     struct assay_previous *previous)
{
	LIST_HEAD(pending);
	int ret;

	ret = assay_adopt_is_ours(ring, anchor, found, &pending);
	/* It is made anew of memory that nobody can change. */
	assay_adopt_free_pending(&pending);
	if (ret > 0 && assay_adopt_chain(ring, chain, &found->header)) {
		dev_warn(
			anchor->dev,
			"the log that was found does not go on: the seed of its keys is not there\n");
		ret = 0;
	}
	if (ret > 0)
		ret = assay_adopt_resume(ring, anchor, found);
	else if (!ret || ret == -EBADMSG)
		ret = -EAGAIN;
	if (ret != -EAGAIN)
		return ret;
	assay_adopt_keep(ring, anchor, found, previous);
	return 0;
}

static void assay_adopt_tell(const struct assay_log_header *header, struct assay_adopted *ret)
{
	import_uuid(&ret->boot_before, header->boot_id);
	ret->head_recnum = header->head_recnum;
	ret->records = header->records;
	ret->anchored_records = header->anchored_records;
	ret->anchored = header->anchored;
}

/**
 * assay_adopt() - look at what is in the log's window
 * @ring: created, with nothing claimed yet; resumed where the log goes on
 * @anchor: that has looked for a TPM; resumed where the log goes on
 * @chain: initialised; resumed where the log goes on
 * @previous: set where a log is kept for reading; to be released by assay_previous_free()
 * @ret: set where the log goes on
 *
 * A log that cannot be kept for want of memory is lost, after a message that says so.
 *
 * Return: 1 if the log goes on; 0 if a fresh one is to begin; a negative errno after a
 * dev_err().
 */
int assay_adopt(struct assay_ring *ring, struct assay_anchor *anchor, struct assay_chain *chain,
		struct assay_previous *previous, struct assay_adopted *ret)
{
	struct assay_found *found;
	int error;

	/* Memory of other kinds was the kernel's in between. */
	if (!ring->region->ops->keeps)
		return 0;
	if (!assay_writeback_works())
		dev_warn(
			anchor->dev,
			"this kernel has no CONFIG_ARCH_HAS_PMEM_API: after a reset the newest records may be missing; after kexec they are there\n");
	found = kzalloc(sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	error = assay_found_check(assay_adopt_window(ring), assay_adopt_hash, anchor, found);
	if (!error) {
		error = assay_adopt_found(ring, anchor, chain, found, previous);
		assay_adopt_tell(&found->header, ret);
	} else if (error == -EBADMSG) {
		assay_adopt_keep_unusable(ring, anchor, found, previous);
		error = 0;
	} else if (error == -ENODATA) {
		error = 0;
	} else {
		dev_err(anchor->dev, "cannot check the log that was found (error %d)\n", error);
	}
	kfree(found);
	return error;
}

/**
 * assay_previous_free() - give the memory of the boot before's log back
 * @previous: that nobody maps any more
 */
void assay_previous_free(struct assay_previous *previous)
{
	if (previous->ring_pages)
		assay_log_window_destroy(&previous->memory);
}
