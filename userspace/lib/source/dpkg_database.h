/* SPDX-License-Identifier: MIT */
/*
 * dpkg's database, read for the files that packages installed. For source/dpkg.c.
 */
#ifndef ASSAY_SOURCE_DPKG_DATABASE_H
#define ASSAY_SOURCE_DPKG_DATABASE_H

#include "sign/source.h"

/**
 * struct dpkg_options - what of the database
 * @root: of the system
 * @admindir: where the database is; NULL: /var/lib/dpkg in @root
 * @packages: "NAME" or "NAME:ARCHITECTURE"; none: all that are installed
 * @include, @exclude: as for struct tree_options
 * @configuration: configuration files, too
 * @changed: files that were changed, too
 */
struct dpkg_options {
	const char *root, *admindir;
	struct tree_names packages, include, exclude;
	bool configuration, changed;
};

/**
 * struct dpkg_entry - a path that a package installed; of a file, a directory or a link
 * @path: as seen from the root, its directory without links
 * @package: whose it is
 * @configuration: a conffile
 * @has_md5, @md5: what it was when it was installed
 */
struct dpkg_entry {
	char *path;
	const struct package_name *package;
	bool configuration, has_md5;
	uint8_t md5[SOURCE_MD5_SIZE];
};

/**
 * struct dpkg_database - what was read
 * @entries: sorted by path, each once; @count of them
 * @partly: packages that dpkg has not finished with, @partly_count of them
 * @diverted: how many entries are elsewhere than their package has them
 * @packages: what all names are kept in
 */
struct dpkg_database {
	struct dpkg_entry *entries;
	size_t count;
	const struct package_name **partly;
	size_t partly_count;
	uint64_t diverted;
	struct packages packages;
};

/* dpkg_database_read() - as source_dpkg(); dpkg_database_free() it, after a failure too */
int dpkg_database_read(const struct dpkg_options *options, int root_fd, struct dpkg_database *ret,
		       struct assay_error *err);
void dpkg_database_free(struct dpkg_database *database);

/* dpkg_database_find() - the entry of a path; NULL: none */
const struct dpkg_entry *dpkg_database_find(const struct dpkg_database *database, const char *path);

#endif /* ASSAY_SOURCE_DPKG_DATABASE_H */
