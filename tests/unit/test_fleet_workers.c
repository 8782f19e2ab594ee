// SPDX-License-Identifier: MIT
/* Processes that do the same: what reaches one before it can work waits until then. */
#define _GNU_SOURCE
#include "support.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fleet/workers.h"

#define COUNT 3

/* struct seen - by all processes: how many signals each worker has taken, and that all were ready
 */
struct seen {
	_Atomic int taken[COUNT], ready;
};

static struct seen *seen;
static unsigned int self;

static void take(int number)
{
	(void)number;
	atomic_fetch_add(&seen->taken[self], 1);
}

static int work(void *context, unsigned int number, struct assay_error *err)
{
	(void)context;
	(void)err;
	self = number;
	(void)kill(getpid(), SIGHUP); /* as if the parent had been told just now */
	(void)signal(SIGHUP, take);
	workers_ready();
	for (;;)
		(void)pause();
	return 0;
}

static void again(void *context)
{
	(void)context;
}

static void all_ready(void *context)
{
	(void)context;
	atomic_store(&seen->ready, 1);
	(void)kill(getpid(), SIGTERM);
}

static void a_signal_waits_for_its_handler(void **state)
{
	const struct workers workers = { COUNT, work, again, all_ready, NULL };
	struct assay_error err = { 0 };

	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(seen != MAP_FAILED);
	if (workers_run(&workers, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(atomic_load(&seen->ready), 1);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(atomic_load(&seen->taken[i]), 1);
	assert_int_equal(munmap(seen, sizeof(*seen)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_waits_for_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
