/* SPDX-License-Identifier: MIT */
/* A file of an archive, written to a descriptor. For lib/archive. */
#ifndef ASSAY_ARCHIVE_COMPRESS_H
#define ASSAY_ARCHIVE_COMPRESS_H

#include "archive/archive_format.h"

/*
 * archive_compress() - write the header's frame and the compressed content
 * @digest: SHA-256 of what was written
 *
 * Return: 0; -ENOSPC and others of write(); -ENOMEM
 */
int archive_compress(int fd, const struct archive_header *header, struct bytes content,
		     uint8_t digest[ARCHIVE_DIGEST], struct assay_error *err);

#endif /* ASSAY_ARCHIVE_COMPRESS_H */
