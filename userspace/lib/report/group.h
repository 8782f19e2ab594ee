/* SPDX-License-Identifier: MIT */
/* The checks of a verdict by what they look at, and what came of each group. */
#ifndef ASSAY_REPORT_GROUP_H
#define ASSAY_REPORT_GROUP_H

#include "verify/verdict.h"

/* What a check came to for the verdict, each to exactly one; in the order of counting. */
enum check_outcome {
	OUTCOME_PASSED,
	OUTCOME_FAILED,	      /* required, and not so */
	OUTCOME_MISSING,      /* required, and could not be made, for a reason of its own */
	OUTCOME_NOT_REACHED,  /* required, and not made since one that it needs did not pass */
	OUTCOME_NOTE,	      /* not required, and not so */
	OUTCOME_NOT_REQUIRED, /* not required, and not made */
	CHECK_OUTCOMES,
};

/* check_outcome_words() - for counts: "passed", "failed but not required" and so on */
const char *check_outcome_words(enum check_outcome outcome);

enum check_outcome check_outcome(const struct verdict *verdict, enum check check);

/* check_blocks() - is it to blame that the verdict is not "trusted"? */
bool check_blocks(enum check_outcome outcome);

/* struct check_tally - how many checks came to what */
struct check_tally {
	unsigned int count[CHECK_OUTCOMES];
};

/* check_tally() - of all checks; check_group_tally() - of those of a group */
struct check_tally check_tally(const struct verdict *verdict);
struct check_tally check_group_tally(const struct verdict *verdict, enum check_group group);

#endif /* ASSAY_REPORT_GROUP_H */
