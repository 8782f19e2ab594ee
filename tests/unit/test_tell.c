// SPDX-License-Identifier: MIT
/* What checks say: it is cut between characters, for no JSON and no database takes half of one. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "verify/tell.h"

static char letters[4 * CHECK_DETAIL_MAX];

static int fill(void **state)
{
	(void)state;
	for (size_t i = 0; i + 3 < sizeof(letters); i += 3)
		memcpy(letters + i, "\xe2\x82\xac", 4);
	return 0;
}

/* Nothing of it has to be escaped. */
static void assert_whole(const char *text)
{
	char again[CHECK_DETAIL_MAX + 8];

	assert_true(strlen(text) < CHECK_DETAIL_MAX);
	assert_string_equal(text_escape(support_text(text), again, sizeof(again)), text);
}

static void a_long_detail_is_whole(void **state)
{
	char detail[CHECK_DETAIL_MAX];

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		assert_false(check_tell(false, detail, "%.*s%s", shift, "xxx", letters));
		assert_true(strlen(detail) >= CHECK_DETAIL_MAX - 3);
		assert_whole(detail);
		assert_int_equal(check_skip(detail, "%.*s%s", shift, "xxx", letters),
				 CHECK_SKIPPED);
		assert_whole(detail);
	}
}

static void long_findings_are_whole(void **state)
{
	char detail[CHECK_DETAIL_MAX];

	(void)state;
	for (int shift = 0; shift < 4; shift++)
		for (unsigned int count = 1; count < 6; count++) {
			struct findings findings = { .count = 0 };

			for (unsigned int i = 0; i < count; i++)
				findings_add(&findings, "%.*s%s", shift, "xxx", letters);
			assert_false(findings_tell(&findings, detail));
			assert_whole(detail);
			if (count > NAMED_FINDINGS)
				assert_non_null(strstr(detail, " more"));
		}
}

static void the_end_of_a_text_is_whole(void **state)
{
	static const struct {
		const char *text, *whole;
	} rows[] = {
		{ "", "" },
		{ "a", "a" },
		{ "a\xc3", "a" },
		{ "a\xc3\xa4", "a\xc3\xa4" },
		{ "a\xe2\x82", "a" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "a\xf0\x9f\x98", "a" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xf0", "" },
		/* Not what a cut leaves: others look for that. */
		{ "\x80\x80", "\x80\x80" },
		{ "a\x80", "a\x80" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[8];

		snprintf(text, sizeof(text), "%s", rows[i].text);
		assert_int_equal(text_end_whole(text), strlen(rows[i].whole));
		assert_string_equal(text, rows[i].whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_detail_is_whole),
		cmocka_unit_test(long_findings_are_whole),
		cmocka_unit_test(the_end_of_a_text_is_whole),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
