/* SPDX-License-Identifier: MIT */
/*
 * What is in the files of dpkg's database and of its packages: status and control, md5sums,
 * conffiles, diversions (dpkg(1), deb-control(5), deb-md5sums(5), dpkg-divert(1)).
 *
 * Pure but for the memory: what is returned points into the text.
 */
#ifndef ASSAY_SOURCE_DPKG_TEXT_H
#define ASSAY_SOURCE_DPKG_TEXT_H

#include "sign/package.h"
#include "sign/source.h"

/* How far dpkg got with a package. */
enum dpkg_state {
	DPKG_ABSENT,	/* not there, or its configuration alone */
	DPKG_PARTLY,	/* unpacked, or only in part, and not configured */
	DPKG_INSTALLED, /* there */
};

/**
 * struct dpkg_package - one stanza of status, or a package's control
 * @name, @version, @architecture: each fits a struct package_name
 * @state: of status
 * @same: several architectures of it can be installed beside each other, so that its files'
 *        names in the database have the architecture in them
 * @conffiles: "\n PATH MD5" each, for dpkg_conffiles()
 */
struct dpkg_package {
	struct bytes name, version, architecture;
	enum dpkg_state state;
	bool same;
	struct bytes conffiles;
};

/*
 * dpkg_package_next() - the next stanza
 * @what: names the text in errors; @number: of the stanza, counted on
 *
 * Return: 1; 0 at the end; -EBADMSG and what is wrong with which
 */
int dpkg_package_next(struct bytes *text, const char *what, size_t *number,
		      struct dpkg_package *ret, struct assay_error *err);

/* A file and what its MD5 is to be, if @known. @path: without a leading "/" */
struct dpkg_sum {
	struct bytes path;
	bool known;
	uint8_t md5[SOURCE_MD5_SIZE];
};

/* Sorted by path. Start with {0}; free() the list. */
struct dpkg_sums {
	struct dpkg_sum *list;
	size_t count;
};

/* dpkg_md5sums() - all of a md5sums file; @what names it. Return: 0; -EBADMSG; -ENOMEM */
int dpkg_md5sums(struct bytes text, const char *what, struct dpkg_sums *ret,
		 struct assay_error *err);

/* dpkg_conffiles() - all of the field of that name, or of a package's file conffiles */
int dpkg_conffiles(struct bytes text, const char *what, struct dpkg_sums *ret,
		   struct assay_error *err);

/* dpkg_sums_find() - that of a path without a leading "/"; NULL: none */
const struct dpkg_sum *dpkg_sums_find(const struct dpkg_sums *sums, struct bytes path);

/* A path that is installed elsewhere by all packages but one. Of @package ":" by all. */
struct dpkg_diversion {
	struct bytes from, to, package;
};

/* dpkg_diversion_next() - the next one. Return: as dpkg_package_next() */
int dpkg_diversion_next(struct bytes *text, const char *what, struct dpkg_diversion *ret,
			struct assay_error *err);

#endif /* ASSAY_SOURCE_DPKG_TEXT_H */
