// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/verity.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verity/input.h"

static const struct {
	enum assay_hash hash;
	uint16_t algorithm;
} algorithms[] = {
	{ ASSAY_HASH_SHA256, FS_VERITY_HASH_ALG_SHA256 },
	{ ASSAY_HASH_SHA512, FS_VERITY_HASH_ALG_SHA512 },
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

/**
 * struct source - where data comes from: one of these
 * @bytes: memory
 * @input: a file
 * @read, @context: see verity.h
 */
struct source {
	const uint8_t *bytes;
	const struct input *input;
	verity_read_function read;
	void *context;
};

static int take_piece(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		      const struct source *source, bool *ret_changed, struct assay_error *err)
{
	if (source->bytes)
		return hasher_take(hasher, run, piece, source->bytes + piece * HASHER_PIECE, err);
	if (source->input)
		return input_take(source->input, hasher, run, piece, ret_changed, err);
	return hasher_read(hasher, run, piece, source->read, source->context, ret_changed, err);
}

static int hash_pieces(struct verity_hasher *hasher, struct hasher_run *run,
		       const struct source *source, bool *ret_changed, struct assay_digest *ret,
		       struct assay_error *err)
{
	struct hasher_top *top;
	int r = hasher_top_new(&run->merkle, run->target, run->output, &top, err);

	if (r < 0)
		return r;
	for (uint64_t piece = 0; piece < hasher_pieces(run->merkle.size) && r == 0; piece++) {
		hasher_begin(hasher);
		r = take_piece(hasher, run, piece, source, ret_changed, err);
		if (r == 0)
			r = hasher_work(hasher, &run, 1, err);
		if (r == 0)
			r = hasher_top_add(top, hasher, run->digests, run->count, err);
	}
	if (r == 0)
		r = hasher_top_finish(top, hasher, ret, err);
	hasher_top_free(top);
	return r;
}

static int hash(struct verity_hasher *hasher, const struct merkle *merkle,
		struct verity_output *output, const struct source *source, bool *ret_changed,
		struct assay_digest *ret, struct assay_error *err)
{
	struct hasher_run run = { .merkle = *merkle, .output = output, .target = merkle->levels };
	struct hasher_run *runs = &run;
	int r;

	if (hasher_pieces(merkle->size) > 1) {
		run.target = hasher_target(hasher, merkle);
		return hash_pieces(hasher, &run, source, ret_changed, ret, err);
	}
	hasher_begin(hasher);
	r = take_piece(hasher, &run, 0, source, ret_changed, err);
	if (r == 0)
		r = hasher_work(hasher, &runs, 1, err);
	if (r == 0)
		r = hasher_finish(hasher, &runs, 1, &ret, err);
	return r;
}

/* Of @size bytes that @name names. */
static int hash_source(struct verity_hasher *hasher, const struct source *source, uint64_t size,
		       const char *name, struct assay_digest *ret, struct assay_error *err)
{
	struct input input = { .name = name };
	struct assay_digest digest;
	struct merkle merkle;
	bool changed = false;
	int r;

	if (merkle_plan(hasher_parameters(hasher), size, &merkle) < 0)
		return merkle_too_large(hasher_parameters(hasher), name, err);
	r = hash(hasher, &merkle, NULL, source, &changed, &digest, err);
	if (changed)
		return input_changed(&input, err);
	if (r == 0)
		*ret = digest;
	return r;
}

int verity_hash(struct verity_hasher *hasher, verity_read_function read, void *context,
		uint64_t size, const char *name, struct assay_digest *ret, struct assay_error *err)
{
	const struct source source = { .read = read, .context = context };

	return hash_source(hasher, &source, size, name, ret, err);
}

int verity_hash_bytes(struct verity_hasher *hasher, struct bytes data, const char *name,
		      struct assay_digest *ret, struct assay_error *err)
{
	/* So that an empty one is somewhere, too. */
	const struct source source = { .bytes = data.data ? data.data : (const uint8_t *)"" };

	return hash_source(hasher, &source, data.size, name, ret, err);
}

int verity_hash_fd_output(struct verity_hasher *hasher, int fd, const char *name,
			  struct verity_output *output, struct assay_digest *ret,
			  uint64_t *ret_size, struct assay_error *err)
{
	struct input input = { .name = name, .fd = fd, .err = err };
	const struct source source = { .input = &input };
	struct assay_digest digest;
	struct merkle merkle;
	bool changed = false;
	int r = input_begin(&input, hasher_parameters(hasher), &merkle);

	if (r < 0)
		return r;
	r = hash(hasher, &merkle, output, &source, &changed, &digest, err);
	if (changed)
		return input_changed(&input, err);
	if (r == 0)
		r = input_end(&input);
	if (r < 0)
		return r;
	*ret = digest;
	if (ret_size)
		*ret_size = merkle.size;
	return 0;
}

int verity_hash_fd(struct verity_hasher *hasher, int fd, const char *name, struct assay_digest *ret,
		   uint64_t *ret_size, struct assay_error *err)
{
	return verity_hash_fd_output(hasher, fd, name, NULL, ret, ret_size, err);
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
	return assay_digest_text(digest, text);
}

int verity_digest_parse(const char *text, struct assay_digest *ret)
{
	struct assay_digest digest;

	if (assay_digest_parse(text, &digest) < 0 || verity_algorithm(digest.hash) == 0)
		return -EINVAL;
	*ret = digest;
	return 0;
}

bool verity_digest_equal(const struct assay_digest *a, const struct assay_digest *b)
{
	return a->hash == b->hash &&
	       bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size));
}
