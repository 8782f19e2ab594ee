/* SPDX-License-Identifier: MIT */
/* Inside http*.c. Nobody else includes this. */
#ifndef ASSAY_FLEET_HTTP_INTERNAL_H
#define ASSAY_FLEET_HTTP_INTERNAL_H

#include <event2/http.h>
#include <openssl/ssl.h>

#include "http.h"

#define HTTP_LISTENERS_MAX 8

/* struct http_listener - a socket; @tls: NULL: in the clear */
struct http_listener {
	struct http_server *server;
	struct evhttp *http;
	struct evconnlistener *listener;
	SSL_CTX *tls;
};

struct http_server {
	struct event_base *base;
	const struct http_service *service;
	struct http_limits limits;
	struct http_listener listeners[HTTP_LISTENERS_MAX];
	size_t listener_count;
	unsigned int connections;
	uint64_t served;
};

/* http_path_matches() - does a route's path take this one? With what "{}" stands for. */
bool http_path_matches(const char *pattern, const char *path, char parameter[HTTP_PARAMETER_MAX]);

/* http_tls_context() - what connections over TLS are made of */
int http_tls_context(const struct http_tls *tls, SSL_CTX **ret, struct assay_error *err);

/* http_tls_connection() - for evhttp_set_bevcb(); @context: the struct http_listener */
struct bufferevent *http_tls_connection(struct event_base *base, void *context);

/*
 * http_tls_request() - a request has come whole: its connection has its time anew
 * Return: the client's certificate, if it showed one that was accepted; X509_free() it
 */
X509 *http_tls_request(struct evhttp_connection *connection);

/* http_tls_let_stay() - the connection is a stream's: it may stay as long as it can be written to
 */
void http_tls_let_stay(struct evhttp_connection *connection);

#endif /* ASSAY_FLEET_HTTP_INTERNAL_H */
