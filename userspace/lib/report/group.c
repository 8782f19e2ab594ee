// SPDX-License-Identifier: MIT
#include "report/group.h"

const char *check_outcome_words(enum check_outcome outcome)
{
	static const char *const words[CHECK_OUTCOMES] = {
		[OUTCOME_PASSED] = "passed",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_MISSING] = "could not be checked",
		[OUTCOME_NOT_REACHED] = "not checked",
		[OUTCOME_NOTE] = "failed but not required",
		[OUTCOME_NOT_REQUIRED] = "not required",
	};

	return words[outcome];
}

/*
 * What was not made since another check failed, although it does not need that one to pass: of a
 * log that is missing evidence-logs tells, and of what was not compared the check that stopped it.
 */
static bool follows_from_another(const struct verdict *verdict, enum check check)
{
	const check_mask parsed = CHECK_BIT(CHECK_ASSAY_LOG_PARSED) |
				  CHECK_BIT(CHECK_IMA_LOG_PARSED) |
				  CHECK_BIT(CHECK_UEFI_LOG_PARSED);
	const check_mask of_entries = CHECK_BIT(CHECK_IMA_LOG_ENTRIES) |
				      CHECK_BIT(CHECK_IMA_LOG_VIOLATIONS) |
				      CHECK_BIT(CHECK_IMA_FILES_KNOWN);
	const check_mask proving =
		CHECK_BIT(CHECK_ASSAY_LOG_REPLAY) | CHECK_BIT(CHECK_IMA_LOG_REPLAY);

	if (check == CHECK_REFERENCE_VALUES)
		return true;
	/* There is no entry to judge: no log was proven, since something failed before. */
	if (of_entries & CHECK_BIT(check) && !(verdict->passed & proving) &&
	    verdict->required & verdict->failed)
		return true;
	return parsed & CHECK_BIT(check) && verdict->failed & CHECK_BIT(CHECK_EVIDENCE_LOGS);
}

enum check_outcome check_outcome(const struct verdict *verdict, enum check check)
{
	bool required = (verdict->required & CHECK_BIT(check)) != 0;
	check_mask waited_for;

	if (verdict->passed & CHECK_BIT(check))
		return OUTCOME_PASSED;
	if (verdict->failed & CHECK_BIT(check))
		return required ? OUTCOME_FAILED : OUTCOME_NOTE;
	if (!required)
		return OUTCOME_NOT_REQUIRED;
	/* A check of a log that there need not be, no other waits for. */
	waited_for = check_needs(check) & ~verdict->passed & (verdict->required | verdict->failed);
	return waited_for || follows_from_another(verdict, check) ? OUTCOME_NOT_REACHED :
								    OUTCOME_MISSING;
}

bool check_blocks(enum check_outcome outcome)
{
	return outcome == OUTCOME_FAILED || outcome == OUTCOME_MISSING;
}

struct check_tally check_tally(const struct verdict *verdict)
{
	struct check_tally tally = { { 0 } };

	for (int i = 0; i < CHECK_COUNT; i++)
		tally.count[check_outcome(verdict, (enum check)i)]++;
	return tally;
}

struct check_tally check_group_tally(const struct verdict *verdict, enum check_group group)
{
	struct check_tally tally = { { 0 } };

	for (int i = 0; i < CHECK_COUNT; i++)
		if (check_group((enum check)i) == group)
			tally.count[check_outcome(verdict, (enum check)i)]++;
	return tally;
}
