// SPDX-License-Identifier: MIT
/* What rules of a form, and of all that is below a directory, find. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "measure/scan_internal.h"
#include "sign/manifest.h"

/* Names between two looks at the clock. */
#define NAMES_A_LOOK 256

/**
 * struct place - a directory that is open
 * @real: how it is called from the root, without symbolic links
 */
struct place {
	DIR *stream;
	char *real;
};

static void leave(struct place *place)
{
	if (place->stream)
		closedir(place->stream);
	free(place->real);
	*place = (struct place){ 0 };
}

/* One more name is looked at. */
static int count_name(struct scan_run *run)
{
	if (++run->names > run->most.names)
		return assay_fail(run->err, E2BIG,
				  "the rules have more than %" PRIu64
				  " names in directories looked at: have them look at fewer",
				  run->most.names);
	if (run->names % NAMES_A_LOOK == 0 && scan_now() >= run->most.look_until)
		return assay_fail(run->err, E2BIG,
				  "it takes too long to look into the directories that rules have "
				  "looked at: have them look at fewer, or give it more time "
				  "(timeout)");
	return 0;
}

/* The next name that is neither "." nor ".."; NULL at the end, or with the bound's error in *r. */
static const char *next_name(struct scan_run *run, const struct place *place, int *r)
{
	struct dirent *entry;

	while ((entry = readdir(place->stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*r = count_name(run);
		return *r == 0 ? entry->d_name : NULL;
	}
	return NULL;
}

/*
 * A directory by its path, through symbolic links within the root. A place without a stream where
 * there is none, or where looking could wait.
 */
static struct place enter(struct scan_run *run, const char *path)
{
	struct place place = { 0 };
	char real[PATH_MAX];
	int fd;

	if (scan_resolve(&run->mounts, run->options->root, path, real) < 0)
		return place;
	fd = root_open_file(run->options->root, real, O_RDONLY | O_DIRECTORY | O_NOCTTY);
	if (fd < 0)
		return place;
	place.real = root_path(run->prefix, fd);
	/* It may be another one by now: then it is left alone from here on. */
	if (place.real && !mounts_may_wait(&run->mounts, place.real))
		place.stream = fdopendir(fd);
	if (!place.stream) {
		close(fd);
		leave(&place);
	}
	return place;
}

static int join(const char *directory, const char *name, char path[MANIFEST_PATH_MAX])
{
	int size = snprintf(path, MANIFEST_PATH_MAX, "%s/%s",
			    strcmp(directory, "/") == 0 ? "" : directory, name);

	return size < MANIFEST_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * May a name be that of a directory? A link is not followed here, as what it names begins at the
 * root: enter() does, and has no stream for what is none.
 */
static bool may_be_directory(int fd, const char *name, bool link)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISDIR(st.st_mode) || (link && S_ISLNK(st.st_mode)));
}

/* ---------------------------------------------------------------- glob */

static int match(struct scan_run *run, const char *directory, const char *pattern, int depth);

/* Names in a directory that match a component; what is behind it goes on with @rest. */
static int match_names(struct scan_run *run, const struct place *place, const char *component,
		       const char *rest, int depth)
{
	char path[MANIFEST_PATH_MAX];
	const char *name;
	int r = 0;

	while (r == 0 && (name = next_name(run, place, &r))) {
		if (fnmatch(component, name, 0) != 0)
			continue;
		if (!rest)
			r = scan_consider(run, dirfd(place->stream), place->real, name);
		else if (may_be_directory(dirfd(place->stream), name, true) &&
			 join(place->real, name, path) == 0)
			r = match(run, path, rest, depth + 1);
	}
	return r;
}

/* "**": here, and in all directories below; symbolic links lead into none. */
static int match_below(struct scan_run *run, const struct place *place, const char *pattern,
		       const char *rest, int depth)
{
	char path[MANIFEST_PATH_MAX];
	const char *name;
	int r = match(run, place->real, rest ? rest : "*", depth + 1);

	while (r == 0 && (name = next_name(run, place, &r)))
		if (may_be_directory(dirfd(place->stream), name, false) &&
		    join(place->real, name, path) == 0)
			r = match(run, path, pattern, depth + 1);
	return r;
}

/* @pattern: components, without a slash in front; the last is of files */
static int match(struct scan_run *run, const char *directory, const char *pattern, int depth)
{
	const char *slash = strchr(pattern, '/'), *rest = slash ? slash + 1 : NULL;
	char component[MANIFEST_PATH_MAX];
	struct place place;
	int r;

	if (depth > SCAN_DEPTH_MAX)
		return 0;
	snprintf(component, sizeof(component), "%.*s",
		 slash ? (int)(slash - pattern) : (int)strlen(pattern), pattern);
	place = enter(run, directory);
	if (!place.stream)
		return 0;
	if (strcmp(component, "**") == 0)
		r = match_below(run, &place, pattern, rest, depth);
	else
		r = match_names(run, &place, component, rest, depth);
	leave(&place);
	return r;
}

int scan_glob(struct scan_run *run, const char *pattern)
{
	return match(run, "/", pattern + 1, 0);
}

/* ---------------------------------------------------------------- all with fs-verity */

/* Is it of a file system that can have any? Looked up only where another one begins. */
static bool may_have_verity(const struct scan_run *run, const char *path)
{
	const struct mount_point *mount = mounts_find(&run->mounts, path);

	return !mount || mount_has_verity(mount);
}

/* As systemd has them, of extensions, portable services and machines: NAME.raw. */
static bool is_image(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && strcmp(end, ".raw") == 0;
}

/* An image has to have fs-verity, also one that is kept elsewhere, and linked from here. */
static int take_image(struct scan_run *run, const struct place *place, const char *name,
		      const struct stat *st)
{
	char path[MANIFEST_PATH_MAX];

	if (!S_ISLNK(st->st_mode))
		return scan_require(run, dirfd(place->stream), place->real, name);
	return join(place->real, name, path) < 0 ? 0 : scan_require_linked(run, path);
}

/* @images: images have to have fs-verity */
static int walk(struct scan_run *run, struct place *place, dev_t device, bool images, int depth)
{
	int fd = dirfd(place->stream), r = 0;
	const char *name;

	while (r == 0 && (name = next_name(run, place, &r))) {
		struct place below = { 0 };
		char path[MANIFEST_PATH_MAX];
		struct stat st;

		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
			continue;
		if (images && is_image(name))
			r = take_image(run, place, name, &st);
		else if (S_ISREG(st.st_mode))
			r = scan_consider(run, fd, place->real, name);
		if (!S_ISDIR(st.st_mode) || depth >= SCAN_DEPTH_MAX ||
		    join(place->real, name, path) < 0 ||
		    (st.st_dev != device && !may_have_verity(run, path)))
			continue;
		below = enter(run, path);
		if (below.stream)
			r = walk(run, &below, st.st_dev, images, depth + 1);
		leave(&below);
	}
	return r;
}

static int walk_from(struct scan_run *run, const char *path, bool images)
{
	struct place place = enter(run, path);
	struct stat st;
	int r = 0;

	if (place.stream && fstat(dirfd(place.stream), &st) == 0)
		r = walk(run, &place, st.st_dev, images, 0);
	leave(&place);
	return r;
}

int scan_verity(struct scan_run *run, const char *path)
{
	return walk_from(run, path, false);
}

int scan_images(struct scan_run *run, const char *path)
{
	return walk_from(run, path, true);
}
