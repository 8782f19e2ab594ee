// SPDX-License-Identifier: MIT
#include "serve_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

static void tell_listening(int fd, const char *address, bool tls)
{
	struct sockaddr_storage name = { 0 };
	socklen_t size = sizeof(name);
	const struct sockaddr_in *four = (const struct sockaddr_in *)&name;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&name;
	unsigned int port = 0;

	if (getsockname(fd, (struct sockaddr *)&name, &size) == 0)
		port = name.ss_family == AF_INET  ? ntohs(four->sin_port) :
		       name.ss_family == AF_INET6 ? ntohs(six->sin6_port) :
						    0;
	fprintf(stderr, "<6>assay-fleet: listening at %s, port %u%s\n", address, port,
		tls ? ", TLS" : "");
}

/* A Unix socket is in the clear: whoever is behind it, such as nginx, has done TLS. */
static int add_socket(const struct serve_settings *settings, struct serve_sockets *sockets, int fd,
		      const char *address, bool local, struct assay_error *err)
{
	bool tls = !local && settings->tls.certificate;

	if (sockets->count == SERVE_SOCKETS_MAX)
		return assay_fail(err, EINVAL, "there are more than %d sockets", SERVE_SOCKETS_MAX);
	sockets->list[sockets->count++] = (struct serve_socket){ fd, tls };
	tell_listening(fd, address, tls);
	return 0;
}

static bool is_local_address(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

static bool is_local_socket(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} name = { 0 };
	socklen_t size = sizeof(name);

	if (getsockname(fd, &name.any, &size) < 0)
		return false;
	return name.any.sa_family == AF_INET  ? ntohl(name.four.sin_addr.s_addr) >> 24 == 127 :
	       name.any.sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&name.six.sin6_addr) :
						false;
}

static int refuse_plain(const char *address, struct assay_error *err)
{
	return assay_fail(err, EINVAL,
			  "without a certificate it listens only at addresses of this machine, "
			  "not at %s",
			  address);
}

int serve_sockets_open(const struct serve_settings *settings, struct serve_sockets *ret,
		       struct assay_error *err)
{
	int given = sd_listen_fds(1), r = 0;

	for (int i = 0; r == 0 && i < given; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		bool local = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0;

		if (!local && !settings->tls.certificate && !is_local_socket(fd))
			return refuse_plain("that of a socket of systemd's", err);
		r = add_socket(settings, ret, fd, "a socket of systemd's", local, err);
	}
	for (size_t i = 0; r == 0 && i < settings->listen_count; i++) {
		const char *address = settings->listen[i];
		bool local = address[0] == '/';
		int fd;

		if (!local && !settings->tls.certificate && !is_local_address(address))
			return refuse_plain(address, err);
		r = http_bind(address, &fd, err);
		if (r == 0)
			r = add_socket(settings, ret, fd, address, local, err);
	}
	if (r == 0 && given + (int)settings->listen_count == 0)
		r = assay_fail(err, EINVAL, "there is no address to listen at");
	return r;
}

int serve_sockets_listen(const struct serve_sockets *sockets, const struct http_tls *tls,
			 struct http_server *http, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sockets->count; i++)
		r = http_listen(http, sockets->list[i].fd, sockets->list[i].tls ? tls : NULL, err);
	return r;
}
