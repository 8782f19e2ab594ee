/* SPDX-License-Identifier: MIT */
/*
 * A source of files to sign: the objects of composefs repositories, whose names are the fs-verity
 * digests of their content: .../objects/ab/cdef....
 *
 * For commands that sign.
 */
#ifndef ASSAY_SOURCE_COMPOSEFS_H
#define ASSAY_SOURCE_COMPOSEFS_H

#include "sign/source.h"
#include "verity/parameters.h"

/*
 * composefs_digest() - the digest that an object's path names; pure
 * @path: that ends in "/objects/", two digits, "/", and the rest of the digits
 *
 * Return: false for another path
 */
bool composefs_digest(const char *path, enum assay_hash hash, struct assay_digest *ret);

/*
 * source_composefs() - the objects below a directory; other files are left out
 * @root, @options: as for tree_open()
 * @parameters: as composefs computes digests: blocks of 4096 bytes, no salt
 *
 * Return: 0; -EINVAL for other parameters; as tree_open()
 */
int source_composefs(const char *root, const struct tree_options *options,
		     const struct verity_parameters *parameters, struct source **ret,
		     struct assay_error *err);

#endif /* ASSAY_SOURCE_COMPOSEFS_H */
