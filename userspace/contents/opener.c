// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sign/tree.h"

/* A question; its bytes on the socket end with the path's 0. */
struct question {
	unsigned int file;
	char path[512];
};

/* The answer: a negative errno and why, or 0 and a descriptor beside it. */
struct answer {
	int result;
	char why[sizeof(((struct assay_error *)0)->text)];
};

union descriptor {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

/* ---------------------------------------------------------------- who opens */

static int open_file(const char *file, struct assay_error *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? assay_fail(err, errno, "cannot open %s: %s", file, strerror(errno)) : fd;
}

static int open_below(const char *file, const char *path, struct assay_error *err)
{
	char name[600];
	int root = open_file(file, err), fd;

	if (root < 0)
		return root;
	snprintf(name, sizeof(name), "%s, %s", file, path);
	fd = tree_open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, name, err);
	close(root);
	return fd;
}

static int answer(int socket, int fd, const struct assay_error *why, struct assay_error *err)
{
	struct answer said = { .result = fd < 0 ? fd : 0 };
	struct iovec iovec = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &iovec, .msg_iovlen = 1 };
	union descriptor control = { .header = { .cmsg_len = CMSG_LEN(sizeof(fd)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS } };

	if (fd < 0) {
		memcpy(said.why, why->text, sizeof(said.why));
	} else {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return assay_fail(err, errno, "cannot hand a file on: %s", strerror(errno));
	return 0;
}

int opener_serve(int socket, char *const *files, struct assay_error *err)
{
	unsigned int count = 0;

	while (files[count])
		count++;
	for (;;) {
		struct question asked = { 0 };
		struct assay_error why = { 0 };
		ssize_t size = recv(socket, &asked, sizeof(asked), 0);
		int fd, r;

		if (size == 0 || (size < 0 && errno == ECONNRESET))
			return 0;
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return assay_fail(err, errno, "cannot be asked for files: %s",
					  strerror(errno));
		if ((size_t)size <= sizeof(asked.file) || asked.file >= count ||
		    ((char *)&asked)[size - 1] != '\0')
			return assay_fail(err, EBADMSG,
					  "what reads foreign files asks for none of "
					  "them");
		fd = asked.path[0] == '\0' ? open_file(files[asked.file], &why) :
					     open_below(files[asked.file], asked.path, &why);
		r = answer(socket, fd, &why, err);
		if (fd >= 0)
			close(fd);
		if (r < 0)
			return r;
	}
}

/* ---------------------------------------------------------------- who asks */

static int ask(int socket, unsigned int file, const char *path, const char *name,
	       struct assay_error *err)
{
	struct question asked = { .file = file };
	size_t size = strlen(path);

	if (size >= sizeof(asked.path))
		return assay_fail(err, ENAMETOOLONG, "cannot open %s: its path is too long", name);
	memcpy(asked.path, path, size);
	if (send(socket, &asked, offsetof(struct question, path) + size + 1, MSG_NOSIGNAL) < 0)
		return assay_fail(err, errno, "cannot have %s opened: %s", name, strerror(errno));
	return 0;
}

int opener_open(int socket, unsigned int file, const char *path, const char *name,
		struct assay_error *err)
{
	struct answer said = { 0 };
	struct iovec iovec = { &said, sizeof(said) };
	union descriptor control;
	struct msghdr message = { .msg_iov = &iovec,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t size;
	int fd = -1, r = ask(socket, file, path, name, err);

	if (r < 0)
		return r;
	do
		size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size == (ssize_t)sizeof(said) && said.result < 0) {
		said.why[sizeof(said.why) - 1] = '\0';
		return assay_fail(err, -said.result, "%s", said.why);
	}
	if (size == (ssize_t)sizeof(said) && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd >= 0 ? fd : assay_fail(err, EIO, "cannot have %s opened: no answer came", name);
}
