// SPDX-License-Identifier: MIT
#include "judge.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "kept_verdict.h"
#include "verify/library_read.h"
#include "verify/state.h"
#include "verify/structures.h"

void judgement_free(struct judgement *judgement)
{
	buffer_free(&judgement->kept);
	*judgement = (struct judgement){ 0 };
}

/* ---------------------------------------------------------------- judging */

static bool same_bytes(const struct evidence_in *in, const struct device *device)
{
	return device->evidence.size > 0 &&
	       bytes_equal(BYTES(in->digest.bytes, in->digest.size),
			   BYTES(device->evidence.bytes, device->evidence.size));
}

/* Counters of 32 bits that begin anew at their end, and, obfuscated, anywhere: as lib/verify does.
 */
static bool is_ahead(uint64_t counter, uint64_t of)
{
	return (int32_t)((uint32_t)counter - (uint32_t)of) > 0;
}

/* Does the quote come behind the one that was judged? A TPM counts resets, restarts, and time. */
static bool is_later(const struct evidence_in *in, const struct device *device)
{
	if (device->judged == 0)
		return true;
	if (in->resets != device->resets)
		return is_ahead(in->resets, device->resets);
	if (in->restarts != device->restarts)
		return is_ahead(in->restarts, device->restarts);
	return in->clock > device->clock;
}

/* UTF-8, whatever a check may say: no database and no JSON takes anything else. */
static void tell_reason(const struct assay_verdict *verdict, char *reason, size_t capacity)
{
	struct assay_verify_check check;
	json_t *valid;

	reason[0] = '\0';
	if (assay_verdict_check(verdict, assay_verdict_reason(verdict), &check) != ASSAY_VERIFY_OK)
		return;
	snprintf(reason, capacity, "%s: %s", check.name, check.detail);
	(void)text_end_whole(reason);
	valid = json_string(reason);
	if (!valid)
		text_escape(BYTES((const uint8_t *)check.detail, strlen(check.detail)), reason,
			    capacity);
	json_decref(valid);
}

/* Which checks do not pass, without the words, by which policy. Those that are first made where
 * there is a state, and pass, are no news. */
static int digest_checks(const struct assay_verdict *verdict, const struct fleet_policy *policy,
			 struct assay_digest *ret, struct assay_error *err)
{
	struct assay_verify_check check;
	struct buffer text = { 0 };
	int r;

	buffer_append(&text, policy->id, strlen(policy->id) + 1);
	for (size_t i = 0; assay_verdict_check(verdict, i, &check) == ASSAY_VERIFY_OK; i++) {
		if (check.result == ASSAY_VERIFY_PASS ||
		    (check.result == ASSAY_VERIFY_NOT_CHECKED && !check.required))
			continue;
		buffer_append(&text, check.name, strlen(check.name) + 1);
		buffer_append_u8(&text, (uint8_t)(check.result << 1 | check.required));
	}
	r = text.failed ? assay_fail(err, ENOMEM, "out of memory") :
			  digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&text), ret, err);
	buffer_free(&text);
	return r;
}

/* What a device need not send again: only of what is trusted, for only that has a state. */
static int keep_state(const struct assay_verdict *verdict, const struct fleet_policy *policy,
		      struct device *device, bool *ret_news, struct assay_error *err)
{
	struct assay_verify_message message = { "" };
	struct assay_verify_bytes state;
	struct assay_state_info info;

	if (assay_verdict_state_bytes(verdict, &state) != ASSAY_VERIFY_OK ||
	    assay_state_info(state, policy->policy, &info, &message) != ASSAY_VERIFY_OK)
		return assay_fail(err, EIO, "the verdict has no state: %s", message.text);
	device->state.size = 0;
	buffer_append(&device->state, state.data, state.size);
	if (device->state.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	*ret_news = device->records != info.log || device->entries != info.ima;
	device->records = info.log;
	device->entries = info.ima;
	return 0;
}

/* By which PCRs the firmware's log was judged; of size 0 if it was not. */
static struct assay_digest firmware_pcrs(const struct device *device)
{
	static _Thread_local struct verify_state state;

	if (device->state.size == 0 ||
	    state_from_bytes(buffer_bytes(&device->state), &state, NULL) < 0 ||
	    state.firmware.size == 0)
		return (struct assay_digest){ .size = 0 };
	return state.firmware.pcrs;
}

/* Not every agent says which boot it is, and a boot's beginning is one more reset of the TPM. */
static bool is_same_boot(const struct evidence_in *in, const struct device *device)
{
	return in->resets == device->resets && strcmp(device->boot_id, in->boot_id) == 0;
}

static int take_verdict(const struct evidence_in *in, uint64_t now, bool has_firmware,
			const struct assay_verdict *verdict, const struct fleet_policy *policy,
			struct device *device, struct judgement *ret, struct assay_error *err)
{
	bool same_boot = is_same_boot(in, device);
	enum device_verdict before = device->verdict;
	struct assay_digest checks = { 0 }, firmware = { 0 }, now_firmware = { 0 };
	int r = digest_checks(verdict, policy, &checks, err);

	ret->trusted = assay_verdict_trusted(verdict) != 0;
	if (has_firmware)
		firmware = firmware_pcrs(device);
	if (r == 0 && ret->trusted)
		r = keep_state(verdict, policy, device, &ret->news, err);
	else if (!same_boot)
		device->records = device->entries = 0;
	if (r < 0)
		return r;
	/* What comes next leaves the log out, and needs this one to be judged again. */
	if (has_firmware)
		now_firmware = firmware_pcrs(device);
	ret->news |= !same_boot || !bytes_equal(BYTES(firmware.bytes, firmware.size),
						BYTES(now_firmware.bytes, now_firmware.size));
	device->verdict = ret->trusted ? DEVICE_TRUSTED : DEVICE_NOT_TRUSTED;
	device->seen = device->judged = now;
	memcpy(device->boot_id, in->boot_id, sizeof(device->boot_id));
	device->resets = in->resets;
	device->restarts = in->restarts;
	device->clock = in->clock;
	device->evidence = in->digest;
	ret->changed = device->verdict != before ||
		       !bytes_equal(BYTES(checks.bytes, checks.size),
				    BYTES(device->checks.bytes, device->checks.size));
	device->checks = checks;
	return 0;
}

void judge_have(const struct device *device, const struct fleet_policy *policy, const char *boot_id,
		struct assay_state_info *ret)
{
	const struct assay_verify_bytes state = { device->state.data, device->state.size };

	*ret = (struct assay_state_info){ .log = 0 };
	if (state.size == 0 || !policy || !policy->policy ||
	    assay_state_info(state, policy->policy, ret, NULL) != ASSAY_VERIFY_OK ||
	    strcmp(ret->boot_id, boot_id) != 0)
		*ret = (struct assay_state_info){ .log = 0 };
}

static void say_stale(struct judgement *judgement, const char *why)
{
	judgement->kind = JUDGE_STALE;
	snprintf(judgement->reason, sizeof(judgement->reason), "%s", why);
}

/* Of evidence without the firmware's log: what is known of that is of other PCRs. */
static bool lacks_firmware(const struct assay_verdict *verdict)
{
	struct assay_verify_check check;

	for (size_t i = 0; assay_verdict_check(verdict, i, &check) == ASSAY_VERIFY_OK; i++)
		if (strcmp(check.name, "uefi-log-parsed") == 0)
			return check.result == ASSAY_VERIFY_FAIL;
	return false;
}

/* @keeps: what is another verdict than before is to be kept, with what it says of files */
static int verify_evidence(struct evidence_in *in, struct bytes nonce, uint64_t now, bool keeps,
			   const struct fleet_policy *policy, struct device *device,
			   struct judgement *ret, struct assay_error *err)
{
	const struct assay_verify_params params = {
		.version = ASSAY_VERIFY_PARAMS_VERSION,
		/* Whether it is another one is known when it is made; to make it again costs more.
		 */
		.flags = keeps ? ASSAY_VERIFY_KEEP_FILES : 0,
		.policy = policy->policy,
		.evidence = { in->text.data, in->text.size },
		.nonce = { nonce.data, nonce.size },
		.ak_public = { device->ak.data, device->ak.size },
		.ak_qualified_name = { device->qualified_name.data, device->qualified_name.size },
		.state = { device->state.data, device->state.size },
		.now = now,
		.nonce_issued = ret->issued,
	};
	struct assay_verify_message message = { "" };
	struct assay_verify_quote quote = { .proven = 0 };
	struct assay_verdict *verdict = NULL;
	const bool has_firmware = in->evidence.has_uefi_log, same_boot = is_same_boot(in, device);
	int r = 0;

	/* Of a boot they stay as they are: what goes on from what was trusted need not be read.
	 * Judging takes the evidence over. */
	if (keeps && (device->verdict != DEVICE_TRUSTED || !same_boot))
		versions_read(&in->evidence, &ret->versions);
	if (library_verify_read(&params, &in->evidence, &verdict, &message) != ASSAY_VERIFY_OK)
		return assay_fail(err, EIO, "%s", message.text);
	tell_reason(verdict, ret->reason, sizeof(ret->reason));
	if (assay_verdict_quote(verdict, &quote) != ASSAY_VERIFY_OK || !quote.proven)
		ret->kind = JUDGE_FOREIGN;
	else if (keeps && !in->whole && !has_firmware && lacks_firmware(verdict))
		say_stale(ret, "the firmware's log is left out, and PCRs of the boot have changed "
			       "since it was judged: ask for another nonce, and send it");
	if (ret->kind == JUDGE_VERDICT)
		versions_believe(&ret->versions, versions_proven_by(verdict));
	else
		ret->versions.known = false;
	/* What the boot before had proved says nothing of this one. */
	if (ret->kind == JUDGE_VERDICT && keeps && !same_boot)
		ret->versions.known = true;
	if (ret->kind == JUDGE_VERDICT)
		r = take_verdict(in, now, has_firmware, verdict, policy, device, ret, err);
	if (r == 0 && keeps && ret->changed)
		r = kept_verdict_pack(verdict, &ret->kept, err);
	assay_verdict_free(verdict);
	return r;
}

struct nonce_for judge_nonce_for(const struct device *device, const struct assay_state_info *have)
{
	return (struct nonce_for){ device->name, have->log, have->ima, have->uefi };
}

int judge(struct evidence_in *in, const struct judge_terms *terms,
	  const struct fleet_policy *policy, struct device *device, struct judgement *ret,
	  struct assay_error *err)
{
	struct assay_state_info have = { .log = 0 };
	struct assay_error why = { 0 };
	struct nonce_for whom;
	int r;

	*ret = (struct judgement){ .kind = JUDGE_VERDICT };
	if (same_bytes(in, device)) {
		ret->kind = JUDGE_REPEATED;
		return 0;
	}
	/* What it leaves out must be what is known now, and not what another of its agents, or
	 * another policy, has made of that since. */
	if (!in->whole)
		judge_have(device, policy, in->boot_id, &have);
	whom = judge_nonce_for(device, &have);
	r = nonce_find(terms->keys, &whom, buffer_bytes(&in->nonce), terms->now, terms->nonce_step,
		       &ret->issued, &why);
	if (r == 0 && !is_later(in, device))
		r = assay_fail(&why, ESTALE,
			       "the quote is not newer than the one that was judged last");
	if (r == -ESTALE) {
		say_stale(ret, why.text);
		return 0;
	}
	if (r < 0)
		return assay_fail(err, -r, "%s", why.text);
	r = verify_evidence(in, buffer_bytes(&in->nonce), terms->now, true, policy, device, ret,
			    err);
	if (r < 0)
		judgement_free(ret);
	return r;
}

int judge_again(struct evidence_in *in, struct bytes nonce, uint64_t issued, uint64_t now,
		const struct fleet_policy *policy, struct device *device, struct judgement *ret,
		struct assay_error *err)
{
	int r;

	*ret = (struct judgement){ .kind = JUDGE_VERDICT, .issued = issued };
	r = verify_evidence(in, nonce, now, false, policy, device, ret, err);
	if (r < 0)
		judgement_free(ret);
	return r;
}
