// SPDX-License-Identifier: MIT
/*
 * tpm-proxy LISTEN CONTROL: stands between QEMU's "emulator" TPM and swtpm, so that a guest
 * can have its TPM be slow and fail, as tpm-proxy.h says.
 *
 * QEMU connects to the socket LISTEN as if it were swtpm's control socket; CONTROL is
 * swtpm's. Of the control channel everything is passed on as it comes, but for the
 * descriptor that QEMU sends along with CMD_SET_DATAFD, through which it would send
 * the TPM's commands: that one is kept, and swtpm gets another. Ends when QEMU does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tpm-proxy.h"

/* TPM 2.0 Library, part 2: 6.9, 6.6.3, 6.5.2; part 3: 22.2. */
#define TPM_ST_NO_SESSIONS 0x8001
#define TPM_RC_SUCCESS 0x000
#define TPM_RC_FAILURE 0x101
#define TPM_RC_RETRY 0x922
#define TPM_CC_PCR_EXTEND 0x182
#define TPM_HEADER 10

/* More than any command or answer of swtpm (TPM_BUFFER_MAX). */
#define MESSAGE_MAX 8192

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;

	fputs("tpm-proxy: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die("%s", path);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return address;
}

static int connect_to(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die("cannot connect to %s", path);
	return fd;
}

static int accept_one(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		die("cannot listen at %s", path);
	connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		die("nobody came to %s", path);
	close(fd);
	return connection;
}

/* ------------------------------------------------------------------ the control channel */
/* The TPM's commands: QEMU's end, and swtpm's. -1 before QEMU has sent its own. */
static int data_qemu = -1, data_swtpm = -1;

static bool receive(int fd, uint8_t *bytes, size_t *size, int *ret_descriptor)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { bytes, *size };
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	*ret_descriptor = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_descriptor, CMSG_DATA(header), sizeof(*ret_descriptor));
	*size = got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* @descriptor: sent along, if it is one */
static void send_all(int fd, const uint8_t *bytes, size_t size, int descriptor)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };

	while (size > 0) {
		struct iovec piece = { (void *)(uintptr_t)bytes, size };
		struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
		ssize_t sent;

		if (descriptor >= 0) {
			memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
			message.msg_control = &control;
			message.msg_controllen = sizeof(control);
		}
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent < 0)
			die("cannot send");
		descriptor = -1;
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* Passes on what has come; false when the other side is gone. */
static bool pass_control(int from, int to)
{
	uint8_t bytes[MESSAGE_MAX];
	size_t size = sizeof(bytes);
	int descriptor, pair[2];

	if (!receive(from, bytes, &size, &descriptor))
		return false;
	if (descriptor < 0) {
		send_all(to, bytes, size, -1);
		return true;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("cannot make sockets");
	if (data_qemu >= 0) {
		close(data_qemu);
		close(data_swtpm);
	}
	data_qemu = descriptor;
	data_swtpm = pair[0];
	send_all(to, bytes, size, pair[1]);
	close(pair[1]);
	return true;
}

/* ------------------------------------------------------------------ the TPM's commands */
static struct {
	uint32_t pcr;
	uint32_t delay_ms;
	uint32_t fault;
	uint32_t chance; /* of a thousand */
} mode;

static uint32_t get_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A whole command or answer; 0 when the other side is gone. */
static size_t read_message(int fd, uint8_t *message)
{
	size_t size = TPM_HEADER, have = 0;

	while (have < size) {
		ssize_t got = read(fd, message + have, size - have);

		if (got <= 0)
			return 0;
		have += (size_t)got;
		if (have == TPM_HEADER)
			size = get_u32(message + 2);
		if (size < TPM_HEADER || size > MESSAGE_MAX) {
			errno = EBADMSG;
			die("a message of %zu bytes", size);
		}
	}
	return size;
}

static size_t answer(uint8_t *message, uint32_t code)
{
	message[0] = TPM_ST_NO_SESSIONS >> 8;
	message[1] = TPM_ST_NO_SESSIONS & 0xff;
	put_u32(message + 2, TPM_HEADER);
	put_u32(message + 6, code);
	return TPM_HEADER;
}

static uint32_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static size_t set_mode(uint8_t *command, size_t size)
{
	if (size != TPM_HEADER + 16 || get_u32(command + 18) >= TPM_PROXY_FAULTS)
		return answer(command, TPM_RC_FAILURE);
	mode.pcr = get_u32(command + 10);
	mode.delay_ms = get_u32(command + 14);
	mode.fault = get_u32(command + 18);
	mode.chance = get_u32(command + 22);
	return answer(command, TPM_RC_SUCCESS);
}

/* Has swtpm do @message, which becomes the answer; returns its size, 0 if swtpm is gone. */
static size_t ask(uint8_t *message, size_t size)
{
	send_all(data_swtpm, message, size, -1);
	return read_message(data_swtpm, message);
}

static size_t do_extend(uint8_t *message, size_t size)
{
	uint32_t fault = next_random() % 1000 < mode.chance ? mode.fault : TPM_PROXY_NONE;

	if (mode.delay_ms) {
		const struct timespec delay = { mode.delay_ms / 1000,
						mode.delay_ms % 1000 * 1000000L };

		nanosleep(&delay, NULL);
	}
	if (fault == TPM_PROXY_FAIL || fault == TPM_PROXY_BUSY)
		return answer(message, fault == TPM_PROXY_FAIL ? TPM_RC_FAILURE : TPM_RC_RETRY);
	size = ask(message, size);
	if (fault == TPM_PROXY_DONE)
		return answer(message, TPM_RC_FAILURE);
	/* QEMU itself relies on the size. Were the code 0, the TPM would say that all is well. */
	for (size_t i = 0; fault == TPM_PROXY_GARBAGE && i < size; i++)
		if (i < 2 || i > 5)
			message[i] = (uint8_t)(next_random() | (i == 6));
	return size;
}

/* _TPM_Init and TPM2_Startup(TPM_SU_CLEAR). QEMU waits for us, and so sends nothing meanwhile. */
static size_t reset_tpm(uint8_t *message, int control)
{
	static const uint8_t init[] = { 0, 0, 0, 2 /* CMD_INIT */, 0, 0, 0, 0 /* no flags */ };
	static const uint8_t startup[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
	uint8_t result[4];

	send_all(control, init, sizeof(init), -1);
	if (recv(control, result, sizeof(result), MSG_WAITALL) != sizeof(result))
		return 0;
	if (get_u32(result) != 0)
		return answer(message, TPM_RC_FAILURE);
	memcpy(message, startup, sizeof(startup));
	return ask(message, sizeof(startup));
}

/* One command and its answer; false when either side is gone. */
static bool pass_command(int control)
{
	uint8_t message[MESSAGE_MAX];
	size_t size = read_message(data_qemu, message);
	uint32_t code;

	if (!size)
		return false;
	code = get_u32(message + 6);
	if (code == TPM_PROXY_COMMAND)
		size = set_mode(message, size);
	else if (code == TPM_PROXY_RESET)
		size = reset_tpm(message, control);
	else if (code == TPM_CC_PCR_EXTEND && size >= TPM_HEADER + 4 &&
		 get_u32(message + TPM_HEADER) == mode.pcr)
		size = do_extend(message, size);
	else
		size = ask(message, size);
	if (!size)
		return false;
	send_all(data_qemu, message, size, -1);
	return true;
}

int main(int argc, char **argv)
{
	int qemu, swtpm;

	if (argc != 3) {
		fputs("Usage: tpm-proxy LISTEN CONTROL\n", stderr);
		return 2;
	}
	qemu = accept_one(argv[1]);
	swtpm = connect_to(argv[2]);
	for (;;) {
		struct pollfd wait[] = { { .fd = qemu, .events = POLLIN },
					 { .fd = swtpm, .events = POLLIN },
					 { .fd = data_qemu, .events = POLLIN } };

		if (poll(wait, 3, -1) < 0)
			die("cannot wait");
		if (wait[0].revents && !pass_control(qemu, swtpm))
			return 0;
		if (wait[1].revents && !pass_control(swtpm, qemu))
			return 0;
		if (wait[2].revents && !pass_command(swtpm))
			return 0;
	}
}
