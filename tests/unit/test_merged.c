// SPDX-License-Identifier: MIT
/* userspace/contents: the root that archives make, and what hostile ones try with it. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contents/merged.h"

static struct assay_error err;

static int put_file(struct merged *merged, const char *path, uint64_t size)
{
	const struct merged_file file = { .size = size };

	return merged_put_file(merged, path, &file, &err);
}

static int note(void *context, const char *path, const struct merged_file *file,
		struct assay_error *why)
{
	struct buffer *out = context;
	char text[5000];

	(void)why;
	snprintf(text, sizeof(text), "%s=%llu ", path, (unsigned long long)file->size);
	buffer_append(out, text, strlen(text));
	return 0;
}

/* All files, each as "PATH=SIZE ". */
static void assert_files(struct merged *merged, const char *wanted)
{
	struct buffer out = { 0 };

	assert_int_equal(merged_walk(merged, note, &out, &err), 0);
	buffer_append_u8(&out, 0);
	assert_string_equal((const char *)out.data, wanted);
	buffer_free(&out);
}

static void files_come_sorted(void **state)
{
	struct merged *merged = merged_new();

	(void)state;
	assert_files(merged, "");
	assert_int_equal(put_file(merged, "./usr/b", 1), 0);
	assert_int_equal(put_file(merged, "/usr/b-c", 2), 0);
	assert_int_equal(put_file(merged, "usr//./a/x", 3), 0);
	assert_int_equal(put_file(merged, "usr/a-b", 4), 0);
	assert_files(merged, "/usr/a-b=4 /usr/a/x=3 /usr/b=1 /usr/b-c=2 ");
	assert_int_equal(merged_find(merged, "usr/a/x")->size, 3);
	assert_null(merged_find(merged, "usr/a"));
	assert_null(merged_find(merged, "usr/a/x/y"));
	/* The newer takes the place of the older, whatever that was. */
	assert_int_equal(put_file(merged, "usr/a", 5), 0);
	assert_int_equal(put_file(merged, "usr/b/inner", 6), 0);
	assert_int_equal(merged_put_directory(merged, "./usr/", &err), 0);
	assert_int_equal(merged_put_directory(merged, ".", &err), 0);
	assert_int_equal(merged_put_other(merged, "usr/b-c", &err), 0);
	assert_files(merged, "/usr/a=5 /usr/a-b=4 /usr/b/inner=6 ");
	merged_free(merged);
	merged_free(NULL);
}

static void links_lead_where_they_would(void **state)
{
	struct merged *merged = merged_new();

	(void)state;
	assert_int_equal(merged_put_directory(merged, "usr/lib", &err), 0);
	assert_int_equal(merged_put_link(merged, "lib", "usr/lib", &err), 0);
	assert_int_equal(put_file(merged, "lib/x", 1), 0);
	assert_int_equal(merged_put_directory(merged, "lib", &err), 0);
	assert_int_equal(put_file(merged, "lib/y", 2), 0);
	assert_int_equal(merged_put_link(merged, "usr/share/up", "../../../../../lib/..", &err), 0);
	assert_int_equal(put_file(merged, "usr/share/up/z", 3), 0);
	assert_int_equal(merged_put_link(merged, "abs", "/usr/share", &err), 0);
	assert_int_equal(put_file(merged, "abs/w", 4), 0);
	assert_int_equal(merged_put_hard_link(merged, "abs/v", "lib/x", &err), 0);
	/* A file in the place of a link does not go through it. */
	assert_int_equal(merged_put_link(merged, "file", "usr/lib/x", &err), 0);
	assert_int_equal(put_file(merged, "file", 9), 0);
	assert_files(merged,
		     "/file=9 /usr/lib/x=1 /usr/lib/y=2 /usr/share/v=1 /usr/share/w=4 /usr/z=3 ");
	merged_free(merged);
}

static void what_is_removed_is_gone(void **state)
{
	struct merged *merged = merged_new();

	(void)state;
	assert_int_equal(put_file(merged, "a/b/c", 1), 0);
	assert_int_equal(put_file(merged, "a/b/d", 2), 0);
	assert_int_equal(put_file(merged, "a/e", 3), 0);
	assert_int_equal(merged_remove(merged, "a/b/c", &err), 0);
	assert_int_equal(merged_remove(merged, "a/no/such", &err), 0);
	assert_int_equal(merged_remove(merged, "a/b/c", &err), 0);
	assert_files(merged, "/a/b/d=2 /a/e=3 ");
	assert_int_equal(merged_empty(merged, "a", &err), 0);
	assert_int_equal(merged_empty(merged, "nothing", &err), 0);
	assert_files(merged, "");
	assert_int_equal(put_file(merged, "a/f", 4), 0);
	assert_int_equal(merged_remove(merged, "a", &err), 0);
	assert_files(merged, "");
	merged_free(merged);
}

static void hostile_paths_are_refused(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{ "../x", "has \"..\" in it" },
		{ "a/../x", "has \"..\" in it" },
		{ "/..", "has \"..\" in it" },
		{ "a/..", "has \"..\" in it" },
		{ "", "is the root" },
		{ ".", "is the root" },
		{ "/", "is the root" },
		{ "loop/x", "leads through too many links" },
		{ "loop2/x", "leads through too many links" },
	};
	struct merged *merged = merged_new();
	char path[5000];

	(void)state;
	assert_int_equal(merged_put_link(merged, "loop", "loop", &err), 0);
	assert_int_equal(merged_put_link(merged, "loop2", "loop3/../loop3", &err), 0);
	assert_int_equal(merged_put_link(merged, "loop3", "/loop2", &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct assay_error){ 0 };
		if (put_file(merged, rows[i].path, 1) != -EBADMSG)
			fail_msg("row %zu was taken", i);
		support_assert_error(&err, rows[i].why);
	}
	memset(path, 'a', sizeof(path));
	path[256] = '\0';
	assert_int_equal(put_file(merged, path, 1), -EBADMSG);
	support_assert_error(&err, "a name that is too long");
	for (size_t i = 1; i < sizeof(path); i += 2)
		path[i] = '/';
	path[256] = 'a';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(put_file(merged, path, 1), -EBADMSG);
	support_assert_error(&err, "is longer than 4095 bytes");
	assert_int_equal(merged_put_link(merged, "l", "", &err), -EBADMSG);
	assert_int_equal(merged_put_link(merged, "l", path, &err), -EBADMSG);
	assert_int_equal(merged_put_hard_link(merged, "h", "nothing", &err), -EBADMSG);
	support_assert_error(&err, "a hard link to what is not there");
	assert_files(merged, "");
	merged_free(merged);
}

/* Links to ever deeper places make no directories that are too deep to go through. */
static void depth_is_bounded(void **state)
{
	struct merged *merged = merged_new();
	char deep[2001], path[16];
	int r = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(deep) - 1; i += 2)
		memcpy(deep + i, "d/", 2);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(merged_put_link(merged, "l0", deep, &err), 0);
	for (int i = 1; i < 100 && r == 0; i++) {
		char target[2100];

		snprintf(target, sizeof(target), "l%d/%s", i - 1, deep);
		snprintf(path, sizeof(path), "l%d", i);
		r = merged_put_link(merged, path, target, &err);
		if (r == 0) {
			snprintf(path, sizeof(path), "l%d/x", i);
			r = put_file(merged, path, 1);
		}
	}
	assert_int_equal(r, -EBADMSG);
	merged_free(merged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_sorted),
		cmocka_unit_test(links_lead_where_they_would),
		cmocka_unit_test(what_is_removed_is_gone),
		cmocka_unit_test(hostile_paths_are_refused),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
