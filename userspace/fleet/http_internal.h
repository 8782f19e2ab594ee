/* SPDX-License-Identifier: MIT */
/* Inside http*.c. Nobody else includes this. */
#ifndef ASSAY_FLEET_HTTP_INTERNAL_H
#define ASSAY_FLEET_HTTP_INTERNAL_H

#include <event2/http.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "http.h"

#define HTTP_LISTENERS_MAX 8

/**
 * struct http_listener - a socket
 * @tls: NULL: in the clear
 * @burst: connections that were accepted since it last rested; @rests: it does now, and @breath
 *         ends that
 */
struct http_listener {
	struct http_server *server;
	struct evhttp *http;
	struct evconnlistener *listener;
	SSL_CTX *tls;
	unsigned int burst;
	bool rests;
	struct event *breath;
};

struct http_server {
	struct event_base *base;
	const struct http_service *service;
	struct http_limits limits;
	struct http_listener listeners[HTTP_LISTENERS_MAX];
	size_t listener_count;
	bool full; /* of connections over TLS */
};

/* http_path_matches() - does a route's path take this one? With what "{}" stands for. */
bool http_path_matches(const char *pattern, const char *path, char parameter[HTTP_PARAMETER_MAX]);

/* http_accept_begin() - of a socket whose .listener is there; http_accept_end() - evhttp ends next
 */
int http_accept_begin(struct http_listener *at, struct assay_error *err);
void http_accept_end(struct http_listener *at);

/* http_accept_note() - a connection was accepted */
void http_accept_note(struct http_listener *at);

/* http_accept_set_full() - accept no more over TLS, or some again */
void http_accept_set_full(struct http_server *server, bool full);

/* http_plain_connection() - as http_tls_connection(), in the clear */
struct bufferevent *http_plain_connection(struct event_base *base, void *context);

/* http_tls_context() - what connections over TLS are made of */
int http_tls_context(const struct http_tls *tls, SSL_CTX **ret, struct assay_error *err);

/* http_tls_connection() - for evhttp_set_bevcb(); @context: the struct http_listener */
struct bufferevent *http_tls_connection(struct event_base *base, void *context);

/* http_guard_possible() - false without memory */
bool http_guard_possible(void);

/* http_guard_begin() - for a connection that is made; false without memory */
bool http_guard_begin(struct http_listener *at, SSL *ssl);

/* http_guard_watch() - its bufferevent is there */
void http_guard_watch(SSL *ssl, struct bufferevent *bev);

/*
 * http_guard_request() - a request has come whole: its connection has its time anew
 * Return: the client's certificate, if it showed one that was accepted; X509_free() it
 */
X509 *http_guard_request(struct evhttp_connection *connection);

/*
 * http_proxy_certificate() - the client's, of whoever is behind a Unix socket, who has checked it
 * @header: PEM, with what is special in URLs escaped; NULL: there is none
 *
 * Return: X509_free() it; NULL of another socket, and for what is no certificate
 */
X509 *http_proxy_certificate(struct evhttp_connection *connection, const char *header);

/* http_proxy_address() - the address that it says is the client's; false: it says none */
bool http_proxy_address(struct evhttp_connection *connection, const char *header,
			char ret[INET6_ADDRSTRLEN]);

/* http_guard_let_stay() - the connection is a stream's: it may stay as long as it can be written to
 */
void http_guard_let_stay(struct evhttp_connection *connection);

#endif /* ASSAY_FLEET_HTTP_INTERNAL_H */
