// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64U
/* Files in flight for each thread: enough that none waits for the one that signs. */
#define JOBS_A_THREAD 8

struct slot {
	struct verity_job job;
	bool done;
};

/**
 * struct verity_pool - a ring of jobs
 * @lock: guards all below it
 * @work: a job was put in, or the pool ends
 * @finished: a job is done
 * @put, @begun, @taken: how many jobs ever were; taken <= begun <= put, and
 *                       put - taken <= capacity. Job n is in slots[n % capacity].
 *
 * A slot's job belongs to one thread at a time: to the caller until it is put, to a
 * worker from when it is begun until it is done, and then to the caller again.
 */
struct verity_pool {
	struct slot *slots;
	size_t capacity;
	pthread_t threads[THREADS_MAX];
	unsigned int thread_count;
	struct verity_parameters parameters;

	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t finished;
	uint64_t put, begun, taken;
	bool ending;
};

static void run_job(struct verity_hasher *hasher, const struct assay_error *no_hasher,
		    struct verity_job *job)
{
	char name[512];

	if (!hasher) {
		job->err = *no_hasher;
		job->result = -no_hasher->code;
		return;
	}
	text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), name, sizeof(name));
	job->result = verity_hash_fd(hasher, job->fd, name, &job->digest, &job->size, &job->err);
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
	for (;;) {
		struct slot *slot;

		while (pool->begun == pool->put && !pool->ending)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->ending)
			break;
		slot = &pool->slots[pool->begun++ % pool->capacity];
		pthread_mutex_unlock(&pool->lock);
		run_job(hasher, &err, &slot->job);
		pthread_mutex_lock(&pool->lock);
		slot->done = true;
		pthread_cond_signal(&pool->finished);
	}
	pthread_mutex_unlock(&pool->lock);
	verity_hasher_free(hasher);
	return NULL;
}

static unsigned int usable_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

int verity_pool_new(const struct verity_parameters *parameters, unsigned int threads,
		    struct verity_pool **ret, struct assay_error *err)
{
	struct verity_pool *pool;
	int r = verity_check_parameters(parameters, err);

	if (r < 0)
		return r;
	if (threads == 0)
		threads = usable_cpus();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	pool->parameters = *parameters;
	pool->capacity = (size_t)threads * JOBS_A_THREAD;
	pool->slots = calloc(pool->capacity, sizeof(*pool->slots));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->finished, NULL);
	if (!pool->slots) {
		verity_pool_free(pool);
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	}
	for (; pool->thread_count < threads; pool->thread_count++) {
		int code = pthread_create(&pool->threads[pool->thread_count], NULL, run, pool);

		if (code != 0 && pool->thread_count == 0) {
			verity_pool_free(pool);
			return assay_fail(err, code, "cannot start a thread: %s", strerror(code));
		}
		if (code != 0)
			break; /* fewer will do */
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
	for (; pool->taken < pool->put; pool->taken++) {
		struct verity_job *job = &pool->slots[pool->taken % pool->capacity].job;

		free(job->path);
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
	pthread_mutex_lock(&pool->lock);
	pool->slots[pool->put % pool->capacity] =
		(struct slot){ .job = { .path = path, .fd = fd } };
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
	*ret = slot->job;
	pool->taken++;
	pthread_mutex_unlock(&pool->lock);
}
