/* SPDX-License-Identifier: MIT */
/* A stream whose bytes come out compressed by zstd (RFC 8878), as one frame. */
#ifndef ASSAY_BASE_COMPRESS_H
#define ASSAY_BASE_COMPRESS_H

#include <stdio.h>

#include "assay.h"

/*
 * compress_open() - begin a frame on @to
 * @to: stays the caller's, and must be open for as long as the new stream is
 *
 * fclose() of the new stream ends the frame: EOF with errno if that, or a write to @to, fails.
 * Return: 0; -ENOMEM
 */
int compress_open(FILE *to, FILE **ret, struct assay_error *err);

#endif /* ASSAY_BASE_COMPRESS_H */
