// SPDX-License-Identifier: MIT
/*
 * watch-writes SOCKET ADDRESS FILE OFFSET SIZE COMMAND [ARGUMENT]...: stops a guest after each of
 * its instructions that writes to SIZE bytes from the virtual ADDRESS on, and runs COMMAND then
 * if these bytes have changed; FILE is the guest's memory, where they are at OFFSET.
 *
 * watch-writes --trace TRACE BACK EXTEND SAID SOCKET ADDRESS FILE OFFSET SIZE: writes to TRACE, in
 * their order, what is stored there, and the calls of two functions of the kernel, given by their
 * addresses: BACK(start, size), which writes bytes back from the caches, and EXTEND(chip, pcr).
 * One line each, numbers in hexadecimal:
 *
 *	memory BYTES			what was there at first
 *	store OFFSET BYTES		what an instruction has changed
 *	back OFFSET SIZE SITE		of the function that calls BACK, who has called it: as far
 *					as that lies from the call of BACK in the code
 *	extend PCR
 *	# ...				a line of the file SAID, where that begins with "# "
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

/* The number in @size bytes that stand in @hex, the lowest first. */
static uint64_t number_in(const char *hex, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i-- > 0;) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1], '\0' }, *end;

		value = value << 8 | strtoul(byte, &end, 16);
		if (end != byte + 2)
			die("QEMU sends no number: %s", hex);
	}
	return value;
}

/* X0 to X30, SP and PC. */
#define REGISTERS 33

static void read_registers(FILE *gdb, int fd, uint64_t registers[REGISTERS])
{
	char packet[PACKET_MAX];

	send_packet(fd, "g");
	if (!receive_packet(gdb, fd, packet) || strlen(packet) < (size_t)16 * REGISTERS)
		die("QEMU does not give the registers");
	for (size_t i = 0; i < REGISTERS; i++)
		registers[i] = number_in(packet + 16 * i, 8);
}

static uint64_t read_word(FILE *gdb, int fd, uint64_t address)
{
	char packet[PACKET_MAX];

	snprintf(packet, sizeof(packet), "m%" PRIx64 ",8", address);
	send_packet(fd, packet);
	if (!receive_packet(gdb, fd, packet) || strlen(packet) != 16)
		die("QEMU does not read the memory at %#" PRIx64, address);
	return number_in(packet, 8);
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

/* ------------------------------------------------------------------ */
/**
 * struct watch - what is watched
 * @gdb: QEMU's answers
 * @fd: the socket
 * @address: in the guest
 * @size: bytes
 * @memory: the same bytes
 * @before: as they were when they were looked at last
 * @stops: how often the guest was stopped
 * @changes: how often they were others then
 */
struct watch {
	FILE *gdb;
	int fd;
	uint64_t address;
	uint64_t size;
	const uint8_t *memory;
	uint8_t *before;
	uint64_t stops;
	uint64_t changes;
};

static void open_watch(struct watch *watch, char **arguments)
{
	uint64_t offset = number_of(arguments[3]);
	int file;

	watch->address = number_of(arguments[1]);
	watch->size = number_of(arguments[4]);
	watch->fd = connect_to(arguments[0]);
	watch->gdb = fdopen(watch->fd, "r");
	file = open(arguments[2], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		die("cannot open %s: %s", arguments[2], strerror(errno));
	watch->memory = mmap(NULL, watch->size, PROT_READ, MAP_SHARED, file, (off_t)offset);
	watch->before = malloc(watch->size);
	if (!watch->gdb || watch->memory == MAP_FAILED || !watch->before)
		die("cannot map %s: %s", arguments[2], strerror(errno));
	memcpy(watch->before, watch->memory, watch->size);
}

static void ask_at(struct watch *watch, const char *what, uint64_t address, uint64_t size)
{
	char request[64];

	snprintf(request, sizeof(request), "%s,%" PRIx64 ",%" PRIx64, what, address, size);
	must_ask(watch->gdb, watch->fd, request);
}

/* From before an instruction at which the guest was stopped to behind it. */
static bool step_over_write(struct watch *watch)
{
	/* It would be stopped at again. */
	ask_at(watch, "z2", watch->address, watch->size);
	if (!resume(watch->gdb, watch->fd, "s"))
		return false;
	ask_at(watch, "Z2", watch->address, watch->size);
	return true;
}

static void watch_and_run(struct watch *watch, char **command)
{
	ask_at(watch, "Z2", watch->address, watch->size);
	while (resume(watch->gdb, watch->fd, "c")) {
		watch->stops++;
		if (!step_over_write(watch))
			break;
		if (memcmp(watch->before, watch->memory, watch->size) == 0)
			continue;
		memcpy(watch->before, watch->memory, watch->size);
		watch->changes++;
		run(command);
	}
}

/* ------------------------------------------------------------------ traces */
/* Addresses of code without what a processor may keep in their highest bits. */
#define CODE_MASK UINT64_C(0xffffffffff)

static void print_bytes(FILE *trace, const uint8_t *bytes, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		fprintf(trace, "%02x", bytes[i]);
	fputc('\n', trace);
}

static void trace_store(struct watch *watch, FILE *trace)
{
	uint64_t first = 0, end = watch->size;

	while (first < end && watch->before[first] == watch->memory[first])
		first++;
	if (first == end)
		return;
	while (watch->before[end - 1] == watch->memory[end - 1])
		end--;
	memcpy(watch->before + first, watch->memory + first, end - first);
	watch->changes++;
	fprintf(trace, "store %" PRIx64 " ", first);
	print_bytes(trace, watch->memory + first, end - first);
}

static void trace_back(struct watch *watch, FILE *trace, const uint64_t *registers)
{
	uint64_t offset = registers[0] - watch->address;
	/* The frame of who calls it: behind the frame before, where that goes on. */
	uint64_t site = read_word(watch->gdb, watch->fd, registers[29] + 8);

	if (offset < watch->size)
		fprintf(trace, "back %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", offset, registers[1],
			(site - registers[30]) & CODE_MASK);
}

/* What the guest has said since the last time, as far as its lines are complete. */
static void trace_said(FILE *said, FILE *trace)
{
	char line[1024];
	long at = ftell(said);

	while (fgets(line, sizeof(line), said) && strchr(line, '\n')) {
		if (strncmp(line, "# ", 2) == 0)
			fputs(line, trace);
		at = ftell(said);
	}
	fseek(said, at, SEEK_SET);
}

/* At the first instruction of a function: step behind it. */
static bool step_into(struct watch *watch, uint64_t function)
{
	ask_at(watch, "z0", function, 4);
	if (!resume(watch->gdb, watch->fd, "s"))
		return false;
	ask_at(watch, "Z0", function, 4);
	return true;
}

static void watch_and_trace(struct watch *watch, FILE *trace, uint64_t back, uint64_t extend,
			    FILE *said)
{
	bool running = true;

	fputs("memory ", trace);
	print_bytes(trace, watch->before, watch->size);
	ask_at(watch, "Z2", watch->address, watch->size);
	ask_at(watch, "Z0", back, 4);
	ask_at(watch, "Z0", extend, 4);
	while (running && resume(watch->gdb, watch->fd, "c")) {
		uint64_t registers[REGISTERS];

		watch->stops++;
		trace_said(said, trace);
		read_registers(watch->gdb, watch->fd, registers);
		if (registers[32] == back) {
			trace_back(watch, trace, registers);
			running = step_into(watch, back);
		} else if (registers[32] == extend) {
			fprintf(trace, "extend %" PRIx64 "\n", registers[1]);
			running = step_into(watch, extend);
		} else {
			running = step_over_write(watch);
		}
		trace_store(watch, trace);
	}
	trace_said(said, trace);
}

static FILE *must_open(const char *path, const char *how)
{
	FILE *file = fopen(path, how);

	if (!file)
		die("cannot open %s: %s", path, strerror(errno));
	return file;
}

int main(int count, char **arguments)
{
	struct watch watch = { 0 };

	/* QEMU may end at any time. */
	signal(SIGPIPE, SIG_IGN);
	if (count == 11 && strcmp(arguments[1], "--trace") == 0) {
		FILE *trace = must_open(arguments[2], "we"), *said = must_open(arguments[5], "re");

		open_watch(&watch, arguments + 6);
		watch_and_trace(&watch, trace, number_of(arguments[3]), number_of(arguments[4]),
				said);
		fclose(said);
		if (fclose(trace))
			die("cannot write %s: %s", arguments[2], strerror(errno));
	} else if (count >= 7) {
		open_watch(&watch, arguments + 1);
		watch_and_run(&watch, arguments + 6);
	} else {
		die("usage: watch-writes SOCKET ADDRESS FILE OFFSET SIZE COMMAND [ARGUMENT]... | "
		    "--trace TRACE BACK EXTEND SAID SOCKET ADDRESS FILE OFFSET SIZE");
	}
	printf("%" PRIu64 " stops, after %" PRIu64 " of which the memory was another\n",
	       watch.stops, watch.changes);
	free(watch.before);
	fclose(watch.gdb);
	return 0;
}
