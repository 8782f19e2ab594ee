/* SPDX-License-Identifier: MIT */
/*
 * Which logs evidence holds, which a policy wants, and what follows for the checks. The policy
 * alone says what need not be there: evidence that lacks what it asks for is not trusted.
 *
 * struct appraisal has what came of it: @judged, the logs that are looked at; @left_out,
 * CHECK_BIT()s of the checks that have nothing to look at, and are neither made nor required;
 * @eased, of those that are required only if they were made. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_PRESENCE_H
#define ASSAY_VERIFY_PRESENCE_H

#include "verify/appraisal.h"

/* presence_tell_left_out() - why a check of @left_out was not made */
void presence_tell_left_out(const struct appraisal *appraisal, enum check check, char *detail);

#endif /* ASSAY_VERIFY_PRESENCE_H */
