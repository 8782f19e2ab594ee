/* SPDX-License-Identifier: MIT */
/*
 * fs-verity digests, computed in user space exactly as the kernel computes them
 * (Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor").
 *
 * For the signer, the device and the verifier; needs OpenSSL's libcrypto only.
 * What asks the kernel (enable, measure) is in verity/enable.h.
 *
 * What is below it, each knowing only those to its right:
 * pool -> split -> input -> top -> runs -> lanes -> sha256, merkle -> parameters, and
 * pool -> ahead, split and input -> mapped.
 */
#ifndef ASSAY_VERITY_H
#define ASSAY_VERITY_H

#include "verity/digest.h"
#include "verity/hasher.h"
#include "verity/parameters.h"

/*
 * verity_hash() - the digest of what @read gives
 * @size: bytes that @read is to give; another number is -EIO ("changed while it was read")
 * @name: names the data in errors
 */
int verity_hash(struct verity_hasher *hasher, verity_read_function read, void *context,
		uint64_t size, const char *name, struct assay_digest *ret, struct assay_error *err);

/*
 * verity_hash_fd() - the digest of a regular file
 * @fd: open for reading; its position is not used, and is as before in the end
 * @name: names the file in errors
 * @ret_size: the file's size in bytes; may be NULL
 *
 * A file whose size or modification time changes meanwhile is -EIO: its digest
 * would be that of no file that ever was. Holes of a large file are not read.
 */
int verity_hash_fd(struct verity_hasher *hasher, int fd, const char *name, struct assay_digest *ret,
		   uint64_t *ret_size, struct assay_error *err);

/*
 * verity_hash_fd_output() - the same, with more to make; @output may be NULL. With a tree to
 * write, the time is that of the file's size, as the tree's is: it has no holes.
 */
int verity_hash_fd_output(struct verity_hasher *hasher, int fd, const char *name,
			  struct verity_output *output, struct assay_digest *ret,
			  uint64_t *ret_size, struct assay_error *err);

/* verity_hash_bytes() - the digest of memory; pure */
int verity_hash_bytes(struct verity_hasher *hasher, struct bytes data, const char *name,
		      struct assay_digest *ret, struct assay_error *err);

/* verity_digest_bytes() - the same with a hasher of its own */
int verity_digest_bytes(const struct verity_parameters *parameters, struct bytes data,
			const char *name, struct assay_digest *ret, struct assay_error *err);

#endif /* ASSAY_VERITY_H */
