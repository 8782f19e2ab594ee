// SPDX-License-Identifier: MIT
#include "verify/sentence.h"

bool verdict_boot_judged(const struct verdict *verdict)
{
	return (verdict->passed & CHECK_BIT(CHECK_BOOT_KNOWN)) != 0;
}

const char *verdict_sentence(const struct verdict *verdict)
{
	if (!verdict_trusted(verdict))
		return "NOT TRUSTED";
	return verdict_boot_judged(verdict) ? "trusted" : "trusted (the boot was not judged)";
}
