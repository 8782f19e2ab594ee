// SPDX-License-Identifier: MIT
/* Which records are shown: what the options say, and what then passes. */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/filter.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NOW 1767323045000000006ULL /* 2026-01-02 03:04:05.000000006 */

static void times(void **state)
{
	static const struct {
		const char *value;
		uint64_t time; /* 0: refused */
	} rows[] = {
		{ "2026-01-02", 1767312000000000000 },
		{ "2026-01-02 03:04", 1767323040000000000 },
		{ "2026-01-02 03:04:05", 1767323045000000000 },
		{ "2026-01-02T03:04:05", 1767323045000000000 },
		{ "2026-01-02T03:04:05Z", 1767323045000000000 },
		{ "2024-02-29", 1709164800000000000 },
		{ "@1767323045", 1767323045000000000 },
		{ "-5s", NOW - 5000000000 },
		{ "-2m", NOW - 120000000000 },
		{ "-1h", NOW - 3600000000000 },
		{ "-10d", NOW - 864000000000000 },
		{ "-0s", NOW },
		{ "", 0 },
		{ "@", 0 },
		{ "@-1", 0 },
		{ "@ 1", 0 },
		{ "@18446744074", 0 }, /* more than 64 bits of nanoseconds */
		{ "@99999999999999999999", 0 },
		{ "-", 0 },
		{ "-1", 0 },
		{ "-1w", 0 },
		{ "-1hh", 0 },
		{ "--1h", 0 },
		{ "-20456d", 0 }, /* before 1970 */
		{ "-99999999999999999999d", 0 },
		{ "1h", 0 },
		{ "2025-02-29", 0 },
		{ "2026-02-30", 0 },
		{ "2026-13-01", 0 },
		{ "2026-01-02 25:00", 0 },
		{ "2026-01-02 03:04:05x", 0 },
		{ "2026-01-02 03:04:05 Z", 0 },
		{ "1969-12-31", 0 },
		{ "2600-01-01", 0 },
		{ "yesterday", 0 },
		{ "\33[31m", 0 },
	};

	(void)state;
	/* Wherever the machine is, times are UTC. */
	setenv("TZ", "America/New_York", 1);
	tzset();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		uint64_t time = 0;
		int r = log_time_parse(rows[i].value, NOW, &time, &err);

		if (r != (rows[i].time ? 0 : -EINVAL) || time != rows[i].time ||
		    (r < 0 && (!strstr(err.text, "is no time") || strchr(err.text, '\33'))))
			fail_msg("\"%s\": %d, %llu, \"%s\"", rows[i].value, r,
				 (unsigned long long)time, err.text);
	}
}

static void times_as_text(void **state)
{
	char text[LOG_TIME_TEXT];

	(void)state;
	assert_string_equal(log_time_text(NOW, text), "2026-01-02T03:04:05.000000006Z");
	assert_string_equal(log_time_text(0, text), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(log_time_text(UINT64_MAX, text), "2554-07-21T23:34:33.709551615Z");
	assert_true(log_now() > NOW - 100000000ULL * 1000000000ULL);
}

static void ranges(void **state)
{
	static const struct {
		const char *value;
		bool good;
		uint64_t first, last;
	} rows[] = {
		{ "7", true, 7, 7 },
		{ "3-7", true, 3, 7 },
		{ "3-", true, 3, UINT64_MAX },
		{ "-7", true, 0, 7 },
		{ "0-18446744073709551615", true, 0, UINT64_MAX },
		{ "", false, 0, 0 },
		{ "-", false, 0, 0 },
		{ "--7", false, 0, 0 },
		{ "7-3", false, 0, 0 },
		{ "3-7-", false, 0, 0 },
		{ "3,7", false, 0, 0 },
		{ " 3", false, 0, 0 },
		{ "+3", false, 0, 0 },
		{ "0x3", false, 0, 0 },
		{ "18446744073709551616", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		struct log_filter filter;
		int r;

		log_filter_init(&filter);
		r = log_filter_records(rows[i].value, &filter, &err);
		if (r != (rows[i].good ? 0 : -EINVAL) ||
		    (r == 0 && (filter.first != rows[i].first || filter.last != rows[i].last)) ||
		    (r < 0 && (filter.first != 0 || filter.last != UINT64_MAX)))
			fail_msg("\"%s\": %d, \"%s\"", rows[i].value, r, err.text);
	}
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",	 " 1",	"+1",
					   "-1", "1 ",	"x",
					   "1x", "0x1", "18446744073709551616" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(log_number_parse(bad[i], &number));
	assert_int_equal(number, 7);
	assert_true(log_number_parse("18446744073709551615", &number));
	assert_int_equal(number, UINT64_MAX);
	assert_true(log_number_parse("0", &number));
	assert_int_equal(number, 0);
}

static void kinds(void **state)
{
	static const char *const bad[] = { "",	     ",",      "STAR",		"STARTS",
					   "start,", ",start", "START MEASURE", "1" };
	struct log_filter filter;
	struct assay_error err;

	(void)state;
	log_filter_init(&filter);
	assert_int_equal(log_filter_kinds("START,measure", &filter, &err), 0);
	assert_int_equal(log_filter_kinds("Tpm", &filter, &err), 0);
	assert_int_equal(filter.kinds,
			 1U << ASSAY_KIND_START | 1U << ASSAY_KIND_MEASURE | 1U << ASSAY_KIND_TPM);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		log_filter_init(&filter);
		assert_int_equal(log_filter_kinds(bad[i], &filter, &err), -EINVAL);
		assert_int_equal(filter.kinds, 0);
	}
}

/* The numbers of the records of the two built logs that pass, as bits. */
static uint32_t passing(const struct log_filter *filter)
{
	struct log_builder builder;
	struct cel_reader reader;
	struct cel_record record;
	uint32_t bits = 0;

	log_builder_begin(&builder);
	log_builder_sample(&builder);
	log_builder_kinds(&builder);
	cel_begin(&reader, buffer_bytes(&builder.log), 0);
	while (cel_next(&reader, &record, NULL) == 1) {
		struct assay_content content;
		bool parsed = assay_content_parse(&record, &content, NULL) == 0;

		if (log_filter_record(filter, &record, parsed ? &content : NULL))
			bits |= 1U << record.recnum;
	}
	log_builder_free(&builder);
	return bits;
}

/*
 * 0 START (with a time), 1 MEASURE, 2 EVENT, 3 START (with a time), 4 BATCH (of 1 ns),
 * 5 IMA, 6 TPM, 7 TRIM, 8 SEAL, 9 KEXEC (with a time)
 */
static void what_passes(void **state)
{
	static const struct {
		struct log_filter filter;
		uint32_t records;
	} rows[] = {
		{ { .last = UINT64_MAX, .before = UINT64_MAX }, 0x3ff },
		{ { .first = 2, .last = 4, .before = UINT64_MAX }, 0x1c },
		{ { .kinds = 1U << ASSAY_KIND_START, .last = UINT64_MAX, .before = UINT64_MAX },
		  0x9 },
		{ { .kinds = 1U << ASSAY_KIND_START, .first = 1, .last = 8, .before = UINT64_MAX },
		  0x8 },
		{ { .path = "/usr/bin/*", .last = UINT64_MAX, .before = UINT64_MAX }, 0x12 },
		{ { .path = "*second", .last = UINT64_MAX, .before = UINT64_MAX }, 0x2 },
		{ { .path = "/usr/bin/missing", .last = UINT64_MAX, .before = UINT64_MAX }, 0x10 },
		{ { .path = "second", .last = UINT64_MAX, .before = UINT64_MAX }, 0 },
		{ { .last = UINT64_MAX, .since = 1, .before = UINT64_MAX }, 0x219 },
		{ { .last = UINT64_MAX, .since = 2, .before = UINT64_MAX }, 0x209 },
		{ { .last = UINT64_MAX, .before = 2 }, 0x10 },
		{ { .last = UINT64_MAX, .before = 1 }, 0 },
		{ { .last = UINT64_MAX, .since = LOG_BUILDER_TIME, .before = LOG_BUILDER_TIME + 1 },
		  0x209 },
		{ { .last = UINT64_MAX, .before = LOG_BUILDER_TIME }, 0x10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (passing(&rows[i].filter) != rows[i].records)
			fail_msg("row %zu: 0x%x", i, passing(&rows[i].filter));
}

/* A path with a NUL, one of any length, and none at all do not match. */
static void paths_that_are_none(void **state)
{
	static uint8_t longest[5000];
	const struct measured_file files[] = {
		{ .path = BYTES_LITERAL("/x\0/y") },
		{ .path = { longest, sizeof(longest) } },
		{ .path = { NULL, 0 } },
	};
	struct log_filter filter;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	log_filter_init(&filter);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		filter.path = NULL;
		assert_true(log_filter_file(&filter, &files[i]));
		filter.path = "*";
		assert_false(log_filter_file(&filter, &files[i]));
	}
}

/* A record that is not assay's passes only where nothing is asked that it cannot have. */
static void records_of_no_kind(void **state)
{
	const struct cel_record record = { .recnum = 5 };
	struct log_filter filter;

	(void)state;
	log_filter_init(&filter);
	assert_true(log_filter_record(&filter, &record, NULL));
	filter.path = "*";
	assert_false(log_filter_record(&filter, &record, NULL));
	log_filter_init(&filter);
	filter.kinds = UINT32_MAX;
	assert_false(log_filter_record(&filter, &record, NULL));
	log_filter_init(&filter);
	filter.since = 1;
	assert_false(log_filter_record(&filter, &record, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(times_as_text),
		cmocka_unit_test(ranges),
		cmocka_unit_test(numbers),
		cmocka_unit_test(kinds),
		cmocka_unit_test(what_passes),
		cmocka_unit_test(paths_that_are_none),
		cmocka_unit_test(records_of_no_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
