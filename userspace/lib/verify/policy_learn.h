/* SPDX-License-Identifier: MIT */
/*
 * A policy made from evidence of a device that is known to be good: the values of its PCRs,
 * and what it measured that no manifest has. Pure.
 */
#ifndef ASSAY_VERIFY_POLICY_LEARN_H
#define ASSAY_VERIFY_POLICY_LEARN_H

#include <jansson.h>

#include "verify/verify.h"

/*
 * policy_learn() - add to @policy what @input's evidence shows
 * @input: .evidence, and manifests and certificates, whose files need not be learned;
 *         the other members are not looked at
 * @ima: take the digests in IMA's list as reference values, too
 * @policy: a policy's JSON
 *
 * What the evidence's parts say of one another must hold: its own key signed the quote, the
 * PCRs are the quoted ones, the logs replay to them. Whose key it is, and whether the quote
 * is fresh, is the caller's to know.
 *
 * Return: 0; -EKEYREJECTED with the check that did not pass; -EBADMSG, -ENOMEM
 */
int policy_learn(const struct verify_input *input, bool ima, json_t *policy,
		 struct assay_error *err);

#endif /* ASSAY_VERIFY_POLICY_LEARN_H */
