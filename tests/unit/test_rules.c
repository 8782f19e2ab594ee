// SPDX-License-Identifier: MIT
/* Settings and rules: what is taken, what is refused and where it is said to be; forms of paths. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/settings.h"
#include "measure/rules.h"

#define CHARACTERS_50 "12345678901234567890123456789012345678901234567890"
#define CHARACTERS_200 CHARACTERS_50 CHARACTERS_50 CHARACTERS_50 CHARACTERS_50

/* ---------------------------------------------------------------- settings */

static int write_down(void *context, const struct setting *setting, struct assay_error *err)
{
	struct buffer *out = context;
	char line[512];

	if (strcmp(setting->key, "bad") == 0)
		return assay_fail(err, EINVAL, "a bad key");
	buffer_append(out, line,
		      (size_t)snprintf(line, sizeof(line), "%u[%s]%s=%s;", setting->line,
				       setting->section, setting->key, setting->value));
	return 0;
}

static void settings_are_read_with_their_lines(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "", "" },
		{ "a=b", "1[]a=b;" },
		{ "# c\n\n[s]\n a b = c d \n", "4[s]a b=c d;" },
		{ "[s]\r\na=b\r\n", "2[s]a=b;" },
		{ "[s]\na=b\n c\n\nd=e", "2[s]a=b;3[s]a=c;5[s]d=e;" },
		{ "[s]\na=b ; a comment\nc=d;e\n", "2[s]a=b;3[s]c=d;e;" },
		{ "\xef\xbb\xbf[s]\na:b", "2[s]a=b;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buffer out = { 0 };
		struct assay_error err;

		assert_int_equal(
			settings_read(support_text(rows[i].text), "f", write_down, &out, &err), 0);
		buffer_append_u8(&out, 0);
		assert_string_equal((const char *)out.data, rows[i].told);
		buffer_free(&out);
	}
}

static void settings_that_are_off_are_told(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *why;
	} rows[] = {
		{ "a=b\nnothing\n", -EBADMSG, "f line 2: neither a [section] nor KEY" },
		{ "[s\na=b\n", -EBADMSG, "f line 1: neither" },
		{ "a=b\nbad=c\nd=e", -EINVAL, "f line 2: a bad key" },
		{ "a=b\nc=" CHARACTERS_200, -EMSGSIZE, "f line 2: a line of 2" },
		{ "\n\na=" CHARACTERS_200 "\n", -EMSGSIZE, "f line 3: a line of 2" },
	};
	struct buffer out = { 0 };
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(
			settings_read(support_text(rows[i].text), "f", write_down, &out, &err),
			rows[i].result);
		support_assert_error(&err, rows[i].why);
	}
	assert_int_equal(settings_read(BYTES_LITERAL("a=\0b\n"), "f", write_down, &out, &err),
			 -EBADMSG);
	support_assert_error(&err, "f line 1: a byte of 0");
	buffer_free(&out);
}

/* The longest line there can be, whatever libinih's own limit. */
static void the_longest_line_is_read_whole(void **state)
{
	char text[SETTINGS_LINE_MAX + 4];
	struct buffer out = { 0 };
	struct assay_error err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[1] = '=';
	text[SETTINGS_LINE_MAX] = '\n';
	memcpy(text + SETTINGS_LINE_MAX + 1, (const char[]){ 'a', '=', 'b' }, 3);
	assert_int_equal(
		settings_read(BYTES((uint8_t *)text, sizeof(text)), "f", write_down, &out, &err),
		0);
	assert_int_equal(out.size, strlen("1[]x=") + SETTINGS_LINE_MAX - 2 + strlen(";2[]a=b;"));
	buffer_free(&out);
	memmove(text + SETTINGS_LINE_MAX + 1, text + SETTINGS_LINE_MAX, 3);
	text[SETTINGS_LINE_MAX] = 'x';
	assert_int_equal(
		settings_read(BYTES((uint8_t *)text, sizeof(text)), "f", write_down, &out, &err),
		-EMSGSIZE);
	buffer_free(&out);
}

/* ---------------------------------------------------------------- rules */

static void rules_are_taken_in_their_order(void **state)
{
	static const char text[] = "[measure]\n"
				   "manifest = /etc/assay/manifest.jsonl\n"
				   "package = bash\n"
				   "  libc6:arm64\n"
				   "[initrd]\n"
				   "verity=/\n"
				   "glob=/usr/**/x*\n"
				   "[system]\n"
				   "list = /etc/list\n"
				   "file=/bin/sh\n"
				   "exclude=/opt/**\n"
				   "images=/var/lib/portables\n";
	static const struct {
		enum rule_kind kind;
		unsigned int stages;
		const char *value, *place;
	} wanted[] = {
		{ RULE_MANIFEST, 3, "/etc/assay/manifest.jsonl", "a.conf line 2" },
		{ RULE_PACKAGE, 3, "bash", "a.conf line 3" },
		{ RULE_PACKAGE, 3, "libc6:arm64", "a.conf line 4" },
		{ RULE_VERITY, RULE_STAGE_INITRD, "/", "a.conf line 6" },
		{ RULE_GLOB, RULE_STAGE_INITRD, "/usr/**/x*", "a.conf line 7" },
		{ RULE_LIST, RULE_STAGE_SYSTEM, "/etc/list", "a.conf line 9" },
		{ RULE_FILE, RULE_STAGE_SYSTEM, "/bin/sh", "a.conf line 10" },
		{ RULE_EXCLUDE, RULE_STAGE_SYSTEM, "/opt/**", "a.conf line 11" },
		{ RULE_IMAGES, RULE_STAGE_SYSTEM, "/var/lib/portables", "a.conf line 12" },
	};
	struct rules rules = { 0 };
	struct assay_error err;

	(void)state;
	if (rules_parse(BYTES_LITERAL(text), "a.conf", &rules, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rules.count, sizeof(wanted) / sizeof(*wanted));
	for (size_t i = 0; i < rules.count; i++) {
		assert_int_equal(rules.list[i].kind, wanted[i].kind);
		assert_int_equal(rules.list[i].stages, wanted[i].stages);
		assert_string_equal(rules.list[i].value, wanted[i].value);
		assert_string_equal(rules.list[i].place, wanted[i].place);
	}
	rules_free(&rules);
}

static void bad_rules_are_told(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "file=/a", "r line 1: [] is no section of rules" },
		{ "[other]\nfile=/a", "r line 2: [other] is no section of rules" },
		{ "[measure]\nfiles=/a", "r line 2: there is no rule 'files'" },
		{ "[measure]\n\x1b[31m=/a", "r line 2: there is no rule '\\x1b[31m'" },
		{ "[measure]\nfile=", "r line 2: file: ''" },
		{ "[measure]\nfile=a", "r line 2: file: 'a'" },
		{ "[measure]\nglob=*", "r line 2: glob: '*'" },
		{ "[measure]\nfile=/a/../b", "r line 2: file: '/a/../b'" },
		{ "[measure]\nverity=/a/", "r line 2: verity: '/a/'" },
		{ "[measure]\nmanifest=/", "r line 2: manifest: '/'" },
		{ "[measure]\nexclude=//a", "r line 2: exclude: '//a'" },
		{ "[measure]\nlist=/\xff", "r line 2: list: '/\\xff'" },
		{ "[measure]\npackage=../bash", "r line 2: package: '../bash' is no package" },
		{ "[measure]\npackage=b", "'b' is no package" },
		{ "[measure]\npackage=Bash", "'Bash' is no package" },
		{ "[measure]\npackage=bash:", "'bash:' is no package" },
		{ "[measure]\npackage=bash:../a", "is no package" },
		{ "[measure]\npackage=ba/sh", "is no package" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rules rules = { 0 };
		struct assay_error err = { 0 };

		assert_int_equal(rules_parse(support_text(rows[i].text), "r", &rules, &err),
				 -EINVAL);
		support_assert_error(&err, rows[i].why);
		rules_free(&rules);
	}
}

static void there_is_a_bound_of_rules(void **state)
{
	struct buffer text = { 0 };
	struct rules rules = { 0 };
	struct assay_error err;

	(void)state;
	buffer_append_bytes(&text, BYTES_LITERAL("[measure]\n"));
	for (size_t i = 0; i < RULES_MAX; i++)
		buffer_append_bytes(&text, BYTES_LITERAL("file=/a\n"));
	assert_int_equal(rules_parse(buffer_bytes(&text), "r", &rules, &err), 0);
	assert_int_equal(rules_parse(BYTES_LITERAL("[measure]\nfile=/a\n"), "s", &rules, &err),
			 -E2BIG);
	support_assert_error(&err, "s line 2: there are more than");
	rules_free(&rules);
	buffer_free(&text);
}

static void a_directory_of_rules_is_read_by_name(void **state)
{
	struct rules rules = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(rules_load("measure.d", &rules, &err), 0);
	assert_int_equal(rules.count, 0);
	assert_int_equal(mkdir("measure.d", 0755), 0);
	support_write("measure.d/20.conf", support_text("[measure]\nfile=/c\n"));
	support_write("measure.d/10.conf", support_text("[measure]\nfile=/a\nfile=/b\n"));
	support_write("measure.d/.30.conf", support_text("[measure]\nfile=/d\n"));
	support_write("measure.d/40.conf~", support_text("[measure]\nfile=/d\n"));
	if (rules_load("measure.d", &rules, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rules.count, 3);
	assert_string_equal(rules.list[0].value, "/a");
	assert_string_equal(rules.list[2].value, "/c");
	assert_string_equal(rules.list[2].place, "measure.d/20.conf line 2");
	rules_free(&rules);
	support_write("measure.d/30.conf", support_text("off\n"));
	assert_int_equal(rules_load("measure.d", &rules, &err), -EBADMSG);
	support_assert_error(&err, "measure.d/30.conf line 1");
	rules_free(&rules);
}

static void paths_are_of_a_form_or_not(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} rows[] = {
		{ "/a/b", "/a/b", true },
		{ "/a/b", "/a/bc", false },
		{ "/a", "/a/b", false },
		{ "/a/*", "/a/b", true },
		{ "/a/*", "/a/.b", true },
		{ "/a/*", "/a/b/c", false },
		{ "/*/b", "/a/b", true },
		{ "/a/[b-d]?", "/a/cx", true },
		{ "/a/[b-d]?", "/a/ex", false },
		{ "/**", "/a/b/c", true },
		{ "/a/**", "/a/b/c", true },
		{ "/a/**", "/a", true },
		{ "/a/**", "/ab/c", false },
		{ "/a/**/c", "/a/c", true },
		{ "/a/**/c", "/a/b/b/c", true },
		{ "/a/**/c", "/a/b/cc", false },
		{ "/**/b/**/d", "/a/b/c/d", true },
		{ "/**/b/**/d", "/b/d", true },
		{ "/**/b/**/d", "/a/d/b", false },
		{ "/**/*.so", "/lib/x.so", true },
		{ "/**/*.so", "/lib/x.so.1", false },
		{ "/a**", "/a/b", false },
		{ "/a**", "/ab", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rules_path_matches(rows[i].pattern, rows[i].path) != rows[i].matches)
			fail_msg("%s and %s", rows[i].pattern, rows[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_read_with_their_lines),
		cmocka_unit_test(settings_that_are_off_are_told),
		cmocka_unit_test(the_longest_line_is_read_whole),
		cmocka_unit_test(rules_are_taken_in_their_order),
		cmocka_unit_test(bad_rules_are_told),
		cmocka_unit_test(there_is_a_bound_of_rules),
		cmocka_unit_test(a_directory_of_rules_is_read_by_name),
		cmocka_unit_test(paths_are_of_a_form_or_not),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
