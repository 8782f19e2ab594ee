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
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/group.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/markup.h"
#include "report/text.h"
#include "verify/sentence.h"
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
		{ BYTES_LITERAL("a\\b"), "a\\b" },
		/* What turns text around, and what is not seen: a zero-width space, a tag. */
		{ BYTES_LITERAL("\xe2\x80\xae"), "\\xe2\\x80\\xae" },
		{ BYTES_LITERAL("\xe2\x80\x8b"), "\\xe2\\x80\\x8b" },
		{ BYTES_LITERAL("\xc2\xad"), "\\xc2\\xad" },
		{ BYTES_LITERAL("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81" },
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

static char *text_of(struct buffer *out)
{
	buffer_append_u8(out, '\0');
	assert_false(out->failed);
	return (char *)out->data;
}

/* The page of a fixture that was changed; a string to free(). */
static char *page_at(enum fixture_stage stage, fixture_change *change, struct verdict *verdict)
{
	struct html_report *report = html_begin();
	struct buffer out = { 0 };
	struct fixture fixture;

	assert_non_null(report);
	fixture_begin(&fixture);
	fixture_build(&fixture, stage, change);
	fixture.input.observer = html_observer(report);
	verify(&fixture.input, &fixture.policy, verdict);
	html_end(report, verdict, "<evidence>", 1760000000, &out);
	fixture_free(&fixture);
	return text_of(&out);
}

static char *page(fixture_change *change, struct verdict *verdict)
{
	return page_at(BEFORE_PCRS, change, verdict);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
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
	must_not_have(text, " style=");
	must_have(text, "files: <b>1</b> failed");
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
	must_have(text, "<h1 class=warn>trusted (the boot was not judged)</h1>");
	/* Of IMA's list the verity and the digest one. */
	must_have(text, "files: <b>2</b> matches");
	must_have(text, "files: <b>1</b> signed");
	must_have(text, "files: <b>2</b> allowed");
	must_have(text, "files: <b>1</b> unknown");
	must_have(text, "files: <b>1</b> differs");
	/* Of assay's log. */
	must_have(text, "files: <b>4</b> matches");
	must_not_have(text, "</b> failed <");
	must_have(text, "expected <code>sha512:");
	for (int i = 0; i < CHECK_COUNT; i++)
		must_have(text, check_name((enum check)i));
	free(text);
}

/* Where it begins in @text; the test fails if it does not. */
static size_t place_of(const char *text, const char *part)
{
	const char *place = strstr(text, part);

	if (!place)
		fail_msg("there is no '%s' in:\n%s", part, text);
	return (size_t)(place - text);
}

static void files_amiss(struct fixture *fixture)
{
	fixture->policy.prefix = "/elsewhere";
}

/* Where something failed is first and open; where all passed is last and folded. */
static void page_shows_failures_first(void **state)
{
	static struct verdict verdict;
	char *text = page_at(AT_VERIFIER, files_amiss, &verdict);
	size_t files = place_of(text, "<details open><summary><h2>files</h2>");

	(void)state;
	assert_false(verdict_trusted(&verdict));
	assert_true(place_of(text, "<b>files-known</b>: ") < files);
	assert_true(place_of(text, check_advice(CHECK_FILES_KNOWN)) < files);
	for (int i = 0; i < CHECK_GROUPS; i++) {
		char folded[64];

		if (i == CHECK_GROUP_FILES)
			continue;
		snprintf(folded, sizeof(folded), "<details><summary><h2>%s</h2>",
			 check_group_name((enum check_group)i));
		assert_true(place_of(text, folded) > files);
	}
	/* Within the group what passed is folded, and below what failed. */
	assert_true(place_of(text + files, "<code>files-known</code>") <
		    place_of(text + files, "<details><summary><b class=ok>"));
	assert_true(place_of(text + files, "<details><summary><b class=ok>") <
		    place_of(text + files, "<code>manifest-signature</code>"));
	free(text);
	text = page(NULL, &verdict);
	must_not_have(text, "<details open><summary><h2>");
	assert_int_equal(count_of(text, "<details><summary><h2>"), CHECK_GROUPS);
	free(text);
}

/* The browser is told to take no script, and no style but the page's own. */
static void page_names_its_style_by_digest(void **state)
{
	static struct verdict verdict;
	char *text = page(NULL, &verdict);
	const char *style = text + place_of(text, "<style>") + strlen("<style>");
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char policy[256], *encoded;

	(void)state;
	SHA256((const uint8_t *)style, place_of(style, "</style>"), digest);
	encoded = base64_encode(BYTES(digest, sizeof(digest)));
	snprintf(policy, sizeof(policy),
		 "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
		 "base-uri 'none'; form-action 'none'; style-src 'sha256-%s'\">",
		 encoded);
	/* Before anything that it is to hold for. */
	assert_true(place_of(text, policy) < place_of(text, "<title>"));
	free(encoded);
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
	text = text_of(&out);
	must_have(text, "<b>2500</b> unknown");
	must_have(text, "and 500 more");
	must_have(text, "record 7: not known");
	must_have(text, "record 1999: ");
	must_not_have(text, "record 2000: ");
	free(text);
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
		text = text_of(&out);
		must_have(text, "name=\"assay verify a &quot;name&quot;\"");
		must_have(text, "timestamp=\"2025-10-09T08:53:20Z\"");
		snprintf(expected, sizeof(expected), "failures=\"%zu\"", rows[i].failures);
		must_have(text, expected);
		assert_int_equal(count_of(text, "<failure"), rows[i].failures);
		assert_int_equal(rows[i].failures == 0, verdict_trusted(&verdict));
		assert_int_equal(count_of(text, "<testcase"),
				 CHECK_COUNT + (size_t)(verdict.required == 0));
		must_have(text,
			  rows[i].failures == 0 ?
				  "name=\"verdict\" value=\"trusted (the boot was not judged)\"" :
				  "name=\"verdict\" value=\"NOT TRUSTED\"");
		assert_int_equal(count_of(text, "</testcase>"), count_of(text, "<testcase"));
		free(text);
	}
}

/* ---------------------------------------------------------------- for the terminal */

static char *terminal_text(const struct verdict *verdict, bool verbose, bool colours)
{
	struct buffer out = { 0 };

	report_text(&out, verdict, verbose, colours);
	return text_of(&out);
}

/* How often a line begins so. */
static size_t lines_of(const char *text, const char *beginning)
{
	size_t count = strncmp(text, beginning, strlen(beginning)) == 0;
	char line[64];

	snprintf(line, sizeof(line), "\n%s", beginning);
	return count + count_of(text, line);
}

static void the_verdict_is_the_first_line(void **state)
{
	static const struct {
		fixture_change *change;
		const char *line;
	} rows[] = {
		{ NULL, "trusted (the boot was not judged)\n\nquote " },
		{ old_nonce, "NOT TRUSTED\n\nFAIL         quote-nonce: the quote answers " },
		{ nothing_required, "NOT TRUSTED\n\nThe policy requires no check" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct verdict verdict;
		char *text;

		fixture_judge(BEFORE_PCRS, rows[i].change, &verdict);
		text = terminal_text(&verdict, false, false);
		assert_int_equal(strncmp(text, rows[i].line, strlen(rows[i].line)), 0);
		must_not_have(text, "\033");
		for (int group = 0; group < CHECK_GROUPS; group++)
			assert_int_equal(lines_of(text, check_group_name((enum check_group)group)),
					 1);
		/* What passed is counted, not listed. */
		must_not_have(text, "quote-magic");
		free(text);
	}
}

static void what_failed_has_its_advice(void **state)
{
	static struct verdict verdict;
	char *text;

	(void)state;
	fixture_judge(BEFORE_PCRS, old_nonce, &verdict);
	text = terminal_text(&verdict, false, false);
	must_have(text, verdict.detail[CHECK_QUOTE_NONCE]);
	must_have(text, check_advice(CHECK_QUOTE_NONCE));
	assert_int_equal(lines_of(text, "FAIL "), 1);
	must_have(text, ", 1 failed, ");
	free(text);
}

static void cut_evidence(struct fixture *fixture)
{
	fixture->input.evidence.size /= 2;
}

/* One cause is one failure: what could not be reached because of it is counted. */
static void what_was_not_reached_is_counted(void **state)
{
	static struct verdict verdict;
	struct check_tally all = { { 0 } };
	char *text;

	(void)state;
	fixture_judge(AT_VERIFIER, cut_evidence, &verdict);
	text = terminal_text(&verdict, false, false);
	assert_int_equal(lines_of(text, "FAIL "), 1);
	must_have(text, "FAIL         evidence-parsed: ");
	assert_int_equal(lines_of(text, "not checked "), 0);
	must_have(text, " not checked");
	free(text);
	for (int group = 0; group < CHECK_GROUPS; group++) {
		struct check_tally tally = check_group_tally(&verdict, (enum check_group)group);

		for (int i = 0; i < CHECK_OUTCOMES; i++)
			all.count[i] += tally.count[i];
	}
	assert_int_equal(all.count[OUTCOME_FAILED], 1);
	assert_true(all.count[OUTCOME_NOT_REACHED] > 15);
	for (int i = 1; i < CHECK_OUTCOMES; i++)
		all.count[0] += all.count[i];
	assert_int_equal(all.count[0], CHECK_COUNT);
}

/* What is required and has nothing to be compared with is to blame by itself. */
static void want_counters(struct fixture *fixture)
{
	fixture->policy.required |= CHECK_BIT(CHECK_QUOTE_COUNTERS);
	fixture->input.state = NULL;
}

static void what_could_not_be_checked_is_named(void **state)
{
	static struct verdict verdict;
	char *text;

	(void)state;
	fixture_judge(AT_VERIFIER, want_counters, &verdict);
	assert_false(verdict_trusted(&verdict));
	text = terminal_text(&verdict, false, false);
	must_have(text, "NOT TRUSTED\n\nnot checked  quote-counters: ");
	must_have(text, check_advice(CHECK_QUOTE_COUNTERS));
	must_have(text, ", 1 could not be checked");
	free(text);
}

static void want_more(struct fixture *fixture)
{
	want_counters(fixture);
	fixture->policy.prefix = "/elsewhere";
}

/* What failed comes before what could not be checked, in whatever order they are made. */
static void what_failed_comes_first(void **state)
{
	static struct verdict verdict;
	char *text;

	(void)state;
	fixture_judge(AT_VERIFIER, want_more, &verdict);
	text = terminal_text(&verdict, false, false);
	assert_true(place_of(text, "\nFAIL         files-known: ") <
		    place_of(text, "\nnot checked  quote-counters: "));
	free(text);
	text = page_at(AT_VERIFIER, want_more, &verdict);
	assert_true(place_of(text, "<b>files-known</b>: ") <
		    place_of(text, "<b>quote-counters</b>: "));
	free(text);
}

/* After a power cut: shown, and by default not required. */
static void unsafe_clock(struct fixture *fixture)
{
	fixture->quote.safe = 0;
}

static void what_is_waived_is_a_note(void **state)
{
	static struct verdict verdict;
	char *text;

	(void)state;
	fixture_judge(BEFORE_QUOTE, unsafe_clock, &verdict);
	assert_true(verdict_trusted(&verdict));
	text = terminal_text(&verdict, false, false);
	must_have(text, "note         quote-clock: safe is 0");
	must_have(text, ", 1 failed but not required");
	assert_int_equal(lines_of(text, "FAIL "), 0);
	must_not_have(text, check_advice(CHECK_QUOTE_NONCE));
	free(text);
}

static void verbose_names_every_check(void **state)
{
	static struct verdict verdict;
	int required = 0;
	char *text;

	(void)state;
	fixture_judge(BEFORE_PCRS, old_nonce, &verdict);
	text = terminal_text(&verdict, true, true);
	assert_int_equal(strncmp(text, "\033[31mNOT TRUSTED\033[0m\n",
				 strlen("\033[31mNOT TRUSTED\033[0m\n")),
			 0);
	assert_int_equal(lines_of(text, "  \033["), CHECK_COUNT);
	for (int i = 0; i < CHECK_COUNT; i++)
		must_have(text, check_name((enum check)i));
	for (int i = 0; i < CHECK_COUNT; i++)
		required += (verdict.required & CHECK_BIT(i)) != 0;
	assert_int_equal(count_of(text, " (not required)"), CHECK_COUNT - required);
	free(text);
}

/* The manifests that files were compared with are named, with what is foreign as text. */
static void manifests_are_named(void **state)
{
	static struct verdict verdict;
	struct html_report *report = html_begin();
	struct buffer out = { 0 };
	char *text;

	(void)state;
	assert_non_null(report);
	fixture_judge(BEFORE_PCRS, NULL, &verdict);
	assert_int_equal(verdict.manifest_count, 1);
	verdict.manifest_count = VERDICT_MANIFESTS + 2;
	strcpy(verdict.manifests[1].product, "<b>\x1b[31m");
	text = terminal_text(&verdict, false, false);
	must_not_have(text, verdict.manifests[0].id);
	free(text);
	text = terminal_text(&verdict, true, false);
	must_have(text, verdict.manifests[0].id);
	must_have(text, verdict.manifests[0].created);
	must_have(text, ", of <b>\\x1b[31m\n");
	must_have(text, "  manifest     and 2 more\n");
	free(text);
	html_end(report, &verdict, "e", 0, &out);
	text = text_of(&out);
	must_have(text, verdict.manifests[0].id);
	must_have(text, "<td>&lt;b&gt;\\x1b[31m\n");
	must_have(text, "and 2 more");
	free(text);
}

static void checks_are_in_the_group_of_what_they_look_at(void **state)
{
	static const struct {
		const char *name;
		enum check_group group;
	} rows[] = {
		{ "evidence-parsed", CHECK_GROUP_QUOTE },
		{ "ak-expected", CHECK_GROUP_QUOTE },
		{ "pcr-digest", CHECK_GROUP_QUOTE },
		{ "pcr-values", CHECK_GROUP_FIRMWARE },
		{ "uefi-log-replay", CHECK_GROUP_FIRMWARE },
		{ "assay-log-replay", CHECK_GROUP_LOG },
		{ "ima-files-match", CHECK_GROUP_IMA },
		{ "manifest-signature", CHECK_GROUP_FILES },
		{ "files-known", CHECK_GROUP_FILES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum check check;

		assert_true(check_by_name(rows[i].name, &check));
		assert_int_equal(check_group(check), rows[i].group);
	}
}

/* ---------------------------------------------------------------- the manual */

/* Behind the next line of the manual that begins so; NULL if there is none. */
static const char *next_line(const char **page, const char *beginning)
{
	char line[64];
	const char *found;

	snprintf(line, sizeof(line), "\n%s", beginning);
	found = strstr(*page, line);
	if (found)
		*page = found + strlen(line);
	return found ? *page : NULL;
}

/* assay-verify(1) has every check, in order, with what it asks and when it is required. */
static void the_manual_has_every_check(void **state)
{
	struct buffer buffer = { 0 };
	const char *page, *item, *end;

	(void)state;
	assert_int_equal(file_read("man/assay-verify.1", 1 << 20, &buffer, NULL), 0);
	page = text_of(&buffer);
	assert_non_null(next_line(&page, ".Sh CHECKS"));
	end = strstr(page, "\n.Sh JSON");
	for (int i = 0; i < CHECK_COUNT; i++) {
		enum check check = (enum check)i;
		char expected[256];

		snprintf(expected, sizeof(expected), "%s%s%s\n%s\n", check_name(check),
			 check_waivable(check) ? " *" : "",
			 check_when(check) == CHECK_ALWAYS ? "" : " +", check_question(check));
		item = next_line(&page, ".It Li ");
		if (!item || strncmp(item, expected, strlen(expected)) != 0)
			fail_msg("the manual does not have this, where it would be:\n%s", expected);
	}
	assert_true(page < end);
	item = next_line(&page, ".It Li ");
	assert_true(item > end);
	buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_no_markup),
		cmocka_unit_test(test_page_of_what_is_hostile),
		cmocka_unit_test(test_page_of_all_states),
		cmocka_unit_test(test_page_of_many),
		cmocka_unit_test(page_shows_failures_first),
		cmocka_unit_test(page_names_its_style_by_digest),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(the_verdict_is_the_first_line),
		cmocka_unit_test(what_failed_has_its_advice),
		cmocka_unit_test(what_was_not_reached_is_counted),
		cmocka_unit_test(what_could_not_be_checked_is_named),
		cmocka_unit_test(what_failed_comes_first),
		cmocka_unit_test(what_is_waived_is_a_note),
		cmocka_unit_test(verbose_names_every_check),
		cmocka_unit_test(checks_are_in_the_group_of_what_they_look_at),
		cmocka_unit_test(manifests_are_named),
		cmocka_unit_test(the_manual_has_every_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
