// SPDX-License-Identifier: MIT
#include "verity/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct hasher_top - see top.h
 * @run: the whole file
 * @filled: bytes in use of each level's block
 * @written: blocks of each level that were full
 */
struct hasher_top {
	struct hasher_run run;
	unsigned int base;
	size_t filled[MERKLE_LEVELS_MAX];
	uint64_t written[MERKLE_LEVELS_MAX];
	uint8_t blocks[];
};

int hasher_top_new(const struct merkle *merkle, unsigned int base, struct verity_output *output,
		   struct hasher_top **ret, struct assay_error *err)
{
	size_t blocks = (merkle->levels - base) * merkle->block_size;
	struct hasher_top *top = calloc(1, sizeof(*top) + blocks);

	if (!top)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	top->run.merkle = *merkle;
	top->run.output = output;
	top->base = base;
	*ret = top;
	return 0;
}

void hasher_top_free(struct hasher_top *top)
{
	free(top);
}

static uint8_t *top_block(struct hasher_top *top, unsigned int height)
{
	return top->blocks + (height - top->base) * top->run.merkle.block_size;
}

/*
 * The hash of a height's block, which is full or the last, goes to the block above; that may
 * now be full, too.
 */
static int close_blocks(struct hasher_top *top, struct verity_hasher *hasher, unsigned int height,
			struct assay_error *err)
{
	const struct merkle *merkle = &top->run.merkle;

	for (;; height++) {
		const uint8_t *block = top_block(top, height);
		bool last = height + 1 == merkle->levels;
		uint8_t *out =
			last ? top->run.root : top_block(top, height + 1) + top->filled[height + 1];
		uint64_t first = top->written[height]++ * merkle->per_block;
		int r = hasher_write_blocks(top->run.output, merkle, height, first, block, 1, err);

		if (r == 0)
			r = hasher_hash_block(hasher, block, top->filled[height], out, err);
		if (r < 0)
			return r;
		top->filled[height] = 0;
		if (last)
			return 0;
		top->filled[height + 1] += merkle->digest_size;
		if (top->filled[height + 1] < merkle->block_size)
			return 0;
	}
}

int hasher_top_add(struct hasher_top *top, struct verity_hasher *hasher, const uint8_t *digests,
		   size_t count, struct assay_error *err)
{
	size_t size = count * top->run.merkle.digest_size;

	while (size > 0) {
		size_t filled = top->filled[top->base], piece = top->run.merkle.block_size - filled;
		int r;

		if (piece > size)
			piece = size;
		memcpy(top_block(top, top->base) + filled, digests, piece);
		top->filled[top->base] += piece;
		digests += piece;
		size -= piece;
		if (top->filled[top->base] < top->run.merkle.block_size)
			break;
		r = close_blocks(top, hasher, top->base, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Some of @count hashes over zeros of a height, as far as the block of that height has room. */
static int fill_with_zeros(struct hasher_top *top, struct verity_hasher *hasher,
			   unsigned int height, uint64_t *count, struct assay_error *err)
{
	const struct merkle *merkle = &top->run.merkle;
	uint8_t *block = top_block(top, height);
	size_t *filled = &top->filled[height];
	const uint8_t *zeros;
	int r = hasher_zeros(hasher, height, &zeros, err);

	if (r < 0)
		return r;
	while (*count > 0 && *filled < merkle->block_size) {
		memcpy(block + *filled, zeros, merkle->digest_size);
		*filled += merkle->digest_size;
		--*count;
	}
	return *filled < merkle->block_size ? 0 : close_blocks(top, hasher, height, err);
}

/* Blocks that would be all zeros' hashes are not made: their own hash is known, too. */
int hasher_top_add_zeros(struct hasher_top *top, struct verity_hasher *hasher, uint64_t count,
			 struct assay_error *err)
{
	const struct merkle *merkle = &top->run.merkle;

	while (count > 0) {
		unsigned int height = top->base;
		uint64_t part = count, unit = 1;
		int r;

		/* As high as the hashes reach to, and as the places below are not begun. */
		while (height + 1 < merkle->levels && top->filled[height] == 0 &&
		       part >= merkle->per_block) {
			part /= merkle->per_block;
			unit *= merkle->per_block;
			height++;
		}
		count -= part * unit;
		r = fill_with_zeros(top, hasher, height, &part, err);
		if (r < 0)
			return r;
		count += part * unit;
	}
	return 0;
}

int hasher_top_finish(struct hasher_top *top, struct verity_hasher *hasher,
		      struct assay_digest *ret, struct assay_error *err)
{
	struct hasher_run *run = &top->run;

	for (unsigned int height = top->base; height < top->run.merkle.levels; height++) {
		size_t filled = top->filled[height];
		int r;

		if (filled == 0)
			continue;
		memset(top_block(top, height) + filled, 0, top->run.merkle.block_size - filled);
		r = close_blocks(top, hasher, height, err);
		if (r < 0)
			return r;
	}
	return hasher_finish(hasher, &run, 1, &ret, err);
}
