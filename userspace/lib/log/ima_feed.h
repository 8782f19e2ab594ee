/* SPDX-License-Identifier: MIT */
/*
 * IMA's list as it comes in pieces: whole entries are taken out of it, and replayed as they
 * come. Memory is that of one piece and one entry. Hostile bytes, as in ima.h. For assayd and the
 * commands that read what it keeps.
 */
#ifndef ASSAY_LOG_IMA_FEED_H
#define ASSAY_LOG_IMA_FEED_H

#include "log/ima.h"

/**
 * struct ima_feed - pieces of a list; ima_feed_begin() sets it up, ima_feed_free() ends it
 * @bank: what the list's template digests are in
 * @bytes: what came and is not taken yet, behind @taken bytes that are
 * @offset: of the first byte that is not taken, in the list
 */
struct ima_feed {
	enum assay_hash bank;
	struct buffer bytes;
	size_t taken;
	uint64_t offset;
};

void ima_feed_begin(struct ima_feed *feed, enum assay_hash bank);
void ima_feed_free(struct ima_feed *feed);

/* ima_feed_add() - the list's next bytes. Frames that were given out are good no more. -ENOMEM */
int ima_feed_add(struct ima_feed *feed, struct bytes bytes, struct assay_error *err);

/*
 * ima_feed_next() - take the next whole entry
 * @ret_frame: its offsets are those in the list
 * @ret_bytes: all of it as it stands in the list
 *
 * Both are good until ima_feed_add().
 *
 * Return: 1; 0 where there is none before more bytes come; -EBADMSG for what is no entry,
 * whatever comes
 */
int ima_feed_next(struct ima_feed *feed, struct ima_frame *ret_frame, struct bytes *ret_bytes,
		  struct assay_error *err);

/* ima_frame_begins_boot() - does an entry stand for a boot, by its name? */
bool ima_frame_begins_boot(const struct ima_frame *frame, enum assay_hash bank);

/* ima_feed_left() - bytes of an entry that is not whole yet */
size_t ima_feed_left(const struct ima_feed *feed);

/**
 * struct ima_running - what entries came to so far; ima_running_open() sets it up
 * @hashers: one a bank
 * @banks: .values: of each PCR, zeros where nothing was extended into it
 * @bank_count: how many
 * @extended: bit n: an entry was extended into PCR n
 * @entries, @violations: how many came
 * @aggregates: of these entries, those that stand for a boot: more than one where the list was
 *              carried over a kexec
 */
struct ima_running {
	struct hashers hashers;
	struct {
		enum assay_hash hash;
		struct assay_digest values[IMA_PCR_COUNT];
	} banks[HASHERS_MAX];
	size_t bank_count;
	uint32_t extended;
	uint64_t entries, violations, aggregates;
};

/* ima_running_open() - at zeros, in these banks, 1 to HASHERS_MAX; end with ima_running_close() */
int ima_running_open(struct ima_running *running, const enum assay_hash *banks, size_t count,
		     struct assay_error *err);
void ima_running_close(struct ima_running *running);

/*
 * ima_running_begin() - begin in the middle of a list: before the next entry the PCR was @value,
 * and @entries came before it. A bank that is not replayed is passed over.
 */
void ima_running_begin(struct ima_running *running, unsigned int pcr,
		       const struct assay_digest *value, uint64_t entries);

/*
 * ima_running_add() - extend as the kernel did for an entry
 * @bank: what the list's template digests are in
 *
 * Return: 0; -EBADMSG where the entry's template digest is not that of its data; -ENOMEM, -EIO
 */
int ima_running_add(struct ima_running *running, enum assay_hash bank,
		    const struct ima_frame *frame, struct assay_error *err);

/* ima_running_value() - a PCR as it is now; NULL in a bank that is not replayed */
const struct assay_digest *ima_running_value(const struct ima_running *running,
					     enum assay_hash hash, unsigned int pcr);

/*
 * ima_frame_rebank() - append an entry as the list of another bank has it
 * @bank: what the template digest is in
 * @hasher: of the other bank; its own where they are the same
 *
 * The kernel computes each bank's digest over the same data; a violation's are zeros in each.
 */
int ima_frame_rebank(const struct ima_frame *frame, enum assay_hash bank, struct hasher *hasher,
		     struct buffer *out, struct assay_error *err);

#endif /* ASSAY_LOG_IMA_FEED_H */
