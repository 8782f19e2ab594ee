// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* O_TMPFILE, mkostemp(), asprintf() */
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* For file systems that cannot make a file without a name. */
static int open_and_unlink(const char *directory)
{
	CLEANUP(free_pointer) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/.assay-XXXXXX", directory) < 0) {
		path = NULL;
		errno = ENOMEM;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

int scratch_open(const char *directory, int *ret, struct assay_error *err)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_and_unlink(directory);
	if (fd < 0)
		return assay_fail(err, errno, "cannot make a file in %s: %s", directory,
				  strerror(errno));
	*ret = fd;
	return 0;
}
