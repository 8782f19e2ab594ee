// SPDX-License-Identifier: MIT
#include "verify/verdict.h"

_Static_assert(CHECK_COUNT < 64, "the bits are in a uint64_t");

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
	uint64_t missing = verdict->required & ~verdict->passed;
	int check = 0;

	/* What was found to be wrong says more than what could not be looked at. */
	if (missing & verdict->failed)
		missing &= verdict->failed;
	while (check < CHECK_COUNT && !(missing & CHECK_BIT(check)))
		check++;
	return (enum check)check;
}
