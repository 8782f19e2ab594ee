// SPDX-License-Identifier: MIT
/* The loop by libsystemd's sd-event. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "loop.h"

struct loop {
	sd_event *event;
};

struct loop_io {
	sd_event_source *source;
	loop_io_function function;
	void *context;
};

int loop_new(struct loop **ret, struct assay_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return assay_fail(err, ENOMEM, "out of memory");
	r = sd_event_new(&loop->event);
	if (r < 0) {
		free(loop);
		return assay_fail(err, -r, "cannot make the event loop: %s", strerror(-r));
	}
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	sd_event_unref(loop->event);
	free(loop);
}

int loop_run(struct loop *loop, struct assay_error *err)
{
	int r = sd_event_loop(loop->event);

	if (r < 0)
		return assay_fail(err, -r, "cannot wait for events: %s", strerror(-r));
	return 0;
}

void loop_stop(struct loop *loop)
{
	/* Fails after the loop has ended only. */
	(void)sd_event_exit(loop->event, 0);
}

int loop_watchdog(struct loop *loop, struct assay_error *err)
{
	int r = sd_event_set_watchdog(loop->event, 1);

	if (r < 0)
		return assay_fail(err, -r, "cannot serve the watchdog: %s", strerror(-r));
	return r > 0;
}

static int io_ready(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct loop_io *io = context;

	(void)source;
	io->function(io->context, fd, events);
	return 0;
}

int loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_function function,
		void *context, struct loop_io **ret, struct assay_error *err)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return assay_fail(err, ENOMEM, "out of memory");
	io->function = function;
	io->context = context;
	r = sd_event_add_io(loop->event, &io->source, fd, events, io_ready, io);
	if (r < 0) {
		free(io);
		return assay_fail(err, -r, "cannot wait for descriptor %d: %s", fd, strerror(-r));
	}
	*ret = io;
	return 0;
}

int loop_io_set(struct loop_io *io, uint32_t events, struct assay_error *err)
{
	int r = sd_event_source_set_io_events(io->source, events);

	if (r < 0)
		return assay_fail(err, -r, "cannot wait for a descriptor: %s", strerror(-r));
	return 0;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	sd_event_source_disable_unref(io->source);
	free(io);
}
