/* SPDX-License-Identifier: MIT */
/*
 * The verifier: is this evidence a TPM's word, given now, for a log whose every
 * entry is what a signed manifest says?
 *
 * Pure: bytes in, verdict out. No I/O, no globals, no clock, no TPM stack. For
 * `assay verify` and for whoever embeds it.
 *
 * Each check is made by exactly one function (checks.def has the table), is made
 * only when those it builds on have passed, and sets one bit of the verdict.
 */
#ifndef ASSAY_VERIFY_H
#define ASSAY_VERIFY_H

#include "verify/input.h"
#include "verify/verdict.h"

/*
 * verify() - judge evidence
 * It cannot fail: what cannot be checked, be it for want of memory, is not passed.
 */
void verify(const struct verify_input *input, const struct verify_policy *policy,
	    struct verdict *ret);

#endif /* ASSAY_VERIFY_H */
