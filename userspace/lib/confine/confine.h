/* SPDX-License-Identifier: MIT */
/*
 * What parses foreign input in a process of its own: one that computes, and reaches nothing but the
 * descriptors that it has. There is no way back.
 *
 * For programs that link libseccomp and libcap.
 */
#ifndef ASSAY_CONFINE_H
#define ASSAY_CONFINE_H

#include <stddef.h>

/* Instead of a descriptor: with any; the call fails with EPERM, and ends nothing. */
enum { CONFINE_ANY_FD = -1, CONFINE_REFUSED = -2 };

/**
 * struct confine_call - a system call that does not end the process
 * @number: SCMP_SYS() of it
 * @fd: with this descriptor as its first argument only, or one of the above
 */
struct confine_call {
	int number, fd;
};

/*
 * confine_privileges() - end with the process that this one's parent is, be read by no other, have
 * no capabilities and get none
 *
 * Return: 0; -1 with errno
 */
int confine_privileges(void);

/*
 * confine_calls() - keep the system calls for memory that is private and not executable, how much
 * memory there is, time, random numbers and ending, and those that are named; any other one ends
 * the process by SIGSYS (see seccomp(2))
 *
 * Return: 0; -errno where the kernel has no seccomp filters
 */
int confine_calls(const struct confine_call *more, size_t count);

#endif /* ASSAY_CONFINE_H */
