/* SPDX-License-Identifier: MIT */
/*
 * Which package of a distribution a file is of.
 *
 * Pure but for the memory.
 */
#ifndef ASSAY_SIGN_PACKAGE_H
#define ASSAY_SIGN_PACKAGE_H

#include "base/bytes.h"

/* Each of the texts of a name, with its NUL. */
#define PACKAGE_TEXT_SIZE 256
/* What package_check_text() asks, of "%s". */
#define PACKAGE_RULE \
	"%s is not 1 to 255 visible characters of ASCII without quotation marks and backslashes"
/* A name as package_text() has it, with its NUL. */
#define PACKAGE_SHOWN_SIZE (3 * PACKAGE_TEXT_SIZE + 16)

/**
 * struct package_name - a package, as its distribution names it
 * @name: "coreutils"; NULL: none is known, and then the others are NULL, too
 * @version: "9.1-1"; with Debian's epoch, if it has one
 * @architecture: "arm64", "all"
 */
struct package_name {
	const char *name, *version, *architecture;
};

/*
 * package_check_text() - 1 to PACKAGE_TEXT_SIZE - 1 visible characters of ASCII, no quotation mark
 * and no backslash
 */
bool package_check_text(struct bytes text);

/*
 * package_text() - ", of package coreutils 9.1-1 (arm64)", for behind a file's path; returns @text
 * @package: "" of NULL and where none is known
 */
const char *package_text(const struct package_name *package, char text[static PACKAGE_SHOWN_SIZE]);

/* Names that many files share, each kept once. Start with {0}, end with packages_free(). */
struct packages {
	void *root;
};

/*
 * packages_keep() - a copy of a name, the same one each time
 * @package: with a name
 *
 * Return: what lives as long as @packages; NULL without memory
 */
const struct package_name *packages_keep(struct packages *packages,
					 const struct package_name *package);
void packages_free(struct packages *packages);

#endif /* ASSAY_SIGN_PACKAGE_H */
