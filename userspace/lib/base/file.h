/* SPDX-License-Identifier: MIT */
/* Whole files in, and files out that are either complete or not there. */
#ifndef ASSAY_BASE_FILE_H
#define ASSAY_BASE_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/bytes.h"

/*
 * file_read() - append a whole file to @out
 * @path: "-" is standard input
 * @limit: the most bytes to take; more is -EFBIG
 */
int file_read(const char *path, size_t limit, struct buffer *out, struct assay_error *err);

/**
 * struct file_view - a whole file to read from
 * @bytes: what is in it
 *
 * A regular file is mapped, so that its size costs no memory: what is read from it twice may
 * have been changed between by who may write it, and reading ends the program if it was made
 * shorter. Start with {0}, end with file_unmap().
 */
struct file_view {
	struct bytes bytes;
	void *mapping;	    /* NULL if the file was read */
	struct buffer read; /* if it was */
};

/*
 * file_map() - map a file, or read one that cannot be: a pipe, a file of the kernel's
 * @path: "-" is standard input
 * @limit: the most bytes to take; more is -EFBIG, of a regular file before any is read
 */
int file_map(const char *path, size_t limit, struct file_view *ret, struct assay_error *err);
void file_unmap(struct file_view *view);

/*
 * A file being written. Its bytes go to a temporary file in the same directory;
 * only file_commit() puts it in place (fsync, rename, fsync of the directory).
 * After any failure, or file_abort(), the old file is as it was.
 */
struct file_writer {
	FILE *stream; /* write here; errors are checked at the commit */
	char *path;
	char *temporary;
};

int file_begin(struct file_writer *writer, const char *path, mode_t mode, struct assay_error *err);
int file_commit(struct file_writer *writer, struct assay_error *err);
/* Does nothing after a commit; call it on every way out. */
void file_abort(struct file_writer *writer);

/* file_write() - begin, write, commit. */
int file_write(const char *path, struct bytes bytes, mode_t mode, struct assay_error *err);

#endif /* ASSAY_BASE_FILE_H */
