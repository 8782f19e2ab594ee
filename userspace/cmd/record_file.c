// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* O_CLOEXEC, flock() */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Whether the file at @path is still the one that is open; a record is replaced, not written to. */
static bool is_current(const char *path, int fd)
{
	struct stat there, open;

	return stat(path, &there) == 0 && fstat(fd, &open) == 0 && there.st_dev == open.st_dev &&
	       there.st_ino == open.st_ino;
}

static int lock(const char *path, int *ret, struct assay_error *err)
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

int record_file_open(struct record_file *file, const char *path, bool update,
		     struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = 0;

	file->path = path;
	if (update && strcmp(path, "-") != 0)
		r = lock(path, &file->lock, err);
	if (r == 0)
		r = file_read(path, RECORD_MAX_SIZE, &text, err);
	if (r == 0) {
		r = device_record_parse(buffer_bytes(&text), &file->record, err);
		if (r < 0)
			assay_fail_context(err, "%s", path);
	}
	buffer_free(&text);
	return r;
}

int record_file_keep(struct record_file *file, const struct verify_state *state,
		     struct assay_error *err)
{
	struct file_writer writer;
	struct stat old;
	int r;

	if (file->lock < 0)
		return 0;
	file->record.has_state = true;
	file->record.state = *state;
	if (fstat(file->lock, &old) < 0)
		return assay_fail(err, errno, "cannot see to %s: %s", file->path, strerror(errno));
	r = file_begin(&writer, file->path, old.st_mode & 0777, err);
	if (r < 0)
		return r;
	/* It stays as it was, whoever else may read it. */
	if (fchmod(fileno(writer.stream), old.st_mode & 0777) < 0)
		r = assay_fail(err, errno, "cannot write %s: %s", file->path, strerror(errno));
	if (r == 0)
		r = device_record_write(writer.stream, &file->record, err);
	if (r == 0)
		r = file_commit(&writer, err);
	file_abort(&writer);
	return r;
}

void record_file_close(struct record_file *file)
{
	device_record_free(&file->record);
	if (file->lock >= 0)
		close(file->lock);
	file->lock = -1;
}
