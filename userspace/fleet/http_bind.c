// SPDX-License-Identifier: MIT
/* Sockets that listen. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http.h"

#define BACKLOG 1024

static int failed(const char *address, int fd, struct assay_error *err)
{
	int code = errno;

	if (fd >= 0)
		(void)close(fd);
	return assay_fail(err, code, "cannot listen at %s: %s", address, strerror(code));
}

/* One that a process before left is in the way, and nobody is behind it. */
static int bind_unix(const char *path, int *ret, struct assay_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return assay_fail(err, EINVAL, "the socket's path %s is too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(path, fd, err);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		(void)close(fd);
		return assay_fail(err, EADDRINUSE, "another process listens at %s", path);
	}
	if (errno == ECONNREFUSED)
		(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return failed(path, fd, err);
	*ret = fd;
	return 0;
}

static int bind_info(const char *text, const struct addrinfo *info, int *ret,
		     struct assay_error *err)
{
	int one = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return failed(text, fd, err);
	*ret = fd;
	return 0;
}

static int bind_address(const char *text, int *ret, struct assay_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	const char *port = strrchr(text, ':');
	struct addrinfo *info = NULL;
	char host[64];
	size_t length;
	int r;

	if (!port)
		return assay_fail(err, EINVAL, "%s must be ADDRESS:PORT or an absolute path", text);
	length = (size_t)(port - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(host))
		return assay_fail(err, EINVAL, "%s must be ADDRESS:PORT or an absolute path", text);
	memcpy(host, text, length);
	host[length] = '\0';
	r = getaddrinfo(host, port + 1, &hints, &info);
	if (r != 0)
		return assay_fail(err, EINVAL, "%s is no address with a port: %s", text,
				  gai_strerror(r));
	r = bind_info(text, info, ret, err);
	freeaddrinfo(info);
	return r;
}

int http_bind(const char *address, int *ret, struct assay_error *err)
{
	return address[0] == '/' ? bind_unix(address, ret, err) : bind_address(address, ret, err);
}
