// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "source/dpkg_database.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/root.h"
#include "source/deb822.h"
#include "source/dpkg_text.h"

/* What is read of the database, in bytes at most: status, and what it has of one package. */
#define STATUS_MAX ((size_t)1 << 28)
#define INFO_MAX ((size_t)1 << 26)

#define ADMINDIR "/var/lib/dpkg"

/**
 * struct reading - while it is read
 * @name: of the database's directory, for people; @fd: of it
 * @diversions: sorted by the path diverted, @diversion_count of them
 * @asked: which of @options->packages were found
 */
struct reading {
	const struct dpkg_options *options;
	struct dpkg_database *database;
	const char *name;
	int fd;
	struct buffer status, diversion_text;
	struct dpkg_diversion *diversions;
	size_t diversion_count;
	bool *asked;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot read dpkg's database: out of memory");
}

/* Room for one more of a list, which doubles whenever the count is a power of two. */
static bool make_room(void *list_place, size_t count, size_t size)
{
	void **place = list_place, *list;

	if ((count & (count - 1)) != 0)
		return true;
	list = reallocarray(*place, count ? 2 * count : 1, size);
	if (list)
		*place = list;
	return list != NULL;
}

/* A file of the database; @name: how it is called. -ENOENT if it is not there. */
static int read_part(const struct reading *reading, const char *file, size_t limit,
		     char name[static PATH_MAX], struct buffer *out, struct assay_error *err)
{
	int r = root_read(reading->fd, file, limit, out, err);

	snprintf(name, PATH_MAX, "%s/%s", reading->name, file);
	return r < 0 ? assay_fail_context(err, "%s", reading->name) : 0;
}

/* ---------------------------------------------------------------- diversions */

static int compare_bytes(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_diversions(const void *a, const void *b)
{
	return compare_bytes(((const struct dpkg_diversion *)a)->from,
			     ((const struct dpkg_diversion *)b)->from);
}

static int read_diversions(struct reading *reading, struct assay_error *err)
{
	struct dpkg_diversion diversion;
	struct bytes text;
	char name[PATH_MAX];
	int r = read_part(reading, "diversions", INFO_MAX, name, &reading->diversion_text, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	text = buffer_bytes(&reading->diversion_text);
	while ((r = dpkg_diversion_next(&text, name, &diversion, err)) == 1) {
		if (!make_room(&reading->diversions, reading->diversion_count,
			       sizeof(*reading->diversions)))
			return out_of_memory(err);
		reading->diversions[reading->diversion_count++] = diversion;
	}
	if (reading->diversion_count > 0)
		qsort(reading->diversions, reading->diversion_count, sizeof(*reading->diversions),
		      compare_diversions);
	return r;
}

/* Where a package's file is. */
static struct bytes diverted(struct reading *reading, struct bytes path, struct bytes package)
{
	const struct dpkg_diversion key = { .from = path }, *found;

	found = reading->diversion_count == 0 ?
			NULL :
			bsearch(&key, reading->diversions, reading->diversion_count, sizeof(key),
				compare_diversions);
	if (!found || bytes_equal(found->package, package))
		return path;
	reading->database->diverted++;
	return found->to;
}

/* ---------------------------------------------------------------- one package */

/* "libc6:arm64.list", or "bash.list" */
static int read_info(struct reading *reading, const struct dpkg_package *package,
		     const char *ending, char name[static PATH_MAX], struct buffer *out,
		     struct assay_error *err)
{
	char file[3 * PACKAGE_TEXT_SIZE];

	snprintf(file, sizeof(file), "info/%.*s%s%.*s.%s", (int)package->name.size,
		 (const char *)package->name.data, package->same ? ":" : "",
		 package->same ? (int)package->architecture.size : 0,
		 (const char *)package->architecture.data, ending);
	return read_part(reading, file, INFO_MAX, name, out, err);
}

/* The sums of a package, those of its conffiles as well. */
static int read_sums(struct reading *reading, const struct dpkg_package *package,
		     struct buffer *text, struct dpkg_sums *sums, struct dpkg_sums *conffiles,
		     struct assay_error *err)
{
	char name[PATH_MAX];
	int r = read_info(reading, package, "md5sums", name, text, err);

	if (r == 0)
		r = dpkg_md5sums(buffer_bytes(text), name, sums, err);
	else if (r == -ENOENT)
		r = 0; /* of files there is nothing then to compare them with */
	if (r < 0)
		return r;
	return dpkg_conffiles(package->conffiles, reading->name, conffiles, err);
}

static int add_entry(struct reading *reading, struct bytes listed, const struct dpkg_package *from,
		     const struct package_name *package, const struct dpkg_sums *sums,
		     const struct dpkg_sums *conffiles, struct assay_error *err)
{
	struct dpkg_database *database = reading->database;
	struct bytes bare = BYTES(listed.data + 1, listed.size - 1);
	const struct dpkg_sum *conffile = dpkg_sums_find(conffiles, bare);
	const struct dpkg_sum *sum = conffile ? NULL : dpkg_sums_find(sums, bare);
	struct bytes path = diverted(reading, listed, from->name);
	struct dpkg_entry entry = {
		.package = package,
		.configuration = conffile != NULL,
		.has_md5 = sum && sum->known && !reading->options->changed,
	};

	if (entry.has_md5)
		memcpy(entry.md5, sum->md5, sizeof(entry.md5));
	if (!make_room(&database->entries, database->count, sizeof(entry)))
		return out_of_memory(err);
	entry.path = strndup((const char *)path.data, path.size);
	if (!entry.path)
		return out_of_memory(err);
	database->entries[database->count++] = entry;
	return 0;
}

static int read_files(struct reading *reading, const struct dpkg_package *from,
		      const struct package_name *package, struct assay_error *err)
{
	struct dpkg_sums sums = { 0 }, conffiles = { 0 };
	struct buffer text = { 0 }, sum_text = { 0 };
	char name[PATH_MAX];
	struct bytes rest, line;
	int r = read_info(reading, from, "list", name, &text, err);

	if (r == -ENOENT)
		r = assay_fail(err, ENOENT,
			       "there is no %s, which is to say what %s installed; install it "
			       "again",
			       name, package->name);
	if (r == 0)
		r = read_sums(reading, from, &sum_text, &sums, &conffiles, err);
	rest = buffer_bytes(&text);
	while (r == 0 && deb822_line(&rest, &line)) {
		if (line.size < 2 || bytes_equal(line, BYTES_LITERAL("/.")))
			continue;
		if (line.data[0] != '/' || memchr(line.data, '\0', line.size) ||
		    line.size >= PATH_MAX)
			r = assay_fail(err, EBADMSG, "%s: a line is not an absolute path", name);
		else
			r = add_entry(reading, line, from, package, &sums, &conffiles, err);
	}
	free(sums.list);
	free(conffiles.list);
	buffer_free(&text);
	buffer_free(&sum_text);
	return r;
}

/* ---------------------------------------------------------------- all of them */

/* Is the package one of those asked for? */
static bool is_asked(struct reading *reading, const struct package_name *package)
{
	const struct tree_names *asked = &reading->options->packages;
	size_t length = strlen(package->name);
	bool found = asked->count == 0;

	for (size_t i = 0; i < asked->count; i++) {
		const char *name = asked->list[i];

		if (strncmp(name, package->name, length) != 0 ||
		    (name[length] != '\0' &&
		     (name[length] != ':' ||
		      strcmp(name + length + 1, package->architecture) != 0)))
			continue;
		reading->asked[i] = true;
		found = true;
	}
	return found;
}

static const struct package_name *keep_name(struct dpkg_database *database,
					    const struct dpkg_package *package)
{
	char texts[3][PACKAGE_TEXT_SIZE];
	const struct bytes from[] = { package->name, package->version, package->architecture };
	const struct package_name name = { texts[0], texts[1], texts[2] };

	for (size_t i = 0; i < 3; i++)
		snprintf(texts[i], PACKAGE_TEXT_SIZE, "%.*s", (int)from[i].size,
			 (const char *)from[i].data);
	return packages_keep(&database->packages, &name);
}

static int take_package(struct reading *reading, const struct dpkg_package *package,
			struct assay_error *err)
{
	struct dpkg_database *database = reading->database;
	const struct package_name *name;

	if (package->state == DPKG_ABSENT)
		return 0;
	name = keep_name(database, package);
	if (!name)
		return out_of_memory(err);
	if (!is_asked(reading, name))
		return 0;
	if (package->state == DPKG_INSTALLED)
		return read_files(reading, package, name, err);
	if (!make_room(&database->partly, database->partly_count, sizeof(struct package_name *)))
		return out_of_memory(err);
	database->partly[database->partly_count++] = name;
	return 0;
}

static int read_status(struct reading *reading, struct assay_error *err)
{
	struct dpkg_package package;
	char name[PATH_MAX];
	struct bytes text;
	size_t number = 0;
	int r = read_part(reading, "status", STATUS_MAX, name, &reading->status, err);

	if (r == -ENOENT)
		return assay_fail(err, ENOENT,
				  "there is no %s: no packages were installed there by dpkg", name);
	if (r < 0)
		return r;
	text = buffer_bytes(&reading->status);
	while ((r = dpkg_package_next(&text, name, &number, &package, err)) == 1) {
		r = take_package(reading, &package, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* dpkg notes there what is not in status yet. */
static int check_updates(const struct reading *reading, struct assay_error *err)
{
	int fd = root_open_file(reading->fd, "updates", O_RDONLY | O_DIRECTORY), r = 0;
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(directory)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			r = assay_fail(err, EBUSY,
				       "dpkg is at work on %s, or was interrupted: wait for it, or "
				       "run 'dpkg --configure -a'",
				       reading->name);
	closedir(directory);
	return r;
}

static int check_asked(const struct reading *reading, struct assay_error *err)
{
	const struct tree_names *asked = &reading->options->packages;
	char shown[120];

	for (size_t i = 0; i < asked->count; i++)
		if (!reading->asked[i])
			return assay_fail(err, ENOENT, "no package %s is installed in %s",
					  text_escape(BYTES((const uint8_t *)asked->list[i],
							    strlen(asked->list[i])),
						      shown, sizeof(shown)),
					  reading->options->root);
	return 0;
}

/* ---------------------------------------------------------------- paths without links */

static int compare_entries(const void *a, const void *b)
{
	const struct dpkg_entry *first = a, *second = b;
	int order = strcmp(first->path, second->path);

	/* Of the same path twice, the one that is known best. */
	return order != 0 ? order : (int)second->has_md5 - (int)first->has_md5;
}

static void sort_entries(struct dpkg_database *database)
{
	if (database->count > 0)
		qsort(database->entries, database->count, sizeof(*database->entries),
		      compare_entries);
}

/* @resolved: the entry's directory without links */
static int put_directory(struct dpkg_entry *entry, const char *resolved, struct assay_error *err)
{
	char *path;

	if (asprintf(&path, "%s%s", resolved, strrchr(entry->path, '/')) < 0)
		return out_of_memory(err);
	free(entry->path);
	entry->path = path;
	return 0;
}

/* The directory without links, free() it; NULL: it is not there, which is told when it is its turn
 */
static char *resolve(int root_fd, const char *prefix, const char *directory)
{
	int fd = root_open_file(root_fd, directory, O_PATH | O_DIRECTORY);
	char *path = fd < 0 ? NULL : root_path(prefix, fd);

	if (fd >= 0)
		close(fd);
	/* Of the root itself all is in "". */
	if (path && strcmp(path, "/") == 0)
		path[0] = '\0';
	return path;
}

/* The entries are sorted, so that most of a directory's follow each other. */
static int resolve_directories(struct dpkg_database *database, int root_fd, struct assay_error *err)
{
	char directory[PATH_MAX] = "?", *prefix, *resolved = NULL;
	int r = root_prefix(root_fd, &prefix, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < database->count && r == 0; i++) {
		struct dpkg_entry *entry = &database->entries[i];
		size_t length = (size_t)(strrchr(entry->path, '/') - entry->path);

		if (strncmp(directory, entry->path, length) != 0 || directory[length] != '\0') {
			memcpy(directory, entry->path, length);
			directory[length] = '\0';
			free(resolved);
			resolved = resolve(root_fd, prefix, length > 0 ? directory : "/");
		}
		if (resolved && strcmp(resolved, directory) != 0)
			r = put_directory(entry, resolved, err);
	}
	free(resolved);
	free(prefix);
	return r;
}

static void drop_twice(struct dpkg_database *database)
{
	size_t kept = 0;

	for (size_t i = 0; i < database->count; i++) {
		if (kept > 0 &&
		    strcmp(database->entries[kept - 1].path, database->entries[i].path) == 0)
			free(database->entries[i].path);
		else
			database->entries[kept++] = database->entries[i];
	}
	database->count = kept;
}

/* ---------------------------------------------------------------- all */

static int open_admindir(struct reading *reading, int root_fd, struct assay_error *err)
{
	const char *given = reading->options->admindir;

	reading->fd = given ? open(given, O_PATH | O_DIRECTORY | O_CLOEXEC) :
			      root_open_file(root_fd, ADMINDIR, O_PATH | O_DIRECTORY);
	if (reading->fd < 0) {
		int code = given ? errno : -reading->fd;

		return assay_fail(err, code, "cannot open dpkg's database %s%s: %s",
				  given ? "" : reading->options->root, given ? given : ADMINDIR,
				  strerror(code));
	}
	return 0;
}

static int read_all(struct reading *reading, int root_fd, struct assay_error *err)
{
	int r = open_admindir(reading, root_fd, err);

	if (r == 0)
		r = check_updates(reading, err);
	if (r == 0)
		r = read_diversions(reading, err);
	if (r == 0)
		r = read_status(reading, err);
	if (r == 0)
		r = check_asked(reading, err);
	if (r < 0)
		return r;
	sort_entries(reading->database);
	r = resolve_directories(reading->database, root_fd, err);
	sort_entries(reading->database);
	drop_twice(reading->database);
	return r;
}

int dpkg_database_read(const struct dpkg_options *options, int root_fd, struct dpkg_database *ret,
		       struct assay_error *err)
{
	struct reading reading = { .options = options,
				   .database = ret,
				   .name = options->admindir ? options->admindir : ADMINDIR,
				   .fd = -1 };
	int r;

	*ret = (struct dpkg_database){ 0 };
	reading.asked = calloc(options->packages.count + 1, sizeof(*reading.asked));
	r = reading.asked ? read_all(&reading, root_fd, err) : out_of_memory(err);
	if (reading.fd >= 0)
		close(reading.fd);
	free(reading.asked);
	free(reading.diversions);
	buffer_free(&reading.status);
	buffer_free(&reading.diversion_text);
	return r;
}

void dpkg_database_free(struct dpkg_database *database)
{
	for (size_t i = 0; i < database->count; i++)
		free(database->entries[i].path);
	free(database->entries);
	free(database->partly);
	packages_free(&database->packages);
	*database = (struct dpkg_database){ 0 };
}

static int compare_path(const void *path, const void *entry)
{
	return strcmp(path, ((const struct dpkg_entry *)entry)->path);
}

const struct dpkg_entry *dpkg_database_find(const struct dpkg_database *database, const char *path)
{
	if (database->count == 0)
		return NULL;
	return bsearch(path, database->entries, database->count, sizeof(*database->entries),
		       compare_path);
}
