/* SPDX-License-Identifier: MIT */
/*
 * Evidence and what is known of its device make a verdict, and what is known then. Pure: no
 * database, no clock. lib/verify does the judging.
 */
#ifndef ASSAY_FLEET_JUDGE_H
#define ASSAY_FLEET_JUDGE_H

#include "devices.h"
#include "nonce.h"
#include "policies.h"
#include "verify/evidence.h"

/**
 * struct evidence_in - evidence as it came, and what of it is read before its device is known
 * @body: as it was sent, a frame of zstd; borrowed
 * @text: what is in it; @evidence: as it was read, until it is judged
 * @digest: SHA-256 of @body
 * @nonce, @boot_id, @resets, @restarts, @clock: what it says; nothing is proved yet
 *
 * Start with {0}, end with evidence_in_free().
 */
struct evidence_in {
	struct bytes body;
	struct buffer text;
	struct evidence evidence;
	struct assay_digest digest;
	struct buffer nonce;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	uint64_t resets, restarts, clock;
};

/* evidence_in_forget() - let go of @text and @evidence, which are large; the rest stays */
void evidence_in_forget(struct evidence_in *in);
void evidence_in_free(struct evidence_in *in);

/*
 * evidence_in_read() - expand and read it
 * @limit: bytes that it may have when it is expanded
 *
 * Return: 0; -EFBIG; -EBADMSG with what is off; -ENOMEM
 */
int evidence_in_read(struct bytes body, size_t limit, struct evidence_in *ret,
		     struct assay_error *err);

enum judge_kind {
	JUDGE_VERDICT,	/* it is the device's, and was judged */
	JUDGE_REPEATED, /* the same bytes were judged before: what was said then holds */
	JUDGE_STALE, /* it is older than what was judged, or its nonce is not good (any more): so it
			is where another starting point was given with it than holds now */
	JUDGE_FOREIGN, /* it is not proved to be the device's: nothing is noted of it */
};

/**
 * struct judgement - what came of it; judgement_free() it
 * @trusted: of JUDGE_VERDICT
 * @changed: the device is held for something else than before, or by other checks
 * @news: it has records or entries that were not judged before
 * @reason: why it is not trusted, or what is off; "" if it is trusted
 * @kept: of judge(), kept_verdict_pack() of it where it @changed; else of size 0
 * @issued: when its nonce was made, at the earliest
 */
struct judgement {
	enum judge_kind kind;
	bool trusted, changed, news;
	char reason[1024];
	struct buffer kept;
	uint64_t issued;
};

void judgement_free(struct judgement *judgement);

/**
 * struct judge_terms - what is the same for all
 * @now: seconds since 1970-01-01 00:00 UTC
 * @nonce_step: as nonce_make() was given it
 */
struct judge_terms {
	const struct nonce_keys *keys;
	uint64_t now, nonce_step;
};

/*
 * judge_have() - what evidence of that boot may leave out, for who asks for a challenge
 * @ret: .log, .ima and .uefi are 0 where it must be all there
 */
void judge_have(const struct device *device, const struct fleet_policy *policy, const char *boot_id,
		struct assay_state_info *ret);

/* judge_nonce_for() - whom a nonce is given that is told judge_have()'s @have */
struct nonce_for judge_nonce_for(const struct device *device, const struct assay_state_info *have);

/*
 * judge() - make the verdict
 * @in: its .evidence is used up
 * @device: that is known by its name; of JUDGE_VERDICT all of it is changed that the verdict
 * changes, but @change, @since, @due
 *
 * Return: 0; -ENOMEM; -EIO where lib/verify does not take what the database has
 */
int judge(struct evidence_in *in, const struct judge_terms *terms,
	  const struct fleet_policy *policy, struct device *device, struct judgement *ret,
	  struct assay_error *err);

/*
 * judge_again() - judge evidence that was kept, as if it came at that time
 * @in: as of judge()
 * @nonce, @issued: that it answered; @now: when it was judged
 *
 * Return: as judge(), with JUDGE_VERDICT or JUDGE_FOREIGN
 */
int judge_again(struct evidence_in *in, struct bytes nonce, uint64_t issued, uint64_t now,
		const struct fleet_policy *policy, struct device *device, struct judgement *ret,
		struct assay_error *err);

#endif /* ASSAY_FLEET_JUDGE_H */
