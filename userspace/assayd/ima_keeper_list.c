// SPDX-License-Identifier: MIT
/*
 * IMA's list, in two ways. Followed: one descriptor is kept; the kernel goes on behind its end
 * when entries came (its seq_file remembers the number of the entry). Staged (CONFIG_IMA_STAGING):
 * what there is is moved aside, read, and deleted once it is archived
 * (Documentation/security/IMA-export-delete.rst of the kernel).
 *
 * Where there is staging, one writer keeps all readers out, and readers keep writers out. So there
 * no descriptor is kept between two passes, whichever way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ima_keeper.h"
#include "privilege.h"

void ima_list_prepare(const struct config *config, unsigned int gid)
{
	char pattern[IMA_PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/binary_runtime_measurements_*_staged",
		 config->ima.directory);
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		(void)!chown(found.gl_pathv[i], (uid_t)-1, gid);
	globfree(&found);
}

static int open_with(const char *path, int flags, cap_value_t capability, struct assay_error *err)
{
	struct assay_error why;
	bool raised = privilege_raise(capability, &why) == 0;
	int code, fd = open(path, flags | O_CLOEXEC);

	code = errno;
	if (raised)
		privilege_drop();
	if (fd >= 0)
		return fd;
	if (code == EBUSY)
		return assay_fail(err, EBUSY,
				  "%s is in use by another program; it is tried again. If this "
				  "stays, stop that program, or have it read what assay log export "
				  "--ima writes",
				  path);
	if (!raised && (code == EACCES || code == EPERM))
		return assay_fail(err, code, "cannot open %s: %s; %s", path, strerror(code),
				  why.text);
	if (code == EACCES)
		return assay_fail(err, code,
				  "cannot open %s: %s; give it to the service's group (chgrp "
				  "assay; systemd-tmpfiles does, by assay.conf)",
				  path, strerror(code));
	return assay_fail(err, code, "cannot open %s: %s", path, strerror(code));
}

int ima_list_open(const struct ima_keeper *keeper, struct assay_error *err)
{
	return open_with(keeper->kernel.path, O_RDONLY, CAP_DAC_READ_SEARCH, err);
}

int ima_list_count(const struct ima_keeper *keeper, uint64_t *ret)
{
	bool raised = privilege_raise(CAP_DAC_READ_SEARCH, NULL) == 0;
	int r = ima_kernel_count(keeper->service->config->ima.directory, ret, NULL);

	if (raised)
		privilege_drop();
	return r;
}

void ima_list_close(struct ima_keeper *keeper)
{
	if (keeper->fd >= 0)
		close(keeper->fd);
	if (keeper->staged_fd >= 0)
		close(keeper->staged_fd);
	keeper->fd = keeper->staged_fd = -1;
	keeper->reading_staged = false;
}

static int tell_kernel(struct ima_keeper *keeper, const char *request, struct assay_error *err)
{
	ssize_t written = write(keeper->fd, request, 2);

	if (written == 2)
		return 0;
	return assay_fail(err, errno, "%s refuses the request %.1s: %s", keeper->kernel.staged,
			  request, strerror(errno));
}

static int rewind_list(struct ima_keeper *keeper, struct assay_error *err)
{
	if (lseek(keeper->fd, 0, SEEK_SET) < 0 ||
	    (keeper->staged_fd >= 0 && lseek(keeper->staged_fd, 0, SEEK_SET) < 0))
		return assay_fail(err, errno, "cannot read IMA's list from its beginning: %s",
				  strerror(errno));
	keeper->reading_staged = keeper->staged_fd >= 0;
	return 0;
}

ssize_t ima_list_read(struct ima_keeper *keeper, void *buffer, size_t size, struct assay_error *err)
{
	ssize_t got = 0;

	if (keeper->reading_staged) {
		got = read(keeper->staged_fd, buffer, size);
		if (got == 0) {
			keeper->staged_count = keeper->seen - keeper->notes.deleted;
			keeper->reading_staged = false;
		}
	}
	if (got == 0)
		got = read(keeper->fd, buffer, size);
	if (got < 0)
		return assay_fail(err, errno, "cannot read IMA's list: %s", strerror(errno));
	return got;
}

/* 1 if something is staged already: by this service before it was killed, or by somebody else. */
static int find_staged(struct ima_keeper *keeper, struct assay_error *err)
{
	uint8_t byte;
	ssize_t size = read(keeper->fd, &byte, 1);
	int r;

	if (size < 0)
		return assay_fail(err, errno, "cannot read %s: %s", keeper->kernel.staged,
				  strerror(errno));
	r = rewind_list(keeper, err);
	return r < 0 ? r : size > 0;
}

static int begin_staged(struct ima_keeper *keeper, struct assay_error *err)
{
	int r;

	keeper->fd = open_with(keeper->kernel.staged, O_RDWR, CAP_SYS_ADMIN, err);
	if (keeper->fd < 0)
		return keeper->fd;
	r = find_staged(keeper, err);
	keeper->leftover = r > 0;
	if (r != 0)
		return r;
	r = tell_kernel(keeper, "A\n", err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

/* Another program may stage entries: what it has not deleted yet is the list's beginning. */
static int begin_followed(struct ima_keeper *keeper, struct assay_error *err)
{
	if (keeper->kernel.staged[0]) {
		keeper->staged_fd =
			open_with(keeper->kernel.staged, O_RDONLY, CAP_DAC_READ_SEARCH, err);
		if (keeper->staged_fd < 0)
			return keeper->staged_fd;
		keeper->reading_staged = true;
	}
	keeper->fd = ima_list_open(keeper, err);
	return keeper->fd < 0 ? keeper->fd : 1;
}

int ima_list_begin(struct ima_keeper *keeper, struct assay_error *err)
{
	keeper->leftover = false;
	if (keeper->staging)
		return begin_staged(keeper, err);
	return keeper->fd >= 0 ? 1 : begin_followed(keeper, err);
}

int ima_list_again(struct ima_keeper *keeper, struct assay_error *err)
{
	return rewind_list(keeper, err);
}

/* What was read is there in the next pass once more. */
static void stay_staged(struct ima_keeper *keeper)
{
	if (ima_join_is_open(&keeper->join)) {
		ima_join_again(&keeper->join);
		return;
	}
	ima_join_free(&keeper->join);
	keeper->join.unknown = (size_t)(keeper->archived - keeper->notes.deleted);
}

/* What is staged is archived: the kernel is told to delete it. */
static int delete_staged(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_notes *notes = &keeper->notes;
	int r;

	notes->deleting = keeper->seen;
	r = ima_keeper_note(keeper, err);
	if (r == 0)
		r = tell_kernel(keeper, "D\n", err);
	/* Measuring is suspended, a kexec is under way: the next kernel gets what is staged. */
	if (r == -ESTALE) {
		stay_staged(keeper);
		return 0;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	ima_join_drop(&keeper->join, (size_t)(keeper->seen - notes->deleted));
	notes->deleted = keeper->seen;
	notes->deleting = 0;
	return ima_keeper_note(keeper, err);
}

int ima_list_end(struct ima_keeper *keeper, struct assay_error *err)
{
	int r = 0;

	if (keeper->staging && keeper->fd >= 0)
		r = delete_staged(keeper, err);
	/* A list that nobody can delete from goes on where it was read to. */
	if (keeper->kernel.staged[0])
		ima_list_close(keeper);
	else
		ima_join_free(&keeper->join);
	return r;
}
