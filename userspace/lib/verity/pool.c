// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/work.h"
#include "verity/ahead.h"
#include "verity/split.h"

/*
 * Files in flight: enough that no thread waits for the one that takes their digests, that small
 * files can be taken by the batch, and that the threads seldom wait for each other; few enough for
 * each to be an open descriptor.
 */
#define JOBS 512

_Static_assert(WORK_BATCH_MAX <= HASHER_RUNS, "a hasher has room for a batch of files");

/**
 * struct verity_pool - a ring of files, and the threads of a work room for them
 * @ahead: has files read before their turn
 * @hashers: of each thread, made by itself when it first needs it
 * @put: files that ever were; file n is in jobs[n % JOBS], and is job n of the room
 * @splits: large files that are being worked on, the oldest first; guarded by the room's lock
 * @steps, @context: what is done beside digests; NULL: nothing
 *
 * That of a large file is an open job, whose parts are its split's.
 */
struct verity_pool {
	struct verity_parameters parameters;
	struct work *work;
	struct ahead *ahead;
	struct verity_hasher *hashers[WORK_THREADS_MAX];
	uint64_t put;
	struct split *splits;
	const struct verity_steps *steps;
	void *context;
	struct verity_job jobs[JOBS];
};

/* NULL, with *err set, without memory for one: each file then fails and says so. */
static struct verity_hasher *thread_hasher(struct verity_pool *pool, unsigned int thread,
					   struct assay_error *err)
{
	if (!pool->hashers[thread] &&
	    verity_hasher_new(&pool->parameters, &pool->hashers[thread], err) < 0)
		return NULL;
	return pool->hashers[thread];
}

/* ---------------------------------------------------------------- steps */

/* As verity_steps has it. */
static int step_before(struct verity_pool *pool, unsigned int thread, struct verity_job *job)
{
	return pool->steps && pool->steps->before ?
		       pool->steps->before(pool->context, thread, job) :
		       0;
}

/* The last one, of a job that is open; false if there is no use in going on. */
static bool step_after(struct verity_pool *pool, unsigned int thread, uint64_t number)
{
	if (pool->steps && pool->steps->after &&
	    !pool->steps->after(pool->context, thread, &pool->jobs[number % JOBS])) {
		work_finish(pool->work, number);
		return false;
	}
	work_finish(pool->work, number);
	return true;
}

/* ---------------------------------------------------------------- large files */

static bool claim_part(void *context, struct work_part *ret)
{
	struct verity_pool *pool = context;
	struct split *split = pool->splits;

	while (split && !split_claim(split, &ret->number))
		split = split->next;
	ret->owner = split;
	return split != NULL;
}

/* With the lock. */
static void remove_split(struct verity_pool *pool, const struct split *split)
{
	struct split **link = &pool->splits;

	while (*link != split)
		link = &(*link)->next;
	*link = split->next;
}

/* The digest of a large file, when all its parts are done. */
static void end_split(struct verity_pool *pool, unsigned int thread, struct verity_hasher *hasher,
		      struct split *split)
{
	struct verity_job *job = &pool->jobs[split->job % JOBS];
	uint64_t number = split->job;

	split_finish(split, hasher);
	job->result = split->input.result;
	split_free(split);
	(void)step_after(pool, thread, number);
}

/* Works on a claimed part of a large file, and on its top as far as that is possible. */
static void execute_part(void *context, unsigned int thread, const struct work_part *part)
{
	struct verity_pool *pool = context;
	struct split *split = part->owner;
	struct assay_error err = { 0 };
	struct verity_hasher *hasher = thread_hasher(pool, thread, &err);
	int r = hasher ? split_read(split, hasher, part->number, &err) : -err.code;
	bool complete;

	work_lock(pool->work);
	split_release(split, part->number, r, &err);
	while (hasher && split_claim_top(split)) {
		work_unlock(pool->work);
		r = split_add(split, hasher, &err);
		work_lock(pool->work);
		split_release_top(split, r, &err);
		/* The window may have been full. */
		work_wake(pool->work);
	}
	complete = split_complete(split);
	if (complete)
		remove_split(pool, split);
	work_unlock(pool->work);
	if (complete)
		end_split(pool, thread, hasher, split);
}

/* Has a large file worked on, by all threads that are free. */
static int start_split(struct verity_pool *pool, struct verity_hasher *hasher, uint64_t job,
		       const struct input *input, const struct merkle *merkle)
{
	struct split **link = &pool->splits, *split;
	int r = split_new(input, merkle, hasher, &split, input->err);

	if (r < 0)
		return r;
	split->job = job;
	work_lock(pool->work);
	while (*link)
		link = &(*link)->next;
	*link = split;
	work_wake(pool->work);
	work_unlock(pool->work);
	return 0;
}

/* ---------------------------------------------------------------- files */

/*
 * Reads a file for the batch, or starts to have a large one read, which is then open. What is
 * not open is set when the batch has been finished.
 */
static bool begin_file(struct verity_pool *pool, unsigned int thread, struct input_batch *batch,
		       uint64_t number, struct input *input)
{
	struct verity_job *job = &pool->jobs[number % JOBS];
	struct merkle merkle;
	int r;

	*input = (struct input){ .name = job->path,
				 .escape = true,
				 .fd = job->fd,
				 .output = job->output,
				 .digest = &job->digest,
				 .err = &job->err };
	r = step_before(pool, thread, job);
	if (r != 0) {
		input->result = r < 0 ? r : 0;
		return false;
	}
	if (job->fd < 0 && input_open(input) < 0)
		return false;
	if (input_begin(input, &pool->parameters, &merkle) < 0) {
		input_end(input);
		return false;
	}
	job->size = merkle.size;
	if (merkle.size <= HASHER_PIECE) {
		input_batch_add(batch, input, &merkle);
		return false;
	}
	/* From here on the job may be done, and be another one. */
	input->result = start_split(pool, batch->hasher, number, input, &merkle);
	if (input->result < 0)
		input_end(input);
	return input->result == 0;
}

/*
 * The steps after the digests. Each file is done by itself, as a step may take long. Those that
 * are open already are large ones, which may be done by now, and be other ones.
 */
static void finish_files(struct verity_pool *pool, unsigned int thread, struct work_batch *files)
{
	bool more = true;

	for (size_t i = 0; i < files->count; i++) {
		if (files->open[i])
			continue;
		files->open[i] = true;
		if (more)
			more = step_after(pool, thread, files->first + i);
	}
}

static void execute_batch(void *context, unsigned int thread, struct work_batch *files)
{
	struct verity_pool *pool = context;
	struct assay_error err = { 0 };
	struct verity_hasher *hasher = thread_hasher(pool, thread, &err);
	struct input inputs[WORK_BATCH_MAX];
	struct input_batch batch;

	for (size_t i = 0; !hasher && i < files->count; i++) {
		struct verity_job *job = files->jobs[i];

		job->err = err;
		job->result = -err.code;
	}
	if (!hasher && pool->steps)
		finish_files(pool, thread, files);
	if (!hasher)
		return;
	input_batch_begin(&batch, hasher);
	for (size_t i = 0; i < files->count; i++)
		files->open[i] = begin_file(pool, thread, &batch, files->first + i, &inputs[i]);
	ahead_note(pool->ahead, files->first + files->count, batch.cold);
	input_batch_finish(&batch);
	for (size_t i = 0; i < files->count; i++) {
		struct verity_job *job = files->jobs[i];

		if (!files->open[i])
			job->result = inputs[i].result;
	}
	if (pool->steps)
		finish_files(pool, thread, files);
}

/* ---------------------------------------------------------------- the pool */

/* What is open already has its inode read; what has an owner is opened by nobody else. */
static const char *path_of(const void *argument)
{
	const struct verity_job *job = argument;

	return job->fd < 0 && !job->owner ? job->path : NULL;
}

/* At most half of the descriptors that are allowed are of files in flight. */
static size_t pool_capacity(const struct verity_steps *steps)
{
	size_t capacity = steps && steps->capacity > 0 ? steps->capacity : JOBS;
	struct rlimit limit;

	if (capacity > JOBS)
		capacity = JOBS;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < capacity)
		capacity = limit.rlim_cur > 1 ? (size_t)limit.rlim_cur / 2 : 1;
	return capacity;
}

int verity_pool_new(const struct verity_parameters *parameters, unsigned int threads,
		    struct verity_pool **ret, struct assay_error *err)
{
	return verity_pool_new_steps(parameters, threads, NULL, NULL, ret, err);
}

int verity_pool_new_steps(const struct verity_parameters *parameters, unsigned int threads,
			  const struct verity_steps *steps, void *context, struct verity_pool **ret,
			  struct assay_error *err)
{
	static const struct work_functions functions = {
		.execute = execute_batch,
		.claim = claim_part,
		.execute_part = execute_part,
	};
	struct verity_pool *pool;
	int r = verity_check_parameters(parameters, err);

	if (r < 0)
		return r;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	pool->parameters = *parameters;
	pool->steps = steps;
	pool->context = context;
	r = work_new_batches(threads, pool_capacity(steps), &functions, pool, &pool->work, err);
	if (r == 0)
		r = ahead_new(pool->work, path_of, &pool->ahead, err);
	if (r < 0) {
		verity_pool_free(pool);
		return r;
	}
	*ret = pool;
	return 0;
}

static void drop_job(void *argument)
{
	struct verity_job *job = argument;

	free(job->path);
	if (job->fd >= 0)
		close(job->fd);
}

void verity_pool_free(struct verity_pool *pool)
{
	if (!pool)
		return;
	if (pool->work)
		work_end(pool->work);
	ahead_free(pool->ahead);
	while (pool->splits) {
		struct split *split = pool->splits;

		pool->splits = split->next;
		if (split->input.opened)
			close(split->input.fd);
		split_free(split);
	}
	work_free(pool->work, pool->steps ? pool->steps->drop : drop_job);
	for (size_t i = 0; i < WORK_THREADS_MAX; i++)
		verity_hasher_free(pool->hashers[i]);
	free(pool);
}

size_t verity_pool_count(const struct verity_pool *pool)
{
	return work_count(pool->work);
}

size_t verity_pool_room(const struct verity_pool *pool)
{
	return work_room(pool->work);
}

static void put_job(struct verity_pool *pool, char *path, int fd, struct verity_output *output,
		    void *owner)
{
	struct verity_job *job = &pool->jobs[pool->put % JOBS];

	/* The text of an error, which is most of it, is left as it is. */
	memset(job, 0, offsetof(struct verity_job, err));
	job->path = path;
	job->fd = fd;
	job->output = output;
	job->owner = owner;
	if (fd >= 0)
		ahead_see(pool->ahead, pool->put, fd);
	pool->put++;
	work_put(pool->work, job);
}

void verity_pool_put(struct verity_pool *pool, char *path, int fd)
{
	put_job(pool, path, fd, NULL, NULL);
}

void verity_pool_put_output(struct verity_pool *pool, char *path, int fd,
			    struct verity_output *output)
{
	put_job(pool, path, fd, output, NULL);
}

void verity_pool_put_owner(struct verity_pool *pool, char *path, int fd, void *owner)
{
	put_job(pool, path, fd, NULL, owner);
}

void verity_pool_take(struct verity_pool *pool, struct verity_job *ret)
{
	const struct verity_job *job = work_take(pool->work);

	memcpy(ret, job, job->result < 0 ? sizeof(*ret) : offsetof(struct verity_job, err));
}
