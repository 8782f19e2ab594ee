/* SPDX-License-Identifier: MIT */
/*
 * What verity.h's hasher is made of, for files.c and pool.c: runs of a file's hashes are
 * read and then worked up the tree, several files' together, so that all lanes have work.
 *
 * A file of up to HASHER_PIECE bytes is one run, up to its root hash. A larger one is cut in
 * pieces of that size, whose hashes make whole blocks of the tree, or even parts of one
 * block: pieces can be worked on in any order, by several threads. What each comes down to
 * goes, in order, into the tree's top.
 */
#ifndef ASSAY_VERITY_HASHER_H
#define ASSAY_VERITY_HASHER_H

#include "verity/lanes.h"
#include "verity/merkle.h"

/* A multiple of SHA256_LANES_MAX times the largest block. */
#define HASHER_PIECE ((size_t)1 << 20)
/* Runs at a time: enough for each lane to have a block of its own. */
#define HASHER_RUNS SHA256_LANES_MAX

/**
 * struct hasher_run - consecutive hashes of a file's tree
 * @merkle: the tree
 * @output: see verity.h; may be NULL
 * @target: the height to work them up to
 * @height: they have now
 * @first: the first one's number among those of the height
 * @count, @digests: the hashes; in the hasher's memory, valid until hasher_begin()
 * @root: @digests of a whole file in the end
 */
struct hasher_run {
	struct merkle merkle;
	struct verity_output *output;
	unsigned int target, height;
	uint64_t first;
	size_t count;
	uint8_t *digests;
	uint8_t root[ASSAY_DIGEST_MAX];
};

const struct verity_parameters *hasher_parameters(const struct verity_hasher *hasher);

/* hasher_begin() - forget all runs */
void hasher_begin(struct verity_hasher *hasher);

/*
 * hasher_has_room() - may a run of @size bytes be read, after those since hasher_begin()? There
 * may be HASHER_RUNS and HASHER_PIECE bytes in all.
 */
bool hasher_has_room(const struct verity_hasher *hasher, uint64_t size);

/* How many pieces there are of so much data, at least one. */
uint64_t hasher_pieces(uint64_t size);

/* hasher_target() - how far a piece of a tree can be worked up without the others */
unsigned int hasher_target(const struct verity_hasher *hasher, const struct merkle *merkle);

/*
 * hasher_read() - read the data of a run
 * @run: @merkle, @output and @target are set and all else is zero, as the root hash is without
 *       data; the rest is set by this
 * @piece: its number; 0 for a whole file
 * @read: gives the piece's data; with the last piece, also one byte more must be asked for in
 *        vain
 * @ret_changed: set if there is less data, or more
 *
 * After a failure the run must not be worked up.
 */
int hasher_read(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		verity_read_function read, void *context, bool *ret_changed,
		struct assay_error *err);

/* hasher_take() - the same with data in memory, which is not used after this */
int hasher_take(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		const uint8_t *data, struct assay_error *err);

/* hasher_work() - work all these up to their targets; NULL among them are left out */
int hasher_work(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		struct assay_error *err);

/* hasher_finish() - the fs-verity digests of worked-up whole files, and their descriptors */
int hasher_finish(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		  struct assay_digest *const *digests, struct assay_error *err);

/*
 * The upper part of a large file's tree, with one block of each level in memory. One thread
 * at a time, with any hasher of the same parameters.
 */
struct hasher_top;

/* @base: the height of the hashes that it is given */
int hasher_top_new(const struct merkle *merkle, unsigned int base, struct verity_output *output,
		   struct hasher_top **ret, struct assay_error *err);
void hasher_top_free(struct hasher_top *top);
int hasher_top_add(struct hasher_top *top, struct verity_hasher *hasher, const uint8_t *digests,
		   size_t count, struct assay_error *err);
/* hasher_top_finish() - all were added: the fs-verity digest */
int hasher_top_finish(struct hasher_top *top, struct verity_hasher *hasher,
		      struct assay_digest *ret, struct assay_error *err);

#endif /* ASSAY_VERITY_HASHER_H */
