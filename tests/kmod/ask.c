// SPDX-License-Identifier: MIT
/* Asks a service by Varlink: ask SOCKET MESSAGE prints the first answer, for tests in guests. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t size;
	char byte;

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fputs("Usage: ask SOCKET MESSAGE\n", stderr);
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	size = strlen(argv[2]) + 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, argv[2], size) != (ssize_t)size) {
		perror("ask");
		return 1;
	}
	while (read(fd, &byte, 1) == 1 && byte != '\0')
		putchar(byte);
	putchar('\n');
	close(fd);
	return 0;
}
