// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "log/filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/utc.h"

#define SECOND 1000000000ULL
/* PATH_MAX of Linux: no path in a log is longer. */
#define PATH_ROOM 4096

void log_filter_init(struct log_filter *filter)
{
	*filter = (struct log_filter){ .last = UINT64_MAX, .before = UINT64_MAX };
}

/* A value of the command line, fit to print. */
static const char *quoted(const char *value, char text[static 128])
{
	return text_escape(BYTES((const uint8_t *)value, strlen(value)), text, 128);
}

int log_filter_kinds(const char *value, struct log_filter *filter, struct assay_error *err)
{
	uint32_t kinds = 0;

	for (;;) {
		size_t length = strcspn(value, ",");
		uint8_t kind = 0;
		const char *name;

		/* Kinds are numbered from 1, without a gap. */
		while ((name = assay_kind_name(++kind)))
			if (strlen(name) == length && strncasecmp(name, value, length) == 0)
				break;
		if (!name) {
			char text[128];

			return assay_fail(err, EINVAL,
					  "there is no kind of record '%s'; kinds are START, "
					  "MEASURE, IMA, EVENT, TRIM, KEXEC, BATCH, SEAL and TPM",
					  quoted(value, text));
		}
		kinds |= 1U << kind;
		if (value[length] == '\0')
			break;
		value += length + 1;
	}
	filter->kinds |= kinds;
	return 0;
}

/* Decimal digits only, up to whatever else is there; false for none, or too many. */
static bool take_number(const char **text, uint64_t *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0;
}

bool log_number_parse(const char *value, uint64_t *ret)
{
	uint64_t number;

	if (!take_number(&value, &number) || *value != '\0')
		return false;
	*ret = number;
	return true;
}

int log_filter_records(const char *value, struct log_filter *filter, struct assay_error *err)
{
	uint64_t first = 0, last = UINT64_MAX;
	const char *at = value;
	char text[128];
	bool good;

	if (*at == '-') {
		at++;
		good = take_number(&at, &last);
	} else {
		good = take_number(&at, &first);
		if (good && *at == '\0')
			last = first;
		else if (good && *at++ == '-')
			good = *at == '\0' || take_number(&at, &last);
		else
			good = false;
	}
	if (!good || *at != '\0' || first > last)
		return assay_fail(err, EINVAL,
				  "'%s' is no range of records; write 7, 3-7, 3- or -7",
				  quoted(value, text));
	filter->first = first;
	filter->last = last;
	return 0;
}

static bool parse_before_now(const char *value, uint64_t now, uint64_t *ret)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t number;

	if (!take_number(&value, &number) || value[0] == '\0' || value[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (value[0] != units[i].unit)
			continue;
		if (number > now / SECOND / units[i].seconds)
			return false;
		*ret = now - number * units[i].seconds * SECOND;
		return true;
	}
	return false;
}

/* What may be left out of a time is filled in from this one. */
static bool parse_date(const char *value, uint64_t *ret)
{
	char text[] = "0000-00-00T00:00:00Z";
	size_t length = strlen(value);
	uint64_t seconds;

	if (length > 0 && value[length - 1] == 'Z')
		length--;
	/* To the day, to the minute, to the second. */
	if (length != 10 && length != 16 && length != 19)
		return false;
	for (size_t i = 0; i < length; i++)
		text[i] = value[i];
	if (text[10] == ' ')
		text[10] = 'T';
	if (!utc_parse(text, &seconds) || seconds > UINT64_MAX / SECOND)
		return false;
	*ret = seconds * SECOND;
	return true;
}

int log_time_parse(const char *value, uint64_t now, uint64_t *ret, struct assay_error *err)
{
	const char *at = value + 1;
	uint64_t time = 0;
	char text[128];
	bool good;

	switch (value[0]) {
	case '@':
		good = log_number_parse(at, &time) && time <= UINT64_MAX / SECOND;
		time *= SECOND;
		break;
	case '-':
		good = parse_before_now(value + 1, now, &time);
		break;
	default:
		good = parse_date(value, &time);
	}
	if (!good)
		return assay_fail(err, EINVAL,
				  "'%s' is no time; write 2026-01-02, '2026-01-02 03:04:05' (UTC), "
				  "@SECONDS since 1970, or -2h (s, m, h, d) for so long ago",
				  quoted(value, text));
	*ret = time;
	return 0;
}

uint64_t log_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

const char *log_time_text(uint64_t time, char text[static LOG_TIME_TEXT])
{
	/* 64 bits of nanoseconds end in 2554. */
	utc_text(time / SECOND, text);
	snprintf(text + UTC_LENGTH - 1, LOG_TIME_TEXT - UTC_LENGTH + 1, ".%09uZ",
		 (unsigned int)(time % SECOND));
	return text;
}

bool log_filter_file(const struct log_filter *filter, const struct measured_file *file)
{
	char path[PATH_ROOM];

	if (!filter->path)
		return true;
	/* A name with a NUL is none that the pattern could mean. */
	if (!file->path.data || file->path.size >= sizeof(path) ||
	    memchr(file->path.data, '\0', file->path.size))
		return false;
	memcpy(path, file->path.data, file->path.size);
	path[file->path.size] = '\0';
	return fnmatch(filter->path, path, 0) == 0;
}

static bool has_file(const struct log_filter *filter, const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	struct measured_file file;

	if (content->batch.file_count == 0)
		return false;
	while (measured_file_next(&entries, &file))
		if (log_filter_file(filter, &file))
			return true;
	return false;
}

bool log_filter_record(const struct log_filter *filter, const struct cel_record *record,
		       const struct assay_content *content)
{
	if (record->recnum < filter->first || record->recnum > filter->last)
		return false;
	if (filter->kinds != 0 &&
	    (!content || content->kind >= 32 || !(filter->kinds & 1U << content->kind)))
		return false;
	if ((filter->since > 0 || filter->before < UINT64_MAX) &&
	    (!content || !content->has_time || content->time < filter->since ||
	     content->time >= filter->before))
		return false;
	return !filter->path || (content && has_file(filter, content));
}
