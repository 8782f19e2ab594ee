// SPDX-License-Identifier: MIT
#include "verify/verdict.h"

_Static_assert(CHECK_COUNT < 128, "the bits are in a check_mask");

enum check checks_first(check_mask checks)
{
	int check = 0;

	while (check < CHECK_COUNT && !(checks & CHECK_BIT(check)))
		check++;
	return (enum check)check;
}

bool verdict_trusted(const struct verdict *verdict)
{
	return verdict->required != 0 && (verdict->passed & verdict->required) == verdict->required;
}

const char *verdict_result(const struct verdict *verdict, enum check check)
{
	if (verdict->passed & CHECK_BIT(check))
		return "pass";
	return verdict->failed & CHECK_BIT(check) ? "fail" : "not-checked";
}

enum check verdict_reason(const struct verdict *verdict)
{
	check_mask missing = verdict->required & ~verdict->passed;

	/* What was found to be wrong says more than what could not be looked at. */
	if (missing & verdict->failed)
		missing &= verdict->failed;
	return checks_first(missing);
}
