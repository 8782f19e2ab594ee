/* SPDX-License-Identifier: MIT */
/* Which logs a learned policy says that the device has, and what it says of them. For lib/verify.
 */
#ifndef ASSAY_VERIFY_POLICY_LEARN_LOGS_H
#define ASSAY_VERIFY_POLICY_LEARN_LOGS_H

#include <jansson.h>

#include "verify/input.h"

/**
 * struct learned_logs - of evidence that is known to be good
 * @presence: required where the evidence holds it, else absent
 * @uefi_accepted, @uefi_extended_later: as struct verify_policy has them: rules that events of
 *                                       this firmware break, and PCRs from 8 on that others
 *                                       extended by the time of the quote
 * @uefi_replayed: bit n: the firmware's log has all that PCR n was extended by
 */
struct learned_logs {
	enum log_presence presence[VERIFY_LOGS];
	uint32_t uefi_accepted, uefi_extended_later, uefi_replayed;
};

/* learn_logs_find() - by what there is in the evidence, which nothing has proven yet */
void learn_logs_find(const struct evidence *evidence, struct learned_logs *ret);

/* learn_logs_apply() - the rules by which to judge that evidence */
void learn_logs_apply(const struct learned_logs *logs, struct verify_policy *rules);

/*
 * learn_logs_settle() - do without a log that does not hold, and tell why
 * @needed: CHECK_BIT()s of the checks without which nothing is learned: they passed
 */
void learn_logs_settle(struct learned_logs *logs, const struct verdict *verdict, check_mask needed,
		       void (*each)(void *context, const char *text), void *context);

/* learn_logs_fill() - into the policy's JSON; 0, or -1 without memory */
int learn_logs_fill(const struct learned_logs *logs, json_t *policy);

#endif /* ASSAY_VERIFY_POLICY_LEARN_LOGS_H */
