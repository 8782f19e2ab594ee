// SPDX-License-Identifier: MIT
#include "log/ima_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void ima_feed_begin(struct ima_feed *feed, enum assay_hash bank)
{
	*feed = (struct ima_feed){ .bank = bank };
}

void ima_feed_free(struct ima_feed *feed)
{
	buffer_free(&feed->bytes);
	feed->taken = 0;
}

int ima_feed_add(struct ima_feed *feed, struct bytes bytes, struct assay_error *err)
{
	size_t left = ima_feed_left(feed);

	if (feed->taken > 0)
		memmove(feed->bytes.data, feed->bytes.data + feed->taken, left);
	feed->taken = 0;
	feed->bytes.size = left;
	buffer_append_bytes(&feed->bytes, bytes);
	return feed->bytes.failed ? assay_fail(err, ENOMEM, "out of memory for IMA's list") : 0;
}

size_t ima_feed_left(const struct ima_feed *feed)
{
	return feed->bytes.size - feed->taken;
}

int ima_feed_next(struct ima_feed *feed, struct ima_frame *ret_frame, struct bytes *ret_bytes,
		  struct assay_error *err)
{
	const uint8_t *start = feed->bytes.data + feed->taken;
	struct ima_reader reader;
	struct assay_error why;
	size_t size;
	int r;

	if (ima_feed_left(feed) == 0)
		return 0;
	ima_begin(&reader, BYTES(start, ima_feed_left(feed)), feed->bank);
	reader.offset = feed->offset;
	r = ima_skim(&reader, ret_frame, &why);
	if (r < 0 && reader.cut)
		return 0;
	if (r < 0)
		return assay_fail(err, why.code, "%s", why.text);
	size = (size_t)(ret_frame->end - ret_frame->offset);
	feed->taken += size;
	feed->offset = ret_frame->end;
	*ret_bytes = BYTES(start, size);
	return 1;
}

/* ---------------------------------------------------------------- replaying */

int ima_running_open(struct ima_running *running, const enum assay_hash *banks, size_t count,
		     struct assay_error *err)
{
	*running = (struct ima_running){ 0 };
	if (count == 0 || count > HASHERS_MAX)
		return assay_fail(err, EINVAL, "a replay is in 1 to %d banks, not %zu", HASHERS_MAX,
				  count);
	for (size_t i = 0; i < count; i++) {
		if (!hashers_get(&running->hashers, banks[i], err)) {
			ima_running_close(running);
			return err ? -err->code : -ENOTSUP;
		}
		running->banks[i].hash = banks[i];
		for (unsigned int pcr = 0; pcr < IMA_PCR_COUNT; pcr++)
			running->banks[i].values[pcr] =
				(struct assay_digest){ .hash = banks[i],
						       .size = assay_hash_size(banks[i]) };
	}
	running->bank_count = count;
	return 0;
}

void ima_running_close(struct ima_running *running)
{
	hashers_close(&running->hashers);
}

void ima_running_begin(struct ima_running *running, unsigned int pcr,
		       const struct assay_digest *value, uint64_t entries)
{
	running->entries = entries;
	for (size_t i = 0; i < running->bank_count && pcr < IMA_PCR_COUNT; i++)
		if (running->banks[i].hash == value->hash)
			running->banks[i].values[pcr] = *value;
}

/* What a replay needs of an entry; the digest and a path are copied, the rest points. */
static void entry_of(const struct ima_frame *frame, enum assay_hash bank, struct ima_entry *ret)
{
	*ret = (struct ima_entry){
		.offset = frame->offset,
		.pcr = frame->pcr,
		.template_digest = { .hash = bank, .size = assay_hash_size(bank) },
		.violation = frame->violation,
		.name = frame->name,
		.data = frame->data,
	};
	memcpy(ret->template_digest.bytes, frame->template_digest, assay_hash_size(bank));
}

static bool begins_boot(struct ima_entry *entry)
{
	struct ima_reader reader;

	ima_begin(&reader, BYTES(NULL, 0), entry->template_digest.hash);
	ima_entry_parse(&reader, entry);
	return entry->boot_aggregate != IMA_NO_BOOT_AGGREGATE;
}

bool ima_frame_begins_boot(const struct ima_frame *frame, enum assay_hash bank)
{
	struct ima_entry entry;

	entry_of(frame, bank, &entry);
	return begins_boot(&entry);
}

static int check_digest(const struct ima_entry *entry, const struct assay_digest *digest,
			struct assay_error *err)
{
	if (memcmp(digest->bytes, entry->template_digest.bytes, digest->size) == 0)
		return 0;
	return assay_fail(err, EBADMSG,
			  "IMA entry at offset %" PRIu64
			  ": its template digest is not that of its data",
			  entry->offset);
}

int ima_running_add(struct ima_running *running, enum assay_hash bank,
		    const struct ima_frame *frame, struct assay_error *err)
{
	struct ima_entry entry;
	int r = 0;

	entry_of(frame, bank, &entry);
	for (size_t i = 0; i < running->bank_count && r == 0; i++) {
		struct assay_digest *value = &running->banks[i].values[frame->pcr];
		struct hasher *hasher = hashers_get(&running->hashers, value->hash, err);
		struct assay_digest digest = { .hash = value->hash, .size = value->size };

		if (!hasher)
			return assay_fail(err, ENOTSUP, "a bank that cannot be replayed");
		memset(digest.bytes, 0xff, digest.size);
		if (!entry.violation)
			r = ima_template_hash(&entry, hasher, &digest, err);
		if (r == 0 && !entry.violation && value->hash == bank)
			r = check_digest(&entry, &digest, err);
		if (r == 0)
			r = hasher_extend(hasher, value, BYTES(digest.bytes, digest.size), err);
	}
	if (r < 0)
		return r;
	running->aggregates += begins_boot(&entry);
	running->violations += entry.violation;
	running->extended |= 1U << frame->pcr;
	running->entries++;
	return 0;
}

const struct assay_digest *ima_running_value(const struct ima_running *running,
					     enum assay_hash hash, unsigned int pcr)
{
	for (size_t i = 0; i < running->bank_count && pcr < IMA_PCR_COUNT; i++)
		if (running->banks[i].hash == hash)
			return &running->banks[i].values[pcr];
	return NULL;
}

/* ---------------------------------------------------------------- other banks */

static void append_le32(struct buffer *out, size_t value)
{
	for (int shift = 0; shift < 32; shift += 8)
		buffer_append_u8(out, (uint8_t)(value >> shift));
}

int ima_frame_rebank(const struct ima_frame *frame, enum assay_hash bank, struct hasher *hasher,
		     struct buffer *out, struct assay_error *err)
{
	struct assay_digest digest = { .hash = hasher->hash, .size = hasher->size };
	struct ima_entry entry;
	int r = 0;

	entry_of(frame, bank, &entry);
	if (hasher->hash == bank)
		digest = entry.template_digest;
	else if (!entry.violation)
		r = ima_template_hash(&entry, hasher, &digest, err);
	if (r < 0)
		return r;
	append_le32(out, frame->pcr);
	buffer_append(out, digest.bytes, digest.size);
	append_le32(out, frame->name.size);
	buffer_append_bytes(out, frame->name);
	/* The oldest template has no length of its data. */
	if (!bytes_equal(frame->name, BYTES_LITERAL("ima")))
		append_le32(out, frame->data.size);
	buffer_append_bytes(out, frame->data);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory for IMA's list") : 0;
}
