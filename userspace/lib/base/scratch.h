/* SPDX-License-Identifier: MIT */
/* Files without a name, for what is too large for memory and gone when nobody has it open. */
#ifndef ASSAY_BASE_SCRATCH_H
#define ASSAY_BASE_SCRATCH_H

#include "assay.h"

/*
 * scratch_open() - a file in a directory, to read and write, that has no name
 * @ret: its descriptor, which the caller closes; not inherited by what is executed
 */
int scratch_open(const char *directory, int *ret, struct assay_error *err);

#endif /* ASSAY_BASE_SCRATCH_H */
