// SPDX-License-Identifier: MIT
/* The side of the service; the child's is confined_child.c, what makes it confined_maker.c. */
#define _GNU_SOURCE
#include "confined.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confined_child.h"
#include "confined_maker.h"

/**
 * struct confined - a child that works
 * @output: what it has written so far: see confined_child.h
 * @io: NULL once it has closed its end
 * @child: NULL once it has been reaped, with @status
 */
struct confined {
	struct confined_limits limits;
	confined_done done;
	void *context;
	int fd;
	struct buffer output;
	struct loop_io *io;
	struct loop_timer *timer;
	struct loop_child *child;
	int status;
	bool too_large, too_late;
};

void confined_cancel(struct confined *confined)
{
	if (!confined)
		return;
	loop_io_free(confined->io);
	loop_timer_free(confined->timer);
	loop_child_free(confined->child);
	if (confined->fd >= 0)
		close(confined->fd);
	buffer_free(&confined->output);
	free(confined);
}

/* What the child has said, or how it has ended. */
static int judge(const struct confined *confined, struct bytes *ret, struct assay_error *err)
{
	const struct confined_limits *limits = &confined->limits;

	*ret = BYTES(NULL, 0);
	if (confined->too_late)
		return assay_fail(err, ETIMEDOUT, "it was not done within %llu ms",
				  (unsigned long long)limits->milliseconds);
	if (confined->too_large)
		return assay_fail(err, EFBIG, "it has more than %zu bytes of output",
				  limits->output);
	if (confined->output.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	if (WIFSIGNALED(confined->status))
		return assay_fail(err, EPROTO, "its parser was ended by signal %d (%s)",
				  WTERMSIG(confined->status),
				  strsignal(WTERMSIG(confined->status)));
	return confined_child_result(WEXITSTATUS(confined->status), buffer_bytes(&confined->output),
				     ret, err);
}

/* Once the child has ended and all of its output is there. */
static void finish(struct confined *confined)
{
	struct assay_error err = { 0 };
	struct bytes output;
	int r;

	if (confined->io || confined->child)
		return;
	r = judge(confined, &output, &err);
	confined->done(confined->context, r, output, &err);
	confined_cancel(confined);
}

static void child_ended(void *context, pid_t pid, int status)
{
	struct confined *confined = context;

	(void)pid;
	confined->child = NULL;
	confined->status = status;
	finish(confined);
}

/* The child is killed, and its end comes by child_ended(). */
static void stop_reading(struct confined *confined)
{
	loop_io_free(confined->io);
	confined->io = NULL;
	close(confined->fd);
	confined->fd = -1;
	finish(confined);
}

static void output_came(void *context, int fd, uint32_t events)
{
	struct confined *confined = context;
	uint8_t data[16384];
	ssize_t size = read(fd, data, sizeof(data));

	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0 &&
	    confined->output.size + (size_t)size <= confined->limits.output + CONFINED_HEAD) {
		buffer_append(&confined->output, data, (size_t)size);
		return;
	}
	/* It gets SIGPIPE's error, or has closed its end. */
	confined->too_large = size > 0;
	stop_reading(confined);
}

static void time_is_over(void *context)
{
	struct confined *confined = context;

	confined->too_late = true;
	loop_child_free(confined->child);
	confined->child = NULL;
	if (confined->io)
		stop_reading(confined);
	else
		finish(confined);
}

int confined_run(struct loop *loop, confined_function function, struct bytes input,
		 const struct confined_limits *limits, confined_done done, void *context,
		 struct confined **ret, struct assay_error *err)
{
	struct confined *confined = calloc(1, sizeof(*confined));
	int fds[2], r;
	pid_t pid;

	if (!confined)
		return assay_fail(err, ENOMEM, "out of memory");
	if (pipe2(fds, O_CLOEXEC) < 0) {
		r = assay_fail(err, errno, "cannot make a pipe: %s", strerror(errno));
		free(confined);
		return r;
	}
	*confined = (struct confined){
		.limits = *limits, .done = done, .context = context, .fd = fds[0]
	};
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK); /* the child's end blocks */
	pid = confined_maker_make(function, input, limits, fds[1], err);
	r = pid < 0 ? pid : 0;
	close(fds[1]);
	if (r == 0)
		r = loop_child_add(loop, pid, child_ended, confined, &confined->child, err);
	if (r == 0)
		r = loop_io_add(loop, fds[0], EPOLLIN, output_came, confined, &confined->io, err);
	if (r == 0)
		r = loop_timer_new(loop, time_is_over, confined, &confined->timer, err);
	if (r < 0) {
		confined_cancel(confined);
		return r;
	}
	loop_timer_set(confined->timer, limits->milliseconds);
	if (ret)
		*ret = confined;
	return 0;
}
