// SPDX-License-Identifier: MIT
/* What a service without a manager's filter cannot do any more, and what it still can. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assayd/sandbox.h"
#include "support.h"

/* In a child, as there is no way back. Bit n of its exit status: check n did not hold. */
static int in_child(int (*checks)(void))
{
	struct assay_error err;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(sandbox_enter(&err) < 0 ? 128 : checks());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int is_denied(long r)
{
	return r == -1 && errno == EPERM ? 0 : 1;
}

static int denied(void)
{
	return is_denied(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) |
	       is_denied(unshare(CLONE_NEWUSER)) << 1 |
	       is_denied(mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL)) << 2 |
	       is_denied(syscall(SYS_bpf, 0, NULL, 0)) << 3 |
	       is_denied(syscall(SYS_init_module, NULL, 0, "")) << 4 |
	       is_denied((long)mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0))
		       << 5;
}

static void test_what_no_part_needs_is_denied(void **state)
{
	(void)state;
	assert_int_equal(in_child(denied), 0);
}

static int allowed(void)
{
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	return (fd < 0) | (memory == MAP_FAILED) << 1 | (status != 0) << 2;
}

static void test_what_parts_need_is_left(void **state)
{
	(void)state;
	assert_int_equal(in_child(allowed), 0);
}

static int twice(void)
{
	struct assay_error err;

	return sandbox_enter(&err) < 0;
}

static void test_second_filter_is_left_out(void **state)
{
	(void)state;
	assert_int_equal(in_child(twice), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_no_part_needs_is_denied),
		cmocka_unit_test(test_what_parts_need_is_left),
		cmocka_unit_test(test_second_filter_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
