// SPDX-License-Identifier: MIT
/*
 * Verdicts as pages and as JUnit XML: nothing of a log becomes markup, and what is shown is
 * what was found.
 */
#define _GNU_SOURCE /* strndup() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/junit.h"
#include "report/markup.h"
#include "verify_fixture.h"

/* ---------------------------------------------------------------- markup */

static void test_text_is_no_markup(void **state)
{
	static const struct {
		struct bytes text;
		const char *becomes;
	} rows[] = {
		{ BYTES_LITERAL("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
		  "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ BYTES_LITERAL("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;" },
		{ BYTES_LITERAL("\n\t\x1b\x7f"), "\\x0a\\x09\\x1b\\x7f" },
		{ BYTES_LITERAL("\xc2\x85"), "\\xc2\\x85" }, /* a control character */
		{ BYTES_LITERAL("\xc3"), "\\xc3" },	     /* cut */
		{ BYTES_LITERAL("\x80"), "\\x80" },	     /* no beginning */
		{ BYTES_LITERAL("\xc0\xbc"), "\\xc0\\xbc" }, /* '<' in two bytes */
		{ BYTES_LITERAL("\xe0\x80\xbc"), "\\xe0\\x80\\xbc" },
		{ BYTES_LITERAL("\xed\xa0\x80"), "\\xed\\xa0\\x80" }, /* a surrogate */
		{ BYTES_LITERAL("\xef\xbf\xbf"), "\\xef\\xbf\\xbf" }, /* U+FFFF */
		{ BYTES_LITERAL("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
		{ BYTES_LITERAL("\xff"), "\\xff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = { 0 };
		char *text = strndup((const char *)rows[i].text.data, rows[i].text.size);

		markup_text(&out, text);
		buffer_append_u8(&out, '\0');
		assert_string_equal((char *)out.data, rows[i].becomes);
		buffer_free(&out);
		free(text);
	}
}

/* ---------------------------------------------------------------- from a verdict */

static char *take(struct buffer *out)
{
	buffer_append_u8(out, '\0');
	assert_false(out->failed);
	return (char *)out->data;
}

/* The page of a fixture that was changed; a string to free(). */
static char *page(fixture_change *change, struct verdict *verdict)
{
	struct html_report *report = html_begin();
	struct buffer out = { 0 };
	struct fixture fixture;

	assert_non_null(report);
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, change);
	fixture.input.observer = html_observer(report);
	verify(&fixture.input, &fixture.policy, verdict);
	html_end(report, verdict, "<evidence>", 1760000000, &out);
	fixture_free(&fixture);
	return take(&out);
}

static void must_have(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("there is no '%s' in:\n%s", part, text);
}

static void must_not_have(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("there is '%s' in:\n%s", part, text);
}

static void add_hostile_names(struct fixture *fixture)
{
	struct assay_digest digest = fixture_digest(0);
	struct buffer value = { 0 };

	fixture_add_ima_files(fixture);
	put_measure(&value);
	put_file(&value, "/tmp/<script>alert(1)</script>", &digest);
	put_file(&value, "/tmp/\x1b[31m\"'&", &digest);
	put_failed_file(&value, fixture_path(1), 5);
	fixture_insert(fixture, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
	fixture_insert_entry(fixture, 4, fixture_entry("/tmp/<img onerror=x>", 9));
}

static void test_page_of_what_is_hostile(void **state)
{
	static struct verdict verdict;
	char *text = page(add_hostile_names, &verdict);

	(void)state;
	assert_false(verdict_trusted(&verdict));
	must_have(text, "<h1 class=bad>NOT TRUSTED</h1>");
	must_have(text, "/tmp/&lt;script&gt;alert(1)&lt;/script&gt;");
	must_have(text, "/tmp/&lt;img onerror=x&gt;");
	must_have(text, "&lt;evidence&gt;");
	must_have(text, "\\x1b[31m&quot;&#39;&amp;");
	must_not_have(text, "<script");
	must_not_have(text, "<img");
	must_not_have(text, "\x1b");
	must_have(text, "<b>1</b> failed");
	must_have(text, "record 5: MEASURE, 3 entries");
	free(text);
}

static void add_all_states(struct fixture *fixture)
{
	static const struct policy_path bin = { .path = "/bin/", .reason = "a test" };
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 99);

	fixture_add_ima_files(fixture);
	fixture_insert_entry(fixture, 7, fixture_entry_of("/etc/known", &digest));
	fixture->policy.allowed = &bin;
	fixture->policy.allowed_count = 1;
	fixture->policy.required_if_made = 0;
}

static void test_page_of_all_states(void **state)
{
	static struct verdict verdict;
	char *text = page(add_all_states, &verdict);

	(void)state;
	assert_true(verdict_trusted(&verdict));
	must_have(text, "<h1 class=ok>trusted</h1>");
	/* Of assay's log four; of IMA's list the verity and the digest one. */
	must_have(text, "<b>6</b> matches");
	must_have(text, "<b>1</b> signed");
	must_have(text, "<b>2</b> allowed");
	must_have(text, "<b>1</b> unknown");
	must_have(text, "<b>1</b> differs");
	must_not_have(text, "</b> failed");
	must_have(text, "expected <code>sha512:");
	for (int i = 0; i < CHECK_COUNT; i++)
		must_have(text, check_name((enum check)i));
	free(text);
}

/* More than a page shows is counted. */
static void test_page_of_many(void **state)
{
	struct html_report *report = html_begin();
	const struct verify_observer *observer = html_observer(report);
	static struct verdict verdict;
	struct buffer out = { 0 };
	char *text;

	(void)state;
	fixture_judge(BEFORE_PCRS, NULL, &verdict);
	for (uint64_t i = 0; i < 2500; i++) {
		const struct verify_record record = { .number = i,
						      .kind = i == 7 ? NULL : "EVENT",
						      .time = i * UINT64_C(1000000000000000) };
		const struct verify_file file = { .path = BYTES_LITERAL("/x"),
						  .state = FILE_UNKNOWN };

		observer->record(observer->context, &record);
		observer->file(observer->context, &file);
	}
	html_end(report, &verdict, "e", 0, &out);
	text = take(&out);
	must_have(text, "<b>2500</b> unknown");
	must_have(text, "and 500 more");
	must_have(text, "record 7: not known");
	must_have(text, "record 1999: ");
	must_not_have(text, "record 2000: ");
	free(text);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

static void old_nonce(struct fixture *fixture)
{
	fixture->nonce.data[0] ^= 1;
}

static void nothing_required(struct fixture *fixture)
{
	fixture->policy.required = 0;
}

static void test_junit(void **state)
{
	static const struct {
		fixture_change *change;
		size_t failures;
	} rows[] = { { NULL, 0 }, { old_nonce, 1 }, { nothing_required, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct verdict verdict;
		struct buffer out = { 0 };
		char expected[64], *text;

		fixture_judge(BEFORE_PCRS, rows[i].change, &verdict);
		junit_write(&verdict, "a \"name\"", 1760000000, &out);
		text = take(&out);
		must_have(text, "name=\"assay verify a &quot;name&quot;\"");
		must_have(text, "timestamp=\"2025-10-09T08:53:20Z\"");
		snprintf(expected, sizeof(expected), "failures=\"%zu\"", rows[i].failures);
		must_have(text, expected);
		assert_int_equal(count_of(text, "<failure"), rows[i].failures);
		assert_int_equal(rows[i].failures == 0, verdict_trusted(&verdict));
		assert_int_equal(count_of(text, "<testcase"),
				 CHECK_COUNT + (size_t)(verdict.required == 0));
		assert_int_equal(count_of(text, "</testcase>"), count_of(text, "<testcase"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_no_markup),
		cmocka_unit_test(test_page_of_what_is_hostile),
		cmocka_unit_test(test_page_of_all_states),
		cmocka_unit_test(test_page_of_many),
		cmocka_unit_test(test_junit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
