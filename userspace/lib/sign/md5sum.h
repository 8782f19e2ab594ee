/* SPDX-License-Identifier: MIT */
/*
 * Is a file still what its package installed? MD5 is what package managers keep for that: it
 * tells of changes, not of attacks.
 *
 * For commands that sign.
 */
#ifndef ASSAY_SIGN_MD5SUM_H
#define ASSAY_SIGN_MD5SUM_H

#include "sign/source.h"

/*
 * md5sum_check() - the MD5 of all that can be read of a file
 * @fd: open for reading; its position is not used
 * @name: names the file in errors; @package: whose it is
 *
 * Return: 0; -ESTALE if it is another one than @expected; else why it cannot be read
 */
int md5sum_check(int fd, const uint8_t expected[static SOURCE_MD5_SIZE], const char *name,
		 const struct package_name *package, struct assay_error *err);

#endif /* ASSAY_SIGN_MD5SUM_H */
