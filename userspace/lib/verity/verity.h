/* SPDX-License-Identifier: MIT */
/*
 * fs-verity digests, computed in user space exactly as the kernel computes them
 * (Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor").
 *
 * For the signer, the device and the verifier; needs OpenSSL's libcrypto only.
 * What asks the kernel (enable, measure) is in verity/enable.h.
 */
#ifndef ASSAY_VERITY_H
#define ASSAY_VERITY_H

#include <sys/types.h>

#include "base/bytes.h"

/* What the kernel takes at most: 32 bytes of salt, blocks of 1 KiB up to its page size. */
#define VERITY_SALT_MAX 32
#define VERITY_BLOCK_SIZE_MIN 1024
#define VERITY_BLOCK_SIZE_MAX 65536
#define VERITY_BLOCK_SIZE_DEFAULT 4096

/* Characters of "sha512:HEX" with its NUL. */
#define VERITY_TEXT_MAX ASSAY_DIGEST_TEXT_MAX

/* sizeof(struct fsverity_formatted_digest) with the largest digest. */
#define VERITY_FORMATTED_MAX (12 + ASSAY_DIGEST_MAX)

/* sizeof(struct fsverity_descriptor), of which the digest is the hash. */
#define VERITY_DESCRIPTOR_SIZE 256

/**
 * struct verity_parameters - what, beside the data, an fs-verity digest depends on
 * @hash: ASSAY_HASH_SHA256 or ASSAY_HASH_SHA512
 * @block_size: bytes of a Merkle tree block, a power of two from
 *              VERITY_BLOCK_SIZE_MIN to VERITY_BLOCK_SIZE_MAX
 * @salt_size: 0 to VERITY_SALT_MAX
 */
struct verity_parameters {
	enum assay_hash hash;
	uint32_t block_size;
	size_t salt_size;
	uint8_t salt[VERITY_SALT_MAX];
};

#define VERITY_PARAMETERS_DEFAULT                               \
	((struct verity_parameters){ .hash = ASSAY_HASH_SHA256, \
				     .block_size = VERITY_BLOCK_SIZE_DEFAULT })

/* verity_check_parameters() - -EINVAL with the limit that is not kept */
int verity_check_parameters(const struct verity_parameters *parameters, struct assay_error *err);

/*
 * Parameters as people write them on a command line. @parameters is changed on success
 * only; -EINVAL with a sentence otherwise.
 */
int verity_set_hash(struct verity_parameters *parameters, const char *text,
		    struct assay_error *err);
int verity_set_block_size(struct verity_parameters *parameters, const char *text,
			  struct assay_error *err);
int verity_set_salt(struct verity_parameters *parameters, const char *hex, struct assay_error *err);

/*
 * Computes digests, one after the other; one hasher a thread. Holds the fetched
 * algorithm and all buffers, so that small files cost no set-up. Its memory does
 * not depend on the files' sizes.
 */
struct verity_hasher;

int verity_hasher_new(const struct verity_parameters *parameters, struct verity_hasher **ret,
		      struct assay_error *err);
void verity_hasher_free(struct verity_hasher *hasher);

/*
 * verity_read_function - the next bytes of the data
 *
 * Return: how many were put at @data: @size, less only at the data's end; or a
 * negative errno with *err set
 */
typedef ssize_t (*verity_read_function)(void *context, void *data, size_t size,
					struct assay_error *err);

/*
 * verity_hash() - the digest of what @read gives
 * @size: bytes that @read is to give; another number is -EIO ("changed while it was read")
 * @name: names the data in errors
 */
int verity_hash(struct verity_hasher *hasher, verity_read_function read, void *context,
		uint64_t size, const char *name, struct assay_digest *ret, struct assay_error *err);

/*
 * verity_hash_fd() - the digest of a regular file
 * @fd: open for reading; its position is not used or changed
 * @name: names the file in errors
 * @ret_size: the file's size in bytes; may be NULL
 *
 * A file whose size or modification time changes meanwhile is -EIO: its digest
 * would be that of no file that ever was.
 */
int verity_hash_fd(struct verity_hasher *hasher, int fd, const char *name, struct assay_digest *ret,
		   uint64_t *ret_size, struct assay_error *err);

/**
 * struct verity_output - what to make of a file beside its digest
 * @write: takes blocks of the Merkle tree, for @offset bytes from where the kernel stores it:
 *         the root's level comes first. In no order, from several threads at once in a pool;
 *         0, or a negative errno with *err set, which is the digest's failure. NULL: no tree.
 * @descriptor: set with the digest: struct fsverity_descriptor as it is hashed
 */
struct verity_output {
	int (*write)(void *context, uint64_t offset, struct bytes blocks, struct assay_error *err);
	void *context;
	uint8_t descriptor[VERITY_DESCRIPTOR_SIZE];
};

/* verity_hash_fd_output() - the same, with more to make; @output may be NULL */
int verity_hash_fd_output(struct verity_hasher *hasher, int fd, const char *name,
			  struct verity_output *output, struct assay_digest *ret,
			  uint64_t *ret_size, struct assay_error *err);

/* verity_hash_bytes() - the digest of memory; pure */
int verity_hash_bytes(struct verity_hasher *hasher, struct bytes data, const char *name,
		      struct assay_digest *ret, struct assay_error *err);

/* verity_digest_bytes() - the same with a hasher of its own */
int verity_digest_bytes(const struct verity_parameters *parameters, struct bytes data,
			const char *name, struct assay_digest *ret, struct assay_error *err);

/* verity_algorithm() - FS_VERITY_HASH_ALG_*; 0 for a hash that fs-verity does not have */
uint16_t verity_algorithm(enum assay_hash hash);
/* verity_hash_by_algorithm() - the reverse; ASSAY_HASH_NONE for a number not known */
enum assay_hash verity_hash_by_algorithm(uint16_t algorithm);

/*
 * verity_formatted_digest() - struct fsverity_formatted_digest, which built-in
 * signatures sign: "FSVerity", le16 algorithm, le16 size, digest
 * @formatted: room for VERITY_FORMATTED_MAX bytes
 *
 * Return: the bytes, in @formatted; of size 0 for a digest that is not fs-verity's
 */
struct bytes verity_formatted_digest(const struct assay_digest *digest, uint8_t *formatted);

/* verity_digest_text() - "sha256:HEX"; @text has room for VERITY_TEXT_MAX. Returns @text. */
char *verity_digest_text(const struct assay_digest *digest, char *text);

/*
 * verity_digest_parse() - reads "sha256:HEX" with as many digits as the hash has
 * Return: 0, or -EINVAL
 */
int verity_digest_parse(const char *text, struct assay_digest *ret);

bool verity_digest_equal(const struct assay_digest *a, const struct assay_digest *b);

#endif /* ASSAY_VERITY_H */
