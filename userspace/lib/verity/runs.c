// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * How much data is read before it is hashed. It stays in the processor's second cache: more
 * is slower (1 MiB at a time by a sixth), and a fourth of it hardly better.
 */
#define READ_SIZE ((size_t)256 << 10)

/* Blocks whose hashes are computed together: @used as lanes_hash() has it. */
struct queue {
	const uint8_t **in;
	uint8_t **out;
	size_t count, used;
};

/**
 * struct verity_hasher - see hasher.h
 * @data: what was read, @data_size bytes and some to spare; the first @data_used of them wait
 *        in the queues
 * @full, @last: blocks that are full, and those at the end of a file or level
 * @digests: hashes of the runs; when worked up from one, they get to the other
 * @digests_used: bytes taken of each
 * @zeros, @zero_heights: what hasher_zeros() has computed so far
 * @runs, @room: runs begun since hasher_begin(), and bytes that may still be read
 */
struct verity_hasher {
	struct verity_parameters parameters;
	size_t digest_size;
	struct lanes *lanes;
	uint8_t *data;
	size_t data_size, data_used;
	struct queue full, last;
	uint8_t *digests[2];
	size_t digests_used[2];
	uint8_t zeros[MERKLE_LEVELS_MAX][ASSAY_DIGEST_MAX];
	unsigned int zero_heights;
	size_t runs;
	uint64_t room;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
}

/* At a page: to copy and to load across borders of cache lines would be slower. */
static uint8_t *allocate_pages(size_t size)
{
	return aligned_alloc(4096, (size + 4095) / 4096 * 4096);
}

static bool queue_new(struct queue *queue, size_t capacity)
{
	queue->in = calloc(capacity, sizeof(*queue->in));
	queue->out = calloc(capacity, sizeof(*queue->out));
	return queue->in && queue->out;
}

static void queue_free(struct queue *queue)
{
	free(queue->in);
	free(queue->out);
}

/* @parameters are good for it. */
static int create_hasher(const struct verity_parameters *parameters, struct verity_hasher **ret,
			 struct assay_error *err)
{
	size_t block_size = parameters->block_size, blocks, digests_size;
	struct verity_hasher *hasher;
	int r = 0;

	hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return out_of_memory(err);
	hasher->parameters = *parameters;
	hasher->digest_size = assay_hash_size(parameters->hash);
	hasher->data_size = SHA256_LANES_MAX * block_size;
	if (hasher->data_size < READ_SIZE)
		hasher->data_size = READ_SIZE;
	blocks = HASHER_PIECE / block_size + HASHER_RUNS;
	/* Of each run the last block of data, and of the tree, may be filled up. */
	digests_size = (HASHER_PIECE / block_size + HASHER_RUNS) * hasher->digest_size +
		       HASHER_RUNS * block_size;
	hasher->data = allocate_pages(hasher->data_size + LANES_GRANULE);
	hasher->digests[0] = allocate_pages(digests_size);
	hasher->digests[1] = allocate_pages(digests_size);
	if (!hasher->data || !hasher->digests[0] || !hasher->digests[1] ||
	    !queue_new(&hasher->full, blocks) || !queue_new(&hasher->last, HASHER_RUNS))
		r = out_of_memory(err);
	if (r == 0)
		r = lanes_new(parameters, &hasher->lanes, err);
	if (r < 0) {
		verity_hasher_free(hasher);
		return r;
	}
	hasher_begin(hasher);
	*ret = hasher;
	return 0;
}

int verity_hasher_new(const struct verity_parameters *parameters, struct verity_hasher **ret,
		      struct assay_error *err)
{
	int r = verity_check_parameters(parameters, err);

	return r < 0 ? r : create_hasher(parameters, ret, err);
}

int verity_hasher_new_small(const struct verity_parameters *parameters, struct verity_hasher **ret,
			    struct assay_error *err)
{
	int r = verity_check_parameters_small(parameters, err);

	return r < 0 ? r : create_hasher(parameters, ret, err);
}

void verity_hasher_free(struct verity_hasher *hasher)
{
	if (!hasher)
		return;
	lanes_free(hasher->lanes);
	queue_free(&hasher->full);
	queue_free(&hasher->last);
	free(hasher->digests[0]);
	free(hasher->digests[1]);
	free(hasher->data);
	free(hasher);
}

const struct verity_parameters *hasher_parameters(const struct verity_hasher *hasher)
{
	return &hasher->parameters;
}

void hasher_begin(struct verity_hasher *hasher)
{
	hasher->data_used = 0;
	hasher->full.count = hasher->last.count = 0;
	hasher->digests_used[0] = 0;
	hasher->runs = 0;
	hasher->room = HASHER_PIECE;
}

bool hasher_has_room(const struct verity_hasher *hasher, uint64_t size)
{
	return hasher->runs < HASHER_RUNS && size <= hasher->room;
}

uint64_t hasher_pieces(uint64_t size)
{
	return size <= HASHER_PIECE ? 1 : (size - 1) / HASHER_PIECE + 1;
}

unsigned int hasher_target(const struct verity_hasher *hasher, const struct merkle *merkle)
{
	size_t hashes = HASHER_PIECE / hasher->parameters.block_size;
	unsigned int height = 0;

	for (; hashes >= merkle->per_block && height < merkle->levels; height++)
		hashes /= merkle->per_block;
	return height;
}

size_t hasher_piece_digests(const struct verity_hasher *hasher, const struct merkle *merkle)
{
	size_t hashes = HASHER_PIECE / hasher->parameters.block_size;

	for (unsigned int height = hasher_target(hasher, merkle); height > 0; height--)
		hashes /= merkle->per_block;
	return hashes;
}

/* Has the hash of @block put to @out; the block is zero from @used on. */
static void queue_block(struct verity_hasher *hasher, const uint8_t *block, size_t used,
			uint8_t *out)
{
	struct queue *queue = used < hasher->parameters.block_size ? &hasher->last : &hasher->full;

	queue->in[queue->count] = block;
	queue->out[queue->count] = out;
	if (queue->count++ == 0 || queue->used < used)
		queue->used = used;
}

static int hash_queues(struct verity_hasher *hasher, struct assay_error *err)
{
	struct queue *queues[] = { &hasher->full, &hasher->last };

	for (int i = 0; i < 2; i++) {
		struct queue *queue = queues[i];
		int r = lanes_hash(hasher->lanes, queue->count, queue->in, queue->out, queue->used,
				   err);

		if (r < 0)
			return r;
		queue->count = 0;
	}
	hasher->data_used = 0;
	return 0;
}

/* Room for @count hashes, and zeros behind them to the end of their last block. */
static uint8_t *reserve_digests(struct verity_hasher *hasher, int side, size_t count)
{
	size_t block_size = hasher->parameters.block_size;
	size_t used = hasher->digests_used[side];
	size_t blocks = (count * hasher->digest_size + block_size - 1) / block_size;

	hasher->digests_used[side] += blocks * block_size;
	return hasher->digests[side] + used;
}

/* Where the next hashes of a run's data go. */
static uint8_t *next_digest(struct verity_hasher *hasher, struct hasher_run *run)
{
	return run->digests + run->added * hasher->digest_size;
}

static void queue_blocks(struct verity_hasher *hasher, struct hasher_run *run, const uint8_t *data,
			 size_t count)
{
	size_t block_size = hasher->parameters.block_size;
	uint8_t *out = next_digest(hasher, run);

	run->added += count;
	for (; count > 0; count--) {
		queue_block(hasher, data, block_size, out);
		data += block_size;
		out += hasher->digest_size;
	}
}

/* Queues what is in @data at @data_used, the whole of it or @size bytes to the file's end. */
static void queue_data(struct verity_hasher *hasher, struct hasher_run *run, size_t size)
{
	size_t block_size = hasher->parameters.block_size, whole = size - size % block_size;
	uint8_t *data = hasher->data + hasher->data_used;

	queue_blocks(hasher, run, data, whole / block_size);
	hasher->data_used += whole;
	if (size == whole)
		return;
	memset(data + size, 0, block_size - (size - whole));
	queue_block(hasher, data + whole, size - whole, next_digest(hasher, run));
	run->added++;
	hasher->data_used += block_size;
}

/* Sets what is known of a run; returns how many bytes of data it has. */
static size_t begin_run(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece)
{
	size_t block_size = hasher->parameters.block_size;
	uint64_t rest = run->merkle.size - piece * HASHER_PIECE;
	size_t size = rest < HASHER_PIECE ? (size_t)rest : HASHER_PIECE;

	run->height = 0;
	run->first = piece * (HASHER_PIECE / block_size);
	run->count = (size + block_size - 1) / block_size;
	run->digests = reserve_digests(hasher, 0, run->count);
	run->added = 0;
	hasher->runs++;
	hasher->room -= size;
	return size;
}

int hasher_run_read(struct verity_hasher *hasher, struct hasher_run *run, size_t size, size_t more,
		    verity_read_function read, void *context, bool *ret_changed,
		    struct assay_error *err)
{
	do {
		size_t part = hasher->data_size - hasher->data_used;
		size_t end;
		ssize_t got;
		int r = 0;

		if (part > size)
			part = size;
		end = part == size ? more : 0;
		got = read(context, hasher->data + hasher->data_used, part + end, err);
		if (got < 0)
			return (int)got;
		if ((size_t)got != part) {
			*ret_changed = true;
			return -EIO;
		}
		queue_data(hasher, run, part);
		size -= part;
		if (hasher->data_used == hasher->data_size)
			r = hash_queues(hasher, err);
		if (r < 0)
			return r;
	} while (size > 0);
	return 0;
}

int hasher_read(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		verity_read_function read, void *context, bool *ret_changed,
		struct assay_error *err)
{
	size_t digests_used = hasher->digests_used[0];
	uint64_t room = hasher->room;
	size_t size = begin_run(hasher, run, piece);
	/* To see that the data has an end here. */
	size_t more = piece + 1 == hasher_pieces(run->merkle.size) ? 1 : 0;
	int r = hasher_run_read(hasher, run, size, more, read, context, ret_changed, err);

	if (r == -EAGAIN && run->added == 0) {
		hasher->digests_used[0] = digests_used;
		hasher->room = room;
		hasher->runs--;
	}
	return r;
}

void hasher_run_begin(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece)
{
	begin_run(hasher, run, piece);
}

int hasher_run_add_zeros(struct verity_hasher *hasher, struct hasher_run *run, size_t blocks,
			 struct assay_error *err)
{
	const uint8_t *zeros;
	int r = hasher_zeros(hasher, 0, &zeros, err);

	if (r < 0)
		return r;
	for (; blocks > 0; blocks--, run->added++)
		memcpy(next_digest(hasher, run), zeros, hasher->digest_size);
	return 0;
}

int hasher_take(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
		const uint8_t *data, struct assay_error *err)
{
	size_t size = begin_run(hasher, run, piece);
	size_t block_size = hasher->parameters.block_size, rest = size % block_size;

	queue_blocks(hasher, run, data, size / block_size);
	if (rest > 0) {
		memcpy(hasher->data + hasher->data_used, data + (size - rest), rest);
		queue_data(hasher, run, rest);
	}
	return hash_queues(hasher, err);
}

int hasher_hash_block(struct verity_hasher *hasher, const uint8_t *block, size_t used, uint8_t *out,
		      struct assay_error *err)
{
	return lanes_hash(hasher->lanes, 1, &block, &out, used, err);
}

int hasher_zeros(struct verity_hasher *hasher, unsigned int height, const uint8_t **ret,
		 struct assay_error *err)
{
	size_t block_size = hasher->parameters.block_size;

	while (hasher->zero_heights <= height) {
		CLEANUP(free_pointer) uint8_t *block = allocate_pages(block_size);
		unsigned int next = hasher->zero_heights;
		int r;

		if (!block)
			return out_of_memory(err);
		memset(block, 0, block_size);
		for (size_t at = 0; next > 0 && at < block_size; at += hasher->digest_size)
			memcpy(block + at, hasher->zeros[next - 1], hasher->digest_size);
		r = hasher_hash_block(hasher, block, block_size, hasher->zeros[next], err);
		if (r < 0)
			return r;
		hasher->zero_heights++;
	}
	*ret = hasher->zeros[height];
	return 0;
}

int hasher_write_blocks(struct verity_output *output, const struct merkle *merkle,
			unsigned int height, uint64_t first, const uint8_t *blocks, size_t count,
			struct assay_error *err)
{
	if (!output || !output->write)
		return 0;
	return output->write(output->context,
			     merkle_offset(merkle, height) +
				     first / merkle->per_block * merkle->block_size,
			     BYTES(blocks, count * merkle->block_size), err);
}

/* From the digests on @side to those of the next height, on the other. */
static int raise_run(struct verity_hasher *hasher, struct hasher_run *run, int side,
		     struct assay_error *err)
{
	size_t block_size = hasher->parameters.block_size;
	size_t used = run->count * hasher->digest_size;
	size_t blocks = (used + block_size - 1) / block_size;
	uint8_t *out = reserve_digests(hasher, !side, blocks);
	int r;

	memset(run->digests + used, 0, blocks * block_size - used);
	r = hasher_write_blocks(run->output, &run->merkle, run->height, run->first, run->digests,
				blocks, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < blocks; i++, used -= block_size)
		queue_block(hasher, run->digests + i * block_size,
			    used < block_size ? used : block_size, out + i * hasher->digest_size);
	run->digests = out;
	run->count = blocks;
	run->height++;
	run->first /= run->merkle.per_block;
	return 0;
}

int hasher_work(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		struct assay_error *err)
{
	int r = hash_queues(hasher, err);
	bool more = true;

	for (int side = 0; r == 0 && more; side = !side) {
		more = false;
		hasher->digests_used[!side] = 0;
		for (size_t i = 0; i < count && r == 0; i++) {
			struct hasher_run *run = runs[i];

			if (!run || run->height == run->target)
				continue;
			r = raise_run(hasher, run, side, err);
			more = true;
		}
		if (r == 0)
			r = hash_queues(hasher, err);
		for (size_t i = 0; i < count && r == 0; i++) {
			struct hasher_run *run = runs[i];

			/* Its place is needed, as others may have more levels. */
			if (run && run->count == 1 && run->height == run->target &&
			    run->digests != run->root) {
				memcpy(run->root, run->digests, hasher->digest_size);
				run->digests = run->root;
			}
		}
	}
	return r;
}

int hasher_finish(struct verity_hasher *hasher, struct hasher_run *const *runs, size_t count,
		  struct assay_digest *const *digests, struct assay_error *err)
{
	uint8_t descriptors[HASHER_RUNS][VERITY_DESCRIPTOR_SIZE];
	const uint8_t *in[HASHER_RUNS];
	uint8_t *out[HASHER_RUNS];
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct hasher_run *run = runs[i];

		if (!run)
			continue;
		merkle_descriptor(&hasher->parameters, run->merkle.size, run->root,
				  descriptors[kept]);
		if (run->output)
			memcpy(run->output->descriptor, descriptors[kept], VERITY_DESCRIPTOR_SIZE);
		*digests[i] = (struct assay_digest){ .hash = hasher->parameters.hash,
						     .size = hasher->digest_size };
		in[kept] = descriptors[kept];
		out[kept++] = digests[i]->bytes;
	}
	return lanes_hash_descriptors(hasher->lanes, kept, in, out, err);
}
