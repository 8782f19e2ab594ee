/* SPDX-License-Identifier: MIT */
/*
 * What is mounted, as far as it says where files with fs-verity can be, and where looking for
 * them could take for ever.
 */
#ifndef ASSAY_MEASURE_MOUNTS_H
#define ASSAY_MEASURE_MOUNTS_H

#include "base/bytes.h"

/* Bytes of /proc/self/mountinfo that are read at most. */
#define MOUNTS_SIZE_MAX (16U << 20)
#define MOUNTS_PATH "/proc/self/mountinfo"

/**
 * struct mount_point - one line of mountinfo (proc_pid_mountinfo(5))
 * @path: of the mount point, as seen from the root that was asked for
 * @type: of the file system
 * @id: of the mount: as mountinfo has it, which the kernel gives again later, or from
 *      mounts_load() where the kernel can (Linux 6.8) one that it never does
 */
struct mount_point {
	char *path;
	char *type;
	uint64_t id;
};

/* In the order of mountinfo: of two at one place the later one is seen. */
struct mounts {
	struct mount_point *list;
	size_t count;
};

/*
 * mounts_parse() - read mountinfo; pure
 * @prefix: directory that is the root: mount points below it are taken, without it; "" for all
 * @ret: mounts_free() it
 *
 * Return: 0; -EBADMSG for what is no mountinfo; -ENOMEM
 */
int mounts_parse(struct bytes text, const char *prefix, struct mounts *ret,
		 struct assay_error *err);
int mounts_load(const char *prefix, struct mounts *ret, struct assay_error *err);
void mounts_free(struct mounts *mounts);

/* mounts_find() - the mount that a path is in, NULL where none is known */
const struct mount_point *mounts_find(const struct mounts *mounts, const char *path);

/*
 * mounts_may_wait() - could opening a path wait for a server, a daemon or a device that is to be
 * mounted first: is it, or what it is below, an automount, a network's or a program's?
 */
bool mounts_may_wait(const struct mounts *mounts, const char *path);

/* mount_has_verity() - is it of a type that has fs-verity? */
bool mount_has_verity(const struct mount_point *mount);

/* mounts_have_new() - is one of @now, that has fs-verity, not in @before? */
bool mounts_have_new(const struct mounts *now, const struct mounts *before);

#endif /* ASSAY_MEASURE_MOUNTS_H */
