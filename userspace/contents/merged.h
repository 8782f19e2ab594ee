/* SPDX-License-Identifier: MIT */
/*
 * The root that packages or layers make when one is unpacked over the other, without unpacking
 * any: names, links, and of each file its size and fs-verity digest.
 *
 * A symbolic link on the way to a file leads where it would in the root, never out of it. What is
 * hostile costs bounded memory and time. Pure but for the memory.
 */
#ifndef ASSAY_CONTENTS_MERGED_H
#define ASSAY_CONTENTS_MERGED_H

#include "sign/package.h"

/* Names in a root, and bytes of all of them, at most. */
#define MERGED_NAMES_MAX 4000000U
#define MERGED_BYTES_MAX ((size_t)1 << 30)

struct merged;

/**
 * struct merged_file - a file of the root
 * @package: whose it is, kept by the caller as long as the root; NULL: none's
 */
struct merged_file {
	uint64_t size;
	struct assay_digest digest;
	const struct package_name *package;
};

/* merged_new() - an empty root; NULL without memory. merged_free() it. */
struct merged *merged_new(void);
void merged_free(struct merged *merged); /* does nothing with NULL */

/*
 * Each puts something to a path, in place of what was there; directories on the way are made.
 * @path: as archives have it: "usr/bin/x", "./usr/bin/x", "/usr/bin/x"
 *
 * A directory stays what it is when one is put there again, and so does a link that leads to a
 * directory.
 *
 * Return: 0; -EBADMSG and why for a path with "..", one that is too long, or one that leads round
 * in links; -E2BIG for more than a root may have; -ENOMEM
 */
int merged_put_file(struct merged *merged, const char *path, const struct merged_file *file,
		    struct assay_error *err);
int merged_put_directory(struct merged *merged, const char *path, struct assay_error *err);
int merged_put_link(struct merged *merged, const char *path, const char *target,
		    struct assay_error *err);
/* Of a device, FIFO or socket: what was there is gone. */
int merged_put_other(struct merged *merged, const char *path, struct assay_error *err);
/* merged_put_hard_link() - one more name of what @target is, which has to be there */
int merged_put_hard_link(struct merged *merged, const char *path, const char *target,
			 struct assay_error *err);

/* merged_remove() - take away what is there, and all below it; nothing if there is nothing */
int merged_remove(struct merged *merged, const char *path, struct assay_error *err);
/* merged_empty() - take away all that is in a directory */
int merged_empty(struct merged *merged, const char *path, struct assay_error *err);

/* merged_find() - the file that was put to that path, by the links of today; NULL: none */
const struct merged_file *merged_find(const struct merged *merged, const char *path);

/*
 * merged_walk() - each file, sorted by the bytes of its path
 * @each: 0 to go on; anything else ends the walk and is its result
 */
int merged_walk(struct merged *merged,
		int (*each)(void *context, const char *path, const struct merged_file *file,
			    struct assay_error *err),
		void *context, struct assay_error *err);

#endif /* ASSAY_CONTENTS_MERGED_H */
