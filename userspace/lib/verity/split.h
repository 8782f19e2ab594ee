/* SPDX-License-Identifier: MIT */
/*
 * A large file that the threads of a pool digest together, part by part: a piece, or several
 * that are in a hole. What each part comes down to waits in a window until those before it are
 * there, and then goes into the tree's top: memory does not grow with the file.
 *
 * The caller has a lock. Functions that say so are called with it held, and only change who
 * does what; the others, which take time, without it.
 */
#ifndef ASSAY_VERITY_SPLIT_H
#define ASSAY_VERITY_SPLIT_H

#include "verity/input.h"
#include "verity/top.h"

/* Parts that may be ahead of the one that is added next. */
#define SPLIT_WINDOW 128
/* Pieces that are mapped at once, and how many such maps may be in use. */
#define SPLIT_MAPPED 16
#define SPLIT_MAPS (SPLIT_WINDOW / SPLIT_MAPPED + 1)

/**
 * struct split_part - a place in the window
 * @piece: a piece of the file, or the first of several in a hole
 * @hole: how many are in a hole, and not read; 0 if it is not
 * @done: its digests are there
 */
struct split_part {
	uint64_t piece, hole;
	bool done;
	size_t count;
};

/**
 * struct split - see above
 * @next: the caller's
 * @job: the caller's: which file it is
 * @input: the file; its @result, @digest and @err are this split's
 * @pieces, @reached: how many there are, and are in parts that were claimed
 * @claimed, @added: parts; added <= claimed, claimed - added <= SPLIT_WINDOW
 * @working: threads that are at a part
 * @adding: a thread adds to the top
 * @maps: of a file without holes, whose parts are its pieces: the one of piece n is the n /
 *        SPLIT_MAPPED % SPLIT_MAPS-th, from when its first piece is read until its last is added
 * @window: part n's place is n % SPLIT_WINDOW
 * @digests: and so are its digests, each place of @place_count, which is @place_size bytes
 */
struct split {
	struct split *next;
	uint64_t job;
	struct input input;
	struct merkle merkle;
	unsigned int target;
	struct hasher_top *top;
	uint64_t pieces, reached, claimed, added;
	unsigned int working;
	bool adding;
	uint8_t *_Atomic maps[SPLIT_MAPS];
	struct split_part window[SPLIT_WINDOW];
	size_t place_count, place_size;
	uint8_t digests[];
};

/* split_new() - @input has begun, and has more than HASHER_PIECE bytes */
int split_new(const struct input *input, const struct merkle *merkle,
	      const struct verity_hasher *hasher, struct split **ret, struct assay_error *err);
void split_free(struct split *split);

/* split_claim() - take a part to work on; false if there is none now. With the lock. */
bool split_claim(struct split *split, uint64_t *ret_part);

/* split_read() - read and hash a claimed part */
int split_read(struct split *split, struct verity_hasher *hasher, uint64_t number,
	       struct assay_error *err);

/* split_release() - the part is done, with the result of split_read(). With the lock. */
void split_release(struct split *split, uint64_t part, int result, const struct assay_error *err);

/* split_claim_top() - take the next part to be added; false if there is none. With the lock. */
bool split_claim_top(struct split *split);
/* split_add() - add that part to the top */
int split_add(struct split *split, struct verity_hasher *hasher, struct assay_error *err);
/* split_release_top() - with the result of split_add(). With the lock. */
void split_release_top(struct split *split, int result, const struct assay_error *err);

/* split_complete() - all is done, or it failed, and no thread is at it. With the lock. */
bool split_complete(const struct split *split);
/* split_finish() - set the results of the input; it is complete */
void split_finish(struct split *split, struct verity_hasher *hasher);

#endif /* ASSAY_VERITY_SPLIT_H */
