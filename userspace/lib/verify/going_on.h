/* SPDX-License-Identifier: MIT */
/*
 * Evidence that goes on from a state: what logs said before counts as if it was there. So the
 * verdict is, check by check, that of the whole evidence. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_GOING_ON_H
#define ASSAY_VERIFY_GOING_ON_H

#include "verify/appraisal.h"

/*
 * goes_on() - may evidence of this quote leave out what the state has seen? Only in the same boot
 * of machine and TPM, and where the same policy, certificates and manifests judge it
 */
bool goes_on(const struct appraisal *appraisal);

/* kexecs_of() - KEXEC records of the log, with those that the state has seen */
uint64_t kexecs_of(const struct appraisal *appraisal);

/* ima_goes_on() - whether IMA's list begins where the state's end */
bool ima_goes_on(const struct appraisal *appraisal);

/*
 * firmware_is_known() - whether there is no need to look at the firmware's log: the evidence leaves
 * it out, or has the one that the state is of
 */
bool firmware_is_known(const struct appraisal *appraisal);

/*
 * going_on_known() - what became of a check of the firmware's log whose result the state has
 * Return: false if the check has to be made
 */
bool going_on_known(const struct appraisal *appraisal, enum check check, enum check_result *ret,
		    char *detail);

/* going_on_result() - what became of a check, with what the logs said before */
enum check_result going_on_result(const struct appraisal *appraisal, enum check check,
				  enum check_result result, char *detail);

/* going_on_state() - what a state needs for evidence to go on from it */
void going_on_state(const struct appraisal *appraisal, struct verify_state *ret);

#endif /* ASSAY_VERIFY_GOING_ON_H */
