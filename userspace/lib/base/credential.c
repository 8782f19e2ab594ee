// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "base/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int credential_path(const char *path, char **ret, struct assay_error *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (strchr(path, '/') || path[0] == '\0') {
		*ret = strdup(path);
	} else if (!directory) {
		return assay_fail(
			err, ENOENT,
			"the credential %s cannot be had: the service was started without "
			"credentials; put LoadCredential=%s:/PATH in a drop-in of its "
			"unit, or give a path",
			path, path);
	} else if (asprintf(ret, "%s/%s", directory, path) < 0) {
		*ret = NULL;
	}
	return *ret ? 0 : assay_fail(err, ENOMEM, "out of memory");
}
