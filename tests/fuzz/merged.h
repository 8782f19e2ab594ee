/* SPDX-License-Identifier: MIT */
/* What fuzzers of foreign archives ask of the root that comes of them: sorted paths without "..".
 */
#ifndef TESTS_FUZZ_MERGED_H
#define TESTS_FUZZ_MERGED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "contents/merged.h"

static inline void require(bool condition)
{
	if (!condition)
		abort();
}

/* struct before - the path that came before */
struct before {
	char path[8192];
};

/* For merged_walk(), with a struct before that is empty. */
static inline int require_sorted(void *context, const char *path, const struct merged_file *file,
				 struct assay_error *err)
{
	struct before *before = context;

	(void)err;
	require(path[0] == '/' && file->digest.size == 32);
	require(!strstr(path, "/../") && !strstr(path, "//"));
	if (strlen(path) < sizeof(before->path)) {
		require(strcmp(before->path, path) < 0);
		stpcpy(before->path, path);
	}
	return 0;
}

#endif /* TESTS_FUZZ_MERGED_H */
