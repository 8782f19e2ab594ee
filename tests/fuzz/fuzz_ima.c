// SPDX-License-Identifier: MIT
/* Fuzzing the reader of IMA's measurement lists; the first byte chooses the bank. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "log/ima_feed.h"

/* The same list in pieces has the same entries, and each can be written anew. */
static void feed(struct bytes list, enum assay_hash bank, size_t piece, uint64_t end)
{
	struct buffer again = { 0 };
	struct ima_frame frame;
	struct hasher hasher;
	struct ima_feed feed;
	struct bytes entry, part;
	struct assay_error err;
	uint64_t offset = 0;
	int r = 0;

	if (hasher_open(&hasher, bank, &err) < 0)
		abort();
	ima_feed_begin(&feed, bank);
	while (r == 0 && list.size > 0) {
		if (!bytes_take(&list, list.size < piece ? list.size : piece, &part) ||
		    ima_feed_add(&feed, part, &err) < 0)
			abort();
		while ((r = ima_feed_next(&feed, &frame, &entry, &err)) == 1) {
			again.size = 0;
			if (ima_frame_rebank(&frame, bank, &hasher, &again, &err) < 0 ||
			    !bytes_equal(buffer_bytes(&again), entry))
				abort();
			offset = frame.end;
		}
	}
	if (offset != end)
		abort();
	ima_feed_free(&feed);
	buffer_free(&again);
	hasher_close(&hasher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						 ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct hasher hasher;
	struct ima_reader reader;
	struct ima_entry entry;
	struct assay_error err;
	enum assay_hash bank;

	if (size == 0)
		return 0;
	if (hasher_open(&hasher, ASSAY_HASH_SHA256, &err) < 0)
		abort();
	ima_begin(&reader, BYTES(data + 1, size - 1), banks[data[0] % 4]);
	while (ima_next(&reader, &entry, &err) == 1) {
		/* Whatever is accepted replays, and what is handed out is within the entry. */
		if (ima_extend(&entry, &hasher, &value, &err) < 0)
			abort();
		inside(entry.path, entry.data);
		inside(entry.digest, entry.data);
		inside(entry.signature, entry.data);
		inside(entry.buffer, entry.data);
		inside(entry.modsig_digest, entry.data);
		inside(entry.modsig, entry.data);
		inside(entry.evm_signature, entry.data);
		inside(entry.xattr_names, entry.data);
		inside(entry.xattr_lengths, entry.data);
		inside(entry.xattr_values, entry.data);
		if (ima_name_compare(entry.path, ima_name_limited(entry.path)) != 0 &&
		    entry.path.size <= IMA_NAME_LIMIT)
			abort();
		/* An algorithm is named only with a digest of its size. */
		if (entry.digest_hash && entry.digest.size != assay_hash_size(entry.digest_hash))
			abort();
		if ((!entry.known || entry.problem) && (entry.path.data || entry.digest.data))
			abort();
	}
	if (reader.offset + reader.rest.size != size - 1)
		abort();
	feed(BYTES(data + 1, size - 1), reader.bank, 1 + data[0] / 4 * 64U, reader.offset);
	(void)ima_detect_bank(BYTES(data + 1, size - 1), &bank, &err);
	hasher_close(&hasher);
	return 0;
}
