/* SPDX-License-Identifier: MIT */
/*
 * Parsers of foreign input run in a child that can do nothing but compute: no descriptor but the
 * one that its output goes to, no capability, system calls for memory and for writing alone
 * (seccomp), bounded memory and time. What goes wrong in it is an error of that input.
 *
 * The child is a copy of the service as it was at its start, so that the parser is an ordinary
 * function, and who takes it over finds nothing there but the input. It must not rely on what opens
 * files on the way: random numbers, locales, time zones, name services.
 */
#ifndef ASSAY_ASSAYD_CONFINED_H
#define ASSAY_ASSAYD_CONFINED_H

#include "base/bytes.h"
#include "loop.h"

/**
 * struct confined_limits - what the child may use
 * @memory: bytes that it may allocate, besides what it begins with
 * @output: bytes of output
 * @milliseconds: until it is killed
 */
struct confined_limits {
	uint64_t memory;
	size_t output;
	uint64_t milliseconds;
};

#define CONFINED_DEFAULT ((struct confined_limits){ 32U << 20, 1U << 20, 10000 })

/*
 * confined_function - what runs in the child
 * @input: as it was given
 * @out: what it returns
 *
 * Return: 0, or -errno with @err, both of which @done gets
 */
typedef int (*confined_function)(struct bytes input, struct buffer *out, struct assay_error *err);

/*
 * confined_done - what came of it, called by the loop, once
 * @r: 0; what the function returned; -EPROTO if the child broke its rules or ended before it was
 *     done, -ETIMEDOUT, -EFBIG with more output than allowed
 * @output: until the callback returns; foreign as the input was
 */
typedef void (*confined_done)(void *context, int r, struct bytes output,
			      const struct assay_error *err);

struct confined;

/*
 * confined_start() - from now on there can be children, which are copies of this process as it is
 * now: to be called once, before it has anything that they must not have
 * confined_watch() - have it told, once, that there can be none any more: what they are copies of
 *                    has ended, by whatever, and cannot be had again. @status: as of waitpid();
 *                    it has exited only where it could not confine itself
 * confined_stop() - no more, and nothing is told; those that work are not touched. Before the loop
 *                   is freed, if that watches
 */
typedef void (*confined_ended)(void *context, int status);

int confined_start(struct assay_error *err);
int confined_watch(struct loop *loop, confined_ended ended, void *context, struct assay_error *err);
void confined_stop(void);

/*
 * confined_run() - run a function on @input, which may go as soon as this returns
 * @ret: for confined_cancel(), until @done was called; may be NULL
 *
 * Return: 0: @done will be called; -errno: it will not
 */
int confined_run(struct loop *loop, confined_function function, struct bytes input,
		 const struct confined_limits *limits, confined_done done, void *context,
		 struct confined **ret, struct assay_error *err);

/* confined_cancel() - kill it; @done is not called any more; NULL is allowed */
void confined_cancel(struct confined *confined);

#endif /* ASSAY_ASSAYD_CONFINED_H */
