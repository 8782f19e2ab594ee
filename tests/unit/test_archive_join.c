// SPDX-License-Identifier: MIT
/* The archive and the ring as one log, and the archive replayed. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive_join.h"
#include "archive/archive_replay.h"
#include "archive/archive_writer.h"
#include "log_builder.h"

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"
#define RECORDS 20

/* A log: where each record begins, and what the PCR was before it. */
static struct buffer whole;
static size_t begins[RECORDS + 1];
static struct assay_digest values[RECORDS + 1][LOG_BUILDER_BANKS];

/* @trim_at: this record is a TRIM that says that what is before @trim_to was cut off; 0: none */
static void build_log(size_t trim_at, size_t trim_to, bool lie)
{
	struct log_builder builder;

	log_builder_begin(&builder);
	for (size_t i = 0; i < RECORDS; i++) {
		struct buffer value = { 0 };
		struct bytes gone = BYTES(builder.log.data, trim_to ? begins[trim_to] : 0);

		begins[i] = builder.log.size;
		memcpy(values[i], builder.value, sizeof(values[i]));
		if (i == 0)
			put_start(&value, builder.value, LOG_BUILDER_BANKS);
		else if (trim_at > 0 && i == trim_at && lie)
			put_trim(&value, trim_to, begins[trim_to], BYTES(gone.data + 1, gone.size),
				 values[trim_to], LOG_BUILDER_BANKS);
		else if (trim_at > 0 && i == trim_at)
			put_trim(&value, trim_to, begins[trim_to], gone, values[trim_to],
				 LOG_BUILDER_BANKS);
		else
			put_event(&value, "test", BYTES((const uint8_t *)begins, i * 5));
		log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		buffer_free(&value);
	}
	begins[RECORDS] = builder.log.size;
	memcpy(values[RECORDS], builder.value, sizeof(values[RECORDS]));
	buffer_free(&whole);
	whole = builder.log;
	builder.log = (struct buffer){ 0 };
	log_builder_free(&builder);
}

/* Files of five records each, from record @from to before @to. */
static struct archive *make_archive(const char *path, size_t from, size_t to)
{
	struct archive_writer *writer;
	struct archive *archive;
	struct assay_error err;

	assert_int_equal(support_run("rm -rf %s", path), 0);
	if (archive_writer_open(path, ARCHIVE_LOG, BOOT, &writer, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = from; i < to; i += 5) {
		size_t end = i + 5 < to ? i + 5 : to;
		struct archive_batch batch = {
			.bytes = BYTES(whole.data + begins[i], begins[end] - begins[i]),
			.first = i,
			.count = end - i,
			.offset = begins[i],
			.start = values[i],
			.start_count = LOG_BUILDER_BANKS,
		};

		if (archive_write(writer, &batch, &err) < 0)
			fail_msg("%s", err.text);
	}
	archive_writer_close(writer);
	assert_int_equal(archive_open(path, &archive, &err), 0);
	return archive;
}

/* What the ring has: records from @from on. */
static struct device_log_copy make_ring(size_t from)
{
	struct device_log_copy copy = { 0 };

	copy.header.head = begins[from];
	copy.header.head_recnum = from;
	copy.header.records = copy.header.anchored_records = RECORDS;
	copy.header.tail = copy.header.anchored = begins[RECORDS];
	copy.header.bank_count = LOG_BUILDER_BANKS;
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		copy.header.banks[i].alg = (uint16_t)values[from][i].hash;
		copy.header.banks[i].size = (uint16_t)values[from][i].size;
		memcpy(copy.header.banks[i].start, values[from][i].bytes, values[from][i].size);
	}
	archive_boot_id_parse(BOOT, copy.header.boot_id);
	buffer_append(&copy.cel, whole.data + begins[from], begins[RECORDS] - begins[from]);
	return copy;
}

/* @copy is the log from record @from on, and says so. */
static void assert_log_from(const struct device_log_copy *copy, size_t from)
{
	assert_int_equal(copy->header.head_recnum, from);
	assert_int_equal(copy->header.head, begins[from]);
	assert_int_equal(copy->cel.size, whole.size - begins[from]);
	assert_memory_equal(copy->cel.data, whole.data + begins[from], copy->cel.size);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		assert_memory_equal(copy->header.banks[i].start, values[from][i].bytes,
				    values[from][i].size);
}

/* However far the archive and the ring overlap, and whatever is wanted. */
static void test_archive_and_ring_are_one_log(void **state)
{
	(void)state;
	build_log(0, 0, false);
	for (size_t end = 5; end <= RECORDS; end += 5) {
		struct archive *archive = make_archive("join", 0, end);

		for (size_t head = 0; head <= end && head < RECORDS; head++) {
			for (uint64_t from = 0; from < RECORDS; from += 3) {
				struct device_log_copy copy = make_ring(head);
				struct assay_error err;
				size_t begin = from >= head	   ? head :
					       from / 5 * 5 < head ? from / 5 * 5 :
								     head;

				if (archive_join(archive, from, &copy, &err) < 0)
					fail_msg("%s", err.text);
				assert_log_from(&copy, begin);
				buffer_free(&copy.cel);
			}
		}
		archive_close(archive);
	}
}

static void test_what_does_not_join_is_told(void **state)
{
	struct archive *archive;
	struct device_log_copy copy;
	struct assay_error err;

	(void)state;
	build_log(0, 0, false);
	archive = make_archive("apart", 0, 10);
	/* Records 10 and 11 are in neither. */
	copy = make_ring(12);
	assert_int_equal(archive_join(archive, 0, &copy, &err), -ENODATA);
	support_assert_error(&err, "records 10 to 11 are neither in apart nor in the log");
	assert_log_from(&copy, 12);
	buffer_free(&copy.cel);
	/* Another log's ring, of the same sizes. */
	copy = make_ring(8);
	copy.cel.data[begins[9] - begins[8] - 1] ^= 1;
	assert_int_equal(archive_join(archive, 0, &copy, &err), -EBADMSG);
	support_assert_error(&err, "the archive of another log");
	buffer_free(&copy.cel);
	/* A ring that ends before the archive does. */
	copy = make_ring(2);
	copy.header.records = 6;
	copy.cel.size = begins[6] - begins[2];
	assert_int_equal(archive_join(archive, 0, &copy, &err), -EBADMSG);
	buffer_free(&copy.cel);
	archive_close(archive);
}

static void test_a_boots_archive_is_found(void **state)
{
	struct device_log_copy copy;
	struct assay_error err;

	(void)state;
	build_log(0, 0, false);
	assert_int_equal(support_run("rm -rf root && mkdir root"), 0);
	copy = make_ring(8);
	assert_int_equal(archive_join_boot("root", 0, &copy, &err), -ENOENT);
	archive_close(make_archive("root/" BOOT, 0, 10));
	assert_int_equal(archive_join_boot("root", 0, &copy, &err), 0);
	assert_log_from(&copy, 0);
	buffer_free(&copy.cel);
	/* A log that was begun anew: its archive is the second one. */
	assert_int_equal(support_run("mv root/" BOOT " root/" BOOT ".1"), 0);
	build_log(7, 4, false);
	archive_close(make_archive("root/" BOOT, 0, 10));
	build_log(0, 0, false);
	copy = make_ring(8);
	assert_int_equal(archive_join_boot("root", 0, &copy, &err), 0);
	assert_log_from(&copy, 0);
	buffer_free(&copy.cel);
	/* So it is where the directory is given, as the service gives it. */
	copy = make_ring(8);
	if (archive_join_path("root/" BOOT, 0, &copy, &err) < 0)
		fail_msg("%s", err.text);
	assert_log_from(&copy, 0);
	buffer_free(&copy.cel);
	/* Also where nothing can be read of the old one, and where that has a gap. */
	assert_int_equal(support_run("cp -a root/" BOOT " old && rm root/" BOOT "/000001.cel.zst"),
			 0);
	copy = make_ring(8);
	if (archive_join_path("root/" BOOT, 0, &copy, &err) < 0)
		fail_msg("%s", err.text);
	assert_log_from(&copy, 0);
	buffer_free(&copy.cel);
	assert_int_equal(support_run("rm -f root/" BOOT "/*"), 0);
	copy = make_ring(8);
	if (archive_join_path("root/" BOOT, 0, &copy, &err) < 0)
		fail_msg("%s", err.text);
	assert_log_from(&copy, 0);
	buffer_free(&copy.cel);
	assert_int_equal(support_run("rm -r root/" BOOT " && mv old root/" BOOT), 0);
	assert_int_equal(support_run("rm -r root/" BOOT ".1"), 0);
	copy = make_ring(8);
	assert_int_equal(archive_join_path("root/" BOOT, 0, &copy, &err), -EBADMSG);
	support_assert_error(&err, "the archive of another log");
	assert_log_from(&copy, 8);
	buffer_free(&copy.cel);
}

static void test_replay_compares_what_was_cut(void **state)
{
	static const struct {
		bool lie;
		size_t from; /* the archive begins with */
		size_t problems;
		uint64_t compared;
	} rows[] = {
		{ false, 0, 0, 1 },
		{ true, 0, 1, 1 },
		/* What was cut off began before the archive does. */
		{ false, 5, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_replayed replayed;
		struct archive *archive;
		struct assay_error err;
		size_t count;

		build_log(15, 8, rows[i].lie);
		archive = make_archive("cut", rows[i].from, RECORDS);
		if (archive_replay(archive, &replayed, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(replayed.records, RECORDS - rows[i].from);
		assert_int_equal(replayed.trims, 1);
		assert_int_equal(replayed.trims_compared, rows[i].compared);
		archive_problems(archive, &count);
		assert_int_equal(count, rows[i].problems);
		archive_close(archive);
	}
}

static void test_replay_compares_values_and_digests(void **state)
{
	const struct archive_problem *problems;
	struct archive_replayed replayed;
	struct archive *archive;
	struct assay_error err;
	size_t count;

	(void)state;
	/* The PCR before the second file is not what the first makes of it. */
	build_log(0, 0, false);
	values[5][1].bytes[0] ^= 1;
	archive = make_archive("values", 0, RECORDS);
	assert_int_equal(archive_replay(archive, &replayed, &err), 0);
	problems = archive_problems(archive, &count);
	/* And what it says makes not what the third says. */
	assert_int_equal(count, 2);
	assert_non_null(strstr(problems[0].text, "000002.cel.zst: the PCR was not before it"));
	archive_close(archive);
	/* A record whose content was changed, in an archive that is made of it. */
	build_log(0, 0, false);
	whole.data[begins[8] - 1] ^= 1;
	archive = make_archive("content", 0, RECORDS);
	assert_int_equal(archive_replay(archive, &replayed, &err), 0);
	problems = archive_problems(archive, &count);
	assert_int_equal(count, 1);
	assert_non_null(
		strstr(problems[0].text, "the digest of record 7 is not that of its content"));
	archive_close(archive);
}

static int leave(void **state)
{
	buffer_free(&whole);
	return support_leave_directory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_archive_and_ring_are_one_log),
		cmocka_unit_test(test_what_does_not_join_is_told),
		cmocka_unit_test(test_a_boots_archive_is_found),
		cmocka_unit_test(test_replay_compares_what_was_cut),
		cmocka_unit_test(test_replay_compares_values_and_digests),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, leave);
}
