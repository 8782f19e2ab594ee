// SPDX-License-Identifier: MIT
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "verify/going_on.h"
#include "verify/presence.h"

#define NEED(id) CHECK_BIT(CHECK_##id)

/* What each check builds on, and the one function that makes it: one of the two is set. */
static const struct {
	check_mask needs;
	check_function *function;
	content_function *content;
} table[] = {
#define CHECK(id, name, function, group, when, waivable, needs, ...) \
	[CHECK_##id] = { needs, check_##function, NULL },
#define CONTENT(id, name, function, group, when, waivable, needs, ...) \
	[CHECK_##id] = { needs, NULL, check_##function },
#include "verify/checks.def"
#undef CHECK
#undef CONTENT
};

/* What the check would have needed: the first of it that did not pass. */
static void tell_missing(check_mask missing, char *detail)
{
	check_tell(false, detail, "not checked, since %s did not pass",
		   check_name(checks_first(missing)));
}

static enum check_result make_check(struct appraisal *appraisal, enum check check, char *detail)
{
	enum check_result result;

	if (going_on_known(appraisal, check, &result, detail))
		return result;
	result = table[check].function ? table[check].function(appraisal, detail) :
					 table[check].content(&appraisal->content, detail);
	return going_on_result(appraisal, check, result, detail);
}

static void make_checks(struct appraisal *appraisal)
{
	struct verdict *verdict = appraisal->verdict;

	for (int i = 0; i < CHECK_COUNT; i++) {
		/* What is of a log that there need not be, no other check has to wait for. */
		check_mask missing = table[i].needs & ~(verdict->passed | appraisal->left_out);
		char *detail = verdict->detail[i];
		enum check_result result;

		if (appraisal->left_out & CHECK_BIT(i)) {
			presence_tell_left_out(appraisal, (enum check)i, detail);
			continue;
		}
		if (missing != 0) {
			tell_missing(missing, detail);
			continue;
		}
		result = make_check(appraisal, (enum check)i, detail);
		if (result == CHECK_PASSED)
			verdict->passed |= CHECK_BIT(i);
		else if (result == CHECK_FAILED)
			verdict->failed |= CHECK_BIT(i);
	}
	verdict->files = appraisal->content.files;
}

static void note_quote(const struct appraisal *appraisal, struct verdict_quote *ret)
{
	const struct tpm_attest *attest = &appraisal->attest;

	if (!(appraisal->verdict->passed & CHECK_BIT(CHECK_QUOTE_PARSED)))
		return;
	*ret = (struct verdict_quote){
		.clock = attest->clock,
		.firmware_version = attest->firmware_version,
		.reset_count = attest->reset_count,
		.restart_count = attest->restart_count,
		.safe = attest->safe,
	};
	memcpy(ret->boot_id, appraisal->evidence.boot_id, sizeof(ret->boot_id));
}

static void keep_manifests(const struct appraisal *appraisal, struct verify_state *ret)
{
	const struct verify_state *before = appraisal->input->state;

	if (before) {
		memcpy(ret->manifests, before->manifests, sizeof(ret->manifests));
		ret->manifest_count = before->manifest_count;
	}
	if (appraisal->content.manifests)
		(void)manifests_keep_created(appraisal->content.manifests, ret);
}

/* What a verifier keeps of evidence that it trusts. */
static void make_state(const struct appraisal *appraisal, struct verify_state *ret)
{
	const struct assay_digest *value =
		quoted_pcr(appraisal->quoted, appraisal->bank, appraisal->policy->assay_pcr);
	const struct tpm_attest *attest = &appraisal->attest;

	*ret = (struct verify_state){
		.reset_count = attest->reset_count,
		.restart_count = attest->restart_count,
		.clock = attest->clock,
		.firmware_version = attest->firmware_version,
		.late_tpm = appraisal->start.late_tpm,
		.writable = appraisal->start.writable,
		.complete = appraisal->content.complete,
		.verified = appraisal->input->now,
		.references = appraisal->input->references,
	};
	memcpy(ret->boot_id, appraisal->evidence.boot_id, sizeof(ret->boot_id));
	if (value && appraisal->content.assay) {
		ret->value = *value;
		ret->next_key = appraisal->next_key;
		ret->records = appraisal->start.recnum + proven_records(appraisal->content.assay);
	}
	keep_manifests(appraisal, ret);
	going_on_state(appraisal, ret);
}

static void observe(const struct appraisal *appraisal, const struct verify_observer *observer)
{
	const struct content *content = &appraisal->content;

	/* Of manifests that are forged, nothing is shown as what it should be. */
	if (appraisal->input->manifest_count > 0 && !content->manifests)
		return;
	if (content->assay)
		files_observe(content, observer);
	ima_observe(content, observer);
	if (content->firmware && observer->firmware)
		observer->firmware(observer->context, proven_firmware_log(content->firmware));
}

static void appraisal_free(struct appraisal *appraisal)
{
	struct content *content = &appraisal->content;

	manifests_free(content->manifests);
	ima_tally_free(content->ima_tally);
	proven_log_free((struct proven_log *)content->assay);
	proven_log_free((struct proven_log *)content->ima);
	proven_log_free((struct proven_log *)content->firmware);
	quoted_pcrs_free(appraisal->quoted);
	ak_given_free(&appraisal->ak_claimed);
	buffer_free(&appraisal->session_nonce);
	evidence_free(&appraisal->evidence);
}

void verify(const struct verify_input *input, const struct verify_policy *policy,
	    struct verdict *ret)
{
	struct appraisal appraisal = {
		.input = input,
		.policy = policy,
		.verdict = ret,
		.content = { .policy = policy,
			     .certificates = input->certificates,
			     .certificate_count = input->certificate_count,
			     .ima_certificates = input->ima_certificates,
			     .ima_certificate_count = input->ima_certificate_count },
	};

	memset(ret, 0, sizeof(*ret));
	ret->required = policy->required;
	/* A policy without any check trusts nothing, whatever there is besides. */
	if (ret->required != 0 && input->state)
		ret->required |= policy->required_with_state;
	make_checks(&appraisal);
	if (policy->required != 0)
		ret->required |= policy->required_if_made & (ret->passed | ret->failed);
	ret->required &= ~appraisal.left_out;
	ret->required &= ~appraisal.eased | ret->passed | ret->failed;
	note_quote(&appraisal, &ret->quote);
	if (verdict_trusted(ret))
		make_state(&appraisal, &ret->state);
	if (input->observer)
		observe(&appraisal, input->observer);
	appraisal_free(&appraisal);
}
