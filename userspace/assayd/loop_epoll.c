// SPDX-License-Identifier: MIT
/* The loop by epoll alone, for programs without libsystemd. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop.h"

#define EVENTS_MAX 32

/**
 * struct loop - the descriptors that are waited for
 * @freed: freed while events are handed out, which may still name them; NULL: none
 */
struct loop {
	int fd;
	bool stopped, handing_out;
	struct loop_io *freed;
};

/**
 * struct loop_io - a descriptor
 * @function: NULL once it is freed
 * @next: in loop.freed
 */
struct loop_io {
	struct loop *loop;
	int fd;
	loop_io_function function;
	void *context;
	struct loop_io *next;
};

int loop_new(struct loop **ret, struct assay_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return assay_fail(err, ENOMEM, "out of memory");
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0) {
		int code = errno;

		free(loop);
		return assay_fail(err, code, "cannot make the event loop: %s", strerror(code));
	}
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->fd);
	free(loop);
}

static void drop_freed(struct loop *loop)
{
	while (loop->freed) {
		struct loop_io *io = loop->freed;

		loop->freed = io->next;
		free(io);
	}
}

int loop_run(struct loop *loop, struct assay_error *err)
{
	struct epoll_event events[EVENTS_MAX];

	while (!loop->stopped) {
		int count = epoll_wait(loop->fd, events, EVENTS_MAX, -1);

		if (count < 0 && errno != EINTR)
			return assay_fail(err, errno, "cannot wait for events: %s",
					  strerror(errno));
		loop->handing_out = true;
		for (int i = 0; i < count && !loop->stopped; i++) {
			struct loop_io *io = events[i].data.ptr;

			if (io->function)
				io->function(io->context, io->fd, events[i].events);
		}
		loop->handing_out = false;
		drop_freed(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

/* Without libsystemd there is no manager that asks for it. */
int loop_watchdog(struct loop *loop, struct assay_error *err)
{
	(void)loop;
	(void)err;
	return 0;
}

int loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_function function,
		void *context, struct loop_io **ret, struct assay_error *err)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (!io)
		return assay_fail(err, ENOMEM, "out of memory");
	*io = (struct loop_io){ loop, fd, function, context, NULL };
	if (epoll_ctl(loop->fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int code = errno;

		free(io);
		return assay_fail(err, code, "cannot wait for descriptor %d: %s", fd,
				  strerror(code));
	}
	*ret = io;
	return 0;
}

int loop_io_set(struct loop_io *io, uint32_t events, struct assay_error *err)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (epoll_ctl(io->loop->fd, EPOLL_CTL_MOD, io->fd, &event) < 0)
		return assay_fail(err, errno, "cannot wait for descriptor %d: %s", io->fd,
				  strerror(errno));
	return 0;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	(void)epoll_ctl(io->loop->fd, EPOLL_CTL_DEL, io->fd, NULL);
	if (!io->loop->handing_out) {
		free(io);
		return;
	}
	io->function = NULL;
	io->next = io->loop->freed;
	io->loop->freed = io;
}
