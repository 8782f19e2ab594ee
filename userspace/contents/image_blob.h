/* SPDX-License-Identifier: MIT */
/* The files that an image is made of, in a directory or in a tar archive, each read as a stream. */
#ifndef ASSAY_CONTENTS_IMAGE_BLOB_H
#define ASSAY_CONTENTS_IMAGE_BLOB_H

#include <openssl/evp.h>

#include "image.h"

/**
 * struct image_blob - a file that is open
 * @archive: it is its present member
 * @hash: of all that was read; NULL: it is not checked
 */
struct image_blob {
	struct archive *archive;
	EVP_MD_CTX *hash;
	int fd;
	char name[600];
	struct assay_digest expected;
};

/*
 * blob_open() - open a file of an image
 * @path: in the image: "index.json"
 * @digest: what it has to have; NULL: nobody knows
 * @ret: blob_close() it, but for -ENOENT, which is without a word
 */
int blob_open(const struct image_source *source, const char *path,
	      const struct assay_digest *digest, struct image_blob *ret, struct assay_error *err);
/* blob_check() - read the rest, and compare its digest. Return: 0; -EBADMSG */
int blob_check(struct image_blob *blob, struct assay_error *err);
void blob_close(struct image_blob *blob);

#endif /* ASSAY_CONTENTS_IMAGE_BLOB_H */
