/* SPDX-License-Identifier: MIT */
/*
 * Reading from files that are mapped. If another process cuts a file, or a disk fails, its
 * mapped pages are gone and reading there is SIGBUS. In between these calls it gives zeros
 * instead, and is noted. For input.c.
 *
 * The process has its handler of SIGBUS replaced, the first time; what is not meant for
 * this one goes to the one before.
 */
#ifndef ASSAY_VERITY_GUARD_H
#define ASSAY_VERITY_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * guard_begin() - the calling thread reads from here; one place a thread at a time
 * @start: mapped, at a border of pages
 */
void guard_begin(void *start, size_t size);

/* guard_end() - true if some of it could not be read */
bool guard_end(void);

#endif /* ASSAY_VERITY_GUARD_H */
