// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "confined_child.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "confine/confine.h"
#include "memory_use.h"

/* Exit statuses. */
enum {
	CHILD_SAID = 0,	      /* what came of it is written */
	CHILD_UNCONFINED = 3, /* it could not be confined, and has not run the function */
};

/* The only descriptor that is left. */
#define OUT STDOUT_FILENO

static int limit(int resource, rlim_t most)
{
	struct rlimit value = { most, most };

	return setrlimit(resource, &value);
}

/* What the process has already counts as well, and stays. */
static int limit_memory(uint64_t more)
{
	/* Sanitizers reserve address space without end. */
#ifdef __SANITIZE_ADDRESS__
	(void)more;
	return 0;
#else
	const rlim_t data = memory_use("VmData"), all = memory_use("VmSize");

	/* The second is for what is no data to the kernel, such as a stack that is made larger. */
	if (data == 0 || all == 0)
		return -1;
	return limit(RLIMIT_DATA, data + more) < 0 ? -1 : limit(RLIMIT_AS, all + more);
#endif
}

static int limit_all(const struct confined_limits *limits)
{
	if (limit_memory(limits->memory) < 0)
		return -1;
	return limit(RLIMIT_CPU, limits->milliseconds / 1000 + 1) < 0 ||
			       limit(RLIMIT_NPROC, 0) < 0 || limit(RLIMIT_FSIZE, 0) < 0 ||
			       limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_MEMLOCK, 0) < 0 ||
			       limit(RLIMIT_NOFILE, OUT + 1) < 0 ?
		       -1 :
		       0;
}

static int filter_calls(void)
{
	static const struct confine_call output[] = { { SCMP_SYS(write), OUT } };

	return confine_calls(output, 1);
}

static int confine(int fd, const struct confined_limits *limits)
{
	if (dup2(fd, OUT) < 0)
		return -1;
	(void)close(STDIN_FILENO);
	if (close_range(OUT + 1, ~0U, 0) < 0)
		return -1;
	if (limit_all(limits) < 0 || confine_privileges() < 0)
		return -1;
	return filter_calls();
}

/* All of it, or the end: the pipe blocks, as it was made anew for this child. */
static void write_all(struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t size = write(OUT, bytes.data, bytes.size);
		struct bytes written;

		if (size < 0)
			_exit(CHILD_SAID);
		(void)bytes_take(&bytes, (size_t)size, &written);
	}
}

void confined_child(int fd, confined_function function, struct bytes input,
		    const struct confined_limits *limits)
{
	struct assay_error err = { 0 };
	struct buffer out = { 0 };
	uint8_t head[CONFINED_HEAD];
	uint32_t code;
	int r;

	if (confine(fd, limits) < 0)
		_exit(CHILD_UNCONFINED);
	r = function(input, &out, &err);
	if (r == 0 && out.failed)
		r = assay_fail(&err, ENOMEM, "out of memory");
	code = r < 0 ? (uint32_t)-r : 0;
	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (uint8_t)(code >> (8 * i));
	write_all(BYTES(head, sizeof(head)));
	write_all(r < 0 ? BYTES((const uint8_t *)err.text, strlen(err.text)) : buffer_bytes(&out));
	_exit(CHILD_SAID);
}

int confined_child_result(int status, struct bytes written, struct bytes *ret,
			  struct assay_error *err)
{
	char text[sizeof(err->text)];
	uint32_t code;

	if (status == CHILD_UNCONFINED)
		return assay_fail(
			err, EPERM,
			"its parser could not be confined, so it was not read; this needs /proc, "
			"and a kernel with CONFIG_SECCOMP_FILTER");
	if (status != CHILD_SAID || !bytes_take_le32(&written, &code) || code > 4095)
		return assay_fail(err, EPROTO, "its parser ended before it was done (status %d)",
				  status);
	if (code == 0) {
		*ret = written;
		return 0;
	}
	/* The child's own, but what it has parsed may have become the child. */
	return assay_fail(err, (int)code, "%s", text_escape(written, text, sizeof(text)));
}
