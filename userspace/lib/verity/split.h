/* SPDX-License-Identifier: MIT */
/*
 * A large file that the threads of a pool digest together, piece by piece. What each piece
 * comes down to waits in a window until those before it are there, and then goes into the
 * tree's top: memory does not grow with the file.
 *
 * The caller has a lock. Functions that say so are called with it held, and only change who
 * does what; the others, which take time, without it.
 */
#ifndef ASSAY_VERITY_SPLIT_H
#define ASSAY_VERITY_SPLIT_H

#include "verity/input.h"

/* Pieces that may be ahead of the one that is added next. */
#define SPLIT_WINDOW 128

/**
 * struct split_piece - a place in the window
 * @done: its digests are there
 */
struct split_piece {
	bool done;
	size_t count;
};

/**
 * struct split - see above
 * @next: the caller's
 * @owner: the caller's
 * @input: the file; its @result, @digest and @err are this split's
 * @pieces: how many there are
 * @claimed, @added: of them; added <= claimed <= pieces, claimed - added <= SPLIT_WINDOW
 * @working: threads that are at a piece
 * @adding: a thread adds to the top
 * @window: piece n's place is n % SPLIT_WINDOW
 * @digests: and so are its digests, each place of @place_size bytes
 */
struct split {
	struct split *next;
	void *owner;
	struct input input;
	struct merkle merkle;
	unsigned int target;
	struct hasher_top *top;
	uint64_t pieces, claimed, added;
	unsigned int working;
	bool adding;
	struct split_piece window[SPLIT_WINDOW];
	size_t place_size;
	uint8_t digests[];
};

/* split_new() - @input has begun, and has more than HASHER_PIECE bytes */
int split_new(const struct input *input, const struct merkle *merkle,
	      const struct verity_hasher *hasher, struct split **ret, struct assay_error *err);
void split_free(struct split *split);

/* split_claim() - take a piece to work on; false if there is none now. With the lock. */
bool split_claim(struct split *split, uint64_t *ret_piece);

/* split_read() - read and hash a claimed piece */
int split_read(struct split *split, struct verity_hasher *hasher, uint64_t piece,
	       struct assay_error *err);

/* split_release() - the piece is done, with the result of split_read(). With the lock. */
void split_release(struct split *split, uint64_t piece, int result, const struct assay_error *err);

/* split_claim_top() - take the next piece to be added; false if there is none. With the lock. */
bool split_claim_top(struct split *split);
/* split_add() - add that piece to the top */
int split_add(struct split *split, struct verity_hasher *hasher, struct assay_error *err);
/* split_release_top() - with the result of split_add(). With the lock. */
void split_release_top(struct split *split, int result, const struct assay_error *err);

/* split_complete() - all is done, or it failed, and no thread is at it. With the lock. */
bool split_complete(const struct split *split);
/* split_finish() - set the results of the input; it is complete */
void split_finish(struct split *split, struct verity_hasher *hasher);

#endif /* ASSAY_VERITY_SPLIT_H */
