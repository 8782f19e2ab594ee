// SPDX-License-Identifier: MIT
/* Challenges and verdicts, whichever protocol they are asked in. */
#include <errno.h>
#include <event2/util.h>

#include "intake_batch.h"

/* Strangers know devices' names, too: what nearly nothing is sent for is not expanded without end.
 * Logs with the same line many times stay below. */
#define RATIO_MAX 100
#define SHORT_MAX (16U << 20) /* bytes to which it may expand however short it is */
#define JITTER_DIVISOR 10     /* of an interval, that devices come earlier */

/* ---------------------------------------------------------------- answers */

static void tell(const struct intake_batch *batch, struct intake_item *item,
		 const struct intake_verdict *verdict)
{
	intake_say(item, item->protocol->verdict_status,
		   item->protocol->verdict(item, verdict, batch->now));
}

static void say_verdict(const struct intake_batch *batch, struct intake_item *item,
			const char *reason)
{
	const struct device *device = item->device;
	bool trusted = device->verdict == DEVICE_TRUSTED;

	tell(batch, item,
	     &(struct intake_verdict){
		     .trusted = trusted,
		     .known = true,
		     .reason = trusted ? "" : reason,
		     .next_in = device->due > batch->now ? device->due - batch->now : 1,
	     });
}

/* ---------------------------------------------------------------- challenges */

int intake_answer_challenge(struct intake_batch *batch, struct intake_item *item,
			    struct assay_error *err)
{
	const struct fleet *fleet = batch->fleet;
	const struct device *device = item->device;
	struct intake_challenge challenge = { .expires_in = 0 };
	struct nonce_for whom;
	int r;

	if (!item->whole)
		judge_have(device, policies_of(&fleet->policies, device->label, device->name),
			   item->boot_id, &challenge.have);
	whom = judge_nonce_for(device, &challenge.have);
	r = nonce_make(&fleet->nonce_keys, &whom, batch->now, fleet->settings->nonce_step,
		       challenge.nonce, &challenge.expires_in, err);
	if (r < 0)
		return r;
	intake_say(item, item->protocol->challenge_status,
		   item->protocol->challenge(item, &challenge, batch->now));
	fleet->counts->challenges++;
	return 0;
}

/* ---------------------------------------------------------------- evidence */

uint64_t intake_next_in(uint64_t interval)
{
	uint32_t number = 0;
	uint64_t early = interval / JITTER_DIVISOR;

	evutil_secure_rng_get_bytes(&number, sizeof(number));
	return interval - (early > 0 ? number % early : 0);
}

static void note_change(struct intake_batch *batch, struct intake_item *item, const char *policy)
{
	struct device *device = item->device;
	struct judgement *judgement = &item->judgement;

	if (!judgement->changed)
		return;
	device->since = batch->now;
	batch->fleet->counts->changes++;
	batch->changing[batch->change_count] = device;
	batch->changes[batch->change_count++] = (struct device_change){
		.name = device->name,
		.at = batch->now,
		.verdict = device->verdict,
		.reason = judgement->reason,
		.policy = policy,
		.kept = buffer_bytes(&judgement->kept),
		.evidence = device->evidence,
		.first = device->change == 0,
	};
}

/* All at once, and in the order in which they came about. */
int intake_add_changes(struct intake_batch *batch, struct assay_error *err)
{
	uint64_t ids[INTAKE_BATCH_MAX];
	int r = devices_add_changes(batch->fleet->store, batch->changes, batch->change_count, ids,
				    err);

	for (size_t i = 0; r == 0 && i < batch->change_count; i++)
		batch->changing[i]->change = ids[i];
	batch->change_count = 0;
	return r;
}

static int answer_repeated(struct intake_batch *batch, struct intake_item *item,
			   struct assay_error *err)
{
	char reason[sizeof(item->judgement.reason)];
	int r = intake_add_changes(batch, err);

	if (r == 0)
		r = devices_reason(batch->fleet->store, item->device->change, reason,
				   sizeof(reason), err);
	batch->fleet->counts->repeated++;
	if (r == 0 && item->device->verdict == DEVICE_SILENT)
		intake_say_error(item, item->protocol->stale_status,
				 "the evidence is of before the device was silent");
	else if (r == 0)
		say_verdict(batch, item, reason);
	return r;
}

/* Of evidence that anybody could have sent nothing is noted: only the device makes its verdicts. */
static void answer_foreign(struct intake_batch *batch, struct intake_item *item)
{
	batch->fleet->counts->foreign++;
	tell(batch, item,
	     &(struct intake_verdict){
		     .reason = item->judgement.reason,
		     .next_in = intake_next_in(batch->fleet->settings->interval),
	     });
}

static void answer_judged(struct intake_batch *batch, struct intake_item *item, const char *policy)
{
	struct device *device = item->device;
	struct fleet_counts *counts = batch->fleet->counts;

	note_change(batch, item, policy);
	device->due = batch->now + intake_next_in(batch->fleet->settings->interval);
	batch->changed[device - batch->devices] = true;
	item->kept = item->judgement.changed || item->judgement.news;
	counts->verdicts++;
	*(item->judgement.trusted ? &counts->trusted : &counts->not_trusted) += 1;
	say_verdict(batch, item, item->judgement.reason);
}

static size_t expanded_max(const struct fleet_settings *settings, size_t sent)
{
	size_t most = SHORT_MAX + RATIO_MAX * sent;

	return most < settings->evidence_max ? most : settings->evidence_max;
}

int intake_refused_status(int r)
{
	return r == -EFBIG ? 413 : r == -ENOMEM ? 503 : 400;
}

/* Only now: a device of that name may attest, and no other evidence is held expanded. */
static bool read_evidence(struct intake_batch *batch, struct intake_item *item)
{
	const size_t limit = expanded_max(batch->fleet->settings, item->call->body.size);
	struct assay_error why = { 0 };
	int r = item->form(item, limit, &item->in, &why);

	if (r == 0)
		return true;
	batch->fleet->counts->refused++;
	intake_say_error(item, intake_refused_status(r), why.text);
	return false;
}

int intake_answer_evidence(struct intake_batch *batch, struct intake_item *item,
			   struct assay_error *err)
{
	const struct fleet *fleet = batch->fleet;
	const struct judge_terms terms = { &fleet->nonce_keys, batch->now,
					   fleet->settings->nonce_step };
	const struct fleet_policy *policy =
		policies_of(&fleet->policies, item->device->label, item->device->name);
	struct assay_error why = { 0 };
	int r;

	if (!policy || !policy->policy) {
		intake_say_error(item, 503,
				 policy && policy->why ? policy->why :
							 "no policy is assigned to the device");
		return 0;
	}
	if (!read_evidence(batch, item))
		return 0;
	r = judge(&item->in, &terms, policy, item->device, &item->judgement, &why);
	evidence_in_forget(&item->in);
	/* What is wrong with one device's state is not the others' matter. */
	if (r < 0) {
		intake_say_error(item, 503, why.text);
		return 0;
	}
	switch (item->judgement.kind) {
	case JUDGE_REPEATED:
		return answer_repeated(batch, item, err);
	case JUDGE_STALE:
		batch->fleet->counts->stale++;
		intake_say_error(item, item->protocol->stale_status, item->judgement.reason);
		return 0;
	case JUDGE_FOREIGN:
		answer_foreign(batch, item);
		return 0;
	case JUDGE_VERDICT:
		answer_judged(batch, item, policy->id);
		return 0;
	}
	return 0;
}
