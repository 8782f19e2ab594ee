// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "verity/mapped.h"

/* Names in errors are cut at this. */
#define NAME_MAX_SHOWN 512

/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* How much of a large file that is not in page cache is asked for at a time. */
#define AHEAD ((uint64_t)8 << 20)

static const char *shown_name(const struct input *input, char *text)
{
	if (!input->escape)
		return input->name;
	return text_escape(BYTES((const uint8_t *)input->name, strlen(input->name)), text,
			   NAME_MAX_SHOWN);
}

static int input_failed(const struct input *input, const char *what, int code,
			struct assay_error *err)
{
	char name[NAME_MAX_SHOWN];

	return assay_fail(err, code, "cannot %s %s: %s", what, shown_name(input, name),
			  strerror(code));
}

int input_open(struct input *input)
{
	input->fd = open(input->name, OPEN_FLAGS);
	input->opened = input->fd >= 0;
	input->result = input->fd < 0 ? input_failed(input, "open", errno, input->err) : 0;
	return input->result;
}

/* In blocks of 512 bytes it has less than its size: holes, or data that is compressed. */
static void note_holes(struct input *input)
{
	uint64_t size = (uint64_t)input->before.st_size;

	input->sparse = size > HASHER_PIECE && (uint64_t)input->before.st_blocks < size / 512;
	input->position = input->sparse ? lseek(input->fd, 0, SEEK_CUR) : 0;
	if (input->position < 0)
		input->sparse = false;
	input->data = input->data_end = 0;
}

int input_begin(struct input *input, const struct verity_parameters *parameters, struct merkle *ret)
{
	char name[NAME_MAX_SHOWN];

	if (fstat(input->fd, &input->before) < 0)
		input->result = input_failed(input, "read", errno, input->err);
	else if (!S_ISREG(input->before.st_mode))
		input->result = assay_fail(
			input->err, S_ISDIR(input->before.st_mode) ? EISDIR : EINVAL,
			"%s is %s: only regular files have an fs-verity digest",
			shown_name(input, name),
			S_ISDIR(input->before.st_mode) ? "a directory" : "not a regular file");
	else if (merkle_plan(parameters, (uint64_t)input->before.st_size, ret) < 0)
		input->result = merkle_too_large(parameters, shown_name(input, name), input->err);
	else
		input->result = 0;
	if (input->result == 0)
		note_holes(input);
	return input->result;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Is it still as it was when it began? */
static int check_unchanged(struct input *input)
{
	struct stat after;

	if (fstat(input->fd, &after) < 0)
		return input_failed(input, "read", errno, input->err);
	if (after.st_size != input->before.st_size ||
	    !same_time(&after.st_mtim, &input->before.st_mtim))
		return input_changed(input, input->err);
	return 0;
}

int input_end(struct input *input)
{
	if (input->sparse)
		(void)lseek(input->fd, input->position, SEEK_SET);
	if (input->result == 0)
		input->result = check_unchanged(input);
	if (input->opened)
		close(input->fd);
	input->opened = false;
	return input->result;
}

int input_changed(const struct input *input, struct assay_error *err)
{
	char name[NAME_MAX_SHOWN];

	return assay_fail(err, EIO,
			  "%s changed while it was read; try again when nothing writes to it",
			  shown_name(input, name));
}

/*
 * All of it if it is in page cache, else -EAGAIN. -EOPNOTSUPP where that cannot be asked, or what
 * is wrong is better said by the ordinary way.
 */
static ssize_t read_cached(struct input_source *source, void *data, size_t size)
{
	struct iovec vector = { .iov_base = data, .iov_len = size };
	uint64_t end = (uint64_t)source->input->before.st_size;
	ssize_t got = preadv2(source->input->fd, &vector, 1, (off_t)source->offset, RWF_NOWAIT);

	if (got < 0)
		return errno == EAGAIN ? -EAGAIN : -EOPNOTSUPP;
	if ((size_t)got < size && source->offset + (size_t)got != end)
		return -EAGAIN;
	source->offset += (size_t)got;
	return got;
}

ssize_t input_read(void *context, void *data, size_t size, struct assay_error *err)
{
	struct input_source *source = context;
	size_t done = 0;
	uint64_t end = (uint64_t)source->input->before.st_size;

	if (source->cached) {
		ssize_t got = read_cached(source, data, size);

		source->cached = false;
		if (got != -EOPNOTSUPP)
			return got;
	}
	while (done < size) {
		size_t left = size - done;
		ssize_t got = pread(source->input->fd, (uint8_t *)data + done, left,
				    (off_t)(source->offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return input_failed(source->input, "read", errno, err);
		if (got == 0)
			break;
		done += (size_t)got;
		/* Less than asked for: that is the end, without another call to see it. */
		if ((size_t)got < left && source->offset + done == end)
			break;
	}
	source->offset += done;
	return (ssize_t)done;
}

/*
 * Data from @offset on, up to the hole behind it; at the file's end if there is none. Where
 * the file system cannot tell, or tells what cannot be, all is data.
 */
static void find_data(const struct input *input, uint64_t offset, uint64_t *ret_data,
		      uint64_t *ret_end)
{
	uint64_t size = (uint64_t)input->before.st_size;
	off_t data = lseek(input->fd, (off_t)offset, SEEK_DATA), end;

	*ret_data = data < 0 && errno == ENXIO ? size : offset;
	*ret_end = size;
	if (data < (off_t)offset || (uint64_t)data >= size)
		return;
	*ret_data = (uint64_t)data;
	end = lseek(input->fd, data, SEEK_HOLE);
	if (end > data && (uint64_t)end < size)
		*ret_end = (uint64_t)end;
}

uint64_t input_hole(struct input *input, uint64_t piece)
{
	uint64_t offset = piece * HASHER_PIECE;

	if (!input->sparse || (input->output && input->output->write))
		return 0;
	if (offset >= input->data_end)
		find_data(input, offset, &input->data, &input->data_end);
	return offset < input->data ? input->data / HASHER_PIECE - piece : 0;
}

/* A piece of @size bytes, but for the blocks in holes. */
static int read_around_holes(struct input_source *source, struct verity_hasher *hasher,
			     struct hasher_run *run, uint64_t piece, uint64_t size,
			     bool *ret_changed, struct assay_error *err)
{
	uint64_t offset = piece * HASHER_PIECE, block_size = run->merkle.block_size;
	int r = 0;

	hasher_run_begin(hasher, run, piece);
	for (uint64_t at = 0, data, end; at < size && r == 0; at = end) {
		find_data(source->input, offset + at, &data, &end);
		data -= offset;
		end = (end - offset + block_size - 1) / block_size * block_size;
		if (end > size)
			end = size;
		/* Whole blocks, but for the file's last. */
		data = data < size ? data / block_size * block_size : size;
		r = hasher_run_add_zeros(hasher, run, (data - at + block_size - 1) / block_size,
					 err);
		source->offset = offset + data;
		if (r == 0 && data < end)
			r = hasher_run_read(hasher, run, end - data, 0, input_read, source,
					    ret_changed, err);
	}
	return r;
}

/*
 * Has the kernel read what follows, of a file that is not in page cache: again when half of what
 * it was asked for is left, so that the disk is never without a request. Any thread may be first.
 */
static void ask_ahead(struct input *input, uint64_t offset, bool cold)
{
	uint64_t asked = input->asked, from = asked > offset ? asked : offset;

	if ((asked == 0 && !cold) || asked > offset + AHEAD / 2 ||
	    from >= (uint64_t)input->before.st_size)
		return;
	if (atomic_compare_exchange_strong(&input->asked, &asked, from + AHEAD))
		(void)posix_fadvise(input->fd, (off_t)from, (off_t)AHEAD, POSIX_FADV_WILLNEED);
}

bool input_is_cached(const struct input *input, uint64_t offset)
{
	uint8_t byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };

	return preadv2(input->fd, &vector, 1, (off_t)offset, RWF_NOWAIT) == 1;
}

/* False if not all of it was there; then the hasher has begun anew. */
static bool take_mapped(struct verity_hasher *hasher, struct hasher_run *run, uint64_t piece,
			const uint8_t *map, size_t size, int *ret, struct assay_error *err)
{
	mapped_begin(map, size);
	*ret = hasher_take(hasher, run, piece, map, err);
	if (mapped_end())
		return true;
	hasher_begin(hasher);
	return false;
}

int input_read_piece(struct input *input, struct verity_hasher *hasher, struct hasher_run *run,
		     uint64_t piece, const uint8_t *map, bool *ret_changed, struct assay_error *err)
{
	uint64_t offset = piece * HASHER_PIECE, size = run->merkle.size - offset;
	struct input_source source = { .input = input, .offset = offset };
	uint64_t data = offset, data_end = run->merkle.size;
	int r;

	if (size > HASHER_PIECE)
		size = HASHER_PIECE;
	if (input->sparse)
		find_data(input, offset, &data, &data_end);
	if (data > offset || data_end < offset + size)
		return read_around_holes(&source, hasher, run, piece, size, ret_changed, err);
	source.cached = size > 0;
	ask_ahead(input, offset, false);
	/* Reading what is not there says why. */
	if (map && input_is_cached(input, offset + size - 1) &&
	    take_mapped(hasher, run, piece, map, (size_t)size, &r, err))
		return r;
	r = hasher_read(hasher, run, piece, input_read, &source, ret_changed, err);
	if (r != -EAGAIN || run->added > 0)
		return r;
	ask_ahead(input, offset, true);
	return hasher_read(hasher, run, piece, input_read, &source, ret_changed, err);
}

void input_batch_begin(struct input_batch *batch, struct verity_hasher *hasher)
{
	batch->hasher = hasher;
	batch->count = batch->waiting_count = 0;
	batch->cold = false;
	hasher_begin(hasher);
}

/* The digests of all that was read. */
static void digest_read(struct input_batch *batch)
{
	struct hasher_run *runs[HASHER_RUNS];
	struct assay_digest *digests[HASHER_RUNS];
	struct assay_error err = { 0 };
	int r;

	for (size_t i = 0; i < batch->count; i++) {
		runs[i] = batch->inputs[i]->result == 0 ? &batch->runs[i] : NULL;
		digests[i] = batch->inputs[i]->digest;
	}
	r = hasher_work(batch->hasher, runs, batch->count, &err);
	if (r == 0)
		r = hasher_finish(batch->hasher, runs, batch->count, digests, &err);
	for (size_t i = 0; r < 0 && i < batch->count; i++) {
		if (!runs[i])
			continue;
		batch->inputs[i]->result = r;
		if (batch->inputs[i]->err)
			*batch->inputs[i]->err = err;
	}
	batch->count = 0;
	hasher_begin(batch->hasher);
}

/* Reads a file; false if it is not in page cache, and may only be read if it is. */
static bool read_small(struct input_batch *batch, struct input *input, const struct merkle *merkle,
		       bool cached)
{
	struct input_source source = { .input = input, .cached = cached };
	struct hasher_run *run;
	bool changed = false;

	/* What cannot be written of one file must not fail the others. */
	if (!hasher_has_room(batch->hasher, merkle->size) || input->output)
		digest_read(batch);
	run = &batch->runs[batch->count];
	*run = (struct hasher_run){ .merkle = *merkle,
				    .output = input->output,
				    .target = merkle->levels };
	input->result =
		hasher_read(batch->hasher, run, 0, input_read, &source, &changed, input->err);
	if (cached && input->result == -EAGAIN && run->added == 0)
		return false;
	if (changed)
		input->result = input_changed(input, input->err);
	input_end(input);
	batch->inputs[batch->count++] = input;
	if (input->output)
		digest_read(batch);
	return true;
}

void input_batch_add(struct input_batch *batch, struct input *input, const struct merkle *merkle)
{
	/* So that the disk is asked for all of a batch's files before one is waited for. */
	bool cached = merkle->size > 0 && batch->waiting_count < HASHER_RUNS;

	if (read_small(batch, input, merkle, cached))
		return;
	(void)posix_fadvise(input->fd, 0, (off_t)merkle->size, POSIX_FADV_WILLNEED);
	input->result = 0;
	batch->waiting[batch->waiting_count++] = input;
	batch->cold = true;
}

void input_batch_finish(struct input_batch *batch)
{
	for (size_t i = 0; i < batch->waiting_count; i++) {
		struct input *input = batch->waiting[i];
		struct merkle merkle;

		/* It was planned before, with the same size. */
		if (merkle_plan(hasher_parameters(batch->hasher), (uint64_t)input->before.st_size,
				&merkle) == 0)
			read_small(batch, input, &merkle, false);
	}
	batch->waiting_count = 0;
	digest_read(batch);
}
