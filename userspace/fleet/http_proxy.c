// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "http_internal.h"

static bool is_unix(struct evhttp_connection *connection)
{
	struct sockaddr_storage name = { 0 };
	socklen_t size = sizeof(name);
	evutil_socket_t fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));

	return fd >= 0 && getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
	       name.ss_family == AF_UNIX;
}

X509 *http_proxy_certificate(struct evhttp_connection *connection, const char *header)
{
	CLEANUP(bio_free_pointer) BIO *bio = NULL;
	CLEANUP(free_pointer) char *pem = NULL;
	size_t size = 0;

	if (!header || !is_unix(connection))
		return NULL;
	pem = evhttp_uridecode(header, 0, &size);
	bio = pem ? BIO_new_mem_buf(pem, (int)size) : NULL;
	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

bool http_proxy_address(struct evhttp_connection *connection, const char *header,
			char ret[INET6_ADDRSTRLEN])
{
	struct in6_addr bytes; /* has room for one of IPv4 */

	if (!header || strlen(header) >= INET6_ADDRSTRLEN || !is_unix(connection) ||
	    (inet_pton(AF_INET, header, &bytes) != 1 && inet_pton(AF_INET6, header, &bytes) != 1))
		return false;
	memcpy(ret, header, strlen(header) + 1);
	return true;
}
