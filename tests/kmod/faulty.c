// SPDX-License-Identifier: MIT
/*
 * A TPM that answers with errors or noise, that is busy or slow, whether or not it has
 * extended: the caller is told, the record is pending, nothing is extended twice, and when
 * the TPM is well again everything is anchored in order. Loads and unloads the module.
 */
#define _GNU_SOURCE
#include "guest.h"

#define RANDOM_CALLS 60

static const struct {
	const char *what;
	enum tpm_proxy_fault fault;
	unsigned int delay_ms;
	int error;
} faults[] = {
	{ "an error, and no extend", TPM_PROXY_FAIL, 0, -EIO },
	{ "an error after the extend", TPM_PROXY_DONE, 0, -EIO },
	{ "noise after the extend", TPM_PROXY_GARBAGE, 0, -EIO },
	{ "busy all the time", TPM_PROXY_BUSY, 0, -EIO },
	/* The driver waits 2 s for an extend. */
	{ "slower than its driver waits", TPM_PROXY_NONE, 3000, -ETIME },
};

static void test_fault(int fd, const struct log *log, unsigned int i)
{
	struct assay_info before = get_info(fd), after;
	struct assay_append request;
	int ret;

	tpm_behave(faults[i].delay_ms, faults[i].fault, 1000);
	ret = append(fd, "faulty", "x", 1, &request);
	check(ret == faults[i].error && request.recnum == before.records,
	      "%s: the caller is told, and which record it is (%d)", faults[i].what, ret);
	after = get_info(fd);
	check(after.records == before.records + 1 &&
		      after.anchored_records == before.anchored_records &&
		      after.anchored == before.tail && after.last_error == faults[i].error,
	      "it is pending");
	/* A slow TPM may still be at it. */
	for (int tries = 0; tries < 100; tries++) {
		tpm_behave(0, TPM_PROXY_NONE, 0);
		ret = anchor(fd, NULL);
		if (!ret)
			break;
	}
	check_is(ret, 0, "ANCHOR when the TPM is well again");
	check_is(replay(log, after.bank_count), (long long)after.records,
		 "the PCR is explained in every bank");
}

/* Any of the quick ones, time and again, with calls going on. */
static void test_random(int fd, const struct log *log)
{
	unsigned int failed = 0, unnamed = 0;
	struct assay_info before = get_info(fd), after;

	for (unsigned int i = 0; i < RANDOM_CALLS; i++) {
		struct assay_append request;

		tpm_behave(0, TPM_PROXY_FAIL + i % 3, 600);
		failed += append(fd, "faulty", "x", 1, &request) != 0;
		unnamed += request.recnum != before.records + i;
	}
	check(failed > 0 && failed < RANDOM_CALLS, "some calls fail, some do not");
	check_is(unnamed, 0, "each names its record");
	note("  %u of %d failed", failed, RANDOM_CALLS);
	tpm_behave(0, TPM_PROXY_NONE, 0);
	check_is(anchor(fd, NULL), 0, "ANCHOR");
	after = get_info(fd);
	check(after.records == before.records + RANDOM_CALLS &&
		      after.anchored_records == after.records && after.last_error == 0,
	      "every call made one record, and all are anchored");
	check_is(replay(log, after.bank_count), (long long)after.records,
		 "the PCR is explained in every bank");
}

int main(void)
{
	struct log log;
	int fd;

	load_assay("retry=0");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		test_fault(fd, &log, i);
	test_random(fd, &log);
	unmap_log(&log);
	close(fd);
	unload_assay();
	return tap_end();
}
