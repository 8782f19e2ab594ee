// SPDX-License-Identifier: MIT
/*
 * What goes with a connection over TLS, which strangers can open: it is counted, and of an address
 * there are only so many; it is ended when no request has begun in ten seconds, or no whole one
 * came in its time, however busy it looks; and no body is read that is larger than its route takes,
 * or that comes in chunks.
 */
#define _GNU_SOURCE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_chunks.h"
#include "http_internal.h"

/* Until a request has begun a connection costs whoever opens it nothing. */
#define FIRST_SECONDS 10U
#define LINE_MAX_SIZE 4096
/* Bytes of a request that is refused, behind which its connection ends. */
#define REFUSED_MAX 65536

/**
 * struct guarded - a connection, for as long as its SSL lives
 * @patience: ends it
 * @counted: by its address, in @slot
 * @expects: the next bytes begin a request; @began: one has begun
 * @chunks: of the head of the present one; @refused: its body comes in such
 */
struct guarded {
	struct http_server *server;
	struct bufferevent *bev;
	struct event *patience;
	bool counted, expects, began, refused;
	size_t slot;
	struct http_chunks chunks;
};

static int guarded_index = -1;
static pthread_once_t guarded_once = PTHREAD_ONCE_INIT;

/* libevent tells nobody that a connection has ended; OpenSSL tells that its SSL has. */
static void end_guarded(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argl,
			void *argp)
{
	struct guarded *guarded = pointer;
	struct http_server *server = guarded ? guarded->server : NULL;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!guarded)
		return;
	if (--server->service->counts->connections < server->limits.connections)
		http_accept_set_full(server, false);
	if (guarded->counted)
		http_addresses_drop(server->limits.addresses, server->limits.process,
				    guarded->slot);
	event_free(guarded->patience);
	free(guarded);
}

static void make_index(void)
{
	guarded_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, end_guarded);
}

bool http_guard_possible(void)
{
	(void)pthread_once(&guarded_once, make_index);
	return guarded_index >= 0;
}

static void wait_for(struct guarded *guarded, unsigned int seconds)
{
	const struct timeval time = { .tv_sec = seconds };

	(void)event_add(guarded->patience, &time);
}

static unsigned int first_seconds(const struct guarded *guarded)
{
	unsigned int timeout = guarded->server->limits.timeout;

	return timeout < FIRST_SECONDS ? timeout : FIRST_SECONDS;
}

/* Whether the address has room for it. Its socket was not known when it was made. */
static bool may_stay(struct guarded *guarded)
{
	const struct http_limits *limits = &guarded->server->limits;
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} peer = { 0 };
	socklen_t size = sizeof(peer);

	if (getpeername(bufferevent_getfd(guarded->bev), &peer.any, &size) < 0)
		return false;
	guarded->counted = true;
	return http_addresses_add(limits->addresses, limits->process, &peer.any, &guarded->slot);
}

/* evhttp sees the end of the stream, and frees what it has of the connection. */
static void lose_patience(evutil_socket_t fd, short what, void *context)
{
	struct guarded *guarded = context;

	(void)fd;
	(void)what;
	if (!guarded->counted && may_stay(guarded)) {
		wait_for(guarded, first_seconds(guarded));
		return;
	}
	(void)shutdown(bufferevent_getfd(guarded->bev), SHUT_RDWR);
}

/* ---------------------------------------------------------------- bodies */

static size_t body_max(const struct http_server *server, const char *line)
{
	const char *path = strchr(line, ' ');
	char text[LINE_MAX_SIZE], parameter[HTTP_PARAMETER_MAX];
	size_t method = path ? (size_t)(path - line) : 0, size = path ? strcspn(path + 1, " ?") : 0;

	if (!path)
		return 0;
	memcpy(text, path + 1, size);
	text[size] = '\0';
	for (const struct http_route *route = server->service->routes; route->path; route++) {
		const char *name = http_method_name(route->method);

		if (strlen(name) == method && strncmp(name, line, method) == 0 &&
		    http_path_matches(route->path, text, parameter))
			return route->body_max;
	}
	return 0;
}

/*
 * evhttp, whose read callback comes behind what watches here, is told what body there may be.
 * Return: false: it does not know the connection yet
 */
static bool limit_body(struct guarded *guarded, size_t most)
{
	void *connection = NULL;

	/* It is what evhttp's callbacks are given. */
	bufferevent_getcb(guarded->bev, NULL, NULL, NULL, &connection);
	if (!connection)
		return false;
	evhttp_connection_set_max_body_size(connection, (ev_ssize_t)most);
	return true;
}

/* The line that a request begins with is whole. */
static void take_line(struct guarded *guarded, const char *line)
{
	if (!limit_body(guarded, body_max(guarded->server, line)))
		return;
	guarded->expects = false;
	if (!guarded->began)
		wait_for(guarded, guarded->server->limits.timeout);
	guarded->began = true;
}

static void look_for_line(struct guarded *guarded, struct evbuffer *buffer)
{
	char line[LINE_MAX_SIZE];
	ev_ssize_t size;
	char *end;

	size = evbuffer_copyout(buffer, line, sizeof(line) - 1);
	if (size <= 0)
		return;
	line[size] = '\0';
	end = strchr(line, '\n');
	if (!end && size < (ev_ssize_t)sizeof(line) - 1)
		return;
	if (end)
		*end = '\0';
	take_line(guarded, line);
}

/*
 * A body in chunks is none that is taken: evhttp refuses the first that has a byte. Where one's
 * line does not end, the connection does.
 */
static void look_for_chunks(struct guarded *guarded, struct evbuffer *buffer, size_t added)
{
	uint8_t bytes[LINE_MAX_SIZE];
	struct evbuffer_ptr from;
	ev_ssize_t size;

	while (added > 0 && !guarded->chunks.over) {
		if (evbuffer_ptr_set(buffer, &from, evbuffer_get_length(buffer) - added,
				     EVBUFFER_PTR_SET) < 0)
			return;
		size = evbuffer_copyout_from(buffer, &from, bytes,
					     added < sizeof(bytes) ? added : sizeof(bytes));
		if (size <= 0)
			return;
		if (http_chunks_said(&guarded->chunks, BYTES(bytes, (size_t)size)))
			guarded->refused = limit_body(guarded, 0);
		added -= (size_t)size;
	}
}

/* @added: bytes at the buffer's end that are new */
static void look_at(struct guarded *guarded, struct evbuffer *buffer, size_t added)
{
	if (added == 0)
		return;
	if (guarded->refused && evbuffer_get_length(buffer) > REFUSED_MAX)
		(void)shutdown(bufferevent_getfd(guarded->bev), SHUT_RDWR);
	if (guarded->expects)
		look_for_line(guarded, buffer);
	look_for_chunks(guarded, buffer, added);
}

static void watch(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *context)
{
	look_at(context, buffer, info->n_added);
}

/* ---------------------------------------------------------------- its life */

bool http_guard_begin(struct http_listener *at, SSL *ssl)
{
	struct http_server *server = at->server;
	struct guarded *guarded = calloc(1, sizeof(*guarded));

	if (!guarded)
		return false;
	guarded->server = server;
	guarded->expects = true;
	guarded->patience = evtimer_new(server->base, lose_patience, guarded);
	if (!guarded->patience || SSL_set_ex_data(ssl, guarded_index, guarded) != 1) {
		if (guarded->patience)
			event_free(guarded->patience);
		free(guarded);
		return false;
	}
	if (++server->service->counts->connections >= server->limits.connections)
		http_accept_set_full(server, true);
	return true;
}

void http_guard_watch(SSL *ssl, struct bufferevent *bev)
{
	struct guarded *guarded = SSL_get_ex_data(ssl, guarded_index);

	guarded->bev = bev;
	(void)evbuffer_add_cb(bufferevent_get_input(bev), watch, guarded);
	wait_for(guarded, 0); /* who it is, it knows when this has returned */
}

/* NULL of a connection in the clear. */
static struct guarded *guarded_of(struct evhttp_connection *connection, SSL **ret_ssl)
{
	*ret_ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection));
	return *ret_ssl ? SSL_get_ex_data(*ret_ssl, guarded_index) : NULL;
}

void http_guard_let_stay(struct evhttp_connection *connection)
{
	SSL *ssl;
	struct guarded *guarded = guarded_of(connection, &ssl);

	if (guarded)
		(void)event_del(guarded->patience);
}

X509 *http_guard_request(struct evhttp_connection *connection)
{
	SSL *ssl;
	struct guarded *guarded = guarded_of(connection, &ssl);
	struct evbuffer *input;

	if (!guarded)
		return NULL;
	guarded->expects = true;
	guarded->chunks = (struct http_chunks){ 0 };
	guarded->refused = false;
	/* What has come already of the next one. */
	input = bufferevent_get_input(guarded->bev);
	look_at(guarded, input, evbuffer_get_length(input));
	wait_for(guarded, guarded->server->limits.timeout);
	return SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get1_peer_certificate(ssl) : NULL;
}
