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
	uint64_t needs;
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

uint64_t check_needs(enum check check)
{
	return checks[check].needs;
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
