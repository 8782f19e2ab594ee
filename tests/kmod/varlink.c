// SPDX-License-Identifier: MIT
/*
 * varlink SOCKET METHOD [PARAMETERS]: one call of Varlink, with parameters as JSON, and its reply
 * on standard output. Exit status: 0 a reply, 1 an error in it, 2 none. For guests, which have no
 * varlinkctl.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static char reply[16U << 20];
	char call[65536];
	size_t size = 0;
	ssize_t n;
	int fd, length;

	if (argc < 3 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	length = snprintf(call, sizeof(call), "{\"method\": \"%s\", \"parameters\": %s}", argv[2],
			  argc > 3 ? argv[3] : "{}");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (length < 0 || (size_t)length >= sizeof(call) || fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, call, (size_t)length + 1) != length + 1) {
		perror(argv[1]);
		return 2;
	}
	while (size < sizeof(reply) - 1 && !memchr(reply, 0, size)) {
		n = read(fd, reply + size, sizeof(reply) - 1 - size);
		if (n <= 0) {
			fputs("no reply\n", stderr);
			return 2;
		}
		size += (size_t)n;
	}
	puts(reply);
	return strncmp(reply, "{\"error\"", strlen("{\"error\"")) == 0;
}
