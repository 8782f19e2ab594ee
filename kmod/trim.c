// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting off the log's oldest records, and sealing pages, as ASSAY_IOC_TRIM and
 * ASSAY_IOC_SEAL describe. Called by chardev, and by commit after anchoring. Finds records
 * by walking from the head: there is no index in memory, and what goes has to be read for
 * its digest anyway.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "frame.h"
#include "piece.h"
#include "trim.h"

/* More than a TRIM record's fields ever have. */
#define ASSAY_TRIM_FIELDS_LIMIT 1024

/**
 * struct assay_walk - from the head, record by record
 * @ledger: log, with its trimmer's lock held: the head does not move
 * @recnum: of the record that comes next
 * @offset: of the record that comes next
 * @value: what the PCR held before it, in each bank; kept by assay_walk_replay()
 * @frame: of the record that came last
 * @bytes: its first bytes
 */
struct assay_walk {
	struct assay_ledger *ledger;
	u64 recnum;
	u64 offset;
	u8 value[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
	struct assay_frame frame;
	u8 bytes[ASSAY_FRAME_MAX];
};

static struct assay_walk *assay_walk_begin(struct assay_ledger *ledger)
{
	struct assay_walk *walk = kzalloc(sizeof(*walk), GFP_KERNEL);
	unsigned int i;

	if (!walk)
		return NULL;
	walk->ledger = ledger;
	walk->recnum = ledger->head_recnum;
	walk->offset = ledger->ring.head;
	for (i = 0; i < ledger->anchor.bank_count; i++)
		memcpy(walk->value[i], ledger->anchor.banks[i].start, ASSAY_MAX_DIGEST);
	return walk;
}

/* Step over a record. Our own memory is read-only: it can be no other than it was written. */
static int assay_walk_next(struct assay_walk *walk)
{
	ssize_t n;

	if (fatal_signal_pending(current))
		return -EINTR;
	n = assay_ring_get(&walk->ledger->ring, walk->offset, walk->bytes, sizeof(walk->bytes));
	if (n < 0)
		return n;
	if (assay_frame_parse(walk->bytes, n, &walk->frame) || walk->frame.recnum != walk->recnum)
		return -EIO;
	walk->offset += walk->frame.size;
	walk->recnum++;
	cond_resched();
	return 0;
}

static int assay_walk_replay(struct assay_walk *walk)
{
	struct assay_anchor *anchor = &walk->ledger->anchor;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < anchor->bank_count; i++) {
		const u8 *digest = assay_frame_digest(&walk->frame, anchor->banks[i].alg);

		ret = digest ? assay_anchor_chain(anchor, i, walk->value[i], digest) : -EIO;
	}
	return ret;
}

/* The digest of the log's bytes [@offset, @end). */
static int assay_trim_hash_bytes(struct assay_ring *ring, struct shash_desc *desc, u64 offset,
				 u64 end)
{
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL);
	int ret = page ? 0 : -ENOMEM;

	while (!ret && offset < end) {
		ssize_t n = assay_ring_get(ring, offset, page, min_t(u64, end - offset, PAGE_SIZE));

		ret = n < 0 ? n : crypto_shash_update(desc, page, n);
		offset += n;
		cond_resched();
		/* It may be gigabytes. */
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	free_page((unsigned long)page);
	return ret;
}

static int assay_trim_hash(struct assay_ring *ring, u64 end, struct crypto_shash *hash,
			   u8 *ret_digest)
{
	SHASH_DESC_ON_STACK(desc, hash);
	int ret;

	desc->tfm = hash;
	ret = crypto_shash_init(desc);
	if (!ret)
		ret = assay_trim_hash_bytes(ring, desc, ring->head, end);
	if (!ret)
		ret = crypto_shash_final(desc, ret_digest);
	shash_desc_zero(desc);
	return ret;
}

static int assay_trim_fields(const struct assay_walk *walk, struct assay_cel *fields)
{
	const struct assay_anchor *anchor = &walk->ledger->anchor;
	struct assay_ring *ring = &walk->ledger->ring;
	u8 digest[2 + 32] = { ASSAY_ALG_SHA256 >> 8, ASSAY_ALG_SHA256 & 0xff };
	struct crypto_shash *hash;
	unsigned int i;
	size_t values;
	int ret;

	hash = crypto_alloc_shash("sha256", 0, 0);
	if (IS_ERR(hash))
		return PTR_ERR(hash);
	ret = assay_trim_hash(ring, walk->offset, hash, digest + 2);
	crypto_free_shash(hash);
	if (ret)
		return ret;
	assay_cel_put_u64(fields, ASSAY_FIELD_CUT_RECNUM, walk->recnum);
	assay_cel_put_u64(fields, ASSAY_FIELD_CUT_OFFSET, walk->offset);
	assay_cel_put_u64(fields, ASSAY_FIELD_CUT_SIZE, walk->offset - ring->head);
	assay_cel_put(fields, ASSAY_FIELD_CUT_DIGEST, digest, sizeof(digest));
	assay_chain_put_commitment(&walk->ledger->chain, fields, ASSAY_FIELD_CUT_NEXT,
				   walk->recnum);
	values = assay_cel_begin(fields, ASSAY_FIELD_PCR_VALUES);
	for (i = 0; i < anchor->bank_count; i++)
		assay_cel_put(fields, ASSAY_CEL_DIGEST_TYPE(anchor->banks[i].alg), walk->value[i],
			      anchor->banks[i].size);
	assay_cel_end(fields, values);
	return fields->error;
}

/* Write the TRIM record for where @walk has come to. */
static int assay_trim_write(struct assay_trimmer *trimmer, const struct assay_walk *walk)
{
	struct assay_cut *cut = &trimmer->cut;
	struct kvec content[3] = {};
	struct assay_entry entry = {
		.kind = ASSAY_KIND_TRIM,
		.fields = content,
		.count = ARRAY_SIZE(content),
		.head_after = walk->offset,
	};
	struct assay_cel fields;
	int ret;

	cut->keep = walk->recnum;
	cut->head = walk->offset;
	memcpy(cut->values, walk->value, sizeof(cut->values));
	assay_cel_init(&fields, ASSAY_TRIM_FIELDS_LIMIT);
	ret = assay_trim_fields(walk, &fields);
	content[1] = (struct kvec){ fields.data, fields.size };
	if (!ret) {
		ret = assay_ledger_append(trimmer->ledger, &entry, &trimmer->recnum,
					  &trimmer->offset);
		WRITE_ONCE(trimmer->pending, trimmer->recnum != ASSAY_RECNUM_NONE);
	}
	assay_cel_free(&fields);
	return ret;
}

static bool assay_trim_is_due(const struct assay_trimmer *trimmer)
{
	return trimmer->pending && READ_ONCE(trimmer->ledger->anchored_records) > trimmer->recnum;
}

/* The TRIM record is anchored: have the head move. */
static int assay_trim_cut(struct assay_trimmer *trimmer)
{
	int ret = assay_ledger_set_head(trimmer->ledger, &trimmer->cut);

	if (ret)
		return ret;
	WRITE_ONCE(trimmer->pending, false);
	assay_ring_give_back(&trimmer->ledger->ring);
	return 0;
}

/* Go on with a TRIM record that is written, if there is one. */
static int assay_trim_finish(struct assay_trimmer *trimmer)
{
	u64 anchored, offset;
	int ret;

	if (!trimmer->pending)
		return 0;
	if (!assay_trim_is_due(trimmer)) {
		ret = assay_ledger_anchor(trimmer->ledger, &anchored, &offset);
		if (ret)
			return ret;
	}
	return assay_trim_cut(trimmer);
}

/**
 * assay_trim_settle() - cut what a TRIM record says that is anchored by now
 * @trimmer: open
 *
 * To be called after anchoring.
 */
void assay_trim_settle(struct assay_trimmer *trimmer)
{
	if (!READ_ONCE(trimmer->pending))
		return;
	mutex_lock(&trimmer->lock);
	/* If that fails it stays due, until somebody anchors again. */
	if (assay_trim_is_due(trimmer))
		assay_trim_cut(trimmer);
	mutex_unlock(&trimmer->lock);
}

static int assay_trim_to(struct assay_trimmer *trimmer, u64 keep)
{
	struct assay_walk *walk = assay_walk_begin(trimmer->ledger);
	int ret = walk ? 0 : -ENOMEM;

	while (!ret && walk->recnum < keep) {
		ret = assay_walk_next(walk);
		if (!ret)
			ret = assay_walk_replay(walk);
	}
	if (!ret)
		ret = assay_trim_write(trimmer, walk);
	if (!ret)
		ret = assay_trim_finish(trimmer);
	kfree(walk);
	return ret;
}

static int assay_trim_locked(struct assay_trimmer *trimmer, u64 keep)
{
	const struct assay_ledger *ledger = trimmer->ledger;
	bool pending = trimmer->pending;
	u64 anchored;
	int ret;

	/* A TRIM record that is pending comes first: it may be the one that is asked for. */
	ret = assay_trim_finish(trimmer);
	if (ret)
		return ret;
	/* Pairs with anchoring: what counts as anchored is written. */
	anchored = smp_load_acquire(&ledger->anchored_records);
	if (keep < ledger->head_recnum || keep >= anchored)
		return -EINVAL;
	if (keep == ledger->head_recnum)
		return pending ? 0 : -ENODATA;
	return assay_trim_to(trimmer, keep);
}

/* -EAGAIN: a backlog was anchored for a while. */
static int assay_trim_once(struct assay_trimmer *trimmer, struct assay_trim *request)
{
	int ret;

	request->recnum = ASSAY_RECNUM_NONE;
	ret = assay_lock(&trimmer->lock);
	if (ret)
		return ret;
	ret = assay_trim_locked(trimmer, request->keep);
	if (!ret || trimmer->pending) {
		request->recnum = trimmer->recnum;
		request->offset = trimmer->offset;
		request->head = trimmer->ledger->ring.head;
	}
	mutex_unlock(&trimmer->lock);
	return ret;
}

/**
 * assay_trim() - cut off the records before one
 * @trimmer: open
 * @request: @keep is read; the rest is set on success, and where a TRIM record waits to
 *           be anchored, else @recnum to ASSAY_RECNUM_NONE
 *
 * While a TRIM record waits to be anchored no other is written: a call tries to anchor it
 * and moves the head as it says, before it looks at @keep.
 *
 * Return: 0; -EINVAL, -ENODATA, -EINTR (killed while waiting), or what
 * assay_ledger_append() returns for the TRIM record. The head is at @keep only with 0.
 */
int assay_trim(struct assay_trimmer *trimmer, struct assay_trim *request)
{
	int ret;

	do {
		ret = assay_trim_once(trimmer, request);
	} while (ret == -EAGAIN && !assay_pause());
	return ret == -EAGAIN ? -EINTR : ret;
}

static int assay_seal_locked(struct assay_walk *walk, struct assay_seal *request)
{
	u64 begin = 0, end = request->first + request->count;
	int ret = 0;

	while (!ret && walk->recnum < end) {
		if (walk->recnum == request->first)
			begin = walk->offset;
		ret = assay_walk_next(walk);
	}
	if (!ret)
		ret = assay_ledger_fill_page(walk->ledger, walk->offset);
	if (!ret)
		request->sealed = PAGE_ALIGN(walk->offset) - ALIGN_DOWN(begin, PAGE_SIZE);
	return ret;
}

/* -EAGAIN: a backlog was anchored for a while. */
static int assay_seal_once(struct assay_trimmer *trimmer, struct assay_seal *request)
{
	struct assay_ledger *ledger = trimmer->ledger;
	struct assay_walk *walk;
	u64 records;
	int ret;

	ret = assay_lock(&trimmer->lock);
	if (ret)
		return ret;
	ret = -EINVAL;
	records = READ_ONCE(ledger->records);
	if (!request->count || request->first < ledger->head_recnum || request->first >= records ||
	    request->count > records - request->first)
		goto unlock;
	ret = -ENOMEM;
	walk = assay_walk_begin(ledger);
	if (walk)
		ret = assay_seal_locked(walk, request);
	kfree(walk);
unlock:
	mutex_unlock(&trimmer->lock);
	return ret;
}

/**
 * assay_seal() - have no page that holds some records opened again
 * @trimmer: open
 * @request: @first and @count are read, @sealed is set on success
 *
 * Return: 0; -EINVAL, -EINTR, or what assay_ledger_append() returns for the SEAL
 * record.
 */
int assay_seal(struct assay_trimmer *trimmer, struct assay_seal *request)
{
	int ret;

	do {
		ret = assay_seal_once(trimmer, request);
	} while (ret == -EAGAIN && !assay_pause());
	return ret == -EAGAIN ? -EINTR : ret;
}

/**
 * assay_trim_open() - for a log that is not cut yet
 * @trimmer: to initialise; to be released by assay_trim_close()
 * @ledger: created ledger
 */
void assay_trim_open(struct assay_trimmer *trimmer, struct assay_ledger *ledger)
{
	trimmer->ledger = ledger;
	trimmer->pending = false;
	mutex_init(&trimmer->lock);
}

/**
 * assay_trim_close() - when nobody calls any more
 * @trimmer: open
 */
void assay_trim_close(struct assay_trimmer *trimmer)
{
	mutex_destroy(&trimmer->lock);
}
