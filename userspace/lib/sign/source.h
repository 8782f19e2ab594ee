/* SPDX-License-Identifier: MIT */
/*
 * Where the files come from that are signed: a directory, a package manager's database, packages,
 * images. One interface, so that whoever signs knows none of them.
 *
 * Files come in a manifest's order, sorted by the bytes of the path, each path once. For commands
 * that sign.
 */
#ifndef ASSAY_SIGN_SOURCE_H
#define ASSAY_SIGN_SOURCE_H

#include <sys/stat.h>

#include "sign/package.h"
#include "sign/tree.h"

enum source_kind {
	SOURCE_END,	/* there is nothing more */
	SOURCE_FILE,	/* a regular file */
	SOURCE_SKIPPED, /* neither file nor directory: see item->stat.st_mode */
	SOURCE_FAILED,	/* could not be read; *err says which and why; others follow */
	SOURCE_NOTE,	/* nothing is wrong with it, but people want to know; *err says what */
};

/* Bytes of MD5, by which a package manager says what it installed. */
#define SOURCE_MD5_SIZE 16

/**
 * struct source_item - what source_next() found
 * @path: as in the manifest; free() it. NULL if SOURCE_FAILED and SOURCE_NOTE are of no file
 * @fd: of a SOURCE_FILE, open for reading: close it; -1 where @digest is there instead
 * @stat: of the opened file; of what was skipped; else zeros
 * @package: whose it is, until the source is closed; NULL: none's
 * @md5: what the file's MD5 is to be, if @has_md5
 * @expected: the fs-verity digest that its name says; .size is 0 of names that say none
 * @size, @digest: of a file that cannot be opened as it lies in an archive: its fs-verity digest.
 *                 @digest.size is 0 of all others
 */
struct source_item {
	char *path;
	int fd;
	struct stat stat;
	const struct package_name *package;
	bool has_md5;
	uint8_t md5[SOURCE_MD5_SIZE];
	struct assay_digest expected;
	uint64_t size;
	struct assay_digest digest;
};

struct source;

/**
 * struct source_type - a kind of source
 * @next: as source_next()
 * @close: frees it
 */
struct source_type {
	enum source_kind (*next)(struct source *source, struct source_item *ret,
				 struct assay_error *err);
	void (*close)(struct source *source);
};

/**
 * struct source_counts - what a source left out, and what it found; whole when it has ended
 * @missing: files that should be there and are not
 * @configuration: files that are meant to be changed by the machine's owner, and so left out
 * @diverted: files that are elsewhere than their package says
 */
struct source_counts {
	uint64_t missing, configuration, diverted;
};

/* The first member of what a source is. */
struct source {
	const struct source_type *type;
	struct source_counts counts;
};

/* source_next() - the next one; @ret is set but at the end */
static inline enum source_kind source_next(struct source *source, struct source_item *ret,
					   struct assay_error *err)
{
	*ret = (struct source_item){ .fd = -1 };
	return source->type->next(source, ret, err);
}

/* Does nothing with NULL. */
static inline void source_close(struct source *source)
{
	if (source)
		source->type->close(source);
}

/* source_tree() - the files below a directory, see sign/tree.h */
int source_tree(const char *root, const struct tree_options *options, struct source **ret,
		struct assay_error *err);

#endif /* ASSAY_SIGN_SOURCE_H */
