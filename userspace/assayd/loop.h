/* SPDX-License-Identifier: MIT */
/*
 * The service's event loop: descriptors, timers, signals and children, called one after the
 * other. There are no threads, so no callback may block.
 *
 * What waits is loop_systemd.c (sd-event, with the watchdog) or loop_epoll.c, for programs
 * without libsystemd; loop.c makes the rest of descriptors.
 *
 * Any of what is added may be freed at any time, also from its own callback.
 */
#ifndef ASSAY_ASSAYD_LOOP_H
#define ASSAY_ASSAYD_LOOP_H

#include <sys/epoll.h>
#include <sys/types.h>

#include "assay.h"

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;
struct loop_child;

int loop_new(struct loop **ret, struct assay_error *err);
/* loop_free() - everything that was added to it has been freed; NULL is allowed. */
void loop_free(struct loop *loop);

/* loop_now() - milliseconds of CLOCK_BOOTTIME */
uint64_t loop_now(void);

/*
 * loop_run() - wait and call, until loop_stop()
 * Return: 0; -errno if waiting failed
 */
int loop_run(struct loop *loop, struct assay_error *err);
void loop_stop(struct loop *loop);

/*
 * loop_watchdog() - tell the service's manager at intervals that the loop goes round, if it asks
 * for that (WATCHDOG_USEC)
 * Return: 1 if it does, 0 if not
 */
int loop_watchdog(struct loop *loop, struct assay_error *err);

/*
 * A descriptor.
 * @events: of epoll: EPOLLIN, EPOLLOUT; EPOLLERR and EPOLLHUP are always told
 */
typedef void (*loop_io_function)(void *context, int fd, uint32_t events);

/* loop_io_add() - @fd stays the caller's, who closes it after loop_io_free() */
int loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_function function,
		void *context, struct loop_io **ret, struct assay_error *err);
/* loop_io_set() - wait for other events from now on; 0 for errors alone */
int loop_io_set(struct loop_io *io, uint32_t events, struct assay_error *err);
/* loop_io_free() - NULL is allowed, here and below */
void loop_io_free(struct loop_io *io);

/* A timer, of CLOCK_BOOTTIME: time asleep counts, and setting the clock does nothing to it. */
typedef void (*loop_timer_function)(void *context);

/* loop_timer_new() - it does not run yet */
int loop_timer_new(struct loop *loop, loop_timer_function function, void *context,
		   struct loop_timer **ret, struct assay_error *err);
/* loop_timer_set() - call the function once, so many milliseconds from now; an earlier time set is
 * forgotten */
void loop_timer_set(struct loop_timer *timer, uint64_t milliseconds);
void loop_timer_cancel(struct loop_timer *timer);
/* loop_timer_is_set() - will it call? */
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* A signal, which is blocked from then on, and stays so. */
typedef void (*loop_signal_function)(void *context, int signal);

int loop_signal_add(struct loop *loop, int signal, loop_signal_function function, void *context,
		    struct loop_signal **ret, struct assay_error *err);
void loop_signal_free(struct loop_signal *sig);

/*
 * A child of this process, which is told once it has ended, and reaped. It is freed then.
 * @status: as waitpid() gives it
 */
typedef void (*loop_child_function)(void *context, pid_t pid, int status);

/* loop_child_add() - where it fails the child is killed and reaped: nobody else could */
int loop_child_add(struct loop *loop, pid_t pid, loop_child_function function, void *context,
		   struct loop_child **ret, struct assay_error *err);
/* loop_child_free() - a child that has not ended is killed and reaped */
void loop_child_free(struct loop_child *child);

#endif /* ASSAY_ASSAYD_LOOP_H */
