/* SPDX-License-Identifier: MIT */
/*
 * The files below a directory, in a manifest's order: sorted by the bytes of the path.
 *
 * Symbolic links are never followed, so nothing outside the directory is reached,
 * whatever is renamed meanwhile. Memory grows with the largest directory and the list
 * of paths, not with the number of files. For commands that sign.
 */
#ifndef ASSAY_SIGN_TREE_H
#define ASSAY_SIGN_TREE_H

#include <sys/stat.h>

#include "sign/patterns.h"

struct tree;

enum tree_kind {
	TREE_END,     /* there is nothing more */
	TREE_FILE,    /* a regular file, opened */
	TREE_SKIPPED, /* neither file nor directory: see item->stat.st_mode */
	TREE_FAILED,  /* could not be read; *err says which and why; others follow */
};

/**
 * struct tree_options - where to look and for what
 * @paths: files and directories, as seen with the tree's directory as the root, with or
 *         without a leading "/"; none means all. What is named twice, or lies below
 *         another, is found once. No symbolic link may lead to one.
 * @list: @paths are a list of files, even if it is empty: what is wrong with one of them
 *        tree_next() tells, not tree_open(), and directories are not looked into
 * @include: only what matches one of these (sign/patterns.h), or lies in a directory that does;
 * none: all
 * @exclude: nothing that matches one of these, and nothing in a directory that does;
 *           it goes before @include
 * @closed: only look for files: do not open them
 */
struct tree_options {
	struct tree_names paths, include, exclude;
	bool list, closed;
};

/**
 * struct tree_item - what tree_next() found
 * @path: as seen with the tree's directory as the root: "/usr/bin/x"; free() it
 * @fd: of a TREE_FILE, open for reading: close it; else -1
 * @stat: of the opened file; of what was skipped
 */
struct tree_item {
	char *path;
	int fd;
	struct stat stat;
};

/*
 * tree_open() - begin below a directory
 * @root: the directory
 * @options: what it points to may go after the call, but for the patterns
 */
int tree_open(const char *root, const struct tree_options *options, struct tree **ret,
	      struct assay_error *err);

/* tree_next() - the next one; @ret is set but at the end. TREE_FAILED sets @ret->path, too. */
enum tree_kind tree_next(struct tree *tree, struct tree_item *ret, struct assay_error *err);

void tree_close(struct tree *tree);

/*
 * tree_open_beneath() - open a file below a directory for reading
 * @root_fd: the directory
 * @path: as seen with it as the root
 *
 * No symbolic link is followed and the root is never left (openat2() with
 * RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS). @name names the file in errors.
 *
 * Return: a descriptor, or a negative errno
 */
int tree_open_beneath(int root_fd, const char *path, int flags, const char *name,
		      struct assay_error *err);

#endif /* ASSAY_SIGN_TREE_H */
