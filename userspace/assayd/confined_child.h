/* SPDX-License-Identifier: MIT */
/* For confined.c: the child's side, and what it writes: a head, then the output or the error's
 * text. */
#ifndef ASSAY_ASSAYD_CONFINED_CHILD_H
#define ASSAY_ASSAYD_CONFINED_CHILD_H

#include "confined.h"

/* The head: the function's positive errno, 0 for success, little-endian. */
#define CONFINED_HEAD 4

/* confined_child() - confine this process, run the function, write what came of it to @fd */
void confined_child(int fd, confined_function function, struct bytes input,
		    const struct confined_limits *limits) __attribute__((noreturn));

/*
 * confined_child_result() - what a child that has exited has said
 * @status: its exit status
 * @ret: its output, within @written
 */
int confined_child_result(int status, struct bytes written, struct bytes *ret,
			  struct assay_error *err);

#endif /* ASSAY_ASSAYD_CONFINED_CHILD_H */
