/* SPDX-License-Identifier: MIT */
/* Whole files in, and files out that are complete or as they were. */
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

/* file_read_descriptor() - the same, from where a descriptor is; @path names it in errors */
int file_read_descriptor(int fd, const char *path, size_t limit, struct buffer *out,
			 struct assay_error *err);

/*
 * file_read_regular() - the same, of a regular file alone; "-" is a name like others
 *
 * For what stands in a directory that a program goes through: a FIFO or a device there is not
 * waited for, and not told that somebody opened it.
 *
 * Return: as file_read(); -EINVAL for what is no regular file
 */
int file_read_regular(const char *path, size_t limit, struct buffer *out, struct assay_error *err);

/*
 * file_open_regular() - open for reading what a descriptor is of, if that is a regular file
 * @place: of open(2) with O_PATH, by which nothing was opened yet
 * @path: for errors
 *
 * Return: a descriptor; -EINVAL for what is no regular file; -errno
 */
int file_open_regular(int place, const char *path, struct assay_error *err);

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
 * It is opened once.
 * @path: "-" is standard input
 * @limit: the most bytes to take; more is -EFBIG, of a regular file before any is read
 */
int file_map(const char *path, size_t limit, struct file_view *ret, struct assay_error *err);
void file_unmap(struct file_view *view);

/**
 * struct file_writer - a file being written
 * @stream: write here; errors are checked at the commit
 * @path: as it was given
 * @target: the regular file that gets the bytes, symbolic links followed; NULL: written in place
 * @temporary: where they are until the commit, beside @target; NULL: written in place
 *
 * A regular file, or one that is not there yet, is complete or as it was: its bytes go to a
 * temporary file in the same directory, and only file_commit() puts that in its place (fsync,
 * rename, fsync of the directory). A symbolic link stays one, and the file that it names is
 * replaced. Anything else - a device, a FIFO, a terminal, /dev/stdout and other names of open
 * descriptors, "-" for standard output - is opened and written to as it is: replacing it would
 * destroy it.
 *
 * @mode is what a new file gets, less the umask.
 */
struct file_writer {
	FILE *stream;
	char *path;
	char *target;
	char *temporary;
};

/*
 * file_resolve() - what writing to @path would replace
 * @ret: the regular file it names, or would make, symbolic links followed; free() it; NULL for
 *       what is written in place
 *
 * Return: 0; -EISDIR; -ELOOP; -EACCES for a link or FIFO of another user in a directory that
 * everyone may write to (as fs.protected_symlinks has it for opening); -ENOMEM
 */
int file_resolve(const char *path, char **ret, struct assay_error *err);

/*
 * file_reserve_standard_output() - keep standard output for what is written to "-"
 *
 * From then on stdout, and with it all that a program tells, goes to standard error. For
 * programs, before they start threads.
 *
 * Return: 0, -errno
 */
int file_reserve_standard_output(struct assay_error *err);

/* file_standard_output() - the descriptor that "-" is written to */
int file_standard_output(void);

int file_begin(struct file_writer *writer, const char *path, mode_t mode, struct assay_error *err);
int file_commit(struct file_writer *writer, struct assay_error *err);
/* Does nothing after a commit; call it on every way out. */
void file_abort(struct file_writer *writer);

/* file_discard() - remove an output that was committed; what is no regular file stays */
void file_discard(const char *path);

/* file_content - writes what a file is to hold; the stream's own errors are not its to check */
typedef int file_content(FILE *stream, const void *content, struct assay_error *err);

/* file_write_by() - begin, have @write write @content, commit; after a failure nothing is written
 */
int file_write_by(const char *path, mode_t mode, file_content *write, const void *content,
		  struct assay_error *err);

/* file_write() - begin, write, commit. */
int file_write(const char *path, struct bytes bytes, mode_t mode, struct assay_error *err);

#endif /* ASSAY_BASE_FILE_H */
