// SPDX-License-Identifier: MIT
/*
 * mapped WAY FILE: has a file, or memory without one, become executable as a program's loader does,
 * and never runs it. The exit status is 0 or the errno.
 *
 *	hello		says so
 *	read FILE	mmap(PROT_READ)
 *	mmap FILE	mmap(PROT_READ | PROT_EXEC)
 *	mprotect FILE	mmap(PROT_READ), then mprotect(PROT_EXEC)
 *	anonymous	mmap(PROT_EXEC) of no file
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPED 4096

static int map(const char *path, int protection, int then)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *place;

	if (path && fd < 0)
		return errno;
	place = mmap(NULL, MAPPED, protection, path ? MAP_PRIVATE : MAP_PRIVATE | MAP_ANONYMOUS, fd,
		     0);
	if (place == MAP_FAILED)
		return errno;
	return then && mprotect(place, MAPPED, then) < 0 ? errno : 0;
}

int main(int argc, char *argv[])
{
	const char *way = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : NULL;
	int code = EINVAL;

	if (strcmp(way, "hello") == 0)
		code = puts("hello") < 0 ? EIO : 0;
	else if (path && strcmp(way, "read") == 0)
		code = map(path, PROT_READ, 0);
	else if (path && strcmp(way, "mmap") == 0)
		code = map(path, PROT_READ | PROT_EXEC, 0);
	else if (path && strcmp(way, "mprotect") == 0)
		code = map(path, PROT_READ, PROT_READ | PROT_EXEC);
	else if (!path && strcmp(way, "anonymous") == 0)
		code = map(NULL, PROT_READ | PROT_EXEC, 0);
	if (code)
		fprintf(stderr, "mapped: %s: %s\n", way, strerror(code));
	return code;
}
