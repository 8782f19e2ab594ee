// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE /* timegm() */
#include "base/utc.h"

#include <string.h>
#include <time.h>

#define UTC_FORMAT "%Y-%m-%dT%H:%M:%SZ"

char *utc_text(uint64_t seconds, char text[UTC_LENGTH + 1])
{
	time_t value = (time_t)seconds;
	struct tm parts;

	text[0] = '\0';
	if (gmtime_r(&value, &parts) && strftime(text, UTC_LENGTH + 1, UTC_FORMAT, &parts) == 0)
		text[0] = '\0';
	return text;
}

/* @digits digits and the character behind them */
static bool take_number(const char **text, int digits, char end, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		value = 10 * value + (**text - '0');
	}
	if (*(*text)++ != end)
		return false;
	*ret = value;
	return true;
}

bool utc_parse(const char *text, uint64_t *ret)
{
	char again[UTC_LENGTH + 1];
	const char *rest = text;
	struct tm parts = { 0 };
	time_t value;

	if (!take_number(&rest, 4, '-', &parts.tm_year) ||
	    !take_number(&rest, 2, '-', &parts.tm_mon) ||
	    !take_number(&rest, 2, 'T', &parts.tm_mday) ||
	    !take_number(&rest, 2, ':', &parts.tm_hour) ||
	    !take_number(&rest, 2, ':', &parts.tm_min) ||
	    !take_number(&rest, 2, 'Z', &parts.tm_sec) || *rest != '\0')
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	value = timegm(&parts);
	/* timegm() makes March 1 of February 30: only what comes back the same is a time. */
	if (value < 0 || strcmp(utc_text((uint64_t)value, again), text) != 0)
		return false;
	*ret = (uint64_t)value;
	return true;
}
