// SPDX-License-Identifier: MIT
/* lib/base: files come whole or not at all, also where the disk is full. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* What lies in the present directory, in one line. */
static void assert_directory_holds(const char *expected)
{
	char *names = support_output("ls -A | tr '\\n' ' '");

	assert_string_equal(names, expected);
	free(names);
}

static void assert_file_is(const char *path, const char *text)
{
	struct buffer out = support_read(path);

	assert_true(bytes_equal(buffer_bytes(&out), BYTES((const uint8_t *)text, strlen(text))));
	buffer_free(&out);
}

static void reading_stops_at_the_limit(void **state)
{
	struct assay_error err = { 0 };
	struct buffer out = { 0 };

	(void)state;
	support_write("ten", BYTES_LITERAL("0123456789"));
	assert_int_equal(file_read("ten", 10, &out, &err), 0);
	assert_int_equal(out.size, 10);
	assert_int_equal(file_read("ten", 10, &out, &err), 0);
	assert_int_equal(out.size, 20);
	assert_int_equal(file_read("ten", 9, &out, &err), -EFBIG);
	support_assert_error(&err, "ten is larger");
	buffer_free(&out);
	assert_int_equal(file_read("/dev/zero", 100000, &out, &err), -EFBIG);
	buffer_free(&out);
	assert_int_equal(file_read("/nonexistent", 10, &out, &err), -ENOENT);
	support_assert_error(&err, "/nonexistent");
	assert_int_equal(file_read(".", 10, &out, &err), -EISDIR);
	buffer_free(&out);
	unlink("ten");
}

/* What can be mapped is, and what cannot is read: the bytes are the same. */
static void a_view_shows_the_file(void **state)
{
	struct assay_error err = { 0 };
	struct file_view view = { 0 };

	(void)state;
	support_write("ten", BYTES_LITERAL("0123456789"));
	assert_int_equal(file_map("ten", 10, &view, &err), 0);
	assert_non_null(view.mapping);
	assert_true(bytes_equal(view.bytes, BYTES_LITERAL("0123456789")));
	file_unmap(&view);
	assert_null(view.bytes.data);
	assert_int_equal(file_map("ten", 9, &view, &err), -EFBIG);
	support_assert_error(&err, "ten is larger than the 9 bytes");

	/* Files of the kernel's have no size before they are read. */
	assert_int_equal(file_map("/proc/self/status", 1 << 20, &view, &err), 0);
	assert_null(view.mapping);
	assert_true(view.bytes.size > 0);
	file_unmap(&view);
	support_write("ten", BYTES_LITERAL(""));
	assert_int_equal(file_map("ten", 10, &view, &err), 0);
	assert_int_equal(view.bytes.size, 0);
	file_unmap(&view);
	assert_int_equal(unlink("ten"), 0);
	assert_int_equal(file_map("ten", 10, &view, &err), -ENOENT);
	support_assert_error(&err, "cannot open ten");
	assert_int_equal(file_map(".", 10, &view, &err), -EISDIR);
}

static void a_commit_replaces_the_file_with_its_mode(void **state)
{
	struct file_writer writer;
	struct stat st;

	(void)state;
	support_write("out", BYTES_LITERAL("old"));
	assert_int_equal(file_begin(&writer, "out", 0600, NULL), 0);
	fputs("new", writer.stream);
	assert_file_is("out", "old");
	assert_int_equal(file_commit(&writer, NULL), 0);
	file_abort(&writer);
	assert_file_is("out", "new");
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_directory_holds("out ");
	unlink("out");
}

static void an_abort_leaves_the_file_and_nothing_else(void **state)
{
	struct file_writer writer;

	(void)state;
	support_write("out", BYTES_LITERAL("old"));
	assert_int_equal(file_begin(&writer, "out", 0600, NULL), 0);
	fputs("new", writer.stream);
	file_abort(&writer);
	file_abort(&writer);
	assert_file_is("out", "old");
	assert_directory_holds("out ");
	unlink("out");
}

static void a_file_without_room_is_not_put_in_place(void **state)
{
	const struct rlimit small = { 4096, RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	static const uint8_t data[65536] = { 1 };
	struct assay_error err = { 0 };
	int r;

	(void)state;
	support_write("out", BYTES_LITERAL("old"));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = file_write("out", BYTES(data, sizeof(data)), 0644, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(r, -EFBIG);
	support_assert_error(&err, "cannot write out");
	assert_file_is("out", "old");
	assert_directory_holds("out ");
	unlink("out");
}

static void a_place_that_is_not_there_is_named(void **state)
{
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(file_write("no/such/place", BYTES_LITERAL("x"), 0644, &err), -ENOENT);
	support_assert_error(&err, "no/such/place");
	assert_int_equal(mkdir("taken", 0755), 0);
	support_write("taken/x", BYTES_LITERAL("x"));
	assert_true(file_write("taken", BYTES_LITERAL("x"), 0644, &err) < 0);
	support_assert_error(&err, "cannot write taken");
	assert_directory_holds("taken ");
	assert_int_equal(support_run("rm -r taken"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_stops_at_the_limit),
		cmocka_unit_test(a_view_shows_the_file),
		cmocka_unit_test(a_commit_replaces_the_file_with_its_mode),
		cmocka_unit_test(an_abort_leaves_the_file_and_nothing_else),
		cmocka_unit_test(a_file_without_room_is_not_put_in_place),
		cmocka_unit_test(a_place_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
