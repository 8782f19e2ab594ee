/* SPDX-License-Identifier: MIT */
/* What a verdict that is kept says besides its checks: the files by state, and the log's records.
 */
#ifndef ASSAY_FLEET_JUDGE_DETAILS_H
#define ASSAY_FLEET_JUDGE_DETAILS_H

#include "assay-verify.h"

/*
 * judge_details() - a verdict as assay_verdict_json() has it, with members more: "file_states", how
 * many files are in which state; "files", those that are amiss first, and "records", the newest,
 * both up to a number; of what this evidence brought
 * @params: by which @verdict was made: it is made once more, with the files
 *
 * Return: to be given to assay_verify_text_free(); NULL without memory
 */
char *judge_details(const struct assay_verify_params *params, const struct assay_verdict *verdict);

#endif /* ASSAY_FLEET_JUDGE_DETAILS_H */
