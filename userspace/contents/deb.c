// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "deb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/dpkg_text.h"

/* What is read of control.tar, in bytes at most. */
#define CONTROL_MAX ((size_t)1 << 22)
#define CHUNK_SIZE ((size_t)1 << 16)

/**
 * struct reading - a package while it is read
 * @part: how its member is called, for errors
 * @control, @conffile_text: what control.tar has; @conffiles: sorted
 * @package: its name, once control.tar was read
 */
struct reading {
	struct unpack *unpack;
	const char *name;
	char part[512];
	bool take_conffiles;
	struct buffer control, conffile_text;
	struct dpkg_sums conffiles;
	struct packages *packages;
	const struct package_name *package;
	uint64_t configuration;
};

int deb_begin(struct merged *merged, struct assay_error *err)
{
	static const char *const links[] = { "bin",   "sbin",	"lib",	 "lib32",
					     "lib64", "libo32", "libx32" };
	char target[32];
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(target, sizeof(target), "usr/%s", links[i]);
		r = merged_put_directory(merged, target, err);
		if (r == 0)
			r = merged_put_link(merged, links[i], target, err);
	}
	return r;
}

static const char *bare(const char *path)
{
	while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
		path++;
	return path;
}

/* ---------------------------------------------------------------- control.tar */

static int read_control(struct reading *reading, struct archive *archive, struct assay_error *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = unpack_next(archive, reading->part, &entry, err)) == 1) {
		const char *path = archive_entry_pathname(entry);
		struct buffer *out = NULL;

		if (path && strcmp(bare(path), "control") == 0)
			out = &reading->control;
		else if (path && strcmp(bare(path), "conffiles") == 0)
			out = &reading->conffile_text;
		if (out && (out->size > 0 || archive_entry_filetype(entry) != AE_IFREG))
			return assay_fail(err, EBADMSG, "%s: there are two of %s, or it is no file",
					  reading->part, bare(path));
		r = out ? unpack_text(archive, reading->part, CONTROL_MAX, out, err) : 0;
		if (r < 0)
			return r;
	}
	return r;
}

static int take_name(struct reading *reading, struct assay_error *err)
{
	struct bytes text = buffer_bytes(&reading->control);
	char texts[3][PACKAGE_TEXT_SIZE];
	const struct package_name name = { texts[0], texts[1], texts[2] };
	struct dpkg_package package;
	size_t number = 0;
	int r = dpkg_package_next(&text, reading->part, &number, &package, err);

	if (r == 0)
		r = assay_fail(err, EBADMSG, "%s: it has no control", reading->part);
	if (r < 0)
		return r;
	snprintf(texts[0], PACKAGE_TEXT_SIZE, "%.*s", (int)package.name.size, package.name.data);
	snprintf(texts[1], PACKAGE_TEXT_SIZE, "%.*s", (int)package.version.size,
		 package.version.data);
	snprintf(texts[2], PACKAGE_TEXT_SIZE, "%.*s", (int)package.architecture.size,
		 package.architecture.data);
	reading->package = packages_keep(reading->packages, &name);
	return reading->package ? 0 : assay_fail(err, ENOMEM, "out of memory");
}

static int take_control(struct reading *reading, struct archive *archive, struct assay_error *err)
{
	int r = read_control(reading, archive, err);

	if (r == 0)
		r = take_name(reading, err);
	return r < 0 ? r :
		       dpkg_conffiles(buffer_bytes(&reading->conffile_text), reading->part,
				      &reading->conffiles, err);
}

/* ---------------------------------------------------------------- data.tar */

static bool is_conffile(const struct reading *reading, const char *path)
{
	path = bare(path);
	return dpkg_sums_find(&reading->conffiles, BYTES((const uint8_t *)path, strlen(path)));
}

static int take_data(struct reading *reading, struct archive *archive, struct assay_error *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = unpack_next(archive, reading->part, &entry, err)) == 1) {
		const char *path = archive_entry_pathname(entry);

		if (path && !reading->take_conffiles && archive_entry_filetype(entry) == AE_IFREG &&
		    is_conffile(reading, path)) {
			reading->configuration++;
			continue;
		}
		r = unpack_member(reading->unpack, archive, entry, reading->package, reading->part,
				  err);
		if (r < 0)
			return r;
	}
	return r;
}

/* ---------------------------------------------------------------- the package */

static int check_version(struct reading *reading, struct archive *outer, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = unpack_text(outer, reading->part, 64, &text, err);

	if (r == 0 && (text.size < 4 || memcmp(text.data, "2.", 2) != 0))
		r = assay_fail(err, EBADMSG, "%s: it is not of format 2", reading->part);
	buffer_free(&text);
	return r;
}

static int read_within(struct reading *reading, struct archive *outer, bool data,
		       struct assay_error *err)
{
	struct archive *archive;
	int r = unpack_open_within(outer, reading->part, NULL, &archive, err);

	if (r < 0)
		return r;
	r = data ? take_data(reading, archive, err) : take_control(reading, archive, err);
	archive_read_free(archive);
	return r;
}

static int read_members(struct reading *reading, struct archive *outer, struct assay_error *err)
{
	static const char *const wanted[] = { "debian-binary", "control.tar", "data.tar" };
	struct archive_entry *entry;
	size_t step = 0;
	int r;

	while ((r = unpack_next(outer, reading->name, &entry, err)) == 1 && step < 3) {
		const char *path = archive_entry_pathname(entry);
		size_t length = strlen(wanted[step]);

		path = path ? path : "";
		snprintf(reading->part, sizeof(reading->part), "%s, %s", reading->name,
			 wanted[step]);
		/* Others may stand before the last, if they begin so. */
		if (step > 0 && path[0] == '_')
			continue;
		if (strncmp(path, wanted[step], length) != 0 ||
		    (path[length] != '\0' && path[length] != '.' && path[length] != '/'))
			return assay_fail(
				err, EBADMSG,
				"%s: it is no Debian package: there is no %s in its place",
				reading->name, wanted[step]);
		r = step == 0 ? check_version(reading, outer, err) :
				read_within(reading, outer, step == 2, err);
		if (r < 0)
			return r;
		step++;
	}
	if (r >= 0 && step < 3)
		r = assay_fail(err, EBADMSG, "%s: it is no Debian package: there is no %s",
			       reading->name, wanted[step]);
	return r < 0 ? r : 0;
}

int deb_read(struct unpack *unpack, int fd, struct bytes text, const char *name, bool conffiles,
	     struct packages *packages, uint64_t *ret_configuration, struct assay_error *err)
{
	struct reading reading = {
		.unpack = unpack, .name = name, .take_conffiles = conffiles, .packages = packages
	};
	struct archive *outer = archive_read_new();
	int r;

	if (!outer)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	archive_read_support_format_ar(outer);
	r = fd >= 0 ? archive_read_open_fd(outer, fd, CHUNK_SIZE) :
		      archive_read_open_memory(outer, text.data, text.size);
	r = r == ARCHIVE_OK ? read_members(&reading, outer, err) : unpack_error(outer, name, err);
	*ret_configuration += reading.configuration;
	archive_read_free(outer);
	free(reading.conffiles.list);
	buffer_free(&reading.control);
	buffer_free(&reading.conffile_text);
	return r;
}
