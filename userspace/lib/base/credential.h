/* SPDX-License-Identifier: MIT */
/* Where a secret is that a configuration names. */
#ifndef ASSAY_BASE_CREDENTIAL_H
#define ASSAY_BASE_CREDENTIAL_H

#include "assay.h"

/*
 * credential_path() - the path of a secret
 * @path: a path; or a name without a slash: of a file that the service's manager has put in
 *        $CREDENTIALS_DIRECTORY (LoadCredential= of a unit)
 * @ret: free() it
 *
 * Return: 0; -ENOENT for a name where there is no such directory; -ENOMEM
 */
int credential_path(const char *path, char **ret, struct assay_error *err);

#endif /* ASSAY_BASE_CREDENTIAL_H */
