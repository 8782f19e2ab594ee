// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds that one lives at least, or the next is not started before they are over. */
#define LIFE_MIN 1

/* struct worker - @pid: 0: to be started, at @next at the earliest; in seconds of CLOCK_MONOTONIC
 */
struct worker {
	pid_t pid;
	time_t started, next;
	bool ready;
};

struct parent {
	const struct workers *workers;
	struct worker list[WORKERS_MAX];
	int signals, ready[2];
	sigset_t before;
	bool all_ready, stops, failed;
};

static int ready_fd = -1;
static sigset_t ready_signals;

void workers_ready(void)
{
	ssize_t sent;

	if (ready_fd < 0)
		return;
	(void)sigprocmask(SIG_SETMASK, &ready_signals, NULL);
	sent = write(ready_fd, "", 1); /* if it fails the parent has gone */
	(void)sent;
	(void)close(ready_fd);
	ready_fd = -1;
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* In the new process. */
static _Noreturn void be_worker(struct parent *parent, unsigned int number, pid_t of)
{
	struct assay_error err = { 0 };
	sigset_t signals;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != of)
		_exit(1); /* it has gone meanwhile */
	(void)close(parent->signals);
	(void)close(parent->ready[0]);
	ready_fd = parent->ready[1];
	/* Before there is a handler SIGHUP would end it, and so all, if they are just starting. */
	ready_signals = signals = parent->before;
	sigaddset(&signals, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &signals, NULL);
	r = parent->workers->work(parent->workers->context, number, &err);
	if (r < 0)
		fprintf(stderr, "<3>assay-fleet: worker %u: %s\n", number, err.text);
	free(parent);
	exit(r < 0);
}

static int start(struct parent *parent, unsigned int number, struct assay_error *err)
{
	struct worker *worker = &parent->list[number];
	pid_t self = getpid(), pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		be_worker(parent, number, self);
	worker->started = now();
	worker->next = worker->started + LIFE_MIN;
	if (pid < 0)
		return assay_fail(err, errno, "a worker cannot be started: %s", strerror(errno));
	worker->pid = pid;
	return 0;
}

static void signal_all(const struct parent *parent, int number)
{
	for (unsigned int i = 0; i < parent->workers->count; i++)
		if (parent->list[i].pid > 0)
			(void)kill(parent->list[i].pid, number);
}

static void stop_all(struct parent *parent)
{
	parent->stops = true;
	signal_all(parent, SIGTERM);
}

/* ---------------------------------------------------------------- what happens */

static void tell_end(unsigned int number, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr,
			"<3>assay-fleet: worker %u was ended by signal %d; another one "
			"follows\n",
			number, WTERMSIG(status));
	else
		fprintf(stderr,
			"<3>assay-fleet: worker %u has ended with status %d; another one "
			"follows\n",
			number, WEXITSTATUS(status));
}

static void take_end(struct parent *parent, pid_t pid, int status)
{
	for (unsigned int i = 0; i < parent->workers->count; i++) {
		if (parent->list[i].pid != pid)
			continue;
		parent->list[i].pid = 0;
		if (parent->stops)
			return;
		/* What keeps it from starting keeps the next from that, too. */
		if (!parent->all_ready) {
			parent->failed = true;
			stop_all(parent);
			return;
		}
		tell_end(i, status);
	}
}

static void take_ends(struct parent *parent)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		take_end(parent, pid, status);
}

static void take_signal(struct parent *parent)
{
	struct signalfd_siginfo info;

	if (read(parent->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		take_ends(parent);
		break;
	case SIGHUP:
		parent->workers->again(parent->workers->context);
		signal_all(parent, SIGHUP);
		break;
	default:
		stop_all(parent);
	}
}

/* A byte from each. */
static void take_ready(struct parent *parent, unsigned int *left)
{
	char bytes[WORKERS_MAX];
	ssize_t got = read(parent->ready[0], bytes, sizeof(bytes));

	if (got <= 0 || parent->all_ready)
		return;
	*left -= (unsigned int)got < *left ? (unsigned int)got : *left;
	if (*left > 0)
		return;
	parent->all_ready = true;
	parent->workers->all_ready(parent->workers->context);
}

/* ---------------------------------------------------------------- the loop */

static bool any_left(const struct parent *parent)
{
	for (unsigned int i = 0; i < parent->workers->count; i++)
		if (parent->list[i].pid > 0)
			return true;
	return false;
}

/* Return: whether some are to be started later */
static bool start_missing(struct parent *parent, struct assay_error *err)
{
	bool later = false;

	for (unsigned int i = 0; i < parent->workers->count && !parent->stops; i++) {
		struct worker *worker = &parent->list[i];

		if (worker->pid > 0)
			continue;
		if (worker->next > now()) {
			later = true;
		} else if (start(parent, i, err) < 0) {
			fprintf(stderr, "<3>assay-fleet: %s\n", err->text);
			later = true;
		}
	}
	return later;
}

static void loop(struct parent *parent, struct assay_error *err)
{
	unsigned int left = parent->workers->count;
	struct pollfd polled[] = { { parent->signals, POLLIN, 0 },
				   { parent->ready[0], POLLIN, 0 } };

	do {
		bool later = start_missing(parent, err);

		if (poll(polled, 2, later ? LIFE_MIN * 1000 : -1) <= 0)
			continue;
		if (polled[1].revents)
			take_ready(parent, &left);
		if (polled[0].revents)
			take_signal(parent);
	} while (!parent->stops || any_left(parent));
}

static int open_parent(struct parent *parent, struct assay_error *err)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&signals, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &signals, &parent->before) < 0 ||
	    pipe2(parent->ready, O_CLOEXEC | O_NONBLOCK) < 0)
		return assay_fail(err, errno, "workers: %s", strerror(errno));
	parent->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return parent->signals < 0 ? assay_fail(err, errno, "signalfd: %s", strerror(errno)) : 0;
}

static void close_parent(struct parent *parent)
{
	for (size_t i = 0; i < 2; i++)
		if (parent->ready[i] >= 0)
			(void)close(parent->ready[i]);
	if (parent->signals >= 0)
		(void)close(parent->signals);
	(void)sigprocmask(SIG_SETMASK, &parent->before, NULL);
	free(parent);
}

int workers_run(const struct workers *workers, struct assay_error *err)
{
	struct parent *parent = calloc(1, sizeof(*parent));
	int r;

	if (!parent)
		return assay_fail(err, ENOMEM, "out of memory");
	parent->workers = workers;
	parent->signals = parent->ready[0] = parent->ready[1] = -1;
	r = open_parent(parent, err);
	if (r == 0) {
		loop(parent, err);
		if (parent->failed)
			r = assay_fail(err, EIO, "a worker could not start");
	}
	close_parent(parent);
	return r;
}
