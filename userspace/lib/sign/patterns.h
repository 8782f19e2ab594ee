/* SPDX-License-Identifier: MIT */
/*
 * Which paths --include and --exclude mean.
 *
 * Pure. For commands that sign.
 */
#ifndef ASSAY_SIGN_PATTERNS_H
#define ASSAY_SIGN_PATTERNS_H

#include "base/bytes.h"

/* Shell patterns, or paths; they stay the caller's. */
struct tree_names {
	const char *const *list;
	size_t count;
};

/*
 * patterns_hold() - does one of them match the path, or a directory that it lies in?
 * @path: without its leading "/"; that of a directory may end in one
 *
 * A pattern with a "/" in it is compared with the whole path, in which neither "*" nor
 * "?" match a "/"; one without, with the last part of it (fnmatch(3)).
 */
bool patterns_hold(const struct tree_names *patterns, struct bytes path);

/* patterns_take() - is a file one of @include, or is there none of these, and none of @exclude? */
bool patterns_take(const struct tree_names *include, const struct tree_names *exclude,
		   struct bytes path);

#endif /* ASSAY_SIGN_PATTERNS_H */
