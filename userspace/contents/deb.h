/* SPDX-License-Identifier: MIT */
/*
 * Debian's packages (deb(5)): an ar archive of debian-binary, control.tar and data.tar.
 */
#ifndef ASSAY_CONTENTS_DEB_H
#define ASSAY_CONTENTS_DEB_H

#include "unpack.h"

/*
 * deb_begin() - what a root has before packages are unpacked: /bin, /lib, /sbin and their like lead
 * to those of /usr, as in Debian 12 and later
 */
int deb_begin(struct merged *merged, struct assay_error *err);

/*
 * deb_read() - put a package's files into the root; configuration files only if they are asked for
 * @fd: of the package, or -1 where all of it is @text
 * @name: names it in errors
 * @packages: keeps its name
 * @ret_configuration: counted on: files that were left out so
 *
 * Return: 0; -EBADMSG for what is no such package; -E2BIG for one that unpacks to too much
 */
int deb_read(struct unpack *unpack, int fd, struct bytes text, const char *name, bool conffiles,
	     struct packages *packages, uint64_t *ret_configuration, struct assay_error *err);

#endif /* ASSAY_CONTENTS_DEB_H */
