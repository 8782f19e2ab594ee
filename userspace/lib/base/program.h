/* SPDX-License-Identifier: MIT */
/* Programs of assay's own, which are installed side by side. */
#ifndef ASSAY_BASE_PROGRAM_H
#define ASSAY_BASE_PROGRAM_H

#include "assay.h"

/*
 * program_beside() - the path of the program @name in the directory of the one that runs; or, if
 * it is not there, in bin beside that directory, where the one that runs may be in sbin
 * @ret: free() it; if it is in neither, the first
 *
 * Return: 0; -errno where /proc cannot tell
 */
int program_beside(const char *name, char **ret, struct assay_error *err);

#endif /* ASSAY_BASE_PROGRAM_H */
