/* SPDX-License-Identifier: MIT */
/* A policy in words: what it asks for, and where it is weaker than people may think. Pure. */
#ifndef ASSAY_VERIFY_POLICY_LINT_H
#define ASSAY_VERIFY_POLICY_LINT_H

#include "verify/policy.h"

enum policy_lint_level {
	POLICY_SAYS,	/* what the policy asks for */
	POLICY_NOTE,	/* what it could ask for, too */
	POLICY_WARNING, /* a way to be fooled that it leaves open, or a rule nothing can fulfil */
};

typedef void (*policy_lint_function)(void *context, enum policy_lint_level level, const char *text);

/*
 * policy_lint() - explain a policy, sentence by sentence
 * @each: called for each; @text is fit to print and lives until the call returns
 *
 * Return: how many were warnings
 */
size_t policy_lint(const struct policy *policy, policy_lint_function each, void *context);

#endif /* ASSAY_VERIFY_POLICY_LINT_H */
