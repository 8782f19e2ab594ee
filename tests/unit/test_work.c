// SPDX-License-Identifier: MIT
/* lib/base: work on many threads comes back complete and in order. */
#define _GNU_SOURCE
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/work.h"

struct job {
	unsigned int number, square, thread;
};

static atomic_uint signals_open;

static void do_job(void *context, unsigned int thread, void *argument)
{
	struct job *job = argument;
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (!sigismember(&blocked, SIGINT))
		atomic_fetch_add(&signals_open, 1);
	/* Some take long, so that they end in another order. */
	if (job->number % 37 == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	job->square = job->number * job->number + *(unsigned int *)context;
	job->thread = thread;
}

static void jobs_come_back_in_order(void **state)
{
	static const unsigned int threads[] = { 1, 2, 3, 16, 0 };
	unsigned int added = 5;

	(void)state;
	for (size_t row = 0; row < sizeof(threads) / sizeof(threads[0]); row++) {
		unsigned int put = 0, taken = 0;
		struct work *work;

		assert_int_equal(work_new(threads[row], do_job, &added, &work, NULL), 0);
		assert_true(threads[row] == 0 || work_threads(work) == threads[row]);
		while (taken < 3000) {
			struct job *job;

			while (put < 3000 && work_room(work) > 0) {
				job = calloc(1, sizeof(*job));
				job->number = put++;
				work_put(work, job);
			}
			assert_int_equal(work_count(work), put - taken);
			job = work_take(work);
			assert_int_equal(job->number, taken);
			assert_int_equal(job->square, taken * taken + added);
			assert_true(job->thread < work_threads(work));
			free(job);
			taken++;
		}
		work_free(work, free);
	}
	assert_int_equal(signals_open, 0);
}

static void jobs_not_taken_are_dropped(void **state)
{
	unsigned int added = 0;
	struct work *work;

	(void)state;
	assert_int_equal(work_new(2, do_job, &added, &work, NULL), 0);
	while (work_room(work) > 0)
		work_put(work, calloc(1, sizeof(struct job)));
	free(work_take(work));
	work_free(work, free); /* the sanitizer would find what is left */
	work_free(NULL, free);
}

/* ---------------------------------------------------------------- batches and parts */

/**
 * struct shared - jobs of which every fifth is done in parts by all threads
 * @open: the one that is; they are done one after the other
 */
struct shared {
	struct work *work;
	struct open_job {
		uint64_t number;
		unsigned int parts, claimed, done;
		struct job *job;
	} open[64];
	atomic_uint batches, largest, parts;
};

static void execute_jobs(void *context, unsigned int thread, struct work_batch *batch)
{
	struct shared *shared = context;

	atomic_fetch_add(&shared->batches, 1);
	if (batch->count > shared->largest)
		shared->largest = (unsigned int)batch->count;
	for (size_t i = 0; i < batch->count; i++) {
		struct job *job = batch->jobs[i];

		assert_true(thread < work_threads(shared->work));
		assert_int_equal(batch->first + i, job->number);
		if (job->number % 5 != 4) {
			job->square = job->number * job->number;
			continue;
		}
		batch->open[i] = true;
		work_lock(shared->work);
		for (size_t j = 0; j < 64; j++) {
			if (shared->open[j].job)
				continue;
			shared->open[j] = (struct open_job){ .number = job->number,
							     .parts = job->number % 7 + 1,
							     .job = job };
			break;
		}
		work_wake(shared->work);
		work_unlock(shared->work);
	}
}

static bool claim_part(void *context, struct work_part *ret)
{
	struct shared *shared = context;

	for (size_t i = 0; i < 64; i++) {
		struct open_job *open = &shared->open[i];

		if (!open->job || open->claimed == open->parts)
			continue;
		*ret = (struct work_part){ .owner = open, .number = open->claimed++ };
		return true;
	}
	return false;
}

static void execute_part(void *context, unsigned int thread, const struct work_part *part)
{
	struct shared *shared = context;
	struct open_job *open = part->owner;
	uint64_t number = open->number;
	bool last;

	(void)thread;
	atomic_fetch_add(&shared->parts, 1);
	work_lock(shared->work);
	open->job->square += open->job->number * open->job->number / open->parts;
	last = ++open->done == open->parts;
	if (last) {
		open->job->square = open->job->number * open->job->number;
		open->job = NULL;
	}
	work_unlock(shared->work);
	if (last)
		work_finish(shared->work, number);
}

static void batches_and_parts_come_back_in_order(void **state)
{
	static const struct work_functions functions = { execute_jobs, claim_part, execute_part };
	static const unsigned int threads[] = { 1, 2, 7 };

	(void)state;
	for (size_t row = 0; row < sizeof(threads) / sizeof(threads[0]); row++) {
		struct shared shared = { 0 };
		struct job jobs[64];
		unsigned int put = 0, taken = 0, parts = 0;

		assert_int_equal(
			work_new_batches(threads[row], 64, &functions, &shared, &shared.work, NULL),
			0);
		assert_int_equal(work_room(shared.work), 64);
		while (taken < 3000) {
			const struct job *job;

			while (put < 3000 && work_room(shared.work) > 0) {
				jobs[put % 64] = (struct job){ .number = put };
				parts += put % 5 == 4 ? put % 7 + 1 : 0;
				work_put(shared.work, &jobs[put++ % 64]);
			}
			job = work_take(shared.work);
			assert_int_equal(job->number, taken);
			assert_int_equal(job->square, taken * taken);
			taken++;
		}
		work_free(shared.work, NULL);
		assert_int_equal(shared.parts, parts);
		assert_true(shared.largest > 1 && shared.largest <= WORK_BATCH_MAX);
		assert_true(shared.batches < 3000);
	}
}

/* What an instruction causes is its thread's own, and a handler of it is called. */
static void handle_fault(int number)
{
	(void)number;
	atomic_fetch_add(&signals_open, 1);
}

static void raise_fault(void *context, unsigned int thread, void *job)
{
	(void)context;
	(void)thread;
	(void)job;
	raise(SIGBUS);
}

static void a_fault_reaches_its_handler(void **state)
{
	struct sigaction action = { .sa_handler = handle_fault }, before;
	struct work *work;
	int job = 0;

	(void)state;
	signals_open = 0;
	assert_int_equal(sigaction(SIGBUS, &action, &before), 0);
	assert_int_equal(work_new(1, raise_fault, NULL, &work, NULL), 0);
	work_put(work, &job);
	assert_ptr_equal(work_take(work), &job);
	work_free(work, NULL);
	assert_int_equal(sigaction(SIGBUS, &before, NULL), 0);
	assert_int_equal(signals_open, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_back_in_order),
		cmocka_unit_test(jobs_not_taken_are_dropped),
		cmocka_unit_test(batches_and_parts_come_back_in_order),
		cmocka_unit_test(a_fault_reaches_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
