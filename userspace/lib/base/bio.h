/* SPDX-License-Identifier: MIT */
/* What OpenSSL wrote to a BIO in memory. */
#ifndef ASSAY_BASE_BIO_H
#define ASSAY_BASE_BIO_H

#include <openssl/bio.h>

#include "base/bytes.h"

/* bio_bytes() - what is in @bio, a BIO_s_mem(); the BIO's own */
static inline struct bytes bio_bytes(BIO *bio)
{
	char *data = NULL;
	long size = BIO_get_mem_data(bio, &data);

	return BYTES((const uint8_t *)data, size > 0 ? (size_t)size : 0);
}

#endif /* ASSAY_BASE_BIO_H */
