// SPDX-License-Identifier: MIT
/* What the table of checks says of each, for people and for policies. */
#include <string.h>

#include "verify/verdict.h"

#define NEED(id) CHECK_BIT(CHECK_##id)
#define FIXED false
#define WAIVABLE true
#define CHECK(id, name, function, group, when, waivable, needs, question, advice) \
	[CHECK_##id] = { name, question, advice, group, when, waivable, needs },
#define CONTENT CHECK

static const struct {
	const char *name;
	const char *question;
	const char *advice;
	enum check_group group;
	enum check_when when;
	bool waivable;
	check_mask needs;
} checks[] = {
#include "verify/checks.def"
};

#undef NEED
#undef CHECK
#undef CONTENT

const char *check_name(enum check check)
{
	return checks[check].name;
}

const char *check_question(enum check check)
{
	return checks[check].question;
}

const char *check_advice(enum check check)
{
	return checks[check].advice;
}

bool check_waivable(enum check check)
{
	return checks[check].waivable;
}

check_mask check_needs(enum check check)
{
	return checks[check].needs;
}

check_mask checks_of_log(enum verify_log log)
{
	static const enum check first[VERIFY_LOGS] = {
		[VERIFY_LOG_ASSAY] = CHECK_ASSAY_LOG_PARSED,
		[VERIFY_LOG_IMA] = CHECK_IMA_LOG_PARSED,
		[VERIFY_LOG_UEFI] = CHECK_UEFI_LOG_PARSED,
	};
	check_mask of = CHECK_BIT(first[log]);

	/* What a check needs comes before it. */
	for (unsigned int i = first[log] + 1; i < CHECK_COUNT; i++)
		if (checks[i].needs & of &&
		    !(log == VERIFY_LOG_ASSAY && checks[i].group == CHECK_GROUP_IMA))
			of |= CHECK_BIT(i);
	return of & ~CHECKS_OF_FIRMWARE_RULES;
}

check_mask checks_of_ima_entries(void)
{
	check_mask ima = 0;

	for (int i = 0; i < CHECK_COUNT; i++)
		if (checks[i].group == CHECK_GROUP_IMA)
			ima |= CHECK_BIT(i);
	return ima & ~checks_of_log(VERIFY_LOG_IMA);
}

bool check_by_name(const char *name, enum check *ret)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		if (strcmp(checks[i].name, name) == 0) {
			*ret = (enum check)i;
			return true;
		}
	}
	return false;
}

enum check_group check_group(enum check check)
{
	return checks[check].group;
}

enum check_when check_when(enum check check)
{
	return checks[check].when;
}

const char *check_group_name(enum check_group group)
{
	static const char *const text[] = {
		[CHECK_GROUP_QUOTE] = "quote", [CHECK_GROUP_FIRMWARE] = "firmware",
		[CHECK_GROUP_LOG] = "log",     [CHECK_GROUP_IMA] = "IMA",
		[CHECK_GROUP_FILES] = "files",
	};

	return text[group];
}
