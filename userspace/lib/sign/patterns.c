// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/patterns.h"

#include <fnmatch.h>
#include <limits.h>
#include <string.h>

/* Does @part, the path's first so many parts, match one of them? */
static bool matches(const struct tree_names *patterns, const char *part)
{
	const char *name = strrchr(part, '/');

	name = name ? name + 1 : part;
	for (size_t i = 0; i < patterns->count; i++) {
		const char *pattern = patterns->list[i];

		if (strchr(pattern, '/') ?
			    fnmatch(pattern + (*pattern == '/'), part, FNM_PATHNAME) == 0 :
			    fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return false;
}

bool patterns_hold(const struct tree_names *patterns, struct bytes path)
{
	char part[PATH_MAX];

	for (size_t i = 1; i <= path.size && i < sizeof(part) && patterns->count > 0; i++) {
		if (i < path.size && path.data[i] != '/')
			continue;
		if (path.data[i - 1] == '/')
			continue; /* a directory's own path ends in one */
		memcpy(part, path.data, i);
		part[i] = '\0';
		if (matches(patterns, part))
			return true;
	}
	return false;
}

bool patterns_take(const struct tree_names *include, const struct tree_names *exclude,
		   struct bytes path)
{
	return !patterns_hold(exclude, path) &&
	       (include->count == 0 || patterns_hold(include, path));
}
