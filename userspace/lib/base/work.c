// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/work.h"

#include <pthread.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Jobs for each thread: enough that none waits for the one that puts and takes. */
#define JOBS_A_THREAD 16

/*
 * Waking a thread for each job costs as much as a small one takes: so the caller waits for
 * half of all jobs at a time, but not longer than this for the oldest, in ns.
 */
#define PATIENCE 20000000L

struct slot {
	void *job;
	bool done;
};

/**
 * struct work - a ring of jobs
 * @lock: guards all below it
 * @ready: a job was put in, or the threads are to end
 * @finished: the job that the caller waits for is done
 * @put, @begun, @taken: how many jobs ever were; taken <= begun <= put, and
 *                       put - taken <= capacity. Job n is in slots[n % capacity].
 * @wanted: the job that the caller waits for
 * @idle: how many threads wait for jobs
 *
 * A job belongs to one thread at a time: to the caller until it is put, to a thread
 * from when it is begun until it is done, and then to the caller again.
 */
struct work {
	work_function run;
	void *context;
	struct slot *slots;
	size_t capacity;
	unsigned int thread_count;
	struct thread {
		pthread_t id;
		struct work *work;
		unsigned int number;
	} threads[WORK_THREADS_MAX];

	pthread_mutex_t lock;
	pthread_cond_t ready;
	pthread_cond_t finished;
	uint64_t put, begun, taken, wanted;
	unsigned int idle;
	bool ending;
};

static void *run_jobs(void *argument)
{
	const struct thread *thread = argument;
	struct work *work = thread->work;

	pthread_mutex_lock(&work->lock);
	for (;;) {
		uint64_t number;
		struct slot *slot;

		while (work->begun == work->put && !work->ending) {
			work->idle++;
			pthread_cond_wait(&work->ready, &work->lock);
			work->idle--;
		}
		if (work->ending)
			break;
		number = work->begun++;
		slot = &work->slots[number % work->capacity];
		pthread_mutex_unlock(&work->lock);
		work->run(work->context, thread->number, slot->job);
		pthread_mutex_lock(&work->lock);
		slot->done = true;
		if (work->wanted == number)
			pthread_cond_signal(&work->finished);
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

/* Signals are for the thread that uses the room: work is not to be broken off by them. */
static int start_thread(struct thread *thread)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&thread->id, NULL, run_jobs, thread);
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

int work_new(unsigned int threads, work_function run, void *context, struct work **ret,
	     struct assay_error *err)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return assay_fail(err, ENOMEM, "cannot start threads: out of memory");
	if (threads == 0)
		threads = work_usable_cpus();
	if (threads > WORK_THREADS_MAX)
		threads = WORK_THREADS_MAX;
	work->run = run;
	work->context = context;
	work->wanted = UINT64_MAX;
	work->capacity = (size_t)threads * JOBS_A_THREAD;
	work->slots = calloc(work->capacity, sizeof(*work->slots));
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->ready, NULL);
	pthread_cond_init(&work->finished, NULL);
	if (!work->slots) {
		work_free(work, NULL);
		return assay_fail(err, ENOMEM, "cannot start threads: out of memory");
	}
	for (; work->thread_count < threads; work->thread_count++) {
		struct thread *thread = &work->threads[work->thread_count];
		int code;

		thread->work = work;
		thread->number = work->thread_count;
		code = start_thread(thread);
		if (code != 0 && work->thread_count == 0) {
			work_free(work, NULL);
			return assay_fail(err, code, "cannot start a thread: %s", strerror(code));
		}
		if (code != 0)
			break; /* fewer will do */
	}
	*ret = work;
	return 0;
}

void work_free(struct work *work, void (*drop)(void *job))
{
	if (!work)
		return;
	pthread_mutex_lock(&work->lock);
	work->ending = true;
	pthread_cond_broadcast(&work->ready);
	pthread_mutex_unlock(&work->lock);
	for (unsigned int i = 0; i < work->thread_count; i++)
		pthread_join(work->threads[i].id, NULL);
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

/* Until half of the jobs are done, or patience is at an end. */
static void wait_for_half(struct work *work, const struct slot *oldest)
{
	const struct slot *middle;
	struct timespec until;

	work->wanted = work->taken + work_count(work) / 2;
	middle = &work->slots[work->wanted % work->capacity];
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PATIENCE;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!oldest->done && !middle->done &&
	       pthread_cond_timedwait(&work->finished, &work->lock, &until) == 0)
		;
}

void *work_take(struct work *work)
{
	struct slot *slot = &work->slots[work->taken % work->capacity];
	void *job;

	pthread_mutex_lock(&work->lock);
	if (!slot->done)
		wait_for_half(work, slot);
	work->wanted = work->taken;
	while (!slot->done)
		pthread_cond_wait(&work->finished, &work->lock);
	work->wanted = UINT64_MAX;
	job = slot->job;
	work->taken++;
	pthread_mutex_unlock(&work->lock);
	return job;
}
