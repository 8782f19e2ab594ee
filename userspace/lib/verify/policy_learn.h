/* SPDX-License-Identifier: MIT */
/*
 * A policy made from evidence of a device that is known to be good: the values of its PCRs,
 * and what it measured that no manifest has. Pure.
 */
#ifndef ASSAY_VERIFY_POLICY_LEARN_H
#define ASSAY_VERIFY_POLICY_LEARN_H

#include <jansson.h>

#include "verify/verify.h"

/**
 * struct policy_learning - what is to be learned
 * @ima: the digests in IMA's list as reference values, too
 * @pcrs: bit n: the value of PCR n, which must be quoted. 0: those of PCRs 0 to 9 and 12 to 14, as
 * far as they are quoted and are not zeros (12 and 13 also zeros, with a log of the firmware)
 * @firmware: rules on the events of the firmware's log, in the place of the values of its PCRs
 * @waive_boot: nothing of the boot, which the policy is not to judge
 * @ak_vouched: where the evidence has no more of the key than its numbers, the caller vouches
 *              for its attributes, as in struct verify_input
 */
struct policy_learning {
	bool ima;
	uint32_t pcrs;
	bool firmware;
	bool waive_boot;
	bool ak_vouched;
};

/* Told what the policy knows of the boot, and of each file that it cannot name; fit to print. */
typedef void (*learn_note)(void *context, const char *text);

/*
 * policy_learn() - add to @policy what @input's evidence shows
 * @input: .evidence; manifests and certificates, whose files need not be learned; .ak_trust and
 *         .now, where @policy asks for a certificate of the key. The other members are not
 *         looked at
 * @policy: a policy's JSON
 *
 * What the evidence's parts say of one another must hold: its own key signed the quote, the
 * PCRs are the quoted ones, the logs replay to them. Whose key it is, and whether the quote
 * is fresh, is the caller's to know.
 *
 * Return: 0; -EKEYREJECTED with the check that did not pass, or where the policy would not
 *         trust this evidence since nothing in it makes the boot known; -EINVAL for a PCR that
 *         is not quoted; -EBADMSG, -ENOMEM
 */
int policy_learn(const struct verify_input *input, const struct policy_learning *what,
		 json_t *policy, learn_note each, void *context, struct assay_error *err);

#endif /* ASSAY_VERIFY_POLICY_LEARN_H */
