// SPDX-License-Identifier: MIT
#include "verity/verity.h"

#include <errno.h>

#include "base/cleanup.h"
#include "verity/input.h"
#include "verity/top.h"

/**
 * struct source - where data comes from: one of these
 * @bytes: memory
 * @input: a file
 * @read, @context: see verity.h
 */
struct source {
	const uint8_t *bytes;
	struct input *input;
	verity_read_function read;
	void *context;
};

static int read_piece(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		      struct source *source, bool *ret_changed, struct assay_error *err)
{
	if (source->bytes)
		return hasher_take(hasher, run, piece, source->bytes + piece * HASHER_PIECE, err);
	if (source->input)
		return input_read_piece(source->input, hasher, run, piece, NULL, ret_changed, err);
	return hasher_read(hasher, run, piece, source->read, source->context, ret_changed, err);
}

static void top_free(struct hasher_top **top)
{
	hasher_top_free(*top);
}

/* The next pieces of a file, which are in a hole, or the next one; returns how many it were. */
static int64_t hash_next(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
			 struct source *source, struct hasher_top *top, bool *ret_changed,
			 struct assay_error *err)
{
	uint64_t hole = source->input ? input_hole(source->input, piece) : 0;
	int r;

	if (hole > 0) {
		size_t digests = hasher_piece_digests(hasher, &run->merkle);

		r = hasher_top_add_zeros(top, hasher, hole * digests, err);
		return r < 0 ? r : (int64_t)hole;
	}
	hasher_begin(hasher);
	r = read_piece(hasher, run, piece, source, ret_changed, err);
	if (r == 0)
		r = hasher_work(hasher, &run, 1, err);
	if (r == 0)
		r = hasher_top_add(top, hasher, run->digests, run->count, err);
	return r < 0 ? r : 1;
}

static int hash_pieces(struct verity_hasher *hasher, struct hasher_run *run, struct source *source,
		       bool *ret_changed, struct assay_digest *ret, struct assay_error *err)
{
	CLEANUP(top_free) struct hasher_top *top = NULL;
	uint64_t pieces = hasher_pieces(run->merkle.size);
	int r = hasher_top_new(&run->merkle, run->target, run->output, &top, err);

	if (r < 0)
		return r;
	for (uint64_t piece = 0; piece < pieces;) {
		int64_t done = hash_next(hasher, run, piece, source, top, ret_changed, err);

		if (done < 0)
			return (int)done;
		piece += (uint64_t)done;
	}
	return hasher_top_finish(top, hasher, ret, err);
}

static int hash_tree(struct verity_hasher *hasher, const struct merkle *merkle,
		     struct verity_output *output, struct source *source, bool *ret_changed,
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
	r = read_piece(hasher, &run, 0, source, ret_changed, err);
	if (r == 0)
		r = hasher_work(hasher, &runs, 1, err);
	if (r == 0)
		r = hasher_finish(hasher, &runs, 1, &ret, err);
	return r;
}

/* Of @size bytes that @name names. */
static int hash_source(struct verity_hasher *hasher, struct source *source, uint64_t size,
		       const char *name, struct assay_digest *ret, struct assay_error *err)
{
	struct input input = { .name = name };
	struct assay_digest digest;
	struct merkle merkle;
	bool changed = false;
	int r;

	if (merkle_plan(hasher_parameters(hasher), size, &merkle) < 0)
		return merkle_too_large(hasher_parameters(hasher), name, err);
	r = hash_tree(hasher, &merkle, NULL, source, &changed, &digest, err);
	if (changed)
		return input_changed(&input, err);
	if (r == 0)
		*ret = digest;
	return r;
}

int verity_hash(struct verity_hasher *hasher, verity_read_function read, void *context,
		uint64_t size, const char *name, struct assay_digest *ret, struct assay_error *err)
{
	struct source source = { .read = read, .context = context };

	return hash_source(hasher, &source, size, name, ret, err);
}

int verity_hash_bytes(struct verity_hasher *hasher, struct bytes data, const char *name,
		      struct assay_digest *ret, struct assay_error *err)
{
	/* So that an empty one is somewhere, too. */
	struct source source = { .bytes = data.data ? data.data : (const uint8_t *)"" };

	return hash_source(hasher, &source, data.size, name, ret, err);
}

int verity_hash_fd_output(struct verity_hasher *hasher, int fd, const char *name,
			  struct verity_output *output, struct assay_digest *ret,
			  uint64_t *ret_size, struct assay_error *err)
{
	struct input input = { .name = name, .fd = fd, .output = output, .err = err };
	struct source source = { .input = &input };
	struct assay_digest digest;
	struct merkle merkle;
	bool changed = false;
	int r = input_begin(&input, hasher_parameters(hasher), &merkle);

	if (r < 0)
		return r;
	input.result = hash_tree(hasher, &merkle, output, &source, &changed, &digest, err);
	if (changed)
		input.result = input_changed(&input, err);
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
