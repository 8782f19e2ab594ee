// SPDX-License-Identifier: MIT
/* What was measured in this boot, and what came of measuring by rules. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/known.h"
#include "measure/outcome.h"

#define DIGEST(digit) \
	"sha256:" digit "000000000000000000000000000000000000000000000000000000000000000"

static void files_are_known_by_their_paths(void **state)
{
	struct known *known;
	struct assay_error err;
	char path[32];

	(void)state;
	assert_int_equal(known_new(&known, &err), 0);
	assert_null(known_find(known, "/a"));
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/usr/bin/%d", i);
		assert_int_equal(known_add(known, path, i % 2 ? DIGEST("1") : DIGEST("2"), &err),
				 0);
	}
	assert_int_equal(known_count(known), 5000);
	assert_string_equal(known_find(known, "/usr/bin/4999"), DIGEST("1"));
	assert_string_equal(known_find(known, "/usr/bin/0"), DIGEST("2"));
	assert_null(known_find(known, "/usr/bin/5000"));
	assert_int_equal(known_add(known, "/usr/bin/0", DIGEST("3"), &err), 0);
	assert_int_equal(known_count(known), 5000);
	assert_string_equal(known_find(known, "/usr/bin/0"), DIGEST("3"));
	known_clear(known);
	assert_int_equal(known_count(known), 0);
	assert_null(known_find(known, "/usr/bin/0"));
	known_free(known);
	known_free(NULL);
}

static void the_file_is_read_as_it_was_written(void **state)
{
	struct buffer out = { 0 };
	struct known *known;
	struct assay_error err;

	(void)state;
	known_begin_file("aa", &out);
	known_append_file("/a b", DIGEST("1"), &out);
	known_append_file("/new\nline", DIGEST("1"), &out);
	known_append_file("/c", DIGEST("2"), &out);
	assert_int_equal(known_new(&known, &err), 0);

	assert_int_equal(known_parse(known, buffer_bytes(&out), "bb", &err), 0);
	assert_int_equal(known_count(known), 0); /* another log */
	assert_int_equal(known_parse(known, buffer_bytes(&out), "-", &err), 0);
	assert_int_equal(known_count(known), 0); /* no log that could be told from another */
	out.size -= 1;
	assert_int_equal(known_parse(known, buffer_bytes(&out), "aa", &err), 0);
	assert_int_equal(known_count(known), 1); /* the last line is cut off */
	assert_string_equal(known_find(known, "/a b"), DIGEST("1"));
	out.size += 1;
	assert_int_equal(known_parse(known, buffer_bytes(&out), "aa", &err), 0);
	assert_int_equal(known_count(known), 2);
	assert_string_equal(known_find(known, "/c"), DIGEST("2"));
	known_free(known);
	buffer_free(&out);
}

static void files_of_another_form_are_refused(void **state)
{
	static const char *const rows[] = {
		"something\n",
		"assay measured a\nsha256:12 /a\n",
		"assay measured a\n" DIGEST("1") "\n",
		"assay measured a\n" DIGEST("1") " a\n",
		"assay measured a\nmd5:00 /a\n",
		"assay measured a\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct assay_error err = { 0 };
		struct known *known;

		assert_int_equal(known_new(&known, &err), 0);
		assert_int_equal(known_parse(known, support_text(rows[i]), "a", &err), -EBADMSG);
		assert_int_equal(known_count(known), 0);
		known_free(known);
	}
}

static void an_outcome_is_of_the_worst_kind(void **state)
{
	struct outcome outcome = { 0 };
	char text[OUTCOME_SENTENCE_MAX];

	(void)state;
	outcome.file_count = 2;
	outcome.counts = (struct measure_counts){ .measured = 2, .records = 1, .last_record = 7 };
	outcome.milliseconds = 5;
	assert_int_equal(outcome_kind(&outcome), OUTCOME_MEASURED);
	assert_string_equal(outcome_sentence(&outcome, text),
			    "2 of 2 files measured, with 1 extend of the PCR, in 5 ms");
	outcome.counts.failed = 1;
	assert_int_equal(outcome_kind(&outcome), OUTCOME_INCOMPLETE);
	outcome.failure_count = 1;
	assert_int_equal(outcome_kind(&outcome), OUTCOME_FAILED);
	outcome.failure_count = 0;
	assay_fail(&outcome.error, ENODEV, "no TPM");
	assert_int_equal(outcome_kind(&outcome), OUTCOME_FAILED);
	assert_non_null(strstr(outcome_sentence(&outcome, text), "no TPM; 2 of 2"));
	outcome_free(&outcome);
}

static void an_outcome_names_so_many_files_and_counts_the_rest(void **state)
{
	struct outcome outcome = { 0 };
	json_t *object = json_object(), *files;

	(void)state;
	for (int i = 0; i < OUTCOME_FILES_MAX + 5; i++)
		outcome_take_file(&outcome, "/a\x1b", ENOENT);
	outcome.counts.failed = OUTCOME_FILES_MAX + 5;
	assert_true(outcome_tell(&outcome, object));
	files = json_object_get(object, "files");
	assert_int_equal(json_array_size(files), OUTCOME_FILES_MAX);
	assert_string_equal(json_string_value(json_object_get(json_array_get(files, 0), "path")),
			    "/a\\x1b");
	assert_int_equal(json_integer_value(json_object_get(object, "failed_count")),
			 OUTCOME_FILES_MAX + 5);
	assert_string_equal(json_string_value(json_object_get(object, "outcome")), "incomplete");
	assert_null(json_object_get(object, "recnum"));
	json_decref(object);
	outcome_free(&outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_known_by_their_paths),
		cmocka_unit_test(the_file_is_read_as_it_was_written),
		cmocka_unit_test(files_of_another_form_are_refused),
		cmocka_unit_test(an_outcome_is_of_the_worst_kind),
		cmocka_unit_test(an_outcome_names_so_many_files_and_counts_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
