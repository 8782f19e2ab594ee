// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_large(const char *path, size_t limit, struct assay_error *err)
{
	return assay_fail(err, EFBIG, "%s is larger than the %zu bytes expected at most", path,
			  limit);
}

int file_read(const char *path, size_t limit, struct buffer *out, struct assay_error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	size_t before = out->size;
	int fd, ret = 0;

	fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	for (;;) {
		size_t chunk = 65536;
		void *place = buffer_reserve(out, chunk);
		ssize_t got;

		if (!place) {
			ret = assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
			break;
		}
		got = read(fd, place, chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			ret = assay_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
			break;
		}
		if (got == 0)
			break;
		out->size += (size_t)got;
		if (out->size - before > limit) {
			ret = too_large(path, limit, err);
			break;
		}
	}
	if (!standard_input)
		close(fd);
	return ret;
}

/* 0 with no mapping for what has to be read: what has no size, or cannot be mapped. */
static int map_regular(const char *path, size_t limit, struct file_view *view,
		       struct assay_error *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
		if ((uint64_t)status.st_size > limit) {
			r = too_large(path, limit, err);
		} else {
			size_t size = (size_t)status.st_size;

			view->mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
			if (view->mapping == MAP_FAILED)
				view->mapping = NULL;
			else
				view->bytes = BYTES(view->mapping, size);
		}
	}
	close(fd);
	return r;
}

int file_map(const char *path, size_t limit, struct file_view *ret, struct assay_error *err)
{
	struct file_view view = { 0 };
	int r = strcmp(path, "-") == 0 ? 0 : map_regular(path, limit, &view, err);

	if (r == 0 && !view.mapping) {
		r = file_read(path, limit, &view.read, err);
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

int file_begin(struct file_writer *writer, const char *path, mode_t mode, struct assay_error *err)
{
	int fd, code;

	*writer = (struct file_writer){ 0 };
	writer->path = strdup(path);
	if (!writer->path || asprintf(&writer->temporary, "%s.XXXXXX", path) < 0) {
		free(writer->path);
		*writer = (struct file_writer){ 0 };
		return assay_fail(err, ENOMEM, "cannot write %s: out of memory", path);
	}
	fd = mkostemp(writer->temporary, O_CLOEXEC);
	if (fd < 0) {
		code = errno;
		free(writer->path);
		free(writer->temporary);
		*writer = (struct file_writer){ 0 };
		return assay_fail(err, code, "cannot create a file beside %s: %s", path,
				  strerror(code));
	}
	if (fchmod(fd, mode) < 0 || !(writer->stream = fdopen(fd, "w"))) {
		code = errno;
		close(fd);
		file_abort(writer);
		return assay_fail(err, code, "cannot write %s: %s", path, strerror(code));
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
 * file, which is dropped anyway, fails for the same reason.
 */
static int write_error(const struct file_writer *writer)
{
	if (write(fileno(writer->stream), "", 1) < 0)
		return errno;
	return EIO;
}

int file_commit(struct file_writer *writer, struct assay_error *err)
{
	int code = 0;

	if (ferror(writer->stream))
		code = write_error(writer);
	else if (fflush(writer->stream) != 0 || fsync(fileno(writer->stream)) < 0)
		code = errno ? errno : EIO;
	if (fclose(writer->stream) != 0 && code == 0)
		code = errno;
	writer->stream = NULL;
	if (code == 0 && rename(writer->temporary, writer->path) < 0)
		code = errno;
	if (code == 0) {
		free(writer->temporary);
		writer->temporary = NULL;
		code = sync_directory(writer->path);
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
	free(writer->path);
	*writer = (struct file_writer){ 0 };
}

int file_write(const char *path, struct bytes bytes, mode_t mode, struct assay_error *err)
{
	struct file_writer writer;
	int ret = file_begin(&writer, path, mode, err);

	if (ret < 0)
		return ret;
	if (bytes.size > 0)
		fwrite(bytes.data, 1, bytes.size, writer.stream);
	return file_commit(&writer, err);
}
