// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 16384

struct server {
	struct loop *loop;
	int fd;
	const struct server_type *type;
	void *context;
	struct loop_io *io;
	struct loop_timer *timer;
	struct connection *connections;
	size_t count, parsers;
	/* Starts parsers for those that wait, from the loop: no connection goes within another's
	 * calls. */
	struct loop_timer *next;
	uint64_t turns;
};

/* New ones are let in only where there is room; the kernel has the others wait. */
static void set_listening(struct server *server)
{
	(void)loop_io_set(server->io, server->count < server->type->connections_max ? EPOLLIN : 0,
			  NULL);
}

/* Who has waited longest for a parser; NULL: nobody waits. */
static struct connection *find_next(const struct server *server)
{
	struct connection *next = NULL;

	for (struct connection *connection = server->connections; connection;
	     connection = connection->next)
		if (connection->turn > 0 && (!next || connection->turn < next->turn))
			next = connection;
	return next;
}

/* One more may work. */
static void end_parser(struct connection *connection)
{
	struct server *server = connection->server;

	connection->parser = NULL;
	server->parsers--;
	if (find_next(server))
		loop_timer_set(server->next, 0);
}

static void close_connection(struct connection *connection)
{
	struct server *server = connection->server;
	struct connection **place = &server->connections;

	while (*place != connection)
		place = &(*place)->next;
	*place = connection->next;
	server->count--;
	if (connection->parser) {
		confined_cancel(connection->parser);
		end_parser(connection);
	}
	if (server->type->closed)
		server->type->closed(server->context, connection);
	loop_io_free(connection->io);
	close(connection->fd);
	buffer_free(&connection->input);
	buffer_free(&connection->output);
	free(connection);
	set_listening(server);
}

/*
 * Write what there is to write.
 * Return: 1 once all is written, 0 if the client has to read first, -1 if it is gone
 */
static int write_output(struct connection *connection)
{
	struct buffer *output = &connection->output;

	while (connection->written < output->size) {
		ssize_t size = send(connection->fd, output->data + connection->written,
				    output->size - connection->written, MSG_NOSIGNAL);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? 0 : -1;
		connection->written += (size_t)size;
		connection->last = loop_now();
	}
	buffer_free(output);
	*output = (struct buffer){ 0 };
	connection->written = 0;
	return 1;
}

static void request_parsed(void *context, int r, struct bytes output, const struct assay_error *err)
{
	struct connection *connection = context;

	end_parser(connection);
	connection->busy = false;
	/* An answer that comes at once, from within this call, does not go on by itself. */
	connection->going_on = true;
	connection->server->type->parsed(connection->server->context, connection, r, output, err);
	connection->going_on = false;
	connection_go_on(connection);
}

/* Have the request at the front of the input parsed; @size: its bytes. */
static void start_parser(struct connection *connection, size_t size)
{
	struct server *server = connection->server;
	const struct server_type *type = server->type;
	struct buffer *input = &connection->input;
	struct assay_error err;
	int r;

	connection->turn = 0;
	connection->searched = 0;
	r = confined_run(server->loop, type->parse, BYTES(input->data, size), &type->limits,
			 request_parsed, connection, &connection->parser, &err);
	memmove(input->data, input->data + size, input->size - size);
	input->size -= size;
	connection->last = loop_now();
	connection->busy = r == 0;
	if (r == 0)
		server->parsers++;
	else
		type->parsed(server->context, connection, r, BYTES(NULL, 0), &err);
}

/*
 * Take a request from the input.
 * Return: false if none is there
 */
static bool take_request(struct connection *connection)
{
	struct server *server = connection->server;
	struct bytes input = buffer_bytes(&connection->input);
	size_t size = server->type->frame(input, connection->searched);

	if (size == 0) {
		connection->searched = input.size;
		return false;
	}
	if (server->parsers < server->type->parsers_max) {
		start_parser(connection, size);
		return true;
	}
	connection->request = size;
	connection->turn = ++server->turns;
	connection->busy = true;
	return true;
}

static void start_waiting(void *context)
{
	struct server *server = context;
	struct connection *connection = find_next(server);

	if (!connection || server->parsers >= server->type->parsers_max)
		return;
	/* And whoever else there is room for. */
	loop_timer_set(server->next, 0);
	connection->going_on = true;
	start_parser(connection, connection->request);
	connection->going_on = false;
	connection_go_on(connection);
}

/*
 * Write, and take requests, until one has to wait for something.
 * Return: false if the connection is to be closed
 */
static bool make_progress(struct connection *connection)
{
	for (;;) {
		int r = write_output(connection);

		if (r <= 0)
			return r == 0;
		if (connection->close)
			return false;
		if (connection->busy || connection->input.size == 0)
			return true;
		if (!take_request(connection))
			return connection->input.size < connection->server->type->input_max;
		if (connection->output.failed)
			return false;
	}
}

void connection_go_on(struct connection *connection)
{
	uint32_t events;

	/* The answer came at once, from within the call below. */
	if (connection->going_on)
		return;
	connection->going_on = true;
	if (!make_progress(connection)) {
		close_connection(connection);
		return;
	}
	connection->going_on = false;
	events = connection->output.size > 0 ? EPOLLOUT : connection->busy ? 0 : EPOLLIN;
	if (loop_io_set(connection->io, events, NULL) < 0)
		close_connection(connection);
}

static void connection_ready(void *context, int fd, uint32_t events)
{
	struct connection *connection = context;
	uint8_t data[READ_SIZE];
	ssize_t size;

	if (events & EPOLLIN && !connection->busy) {
		size = recv(fd, data, sizeof(data), 0);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size <= 0) {
			close_connection(connection);
			return;
		}
		/* A part of a request is no progress: who never ends one is closed. */
		buffer_append(&connection->input, data, (size_t)size);
		if (connection->input.failed) {
			close_connection(connection);
			return;
		}
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		close_connection(connection);
		return;
	}
	connection_go_on(connection);
}

static void add_connection(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection || loop_io_add(server->loop, fd, EPOLLIN, connection_ready, connection,
				       &connection->io, NULL) < 0) {
		free(connection);
		close(fd);
		return;
	}
	connection->server = server;
	connection->fd = fd;
	connection->last = loop_now();
	connection->next = server->connections;
	server->connections = connection;
	server->count++;
	if (server->type->accept && !server->type->accept(server->context, connection))
		close_connection(connection);
}

static void client_came(void *context, int fd, uint32_t events)
{
	struct server *server = context;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (client < 0)
		return;
	add_connection(server, client);
	set_listening(server);
	if (!loop_timer_is_set(server->timer))
		loop_timer_set(server->timer, server->type->idle / 2);
}

static void close_idle(void *context)
{
	struct server *server = context;
	uint64_t now = loop_now();

	for (struct connection *connection = server->connections, *next; connection;
	     connection = next) {
		next = connection->next;
		if (!connection->busy && now - connection->last >= server->type->idle)
			close_connection(connection);
	}
	if (server->count > 0)
		loop_timer_set(server->timer, server->type->idle / 2);
}

int server_new(struct loop *loop, int fd, const struct server_type *type, void *context,
	       struct server **ret, struct assay_error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return assay_fail(err, ENOMEM, "out of memory");
	*server = (struct server){ .loop = loop, .fd = fd, .type = type, .context = context };
	r = loop_timer_new(loop, close_idle, server, &server->timer, err);
	if (r == 0)
		r = loop_timer_new(loop, start_waiting, server, &server->next, err);
	if (r == 0)
		r = loop_io_add(loop, fd, EPOLLIN, client_came, server, &server->io, err);
	if (r < 0) {
		loop_timer_free(server->timer);
		loop_timer_free(server->next);
		free(server);
		return r;
	}
	*ret = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	for (struct connection *connection = server->connections, *next; connection;
	     connection = next) {
		next = connection->next;
		close_connection(connection);
	}
	loop_timer_free(server->timer);
	loop_timer_free(server->next);
	loop_io_free(server->io);
	free(server);
}
