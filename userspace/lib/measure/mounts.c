// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

#define MOUNTS_MAX 100000

/* Linux 6.8; older headers do not have it. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

static const char *const with_verity[] = { "ext4", "btrfs", "f2fs", "overlay" };
static const char *const may_wait[] = { "autofs", "nfs", "nfs4", "cifs",  "smb3",    "ceph",
					"afs",	  "9p",	 "coda", "ocfs2", "virtiofs" };

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool type_may_wait(const char *type)
{
	return is_one_of(type, may_wait, sizeof(may_wait) / sizeof(*may_wait)) ||
	       strncmp(type, "fuse", 4) == 0;
}

static bool is_below(const char *path, const char *point)
{
	size_t size = strcmp(point, "/") == 0 ? 0 : strlen(point);

	return strncmp(path, point, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* ---------------------------------------------------------------- mountinfo */

/* A word up to the next blank, off the front of @line. */
static bool take_word(struct bytes *line, struct bytes *ret)
{
	const uint8_t *blank = line->size ? memchr(line->data, ' ', line->size) : NULL;

	if (!bytes_take(line, blank ? (size_t)(blank - line->data) : line->size, ret))
		return false;
	if (blank)
		line->data++, line->size--;
	return ret->size > 0;
}

static bool read_number(struct bytes word, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < word.size; i++) {
		if (word.data[i] < '0' || word.data[i] > '9' || *ret > UINT64_MAX / 10 - 1)
			return false;
		*ret = *ret * 10 + (uint64_t)(word.data[i] - '0');
	}
	return word.size > 0;
}

static bool is_octal(uint8_t digit)
{
	return digit >= '0' && digit <= '7';
}

/* Blanks and backslashes stand as "\NNN". A string to free(). */
static char *unescape(struct bytes word)
{
	char *text = malloc(word.size + 1);
	size_t size = 0;

	for (size_t i = 0; text && i < word.size; size++) {
		const uint8_t *at = word.data + i;

		if (word.size - i >= 4 && at[0] == '\\' && at[1] <= '3' && is_octal(at[1]) &&
		    is_octal(at[2]) && is_octal(at[3])) {
			text[size] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + at[3] - '0');
			i += 4;
		} else {
			text[size] = (char)at[0];
			i++;
		}
	}
	if (text)
		text[size] = '\0';
	return text;
}

/* Takes @prefix off the front of @path, which stays absolute; false if it is not below it. */
static bool strip(char *path, const char *prefix)
{
	size_t size = strlen(prefix);

	if (strncmp(path, prefix, size) != 0 || (path[size] != '/' && path[size] != '\0'))
		return false;
	memmove(path, path + size, strlen(path + size) + 1);
	if (path[0] == '\0')
		memcpy(path, "/", 2);
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS */
static bool take_mount(struct bytes line, struct mount_point *ret)
{
	struct bytes id, word, point;

	if (!take_word(&line, &id) || !read_number(id, &ret->id))
		return false;
	for (int i = 0; i < 3; i++)
		if (!take_word(&line, &word))
			return false;
	if (!take_word(&line, &point) || !take_word(&line, &word))
		return false;
	do {
		if (!take_word(&line, &word))
			return false;
	} while (!bytes_equal(word, BYTES_LITERAL("-")));
	if (!take_word(&line, &word))
		return false;
	ret->path = unescape(point);
	ret->type = unescape(word);
	return true;
}

static int add_line(struct bytes line, const char *prefix, size_t *capacity, struct mounts *mounts,
		    struct assay_error *err)
{
	struct mount_point mount = { 0 };

	if (!take_mount(line, &mount))
		return assay_fail(err, EBADMSG, MOUNTS_PATH " has a line of a form not known");
	if (mount.path && mount.type && !strip(mount.path, prefix)) {
		free(mount.path);
		free(mount.type);
		return 0;
	}
	if (mounts->count == *capacity) {
		size_t larger = *capacity ? 2 * *capacity : 64;
		struct mount_point *list = reallocarray(mounts->list, larger, sizeof(*list));

		if (list) {
			mounts->list = list;
			*capacity = larger;
		}
	}
	if (!mount.path || !mount.type || mounts->count == *capacity) {
		free(mount.path);
		free(mount.type);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	mounts->list[mounts->count++] = mount;
	return 0;
}

int mounts_parse(struct bytes text, const char *prefix, struct mounts *ret, struct assay_error *err)
{
	struct mounts mounts = { 0 };
	size_t capacity = 0;
	int r = 0;

	while (r == 0 && text.size > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		struct bytes line;

		bytes_take(&text, end ? (size_t)(end - text.data) : text.size, &line);
		if (end)
			text.data++, text.size--;
		r = mounts.count < MOUNTS_MAX ?
			    add_line(line, prefix, &capacity, &mounts, err) :
			    assay_fail(err, E2BIG, "more than %d mounts", MOUNTS_MAX);
	}
	if (r < 0) {
		mounts_free(&mounts);
		return r;
	}
	*ret = mounts;
	return 0;
}

/* Does a path lead through a mount that could have who follows it wait? */
static bool leads_through_one_that_waits(const struct mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (type_may_wait(mounts->list[i].type) && is_below(path, mounts->list[i].path))
			return true;
	return false;
}

/* The numbers in mountinfo are given again once a mount is gone, those of statx() are not. */
static void use_unique_ids(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		struct mount_point *mount = &mounts->list[i];
		struct statx status;

		if (mount_has_verity(mount) && !leads_through_one_that_waits(mounts, mount->path) &&
		    statx(AT_FDCWD, mount->path,
			  AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
			  STATX_MNT_ID_UNIQUE, &status) == 0 &&
		    (status.stx_mask & STATX_MNT_ID_UNIQUE))
			mount->id = status.stx_mnt_id;
	}
}

int mounts_load(const char *prefix, struct mounts *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(MOUNTS_PATH, MOUNTS_SIZE_MAX, &text, err);

	if (r == 0)
		r = mounts_parse(buffer_bytes(&text), prefix, ret, err);
	if (r == 0 && !prefix[0])
		use_unique_ids(ret);
	return r;
}

void mounts_free(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->list[i].path);
		free(mounts->list[i].type);
	}
	free(mounts->list);
	*mounts = (struct mounts){ 0 };
}

/* ---------------------------------------------------------------- questions */

const struct mount_point *mounts_find(const struct mounts *mounts, const char *path)
{
	const struct mount_point *found = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount_point *mount = &mounts->list[i];

		if (is_below(path, mount->path) &&
		    (!found || strlen(mount->path) >= strlen(found->path)))
			found = mount;
	}
	return found;
}

bool mounts_may_wait(const struct mounts *mounts, const char *path)
{
	const struct mount_point *mount = mounts_find(mounts, path);

	return mount && type_may_wait(mount->type);
}

bool mount_has_verity(const struct mount_point *mount)
{
	return is_one_of(mount->type, with_verity, sizeof(with_verity) / sizeof(*with_verity));
}

bool mounts_have_new(const struct mounts *now, const struct mounts *before)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct mount_point *mount = &now->list[i];
		bool known = !mount_has_verity(mount);

		for (size_t j = 0; j < before->count && !known; j++)
			known = before->list[j].id == mount->id &&
				strcmp(before->list[j].path, mount->path) == 0;
		if (!known)
			return true;
	}
	return false;
}
