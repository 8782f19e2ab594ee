// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "confine/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int r = none ? cap_set_proc(none) : -1;

	if (none)
		cap_free(none);
	return r;
}

int confine_privileges(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return drop_capabilities();
}

static int add(scmp_filter_ctx filter, const struct confine_call *call)
{
	const struct scmp_arg_cmp with_fd = { 0, SCMP_CMP_EQ, (scmp_datum_t)call->fd, 0 };

	if (call->fd == CONFINE_REFUSED)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call->number, 0);
	if (call->fd == CONFINE_ANY_FD)
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1, with_fd);
}

static int allow_computing(scmp_filter_ctx filter)
{
	/* sysinfo: qsort() of glibc up to 2.36 asks it before it sorts more than 1 KiB. */
	static const int free_calls[] = {
		SCMP_SYS(brk),		SCMP_SYS(munmap),	  SCMP_SYS(mremap),
		SCMP_SYS(madvise),	SCMP_SYS(futex),	  SCMP_SYS(exit_group),
		SCMP_SYS(exit),		SCMP_SYS(clock_gettime),  SCMP_SYS(getrandom),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
		SCMP_SYS(sysinfo),
	};
	const struct scmp_arg_cmp not_executable = { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 };
	/* Memory that counts against RLIMIT_DATA: what is shared does not, and no stack. */
	const struct scmp_arg_cmp data = { 3, SCMP_CMP_MASKED_EQ,
					   MAP_TYPE | MAP_ANONYMOUS | MAP_GROWSDOWN,
					   MAP_PRIVATE | MAP_ANONYMOUS };
	int r = 0;

	for (size_t i = 0; i < sizeof(free_calls) / sizeof(free_calls[0]) && r == 0; i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, free_calls[i], 0, NULL);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, not_executable,
				     data);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
	return r;
}

int confine_calls(const struct confine_call *more, size_t count)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? allow_computing(filter) : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add(filter, &more[i]);
	if (r == 0)
		r = seccomp_load(filter);
	/* Without releasing it: the process that is confined has nothing to do with it any more. */
	return r;
}
