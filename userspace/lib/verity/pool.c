// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/work.h"
#include "verity/split.h"

/*
 * Files in flight: enough that no thread waits for the one that takes their digests, that small
 * files can be taken by the batch, and that the threads seldom wait for each other; few enough for
 * each to be an open descriptor.
 */
#define JOBS 512

struct slot {
	struct verity_job job;
	bool done;
};

/**
 * struct verity_pool - a ring of jobs
 * @lock: guards all below it
 * @work: there may be work for a thread: a job was put in, a large file can be helped with,
 *        or the pool ends
 * @finished: the oldest job is done, and at most half of the ring is still to be done
 * @put, @begun, @done, @taken: how many jobs ever were; taken <= done <= begun <= put, and
 *                       put - taken <= capacity. Job n is in slots[n % capacity].
 * @splits: large files that are being worked on, the oldest first
 *
 * A slot's job belongs to one thread at a time: to the caller until it is put, to a
 * worker from when it is begun until it is done, and then to the caller again. That of a
 * large file is with its split in between.
 */
struct verity_pool {
	struct slot *slots;
	size_t capacity;
	pthread_t threads[VERITY_POOL_THREADS_MAX];
	unsigned int thread_count;
	struct verity_parameters parameters;

	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t finished;
	uint64_t put, begun, done, taken;
	struct split *splits;
	bool ending;
};

/* With the lock. */
static void slot_done(struct verity_pool *pool, struct slot *slot)
{
	slot->done = true;
	pool->done++;
	/* Not for each: to change between threads takes as long as a small file. */
	if (pool->put - pool->done <= pool->capacity / 2 &&
	    pool->slots[pool->taken % pool->capacity].done)
		pthread_cond_signal(&pool->finished);
}

/* The digest of a large file, when all its pieces are done. Without the lock. */
static void split_end(struct verity_pool *pool, struct verity_hasher *hasher, struct split *split)
{
	struct slot *slot = split->owner;

	split_finish(split, hasher);
	slot->job.result = split->input.result;
	if (slot->job.fd < 0)
		close(split->input.fd);
	split_free(split);
	pthread_mutex_lock(&pool->lock);
	slot_done(pool, slot);
	pthread_mutex_unlock(&pool->lock);
}

/* Works on a claimed piece of a large file, and on its top as far as that is possible. */
static void run_piece(struct verity_pool *pool, struct verity_hasher *hasher, struct split *split,
		      uint64_t piece)
{
	struct assay_error err;
	int r = split_read(split, hasher, piece, &err);
	bool complete;

	pthread_mutex_lock(&pool->lock);
	split_release(split, piece, r, &err);
	while (split_claim_top(split)) {
		pthread_mutex_unlock(&pool->lock);
		r = split_add(split, hasher, &err);
		pthread_mutex_lock(&pool->lock);
		split_release_top(split, r, &err);
		/* The window may have been full. */
		pthread_cond_broadcast(&pool->work);
	}
	complete = split_complete(split);
	if (complete) {
		struct split **link = &pool->splits;

		while (*link != split)
			link = &(*link)->next;
		*link = split->next;
	}
	pthread_mutex_unlock(&pool->lock);
	if (complete)
		split_end(pool, hasher, split);
}

/* Has a large file worked on, by all threads that are free. */
static void start_split(struct verity_pool *pool, struct verity_hasher *hasher, struct slot *slot,
			struct input *input, const struct merkle *merkle)
{
	struct split **link = &pool->splits, *split;

	input->result = split_new(input, merkle, hasher, &split, input->err);
	if (input->result < 0)
		return;
	split->owner = slot;
	pthread_mutex_lock(&pool->lock);
	while (*link)
		link = &(*link)->next;
	*link = split;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

/* Digests the files of @count slots, or starts to. */
static void run_slots(struct verity_pool *pool, struct verity_hasher *hasher,
		      struct slot *const *slots, size_t count)
{
	struct input inputs[HASHER_RUNS];
	bool split[HASHER_RUNS] = { false };
	struct input_batch batch;

	input_batch_begin(&batch, hasher);
	for (size_t i = 0; i < count; i++) {
		struct verity_job *job = &slots[i]->job;
		struct input *input = &inputs[i];
		struct merkle merkle;

		*input = (struct input){ .name = job->path,
					 .escape = true,
					 .fd = job->fd,
					 .output = job->output,
					 .digest = &job->digest,
					 .err = &job->err };
		if (job->fd < 0 && input_open(input) < 0)
			continue;
		if (input_begin(input, &pool->parameters, &merkle) == 0) {
			job->size = merkle.size;
			if (merkle.size > HASHER_PIECE) {
				start_split(pool, hasher, slots[i], input, &merkle);
				split[i] = input->result == 0;
			} else {
				input_batch_add(&batch, input, &merkle);
			}
		}
		if (job->fd < 0 && !split[i])
			close(input->fd);
	}
	input_batch_finish(&batch);
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < count; i++) {
		if (split[i])
			continue;
		slots[i]->job.result = inputs[i].result;
		slot_done(pool, slots[i]);
	}
	pthread_mutex_unlock(&pool->lock);
}

static void fail_slots(struct verity_pool *pool, const struct assay_error *err,
		       struct slot *const *slots, size_t count)
{
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < count; i++) {
		slots[i]->job.err = *err;
		slots[i]->job.result = -err->code;
		slot_done(pool, slots[i]);
	}
	pthread_mutex_unlock(&pool->lock);
}

/* A piece of a large file, if there is one to be worked on. With the lock. */
static struct split *claim_piece(struct verity_pool *pool, uint64_t *ret_piece)
{
	struct split *split = pool->splits;

	while (split && !split_claim(split, ret_piece))
		split = split->next;
	return split;
}

/* Slots for one thread, leaving some to the others. With the lock. */
static size_t claim_slots(struct verity_pool *pool, struct slot **slots)
{
	size_t count = (size_t)(pool->put - pool->begun);

	count = (count + pool->thread_count - 1) / pool->thread_count;
	if (count > HASHER_RUNS)
		count = HASHER_RUNS;
	for (size_t i = 0; i < count; i++)
		slots[i] = &pool->slots[pool->begun++ % pool->capacity];
	return count;
}

static void *run(void *context)
{
	struct verity_pool *pool = context;
	struct verity_hasher *hasher = NULL;
	struct assay_error err = { 0 };

	/* Without memory for a hasher each job fails and says so. */
	if (verity_hasher_new(&pool->parameters, &hasher, &err) < 0)
		hasher = NULL;
	pthread_mutex_lock(&pool->lock);
	while (!pool->ending) {
		uint64_t piece = 0;
		struct split *split = hasher ? claim_piece(pool, &piece) : NULL;
		struct slot *slots[HASHER_RUNS];
		size_t count = split ? 0 : claim_slots(pool, slots);

		if (!split && count == 0) {
			pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		if (split)
			run_piece(pool, hasher, split, piece);
		else if (hasher)
			run_slots(pool, hasher, slots, count);
		else
			fail_slots(pool, &err, slots, count);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	verity_hasher_free(hasher);
	return NULL;
}

/* Returns 0, or a positive errno if not one could be started. Fewer than wanted will do. */
static int start_threads(struct verity_pool *pool, unsigned int wanted)
{
	int code = 0;

	pthread_mutex_lock(&pool->lock);
	while (pool->thread_count < wanted && code == 0) {
		code = pthread_create(&pool->threads[pool->thread_count], NULL, run, pool);
		if (code == 0)
			pool->thread_count++;
	}
	pthread_mutex_unlock(&pool->lock);
	return pool->thread_count > 0 ? 0 : code;
}

int verity_pool_new(const struct verity_parameters *parameters, unsigned int threads,
		    struct verity_pool **ret, struct assay_error *err)
{
	struct verity_pool *pool;
	int r = verity_check_parameters(parameters, err);

	if (r < 0)
		return r;
	if (threads == 0)
		threads = work_usable_cpus();
	if (threads > VERITY_POOL_THREADS_MAX)
		threads = VERITY_POOL_THREADS_MAX;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	pool->parameters = *parameters;
	pool->capacity = JOBS;
	pool->slots = calloc(pool->capacity, sizeof(*pool->slots));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->finished, NULL);
	if (!pool->slots) {
		verity_pool_free(pool);
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	}
	r = start_threads(pool, threads);
	if (r > 0) {
		verity_pool_free(pool);
		return assay_fail(err, r, "cannot start a thread: %s", strerror(r));
	}
	*ret = pool;
	return 0;
}

void verity_pool_free(struct verity_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	while (pool->splits) {
		struct split *split = pool->splits;
		const struct slot *slot = split->owner;

		pool->splits = split->next;
		if (slot->job.fd < 0)
			close(split->input.fd);
		split_free(split);
	}
	for (; pool->taken < pool->put; pool->taken++) {
		struct verity_job *job = &pool->slots[pool->taken % pool->capacity].job;

		free(job->path);
		if (job->fd >= 0)
			close(job->fd);
	}
	pthread_cond_destroy(&pool->finished);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->slots);
	free(pool);
}

/* @put and @taken change only by the caller's own calls, so no lock is needed here. */
size_t verity_pool_count(const struct verity_pool *pool)
{
	return (size_t)(pool->put - pool->taken);
}

size_t verity_pool_room(const struct verity_pool *pool)
{
	return pool->capacity - verity_pool_count(pool);
}

void verity_pool_put(struct verity_pool *pool, char *path, int fd)
{
	verity_pool_put_output(pool, path, fd, NULL);
}

void verity_pool_put_output(struct verity_pool *pool, char *path, int fd,
			    struct verity_output *output)
{
	struct slot *slot = &pool->slots[pool->put % pool->capacity];

	pthread_mutex_lock(&pool->lock);
	/* The text of an error, which is most of it, is left as it is. */
	memset(&slot->job, 0, offsetof(struct verity_job, err));
	slot->job.path = path;
	slot->job.fd = fd;
	slot->job.output = output;
	slot->done = false;
	pool->put++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

void verity_pool_take(struct verity_pool *pool, struct verity_job *ret)
{
	struct slot *slot = &pool->slots[pool->taken % pool->capacity];

	pthread_mutex_lock(&pool->lock);
	while (!slot->done)
		pthread_cond_wait(&pool->finished, &pool->lock);
	memcpy(ret, &slot->job,
	       slot->job.result < 0 ? sizeof(*ret) : offsetof(struct verity_job, err));
	pool->taken++;
	pthread_mutex_unlock(&pool->lock);
}
