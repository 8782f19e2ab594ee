/* SPDX-License-Identifier: MIT */
/* What others compressed by zlib (RFC 1950) or gzip (RFC 1952). Hostile input: what comes out is
 * bounded. */
#ifndef ASSAY_BASE_INFLATE_H
#define ASSAY_BASE_INFLATE_H

#include "base/bytes.h"

/* inflate_is() - does it begin as a stream of zlib's does, with a window of 32 KiB? */
bool inflate_is(struct bytes in);

/* inflate_is_gzip() - does it begin as a file of gzip's does? */
bool inflate_is_gzip(struct bytes in);

/*
 * inflate_bytes() - append what the stream holds
 * @most: bytes, at most
 *
 * Return: 0; -EBADMSG for what is no whole stream, with nothing behind it; -EFBIG; -ENOMEM
 */
int inflate_bytes(struct bytes in, size_t most, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_BASE_INFLATE_H */
