// SPDX-License-Identifier: MIT
/* The process that reads foreign archives: what it cannot do any more, and who opens files for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contents/confined.h"
#include "contents/opener.h"
#include "support.h"

/* ---------------------------------------------------------------- what is left */

/* Before it is confined, the child has this file open, beside the socket; as root it may write to
 * it. */
static int other_fd;

/* The exit status of a child that is confined and then tries; 128 more than a signal that ended it.
 */
static int tries(int (*what)(void))
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		struct assay_error err = { 0 };

		other_fd = open("other", O_RDWR | O_CREAT, 0600);
		_exit(other_fd < 0 || confined_enter(ends[1], &err) < 0 ? 99 : what());
	}
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int nothing(void)
{
	void *memory = malloc(1 << 20);

	free(memory);
	return memory ? 0 : 1;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* So many that the C library looks how much memory there is. */
static int sorts(void)
{
	static int numbers[100000];

	for (int i = 0; i < 100000; i++)
		numbers[i] = (i * 7919) % 100000;
	qsort(numbers, 100000, sizeof(numbers[0]), compare);
	return numbers[0] == 0 && numbers[99999] == 99999 ? 0 : 1;
}

static int opens(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EPERM ? 0 : 1;
}

static int opens_here(void)
{
	return openat(AT_FDCWD, "other", O_RDONLY | O_CLOEXEC) < 0 && errno == EPERM ? 0 : 1;
}

static int uses_what_was_open(void)
{
	char byte;

	return read(other_fd, &byte, 1) < 0 && errno == EBADF ? 0 : 1;
}

static int makes_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int runs_a_program(void)
{
	char *const arguments[] = { (char *)"true", NULL };

	return execve("/bin/true", arguments, environ);
}

static int makes_a_process(void)
{
	return fork();
}

static int writes_elsewhere(void)
{
	return (int)write(other_fd, "x", 1);
}

static int makes_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int ends_another(void)
{
	return kill(getppid(), SIGKILL);
}

static int removes_a_file(void)
{
	return unlink("other");
}

static void test_only_reading_is_left(void **state)
{
	static const struct {
		const char *name;
		int (*what)(void);
		int status;
	} rows[] = {
		{ "memory is had", nothing, 0 },
		{ "much is sorted", sorts, 0 },
		{ "a file is not opened", opens, 0 },
		{ "nor one here", opens_here, 0 },
		{ "what was open is closed", uses_what_was_open, 0 },
		{ "a socket", makes_a_socket, 128 + SIGSYS },
		{ "a program", runs_a_program, 128 + SIGSYS },
		{ "a process", makes_a_process, 128 + SIGSYS },
		{ "writing but to the output", writes_elsewhere, 128 + SIGSYS },
		{ "code", makes_code, 128 + SIGSYS },
		{ "a signal", ends_another, 128 + SIGSYS },
		{ "removing", removes_a_file, 128 + SIGSYS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = tries(rows[i].what);

		if (status != rows[i].status)
			fail_msg("%s: %d instead of %d", rows[i].name, status, rows[i].status);
	}
}

/* ---------------------------------------------------------------- who opens files */

struct served {
	int socket;
	pid_t pid;
};

/* One who serves these; its exit status is 0 where opener_serve() returned 0. */
static struct served serve(char *const *files)
{
	struct served served;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	served.pid = fork();
	if (served.pid == 0) {
		struct assay_error err = { 0 };

		close(ends[1]);
		_exit(opener_serve(ends[0], files, &err) == 0 ? 0 : 1);
	}
	close(ends[0]);
	served.socket = ends[1];
	return served;
}

static int ends(const struct served *served)
{
	int status;

	close(served->socket);
	assert_int_equal(waitpid(served->pid, &status, 0), served->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_named_files_are_opened(void **state)
{
	char *const files[] = { (char *)"a", (char *)"layout", (char *)"missing", NULL };
	static const struct {
		unsigned int file;
		const char *path, *text, *why;
	} rows[] = {
		{ 0, "", "of a", NULL },
		{ 1, "index.json", "of index", NULL },
		{ 1, "blobs/x", "of x", NULL },
		{ 2, "", NULL, "cannot open missing: No such file or directory" },
		{ 1, "none", NULL, "cannot open layout, none: No such file or directory" },
		{ 1, "../a", NULL, "cannot open layout, ../a: No such file or directory" },
		{ 1, "/a", NULL, "cannot open layout, /a: No such file or directory" },
		{ 1, "link", NULL, "symbolic link" },
		{ 0, "x", NULL, "Not a directory" },
	};
	struct served served;

	(void)state;
	assert_int_equal(mkdir("layout", 0700), 0);
	assert_int_equal(mkdir("layout/blobs", 0700), 0);
	support_write("a", support_text("of a"));
	support_write("layout/index.json", support_text("of index"));
	support_write("layout/blobs/x", support_text("of x"));
	assert_int_equal(symlink("../a", "layout/link"), 0);
	served = serve(files);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		char text[16] = "";
		int fd = opener_open(served.socket, rows[i].file, rows[i].path, "it", &err);

		if (!rows[i].text) {
			assert_true(fd < 0);
			assert_non_null(strstr(err.text, rows[i].why));
			continue;
		}
		assert_true(fd >= 0);
		assert_int_equal(read(fd, text, sizeof(text)), strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
		assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		close(fd);
	}
	assert_int_equal(ends(&served), 0);
}

static void test_other_questions_end_it(void **state)
{
	char *const files[] = { (char *)"a", NULL };
	static const struct {
		const char *name, *bytes;
		size_t size;
	} rows[] = {
		{ "a number that is not there", "\1\0\0\0", 5 },
		{ "a large one", "\377\377\377\377", 5 },
		{ "no path", "\0\0\0\0", 4 },
		{ "nothing but a byte", "\0", 1 },
		{ "a path without an end", "\0\0\0\0x", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct served served = serve(files);
		char byte;

		assert_int_equal(send(served.socket, rows[i].bytes, rows[i].size, MSG_NOSIGNAL),
				 rows[i].size);
		if (recv(served.socket, &byte, 1, 0) > 0)
			fail_msg("%s is answered", rows[i].name);
		assert_int_equal(ends(&served), 1);
	}
}

static void test_no_answer_is_told(void **state)
{
	char *const files[] = { (char *)"a", NULL };
	struct served served = serve(files);
	struct assay_error err = { 0 };
	char path[600];

	(void)state;
	assert_true(opener_open(served.socket, 1, "", "it", &err) < 0);
	assert_string_equal(err.text, "cannot have it opened: no answer came");
	assert_int_equal(ends(&served), 1);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(opener_open(-1, 0, path, "it", &err), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_reading_is_left),
		cmocka_unit_test(test_named_files_are_opened),
		cmocka_unit_test(test_other_questions_end_it),
		cmocka_unit_test(test_no_answer_is_told),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
