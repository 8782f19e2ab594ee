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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_back_in_order),
		cmocka_unit_test(jobs_not_taken_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
