// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/work.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Jobs for each thread: enough that none waits for the one that puts and takes. */
#define JOBS_A_THREAD 16

/*
 * Waking a thread for each job costs as much as a small one takes: so the caller waits until at
 * most half of the ring is still to be done, but not longer than this for the oldest, in ns.
 */
#define PATIENCE 20000000L

struct slot {
	void *job;
	bool done;
};

/**
 * struct work - a ring of jobs
 * @execute: of single jobs; NULL where @functions are the caller's
 * @lock: guards all below it
 * @ready: a job was put, or there is a part to be claimed, or the threads are to end
 * @finished: what the caller waits for is there
 * @put, @begun, @done, @taken: how many jobs ever were; taken <= done <= put,
 *                              taken <= begun <= put, and put - taken <= capacity.
 *                              Job n is in slots[n % capacity].
 * @waiting: the caller waits for the oldest job; @patient: and for half of the ring
 * @idle: how many threads wait for jobs
 *
 * A job belongs to one thread at a time: to the caller until it is put, to a thread
 * from when it is begun until it is done, and then to the caller again. One that was left
 * open belongs to those who do its parts.
 */
struct work {
	work_function execute;
	const struct work_functions *functions;
	void *context;
	struct slot *slots;
	size_t capacity, batch;
	unsigned int thread_count;
	struct thread {
		pthread_t id;
		struct work *work;
		unsigned int number;
	} threads[WORK_THREADS_MAX];

	pthread_mutex_t lock;
	pthread_cond_t ready;
	pthread_cond_t finished;
	uint64_t put, begun, done, taken;
	unsigned int idle;
	bool waiting, patient, ending;
};

static void execute_singly(void *context, unsigned int thread, struct work_batch *batch)
{
	const struct work *work = context;

	work->execute(work->context, thread, batch->jobs[0]);
}

static const struct work_functions singly = { .execute = execute_singly };

static bool oldest_is_done(const struct work *work)
{
	return work->slots[work->taken % work->capacity].done;
}

static bool half_is_done(const struct work *work)
{
	return work->put - work->done <= work->capacity / 2;
}

/* With the lock. */
static void job_done(struct work *work, uint64_t number)
{
	work->slots[number % work->capacity].done = true;
	work->done++;
	if (work->waiting && oldest_is_done(work) && (!work->patient || half_is_done(work)))
		pthread_cond_signal(&work->finished);
}

/* Jobs for one thread, leaving some to the others. With the lock. */
static void claim_batch(struct work *work, struct work_batch *ret)
{
	size_t count = (size_t)(work->put - work->begun);

	count = (count + work->thread_count - 1) / work->thread_count;
	*ret = (struct work_batch){ .first = work->begun,
				    .count = count < work->batch ? count : work->batch };
	for (size_t i = 0; i < ret->count; i++)
		ret->jobs[i] = work->slots[work->begun++ % work->capacity].job;
}

static void *run_thread(void *argument)
{
	const struct thread *thread = argument;
	struct work *work = thread->work;
	const struct work_functions *functions = work->functions;
	/* Those of work_new() are below the caller's. */
	void *context = work->execute ? work : work->context;

	pthread_mutex_lock(&work->lock);
	while (!work->ending) {
		struct work_part part;

		if (functions->claim && functions->claim(context, &part)) {
			pthread_mutex_unlock(&work->lock);
			functions->execute_part(context, thread->number, &part);
			pthread_mutex_lock(&work->lock);
		} else if (work->begun < work->put) {
			struct work_batch batch;

			claim_batch(work, &batch);
			pthread_mutex_unlock(&work->lock);
			functions->execute(context, thread->number, &batch);
			pthread_mutex_lock(&work->lock);
			for (size_t i = 0; i < batch.count; i++)
				if (!batch.open[i])
					job_done(work, batch.first + i);
		} else {
			work->idle++;
			pthread_cond_wait(&work->ready, &work->lock);
			work->idle--;
		}
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

/*
 * Signals are for the thread that uses the room: work is not to be broken off by them. Those that
 * a thread's own instruction causes are its own.
 */
static int start_thread(struct thread *thread)
{
	static const int own[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
	sigset_t others, before;
	int code;

	sigfillset(&others);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&others, own[i]);
	pthread_sigmask(SIG_SETMASK, &others, &before);
	code = pthread_create(&thread->id, NULL, run_thread, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

unsigned int work_usable_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

/* Returns 0, or a positive errno if not one could be started. Fewer than wanted will do. */
static int start_threads(struct work *work, unsigned int wanted)
{
	int code = 0;

	/* How many there are is read by those that run already. */
	pthread_mutex_lock(&work->lock);
	while (work->thread_count < wanted && code == 0) {
		struct thread *thread = &work->threads[work->thread_count];

		thread->work = work;
		thread->number = work->thread_count;
		code = start_thread(thread);
		if (code == 0)
			work->thread_count++;
	}
	pthread_mutex_unlock(&work->lock);
	return work->thread_count > 0 ? 0 : code;
}

/* @execute is of single jobs, or NULL; @capacity: 0 for one that fits the threads */
static int create_work(unsigned int threads, size_t capacity, work_function execute,
		       const struct work_functions *functions, void *context, struct work **ret,
		       struct assay_error *err)
{
	struct work *work = calloc(1, sizeof(*work));
	int code;

	if (!work)
		return assay_fail(err, ENOMEM, "cannot start threads: out of memory");
	if (threads == 0)
		threads = work_usable_cpus();
	if (threads > WORK_THREADS_MAX)
		threads = WORK_THREADS_MAX;
	work->execute = execute;
	work->functions = functions;
	work->context = context;
	work->batch = execute ? 1 : WORK_BATCH_MAX;
	work->capacity = capacity ? capacity : (size_t)threads * JOBS_A_THREAD;
	work->slots = calloc(work->capacity, sizeof(*work->slots));
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->ready, NULL);
	pthread_cond_init(&work->finished, NULL);
	code = work->slots ? start_threads(work, threads) : ENOMEM;
	if (code != 0) {
		work_free(work, NULL);
		return assay_fail(err, code, "cannot start threads: %s", strerror(code));
	}
	*ret = work;
	return 0;
}

int work_new(unsigned int threads, work_function execute, void *context, struct work **ret,
	     struct assay_error *err)
{
	return create_work(threads, 0, execute, &singly, context, ret, err);
}

int work_new_batches(unsigned int threads, size_t capacity, const struct work_functions *functions,
		     void *context, struct work **ret, struct assay_error *err)
{
	return create_work(threads, capacity, NULL, functions, context, ret, err);
}

void work_end(struct work *work)
{
	pthread_mutex_lock(&work->lock);
	work->ending = true;
	pthread_cond_broadcast(&work->ready);
	pthread_mutex_unlock(&work->lock);
	for (; work->thread_count > 0; work->thread_count--)
		pthread_join(work->threads[work->thread_count - 1].id, NULL);
}

void work_free(struct work *work, void (*drop)(void *job))
{
	if (!work)
		return;
	work_end(work);
	for (; drop && work->taken < work->put; work->taken++)
		drop(work->slots[work->taken % work->capacity].job);
	pthread_cond_destroy(&work->finished);
	pthread_cond_destroy(&work->ready);
	pthread_mutex_destroy(&work->lock);
	free(work->slots);
	free(work);
}

unsigned int work_threads(const struct work *work)
{
	return work->thread_count;
}

/* @put and @taken change only by the caller's own calls, so no lock is needed here. */
size_t work_count(const struct work *work)
{
	return (size_t)(work->put - work->taken);
}

size_t work_room(const struct work *work)
{
	return work->capacity - work_count(work);
}

void work_put(struct work *work, void *job)
{
	pthread_mutex_lock(&work->lock);
	work->slots[work->put % work->capacity] = (struct slot){ .job = job };
	work->put++;
	if (work->idle > 0)
		pthread_cond_signal(&work->ready);
	pthread_mutex_unlock(&work->lock);
}

/* Until half of the ring and the oldest job are done, or patience is at an end. */
static void wait_for_half(struct work *work)
{
	struct timespec until;
	int code = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PATIENCE;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	work->patient = true;
	while (code == 0 && !(oldest_is_done(work) && half_is_done(work)))
		code = pthread_cond_timedwait(&work->finished, &work->lock, &until);
	work->patient = false;
}

void *work_take(struct work *work)
{
	void *job;

	pthread_mutex_lock(&work->lock);
	work->waiting = true;
	if (!oldest_is_done(work))
		wait_for_half(work);
	while (!oldest_is_done(work))
		pthread_cond_wait(&work->finished, &work->lock);
	work->waiting = false;
	job = work->slots[work->taken++ % work->capacity].job;
	pthread_mutex_unlock(&work->lock);
	return job;
}

void work_lock(struct work *work)
{
	pthread_mutex_lock(&work->lock);
}

void work_unlock(struct work *work)
{
	pthread_mutex_unlock(&work->lock);
}

void work_wake(struct work *work)
{
	pthread_cond_broadcast(&work->ready);
}

void *work_waiting(const struct work *work, uint64_t *number)
{
	if (*number < work->begun)
		*number = work->begun;
	return *number < work->put ? work->slots[*number % work->capacity].job : NULL;
}

void work_finish(struct work *work, uint64_t number)
{
	pthread_mutex_lock(&work->lock);
	job_done(work, number);
	pthread_mutex_unlock(&work->lock);
}
