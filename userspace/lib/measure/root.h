/* SPDX-License-Identifier: MIT */
/*
 * Files as seen from a directory that is, or will be, the root: no symbolic link and no ".." leads
 * out of it, no file that is no regular one is read from.
 */
#ifndef ASSAY_MEASURE_ROOT_H
#define ASSAY_MEASURE_ROOT_H

#include "base/bytes.h"

/* root_open() - a descriptor of the directory @path; -errno */
int root_open(const char *path, struct assay_error *err);

/*
 * root_open_file() - open what is there, without automounts or waiting where that can be helped
 * @flags: of open(2)
 * Return: a descriptor or -errno
 */
int root_open_file(int root, const char *path, int flags);

/* Bytes of root_tell_looks(). */
#define ROOT_LOOKS_SIZE 4096

/*
 * root_tell_looks() - from now on have in @place which path is looked at
 * @place: ROOT_LOOKS_SIZE bytes, shared with a process that ends this one if it waits for ever;
 * NULL for no more root_looks_at() - for who opens by other means than root_open_file()
 */
void root_tell_looks(char *place);
void root_looks_at(const char *path);

/*
 * root_read() - append a whole regular file to @out
 * @limit: the most bytes to take; more is -EFBIG
 */
int root_read(int root, const char *path, size_t limit, struct buffer *out,
	      struct assay_error *err);

/*
 * root_prefix() - the path of the root itself, "" if it is the process' own
 * @ret: free() it
 */
int root_prefix(int root, char **ret, struct assay_error *err);

/*
 * root_path() - how a directory is called from the root, without symbolic links
 * @prefix: from root_prefix()
 * Return: a string to free(); NULL if it is not below it, or without memory
 */
char *root_path(const char *prefix, int directory);

#endif /* ASSAY_MEASURE_ROOT_H */
