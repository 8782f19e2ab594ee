// SPDX-License-Identifier: MIT
/*
 * The table of threats in lib/verify's README is so: the test that a row names is there, and in
 * it the check that the row names keeps the verdict from being "trusted". Each check is in a
 * row.
 */
#define _GNU_SOURCE /* strtok_r() */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "verify_fixture.h"

#define README "userspace/lib/verify/README.md"

/* | what they try | the check | `FILE` "TITLE" | */
struct threat {
	char what[256];
	check_mask checks;
	bool nothing; /* stops it */
	char file[64], title[128];
};

static const struct {
	const char *file;
	const struct bad_row *rows;
} tables[] = {
	{ "bad_quote.c", bad_quotes },	    { "bad_log.c", bad_logs },
	{ "bad_log_start.c", bad_starts },  { "bad_ima.c", bad_ima },
	{ "bad_boot.c", bad_boot },	    { "bad_chain.c", bad_chain },
	{ "bad_firmware.c", bad_firmware }, { "bad_presence.c", bad_presence },
	{ "bad_session.c", bad_session },
};

/* The checks that are named in a cell, in `backticks`. */
static check_mask checks_in(const char *cell)
{
	check_mask checks = 0;
	char name[64];

	for (; (cell = strchr(cell, '`')) != NULL; cell += strlen(name) + 2) {
		enum check check;

		assert_int_equal(sscanf(cell, "`%63[^`]`", name), 1);
		if (!check_by_name(name, &check))
			fail_msg(README ": there is no check %s", name);
		checks |= CHECK_BIT(check);
	}
	return checks;
}

/* False for a line that is no row of a table, or the head of one. */
static bool parse_row(const char *line, struct threat *ret)
{
	char check[256], test[256];

	if (sscanf(line, "| %255[^|]| %255[^|]| %255[^|]|", ret->what, check, test) < 2 ||
	    strncmp(ret->what, "what they try", strlen("what they try")) == 0)
		return false;
	ret->checks = checks_in(check);
	ret->nothing = strstr(check, "**nothing**") != NULL;
	if (sscanf(test, "`%63[^`]` \"%127[^\"]\"", ret->file, ret->title) != 2)
		ret->file[0] = '\0';
	return true;
}

/* ---------------------------------------------------------------- the tests */

static const struct bad_row *find_row(const struct threat *threat)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i].file, threat->file) != 0)
			continue;
		for (const struct bad_row *row = tables[i].rows; row->name; row++)
			if (strcmp(row->name, threat->title) == 0)
				return row;
	}
	return NULL;
}

static bool is_stopped(const struct threat *threat, const struct bad_row *row)
{
	static struct verdict verdict;
	check_mask idle;

	fixture_judge(row->stage, row->change, &verdict);
	if (verdict_trusted(&verdict)) {
		print_error("\"%s\" is trusted\n", row->name);
		return false;
	}
	/* Named, and passed all the same, or not required. */
	idle = threat->checks & (verdict.passed | ~verdict.required);
	for (int i = 0; i < CHECK_COUNT; i++)
		if (idle & CHECK_BIT(i))
			print_error("%s does not stop \"%s\"; %s does\n", check_name((enum check)i),
				    row->name, check_name(verdict_reason(&verdict)));
	return idle == 0;
}

/* A test that is no row of a table: its name stands in its file. */
static bool is_there(const struct threat *threat)
{
	char pattern[128];
	glob_t found;
	struct buffer text;
	bool there;

	snprintf(pattern, sizeof(pattern), "tests/*/%s", threat->file);
	if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc != 1)
		fail_msg("there is no %s", pattern);
	text = support_read(found.gl_pathv[0]);
	buffer_append_u8(&text, '\0');
	assert_false(text.failed);
	there = strstr((const char *)text.data, threat->title) != NULL;
	if (!there)
		print_error("%s has no \"%s\"\n", found.gl_pathv[0], threat->title);
	buffer_free(&text);
	globfree(&found);
	return there;
}

static void each_threat_is_stopped_as_it_is_said(void **state)
{
	struct buffer readme = support_read(README);
	check_mask seen = 0;
	size_t rows = 0, wrong = 0;
	char *line, *next;

	(void)state;
	buffer_append_u8(&readme, '\0');
	assert_false(readme.failed);
	for (line = strtok_r((char *)readme.data, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		struct threat threat = { 0 };
		const struct bad_row *row;

		if (line[0] != '|' || line[2] == '-' || !parse_row(line, &threat))
			continue;
		rows++;
		row = find_row(&threat);
		if (threat.file[0] == '\0' && !threat.nothing)
			fail_msg("no test shows what stops \"%s\"", threat.what);
		else if (row && !threat.nothing)
			wrong += !is_stopped(&threat, row);
		else if (threat.file[0] != '\0')
			wrong += !is_there(&threat);
		seen |= threat.checks;
	}
	assert_true(rows > 60);
	for (int i = 0; i < CHECK_COUNT; i++)
		if (!(seen & CHECK_BIT(i)))
			fail_msg("no threat is stopped by %s", check_name((enum check)i));
	buffer_free(&readme);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_threat_is_stopped_as_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
