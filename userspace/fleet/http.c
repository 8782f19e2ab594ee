// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

#define HEADERS_MAX 16384

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET",	[HTTP_POST] = "POST",	  [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

static const char *const role_names[HTTP_ROLES] = {
	[HTTP_ANYBODY] = "anybody", [HTTP_DEVICE] = "device",	  [HTTP_AGENT] = "agent",
	[HTTP_VIEWER] = "viewer",   [HTTP_OPERATOR] = "operator", [HTTP_APPROVER] = "approver",
};

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

const char *http_role_name(enum http_role role)
{
	return role_names[role];
}

/* ---------------------------------------------------------------- answers */

static void call_free(struct http_call *call)
{
	X509_free(call->peer.certificate);
	free(call);
}

/* NULL: libevent knows the status's words. */
static const char *reason_of(int status)
{
	return status == 429 ? "Too Many Requests" : NULL; /* RFC 6585 */
}

static void send_answer(struct http_call *call, int status, const char *type, const void *data,
			size_t size)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(call->request);
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (body && evbuffer_add(body, data, size) == 0)
		evhttp_send_reply(call->request, status, reason_of(status), body);
	else
		evhttp_send_error(call->request, HTTP_INTERNAL, NULL);
	if (body)
		evbuffer_free(body);
	call->server->service->counts->served++;
	call_free(call);
}

void http_add_header(struct http_call *call, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(call->request), name, value);
}

void http_answer_json_as(struct http_call *call, int status, const char *type, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text)
		send_answer(call, status, type, text, strlen(text));
	else
		send_answer(call, HTTP_INTERNAL, "text/plain", "out of memory", 13);
	free(text);
}

void http_answer_json(struct http_call *call, int status, json_t *json)
{
	http_answer_json_as(call, status, "application/json", json);
}

void http_answer_bytes(struct http_call *call, const char *type, struct bytes bytes)
{
	send_answer(call, HTTP_OK, type, bytes.data, bytes.size);
}

void http_answer_error(struct http_call *call, int status, const char *format, ...)
{
	struct assay_error err;
	va_list args;

	va_start(args, format);
	vsnprintf(err.text, sizeof(err.text), format, args);
	va_end(args);
	http_answer_json(
		call, status,
		json_pack("{s:i, s:s, s:s}", "assay", 1, "type", "push-error", "error", err.text));
}

void http_answer_later(struct http_call *call, unsigned int seconds, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", seconds);
	http_add_header(call, "Retry-After", text);
	http_answer_error(call, HTTP_SERVUNAVAIL, "%s", why);
}

/* ---------------------------------------------------------------- streams */

/* Bytes that may wait for a client that does not read. */
#define STREAM_WAITING_MAX (1U << 20)

/* evhttp has taken the connection from a request that is not done: ending that frees it. */
static void stream_closed(struct evhttp_connection *connection, void *context)
{
	struct http_call *call = context;

	(void)connection;
	call->gone(call->gone_context);
	if (!evhttp_request_get_connection(call->request))
		evhttp_send_reply_end(call->request);
	call_free(call);
}

void http_stream_begin(struct http_call *call, const char *type, void (*gone)(void *context),
		       void *context)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(call->request);

	call->gone = gone;
	call->gone_context = context;
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_connection_set_closecb(evhttp_request_get_connection(call->request), stream_closed,
				      call);
	http_guard_let_stay(evhttp_request_get_connection(call->request));
	evhttp_send_reply_start(call->request, HTTP_OK, NULL);
	call->server->service->counts->served++;
}

bool http_stream_send(struct http_call *call, const char *text)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(call->request);
	struct evbuffer *waiting =
		bufferevent_get_output(evhttp_connection_get_bufferevent(connection));
	struct evbuffer *piece;
	bool sent;

	if (evbuffer_get_length(waiting) > STREAM_WAITING_MAX)
		return false;
	piece = evbuffer_new();
	sent = piece && evbuffer_add(piece, text, strlen(text)) == 0;
	if (sent)
		evhttp_send_reply_chunk(call->request, piece);
	if (piece)
		evbuffer_free(piece);
	return sent;
}

void http_stream_end(struct http_call *call)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(call->request), NULL, NULL);
	evhttp_send_reply_end(call->request);
	call_free(call);
}

/* ---------------------------------------------------------------- requests */

const char *http_header(const struct http_call *call, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(call->request), name);
}

bool http_query(const struct http_call *call, const char *name, char text[HTTP_PARAMETER_MAX])
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(call->request);
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL, *value;
	struct evkeyvalq values = { 0 };
	bool fits = true;

	text[0] = '\0';
	if (!query || evhttp_parse_query_str(query, &values) < 0)
		return true;
	value = evhttp_find_header(&values, name);
	if (value && strlen(value) < HTTP_PARAMETER_MAX)
		memcpy(text, value, strlen(value) + 1);
	else
		fits = !value;
	evhttp_clear_headers(&values);
	return fits;
}

/* One piece of a path, decoded; false if it is too long, or has a NUL. */
static bool decode(const char *from, size_t length, char text[HTTP_PARAMETER_MAX])
{
	char raw[3 * HTTP_PARAMETER_MAX], *decoded;
	size_t size = 0;
	bool fits;

	if (length >= sizeof(raw))
		return false;
	memcpy(raw, from, length);
	raw[length] = '\0';
	decoded = evhttp_uridecode(raw, 0, &size);
	fits = decoded && size < HTTP_PARAMETER_MAX && strlen(decoded) == size;
	if (fits)
		memcpy(text, decoded, size + 1);
	free(decoded);
	return fits;
}

bool http_path_matches(const char *pattern, const char *path, char parameter[HTTP_PARAMETER_MAX])
{
	parameter[0] = '\0';
	for (;;) {
		size_t wanted = strcspn(pattern, "/"), there = strcspn(path, "/");

		if (strcmp(pattern, "{...}") == 0)
			return path[0] != '\0' && decode(path, strlen(path), parameter);
		if (wanted == 2 && pattern[0] == '{') {
			if (there == 0 || !decode(path, there, parameter))
				return false;
		} else if (wanted != there || strncmp(pattern, path, there) != 0) {
			return false;
		}
		pattern += wanted;
		path += there;
		if (*pattern == '\0' || *path == '\0')
			return *pattern == *path;
		pattern++;
		path++;
	}
}

static bool take_method(enum evhttp_cmd_type command, enum http_method *ret)
{
	static const enum evhttp_cmd_type commands[HTTP_METHODS] = {
		[HTTP_GET] = EVHTTP_REQ_GET,	   [HTTP_POST] = EVHTTP_REQ_POST,
		[HTTP_PUT] = EVHTTP_REQ_PUT,	   [HTTP_PATCH] = EVHTTP_REQ_PATCH,
		[HTTP_DELETE] = EVHTTP_REQ_DELETE,
	};

	for (int i = 0; i < HTTP_METHODS; i++)
		if (commands[i] == command) {
			*ret = (enum http_method)i;
			return true;
		}
	return false;
}

/* NULL with the status to refuse by: no such path, or not by this method. */
static const struct http_route *find_route(struct http_call *call, int *ret_status)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(call->request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	enum http_method method = HTTP_METHODS;

	(void)take_method(evhttp_request_get_command(call->request), &method);
	*ret_status = HTTP_NOTFOUND;
	for (const struct http_route *route = call->server->service->routes; path && route->path;
	     route++) {
		if (!http_path_matches(route->path, path, call->parameter))
			continue;
		if (route->method == method)
			return route;
		*ret_status = HTTP_BADMETHOD;
	}
	return NULL;
}

static void take_peer(struct http_call *call)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(call->request);
	char *address = NULL;
	ev_uint16_t port = 0;

	if (!connection)
		return;
	evhttp_connection_get_peer(connection, &address, &port);
	snprintf(call->peer.address, sizeof(call->peer.address), "%s",
		 address && address[0] ? address : "local");
	call->peer.certificate = http_guard_request(connection);
	if (!call->server->service->proxy)
		return;
	if (!call->peer.certificate)
		call->peer.certificate = http_proxy_certificate(
			connection, http_header(call, HTTP_PROXY_CERTIFICATE));
	(void)http_proxy_address(connection, http_header(call, HTTP_PROXY_ADDRESS),
				 call->peer.address);
}

static void take_body(struct http_call *call)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->request);
	size_t size = evbuffer_get_length(body);

	call->body = BYTES(size > 0 ? evbuffer_pullup(body, -1) : NULL, size);
}

static void take_request(struct evhttp_request *request, void *context)
{
	struct http_server *server = context;
	struct http_call *call = calloc(1, sizeof(*call));
	struct assay_error err = { 0 };
	int status;

	if (!call) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	call->request = request;
	call->server = server;
	call->context = server->service->context;
	take_peer(call);
	call->route = find_route(call, &status);
	if (!call->route) {
		http_answer_error(call, status, "%s",
				  status == HTTP_NOTFOUND ? "there is nothing of that name" :
							    "not by this method");
		return;
	}
	status = server->service->authorise(call, &err);
	if (status != 0) {
		if (status == 401)
			http_add_header(call, "WWW-Authenticate", "Bearer");
		http_answer_error(call, status, "%s", err.text);
		return;
	}
	take_body(call);
	if (call->body.size > call->route->body_max) {
		http_answer_error(call, HTTP_ENTITYTOOLARGE,
				  "the body has %zu bytes; at most %zu are taken", call->body.size,
				  call->route->body_max);
		return;
	}
	call->route->handle(call);
}

/* ---------------------------------------------------------------- the server */

static struct evhttp *make_http(struct http_server *server)
{
	struct evhttp *http = evhttp_new(server->base);
	size_t body_max = 0;

	if (!http)
		return NULL;
	for (const struct http_route *route = server->service->routes; route->path; route++)
		if (route->body_max > body_max)
			body_max = route->body_max;
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, (ev_ssize_t)body_max);
	evhttp_set_timeout(http, (int)server->limits.timeout);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
						 EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
	evhttp_set_gencb(http, take_request, server);
	return http;
}

int http_new(struct event_base *base, const struct http_service *service,
	     const struct http_limits *limits, struct http_server **ret, struct assay_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return assay_fail(err, ENOMEM, "out of memory");
	*server = (struct http_server){ .base = base, .service = service, .limits = *limits };
	*ret = server;
	return 0;
}

int http_listen(struct http_server *server, int fd, const struct http_tls *tls,
		struct assay_error *err)
{
	struct http_listener *at;
	struct evhttp_bound_socket *bound;

	if (server->listener_count == HTTP_LISTENERS_MAX)
		return assay_fail(err, EINVAL, "there are more than %d sockets",
				  HTTP_LISTENERS_MAX);
	at = &server->listeners[server->listener_count];
	*at = (struct http_listener){ .server = server, .http = make_http(server) };
	if (!at->http)
		return assay_fail(err, ENOMEM, "out of memory");
	server->listener_count++;
	if (tls && http_tls_context(tls, &at->tls, err) < 0)
		return -err->code;
	evhttp_set_bevcb(at->http, tls ? http_tls_connection : http_plain_connection, at);
	evutil_make_socket_nonblocking(fd);
	bound = evhttp_accept_socket_with_handle(at->http, fd);
	if (!bound)
		return assay_fail(err, ENOMEM, "out of memory");
	at->listener = evhttp_bound_socket_get_listener(bound);
	return http_accept_begin(at, err);
}

void http_close(struct http_server *server)
{
	for (size_t i = 0; server && i < server->listener_count; i++) {
		http_accept_end(&server->listeners[i]);
		evhttp_free(server->listeners[i].http);
	}
}

void http_free(struct http_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < server->listener_count; i++)
		SSL_CTX_free(server->listeners[i].tls);
	free(server);
}
