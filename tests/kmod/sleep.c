// SPDX-License-Identifier: MIT
/*
 * The machine is suspended, as far as the freezer (pm_test). Needs run-guest --tpm-proxy. Loads and
 * unloads the module.
 *
 * What must hold: a TPM that lost its PCRs while the machine slept is noticed without a call, and
 * no call is told that its record is anchored; a backlog in front of a slow TPM, callers
 * that wait for it, and callers that wait for room, do not keep the machine from sleeping,
 * and everybody is served afterwards.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "guest.h"

/* The freezer gives up after so long; the TPM is to take several times that. */
#define PATIENCE_MS "6000"
#define BACKLOG 30
#define DELAY_MS 600
#define CALLERS 24

static int suspend(void)
{
	return write_text("/sys/power/state", "freeze");
}

/* Whether the log comes to that last error within half a minute, without a call. */
static bool comes_to(int fd, int error, bool all)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; i < 600; i++) {
		struct assay_info info = get_info(fd);

		if (info.last_error == error && (!all || info.anchored == info.tail))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void test_quiet(int fd)
{
	need(append(fd, "awake", "x", 1, NULL) == 0, "APPEND");
	check_is(suspend(), 0, "suspend");
	check_is(append(fd, "awake", "x", 1, NULL), 0, "APPEND after that");
	check_is(anchor(fd, NULL), 0, "and ANCHOR");
}

static void *call_append(void *argument)
{
	int fd = open_assay(O_RDWR);

	*(int *)argument = append(fd, "caller", "x", 1, NULL);
	close(fd);
	return NULL;
}

static void *call_anchor(void *argument)
{
	int fd = open_assay(O_RDWR);

	*(int *)argument = anchor(fd, NULL);
	close(fd);
	return NULL;
}

/* With group=1 and 24 callers the queue alone would take the TPM longer than the freezer waits. */
static void test_slow(int fd)
{
	pthread_t threads[CALLERS + 2];
	int results[CALLERS + 2];
	unsigned int good = 0;

	bind_tpm(false);
	for (int i = 0; i < BACKLOG; i++)
		need(append(fd, "backlog", "x", 1, NULL) == -ENODEV, "APPEND without a TPM");
	bind_tpm(true);
	tpm_behave(DELAY_MS, TPM_PROXY_NONE, 0);
	for (int i = 0; i < CALLERS + 2; i++)
		need(!pthread_create(&threads[i], NULL, i < CALLERS ? call_append : call_anchor,
				     &results[i]),
		     "a thread");
	sleep(1);
	check(get_info(fd).anchored < get_info(fd).tail, "a slow TPM has a backlog");
	check_is(suspend(), 0, "suspend meanwhile");
	check(get_info(fd).anchored < get_info(fd).tail, "which does not wait for it");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	for (int i = 0; i < CALLERS + 2; i++) {
		pthread_join(threads[i], NULL);
		good += results[i] == 0;
	}
	check_is(good, CALLERS + 2, "those who waited are served afterwards");
	check(comes_to(fd, 0, true), "all is anchored");
}

/* Nobody reads the PCR but for the sleep: verify=0. */
static void test_lost(int fd)
{
	struct assay_append appended;

	tpm_reset();
	check_is(suspend(), 0, "suspend, in which the TPM loses its PCRs");
	check(comes_to(fd, -EUCLEAN, false), "is noticed without a call");
	check_is(get_info(fd).pcr_state, ASSAY_PCR_RESET, "and told as a reset");
	check(append(fd, "lost", "x", 1, &appended) == -EUCLEAN &&
		      appended.recnum == ASSAY_RECNUM_NONE,
	      "APPEND is -EUCLEAN, and nothing is written");
}

int main(void)
{
	int fd;

	load_assay("retry=1 verify=0 group=1");
	fd = open_assay(O_RDWR);
	need(!write_text("/sys/power/pm_test", "freezer"), "pm_test");
	need(!write_text("/sys/power/pm_freeze_timeout", PATIENCE_MS), "pm_freeze_timeout");
	/* Whether the machine stays asleep for a second or five makes no difference. */
	write_text("/sys/module/suspend/parameters/pm_test_delay", "1");
	test_quiet(fd);
	test_slow(fd);
	test_lost(fd);
	close(fd);
	unload_assay();
	return tap_end();
}
