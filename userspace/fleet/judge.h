/* SPDX-License-Identifier: MIT */
/*
 * Evidence and what is known of its device make a verdict, and what is known then. Pure: no
 * database, no clock. lib/verify does the judging.
 */
#ifndef ASSAY_FLEET_JUDGE_H
#define ASSAY_FLEET_JUDGE_H

#include "devices.h"
#include "evidence_in.h"
#include "nonce.h"
#include "policies.h"
#include "versions.h"

enum judge_kind {
	JUDGE_VERDICT,	/* its quote is the device's, and it was judged */
	JUDGE_REPEATED, /* the same bytes were judged before: what was said then holds */
	JUDGE_STALE, /* it is older than what was judged, or its nonce is not good (any more): so it
			is where another starting point was given with it than holds now. Or it
			leaves the firmware's log out, and PCRs of the boot have changed since */
	JUDGE_FOREIGN, /* its quote is not proved to be the device's: nothing is noted of it */
};

/**
 * struct judgement - what came of it; judgement_free() it
 * @trusted: of JUDGE_VERDICT
 * @changed: the device is held for something else than before, or by other checks
 * @news: it has records or entries that were not judged before
 * @reason: why it is not trusted, or what is off; "" if it is trusted
 * @kept: of judge(), kept_verdict_pack() of it where it @changed; else of size 0
 * @versions: of evidence of a boot that was not trusted before
 * @issued: when its nonce was made, at the earliest
 */
struct judgement {
	enum judge_kind kind;
	bool trusted, changed, news;
	char reason[1024];
	struct buffer kept;
	struct versions versions;
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
