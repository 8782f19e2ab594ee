// SPDX-License-Identifier: MIT
#include "verify/replay.h"

#include <errno.h>
#include <string.h>

#include "log/cel.h"
#include "log/hasher.h"
#include "log/ima_digests.h"

/* A record's extend was applied: is the quoted value reached with it? */
static void advance(struct replay *replay, uint64_t end, const struct assay_digest *quoted)
{
	replay->records++;
	if (replay->reached || !bytes_equal(BYTES(replay->last.bytes, replay->last.size),
					    BYTES(quoted->bytes, quoted->size)))
		return;
	replay->reached = true;
	replay->covered = replay->records;
	replay->covered_size = end;
}

int replay_assay(struct bytes log, unsigned int pcr, const struct assay_digest *start,
		 const struct assay_digest *quoted, struct replay *ret, struct assay_error *err)
{
	struct replay replay = { .last = *start };
	struct cel_record record;
	struct cel_reader reader;
	struct hasher hasher;
	int r;

	if (start->hash != quoted->hash || start->size != quoted->size)
		return assay_fail(err, EBADMSG,
				  "the log's start is of another bank than the quote");
	r = hasher_open(&hasher, quoted->hash, err);
	if (r < 0)
		return r;
	cel_begin(&reader, log, 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		const struct assay_digest *digest = cel_record_digest(&record, quoted->hash);

		if (record.pcr != pcr)
			continue;
		if (!digest) {
			r = assay_fail(err, EBADMSG, "record %llu has no %s digest",
				       (unsigned long long)record.recnum,
				       assay_hash_name(quoted->hash));
			break;
		}
		r = hasher_extend(&hasher, &replay.last, BYTES(digest->bytes, digest->size), err);
		if (r < 0)
			break;
		advance(&replay, record.offset + record.size, quoted);
	}
	hasher_close(&hasher);
	if (r < 0)
		return r;
	*ret = replay;
	return 0;
}

static int extend_ima(struct hasher *hasher, const struct ima_digested *entry,
		      struct assay_digest *value, struct assay_error *err)
{
	uint8_t ones[ASSAY_DIGEST_MAX];

	if (!entry->frame->violation)
		return hasher_extend(hasher, value, BYTES(entry->digests[0], value->size), err);
	memset(ones, 0xff, sizeof(ones));
	return hasher_extend(hasher, value, BYTES(ones, value->size), err);
}

int replay_ima(struct bytes list, enum assay_hash bank, unsigned int pcr,
	       const struct assay_digest *start, const struct assay_digest *quoted,
	       struct replay *ret, struct assay_error *err)
{
	struct replay replay = { .last = *start };
	struct ima_digests *digests = NULL;
	struct ima_digested entry;
	struct hasher hasher;
	int r;

	if (start->hash != quoted->hash || start->size != quoted->size)
		return assay_fail(
			err, EBADMSG,
			"what was verified of the list is of another bank than the quote");
	r = hasher_open(&hasher, quoted->hash, err);
	if (r < 0)
		return r;
	r = ima_digests_new(list, bank, &quoted->hash, 1, &digests, err);
	while (r == 0 && (r = ima_digests_next(digests, &entry, err)) > 0) {
		r = 0;
		if (entry.frame->pcr != pcr)
			continue;
		r = extend_ima(&hasher, &entry, &replay.last, err);
		if (r == 0)
			advance(&replay, entry.frame->end, quoted);
	}
	ima_digests_free(digests);
	hasher_close(&hasher);
	if (r < 0)
		return r;
	*ret = replay;
	return 0;
}
