// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "base/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int program_beside(const char *name, char **ret, struct assay_error *err)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
	char *slash, *beside, *in_bin;

	if (length < 0 || (size_t)length >= sizeof(self))
		return assay_fail(err, length < 0 ? errno : ENAMETOOLONG,
				  "cannot tell where this program is: is /proc mounted?");
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (!slash || asprintf(&beside, "%.*s/%s", (int)(slash - self), self, name) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	if (access(beside, X_OK) < 0 &&
	    asprintf(&in_bin, "%.*s/../bin/%s", (int)(slash - self), self, name) >= 0) {
		if (access(in_bin, X_OK) == 0) {
			free(beside);
			*ret = in_bin;
			return 0;
		}
		free(in_bin);
	}
	*ret = beside;
	return 0;
}
