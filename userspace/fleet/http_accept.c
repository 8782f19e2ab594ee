// SPDX-License-Identifier: MIT
/* When connections are accepted, and by whom of several processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "http_internal.h"

/*
 * Who finds connections at a socket that others listen at as well takes so many, and leaves them
 * some microseconds: else one would have all of those that come at once, and keep them.
 */
#define BURST 8
/* Over TLS come many, each for itself, and a processor that others use as well lets a process
 * accept so many only each time that it has its turn. */
#define BURST_TLS 64
#define BREATH_MICROSECONDS 5000

/* Descriptors beyond the connections are the service's own: for its database and its files. */
void http_accept_set_full(struct http_server *server, bool full)
{
	server->full = full;
	for (size_t i = 0; i < server->listener_count; i++) {
		struct http_listener *at = &server->listeners[i];

		if (!at->tls || !at->listener)
			continue;
		if (full)
			(void)evconnlistener_disable(at->listener);
		else if (!at->rests)
			(void)evconnlistener_enable(at->listener);
	}
}

static void take_breath(evutil_socket_t fd, short what, void *context)
{
	struct http_listener *at = context;

	(void)fd;
	(void)what;
	at->rests = false;
	at->burst = 0;
	if (!at->tls || !at->server->full)
		(void)evconnlistener_enable(at->listener);
}

void http_accept_note(struct http_listener *at)
{
	const struct timeval breath = { .tv_usec = BREATH_MICROSECONDS };

	if (!at->server->limits.shared || ++at->burst < (at->tls ? BURST_TLS : BURST) || at->rests)
		return;
	at->rests = event_add(at->breath, &breath) == 0;
	if (at->rests)
		(void)evconnlistener_disable(at->listener);
}

/* Requests are taken before what works on them, so that many are worked on at once. */
struct bufferevent *http_plain_connection(struct event_base *base, void *context)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (bev)
		(void)bufferevent_priority_set(bev, 0);
	http_accept_note(context);
	return bev;
}

static void resume_listener(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(context);
}

/*
 * Descriptors have run out: wait for some, rather than ask for one again at once. The context is
 * evhttp's, which made the listener its own.
 */
static void pause_listener(struct evconnlistener *listener, void *context)
{
	const struct timeval pause = { .tv_usec = 100000 };

	(void)context;
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, resume_listener,
			    listener, &pause) == 0)
		evconnlistener_disable(listener);
}

int http_accept_begin(struct http_listener *at, struct assay_error *err)
{
	at->breath = evtimer_new(at->server->base, take_breath, at);
	if (!at->breath)
		return assay_fail(err, ENOMEM, "out of memory");
	evconnlistener_set_error_cb(at->listener, pause_listener);
	return 0;
}

void http_accept_end(struct http_listener *at)
{
	at->listener = NULL; /* ends with its evhttp */
	if (at->breath)
		event_free(at->breath);
}
