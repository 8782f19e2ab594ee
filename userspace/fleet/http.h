/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 (RFC 9112) by libevent's evhttp, in the clear at a Unix socket or an address of the same
 * machine, or over TLS: a table of routes, bodies that are bounded, connections that are counted
 * and do not stay open for nothing. It knows nothing of what is served.
 */
#ifndef ASSAY_FLEET_HTTP_H
#define ASSAY_FLEET_HTTP_H

#include <event2/event.h>
#include <jansson.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "http_addresses.h"

/* Bytes of a path's parameter, and of a query's value, with the NUL. */
#define HTTP_PARAMETER_MAX 192

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_METHODS };

/* http_method_name() - "GET" ... */
const char *http_method_name(enum http_method method);

/* Who may call a route. What each may, the next may too, but for devices and agents. */
enum http_role {
	HTTP_ANYBODY,
	HTTP_DEVICE, /* the device that the path names */
	HTTP_AGENT,  /* the same, which has proved that it is by a session of Keylime's */
	HTTP_VIEWER,
	HTTP_OPERATOR,
	HTTP_APPROVER,
	HTTP_ROLES,
};

/* http_role_name() - "anybody", "device", ... */
const char *http_role_name(enum http_role role);

struct http_call;

/**
 * struct http_route - one method of one path
 * @path: a segment "{}" takes any text, and "{...}" as the last one all that is left
 * @body_max: bytes of a body; 0: it has none
 * @handle: answers, now or later, once
 * @summary: what it does, for people
 */
struct http_route {
	enum http_method method;
	const char *path;
	enum http_role role;
	size_t body_max;
	void (*handle)(struct http_call *call);
	const char *summary;
};

/* struct http_peer - who is at the other end; @certificate: the client's, checked; NULL if none */
struct http_peer {
	char address[64];
	X509 *certificate;
};

/**
 * struct http_call - a request
 * @parameter: what "{}" stood for, decoded; "" if there is none
 * @body: lives as long as the call
 * @who: for audit: filled by the authorising function
 * @context: of the server's
 */
struct http_call {
	const struct http_route *route;
	char parameter[HTTP_PARAMETER_MAX];
	struct bytes body;
	struct http_peer peer;
	char who[HTTP_PARAMETER_MAX + 16];
	void *context;
	struct evhttp_request *request;
	struct http_server *server;
	void (*gone)(void *context);
	void *gone_context;
};

/* struct http_counts - @connections: that are open over TLS; @served: calls that were answered */
struct http_counts {
	uint64_t connections, served;
};

/**
 * struct http_service - what is served
 * @routes: ended by one without a path
 * @authorise: is this caller let in? Return: 0; or the status to refuse with, with *err set
 * @context: for both
 * @counts: where they are kept; not NULL
 * @proxy: who is behind a Unix socket says which certificate the client has shown, and its address
 */
struct http_service {
	const struct http_route *routes;
	int (*authorise)(struct http_call *call, struct assay_error *err);
	void *context;
	struct http_counts *counts;
	bool proxy;
};

/* Of who is behind a Unix socket: the client's certificate, in PEM, escaped as in a URL. */
#define HTTP_PROXY_CERTIFICATE "X-Client-Certificate"
/* And its address, of IPv4 or IPv6. */
#define HTTP_PROXY_ADDRESS "X-Client-Address"

/**
 * struct http_limits - @timeout: seconds that a connection may be idle, or take for one request;
 * @connections: over TLS at a time; @shared: other processes listen at the same sockets
 * @addresses: of all of them, of which this is @process
 */
struct http_limits {
	unsigned int timeout;
	unsigned int connections;
	bool shared;
	struct http_addresses *addresses;
	unsigned int process;
};

/**
 * struct http_tls - files in PEM; @client_ca: NULL: no certificate is asked for
 * @client_needed: who shows none is not let in
 */
struct http_tls {
	const char *certificate, *key, *client_ca;
	bool client_needed;
};

struct http_server;

/* http_new() - @service and what it points to stay the caller's */
int http_new(struct event_base *base, const struct http_service *service,
	     const struct http_limits *limits, struct http_server **ret, struct assay_error *err);
/* http_close() - end all connections: the last of it is done by event_base_free(). Does nothing
 * with NULL
 */
void http_close(struct http_server *server);
/* http_free() - after http_close() and event_base_free(); does nothing with NULL */
void http_free(struct http_server *server);

/*
 * http_listen() - answer at a socket that listens
 * @fd: taken over
 * @tls: NULL: in the clear
 */
int http_listen(struct http_server *server, int fd, const struct http_tls *tls,
		struct assay_error *err);

/* http_tls_check() - can these files be used? */
int http_tls_check(const struct http_tls *tls, struct assay_error *err);

/*
 * http_bind() - a socket that listens
 * @address: ADDRESS:PORT, [ADDRESS]:PORT, or the absolute path of a Unix socket, which is made anew
 * @ret: its descriptor
 */
int http_bind(const char *address, int *ret, struct assay_error *err);

/* http_query() - a value of the query, decoded; "" if it is not there; false if it is too long */
bool http_query(const struct http_call *call, const char *name, char text[HTTP_PARAMETER_MAX]);

/* http_header() - of the request; NULL if it is not there */
const char *http_header(const struct http_call *call, const char *name);

/* http_add_header() - to the answer */
void http_add_header(struct http_call *call, const char *name, const char *value);

/* Each answers a call, which is gone then. */

/* http_answer_json() - @json: taken over; NULL, which jansson gives without memory, is a 500 */
void http_answer_json(struct http_call *call, int status, json_t *json);
/* http_answer_json_as() - of that media type */
void http_answer_json_as(struct http_call *call, int status, const char *type, json_t *json);
void http_answer_bytes(struct http_call *call, const char *type, struct bytes bytes);
/* http_answer_error() - of type push-error (assay-push(7)), with a sentence for people */
void http_answer_error(struct http_call *call, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* http_answer_later() - 503: come back in so many seconds */
void http_answer_later(struct http_call *call, unsigned int seconds, const char *why);

/*
 * http_stream_begin() - an answer without an end, sent bit by bit; the caller holds the call
 * @gone: called once when the client has gone; the call is gone with it then
 */
void http_stream_begin(struct http_call *call, const char *type, void (*gone)(void *context),
		       void *context);
/* http_stream_send() - false where nothing was sent, since the client does not read what it has */
bool http_stream_send(struct http_call *call, const char *text);
/* http_stream_end() - the caller ends it: @gone is not called */
void http_stream_end(struct http_call *call);

#endif /* ASSAY_FLEET_HTTP_H */
