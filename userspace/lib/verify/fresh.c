// SPDX-License-Identifier: MIT
/* The checks of when the quote was made, by the verifier's clock and by the TPM's. */
#include <string.h>

#include "verify/appraisal.h"

/* Seconds that a device's clock may be ahead of the verifier's. */
#define CLOCK_SKEW 60

typedef unsigned long long ull;

enum check_result check_quote_age(struct appraisal *appraisal, char *detail)
{
	const struct verify_input *input = appraisal->input;
	uint64_t from = input->nonce_issued;
	uint64_t now = input->now;
	const char *what = "the nonce was sent";

	if (appraisal->policy->max_age == 0)
		return check_skip(detail, "the policy sets no greatest age");
	/* The device's own word, so the second best: it finds what lay about, not what lies. */
	if (from == 0 && !appraisal->evidence.has_collected)
		return check_tell(false, detail,
				  "the policy sets a greatest age, and neither the evidence says "
				  "when it was collected nor the call when the nonce was sent");
	if (from == 0) {
		from = appraisal->evidence.collected;
		what = "it was collected, by the device's clock,";
		now += CLOCK_SKEW;
	}
	if (from > now)
		return check_tell(false, detail,
				  "%s %llu seconds in the future: a clock is wrong, or the time "
				  "that was given",
				  what, (ull)(from - now));
	if (now - from > appraisal->policy->max_age)
		return check_tell(false, detail,
				  "%s %llu seconds ago; the policy takes %llu: ask for a new one",
				  what, (ull)(now - from), (ull)appraisal->policy->max_age);
	return check_tell(true, detail, "%s %llu seconds ago, %llu are accepted", what,
			  (ull)(now - from), (ull)appraisal->policy->max_age);
}

/*
 * Whether a counter went on (> 0), back (< 0) or neither. It is obfuscated by a number
 * that was added to it (struct verify_state), so it may wrap between two quotes.
 */
static int32_t counter_change(uint32_t now, uint32_t before)
{
	return (int32_t)(now - before);
}

enum check_result check_quote_counters(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *before = appraisal->input->state;
	const struct tpm_attest *now = &appraisal->attest;
	int32_t resets, restarts;

	if (!before)
		return check_skip(detail,
				  "there is no state of an earlier attestation to compare with");
	resets = counter_change(now->reset_count, before->reset_count);
	restarts = counter_change(now->restart_count, before->restart_count);
	if (resets < 0)
		return check_tell(false, detail,
				  "resetCount went back by %lld since the last attestation: the "
				  "TPM was cleared, or this quote is older",
				  -(long long)resets);
	if (resets > 0) {
		if (appraisal->policy->same_boot)
			return check_tell(false, detail,
					  "the TPM was reset %lld times since the last "
					  "attestation, which the policy does not take",
					  (long long)resets);
		/* After a power cut the clock may have lost some time, and the TPM says so. */
		if (now->safe && now->clock < before->clock)
			return check_tell(false, detail,
					  "the clock went back from %llu to %llu ms over a reset, "
					  "and the TPM says that it cannot",
					  (ull)before->clock, (ull)now->clock);
		return check_tell(true, detail, "%lld resets since the last attestation",
				  (long long)resets);
	}
	if (restarts < 0)
		return check_tell(false, detail,
				  "restartCount went back by %lld since the last attestation "
				  "without a reset: this quote is older",
				  -(long long)restarts);
	/* A restart zeroes the PCRs, or the machine resumed from suspend: the TPM counts both. */
	if (restarts > 0 && appraisal->policy->same_boot && !appraisal->policy->suspend)
		return check_tell(false, detail,
				  "the TPM was restarted %lld times since the last attestation, "
				  "which the policy does not take; after a suspend to RAM, let it "
				  "(device.suspend)",
				  (long long)restarts);
	if (now->clock <= before->clock)
		return check_tell(false, detail,
				  "the clock is %llu ms and was %llu ms at the last attestation: "
				  "this quote is that one, or older",
				  (ull)now->clock, (ull)before->clock);
	if (restarts > 0)
		return check_tell(
			true, detail,
			"no reset, %lld restarts or suspends, the clock went on by %llu ms",
			(long long)restarts, (ull)(now->clock - before->clock));
	return check_tell(true, detail, "no reset, the clock went on by %llu ms",
			  (ull)(now->clock - before->clock));
}

enum check_result check_quote_firmware(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *before = appraisal->input->state;
	uint64_t now = appraisal->attest.firmware_version;

	if (!before)
		return check_skip(detail,
				  "there is no state of an earlier attestation to compare with");
	if (now != before->firmware_version)
		return check_tell(false, detail,
				  "the TPM's firmwareVersion is 0x%016llx and was 0x%016llx: after "
				  "an update that was meant, enrol the device again",
				  (ull)now, (ull)before->firmware_version);
	return check_tell(true, detail, "0x%016llx, as before", (ull)now);
}

enum check_result check_quote_clock(struct appraisal *appraisal, char *detail)
{
	if (!appraisal->attest.safe)
		return check_tell(false, detail,
				  "safe is 0: after a loss of power the clock may show a time that "
				  "it showed before; an orderly TPM2_Shutdown prevents that");
	return check_tell(true, detail, "%llu ms", (ull)appraisal->attest.clock);
}
