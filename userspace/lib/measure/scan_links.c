// SPDX-License-Identifier: MIT
/*
 * Symbolic links, followed by hand: a link may lead to where looking waits for ever, and once the
 * kernel follows it, it is looked at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "measure/scan_internal.h"

#define LINKS_MAX 40 /* that are followed, as the kernel does */

/* The last component of @path off. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/*
 * The text of the link at @path in front of @rest
 * Return: 1; 0 if there is no link; -errno
 */
static int take_link(int root, const char *path, char rest[PATH_MAX])
{
	char text[PATH_MAX], joined[PATH_MAX];
	CLEANUP(close_descriptor) int fd = root_open_file(root, path, O_PATH | O_NOFOLLOW);
	ssize_t size;

	if (fd < 0)
		return fd;
	size = readlinkat(fd, "", text, sizeof(text) - 1);
	/* What is no link has none: ENOENT for an empty path, EINVAL of others. */
	if (size <= 0)
		return 0;
	text[size] = '\0';
	if (snprintf(joined, sizeof(joined), "%s/%s", text, rest) >= (int)sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(rest, joined, strlen(joined) + 1);
	return 1;
}

int scan_resolve(const struct mounts *mounts, int root, const char *path, char ret[PATH_MAX])
{
	char rest[PATH_MAX], name[PATH_MAX];
	int links = 0;

	if (snprintf(rest, sizeof(rest), "%s", path) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	ret[0] = '\0';
	for (;;) {
		size_t skip = strspn(rest, "/"), size = strcspn(rest + skip, "/"),
		       end = strlen(ret);
		int r;

		if (size == 0)
			break;
		memcpy(name, rest + skip, size);
		name[size] = '\0';
		memmove(rest, rest + skip + size, strlen(rest + skip + size) + 1);
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			go_up(ret);
			continue;
		}
		if (snprintf(ret + end, PATH_MAX - end, "/%s", name) >= (int)(PATH_MAX - end))
			return -ENAMETOOLONG;
		if (mounts_may_wait(mounts, ret))
			return -EXDEV;
		r = take_link(root, ret, rest);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (++links > LINKS_MAX)
			return -ELOOP;
		if (rest[0] == '/')
			ret[0] = '\0';
		else
			go_up(ret);
	}
	if (ret[0] == '\0')
		memcpy(ret, "/", 2);
	return 0;
}
