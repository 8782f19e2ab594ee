// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

int root_open(const char *path, struct assay_error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd :
			 assay_fail(err, errno, "cannot open the directory %s: %s", path,
				    strerror(errno));
}

static char *looked_at;

void root_tell_looks(char *place)
{
	looked_at = place;
}

void root_looks_at(const char *path)
{
	if (looked_at)
		snprintf(looked_at, ROOT_LOOKS_SIZE, "%s", path);
}

int root_open_file(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	root_looks_at(path);
	/* EAGAIN: something was renamed on the way, so that it cannot tell whether it left the
	 * root. */
	do
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : fd;
}

int root_read(int root, const char *path, size_t limit, struct buffer *out, struct assay_error *err)
{
	CLEANUP(close_descriptor) int found = root_open_file(root, path, O_PATH);
	CLEANUP(close_descriptor) int fd = -1;
	struct stat st;

	if (found < 0)
		return assay_fail(err, -found, "cannot open %s: %s", path, strerror(-found));
	fd = file_open_regular(found, path, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size > limit)
		return assay_fail(err, EFBIG, "%s is larger than %zu bytes", path, limit);
	return file_read_descriptor(fd, path, limit, out, err);
}

/* Where the kernel says that a descriptor leads; a string to free(), or NULL. */
static char *descriptor_path(int fd)
{
	char link[sizeof("/proc/self/fd/") + 11], path[PATH_MAX];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size <= 0 || path[0] != '/')
		return NULL;
	path[size] = '\0';
	return strdup(path);
}

int root_prefix(int root, char **ret, struct assay_error *err)
{
	*ret = descriptor_path(root);
	if (!*ret)
		return assay_fail(err, ENOENT,
				  "cannot find out where the root is: is /proc there?");
	if (strcmp(*ret, "/") == 0)
		(*ret)[0] = '\0';
	return 0;
}

char *root_path(const char *prefix, int directory)
{
	char *path = descriptor_path(directory);
	size_t size = strlen(prefix);

	if (!path)
		return NULL;
	if (strncmp(path, prefix, size) != 0 || (path[size] != '/' && path[size] != '\0')) {
		free(path);
		return NULL;
	}
	memmove(path, path + size, strlen(path + size) + 1);
	if (path[0] == '\0') {
		free(path);
		return strdup("/");
	}
	return path;
}
