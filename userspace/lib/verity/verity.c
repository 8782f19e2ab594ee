// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/verity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fsverity.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FS_VERITY_MAX_LEVELS in fs/verity/fsverity_private.h. */
#define LEVELS_MAX 8

/* How much is read at a time; a multiple of every block size. */
#define READ_SIZE (256U * 1024)

/* Offsets in struct fsverity_descriptor (Documentation/filesystems/fsverity.rst). */
enum {
	DESCRIPTOR_VERSION = 0,
	DESCRIPTOR_HASH_ALGORITHM = 1,
	DESCRIPTOR_LOG_BLOCK_SIZE = 2,
	DESCRIPTOR_SALT_SIZE = 3,
	DESCRIPTOR_DATA_SIZE = 8,
	DESCRIPTOR_ROOT_HASH = 16,
	DESCRIPTOR_SALT = 80,
	DESCRIPTOR_SIZE = 256,
};

static const struct {
	enum assay_hash hash;
	uint16_t algorithm;
	size_t hash_block_size; /* of the hash function; salts are padded to it */
} algorithms[] = {
	{ ASSAY_HASH_SHA256, FS_VERITY_HASH_ALG_SHA256, 64 },
	{ ASSAY_HASH_SHA512, FS_VERITY_HASH_ALG_SHA512, 128 },
};

/**
 * struct verity_hasher - see verity.h
 * @salted: an EVP context that has taken the padded salt; NULL without salt
 * @data: what was read, READ_SIZE bytes
 * @levels: the block being filled of each level, [0] the one above the data
 * @filled: bytes in use of each
 */
struct verity_hasher {
	struct verity_parameters parameters;
	size_t digest_size;
	EVP_MD *md;
	EVP_MD_CTX *context;
	EVP_MD_CTX *salted;
	uint8_t *data;
	uint8_t *levels[LEVELS_MAX];
	size_t filled[LEVELS_MAX];
};

uint16_t verity_algorithm(enum assay_hash hash)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].hash == hash)
			return algorithms[i].algorithm;
	return 0;
}

enum assay_hash verity_hash_by_algorithm(uint16_t algorithm)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].algorithm == algorithm)
			return algorithms[i].hash;
	return ASSAY_HASH_NONE;
}

static size_t hash_block_size(enum assay_hash hash)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].hash == hash)
			return algorithms[i].hash_block_size;
	return 0;
}

int verity_check_parameters(const struct verity_parameters *parameters, struct assay_error *err)
{
	uint32_t block_size = parameters->block_size;

	if (verity_algorithm(parameters->hash) == 0)
		return assay_fail(err, EINVAL, "fs-verity knows the hashes sha256 and sha512 only");
	if (block_size < VERITY_BLOCK_SIZE_MIN || block_size > VERITY_BLOCK_SIZE_MAX ||
	    (block_size & (block_size - 1)) != 0)
		return assay_fail(err, EINVAL,
				  "a block size of %" PRIu32
				  " is not possible: it is a power of two from %d to %d (and at "
				  "most the device's page size and its file system's block size)",
				  block_size, VERITY_BLOCK_SIZE_MIN, VERITY_BLOCK_SIZE_MAX);
	if (parameters->salt_size > VERITY_SALT_MAX)
		return assay_fail(err, EINVAL, "a salt of %zu bytes is longer than the %d possible",
				  parameters->salt_size, VERITY_SALT_MAX);
	return 0;
}

int verity_set_hash(struct verity_parameters *parameters, const char *text, struct assay_error *err)
{
	enum assay_hash hash = assay_hash_by_name(text);

	if (verity_algorithm(hash) == 0)
		return assay_fail(err, EINVAL, "the hash is sha256 or sha512, not '%s'", text);
	parameters->hash = hash;
	return 0;
}

int verity_set_block_size(struct verity_parameters *parameters, const char *text,
			  struct assay_error *err)
{
	struct verity_parameters changed_parameters = *parameters;
	unsigned long size;
	char *end;

	errno = 0;
	size = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || size > VERITY_BLOCK_SIZE_MAX)
		return assay_fail(err, EINVAL,
				  "the block size is a power of two from %d to %d, not '%s'",
				  VERITY_BLOCK_SIZE_MIN, VERITY_BLOCK_SIZE_MAX, text);
	changed_parameters.block_size = (uint32_t)size;
	if (verity_check_parameters(&changed_parameters, err) < 0)
		return -EINVAL;
	*parameters = changed_parameters;
	return 0;
}

int verity_set_salt(struct verity_parameters *parameters, const char *hex, struct assay_error *err)
{
	uint8_t salt[VERITY_SALT_MAX] = { 0 };
	size_t size;

	if (hex_decode(hex, salt, sizeof(salt), &size) < 0)
		return assay_fail(err, EINVAL,
				  "the salt is an even number of hex digits, for at most %d bytes",
				  VERITY_SALT_MAX);
	memcpy(parameters->salt, salt, sizeof(salt));
	parameters->salt_size = size;
	return 0;
}

static int crypto_failed(struct assay_error *err)
{
	return assay_fail(err, EIO, "libcrypto failed to compute a digest");
}

static int make_salted(struct verity_hasher *hasher, struct assay_error *err)
{
	uint8_t padded[128] = { 0 };

	if (hasher->parameters.salt_size == 0)
		return 0;
	memcpy(padded, hasher->parameters.salt, hasher->parameters.salt_size);
	hasher->salted = EVP_MD_CTX_new();
	if (!hasher->salted || !EVP_DigestInit_ex2(hasher->salted, hasher->md, NULL) ||
	    !EVP_DigestUpdate(hasher->salted, padded, hash_block_size(hasher->parameters.hash)))
		return crypto_failed(err);
	return 0;
}

int verity_hasher_new(const struct verity_parameters *parameters, struct verity_hasher **ret,
		      struct assay_error *err)
{
	struct verity_hasher *hasher;
	int r = verity_check_parameters(parameters, err);

	if (r < 0)
		return r;
	hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	hasher->parameters = *parameters;
	hasher->digest_size = assay_hash_size(parameters->hash);
	hasher->md = EVP_MD_fetch(NULL, assay_hash_name(parameters->hash), NULL);
	hasher->context = EVP_MD_CTX_new();
	hasher->data = malloc(READ_SIZE);
	if (!hasher->md || !hasher->context) {
		r = crypto_failed(err);
		goto fail;
	}
	for (int i = 0; i < LEVELS_MAX; i++) {
		hasher->levels[i] = malloc(parameters->block_size);
		if (!hasher->levels[i] || !hasher->data) {
			r = assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
			goto fail;
		}
	}
	r = make_salted(hasher, err);
	if (r < 0)
		goto fail;
	*ret = hasher;
	return 0;
fail:
	verity_hasher_free(hasher);
	return r;
}

void verity_hasher_free(struct verity_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_CTX_free(hasher->salted);
	EVP_MD_free(hasher->md);
	free(hasher->data);
	for (int i = 0; i < LEVELS_MAX; i++)
		free(hasher->levels[i]);
	free(hasher);
}

static bool hash_block(struct verity_hasher *hasher, const uint8_t *block, uint8_t *digest)
{
	bool begun = hasher->salted ? EVP_MD_CTX_copy_ex(hasher->context, hasher->salted) :
				      EVP_DigestInit_ex2(hasher->context, hasher->md, NULL);

	return begun && EVP_DigestUpdate(hasher->context, block, hasher->parameters.block_size) &&
	       EVP_DigestFinal_ex(hasher->context, digest, NULL);
}

/*
 * Adds the hash of @block to the lowest level, and, for each level whose block is full
 * with it, that block's hash to the level above. The hash of the top level's block is
 * the root hash; a file of one block has no levels, and its hash is the root hash.
 */
static bool add_block(struct verity_hasher *hasher, unsigned int level, unsigned int levels,
		      const uint8_t *block, uint8_t *root)
{
	for (;; level++) {
		uint8_t *place =
			level == levels ? root : hasher->levels[level] + hasher->filled[level];

		if (!hash_block(hasher, block, place))
			return false;
		if (level == levels)
			return true;
		hasher->filled[level] += hasher->digest_size;
		if (hasher->filled[level] < hasher->parameters.block_size)
			return true;
		hasher->filled[level] = 0;
		block = hasher->levels[level];
	}
}

static bool finish_levels(struct verity_hasher *hasher, unsigned int levels, uint8_t *root)
{
	for (unsigned int level = 0; level < levels; level++) {
		size_t filled = hasher->filled[level];

		if (filled == 0)
			continue;
		memset(hasher->levels[level] + filled, 0, hasher->parameters.block_size - filled);
		hasher->filled[level] = 0;
		if (!add_block(hasher, level + 1, levels, hasher->levels[level], root))
			return false;
	}
	return true;
}

/* How many levels the tree has; over LEVELS_MAX if the kernel could not have it. */
static unsigned int count_levels(const struct verity_hasher *hasher, uint64_t size)
{
	uint64_t block_size = hasher->parameters.block_size;
	uint64_t hashes = block_size / hasher->digest_size;
	uint64_t blocks = size / block_size + (size % block_size != 0);
	unsigned int levels = 0;

	for (; blocks > 1; levels++)
		blocks = blocks / hashes + (blocks % hashes != 0);
	return levels;
}

static int hash_descriptor(struct verity_hasher *hasher, uint64_t size, const uint8_t *root,
			   struct assay_digest *ret, struct assay_error *err)
{
	const struct verity_parameters *parameters = &hasher->parameters;
	uint8_t descriptor[DESCRIPTOR_SIZE] = { 0 };
	struct assay_digest digest = { .hash = parameters->hash, .size = hasher->digest_size };

	descriptor[DESCRIPTOR_VERSION] = 1;
	descriptor[DESCRIPTOR_HASH_ALGORITHM] = (uint8_t)verity_algorithm(parameters->hash);
	descriptor[DESCRIPTOR_LOG_BLOCK_SIZE] = (uint8_t)__builtin_ctz(parameters->block_size);
	descriptor[DESCRIPTOR_SALT_SIZE] = (uint8_t)parameters->salt_size;
	for (int i = 0; i < 8; i++)
		descriptor[DESCRIPTOR_DATA_SIZE + i] = (uint8_t)(size >> (8 * i));
	memcpy(descriptor + DESCRIPTOR_ROOT_HASH, root, hasher->digest_size);
	memcpy(descriptor + DESCRIPTOR_SALT, parameters->salt, parameters->salt_size);
	if (!EVP_DigestInit_ex2(hasher->context, hasher->md, NULL) ||
	    !EVP_DigestUpdate(hasher->context, descriptor, sizeof(descriptor)) ||
	    !EVP_DigestFinal_ex(hasher->context, digest.bytes, NULL))
		return crypto_failed(err);
	*ret = digest;
	return 0;
}

static int changed(struct assay_error *err, const char *name)
{
	return assay_fail(err, EIO,
			  "%s changed while it was read; try again when nothing writes to it",
			  name);
}

int verity_hash(struct verity_hasher *hasher, verity_read_function read, void *context,
		uint64_t size, const char *name, struct assay_digest *ret, struct assay_error *err)
{
	size_t block_size = hasher->parameters.block_size;
	unsigned int levels = count_levels(hasher, size);
	uint8_t root[ASSAY_DIGEST_MAX] = { 0 };
	uint64_t done = 0;

	if (levels > LEVELS_MAX)
		return assay_fail(err, EFBIG,
				  "%s is too large for fs-verity with blocks of %zu bytes; use "
				  "larger blocks",
				  name, block_size);
	memset(hasher->filled, 0, sizeof(hasher->filled));
	for (;;) {
		ssize_t got = read(context, hasher->data, READ_SIZE, err);
		size_t end;

		if (got < 0)
			return (int)got;
		if ((uint64_t)got > size - done)
			return changed(err, name);
		done += (uint64_t)got;
		end = ((size_t)got + block_size - 1) / block_size * block_size;
		memset(hasher->data + got, 0, end - (size_t)got);
		for (size_t at = 0; at < end; at += block_size)
			if (!add_block(hasher, 0, levels, hasher->data + at, root))
				return crypto_failed(err);
		if ((size_t)got < READ_SIZE)
			break;
	}
	if (done != size)
		return changed(err, name);
	if (!finish_levels(hasher, levels, root))
		return crypto_failed(err);
	return hash_descriptor(hasher, size, root, ret, err);
}

struct fd_source {
	int fd;
	uint64_t offset;
	const char *name;
};

static ssize_t read_fd(void *context, void *data, size_t size, struct assay_error *err)
{
	struct fd_source *source = context;
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(source->fd, (uint8_t *)data + done, size - done,
				    (off_t)(source->offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return assay_fail(err, errno, "cannot read %s: %s", source->name,
					  strerror(errno));
		if (got == 0)
			break;
		done += (size_t)got;
	}
	source->offset += done;
	return (ssize_t)done;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int verity_hash_fd(struct verity_hasher *hasher, int fd, const char *name, struct assay_digest *ret,
		   uint64_t *ret_size, struct assay_error *err)
{
	struct fd_source source = { .fd = fd, .name = name };
	struct assay_digest digest;
	struct stat before, after;
	int r;

	if (fstat(fd, &before) < 0)
		return assay_fail(err, errno, "cannot read %s: %s", name, strerror(errno));
	if (!S_ISREG(before.st_mode))
		return assay_fail(err, S_ISDIR(before.st_mode) ? EISDIR : EINVAL,
				  "%s is %s: only regular files have an fs-verity digest", name,
				  S_ISDIR(before.st_mode) ? "a directory" : "not a regular file");
	r = verity_hash(hasher, read_fd, &source, (uint64_t)before.st_size, name, &digest, err);
	if (r < 0)
		return r;
	if (fstat(fd, &after) < 0)
		return assay_fail(err, errno, "cannot read %s: %s", name, strerror(errno));
	if (after.st_size != before.st_size || !same_time(&after.st_mtim, &before.st_mtim))
		return changed(err, name);
	*ret = digest;
	if (ret_size)
		*ret_size = (uint64_t)before.st_size;
	return 0;
}

static ssize_t read_bytes(void *context, void *data, size_t size, struct assay_error *err)
{
	struct bytes *left = context, piece = { 0 };

	(void)err;
	if (size > left->size)
		size = left->size;
	if (bytes_take(left, size, &piece) && size > 0)
		memcpy(data, piece.data, size);
	return (ssize_t)size;
}

int verity_hash_bytes(struct verity_hasher *hasher, struct bytes data, const char *name,
		      struct assay_digest *ret, struct assay_error *err)
{
	uint64_t size = data.size;

	return verity_hash(hasher, read_bytes, &data, size, name, ret, err);
}

int verity_digest_bytes(const struct verity_parameters *parameters, struct bytes data,
			const char *name, struct assay_digest *ret, struct assay_error *err)
{
	struct verity_hasher *hasher;
	int r = verity_hasher_new(parameters, &hasher, err);

	if (r < 0)
		return r;
	r = verity_hash_bytes(hasher, data, name, ret, err);
	verity_hasher_free(hasher);
	return r;
}

struct bytes verity_formatted_digest(const struct assay_digest *digest, uint8_t *formatted)
{
	static const char magic[8] = { 'F', 'S', 'V', 'e', 'r', 'i', 't', 'y' };
	uint16_t algorithm = verity_algorithm(digest->hash);
	size_t size = assay_hash_size(digest->hash);

	if (algorithm == 0 || digest->size != size)
		return BYTES(formatted, 0);
	memcpy(formatted, magic, sizeof(magic));
	formatted[8] = (uint8_t)algorithm;
	formatted[9] = (uint8_t)(algorithm >> 8);
	formatted[10] = (uint8_t)size;
	formatted[11] = (uint8_t)(size >> 8);
	memcpy(formatted + 12, digest->bytes, size);
	return BYTES(formatted, 12 + size);
}

char *verity_digest_text(const struct assay_digest *digest, char *text)
{
	const char *name = assay_hash_name(digest->hash);
	char *end = stpcpy(stpcpy(text, name ? name : "none"), ":");

	hex_encode(BYTES(digest->bytes, digest->size), end);
	return text;
}

int verity_digest_parse(const char *text, struct assay_digest *ret)
{
	const char *colon = strchr(text, ':');
	struct assay_digest digest = { 0 };
	char name[8];

	if (!colon || (size_t)(colon - text) >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	digest.hash = assay_hash_by_name(name);
	if (verity_algorithm(digest.hash) == 0)
		return -EINVAL;
	if (hex_decode(colon + 1, digest.bytes, sizeof(digest.bytes), &digest.size) < 0 ||
	    digest.size != assay_hash_size(digest.hash))
		return -EINVAL;
	*ret = digest;
	return 0;
}

bool verity_digest_equal(const struct assay_digest *a, const struct assay_digest *b)
{
	return a->hash == b->hash &&
	       bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size));
}
