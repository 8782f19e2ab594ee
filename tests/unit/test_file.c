// SPDX-License-Identifier: MIT
/* lib/base: files come whole or not at all, also where the disk is full. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
	support_assert_error(&err, "cannot write taken: it is a directory");
	assert_directory_holds("taken ");
	assert_int_equal(support_run("rm -r taken"), 0);
}

/* Evidence and reports are for those whom the umask lets read them. */
static void a_new_file_has_the_mode_less_the_umask(void **state)
{
	static const struct {
		mode_t umask, mode, expected;
	} rows[] = {
		{ 0077, 0666, 0600 }, { 0022, 0666, 0644 }, { 0027, 0644, 0640 },
		{ 0000, 0644, 0644 }, { 0077, 0600, 0600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mode_t before = umask(rows[i].umask);
		struct stat st;
		int r = file_write("out", BYTES_LITERAL("x"), rows[i].mode, NULL);

		umask(before);
		assert_int_equal(r, 0);
		assert_int_equal(stat("out", &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i].expected);
	}
	/* Also where a file that everyone may write to is replaced. */
	assert_int_equal(chmod("out", 0666), 0);
	assert_int_equal(file_write("out", BYTES_LITERAL("x"), 0644, NULL), 0);
	assert_int_equal(support_run("test $(stat -c %%a out) = 644"), 0);
	unlink("out");
}

/* A second open would wait for a second writer, and what the first one wrote is gone. */
static void a_fifo_is_opened_once(void **state)
{
	struct file_view view;
	struct assay_error err;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(system("{ printf text >fifo; } &"), 0);
	alarm(10);
	assert_int_equal(file_map("fifo", 10, &view, &err), 0);
	alarm(0);
	assert_int_equal(view.bytes.size, 4);
	assert_memory_equal(view.bytes.data, "text", 4);
	file_unmap(&view);
	unlink("fifo");
}

/* It would be gone for everybody: `-o /dev/null` as root. */
static void what_is_no_regular_file_is_written_in_place(void **state)
{
	struct stat before, after;
	struct file_writer writer;
	char text[8] = "";
	int fd;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("fifo", "link"), 0);
	assert_int_equal(stat("fifo", &before), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	assert_int_equal(file_write("fifo", BYTES_LITERAL("one"), 0644, NULL), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_int_equal(file_write("link", BYTES_LITERAL("two"), 0644, NULL), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_memory_equal(text, "two", 3);
	/* An abort removes nothing, nor does taking back what was committed. */
	assert_int_equal(file_begin(&writer, "fifo", 0644, NULL), 0);
	assert_null(writer.target);
	file_abort(&writer);
	file_discard("fifo");
	close(fd);
	assert_int_equal(stat("fifo", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_directory_holds("fifo link ");
	assert_int_equal(support_run("rm fifo link"), 0);
}

/* A null device of the test's own. */
static void a_device_stays_a_device(void **state)
{
	struct stat st;

	(void)state;
	if (mknod("null", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
	    support_run("echo x 2>/dev/null >null") != 0) {
		unlink("null");
		skip();
	}
	assert_int_equal(file_write("null", BYTES_LITERAL("x"), 0644, NULL), 0);
	assert_int_equal(lstat("null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_directory_holds("null ");
	unlink("null");
}

static void a_link_stays_and_its_file_is_replaced(void **state)
{
	char *target = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("d", 0755), 0);
	support_write("d/file", BYTES_LITERAL("old"));
	assert_int_equal(symlink("d/file", "one"), 0);
	assert_int_equal(symlink("../one", "d/two"), 0);
	assert_int_equal(file_write("d/two", BYTES_LITERAL("new"), 0644, NULL), 0);
	assert_file_is("d/file", "new");
	assert_int_equal(lstat("one", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat("d/two", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_resolve("d/two", &target, NULL), 0);
	assert_int_equal(stat(target, &st), 0);
	free(target);
	/* A link to what is not there yet makes it. */
	assert_int_equal(unlink("d/file"), 0);
	assert_int_equal(file_write("one", BYTES_LITERAL("newer"), 0644, NULL), 0);
	assert_file_is("d/file", "newer");
	file_discard("one");
	assert_int_equal(access("d/file", F_OK), -1);
	assert_int_equal(support_run("rm -r d one"), 0);
}

static void links_without_an_end_are_told(void **state)
{
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(symlink("b", "a"), 0);
	assert_int_equal(symlink("a", "b"), 0);
	assert_int_equal(file_write("a", BYTES_LITERAL("x"), 0644, &err), -ELOOP);
	support_assert_error(&err, "cannot write a: Too many levels");
	assert_int_equal(support_run("rm a b"), 0);
}

/* In /tmp anybody can put a link to what only we may write to. */
static void what_another_user_planted_is_refused(void **state)
{
	struct assay_error err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir("tmp", 0755), 0);
	assert_int_equal(chmod("tmp", 01777), 0);
	support_write("precious", BYTES_LITERAL("old"));
	assert_int_equal(symlink("../precious", "tmp/link"), 0);
	assert_int_equal(mkfifo("tmp/fifo", 0666), 0);
	assert_int_equal(file_write("tmp/link", BYTES_LITERAL("mine"), 0644, &err), 0);
	assert_int_equal(lchown("tmp/link", 4711, 4711), 0);
	assert_int_equal(lchown("tmp/fifo", 4711, 4711), 0);
	assert_int_equal(file_write("tmp/link", BYTES_LITERAL("theirs"), 0644, &err), -EACCES);
	support_assert_error(&err, "tmp/link is another user's symbolic link");
	assert_int_equal(file_write("tmp/fifo", BYTES_LITERAL("theirs"), 0644, &err), -EACCES);
	support_assert_error(&err, "another user's FIFO");
	assert_file_is("precious", "mine");
	assert_int_equal(support_run("rm -r tmp precious"), 0);
}

/* What the program printed before stands before it, and what the file held stays. */
static void standard_output_is_appended_to(void **state)
{
	static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" };
	int saved = dup(STDOUT_FILENO), fd;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct assay_error err = { 0 };
		int r;

		fflush(stdout);
		support_write("out", BYTES_LITERAL("0"));
		fd = open("out", O_WRONLY | O_APPEND);
		assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
		close(fd);
		fputs("1", stdout);
		r = file_write(names[i], BYTES_LITERAL("2"), 0644, &err);
		fputs("3", stdout);
		fflush(stdout);
		assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
		assert_int_equal(r, 0);
		assert_file_is("out", "0123");
	}
	close(saved);
	assert_directory_holds("out ");
	unlink("out");
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
		cmocka_unit_test(a_new_file_has_the_mode_less_the_umask),
		cmocka_unit_test(a_fifo_is_opened_once),
		cmocka_unit_test(what_is_no_regular_file_is_written_in_place),
		cmocka_unit_test(a_device_stays_a_device),
		cmocka_unit_test(a_link_stays_and_its_file_is_replaced),
		cmocka_unit_test(links_without_an_end_are_told),
		cmocka_unit_test(what_another_user_planted_is_refused),
		cmocka_unit_test(standard_output_is_appended_to),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
