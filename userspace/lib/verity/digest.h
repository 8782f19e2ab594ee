/* SPDX-License-Identifier: MIT */
/* fs-verity digests as text, as the kernel's signatures cover them, and compared. */
#ifndef ASSAY_VERITY_DIGEST_H
#define ASSAY_VERITY_DIGEST_H

#include "base/bytes.h"

/* sizeof(struct fsverity_formatted_digest) with the largest digest. */
#define VERITY_FORMATTED_MAX (12 + ASSAY_DIGEST_MAX)

/*
 * verity_formatted_digest() - struct fsverity_formatted_digest, which built-in
 * signatures sign: "FSVerity", le16 algorithm, le16 size, digest
 * @formatted: room for VERITY_FORMATTED_MAX bytes
 *
 * Return: the bytes, in @formatted; of size 0 for a digest that is not fs-verity's
 */
struct bytes verity_formatted_digest(const struct assay_digest *digest, uint8_t *formatted);

/*
 * verity_digest_parse() - reads "sha256:HEX" with as many digits as the hash has
 * Return: 0, or -EINVAL
 */
int verity_digest_parse(const char *text, struct assay_digest *ret);

bool verity_digest_equal(const struct assay_digest *a, const struct assay_digest *b);

#endif /* ASSAY_VERITY_DIGEST_H */
