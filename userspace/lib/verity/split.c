// SPDX-License-Identifier: MIT
#include "verity/split.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "verity/mapped.h"

int split_new(const struct input *input, const struct merkle *merkle,
	      const struct verity_hasher *hasher, struct split **ret, struct assay_error *err)
{
	size_t hashes = hasher_piece_digests(hasher, merkle);
	unsigned int target = hasher_target(hasher, merkle);
	struct split *split;
	int r;

	split = calloc(1, sizeof(*split) + SPLIT_WINDOW * hashes * merkle->digest_size);
	if (!split)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	split->input = *input;
	split->merkle = *merkle;
	split->target = target;
	split->pieces = hasher_pieces(merkle->size);
	split->place_count = hashes;
	split->place_size = hashes * merkle->digest_size;
	r = hasher_top_new(merkle, target, input->output, &split->top, err);
	if (r < 0) {
		free(split);
		return r;
	}
	*ret = split;
	return 0;
}

/* ---------------------------------------------------------------- mapped pieces */

static uint8_t *_Atomic *map_of(struct split *split, uint64_t piece)
{
	return &split->maps[piece / SPLIT_MAPPED % SPLIT_MAPS];
}

/* How much is mapped with that piece, the first of a map. */
static size_t map_size(const struct split *split, uint64_t piece)
{
	uint64_t rest = split->merkle.size - piece * HASHER_PIECE;

	return rest < SPLIT_MAPPED * HASHER_PIECE ? (size_t)rest : SPLIT_MAPPED * HASHER_PIECE;
}

/*
 * Where a piece is mapped; NULL if it is not. Whoever has the first of a map makes it, of what is
 * in page cache: nothing is known of files that do not say so, as mapping a device's would read it.
 */
static const uint8_t *mapped_piece(struct split *split, uint64_t piece)
{
	const struct input *input = &split->input;
	uint64_t offset = piece * HASHER_PIECE;
	const uint8_t *map;

	if (input->sparse)
		return NULL;
	if (piece % SPLIT_MAPPED == 0 && input_is_cached(input, offset))
		atomic_store(map_of(split, piece),
			     mapped_new(input->fd, offset, map_size(split, piece)));
	map = atomic_load(map_of(split, piece));
	return map ? map + piece % SPLIT_MAPPED * HASHER_PIECE : NULL;
}

/* Of a map no piece of which is read any more; @piece is one of them. */
static void unmap(struct split *split, uint64_t piece)
{
	mapped_free(atomic_exchange(map_of(split, piece), NULL),
		    map_size(split, piece / SPLIT_MAPPED * SPLIT_MAPPED));
}

/* ---------------------------------------------------------------- parts */

void split_free(struct split *split)
{
	/* Those that are left are the last ones. */
	for (uint64_t piece = split->added / SPLIT_MAPPED * SPLIT_MAPPED;
	     !split->input.sparse && piece < split->reached; piece += SPLIT_MAPPED)
		unmap(split, piece);
	hasher_top_free(split->top);
	free(split);
}

bool split_claim(struct split *split, uint64_t *ret_part)
{
	struct split_part *part = &split->window[split->claimed % SPLIT_WINDOW];

	if (split->input.result < 0 || split->reached == split->pieces ||
	    split->claimed - split->added == SPLIT_WINDOW)
		return false;
	*part = (struct split_part){ .piece = split->reached,
				     .hole = input_hole(&split->input, split->reached) };
	split->reached += part->hole > 0 ? part->hole : 1;
	split->working++;
	*ret_part = split->claimed++;
	return true;
}

static uint8_t *digests_place(struct split *split, uint64_t part)
{
	return split->digests + part % SPLIT_WINDOW * split->place_size;
}

int split_read(struct split *split, struct verity_hasher *hasher, uint64_t number,
	       struct assay_error *err)
{
	struct hasher_run run = { .merkle = split->merkle,
				  .output = split->input.output,
				  .target = split->target };
	struct split_part *part = &split->window[number % SPLIT_WINDOW];
	struct hasher_run *runs = &run;
	bool changed = false;
	int r;

	if (part->hole > 0)
		return 0;
	hasher_begin(hasher);
	r = input_read_piece(&split->input, hasher, &run, part->piece,
			     mapped_piece(split, part->piece), &changed, err);
	if (changed)
		return input_changed(&split->input, err);
	if (r == 0)
		r = hasher_work(hasher, &runs, 1, err);
	if (r < 0)
		return r;
	memcpy(digests_place(split, number), run.digests, run.count * split->merkle.digest_size);
	part->count = run.count;
	return 0;
}

static void note_result(struct split *split, int result, const struct assay_error *err)
{
	if (result == 0 || split->input.result < 0)
		return;
	split->input.result = result;
	if (split->input.err)
		*split->input.err = *err;
}

void split_release(struct split *split, uint64_t part, int result, const struct assay_error *err)
{
	split->working--;
	split->window[part % SPLIT_WINDOW].done = true;
	note_result(split, result, err);
}

bool split_claim_top(struct split *split)
{
	if (split->adding || split->input.result < 0 ||
	    !split->window[split->added % SPLIT_WINDOW].done)
		return false;
	split->adding = true;
	return true;
}

int split_add(struct split *split, struct verity_hasher *hasher, struct assay_error *err)
{
	const struct split_part *part = &split->window[split->added % SPLIT_WINDOW];

	if (part->hole > 0)
		return hasher_top_add_zeros(split->top, hasher, part->hole * split->place_count,
					    err);
	if (part->piece % SPLIT_MAPPED == SPLIT_MAPPED - 1)
		unmap(split, part->piece);
	return hasher_top_add(split->top, hasher, digests_place(split, split->added), part->count,
			      err);
}

void split_release_top(struct split *split, int result, const struct assay_error *err)
{
	split->adding = false;
	split->window[split->added % SPLIT_WINDOW].done = false;
	split->added++;
	note_result(split, result, err);
}

bool split_complete(const struct split *split)
{
	return (split->input.result < 0 ||
		(split->reached == split->pieces && split->added == split->claimed)) &&
	       split->working == 0 && !split->adding;
}

void split_finish(struct split *split, struct verity_hasher *hasher)
{
	struct input *input = &split->input;

	if (input->result == 0)
		input->result = hasher_top_finish(split->top, hasher, input->digest, input->err);
	input_end(input);
}
