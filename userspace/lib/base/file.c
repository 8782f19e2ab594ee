// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"

static int too_large(const char *path, size_t limit, struct assay_error *err)
{
	return assay_fail(err, EFBIG, "%s is larger than the %zu bytes expected at most", path,
			  limit);
}

int file_read_descriptor(int fd, const char *path, size_t limit, struct buffer *out,
			 struct assay_error *err)
{
	size_t before = out->size;

	for (;;) {
		size_t chunk = 65536;
		void *place = buffer_reserve(out, chunk);
		ssize_t got;

		if (!place)
			return assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
		got = read(fd, place, chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return assay_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
		if (got == 0)
			return 0;
		out->size += (size_t)got;
		if (out->size - before > limit)
			return too_large(path, limit, err);
	}
}

/* @ret_fd: of standard input, a copy: it is the caller's to close */
static int open_input(const char *path, int *ret_fd, struct assay_error *err)
{
	*ret_fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
					   open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	return 0;
}

int file_read(const char *path, size_t limit, struct buffer *out, struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = -1;
	int r = open_input(path, &fd, err);

	return r < 0 ? r : file_read_descriptor(fd, path, limit, out, err);
}

int file_open_regular(int place, const char *path, struct assay_error *err)
{
	char name[sizeof("/proc/self/fd/") + 11];
	struct stat status;
	int fd;

	if (fstat(place, &status) < 0)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return assay_fail(err, EINVAL, "%s is not a regular file", path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd >= 0 ? fd : assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
}

int file_read_regular(const char *path, size_t limit, struct buffer *out, struct assay_error *err)
{
	CLEANUP(close_descriptor) int place = open(path, O_PATH | O_CLOEXEC);
	CLEANUP(close_descriptor) int fd = -1;

	if (place < 0)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	fd = file_open_regular(place, path, err);
	return fd < 0 ? fd : file_read_descriptor(fd, path, limit, out, err);
}

/* 0 with no mapping for what has to be read: what has no size, or cannot be mapped. */
static int map_regular(int fd, const char *path, size_t limit, struct file_view *view,
		       struct assay_error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
	    lseek(fd, 0, SEEK_CUR) != 0)
		return 0;
	if ((uint64_t)status.st_size > limit)
		return too_large(path, limit, err);
	view->mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (view->mapping == MAP_FAILED)
		view->mapping = NULL;
	else
		view->bytes = BYTES(view->mapping, (size_t)status.st_size);
	return 0;
}

int file_map(const char *path, size_t limit, struct file_view *ret, struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = -1;
	struct file_view view = { 0 };
	int r = open_input(path, &fd, err);

	if (r == 0)
		r = map_regular(fd, path, limit, &view, err);
	/* What is no file is read through the same descriptor: a FIFO can be opened once. */
	if (r == 0 && !view.mapping) {
		r = file_read_descriptor(fd, path, limit, &view.read, err);
		view.bytes = buffer_bytes(&view.read);
	}
	if (r < 0) {
		file_unmap(&view);
		return r;
	}
	*ret = view;
	return 0;
}

void file_unmap(struct file_view *view)
{
	if (view->mapping)
		munmap(view->mapping, view->bytes.size);
	buffer_free(&view->read);
	*view = (struct file_view){ 0 };
}

/* ---------------------------------------------------------------- where output goes */

#define LINKS_MAX 40	/* symbolic links that are followed, as the kernel does */
#define NAMES_TRIED 100 /* names for a temporary file */

/**
 * struct destination - what a path names for writing
 * @target: the regular file that is to be replaced, or made; NULL: @fd
 * @fd: what is written in place; -1: @target
 */
struct destination {
	char *target;
	int fd;
};

static int fail_write(const char *path, int code, struct assay_error *err)
{
	return assay_fail(err, code, "cannot write %s: %s", path, strerror(code));
}

/* The directory that @path is in; false if that is too long. */
static bool directory_of(const char *path, char directory[PATH_MAX])
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return false;
	return snprintf(directory, PATH_MAX, "%s", dirname(copy)) < PATH_MAX;
}

/* Does another user have it where everyone may put things, as in /tmp? */
static bool is_planted(const char *path, const struct stat *status)
{
	char directory[PATH_MAX];
	struct stat place;

	if (!directory_of(path, directory) || stat(directory, &place) < 0)
		return true;
	return (place.st_mode & S_ISVTX) && (place.st_mode & S_IWOTH) &&
	       status->st_uid != geteuid() && status->st_uid != place.st_uid;
}

/* The link /proc/self/fd/N, which is no path to be followed: it is the open file N itself. */
static bool is_descriptor(const char *path, int *ret_fd)
{
	const char *name = strrchr(path, '/');
	char directory[PATH_MAX], real[PATH_MAX], own[32];

	if (!name || name[1] == '\0' || strspn(name + 1, "0123456789") != strlen(name + 1) ||
	    !directory_of(path, directory) || !realpath(directory, real))
		return false;
	snprintf(own, sizeof(own), "/proc/%ld/fd", (long)getpid());
	if (strcmp(real, own) != 0)
		return false;
	*ret_fd = (int)strtol(name + 1, NULL, 10);
	return true;
}

static bool is_in_proc(const char *path)
{
	CLEANUP(close_descriptor) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statfs status;

	return fd >= 0 && fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

static int open_in_place(const char *path, const char *named, int *ret, struct assay_error *err)
{
	*ret = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return *ret < 0 ? fail_write(named, errno, err) : 0;
}

/* Where "-" is written to. */
static int standard_output = STDOUT_FILENO;

int file_reserve_standard_output(struct assay_error *err)
{
	int fd;

	fflush(stdout);
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return fail_write("standard output", errno, err);
	standard_output = fd;
	return 0;
}

int file_standard_output(void)
{
	return standard_output;
}

static int share_descriptor(int fd, const char *named, int *ret, struct assay_error *err)
{
	/* What was printed before stands before. */
	fflush(stdout);
	fd = fd == STDOUT_FILENO ? standard_output : fd;
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret < 0 ? fail_write(named, errno, err) : 0;
}

/* What the link at @path says, from the directory that it is in, in its place; -errno */
static int follow_link(char path[PATH_MAX])
{
	char text[PATH_MAX], directory[PATH_MAX];
	ssize_t size = readlink(path, text, sizeof(text) - 1);
	int length;

	if (size < 0)
		return -errno;
	text[size] = '\0';
	if (!directory_of(path, directory))
		return -ENAMETOOLONG;
	length = text[0] == '/' ? snprintf(path, PATH_MAX, "%s", text) :
				  snprintf(path, PATH_MAX, "%s/%s", directory, text);
	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * One step: what is at @path, or where a link there leads, in @path
 * @named: for errors
 *
 * Return: 1 for a file to be replaced or made, 2 where *ret_fd was set, 0 to go on, -errno
 */
static int resolve_step(char path[PATH_MAX], const char *named, int *ret_fd,
			struct assay_error *err)
{
	struct stat status;
	bool link;
	int fd, r;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 1 : fail_write(named, errno, err);
	if (S_ISREG(status.st_mode))
		return 1;
	if (S_ISDIR(status.st_mode))
		return assay_fail(err, EISDIR, "cannot write %s: it is a directory", named);
	link = S_ISLNK(status.st_mode);
	if (link && is_descriptor(path, &fd)) {
		r = share_descriptor(fd, named, ret_fd, err);
		return r < 0 ? r : 2;
	}
	if ((link || S_ISFIFO(status.st_mode)) && !is_in_proc(path) && is_planted(path, &status))
		return assay_fail(err, EACCES,
				  "cannot write %s: %s is another user's %s in a directory that "
				  "everyone may write to; remove it or choose another place",
				  named, path, link ? "symbolic link" : "FIFO");
	if (!link || is_in_proc(path)) {
		r = open_in_place(path, named, ret_fd, err);
		return r < 0 ? r : 2;
	}
	r = follow_link(path);
	return r < 0 ? fail_write(named, -r, err) : 0;
}

static int resolve_output(const char *path, struct destination *ret, struct assay_error *err)
{
	char at[PATH_MAX];
	int r = 0;

	*ret = (struct destination){ .fd = -1 };
	if (strcmp(path, "-") == 0)
		return share_descriptor(STDOUT_FILENO, "standard output", &ret->fd, err);
	if (snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		return fail_write(path, ENAMETOOLONG, err);
	for (int i = 0; r == 0 && i < LINKS_MAX; i++)
		r = resolve_step(at, path, &ret->fd, err);
	if (r == 0)
		return fail_write(path, ELOOP, err);
	if (r != 1)
		return r < 0 ? r : 0;
	ret->target = strdup(at);
	return ret->target ? 0 : assay_fail(err, ENOMEM, "cannot write %s: out of memory", path);
}

int file_resolve(const char *path, char **ret, struct assay_error *err)
{
	struct destination destination;
	int r = resolve_output(path, &destination, err);

	if (r < 0)
		return r;
	if (destination.fd >= 0)
		close(destination.fd);
	*ret = destination.target;
	return 0;
}

/*
 * A new file beside @target. Made by open(), not by mkstemp() and chmod(), so that the umask
 * and a default ACL of the directory count.
 */
static int open_temporary(struct file_writer *writer, mode_t mode)
{
	size_t size = strlen(writer->target) + sizeof(".01234567");
	char *name = malloc(size);
	int fd = -1;

	if (!name)
		return -ENOMEM;
	for (int i = 0; fd < 0 && i < NAMES_TRIED; i++) {
		uint32_t number;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			break;
		snprintf(name, size, "%s.%08" PRIx32, writer->target, number);
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		fd = -errno;
		/* What has the name is not this writer's to remove. */
		free(name);
		return fd;
	}
	writer->temporary = name;
	return fd;
}

int file_begin(struct file_writer *writer, const char *path, mode_t mode, struct assay_error *err)
{
	struct destination destination;
	int fd, code, r;

	*writer = (struct file_writer){ 0 };
	r = resolve_output(path, &destination, err);
	if (r < 0)
		return r;
	writer->target = destination.target;
	writer->path = strdup(path);
	fd = destination.fd;
	if (!writer->path) {
		if (fd >= 0)
			close(fd);
		file_abort(writer);
		return assay_fail(err, ENOMEM, "cannot write %s: out of memory", path);
	}
	if (fd < 0) {
		fd = open_temporary(writer, mode);
		if (fd < 0) {
			file_abort(writer);
			return assay_fail(err, -fd, "cannot create a file beside %s: %s", path,
					  strerror(-fd));
		}
	}
	writer->stream = fdopen(fd, "w");
	if (!writer->stream) {
		code = errno;
		close(fd);
		file_abort(writer);
		return fail_write(path, code, err);
	}
	return 0;
}

static int sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, code = 0;

	if (!copy)
		return ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return errno;
	/* Some file systems cannot sync a directory; the rename stands all the same. */
	if (fsync(fd) < 0 && errno != EINVAL)
		code = errno;
	close(fd);
	return code;
}

/*
 * Why a write to the stream failed. stdio remembers that it did, not why; one more write to the
 * temporary file, which is dropped anyway, fails for the same reason.
 */
static int write_error(const struct file_writer *writer)
{
	if (writer->temporary && write(fileno(writer->stream), "", 1) < 0)
		return errno;
	return EIO;
}

static int flush_stream(const struct file_writer *writer)
{
	if (ferror(writer->stream))
		return write_error(writer);
	if (fflush(writer->stream) != 0)
		return errno ? errno : EIO;
	/* A device or a pipe may have nothing to sync. */
	if (fsync(fileno(writer->stream)) < 0 &&
	    (writer->temporary || (errno != EINVAL && errno != ENOTSUP && errno != EROFS)))
		return errno;
	return 0;
}

int file_commit(struct file_writer *writer, struct assay_error *err)
{
	int code = flush_stream(writer);

	if (fclose(writer->stream) != 0 && code == 0)
		code = errno;
	writer->stream = NULL;
	if (code == 0 && writer->temporary) {
		if (rename(writer->temporary, writer->target) < 0) {
			code = errno;
		} else {
			free(writer->temporary);
			writer->temporary = NULL;
			code = sync_directory(writer->target);
		}
	}
	if (code != 0)
		assay_fail(err, code, "cannot write %s: %s%s", writer->path, strerror(code),
			   code == ENOSPC ? "; free some space and try again" : "");
	file_abort(writer);
	return -code;
}

void file_abort(struct file_writer *writer)
{
	if (writer->stream)
		fclose(writer->stream);
	if (writer->temporary)
		unlink(writer->temporary);
	free(writer->temporary);
	free(writer->target);
	free(writer->path);
	*writer = (struct file_writer){ 0 };
}

void file_discard(const char *path)
{
	CLEANUP(free_pointer) char *target = NULL;
	struct assay_error unused;

	if (file_resolve(path, &target, &unused) == 0 && target)
		unlink(target);
}

int file_write_by(const char *path, mode_t mode, file_content *write, const void *content,
		  struct assay_error *err)
{
	CLEANUP(file_abort) struct file_writer writer = { 0 };
	int r = file_begin(&writer, path, mode, err);

	if (r < 0)
		return r;
	r = write(writer.stream, content, err);
	return r < 0 ? assay_fail_context(err, "cannot write %s", path) : file_commit(&writer, err);
}

static int write_bytes(FILE *stream, const void *content, struct assay_error *err)
{
	const struct bytes *bytes = content;

	(void)err;
	if (bytes->size > 0)
		fwrite(bytes->data, 1, bytes->size, stream);
	return 0;
}

int file_write(const char *path, struct bytes bytes, mode_t mode, struct assay_error *err)
{
	return file_write_by(path, mode, write_bytes, &bytes, err);
}
