// SPDX-License-Identifier: MIT
/* The command line as tables of options have it: one row of a table is one call. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum kind { KIND_PKCS7, KIND_IMA, KIND_BOTH };

struct values {
	const char *key, *in, *in2, *out, *out2;
	struct option_texts certs, files;
	unsigned int jobs;
	uint64_t handle;
	uint8_t nonce[32];
	size_t nonce_size;
	struct assay_digest digest;
	enum assay_hash hash;
	uint64_t time;
	enum kind kind;
	bool kind_given, json, quiet, force;
	char function[64];
};

/* Takes anything that begins with "f". */
static int take_function(void *place, const char *value, struct assay_error *err)
{
	size_t used = strlen(place);

	if (value[0] != 'f')
		return assay_fail(err, EINVAL, "must begin with f, not '%s'", value);
	snprintf((char *)place + used, 64 - used, "%s", value);
	return 0;
}

static const struct option_row rows[] = {
	{ "key", 'k', "KEY", "the key", OPTION_TEXT(struct values, key), .alias = "old-key" },
	{ "in", 0, "FILE", "a file", OPTION_INPUT(struct values, in) },
	{ "in2", 0, "FILE", "another", OPTION_INPUT(struct values, in2) },
	{ "out", 'o', "FILE", "a result", OPTION_OUTPUT(struct values, out) },
	{ "cert", 0, "FILE", "certificates", OPTION_TEXTS(struct values, certs) },
	OPTION_HEADING("Numbers:"),
	{ "jobs", 'j', "N", "threads", OPTION_NUMBER(struct values, jobs, 1, 64) },
	{ "handle", 0, "HANDLE", "a handle", OPTION_NUMBER(struct values, handle, 0, UINT64_MAX) },
	{ "nonce", 0, "HEX", "bytes", OPTION_HEX(struct values, nonce, nonce_size, 2) },
	{ "digest", 0, "HASH:HEX", "a digest", OPTION_DIGEST(struct values, digest) },
	{ "hash", 0, "sha256|sha512", "a hash", OPTION_HASH(struct values, hash) },
	{ "time", 0, "TIME", "a time", OPTION_TIME(struct values, time) },
	{ "kind", 0, "pkcs7|ima|both", "what to make", OPTION_CHOICE(struct values, kind),
	  OPTION_GIVEN(struct values, kind_given) },
	{ "function", 0, "F", "anything", OPTION_FUNCTION(struct values, function, take_function),
	  .repeatable = true },
	{ "json", 0, NULL, "JSON", OPTION_FLAG(struct values, json), .excludes = "quiet" },
	{ "quiet", 'q', NULL, "nothing", OPTION_FLAG(struct values, quiet) },
	{ "force", 'f', NULL, "all the same", OPTION_FLAG(struct values, force), .needs = "key" },
	OPTION_END,
};

static const struct option_row required_rows[] = {
	{ "key", 'k', "KEY", "the key", OPTION_TEXT(struct values, key), .required = true },
	OPTION_END,
};

#define WORDS_MAX 8

struct result {
	struct values values;
	struct operands operands;
	char *argv[WORDS_MAX + 2];
	bool help;
	struct assay_error err;
	int r;
};

static struct result parse(const struct option_row *table, const char *const words[])
{
	struct result result = { .argv = { (char *)"x" } };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		result.argv[argc] = (char *)words[argc - 1];
	result.r = options_parse(table, argc, result.argv, &result.values, &result.operands,
				 &result.help, &result.err);
	return result;
}

#define PARSE(...) parse(rows, (const char *const[]){ __VA_ARGS__, NULL })

static void test_values(void **state)
{
	struct result result =
		PARSE("--key", "k", "--in=i", "-oresult", "-j", "0x10", "--kind=both");

	(void)state;
	assert_int_equal(result.r, 0);
	assert_string_equal(result.values.key, "k");
	assert_string_equal(result.values.in, "i");
	assert_string_equal(result.values.out, "result");
	assert_int_equal(result.values.jobs, 16);
	assert_int_equal(result.values.kind, KIND_BOTH);
	assert_true(result.values.kind_given);

	result = PARSE("--nonce", "00fF", "--hash", "sha512", "--time=1970-01-01T00:01:00Z",
		       "--handle=18446744073709551615");
	assert_int_equal(result.r, 0);
	assert_int_equal(result.values.nonce_size, 2);
	assert_int_equal(result.values.nonce[1], 0xff);
	assert_int_equal(result.values.hash, ASSAY_HASH_SHA512);
	assert_int_equal(result.values.time, 60);
	assert_true(result.values.handle == UINT64_MAX);
	assert_false(result.values.kind_given);

	result = PARSE("--digest=sha1:0123456789012345678901234567890123456789", "--function", "f1",
		       "--function=f2");
	assert_int_equal(result.r, 0);
	assert_int_equal(result.values.digest.hash, ASSAY_HASH_SHA1);
	assert_int_equal(result.values.digest.size, 20);
	assert_string_equal(result.values.function, "f1f2");
}

/* An empty text is a text: a password can be empty. A value may look like an option. */
static void test_texts(void **state)
{
	struct result result = PARSE("--key=", "--out", "--json");

	(void)state;
	assert_int_equal(result.r, 0);
	assert_string_equal(result.values.key, "");
	assert_string_equal(result.values.out, "--json");
	assert_false(result.values.json);

	result = PARSE("--cert", "a", "--cert=b");
	assert_int_equal(result.r, 0);
	assert_int_equal(result.values.certs.count, 2);
	assert_string_equal(result.values.certs.list[0], "a");
	assert_string_equal(result.values.certs.list[1], "b");
	option_texts_free(&result.values.certs);
	assert_int_equal(result.values.certs.count, 0);
}

static void test_operands(void **state)
{
	struct result result = PARSE("a", "-qk", "k", "b", "-", "--", "-q", "--");

	(void)state;
	assert_int_equal(result.r, 0);
	assert_true(result.values.quiet);
	assert_string_equal(result.values.key, "k");
	assert_int_equal(result.operands.count, 5);
	assert_string_equal(result.operands.list[0], "a");
	assert_string_equal(result.operands.list[1], "b");
	assert_string_equal(result.operands.list[2], "-");
	assert_string_equal(result.operands.list[3], "-q");
	assert_string_equal(result.operands.list[4], "--");
	assert_null(result.operands.list[5]);
}

static void test_letters_and_aliases(void **state)
{
	struct result result = PARSE("-qfkvalue");

	(void)state;
	assert_int_equal(result.r, 0);
	assert_true(result.values.quiet);
	assert_true(result.values.force);
	assert_string_equal(result.values.key, "value");
	result = PARSE("--old-key=value");
	assert_int_equal(result.r, 0);
	assert_string_equal(result.values.key, "value");
}

static void test_refused(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *error;
	} refused[] = {
		/* Names are not abbreviated, whatever is unambiguous. */
		{ { "--qui" }, "unknown option '--qui'" },
		{ { "--old-ke=x" }, "unknown option '--old-ke=x'" },
		{ { "--nonsense" }, "unknown option '--nonsense'" },
		{ { "--=x" }, "unknown option '--=x'" },
		{ { "-x" }, "unknown option '-x'" },
		{ { "-qx" }, "unknown option '-qx'" },
		{ { "--\033[31m" }, "unknown option '--\\x1b[31m'" },
		/* Twice, in whatever form. */
		{ { "--key=a", "--key=a" }, "--key is given twice" },
		{ { "--key=a", "--old-key=a" }, "--key is given twice" },
		{ { "--key=a", "-k", "b" }, "--key is given twice" },
		{ { "--quiet", "-q" }, "--quiet is given twice" },
		{ { "-qq" }, "--quiet is given twice" },
		/* Values. */
		{ { "--key" }, "--key needs a value: KEY" },
		{ { "-qk" }, "-k needs a value: KEY" },
		{ { "--quiet=yes" }, "--quiet takes no value" },
		{ { "--in=" }, "--in must not be empty" },
		{ { "--out", "" }, "--out must not be empty" },
		{ { "--cert", "" }, "--cert must not be empty" },
		{ { "--in=-", "--in2=-" }, "--in and --in2 cannot both read standard input" },
		{ { "--jobs=0" }, "--jobs must be a number from 1 to 64, not '0'" },
		{ { "--jobs=65" }, "from 1 to 64" },
		{ { "--jobs=-1" }, "from 1 to 64" },
		{ { "--jobs=+1" }, "from 1 to 64" },
		{ { "--jobs= 1" }, "from 1 to 64" },
		{ { "--jobs=1x" }, "from 1 to 64" },
		{ { "--jobs=" }, "from 1 to 64" },
		{ { "--jobs=0x" }, "from 1 to 64" },
		{ { "--jobs=18446744073709551617" }, "from 1 to 64" },
		{ { "--handle=18446744073709551616" }, "not '18446744073709551616'" },
		{ { "--nonce=00" }, "--nonce must be 2 to 32 bytes in hexadecimal, not '00'" },
		{ { "--nonce=000" }, "2 to 32 bytes" },
		{ { "--nonce=0x00" }, "2 to 32 bytes" },
		{ { "--nonce=000000000000000000000000000000000000000000000000000000000000000000" },
		  "2 to 32 bytes" },
		{ { "--digest=sha256:00" }, "--digest must be a digest such as sha256:HEX" },
		{ { "--digest=md5:00" }, "--digest must be a digest" },
		{ { "--digest=00" }, "--digest must be a digest" },
		{ { "--hash=sha1" }, "--hash must be one of sha256, sha512, not 'sha1'" },
		{ { "--hash=sha" }, "--hash must be one of" },
		{ { "--hash=" }, "--hash must be one of" },
		{ { "--hash=sha256|sha512" }, "--hash must be one of" },
		{ { "--time=yesterday" }, "--time must be a time such as 2026-01-31T23:59:59Z" },
		{ { "--kind=none" }, "--kind must be one of pkcs7, ima, both, not 'none'" },
		{ { "--function=x" }, "--function: must begin with f, not 'x'" },
		{ { "--kind=\n" }, "not '\\x0a'" },
		/* Together. */
		{ { "--json", "-q" }, "--json and --quiet exclude each other" },
		{ { "--force" }, "--force needs --key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct result result = parse(rows, refused[i].words);

		option_texts_free(&result.values.certs);
		if (result.r != -EINVAL || !strstr(result.err.text, refused[i].error))
			fail_msg("row %zu: %s", i, result.err.text);
	}
}

static void test_required(void **state)
{
	struct result result = parse(required_rows, (const char *const[]){ "operand", NULL });

	(void)state;
	assert_int_equal(result.r, -EINVAL);
	assert_string_equal(result.err.text, "--key KEY is needed");
	result = parse(NULL, (const char *const[]){ "operand", NULL });
	assert_int_equal(result.r, 0);
	assert_int_equal(result.operands.count, 1);
}

/* Help is given even where what is required is missing, and ends the reading. */
static void test_help(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	(void)state;
	assert_true(PARSE("-qh", "--nonsense").help);
	assert_true(parse(required_rows, (const char *const[]){ "--help", NULL }).help);
	assert_true(parse(NULL, (const char *const[]){ "-h", NULL }).help);

	out = open_memstream(&text, &size);
	options_print_help(rows, out);
	fclose(out);
	assert_non_null(strstr(text, "Options:\n  -k, --key KEY             the key\n"));
	assert_non_null(strstr(text, "\n\nNumbers:\n  -j, --jobs N              threads\n"));
	assert_non_null(strstr(text, "\n      --hash sha256|sha512  a hash\n"));
	assert_non_null(
		strstr(text, "\n      --kind pkcs7|ima|both\n                            w"));
	assert_non_null(strstr(text, "\n  -h, --help                print this help\n"));
	assert_null(strstr(text, "old-key"));
	free(text);
}

/* More rows than can be counted are no way to give an option twice. */
static void test_too_many_rows(void **state)
{
	struct option_row many[66] = { 0 };
	struct result result;

	(void)state;
	for (size_t i = 0; i < 65; i++)
		many[i] = rows[0];
	result = parse(many, (const char *const[]){ "-k", "x", NULL });
	assert_int_equal(result.r, -EINVAL);
	support_assert_error(&result.err, "more than 64 options");
}

static const struct option_row output_rows[] = {
	{ "key", 0, "KEY", "a text", OPTION_TEXT(struct values, key) },
	{ "in", 0, "FILE", "a file", OPTION_INPUT(struct values, in) },
	{ "old", 0, "FILE", "another", OPTION_INPUT(struct values, in2) },
	{ "files", 0, "FILE", "more", OPTION_INPUTS(struct values, files) },
	OPTION_HEADING("Results:"),
	{ "out", 0, "FILE", "a result", OPTION_OUTPUT(struct values, out), .replaces = "old",
	  .beside = ".sig" },
	{ "out2", 0, "FILE", "another", OPTION_OUTPUT(struct values, out2) },
	{ "json", 0, NULL, "JSON", OPTION_FLAG(struct values, json) },
	OPTION_END,
};

/* Files that exist or not, by several paths. */
static void test_outputs(void **state)
{
	static const struct {
		const char *words[WORDS_MAX + 1], *error;
	} cases[] = {
		{ { "--in=a", "--out=b", "--out2=c", "--files=d" }, NULL },
		{ { "--key=a", "--out=a" }, NULL },
		{ { "--old=a", "--out=./a" }, NULL },
		{ { "--in=-", "--out=-" }, NULL },
		{ { "--out=-" }, NULL },
		{ { "--json", "--out=a" }, NULL },
		{ { "--out=/dev/null", "--out2=/dev/null", "--in=/dev/null" }, NULL },
		{ { "--out=none/a", "--out2=none/a" }, NULL }, /* can be written by neither */
		{ { "--in=a", "--out=a" }, "--out would write over a, the file of --in" },
		{ { "--in=a", "--out=./a" }, "--out would write over a, the file of --in" },
		{ { "--in=/proc/self/exe", "--out=/proc/self/../self/exe" },
		  "--out would write over /proc/self/exe" },
		{ { "--in=a.sig", "--out=a" }, "--out would write over a.sig" },
		{ { "--old=a", "--out2=a" }, "--out2 would write over a, the file of --old" },
		{ { "--files=b", "--files=a", "--out2=a" }, "--out2 would write over a" },
		{ { "--out=a", "--out2=a" }, "--out would write over a, the file of --out2" },
		{ { "--out=-", "--out2=-" }, "cannot both go to standard output" },
		{ { "--out=-", "--json" }, "--out and --json cannot both go" },
		{ { "--out2=a", "a" }, "--out2 would write over a, which is to be read" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result result = parse(output_rows, cases[i].words);
		bool given = result.values.out && strcmp(result.values.out, "-") == 0;
		int r;

		assert_int_equal(result.r, 0);
		r = options_check_outputs(output_rows, &result.values, result.operands.list,
					  &result.err);
		assert_int_equal(r, cases[i].error ? -EINVAL : 0);
		if (cases[i].error)
			assert_non_null(strstr(result.err.text, cases[i].error));
		assert_int_equal(options_use_standard_output(output_rows, &result.values), given);
		option_texts_free(&result.values.files);
	}
	assert_int_equal(options_check_outputs(NULL, NULL, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	 cmocka_unit_test(test_texts),
		cmocka_unit_test(test_operands), cmocka_unit_test(test_letters_and_aliases),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_required),
		cmocka_unit_test(test_help),	 cmocka_unit_test(test_too_many_rows),
		cmocka_unit_test(test_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
