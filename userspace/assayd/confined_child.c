// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "confined_child.h"

#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Exit statuses. */
enum {
	CHILD_SAID = 0,	      /* what came of it is written */
	CHILD_UNCONFINED = 3, /* it could not be confined, and has not run the function */
};

/* The only descriptor that is left. */
#define OUT STDOUT_FILENO

static int limit(int resource, rlim_t most)
{
	struct rlimit value = { most, most };

	return setrlimit(resource, &value);
}

/* What the service has allocated counts as well. */
static int limit_all(const struct confined_limits *limits)
{
	const rlim_t present = 64U << 20;

	/* Sanitizers reserve address space without end. */
#ifndef __SANITIZE_ADDRESS__
	if (limit(RLIMIT_DATA, present + limits->memory) < 0)
		return -1;
#else
	(void)present;
#endif
	return limit(RLIMIT_CPU, limits->milliseconds / 1000 + 1) < 0 ||
			       limit(RLIMIT_NPROC, 0) < 0 || limit(RLIMIT_FSIZE, 0) < 0 ||
			       limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_MEMLOCK, 0) < 0 ||
			       limit(RLIMIT_NOFILE, OUT + 1) < 0 ?
		       -1 :
		       0;
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int r = none ? cap_set_proc(none) : -1;

	if (none)
		cap_free(none);
	return r;
}

/* Memory that is not executable, writing to OUT, ending. */
static int allow_calls(scmp_filter_ctx filter)
{
	static const int free_calls[] = {
		SCMP_SYS(brk),		SCMP_SYS(munmap),	  SCMP_SYS(mremap),
		SCMP_SYS(madvise),	SCMP_SYS(futex),	  SCMP_SYS(exit_group),
		SCMP_SYS(exit),		SCMP_SYS(clock_gettime),  SCMP_SYS(getrandom),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
	};
	const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r = 0;

	for (size_t i = 0; i < sizeof(free_calls) / sizeof(free_calls[0]) && r == 0; i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, free_calls[i], 0, NULL);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
				     SCMP_A0(SCMP_CMP_EQ, OUT));
	return r;
}

static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? allow_calls(filter) : -ENOMEM;

	if (r == 0)
		r = seccomp_load(filter);
	/* Without releasing it: the next call of the child's would be its first. */
	return r;
}

static int confine(int fd, const struct confined_limits *limits)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (dup2(fd, OUT) < 0)
		return -1;
	(void)close(STDIN_FILENO);
	if (close_range(OUT + 1, ~0U, 0) < 0)
		return -1;
	if (limit_all(limits) < 0 || drop_capabilities() < 0)
		return -1;
	return filter_calls();
}

/* All of it, or the end: the pipe blocks, as it was made anew for this child. */
static void write_all(struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t size = write(OUT, bytes.data, bytes.size);
		struct bytes written;

		if (size < 0)
			_exit(CHILD_SAID);
		(void)bytes_take(&bytes, (size_t)size, &written);
	}
}

void confined_child(int fd, confined_function function, struct bytes input,
		    const struct confined_limits *limits)
{
	struct assay_error err = { 0 };
	struct buffer out = { 0 };
	uint8_t head[CONFINED_HEAD];
	uint32_t code;
	int r;

	if (confine(fd, limits) < 0)
		_exit(CHILD_UNCONFINED);
	r = function(input, &out, &err);
	if (r == 0 && out.failed)
		r = assay_fail(&err, ENOMEM, "out of memory");
	code = r < 0 ? (uint32_t)-r : 0;
	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (uint8_t)(code >> (8 * i));
	write_all(BYTES(head, sizeof(head)));
	write_all(r < 0 ? BYTES((const uint8_t *)err.text, strlen(err.text)) : buffer_bytes(&out));
	_exit(CHILD_SAID);
}

int confined_child_result(int status, struct bytes written, struct bytes *ret,
			  struct assay_error *err)
{
	char text[sizeof(err->text)];
	uint32_t code;

	if (status == CHILD_UNCONFINED)
		return assay_fail(
			err, EPERM,
			"its parser could not be confined, so it was not read; this needs a "
			"kernel with CONFIG_SECCOMP_FILTER");
	if (status != CHILD_SAID || !bytes_take_le32(&written, &code) || code > 4095)
		return assay_fail(err, EPROTO, "its parser ended before it was done (status %d)",
				  status);
	if (code == 0) {
		*ret = written;
		return 0;
	}
	/* The child's own, but what it has parsed may have become the child. */
	return assay_fail(err, (int)code, "%s", text_escape(written, text, sizeof(text)));
}
