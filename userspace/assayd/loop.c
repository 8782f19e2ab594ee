// SPDX-License-Identifier: MIT
/* Timers, signals and children as descriptors: timerfd, signalfd, pidfd. */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- timers */

struct loop_timer {
	int fd;
	bool set;
	struct loop_io *io;
	loop_timer_function function;
	void *context;
};

static void timer_expired(void *context, int fd, uint32_t events)
{
	struct loop_timer *timer = context;
	uint64_t times;

	(void)events;
	/* Nothing to read: it was set anew, or cancelled, since the loop saw it. */
	if (read(fd, &times, sizeof(times)) != sizeof(times))
		return;
	timer->set = false;
	timer->function(timer->context);
}

int loop_timer_new(struct loop *loop, loop_timer_function function, void *context,
		   struct loop_timer **ret, struct assay_error *err)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	int r;

	if (!timer)
		return assay_fail(err, ENOMEM, "out of memory");
	timer->function = function;
	timer->context = context;
	timer->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->fd < 0)
		r = assay_fail(err, errno, "cannot make a timer: %s", strerror(errno));
	else
		r = loop_io_add(loop, timer->fd, EPOLLIN, timer_expired, timer, &timer->io, err);
	if (r < 0) {
		loop_timer_free(timer);
		return r;
	}
	*ret = timer;
	return 0;
}

/* @milliseconds: 0 stops it */
static void arm_timer(struct loop_timer *timer, uint64_t milliseconds)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(milliseconds / 1000),
						 .tv_nsec =
							 (long)(milliseconds % 1000) * 1000000 } };

	/* Fails for a time that is none only, which these are not. */
	(void)timerfd_settime(timer->fd, 0, &when, NULL);
	timer->set = milliseconds > 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t milliseconds)
{
	/* A hundred years, so that sums with the present time fit. */
	const uint64_t most = UINT64_C(100) * 366 * 24 * 3600 * 1000;

	if (milliseconds == 0)
		milliseconds = 1;
	arm_timer(timer, milliseconds < most ? milliseconds : most);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	arm_timer(timer, 0);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return timer->set;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	loop_io_free(timer->io);
	if (timer->fd >= 0)
		close(timer->fd);
	free(timer);
}

/* ---------------------------------------------------------------- signals */

struct loop_signal {
	int fd;
	struct loop_io *io;
	loop_signal_function function;
	void *context;
};

static void signal_came(void *context, int fd, uint32_t events)
{
	struct loop_signal *sig = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		sig->function(sig->context, (int)info.ssi_signo);
}

int loop_signal_add(struct loop *loop, int signal, loop_signal_function function, void *context,
		    struct loop_signal **ret, struct assay_error *err)
{
	struct loop_signal *sig = calloc(1, sizeof(*sig));
	sigset_t set;
	int r;

	if (!sig)
		return assay_fail(err, ENOMEM, "out of memory");
	sig->function = function;
	sig->context = context;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sig->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sig->fd < 0)
		r = assay_fail(err, errno, "cannot wait for signal %d: %s", signal,
			       strerror(errno));
	else
		r = loop_io_add(loop, sig->fd, EPOLLIN, signal_came, sig, &sig->io, err);
	if (r < 0) {
		loop_signal_free(sig);
		return r;
	}
	*ret = sig;
	return 0;
}

void loop_signal_free(struct loop_signal *sig)
{
	if (!sig)
		return;
	loop_io_free(sig->io);
	if (sig->fd >= 0)
		close(sig->fd);
	free(sig);
}

/* ---------------------------------------------------------------- children */

struct loop_child {
	pid_t pid;
	int fd;
	struct loop_io *io;
	loop_child_function function;
	void *context;
};

/* The descriptor and the memory, not the process. */
static void forget_child(struct loop_child *child)
{
	loop_io_free(child->io);
	if (child->fd >= 0)
		close(child->fd);
	free(child);
}

static void child_ended(void *context, int fd, uint32_t events)
{
	struct loop_child *child = context;
	loop_child_function function = child->function;
	void *function_context = child->context;
	pid_t pid = child->pid;
	int status;

	(void)fd;
	(void)events;
	if (waitpid(pid, &status, WNOHANG) != pid)
		return;
	forget_child(child);
	function(function_context, pid, status);
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int loop_child_add(struct loop *loop, pid_t pid, loop_child_function function, void *context,
		   struct loop_child **ret, struct assay_error *err)
{
	struct loop_child *child = calloc(1, sizeof(*child));
	int r;

	if (!child) {
		end_process(pid);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	child->pid = pid;
	child->function = function;
	child->context = context;
	child->fd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (child->fd < 0)
		r = assay_fail(err, errno, "cannot watch process %d: %s", (int)pid,
			       strerror(errno));
	else
		r = loop_io_add(loop, child->fd, EPOLLIN, child_ended, child, &child->io, err);
	if (r < 0) {
		loop_child_free(child);
		return r;
	}
	*ret = child;
	return 0;
}

void loop_child_free(struct loop_child *child)
{
	if (!child)
		return;
	end_process(child->pid);
	forget_child(child);
}
