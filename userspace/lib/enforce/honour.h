/* SPDX-License-Identifier: MIT */
/*
 * Policies of IPE and IMA in words: what they refuse, where they are weaker than people may think,
 * and what of them a kernel honours. Pure.
 */
#ifndef ASSAY_ENFORCE_HONOUR_H
#define ASSAY_ENFORCE_HONOUR_H

#include "enforce/ipe.h"
#include "enforce/kernel.h"

enum honour_level {
	HONOUR_SAYS,	/* what the policy does */
	HONOUR_NOTE,	/* what one should know */
	HONOUR_WARNING, /* what it does not do, or this kernel does not */
};

typedef void (*honour_function)(void *context, enum honour_level level, const char *text);

/*
 * honour_ipe() - explain a policy of IPE's
 * @facts: of the kernel that is to honour it; NULL: only what it says
 * @each: called for each sentence; @text is fit to print and lives until the call returns
 */
void honour_ipe(const struct ipe_policy *policy, const struct kernel_facts *facts,
		honour_function each, void *context);

/*
 * honour_ima() - likewise of a policy of IMA's, its text
 * Return: as ima_policy_read()
 */
int honour_ima(struct bytes text, const char *what, const struct kernel_facts *facts,
	       honour_function each, void *context, struct assay_error *err);

#endif /* ASSAY_ENFORCE_HONOUR_H */
