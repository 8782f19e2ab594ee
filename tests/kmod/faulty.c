// SPDX-License-Identifier: MIT
/*
 * A TPM that answers with errors or noise, that is busy or slow, whether or not it has
 * extended: the caller is told, the record is pending, nothing is extended twice, and when
 * the TPM is well again everything is anchored in order. A full log can be cut in the end
 * however often that was tried. Loads and unloads the module.
 */
#define _GNU_SOURCE
#include "guest.h"

#define RANDOM_CALLS 60
#define TRIMS_IN_VAIN 20
#define LARGE_ONES 5

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

/* Until there is no room for the least, with what is small at the head. */
static void fill(int fd)
{
	static uint8_t data[ASSAY_MAX_EVENT];

	for (size_t size = sizeof(data); size > 0; size /= 8) {
		int ret;

		do
			ret = append(fd, "fill", data, size, NULL);
		while (!ret);
		need(ret == -ENOSPC, "fill the log");
	}
}

static int trim(int fd, uint64_t keep, struct assay_trim *request)
{
	*request = (struct assay_trim){ .keep = keep };
	return call(fd, ASSAY_IOC_TRIM, request);
}

static void test_trim(int fd, const struct log *log)
{
	struct assay_info before, after;
	/* Above it are the largest records, of which a few fill a chunk. */
	uint64_t head = log->header->head_recnum, keep = get_info(fd).records + LARGE_ONES;
	unsigned int others = 0;
	struct assay_trim request;
	int ret = 0;

	fill(fd);
	for (unsigned int i = 0; !ret && i < TRIMS_IN_VAIN; i++)
		ret = trim(fd, head + 1 + i, &request);
	check(ret == -ENOSPC && request.recnum == ASSAY_RECNUM_NONE,
	      "cuts that give no memory back do not take the room that is kept for one that does");
	before = get_info(fd);
	for (unsigned int i = 0; i < TRIMS_IN_VAIN; i++) {
		tpm_behave(0, TPM_PROXY_FAIL + i % 3, 1000);
		ret = trim(fd, keep, &request);
		/* Once it turns out to be extended, the TRIM is done. */
		if (!ret)
			break;
		others += ret != -EIO || request.recnum != before.records;
	}
	after = get_info(fd);
	check(others == 0 && after.records == before.records + 1,
	      "a TRIM that cannot be anchored is one record, however often it is tried");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	if (ret)
		ret = trim(fd, keep, &request);
	after = get_info(fd);
	check(!ret && request.recnum == before.records && request.offset == before.tail &&
		      after.head == request.head && log->header->head_recnum == keep &&
		      after.records == before.records + 1 && after.anchored == after.tail,
	      "it cuts when the TPM is well again");
	check_is(replay(log, after.bank_count), (long long)after.records,
		 "the PCR is explained from the cut on");
	fill(fd);

	keep += LARGE_ONES;
	tpm_behave(0, TPM_PROXY_FAIL, 1000);
	check_is(trim(fd, keep, &request), -EIO, "another TRIM fails");
	check_is(append(fd, "full", "x", 1, NULL), -ENOSPC, "it leaves the log full");
	check(log->header->head_recnum < keep, "it cuts nothing");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	check_is(trim(fd, UINT64_MAX, &request), -EINVAL, "the next one is for no record");
	check(log->header->head_recnum == keep && request.recnum == ASSAY_RECNUM_NONE,
	      "all the same it goes on with what failed");
	check_is(append(fd, "room", "x", 1, NULL), 0, "there is room again");
	after = get_info(fd);
	check_is(replay(log, after.bank_count), (long long)after.records, "the PCR is explained");

	tpm_behave(0, TPM_PROXY_FAIL, 1000);
	check_is(trim(fd, keep + 1, &request), -EIO, "a third TRIM fails");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	check(!anchor(fd, NULL) && log->header->head_recnum == keep + 1, "ANCHOR has it done");
	check_is(append(fd, "room", "x", 1, NULL), 0, "records go on");

	after = get_info(fd);
	keep++;
	tpm_behave(0, TPM_PROXY_FAIL, 1000);
	check_is(trim(fd, keep + 1, &request), -EIO, "a fourth TRIM fails");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	check(!trim(fd, keep + 2, &request) && request.recnum == after.records + 1 &&
		      log->header->head_recnum == keep + 2,
	      "one for a later record does both");
	after = get_info(fd);
	check_is(replay(log, after.bank_count), (long long)after.records, "the PCR is explained");
}

/* What a TRIM has left pending is anchored like anything else. */
static void test_trim_retry(int fd, const struct log *log)
{
	uint64_t keep = log->header->head_recnum + 1;
	struct assay_trim request;
	struct assay_info info;

	need(append(fd, "retry", "x", 1, NULL) == 0, "append");
	tpm_behave(0, TPM_PROXY_FAIL, 1000);
	check_is(trim(fd, keep, &request), -EIO, "a TRIM fails");
	tpm_behave(0, TPM_PROXY_NONE, 0);
	for (int tries = 0; tries < 100 && get_info(fd).anchored_records <= request.recnum; tries++)
		usleep(100 * 1000);
	for (int tries = 0; tries < 100 && log->header->head_recnum != keep; tries++)
		usleep(10 * 1000);
	info = get_info(fd);
	check(info.anchored == info.tail && log->header->head_recnum == keep,
	      "its record is anchored without a call, and the log is cut");
	check_is(trim(fd, keep, &request), -ENODATA, "there is nothing left to cut");
	check_is((long long)replay(log, info.bank_count), (long long)info.records,
		 "the PCR is explained");
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
	test_trim(fd, &log);
	unmap_log(&log);
	close(fd);
	unload_assay();

	load_assay("retry=1");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	test_trim_retry(fd, &log);
	unmap_log(&log);
	close(fd);
	unload_assay();
	return tap_end();
}
