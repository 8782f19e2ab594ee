/* SPDX-License-Identifier: MIT */
/* What the files scan*.c share. */
#ifndef ASSAY_MEASURE_SCAN_INTERNAL_H
#define ASSAY_MEASURE_SCAN_INTERNAL_H

#include <limits.h>

#include "measure/mounts.h"
#include "measure/root.h"
#include "measure/scan.h"

/**
 * struct scan_most - bounds
 * @look_until: scan_now() from which on no directory is looked into
 */
struct scan_most {
	uint64_t files, path_bytes, names, look_until;
};

/**
 * struct scan_run - a scan under way
 * @prefix: of the root
 * @mounts: what is mounted below it
 * @excluded: the patterns of RULE_EXCLUDE
 * @capacity: of scan.files
 * @path_bytes, @names: counted against the bounds
 * @most: what they, and scan.count, may come to by the rule that is followed
 * @directory, @directory_real, @directory_fd: the directory of the last path that was added by
 *                                             scan_add_path(), how it is called, and open
 */
struct scan_run {
	const struct scan_options *options;
	const struct rules *rules;
	char *prefix;
	struct mounts mounts;
	struct scan scan;
	size_t capacity;
	size_t path_bytes, names;
	struct scan_most most;
	char *directory, *directory_real;
	int directory_fd;
	struct assay_error *err;
};

/* scan_failed() - note why a rule could not be followed; -ENOMEM */
int scan_failed(struct scan_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * scan_consider() - a name found in a directory: added if it is a regular file with fs-verity
 * @fd: the directory, @real: how it is called
 */
int scan_consider(struct scan_run *run, int fd, const char *real, const char *name);
/* scan_require() - likewise: added if it is a regular file, which has to have fs-verity */
int scan_require(struct scan_run *run, int fd, const char *real, const char *name);
/* scan_require_linked() - likewise what the symbolic link @path leads to */
int scan_require_linked(struct scan_run *run, const char *path);

/* scan_now() - milliseconds of CLOCK_MONOTONIC */
uint64_t scan_now(void);

/*
 * scan_resolve() - @path without symbolic links, as seen from the root
 * @mounts: below the root
 *
 * Nothing is opened that could wait, whatever links lead there.
 *
 * Return: 0; -EXDEV where it leads to what mounts_may_wait() for; -ENOENT, -ELOOP and others
 */
int scan_resolve(const struct mounts *mounts, int root, const char *path, char ret[PATH_MAX]);

/* scan_glob(), scan_verity(), scan_images() - what such a rule finds; 0, or what ends the scan */
int scan_glob(struct scan_run *run, const char *pattern);
int scan_verity(struct scan_run *run, const char *path);
int scan_images(struct scan_run *run, const char *path);

#endif /* ASSAY_MEASURE_SCAN_INTERNAL_H */
