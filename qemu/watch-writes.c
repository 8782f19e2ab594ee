// SPDX-License-Identifier: MIT
/*
 * watch-writes SOCKET ADDRESS FILE OFFSET SIZE COMMAND [ARGUMENT]...: stops a guest after each of
 * its instructions that writes to SIZE bytes from the virtual ADDRESS on, and runs COMMAND then
 * if these bytes have changed; FILE is the guest's memory, where they are at OFFSET.
 *
 * SOCKET is QEMU's for gdb (run-guest --gdb), which is waited for; of gdb's remote protocol
 * ("GDB Remote Serial Protocol", in gdb's manual) no more is spoken than it takes. Ends with 0
 * when the guest has ended, and says how often it was stopped; with 1 when COMMAND fails, the
 * guest being left where it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKET_MAX 4096
#define CONNECT_TRIES 1000 /* of 10 ms */

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;

	fputs("watch-writes: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		die("'%s' is no number", text);
	return value;
}

/* ------------------------------------------------------------------ gdb's protocol */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die("cannot use the socket %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (int tries = 0; tries < CONNECT_TRIES; tries++) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		usleep(10000);
	}
	die("cannot connect to %s: %s", path, strerror(errno));
}

static void send_packet(int fd, const char *data)
{
	char packet[PACKET_MAX];
	unsigned int sum = 0;
	int size;

	for (const char *at = data; *at; at++)
		sum += (unsigned char)*at;
	size = snprintf(packet, sizeof(packet), "$%s#%02x", data, sum & 0xff);
	/* That it has ended is seen when it is read from. */
	if (write(fd, packet, (size_t)size) != size && errno != EPIPE)
		die("cannot write to QEMU: %s", strerror(errno));
}

/* The next packet, acknowledged; false when QEMU has ended. */
static bool receive_packet(FILE *gdb, int fd, char *data)
{
	size_t size = 0;
	int c;

	do
		c = fgetc(gdb);
	while (c == '+');
	if (c < 0)
		return false;
	if (c != '$')
		die("QEMU says something that is no packet: '%c'", c);
	while ((c = fgetc(gdb)) >= 0 && c != '#') {
		if (size == PACKET_MAX - 1)
			die("QEMU sends a packet that is too long");
		data[size++] = (char)c;
	}
	data[size] = '\0';
	/* The sum, two digits, which a local socket does not need. */
	for (int i = 0; i < 2; i++)
		if (fgetc(gdb) < 0)
			return false;
	if (write(fd, "+", 1) != 1 && errno != EPIPE)
		die("cannot write to QEMU: %s", strerror(errno));
	return true;
}

static void must_ask(FILE *gdb, int fd, const char *request)
{
	char packet[PACKET_MAX];
	bool good;

	send_packet(fd, request);
	/* That it has stopped for who connects is told at any time. */
	do
		good = receive_packet(gdb, fd, packet);
	while (good && packet[0] == 'T');
	if (!good || strcmp(packet, "OK") != 0)
		die("QEMU does not do %s: %s", request, good ? packet : "it has ended");
}

/* Until the guest stops again; false if it has ended instead. */
static bool resume(FILE *gdb, int fd, const char *how)
{
	char packet[PACKET_MAX];

	send_packet(fd, how);
	if (!receive_packet(gdb, fd, packet) || packet[0] == 'W' || packet[0] == 'X')
		return false;
	if (packet[0] != 'T')
		die("the guest stopped for another reason: %s", packet);
	return true;
}

/* ------------------------------------------------------------------ */
static void run(char **command)
{
	int status, error;
	pid_t pid;

	error = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
	if (error)
		die("cannot run %s: %s", command[0], strerror(error));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("%s was killed", command[0]);
	if (WEXITSTATUS(status))
		die("%s failed (status %d)", command[0], WEXITSTATUS(status));
}

int main(int count, char **arguments)
{
	uint64_t address, offset, size, stops = 0, changes = 0;
	char set[64], unset[64];
	const uint8_t *memory;
	uint8_t *before;
	FILE *gdb;
	int fd, file;

	if (count < 7)
		die("usage: watch-writes SOCKET ADDRESS FILE OFFSET SIZE COMMAND [ARGUMENT]...");
	/* QEMU may end at any time. */
	signal(SIGPIPE, SIG_IGN);
	address = number_of(arguments[2]);
	offset = number_of(arguments[4]);
	size = number_of(arguments[5]);
	fd = connect_to(arguments[1]);
	gdb = fdopen(fd, "r");
	file = open(arguments[3], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		die("cannot open %s: %s", arguments[3], strerror(errno));
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, file, (off_t)offset);
	before = malloc(size);
	if (!gdb || memory == MAP_FAILED || !before)
		die("cannot map %s: %s", arguments[3], strerror(errno));
	memcpy(before, memory, size);

	snprintf(set, sizeof(set), "Z2,%" PRIx64 ",%" PRIx64, address, size);
	snprintf(unset, sizeof(unset), "z2,%" PRIx64 ",%" PRIx64, address, size);
	must_ask(gdb, fd, set);
	while (resume(gdb, fd, "c")) {
		stops++;
		/* It stands before the instruction, which would be stopped at again. */
		must_ask(gdb, fd, unset);
		if (!resume(gdb, fd, "s"))
			break;
		must_ask(gdb, fd, set);
		if (memcmp(before, memory, size) == 0)
			continue;
		memcpy(before, memory, size);
		changes++;
		run(arguments + 6);
	}
	printf("%" PRIu64 " stops, after %" PRIu64 " of which the memory was another\n", stops,
	       changes);
	free(before);
	fclose(gdb);
	return 0;
}
