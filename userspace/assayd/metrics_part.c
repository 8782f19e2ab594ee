// SPDX-License-Identifier: MIT
/*
 * The part `metrics`: the metrics of all parts in a file for node_exporter's textfile collector,
 * and for whoever asks by HTTP on a socket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "http_head.h"
#include "listener.h"
#include "memory_use.h"
#include "server.h"
#include "service.h"

#define PATH "/metrics"
#define IDLE 10000 /* milliseconds */
#define CONNECTIONS_MAX 8

struct metrics_part {
	struct loop_timer *timer;
	struct server *server;
	int fd;
	char *listen;
};

extern struct part part_metrics;

void service_metrics(struct service *service, struct metrics *metrics)
{
	metrics_gauge(metrics, "up_seconds", "for how long the service runs",
		      (double)(loop_now() - service->started_at) / 1000);
	metrics_gauge(metrics, "memory_bytes", "anonymous memory of the service",
		      (double)memory_use("RssAnon"));
	metrics_gauge(metrics, "device_present", "is /dev/assay there?", service->device.fd >= 0);
	metrics_begin(metrics, "problems", "gauge", "what keeps a part from its work, now");
	metrics_value(metrics, "problems", "part", "service",
		      (double)problems_of(&service->problems, "service"));
	for (size_t i = 0; service->parts[i]; i++) {
		const char *name = service->parts[i]->name;

		metrics_value(metrics, "problems", "part", name,
			      (double)problems_of(&service->problems, name));
	}
	for (size_t i = 0; service->parts[i]; i++)
		if (service->parts[i]->started && service->parts[i]->metrics)
			service->parts[i]->metrics(service->parts[i], metrics);
}

/* ---------------------------------------------------------------- the file */

static void write_file(void *context)
{
	struct service *service = context;
	struct metrics_part *self = part_metrics.data;
	const char *path = service->config->status.metrics_file;
	CLEANUP(buffer_free) struct buffer out = { 0 };
	struct metrics metrics = { 0 };
	struct assay_error err;
	int r = 0;

	loop_timer_set(self->timer, service->config->status.interval);
	if (path[0] == '\0') {
		problem_clear(service, part_metrics.name, "file");
		return;
	}
	service_metrics(service, &metrics);
	out = metrics.out;
	if (out.failed)
		r = assay_fail(&err, ENOMEM, "the metrics do not fit into memory");
	else
		r = file_write(path, buffer_bytes(&out), 0644, &err);
	if (r < 0)
		problem_set(
			service, part_metrics.name, "file",
			"the metrics cannot be written: %s; have the service's user be allowed "
			"to write there (with systemd: ReadWritePaths=), or set metrics-file in "
			"[status]",
			err.text);
	else
		problem_clear(service, part_metrics.name, "file");
}

/* ---------------------------------------------------------------- the socket */

/* NULL for a status that no answer has */
static const char *reason(uint32_t status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return NULL;
	}
}

static void answer(struct service *service, struct connection *connection, uint32_t status)
{
	struct metrics metrics = { 0 };
	char head[256];
	int length;

	if (status == 200) {
		service_metrics(service, &metrics);
	} else {
		buffer_append(&metrics.out, reason(status), strlen(reason(status)));
		buffer_append(&metrics.out, "\n", 1);
	}
	length = snprintf(head, sizeof(head),
			  "HTTP/1.1 %u %s\r\n"
			  "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			  "Content-Length: %zu\r\n"
			  "Connection: close\r\n\r\n",
			  status, reason(status), metrics.out.size);
	buffer_append(&connection->output, head, (size_t)length);
	buffer_append_bytes(&connection->output, buffer_bytes(&metrics.out));
	if (metrics.out.failed)
		connection->output.failed = true;
	buffer_free(&metrics.out);
	connection->close = true;
}

/* Confined: the status of the answer, in the order of this machine's bytes. */
static int parse_head(struct bytes input, struct buffer *out, struct assay_error *err)
{
	uint32_t status = http_head_status(input, PATH);

	(void)err;
	buffer_append(out, &status, sizeof(status));
	return 0;
}

static void head_parsed(void *context, struct connection *connection, int r, struct bytes output,
			const struct assay_error *err)
{
	struct service *service = context;
	uint32_t status = 0;

	if (r < 0)
		problem_set_parser(service, part_metrics.name, err);
	else if (output.size == sizeof(status))
		memcpy(&status, output.data, sizeof(status));
	answer(service, connection, reason(status) ? status : 500);
}

static const struct server_type http_type = {
	.connections_max = CONNECTIONS_MAX,
	.input_max = HTTP_HEAD_MAX,
	.idle = IDLE,
	.frame = http_head_size,
	.parse = parse_head,
	.limits = { .memory = 1U << 20, .output = sizeof(uint32_t), .milliseconds = 10000 },
	.parsers_max = 2,
	.parsed = head_parsed,
};

static int listen_for_scrapers(struct service *service, struct metrics_part *self,
			       struct assay_error *err)
{
	const char *address = service->config->status.metrics_listen;
	int r;

	self->listen = strdup(address);
	if (!self->listen)
		return assay_fail(err, ENOMEM, "out of memory");
	if (address[0] == '\0')
		return 0;
	if (address[0] == '/')
		r = listener_open_unix(address, "", err);
	else
		r = listener_open_tcp(address, err);
	if (r < 0)
		return r;
	self->fd = r;
	return server_new(service->loop, self->fd, &http_type, service, &self->server, err);
}

static void stop_listening(struct metrics_part *self)
{
	server_free(self->server);
	listener_close(self->fd, self->listen && self->listen[0] == '/' ? self->listen : NULL);
	free(self->listen);
	self->server = NULL;
	self->fd = -1;
	self->listen = NULL;
}

/* A socket that cannot be had keeps nobody from the file. */
static void start_listening(struct service *service, struct metrics_part *self)
{
	struct assay_error err;

	if (listen_for_scrapers(service, self, &err) < 0)
		problem_set_error(service, part_metrics.name, "listen", &err);
	else
		problem_clear(service, part_metrics.name, "listen");
}

static int start_metrics(struct service *service, struct part *part, struct assay_error *err)
{
	struct metrics_part *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return assay_fail(err, ENOMEM, "out of memory");
	self->fd = -1;
	r = loop_timer_new(service->loop, write_file, service, &self->timer, err);
	if (r < 0) {
		free(self);
		return r;
	}
	part->data = self;
	start_listening(service, self);
	loop_timer_set(self->timer, 1);
	return 0;
}

static void stop_metrics(struct service *service, struct part *part)
{
	struct metrics_part *self = part->data;

	(void)service;
	stop_listening(self);
	loop_timer_free(self->timer);
	free(self);
	part->data = NULL;
}

static void reload_metrics(struct service *service, struct part *part)
{
	struct metrics_part *self = part->data;

	problem_clear(service, part->name, PROBLEM_PARSER);
	loop_timer_set(self->timer, 1);
	if (self->listen && strcmp(self->listen, service->config->status.metrics_listen) == 0 &&
	    (self->server || self->listen[0] == '\0'))
		return;
	stop_listening(self);
	start_listening(service, self);
}

struct part part_metrics = {
	.name = "metrics",
	.start = start_metrics,
	.stop = stop_metrics,
	.reload = reload_metrics,
};
