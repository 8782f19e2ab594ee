// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "source/dpkg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/root.h"

/* O_NONBLOCK: should a FIFO have taken a file's place, do not wait for its writer. */
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

#define ALTERNATIVES "/etc/alternatives"

/**
 * struct source_of_dpkg - the files of its packages
 * @next: of the entries
 * @next_partly: of the packages that are told
 * @directory: of the entry looked at last, without its last "/", and its descriptor; -1: it is not
 *             there
 * @alternatives: links that are looked at in the end; NULL: none
 * @prefix: of the root, for root_path()
 */
struct source_of_dpkg {
	struct source source;
	struct tree_names include, exclude;
	bool configuration;
	int root_fd;
	struct dpkg_database database;
	size_t next, next_partly;
	char directory[PATH_MAX];
	int directory_fd;
	DIR *alternatives;
	char *prefix;
};

static const char *show(const char *path, char shown[static 512])
{
	return text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, 512);
}

/* ---------------------------------------------------------------- files */

/* The directory of the entry is open. Return: 0, or a negative errno */
static int enter_directory(struct source_of_dpkg *of, const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path);

	if (of->directory_fd >= 0 && strncmp(of->directory, path, length) == 0 &&
	    of->directory[length] == '\0')
		return 0;
	if (of->directory_fd >= 0)
		close(of->directory_fd);
	memcpy(of->directory, path, length);
	of->directory[length] = '\0';
	of->directory_fd = tree_open_beneath(of->root_fd, length > 0 ? of->directory : "/",
					     O_PATH | O_DIRECTORY, "", NULL);
	return of->directory_fd < 0 ? of->directory_fd : 0;
}

static enum source_kind failed(const struct dpkg_entry *entry, int code, struct source_item *item,
			       struct assay_error *err)
{
	char shown[512];

	item->path = strdup(entry->path);
	assay_fail(err, code, "cannot read %s: %s", show(entry->path, shown), strerror(code));
	return SOURCE_FAILED;
}

static enum source_kind missing(struct source_of_dpkg *of, const struct dpkg_entry *entry,
				struct source_item *item, struct assay_error *err)
{
	char shown[512], package[PACKAGE_SHOWN_SIZE];

	of->source.counts.missing++;
	item->path = strdup(entry->path);
	assay_fail(err, ENOENT, "%s%s, is not there any more", show(entry->path, shown),
		   package_text(entry->package, package));
	return SOURCE_NOTE;
}

/* Return: SOURCE_END for what is nothing to tell of */
static enum source_kind look(struct source_of_dpkg *of, const struct dpkg_entry *entry,
			     struct source_item *item, struct assay_error *err)
{
	const char *name = strrchr(entry->path, '/') + 1;
	int r = enter_directory(of, entry->path);

	if (r == 0 && fstatat(of->directory_fd, name, &item->stat, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r == -ENOENT || r == -ENOTDIR)
		return missing(of, entry, item, err);
	if (r < 0)
		return failed(entry, -r, item, err);
	if (S_ISDIR(item->stat.st_mode) || S_ISLNK(item->stat.st_mode))
		return SOURCE_END;
	if (entry->configuration && !of->configuration) {
		of->source.counts.configuration++;
		return SOURCE_END;
	}
	if (S_ISREG(item->stat.st_mode)) {
		item->fd = openat(of->directory_fd, name, FILE_FLAGS);
		if (item->fd < 0 || fstat(item->fd, &item->stat) < 0) {
			int code = errno;

			if (item->fd >= 0)
				close(item->fd);
			item->fd = -1;
			return failed(entry, code, item, err);
		}
	}
	item->path = strdup(entry->path);
	item->package = entry->package;
	item->has_md5 = entry->has_md5;
	memcpy(item->md5, entry->md5, sizeof(item->md5));
	return S_ISREG(item->stat.st_mode) ? SOURCE_FILE : SOURCE_SKIPPED;
}

/* ---------------------------------------------------------------- what is told besides */

static enum source_kind tell_partly(struct source_of_dpkg *of, struct assay_error *err)
{
	const struct package_name *package = of->database.partly[of->next_partly++];

	assay_fail(err, EBUSY, "the package %s %s is not configured, and so left out",
		   package->name, package->version);
	return SOURCE_NOTE;
}

/* What runs under the name of a link that people choose by update-alternatives(1). */
static enum source_kind next_alternative(struct source_of_dpkg *of, struct source_item *item,
					 struct assay_error *err)
{
	char path[PATH_MAX], shown[512], target[512], *resolved = NULL;
	const struct dirent *entry;
	bool known = true;

	while (known && (entry = readdir(of->alternatives))) {
		struct stat stat;
		int fd;

		snprintf(path, sizeof(path), ALTERNATIVES "/%s", entry->d_name);
		fd = root_open_file(of->root_fd, path, O_PATH);
		if (fd < 0)
			continue;
		free(resolved);
		resolved = root_path(of->prefix, fd);
		known = fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || !resolved ||
			dpkg_database_find(&of->database, resolved) != NULL;
		close(fd);
	}
	if (!known) {
		item->path = strdup(path);
		assay_fail(err, ENOENT, "the alternative %s leads to %s, which is of no package",
			   show(path, shown), show(resolved, target));
	}
	free(resolved);
	return known ? SOURCE_END : SOURCE_NOTE;
}

/* ---------------------------------------------------------------- the source */

static enum source_kind next_of_dpkg(struct source *source, struct source_item *ret,
				     struct assay_error *err)
{
	struct source_of_dpkg *of = (struct source_of_dpkg *)source;
	enum source_kind kind = SOURCE_END;

	if (of->next_partly < of->database.partly_count)
		return tell_partly(of, err);
	while (kind == SOURCE_END && of->next < of->database.count) {
		const struct dpkg_entry *entry = &of->database.entries[of->next++];

		if (patterns_take(&of->include, &of->exclude,
				  BYTES((const uint8_t *)entry->path + 1, strlen(entry->path + 1))))
			kind = look(of, entry, ret, err);
	}
	return kind == SOURCE_END && of->alternatives ? next_alternative(of, ret, err) : kind;
}

static void close_dpkg(struct source *source)
{
	struct source_of_dpkg *of = (struct source_of_dpkg *)source;

	dpkg_database_free(&of->database);
	if (of->alternatives)
		closedir(of->alternatives);
	free(of->prefix);
	if (of->directory_fd >= 0)
		close(of->directory_fd);
	if (of->root_fd >= 0)
		close(of->root_fd);
	free(of);
}

static void open_alternatives(struct source_of_dpkg *of)
{
	int fd = root_open_file(of->root_fd, ALTERNATIVES, O_RDONLY | O_DIRECTORY);

	of->alternatives = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !of->alternatives)
		close(fd);
}

int source_dpkg(const struct dpkg_options *options, struct source **ret, struct assay_error *err)
{
	static const struct source_type type = { next_of_dpkg, close_dpkg };
	struct source_of_dpkg *of = calloc(1, sizeof(*of));
	int r;

	if (!of)
		return assay_fail(err, ENOMEM, "cannot read dpkg's database: out of memory");
	of->source.type = &type;
	of->include = options->include;
	of->exclude = options->exclude;
	of->configuration = options->configuration;
	of->directory_fd = -1;
	r = of->root_fd = root_open(options->root, err);
	if (r >= 0)
		r = root_prefix(of->root_fd, &of->prefix, err);
	if (r >= 0)
		r = dpkg_database_read(options, of->root_fd, &of->database, err);
	if (r < 0) {
		close_dpkg(&of->source);
		return r;
	}
	of->source.counts.diverted = of->database.diverted;
	/* Of some packages alone, others' files are of course unknown. */
	if (options->packages.count == 0 && options->include.count + options->exclude.count == 0)
		open_alternatives(of);
	*ret = &of->source;
	return 0;
}
