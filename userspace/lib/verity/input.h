/* SPDX-License-Identifier: MIT */
/*
 * Files as the hasher's data: opened, read but for their holes, and watched for changes
 * meanwhile. For verity.c, split.c and pool.c.
 */
#ifndef ASSAY_VERITY_INPUT_H
#define ASSAY_VERITY_INPUT_H

#include <sys/stat.h>

#include "verity/runs.h"

/**
 * struct input - a file to be digested
 * @name: of the file, in errors
 * @escape: the name is not yet fit to print
 * @fd: open for reading; its position is not used, and input_end() puts it back
 * @opened: by input_open(); input_end() closes it
 * @output: see hasher.h; may be NULL
 * @before: as it was when it began
 * @sparse: it may have holes
 * @position: of @fd when it began; asking for holes changes it
 * @data, @data_end: bytes from there to there are in no hole, and those between the last
 *                   place that was asked for and @data are
 * @asked: the kernel has been asked to read it up to there, as some of it was not in page cache
 * @result: 0, or a negative errno; then @err says why, else @digest is set
 */
struct input {
	const char *name;
	bool escape;
	int fd;
	bool opened;
	struct verity_output *output;
	struct stat before;
	bool sparse;
	off_t position;
	uint64_t data, data_end;
	_Atomic uint64_t asked;
	int result;
	struct assay_digest *digest;
	struct assay_error *err;
};

/* input_open() - sets @fd from the name; 0 or a negative errno */
int input_open(struct input *input);

/*
 * input_begin() - note the file's size and time; it must be a regular file and not too large
 * @ret: the tree it will have
 */
int input_begin(struct input *input, const struct verity_parameters *parameters,
		struct merkle *ret);

/*
 * input_end() - whatever came of it so far; a file that could not be opened has no end
 *
 * If all was read, it is -EIO if the size or the modification time changed since.
 */
int input_end(struct input *input);

/* input_changed() - says that it did; -EIO */
int input_changed(const struct input *input, struct assay_error *err);

/**
 * struct input_source - what the read function's context is
 * @cached: the next read takes data from page cache only. If it is not there, that is -EAGAIN
 *          without an error's text. Cleared by it.
 */
struct input_source {
	const struct input *input;
	uint64_t offset;
	bool cached;
};

ssize_t input_read(void *context, void *data, size_t size, struct assay_error *err);

/*
 * input_hole() - how many whole pieces from @piece on are in a hole, and need not be read
 *
 * One thread at a time, with pieces in order. 0 where the tree is written, as all of it is.
 */
uint64_t input_hole(struct input *input, uint64_t piece);

/* input_is_cached() - whether the byte at @offset is in page cache */
bool input_is_cached(const struct input *input, uint64_t offset);

/*
 * input_read_piece() - read a piece, see hasher_read()
 * @map: the piece mapped, or NULL
 *
 * What is in page cache is hashed where it is, if it is mapped, else copied by read() into a
 * buffer that stays in the processor's second cache. What is not is asked for with what follows
 * it, and again before that is used up: so the disk always has something to do.
 */
int input_read_piece(struct input *input, struct verity_hasher *hasher, struct hasher_run *run,
		     uint64_t piece, const uint8_t *map, bool *ret_changed,
		     struct assay_error *err);

/**
 * struct input_batch - small files that are digested together
 * @runs: of @inputs that were read
 * @waiting: files that were not in page cache, and have been asked for
 * @cold: there was such a file
 *
 * Reading one costs a call for its size and time, one for its data and one for whether it is
 * as it was; `make bench-digest` says what they take. Mapped instead of read it is twice as
 * much, as page tables cost more than copying. An io_uring that opens, reads and closes 16 files
 * at a time saves an eighth of the calls' time, and it would need a permission that sandboxes
 * of services do not give.
 */
struct input_batch {
	struct verity_hasher *hasher;
	size_t count, waiting_count;
	struct input *inputs[HASHER_RUNS], *waiting[HASHER_RUNS];
	struct hasher_run runs[HASHER_RUNS];
	bool cold;
};

void input_batch_begin(struct input_batch *batch, struct verity_hasher *hasher);

/*
 * input_batch_add() - digest a file of up to HASHER_PIECE bytes
 * @input: has begun; it is the batch's until input_batch_finish(), which ends it
 */
void input_batch_add(struct input_batch *batch, struct input *input, const struct merkle *merkle);
void input_batch_finish(struct input_batch *batch);

#endif /* ASSAY_VERITY_INPUT_H */
