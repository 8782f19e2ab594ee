// SPDX-License-Identifier: MIT
#include "verify/presence.h"

#include <stdio.h>
#include <string.h>

#include "verify/going_on.h"
#include "verify/policy_said.h"

#define MANIFEST_CHECKS (CHECK_BIT(CHECK_MANIFEST_SIGNATURE) | CHECK_BIT(CHECK_MANIFEST_CURRENT))

/* For sentences. */
static const char *const log_names[] = {
	[VERIFY_LOG_ASSAY] = "log of assay's",
	[VERIFY_LOG_IMA] = "list of IMA",
	[VERIFY_LOG_UEFI] = "log of the firmware",
};

static bool is_there(const struct evidence *evidence, enum verify_log log)
{
	switch (log) {
	case VERIFY_LOG_ASSAY:
		return evidence->has_assay_log;
	case VERIFY_LOG_IMA:
		return evidence->has_ima_log;
	default:
		/* Some firmware has the file and writes nothing to it: that is none as well. */
		return evidence->has_uefi_log && evidence->uefi_data.size > 0;
	}
}

/* Whether checks of a log that is not judged are left out: they need nothing but the policy's word.
 */
static bool is_left_out(const struct appraisal *appraisal, enum verify_log log)
{
	switch (appraisal->policy->logs[log]) {
	case PRESENCE_ABSENT:
		return true;
	case PRESENCE_OPTIONAL:
		/* Of the firmware's log, the checks themselves say so, and none is required. */
		return !appraisal->judged[log] && log != VERIFY_LOG_UEFI;
	default:
		return false;
	}
}

static void leave_out(struct appraisal *appraisal)
{
	bool assay = is_left_out(appraisal, VERIFY_LOG_ASSAY);
	bool ima = is_left_out(appraisal, VERIFY_LOG_IMA);

	for (int log = 0; log < VERIFY_LOGS; log++)
		if (is_left_out(appraisal, (enum verify_log)log))
			appraisal->left_out |= checks_of_log((enum verify_log)log);
	/* Entries of IMA are in its list, and in assay's log where that mirrors them. */
	if (ima && assay)
		appraisal->left_out |= checks_of_ima_entries();
	else if (ima)
		appraisal->eased |= checks_of_ima_entries();
	/* It is assay's log that has to be compared with a manifest. */
	if (assay && appraisal->input->manifest_count == 0 && !appraisal->policy->manifest_asked)
		appraisal->left_out |= MANIFEST_CHECKS;
}

/* Whether evidence without that log cannot be trusted. */
static bool is_asked_for(const struct verify_policy *policy, enum verify_log log)
{
	/* What is asked of a log begins with that it is well-formed. */
	check_mask of = checks_of_log(log);

	return policy->logs[log] != PRESENCE_OPTIONAL && policy->logs[log] != PRESENCE_ABSENT &&
	       policy->required & (of & (~of + 1));
}

/*
 * What was there before in this boot does not go away, nor does it with a restart of the TPM, as
 * for sleep (resetCount stays): whoever leaves it out hides something.
 */
static bool was_there(const struct appraisal *appraisal)
{
	const struct verify_state *state = appraisal->input->state;

	return appraisal->verdict->passed & CHECK_BIT(CHECK_QUOTE_PARSED) && state &&
	       state->reset_count == appraisal->attest.reset_count && state->value.size > 0;
}

enum check_result check_evidence_logs(struct appraisal *appraisal, char *detail)
{
	char there[128] = "", ignored[256] = "";
	const char *missing = NULL;

	for (int i = 0; i < VERIFY_LOGS; i++) {
		enum verify_log log = (enum verify_log)i;
		bool has = is_there(&appraisal->evidence, log);
		bool wanted = appraisal->policy->logs[log] != PRESENCE_ABSENT;
		char *text = wanted ? there : ignored;
		size_t size = wanted ? sizeof(there) : sizeof(ignored), used = strlen(text);

		appraisal->judged[log] = has && wanted;
		if (!has && !missing && is_asked_for(appraisal->policy, log) &&
		    !(log == VERIFY_LOG_UEFI && firmware_is_known(appraisal)))
			missing = log_names[log];
		if (has)
			snprintf(text + used, size - used, "%sa %s", used > 0 ? ", " : "",
				 log_names[log]);
	}
	leave_out(appraisal);
	appraisal->firmware_known = firmware_is_known(appraisal);
	if (missing)
		return check_tell(false, detail, "it holds no %s, which the policy asks for",
				  missing);
	if (!is_there(&appraisal->evidence, VERIFY_LOG_ASSAY) && was_there(appraisal) &&
	    appraisal->policy->logs[VERIFY_LOG_ASSAY] == PRESENCE_OPTIONAL)
		return check_tell(false, detail,
				  "it holds no log of assay's, and at the last attestation of this "
				  "boot there was one");
	if (ignored[0])
		return check_tell(true, detail,
				  "it holds %s; and %s, which by the policy is not there, and is "
				  "not looked at",
				  there[0] ? there : "no log that the policy asks for", ignored);
	return check_tell(true, detail, "it holds %s",
			  there[0] ? there : "none, as the policy says");
}

/* Which log the check is of. */
static enum verify_log log_of(enum check check)
{
	for (int log = 0; log < VERIFY_LOGS; log++)
		if (checks_of_log((enum verify_log)log) & CHECK_BIT(check))
			return (enum verify_log)log;
	return VERIFY_LOG_IMA;
}

void presence_tell_left_out(const struct appraisal *appraisal, enum check check, char *detail)
{
	enum verify_log log = log_of(check);

	if (MANIFEST_CHECKS & CHECK_BIT(check))
		(void)check_skip(detail, "there is no manifest, and no log of assay's that would "
					 "need one");
	else if (appraisal->policy->logs[log] == PRESENCE_OPTIONAL)
		(void)check_skip(detail, "the evidence holds no %s, and need not (%s)",
				 log_names[log], policy_log_name(log));
	else if (is_there(&appraisal->evidence, log))
		(void)check_skip(detail,
				 "the evidence holds a %s, and by the policy there is none (%s): "
				 "it is not looked at",
				 log_names[log], policy_log_name(log));
	else
		(void)check_skip(detail, "the policy says that there is no %s (%s)", log_names[log],
				 policy_log_name(log));
}
