// SPDX-License-Identifier: MIT
/* lib/source: what the program says that reads archives, read strictly. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/contents.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEADER                                                                                 \
	"{\"assay\":1,\"type\":\"contents\",\"hash\":\"sha256\",\"block_size\":4096,\"salt\":" \
	"\"\"}\n"
#define FILE_WITH(path, more) \
	"{\"path\":\"" path "\",\"size\":7,\"digest\":\"sha256:" HEX32 "\"" more "}\n"
#define PACKAGE ",\"package\":\"p\",\"version\":\"1\",\"architecture\":\"all\""
#define END(count) "{\"end\":" count ",\"configuration_files\":3}\n"

static const struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;

/* All of it. Return: how many files there were, or what it failed with */
static int read_all(const char *text, struct source_counts *counts, struct assay_error *err)
{
	const struct contents_options options = { .parameters = &parameters };
	struct source_item item;
	struct source *source;
	enum source_kind kind;
	int files = 0;
	int r = source_contents_stream(fmemopen((void *)text, strlen(text), "r"), &options, &source,
				       err);

	if (r < 0)
		return r;
	while ((kind = source_next(source, &item, err)) == SOURCE_FILE) {
		assert_int_equal(item.size, 7);
		assert_int_equal(item.fd, -1);
		free(item.path);
		files++;
	}
	/* After a failure there is nothing more. */
	if (kind == SOURCE_FAILED)
		assert_int_equal(source_next(source, &item, NULL), SOURCE_END);
	*counts = source->counts;
	source_close(source);
	return kind == SOURCE_FAILED ? -err->code : files;
}

static void files_are_read(void **state)
{
	struct source_counts counts = { 0 };
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(read_all(HEADER FILE_WITH("/a", "") FILE_WITH("/b", PACKAGE) END("2"),
				  &counts, &err),
			 2);
	assert_int_equal(counts.configuration, 3);
	assert_int_equal(read_all(HEADER END("0"), &counts, &err), 0);
}

static void bad_lines_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "\n", "line 1" },
		{ "{}\n", "line 1" },
		{ "{\"assay\":1,\"type\":\"manifest\"}\n", "line 1" },
		{ "{\"assay\":1,\"type\":\"contents\",\"hash\":\"sha512\",\"block_size\":4096,"
		  "\"salt\":\"\"}\n",
		  "other parameters" },
		{ "{\"assay\":1,\"type\":\"contents\",\"hash\":\"sha256\",\"block_size\":1,"
		  "\"salt\":\"\"}\n",
		  "line 1" },
		{ HEADER, "line 2: it ended too early" },
		{ HEADER FILE_WITH("/a", ""), "line 3: it ended too early" },
		{ HEADER FILE_WITH("/a", "") END("2"), "files are missing" },
		{ HEADER FILE_WITH("/a", "") FILE_WITH("/a", "") END("2"), "not in order" },
		{ HEADER FILE_WITH("/b", "") FILE_WITH("/a", "") END("2"), "not in order" },
		{ HEADER FILE_WITH("a", "") END("1"), "not absolute" },
		{ HEADER FILE_WITH("/a/../b", "") END("1"), "component" },
		{ HEADER FILE_WITH("/a", ",\"package\":\"p\"") END("1"), "no \"version\"" },
		{ HEADER FILE_WITH("/a", ",\"mode\":1") END("1"), "\"mode\" is not known" },
		{ HEADER "{\"path\":\"/a\",\"size\":-1,\"digest\":\"sha256:" HEX32 "\"}\n",
		  "negative" },
		{ HEADER "{\"path\":\"/a\",\"size\":1,\"digest\":\"sha512:" HEX32 HEX32 "\"}\n",
		  "\"digest\" is not as asked for" },
		{ HEADER "{\"end\":0}\n", "no \"configuration_files\"" },
		{ HEADER "{\"end\":0,\"configuration_files\":0}", "too long, or cut off" },
		{ HEADER "[]\n", "line 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source_counts counts;
		struct assay_error err = { 0 };

		if (read_all(rows[i].text, &counts, &err) >= 0)
			fail_msg("row %zu was taken", i);
		support_assert_error(&err, rows[i].why);
	}
}

static void a_line_without_end_is_refused(void **state)
{
	size_t size = 1 << 20;
	char *text = malloc(size);
	struct source_counts counts;
	struct assay_error err = { 0 };

	(void)state;
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	assert_true(read_all(text, &counts, &err) < 0);
	support_assert_error(&err, "too long, or cut off");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(a_line_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
