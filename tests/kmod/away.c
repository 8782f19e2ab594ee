// SPDX-License-Identifier: MIT
/*
 * A TPM that fails, comes late, or is used by somebody else: its driver is unbound and
 * bound again through sysfs, while the TPM itself goes on. Loads and unloads the module.
 *
 * What must hold all the time: what is pending is anchored in order, before anything
 * that comes later; nothing is extended twice; nothing is called anchored that is not; each
 * caller is told whether its record was written; a PCR that somebody else has extended is
 * noticed before the next record.
 */
#define _GNU_SOURCE
#include "guest.h"

/* What INFO must say: so many records, so many of them anchored, this last error. */
static void check_state(int fd, uint64_t records, uint64_t anchored, int error, const char *what)
{
	struct assay_info info = get_info(fd);
	bool good = info.records == records && info.anchored_records == anchored &&
		    (info.anchored == info.tail) == (records == anchored) &&
		    info.last_error == error;

	check(good, "%s: %llu records, %llu anchored, last error %d", what,
	      (unsigned long long)records, (unsigned long long)anchored, error);
	if (!good)
		note("  is %llu, %llu, %d", (unsigned long long)info.records,
		     (unsigned long long)info.anchored_records, info.last_error);
}

/* START of a log without a TPM: no values of the PCR, and a digest for every bank there may be. */
static void check_start(const struct log *log)
{
	static const uint16_t algs[] = { ASSAY_ALG_SHA1, ASSAY_ALG_SHA256, ASSAY_ALG_SHA384,
					 ASSAY_ALG_SHA512 };
	struct record start;
	unsigned int found = 0;

	need(get_record(log, 0, &start), "a first record");
	check(start.kind == ASSAY_KIND_START && !field(&start, ASSAY_FIELD_PCR_VALUES).value,
	      "it is START, without values of the PCR");
	for (unsigned int i = 0; i < 4; i++)
		found += find_tlv(start.digests.value, start.digests.size,
				  ASSAY_CEL_DIGEST_TYPE(algs[i]))
				 .size == digest_size(algs[i]);
	check_is(found, 4, "it has digests of all four algorithms");
}

/* The TPM record that says what a PCR held before the first of so many records. */
static void check_tpm_record(const struct log *log, uint64_t index)
{
	struct record record;
	struct tlv values, backlog;
	bool zero = true;

	need(get_record(log, index, &record), "record %llu", (unsigned long long)index);
	values = field(&record, ASSAY_FIELD_PCR_VALUES);
	backlog = field(&record, ASSAY_FIELD_BACKLOG);
	for (uint32_t i = 5; i < values.size && i < 5 + 20; i++)
		zero = zero && values.value[i] == 0;
	check(record.kind == ASSAY_KIND_TPM && values.value && zero && backlog.size == 8 &&
		      be(backlog.value, 8) == index,
	      "a TPM record: the PCR was zero before these %llu records",
	      (unsigned long long)index);
}

static void test_late(int fd)
{
	struct assay_measure_entry entry = { .fd = open("/bed/busybox", O_RDONLY) };
	struct assay_info info = get_info(fd);
	struct log log = map_log(fd);
	struct assay_anchor_request anchored;
	struct assay_measure measured;
	struct assay_append appended;
	struct record record;

	check(info.tail > 0 && info.anchored == 0 && info.bank_count == 0 &&
		      log.header->tail == info.tail && log.header->anchored == 0 &&
		      log.header->bank_count == 0,
	      "without a TPM the log starts, unanchored");
	check_state(fd, 1, 0, -ENODEV, "without a TPM");
	check_start(&log);
	check(append(fd, "early", "x", 1, &appended) == -ENODEV && appended.recnum == 1 &&
		      appended.offset == info.tail,
	      "APPEND without a TPM is -ENODEV, and names the record");
	check(measure(fd, 0, &entry, 1, &measured) == -ENODEV && measured.recnum == 2,
	      "so does MEASURE");
	check(anchor(fd, &anchored) == -ENODEV && anchored.anchored_records == 0 &&
		      anchored.anchored == 0,
	      "ANCHOR is -ENODEV, and says that nothing is");
	check_state(fd, 3, 0, -ENODEV, "both are written and pending");

	bind_tpm(true);
	check(anchor(fd, &anchored) == 0 && anchored.anchored_records == 4 &&
		      anchored.anchored == get_info(fd).tail,
	      "ANCHOR once the TPM is there");
	check_state(fd, 4, 4, 0, "all of it, and a record more");
	check_tpm_record(&log, 3);
	check_is(replay(&log, get_info(fd).bank_count), 4, "the PCR is explained in every bank");
	check_is(append(fd, "late", "x", 1, NULL), 0, "APPEND now");
	check(get_record(&log, 4, &record) && record.kind == ASSAY_KIND_EVENT,
	      "makes one record only");
	check_is(replay(&log, get_info(fd).bank_count), 5, "the PCR is explained in every bank");
	unmap_log(&log);
	close(entry.fd);
}

/* The TPM goes away under a call, and comes back without having extended. */
static void test_away(int fd)
{
	struct assay_measure_entry entry = { .fd = open("/bed/busybox", O_RDONLY) };
	long long failures = read_number(MISC "log/anchor_failures");
	struct log log = map_log(fd);
	struct assay_trim trim = { .keep = 1 };
	struct assay_append appended;
	struct assay_info pending;
	struct record record;

	bind_tpm(false);
	check(append(fd, "lost", "x", 1, &appended) == -ENODEV && appended.recnum == 5,
	      "APPEND while the TPM goes is -ENODEV, and names the record");
	check_state(fd, 6, 5, -ENODEV, "the record is written and pending");
	check(log.header->anchored < log.header->tail && log.header->records == 6 &&
		      log.header->anchored_records == 5,
	      "the mapped header says so too");
	pending = get_info(fd);
	check(append(fd, "more", "x", 1, &appended) == -ENODEV && appended.recnum == 6 &&
		      appended.offset == pending.tail,
	      "the next APPEND is -ENODEV, and is written, too");
	check_is(measure(fd, 0, &entry, 1, NULL), -ENODEV, "so is a MEASURE");
	check_is(call(fd, ASSAY_IOC_TRIM, &trim), -ENODEV, "so is a TRIM, but leaves no record");
	check_state(fd, 8, 5, -ENODEV, "three records are pending");
	check(get_info(fd).anchored == pending.anchored, "nothing is called anchored");
	check(read_number(MISC "log/anchor_failures") >= failures + 3 &&
		      read_number(MISC "log/last_error") == -ENODEV,
	      "sysfs: failures and last error");

	bind_tpm(true);
	check_is(append(fd, "back", "x", 1, NULL), 0, "APPEND once the TPM is back");
	check_state(fd, 9, 9, 0, "what was pending is anchored first");
	check(get_record(&log, 8, &record) && record.kind == ASSAY_KIND_EVENT,
	      "there is no second TPM record");
	check_is(replay(&log, get_info(fd).bank_count), 9, "the PCR is explained in every bank");
	unmap_log(&log);
	close(entry.fd);
}

/* Extends that failed for us had reached the TPM: they must not be sent again. */
static void test_reached(int fd, unsigned int pending, unsigned int reached)
{
	struct log log = map_log(fd);
	struct assay_info info;
	struct record record;

	bind_tpm(false);
	for (unsigned int i = 0; i < pending; i++)
		need(append(fd, "reached", "x", 1, NULL) == -ENODEV, "APPEND while the TPM goes");
	info = get_info(fd);
	bind_tpm(true);
	for (unsigned int i = 0; i < reached; i++) {
		need(get_record(&log, info.records - pending + i, &record), "a pending record");
		tpm_extend(info.pcr, record.digests, &info);
	}
	check_is(anchor(fd, NULL), 0, "ANCHOR after the TPM had some all the same");
	check_state(fd, info.records, info.records, 0, "all is anchored");
	check_is(replay(&log, info.bank_count), (long long)info.records,
		 "nothing was extended twice");
	note("  %u pending, %u of them in the PCR", pending, reached);
	unmap_log(&log);
}

/* Somebody else extends the PCR while a record is pending. */
static void test_stranger(int fd)
{
	struct assay_append appended;
	struct log log = map_log(fd);
	struct assay_info info;
	struct record record;

	bind_tpm(false);
	check_is(append(fd, "pending", "x", 1, NULL), -ENODEV, "APPEND while the TPM goes");
	info = get_info(fd);
	need(get_record(&log, 0, &record), "a record");
	bind_tpm(true);
	tpm_extend(info.pcr, record.digests, &info);
	check(append(fd, "no", "x", 1, &appended) == -EUCLEAN &&
		      appended.recnum == ASSAY_RECNUM_NONE,
	      "APPEND after somebody else extended the PCR is -EUCLEAN, and names no record");
	check_is(append(fd, "no", "x", 1, NULL), -EUCLEAN, "and stays so");
	check_is(anchor(fd, NULL), -EUCLEAN, "so is ANCHOR");
	check(get_info(fd).pcr_state == ASSAY_PCR_EXTENDED, "INFO says that it was extended");
	check(get_info(fd).tail == info.tail, "nothing was written");
	check_state(fd, info.records, info.anchored_records, -EUCLEAN,
		    "nothing is called anchored");
	unmap_log(&log);
}

/* Whether the log gets anchored without a call, within a minute. */
static bool gets_anchored(int fd)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; i < 1200; i++) {
		struct assay_info info = get_info(fd);

		if (info.anchored == info.tail && !info.last_error)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* What could not be anchored is, without a call, once the TPM is there. */
static void test_by_itself(void)
{
	struct assay_info info;
	struct record record;
	struct log log;
	int fd;

	bind_tpm(false);
	load_assay("retry=1");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	check_is(append(fd, "early", "x", 1, NULL), -ENODEV, "APPEND without a TPM");
	bind_tpm(true);
	check(gets_anchored(fd), "when the TPM comes, the log is anchored by itself");
	info = get_info(fd);
	check(info.records == 3 && get_record(&log, 2, &record) && record.kind == ASSAY_KIND_TPM,
	      "with a TPM record");
	check_is(replay(&log, info.bank_count), 3, "the PCR is explained in every bank");
	bind_tpm(false);
	check_is(append(fd, "lost", "x", 1, NULL), -ENODEV, "APPEND while the TPM goes");
	bind_tpm(true);
	check(gets_anchored(fd), "when it is back, likewise");
	check_is(replay(&log, info.bank_count), 4, "the PCR is explained in every bank");
	unmap_log(&log);
	close(fd);
	unload_assay();
}

/* A new log begins with what the PCR holds. */
static void test_again(void)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct record start;
	struct tlv values;
	bool zero = true;

	check_state(fd, 1, 1, 0, "after loading again");
	need(get_record(&log, 0, &start), "START");
	values = field(&start, ASSAY_FIELD_PCR_VALUES);
	need(values.value, "the PCR's values in START");
	for (uint32_t i = 5; i < values.size && i < 5 + 20; i++)
		zero = zero && values.value[i] == 0;
	check(!zero, "START notes that the PCR was not zero");
	check_is(append(fd, "again", "x", 1, NULL), 0, "APPEND works again");
	check_is(replay(&log, get_info(fd).bank_count), 2, "the PCR is explained in every bank");
	unmap_log(&log);
	close(fd);
}

int main(void)
{
	int fd;

	bind_tpm(false);
	load_assay("retry=0");
	fd = open_assay(O_RDWR);
	test_late(fd);
	test_away(fd);
	test_reached(fd, 1, 1);
	test_reached(fd, 3, 0);
	test_reached(fd, 3, 2);
	test_reached(fd, 3, 3);
	test_stranger(fd);
	close(fd);
	unload_assay();
	load_assay("");
	test_again();
	unload_assay();
	test_by_itself();
	return tap_end();
}
