// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* O_CLOEXEC, flock() */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* Whether the file at @path is still the one that is open; a record is replaced, not written to. */
static bool is_current(const char *path, int fd)
{
	struct stat there, open;

	return stat(path, &there) == 0 && fstat(fd, &open) == 0 && there.st_dev == open.st_dev &&
	       there.st_ino == open.st_ino;
}

static int lock_record(const char *path, int *ret, struct assay_error *err)
{
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR) {
				int error = errno;

				close(fd);
				return assay_fail(err, error, "cannot lock %s: %s", path,
						  strerror(error));
			}
		if (is_current(path, fd)) {
			*ret = fd;
			return 0;
		}
		/* While this one waited, the other has put a new file in its place. */
		close(fd);
	}
}

/*
 * The file that the path names is settled once: what is judged, locked and written is the same
 * file, also where a symbolic link is changed meanwhile.
 */
static int resolve_path(struct record_file *file, const char *path, struct assay_error *err)
{
	struct stat status;

	file->path = realpath(path, NULL);
	if (!file->path)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (stat(file->path, &status) == 0 && !S_ISREG(status.st_mode))
		return assay_fail(
			err, EINVAL,
			"%s is no regular file: a device's record must be one, since what "
			"is kept of the device is written back to it",
			path);
	return 0;
}

int record_file_open(struct record_file *file, const char *path, bool update,
		     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = resolve_path(file, path, err);

	if (r == 0 && update)
		r = lock_record(file->path, &file->lock, err);
	if (r == 0)
		r = file_read(file->path, RECORD_MAX_SIZE, &text, err);
	if (r < 0)
		return r;
	r = device_record_parse(buffer_bytes(&text), &file->record, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

/* The new file is to be used by whoever could use the old one. */
static int keep_access(const struct record_file *file, int fd, const struct stat *old,
		       struct assay_error *err)
{
	mode_t mode = old->st_mode & 0777;

	if (fchown(fd, old->st_uid, old->st_gid) < 0) {
		if (errno != EPERM)
			return assay_fail(err, errno, "cannot keep the owner of %s: %s", file->path,
					  strerror(errno));
		/*
		 * Only root can give a file away; another owner's record was theirs to replace.
		 * But what its group may do is not for this process's.
		 */
		if (fchown(fd, (uid_t)-1, old->st_gid) < 0)
			mode &= (mode & 07) << 3 | 0707;
	}
	if (fchmod(fd, mode) < 0)
		return assay_fail(err, errno, "cannot keep the mode of %s: %s", file->path,
				  strerror(errno));
	return 0;
}

int record_file_keep(struct record_file *file, const struct verify_state *state,
		     struct assay_error *err)
{
	CLEANUP(file_abort) struct file_writer writer = { 0 };
	struct stat old;
	int r;

	if (file->lock < 0)
		return 0;
	file->record.has_state = true;
	file->record.state = *state;
	if (fstat(file->lock, &old) < 0)
		return assay_fail(err, errno, "cannot see to %s: %s", file->path, strerror(errno));
	r = file_begin(&writer, file->path, 0600, err);
	if (r == 0)
		r = keep_access(file, fileno(writer.stream), &old, err);
	if (r == 0)
		r = device_record_write(writer.stream, &file->record, err);
	return r == 0 ? file_commit(&writer, err) : r;
}

void record_file_close(struct record_file *file)
{
	device_record_free(&file->record);
	if (file->lock >= 0)
		close(file->lock);
	file->lock = -1;
	free(file->path);
	file->path = NULL;
}
