// SPDX-License-Identifier: MIT
/*
 * A PCR that changes while nothing fails: somebody else extends it, or the TPM is reset, and
 * every command succeeds. Needs run-guest --tpm-proxy. Loads and unloads the module.
 *
 * What must hold: with verify=each no call is told that its record is anchored when it is
 * not; with any verify= ANCHOR and TRIM notice; with verify=SECONDS it is noticed by
 * itself, soon; what has happened is said, in INFO and in the kernel's log; and what
 * was verified before is told.
 */
#define _GNU_SOURCE
#include <sys/klog.h>

#include "guest.h"

/* How often the kernel's log has said so. */
static unsigned int said(const char *text)
{
	static char log[1 << 18];
	unsigned int count = 0;
	int size = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);

	need(size > 0, "the kernel's log");
	log[size] = '\0';
	for (const char *at = log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

static void append_some(int fd, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		need(append(fd, "good", "x", 1, NULL) == 0, "APPEND");
}

static struct tlv digests_of(const struct log *log, uint64_t number)
{
	struct record record;

	need(get_record(log, number, &record), "record %llu", (unsigned long long)number);
	return record.digests;
}

/* What is done to the PCR of a log of three records, and how that is told. */
static void by_somebody_else(const struct log *log, const struct assay_info *info)
{
	tpm_extend(info->pcr, digests_of(log, 0), info);
}

/* The first bank, sha1, alone. */
static void in_one_bank(const struct log *log, const struct assay_info *info)
{
	tpm_extend_banks(info->pcr, digests_of(log, 0), info, 1);
}

static void by_a_reset(const struct log *log, const struct assay_info *info)
{
	(void)log, (void)info;
	tpm_reset();
}

/* As if a machine's state of then had been restored with its TPM's. */
static void by_an_older_state(const struct log *log, const struct assay_info *info)
{
	tpm_reset();
	tpm_extend(info->pcr, digests_of(log, 0), info);
	tpm_extend(info->pcr, digests_of(log, 1), info);
}

static const struct {
	const char *what;
	void (*happens)(const struct log *log, const struct assay_info *info);
	uint32_t state;
	const char *said;
} cases[] = {
	{ "somebody else's extend", by_somebody_else, ASSAY_PCR_EXTENDED,
	  "something else has extended it" },
	{ "an extend of one bank", in_one_bank, ASSAY_PCR_EXTENDED, "but not in the bank of sha1" },
	{ "a reset", by_a_reset, ASSAY_PCR_RESET, "the TPM was reset" },
	{ "an older state", by_an_older_state, ASSAY_PCR_ROLLED_BACK, "an older state of the TPM" },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void check_told(int fd, size_t i, unsigned int said_before, uint64_t verified)
{
	struct assay_info info = get_info(fd);

	check(info.last_error == -EUCLEAN, "INFO: the last error is EUCLEAN");
	check_is(info.pcr_state, cases[i].state, "INFO: what has happened");
	check_is((long long)info.verified_records, (long long)verified,
		 "INFO: what was verified before");
	check_is(said(cases[i].said), said_before + 1, "the kernel's log says it, once");
}

static int begin(const char *parameters, struct log *log)
{
	int fd;

	/* Each test begins with a PCR of zeros. */
	tpm_reset();
	load_assay(parameters);
	fd = open_assay(O_RDWR);
	*log = map_log(fd);
	append_some(fd, 2);
	return fd;
}

static void end(int fd, struct log *log)
{
	unmap_log(log);
	close(fd);
	unload_assay();
}

/* Of three records, all anchored, so many are verified. */
static struct assay_info check_verified(int fd, uint64_t verified, const char *what)
{
	struct assay_info info = get_info(fd);

	check(info.verified_records == verified && info.anchored_records == 3, "%s", what);
	return info;
}

/* No call is told that its record is anchored when it is not. */
static void test_each(size_t i)
{
	unsigned int before = said(cases[i].said);
	struct assay_anchor_request anchored;
	struct assay_append appended;
	struct assay_info info;
	struct log log;
	int fd = begin("verify=each retry=0", &log);

	info = check_verified(fd, 3, "verify=each: what is anchored is verified");
	cases[i].happens(&log, &info);
	check(append(fd, "bad", "x", 1, &appended) == -EUCLEAN && appended.recnum == 3,
	      "verify=each: APPEND after %s is -EUCLEAN, and names the record", cases[i].what);
	/* The extend was made on what the PCR held. */
	check_told(fd, i, before, 3);
	info = get_info(fd);
	check(info.anchored_records == 3 && info.records == 4, "the record is not called anchored");
	check(anchor(fd, &anchored) == -EUCLEAN && anchored.anchored_records == 3,
	      "ANCHOR is -EUCLEAN");
	check(append(fd, "bad", "x", 1, &appended) == -EUCLEAN &&
		      appended.recnum == ASSAY_RECNUM_NONE,
	      "so is the next APPEND, of which nothing is written");
	end(fd, &log);
}

/* ANCHOR reads in any case, and nothing was written. */
static void test_never(size_t i)
{
	unsigned int before = said(cases[i].said);
	struct assay_trim trim = { .keep = 1 };
	struct assay_info info;
	struct log log;
	int fd = begin("verify=0 retry=0", &log);

	info = check_verified(fd, 1, "verify=0: what was anchored since loading is not verified");
	check_is(anchor(fd, NULL), 0, "ANCHOR");
	check_is((long long)get_info(fd).verified_records, 3, "has it verified");
	cases[i].happens(&log, &info);
	check_is(call(fd, ASSAY_IOC_TRIM, &trim), -EUCLEAN, "TRIM is -EUCLEAN");
	check(log.header->head == 0 && get_info(fd).records == 3, "and has done nothing");
	check_told(fd, i, before, 3);
	end(fd, &log);
}

/* Records that were told to be anchored on something else: the reason is found all the same. */
static void test_later(size_t i)
{
	unsigned int before = said(cases[i].said);
	struct assay_info info;
	struct log log;
	int fd = begin("verify=0 retry=0", &log);

	need(anchor(fd, NULL) == 0, "ANCHOR");
	info = get_info(fd);
	cases[i].happens(&log, &info);
	append_some(fd, 4);
	check_is(anchor(fd, NULL), -EUCLEAN, "ANCHOR after more records is -EUCLEAN");
	check_told(fd, i, before, 3);
	check_is(replay(&log, info.bank_count), -2, "the PCR is not explained");
	end(fd, &log);
}

static bool has_verified(const struct assay_info *info)
{
	return info->verified_records == 3;
}

static bool has_failed(const struct assay_info *info)
{
	return info->last_error != 0;
}

/* Whether INFO comes to say so, within 20 seconds. */
static bool eventually(int fd, bool (*says)(const struct assay_info *info))
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (unsigned int tries = 0; tries < 400; tries++) {
		struct assay_info info = get_info(fd);

		if (says(&info))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* By itself, without a call, soon after a record. */
static void test_seconds(void)
{
	unsigned int before = said(cases[0].said);
	struct assay_info info;
	struct log log;
	int fd = begin("verify=1", &log);

	check(eventually(fd, has_verified), "verify=1: records are verified by themselves");
	info = get_info(fd);
	tpm_extend(info.pcr, digests_of(&log, 0), &info);
	/* Its extend may be read back, or not be yet. */
	append(fd, "bad", "x", 1, NULL);
	check(eventually(fd, has_failed), "and that the PCR is another's is noticed so");
	check_told(fd, 0, before, 3);
	end(fd, &log);
}

int main(void)
{
	for (size_t i = 0; i < CASES; i++) {
		note("%s", cases[i].what);
		test_each(i);
		test_never(i);
	}
	test_later(2);
	test_later(0);
	test_seconds();
	return tap_end();
}
