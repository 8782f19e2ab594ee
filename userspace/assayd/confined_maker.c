// SPDX-License-Identifier: MIT
/*
 * The service asks over a socket, with the input and the child's output as descriptors, so that no
 * input ever comes into the memory that later children are copies of. A child is the service's, not
 * the maker's (CLONE_PARENT): the service watches, ends and reaps it.
 */
#define _GNU_SOURCE
#include "confined_maker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "confine/confine.h"
#include "confined_child.h"

/* struct task - a child that is to be made; the function is at one place in all copies */
struct task {
	confined_function function;
	struct confined_limits limits;
	size_t input_size;
};

enum { INPUT, OUTPUT, DESCRIPTORS };

/* Seconds that it takes to make one, at most. */
#define PATIENCE 10

/* A message with its descriptors. */
union control {
	struct cmsghdr head;
	uint8_t bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

/**
 * struct maker - the service's end
 * @fd: -1: it was not started, or has failed
 * @pid: 0: it was not started, or has been reaped
 * @child: NULL: nobody watches it
 */
static struct maker {
	pid_t pid;
	int fd;
	struct loop_child *child;
	confined_ended ended;
	void *context;
} maker = { 0, -1, NULL, NULL, NULL };

/* ---------------------------------------------------------------- in the maker */

static struct msghdr message_of(struct iovec *data, union control *control)
{
	return (struct msghdr){ .msg_iov = data,
				.msg_iovlen = 1,
				.msg_control = control->bytes,
				.msg_controllen = sizeof(control->bytes) };
}

/* Return: false at the end, and for what the service does not send */
static bool receive(int fd, struct task *task, int descriptors[DESCRIPTORS])
{
	struct iovec data = { task, sizeof(*task) };
	union control control;
	struct msghdr message = message_of(&data, &control);
	const struct cmsghdr *head;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != sizeof(*task))
		return false;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_len != CMSG_LEN(DESCRIPTORS * sizeof(int)))
		return false;
	memcpy(descriptors, CMSG_DATA(head), DESCRIPTORS * sizeof(int));
	return true;
}

static void __attribute__((noreturn))
become_child(const struct task *task, const int descriptors[DESCRIPTORS])
{
	struct bytes input = BYTES(NULL, task->input_size);

	if (input.size > 0)
		input.data = mmap(NULL, input.size, PROT_READ, MAP_PRIVATE, descriptors[INPUT], 0);
	confined_child(descriptors[OUTPUT], task->function, input, &task->limits);
}

/* As fork(), but the child is one of the service. This process has one thread. */
static pid_t make_child(void)
{
	const pid_t pid = (pid_t)syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), 0L, 0L, 0L, 0L);

	return pid < 0 ? -errno : pid;
}

static void __attribute__((noreturn)) make_children(int socket)
{
	const int fd = STDERR_FILENO + 1;
	int descriptors[DESCRIPTORS];
	struct task task;
	pid_t pid;

	if (dup2(socket, fd) < 0 || close_range((unsigned int)fd + 1, ~0U, 0) < 0 ||
	    confine_privileges() < 0)
		_exit(1);
	while (receive(fd, &task, descriptors)) {
		pid = make_child();
		if (pid == 0)
			become_child(&task, descriptors);
		close(descriptors[INPUT]);
		close(descriptors[OUTPUT]);
		if (send(fd, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
			break;
	}
	/* To exit is to say that it could not confine itself, as no other could: see service.c. */
	raise(SIGKILL);
	_exit(1);
}

/* ---------------------------------------------------------------- in the service */

int confined_start(struct assay_error *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return assay_fail(err, errno, "cannot make a pair of sockets: %s", strerror(errno));
	maker.pid = fork();
	if (maker.pid == 0)
		make_children(fds[1]);
	close(fds[1]);
	if (maker.pid < 0) {
		close(fds[0]);
		maker.pid = 0;
		return assay_fail(err, errno, "cannot start a process: %s", strerror(errno));
	}
	maker.fd = fds[0];
	/* Somebody may have stopped it. */
	(void)setsockopt(maker.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

/* It is asked nothing any more; whoever watches it is told of its end. */
static void end_maker(void)
{
	if (maker.fd >= 0)
		close(maker.fd);
	maker.fd = -1;
	if (maker.pid > 0)
		kill(maker.pid, SIGKILL);
}

static void maker_ended(void *context, pid_t pid, int status)
{
	(void)context;
	(void)pid;
	maker.child = NULL;
	maker.pid = 0;
	end_maker();
	maker.ended(maker.context, status);
}

int confined_watch(struct loop *loop, confined_ended ended, void *context, struct assay_error *err)
{
	int r = loop_child_add(loop, maker.pid, maker_ended, NULL, &maker.child, err);

	/* It has been reaped then. */
	if (r < 0)
		maker.pid = 0;
	maker.ended = ended;
	maker.context = context;
	return r;
}

void confined_stop(void)
{
	end_maker();
	if (maker.child)
		loop_child_free(maker.child);
	else if (maker.pid > 0)
		(void)waitpid(maker.pid, NULL, 0);
	maker.child = NULL;
	maker.pid = 0;
}

/* A file in memory that has the input. */
static int put_input(struct bytes input, struct assay_error *err)
{
	const int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return assay_fail(err, errno, "cannot make a file in memory: %s", strerror(errno));
	while (input.size > 0) {
		const ssize_t size = write(fd, input.data, input.size);
		struct bytes written;

		if (size < 0) {
			const int code = errno;

			close(fd);
			return assay_fail(err, code, "cannot write a file in memory: %s",
					  strerror(code));
		}
		(void)bytes_take(&input, (size_t)size, &written);
	}
	return fd;
}

static bool send_task(const struct task *task, const int descriptors[DESCRIPTORS])
{
	struct iovec data = { (void *)task, sizeof(*task) };
	union control control = { 0 };
	struct msghdr message = message_of(&data, &control);
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(DESCRIPTORS * sizeof(int));
	memcpy(CMSG_DATA(head), descriptors, DESCRIPTORS * sizeof(int));
	return sendmsg(maker.fd, &message, MSG_NOSIGNAL) == sizeof(*task);
}

/* Where there is a time limit, that the process was stopped or the machine slept is EINTR. */
static bool receive_pid(pid_t *ret)
{
	ssize_t size;

	do {
		size = recv(maker.fd, ret, sizeof(*ret), 0);
	} while (size < 0 && errno == EINTR);
	return size == sizeof(*ret);
}

pid_t confined_maker_make(confined_function function, struct bytes input,
			  const struct confined_limits *limits, int output, struct assay_error *err)
{
	const struct task task = { function, *limits, input.size };
	CLEANUP(close_descriptor) int fd = put_input(input, err);
	pid_t pid = 0;

	if (fd < 0)
		return fd;
	if (!send_task(&task, (const int[DESCRIPTORS]){ fd, output }) || !receive_pid(&pid)) {
		/* For good: an answer that comes later is none to the next task. */
		end_maker();
		return assay_fail(err, ECHILD, "the process that parsers are copies of has ended");
	}
	return pid > 0 ? pid : assay_fail(err, -pid, "cannot start a process: %s", strerror(-pid));
}
