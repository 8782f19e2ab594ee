// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "memory/value.h"

#define BACKLOG 16

static int open_socket(const struct sockaddr *address, socklen_t size)
{
	const int on = 1;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, size) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

/* What a service before has left; nothing else is removed. */
static int remove_old(const char *path, struct assay_error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 :
					 assay_fail(err, errno, "cannot look at %s: %s", path,
						    strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return assay_fail(err, EEXIST, "%s is there and is no socket; remove it", path);
	if (unlink(path) < 0)
		return assay_fail(err, errno, "cannot remove the old socket %s: %s", path,
				  strerror(errno));
	return 0;
}

static int give_to_group(const char *path, const char *name, struct assay_error *err)
{
	const struct group *group = getgrnam(name);

	if (!group)
		return assay_fail(
			err, ENOENT,
			"there is no group %s to give %s to; make it, or set group in [status]",
			name, path);
	if (group->gr_gid != getegid() && chown(path, (uid_t)-1, group->gr_gid) < 0)
		return assay_fail(err, errno,
				  "cannot give %s to group %s: %s; have the service's user be in "
				  "that group",
				  path, name, strerror(errno));
	if (chmod(path, 0660) < 0)
		return assay_fail(err, errno, "cannot set the mode of %s: %s", path,
				  strerror(errno));
	return 0;
}

int listener_open_unix(const char *path, const char *group, struct assay_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r = 0;
	mode_t mask;

	if (strlen(path) >= sizeof(address.sun_path))
		return assay_fail(err, ENAMETOOLONG,
				  "the socket's name %s is longer than %zu characters", path,
				  sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = remove_old(path, err);
	if (r < 0)
		return r;
	mask = umask(group[0] ? 0177 : 0111);
	fd = open_socket((const struct sockaddr *)&address, sizeof(address));
	(void)umask(mask);
	if (fd < 0)
		return assay_fail(err, -fd, "cannot listen on %s: %s", path, strerror(-fd));
	if (group[0])
		r = give_to_group(path, group, err);
	if (r < 0) {
		listener_close(fd, path);
		return r;
	}
	return fd;
}

/* "127.0.0.1:9808", "[::1]:9808" */
static bool parse_tcp(const char *text, struct sockaddr_in6 *six, struct sockaddr_in *four)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	char host[INET6_ADDRSTRLEN];
	size_t length;
	uint64_t port;

	if (!colon ||
	    value_unsigned(BYTES((const uint8_t *)colon + 1, strlen(colon + 1)), &port, NULL) < 0 ||
	    port == 0 || port > UINT16_MAX || (bracket && colon[-1] != ']'))
		return false;
	length = (size_t)(colon - text) - (bracket ? 2 : 0);
	if (length == 0 || length >= sizeof(host))
		return false;
	memcpy(host, text + bracket, length);
	host[length] = '\0';
	*six = (struct sockaddr_in6){ .sin6_family = bracket ? AF_INET6 : AF_UNSPEC,
				      .sin6_port = htons((uint16_t)port) };
	*four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	return bracket ? inet_pton(AF_INET6, host, &six->sin6_addr) == 1 :
			 inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

int listener_open_tcp(const char *address, struct assay_error *err)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	int fd;

	if (!parse_tcp(address, &six, &four))
		return assay_fail(err, EINVAL,
				  "'%s' is no address to listen on: it must be as 127.0.0.1:9808 "
				  "or [::1]:9808",
				  address);
	if (six.sin6_family == AF_INET6)
		fd = open_socket((const struct sockaddr *)&six, sizeof(six));
	else
		fd = open_socket((const struct sockaddr *)&four, sizeof(four));
	if (fd < 0)
		return assay_fail(err, -fd, "cannot listen on %s: %s", address, strerror(-fd));
	return fd;
}

void listener_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	if (path)
		(void)unlink(path);
	close(fd);
}
