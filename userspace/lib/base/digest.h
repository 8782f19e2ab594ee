/* SPDX-License-Identifier: MIT */
/*
 * Digests of bytes, by OpenSSL. Each algorithm is fetched once for the whole process, which is
 * what most of a short digest's time would go to.
 *
 * Merkle trees and logs, which have many of one length, are hashed side by side by the
 * engines of verity/lanes.h.
 */
#ifndef ASSAY_BASE_DIGEST_H
#define ASSAY_BASE_DIGEST_H

#include <openssl/evp.h>

#include "base/bytes.h"

/*
 * digest_algorithm() - OpenSSL's algorithm, for its functions that want one
 *
 * Any thread may call it. The algorithm is the process's: it is not to be freed.
 *
 * Return: NULL for a hash that is not known, or that OpenSSL does not offer here
 */
EVP_MD *digest_algorithm(enum assay_hash hash);

/*
 * digest_pieces() - H(pieces[0] || pieces[1] || ...)
 * Return: 0; -ENOTSUP for a hash that digest_algorithm() does not give; -EIO
 */
int digest_pieces(enum assay_hash hash, const struct bytes *pieces, size_t count,
		  struct assay_digest *ret, struct assay_error *err);

/* digest_bytes() - H(data) */
int digest_bytes(enum assay_hash hash, struct bytes data, struct assay_digest *ret,
		 struct assay_error *err);

/*
 * digest_write() - the same as digest_pieces(), to @out and in a context that the caller keeps for
 * the next: a context made for one digest takes as long as hashing a block
 * @out: room for a digest of @hash; may be one of the pieces
 */
int digest_write(EVP_MD_CTX *context, enum assay_hash hash, const struct bytes *pieces,
		 size_t count, uint8_t *out, struct assay_error *err);

#endif /* ASSAY_BASE_DIGEST_H */
