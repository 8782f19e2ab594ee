// SPDX-License-Identifier: MIT
/*
 * TLS, and what goes with a connection that strangers can open: it is counted, and ended when no
 * whole request came in its time, however busy it looks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http_internal.h"

/* Until its handshake is done a connection costs whoever opens it nothing. */
#define HANDSHAKE_SECONDS 10U

/**
 * struct guarded - a connection, for as long as its SSL lives
 * @patience: ends it
 * @greeted: its time for the handshake is over, and it is done
 */
struct guarded {
	struct http_server *server;
	struct bufferevent *bev;
	SSL *ssl;
	struct event *patience;
	bool greeted;
};

static int guarded_index = -1;
static pthread_once_t guarded_once = PTHREAD_ONCE_INIT;

/* Descriptors beyond the connections are the service's own: for its database and its files. */
static void let_in(struct http_server *server, bool in)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		struct evconnlistener *listener = server->listeners[i].listener;

		if (server->listeners[i].tls && listener)
			(void)(in ? evconnlistener_enable(listener) :
				    evconnlistener_disable(listener));
	}
}

/* libevent tells nobody that a connection has ended; OpenSSL tells that its SSL has. */
static void end_guarded(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argl,
			void *argp)
{
	struct guarded *guarded = pointer;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!guarded)
		return;
	if (--guarded->server->connections < guarded->server->limits.connections)
		let_in(guarded->server, true);
	event_free(guarded->patience);
	free(guarded);
}

static void make_index(void)
{
	guarded_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, end_guarded);
}

static void wait_for(struct guarded *guarded, unsigned int seconds)
{
	const struct timeval time = { .tv_sec = seconds };

	(void)event_add(guarded->patience, &time);
}

/* evhttp sees the end of the stream, and frees what it has of the connection. */
static void hang_up(evutil_socket_t fd, short what, void *context)
{
	struct guarded *guarded = context;
	unsigned int timeout = guarded->server->limits.timeout;

	(void)fd;
	(void)what;
	if (!guarded->greeted && timeout > HANDSHAKE_SECONDS &&
	    SSL_is_init_finished(guarded->ssl)) {
		guarded->greeted = true;
		wait_for(guarded, timeout - HANDSHAKE_SECONDS);
		return;
	}
	(void)shutdown(bufferevent_getfd(guarded->bev), SHUT_RDWR);
}

static int tls_failed(SSL_CTX *context, const char *what, struct assay_error *err)
{
	char text[256];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	SSL_CTX_free(context);
	return assay_fail(err, EINVAL, "%s cannot be used for TLS: %s", what, text);
}

int http_tls_context(const struct http_tls *tls, SSL_CTX **ret, struct assay_error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int verify = SSL_VERIFY_PEER | (tls->client_needed ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);

	(void)pthread_once(&guarded_once, make_index);
	if (!context || guarded_index < 0)
		return tls_failed(context, "OpenSSL", err);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1)
		return tls_failed(context, tls->certificate, err);
	if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) != 1)
		return tls_failed(context, tls->key, err);
	if (tls->client_ca) {
		if (SSL_CTX_load_verify_locations(context, tls->client_ca, NULL) != 1)
			return tls_failed(context, tls->client_ca, err);
		SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(tls->client_ca));
		SSL_CTX_set_verify(context, verify, NULL);
		SSL_CTX_set_session_id_context(context, (const unsigned char *)"fleet", 5);
	}
	*ret = context;
	return 0;
}

static struct guarded *guard(struct http_listener *at, SSL *ssl)
{
	struct guarded *guarded = calloc(1, sizeof(*guarded));

	if (!guarded)
		return NULL;
	guarded->server = at->server;
	guarded->ssl = ssl;
	guarded->patience = evtimer_new(at->server->base, hang_up, guarded);
	if (!guarded->patience || SSL_set_ex_data(ssl, guarded_index, guarded) != 1) {
		if (guarded->patience)
			event_free(guarded->patience);
		free(guarded);
		return NULL;
	}
	if (++at->server->connections >= at->server->limits.connections)
		let_in(at->server, false);
	return guarded;
}

int http_tls_check(const struct http_tls *tls, struct assay_error *err)
{
	SSL_CTX *context = NULL;
	int r = http_tls_context(tls, &context, err);

	SSL_CTX_free(context);
	return r;
}

/*
 * Where memory has run out the SSL has no key, so that the handshake fails: of NULL, evhttp would
 * make a connection in the clear.
 */
struct bufferevent *http_tls_connection(struct event_base *base, void *context)
{
	struct http_listener *at = context;
	SSL *ssl = SSL_new(at->tls);
	struct guarded *guarded = ssl ? guard(at, ssl) : NULL;
	struct bufferevent *bev = NULL;

	if (guarded)
		bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		SSL_free(ssl);
		abort(); /* systemd starts it anew; its answers were all committed */
	}
	guarded->bev = bev;
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	(void)bufferevent_priority_set(bev, 0);
	wait_for(guarded, at->server->limits.timeout < HANDSHAKE_SECONDS ?
				  at->server->limits.timeout :
				  HANDSHAKE_SECONDS);
	return bev;
}

/* NULL of a connection in the clear. */
static struct guarded *guarded_of(struct evhttp_connection *connection, SSL **ret_ssl)
{
	*ret_ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection));
	return *ret_ssl ? SSL_get_ex_data(*ret_ssl, guarded_index) : NULL;
}

void http_tls_let_stay(struct evhttp_connection *connection)
{
	SSL *ssl;
	struct guarded *guarded = guarded_of(connection, &ssl);

	if (guarded)
		(void)event_del(guarded->patience);
}

X509 *http_tls_request(struct evhttp_connection *connection)
{
	SSL *ssl;
	struct guarded *guarded = guarded_of(connection, &ssl);

	if (!guarded)
		return NULL;
	guarded->greeted = true;
	wait_for(guarded, guarded->server->limits.timeout);
	return SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get1_peer_certificate(ssl) : NULL;
}
