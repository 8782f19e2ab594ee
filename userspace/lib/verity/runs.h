/* SPDX-License-Identifier: MIT */
/*
 * What a hasher does: runs of a file's hashes are read and then worked up the tree, several
 * files' together, so that all lanes have work.
 *
 * A file of up to HASHER_PIECE bytes is one run, up to its root hash. A larger one is cut in
 * pieces of that size, whose hashes make whole blocks of the tree, or even parts of one
 * block: pieces can be worked on in any order, by several threads. What each comes down to
 * goes, in order, into the tree's top (verity/top.h).
 */
#ifndef ASSAY_VERITY_RUNS_H
#define ASSAY_VERITY_RUNS_H

#include "verity/hasher.h"
#include "verity/lanes.h"

/* A multiple of SHA256_LANES_MAX times the largest block. */
#define HASHER_PIECE ((size_t)1 << 20)
/* Runs at a time: enough for each lane to have a block of its own. */
#define HASHER_RUNS SHA256_LANES_MAX

/**
 * struct hasher_run - consecutive hashes of a file's tree
 * @merkle: the tree
 * @output: see hasher.h; may be NULL
 * @target: the height to work them up to
 * @height: they have now
 * @first: the first one's number among those of the height
 * @added: hashes of the data that have their place already
 * @count, @digests: the hashes; in the hasher's memory, valid until hasher_begin()
 * @root: @digests of a whole file in the end
 */
struct hasher_run {
	struct merkle merkle;
	struct verity_output *output;
	unsigned int target, height;
	uint64_t first;
	size_t added, count;
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
 * After a failure the run must not be worked up. After -EAGAIN of the first call of @read the run
 * is as if it had not begun, and may be read again later.
 */
int hasher_read(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		verity_read_function read, void *context, bool *ret_changed,
		struct assay_error *err);

/*
 * The same by parts of the piece, in order: hasher_run_begin(), and these for all of its blocks.
 */
void hasher_run_begin(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece);
/*
 * hasher_run_read() - whole blocks, or data up to the file's end
 * @size: in bytes
 * @more: bytes to be asked for in vain behind them, LANES_GRANULE at most
 */
int hasher_run_read(struct verity_hasher *hasher, struct hasher_run *run, size_t size, size_t more,
		    verity_read_function read, void *context, bool *ret_changed,
		    struct assay_error *err);
/* hasher_run_add_zeros() - so many blocks without anything but zeros */
int hasher_run_add_zeros(struct verity_hasher *hasher, struct hasher_run *run, size_t blocks,
			 struct assay_error *err);

/* hasher_take() - the same as hasher_read(), with a piece that is in memory as a whole */
int hasher_take(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		const uint8_t *data, struct assay_error *err);

/* hasher_work() - work all these up to their targets; NULL among them are left out */
int hasher_work(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		struct assay_error *err);

/* hasher_finish() - the fs-verity digests of worked-up whole files, and their descriptors */
int hasher_finish(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		  struct assay_digest *const *digests, struct assay_error *err);

/* hasher_piece_digests() - how many hashes a full piece comes down to, at hasher_target() */
size_t hasher_piece_digests(const struct verity_hasher *hasher, const struct merkle *merkle);

/* For verity/top.h: hashes of blocks of the tree, zero from @used on. */
int hasher_hash_block(struct verity_hasher *hasher, const uint8_t *block, size_t used, uint8_t *out,
		      struct assay_error *err);
/* hasher_write_blocks() - give @count blocks of hashes from the @first on to the output, if any */
int hasher_write_blocks(struct verity_output *output, const struct merkle *merkle,
			unsigned int height, uint64_t first, const uint8_t *blocks, size_t count,
			struct assay_error *err);

/*
 * hasher_zeros() - the hash of that height over data that is all zeros and fills its part of the
 * tree; it is the hasher's
 */
int hasher_zeros(struct verity_hasher *hasher, unsigned int height, const uint8_t **ret,
		 struct assay_error *err);

#endif /* ASSAY_VERITY_RUNS_H */
