// SPDX-License-Identifier: MIT
/* TLS. What goes with a connection that strangers can open is in http_guard.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "http_internal.h"

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

	if (!context || !http_guard_possible())
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
	bool guarded = ssl && http_guard_begin(at, ssl);
	struct bufferevent *bev = NULL;

	if (guarded)
		bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		SSL_free(ssl);
		abort(); /* systemd starts it anew; its answers were all committed */
	}
	http_accept_note(at);
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	(void)bufferevent_priority_set(bev, 0);
	http_guard_watch(ssl, bev);
	return bev;
}
