/* SPDX-License-Identifier: MIT */
/*
 * A source of files to sign: those of the packages that dpkg's database has as installed.
 *
 * Configuration files (conffiles) are left out, as their owner may change them; files that were
 * changed since they were installed fail. Paths are without links: of /lib/x, where /lib is a
 * link to usr/lib, /usr/lib/x. For commands that sign.
 */
#ifndef ASSAY_SOURCE_DPKG_H
#define ASSAY_SOURCE_DPKG_H

#include "source/dpkg_database.h"

/*
 * source_dpkg() - read the database
 * @options: what it points to may go after the call, but for the patterns
 *
 * Return: 0; -ENOENT where there is no database or no such package; -EBUSY while dpkg has not
 * finished; -EBADMSG for a database that cannot be understood
 */
int source_dpkg(const struct dpkg_options *options, struct source **ret, struct assay_error *err);

#endif /* ASSAY_SOURCE_DPKG_H */
