// SPDX-License-Identifier: MIT
/* How long archives are kept. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/archive_current.h"
#include "assayd/archiver_keep.h"
#include "log_builder.h"

#define OLD "11111111-0001-4002-8003-010203040506"
#define OWN "22222222-0001-4002-8003-010203040506"

/* Files of one record each, from number @from on. */
static void add_files(const char *boot_id, enum archive_stream stream, uint64_t from,
		      uint64_t until)
{
	struct archive_writer *writer;
	struct assay_error err;
	char path[100];

	snprintf(path, sizeof(path), "root/%s", boot_id);
	if (archive_writer_open(path, stream, boot_id, &writer, &err) < 0)
		fail_msg("%s", err.text);
	for (uint64_t i = from; i < until; i++) {
		struct buffer bytes = { 0 };
		struct archive_batch batch = { .first = i, .count = 1, .offset = i * 1000 };

		if (stream == ARCHIVE_LOG) {
			struct buffer value = { 0 };
			struct log_builder builder;

			log_builder_begin(&builder);
			builder.recnum = i;
			put_event(&value, "test", BYTES(NULL, 0));
			log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
			buffer_append_bytes(&bytes, buffer_bytes(&builder.log));
			log_builder_free(&builder);
			buffer_free(&value);
		} else {
			static const uint8_t entry[4 + 20 + 4 + 6 + 4] =
				"\12\0\0\0xxxxxxxxxxxxxxxxxxxx\6\0\0\0ima-ng\0\0\0";

			buffer_append(&bytes, entry, sizeof(entry));
			batch.bank = ASSAY_HASH_SHA1;
		}
		batch.bytes = buffer_bytes(&bytes);
		if (archive_write(writer, &batch, &err) < 0)
			fail_msg("%s", err.text);
		buffer_free(&bytes);
	}
	archive_writer_close(writer);
}

/* Three of them. */
static void make_stream(const char *boot_id, enum archive_stream stream)
{
	add_files(boot_id, stream, 0, 3);
}

static void make_archives(void)
{
	assert_int_equal(support_run("rm -rf root && mkdir root"), 0);
	make_stream(OLD, ARCHIVE_LOG);
	make_stream(OWN, ARCHIVE_LOG);
	make_stream(OWN, ARCHIVE_IMA);
}

static size_t count_files(const char *pattern)
{
	char *text = support_output("ls -d root/%s 2>/dev/null | wc -l", pattern);
	size_t count = (size_t)(text[0] - '0');

	free(text);
	return count;
}

/* Steps that it took the last time. */
static size_t keep_steps;

static struct keep_result keep(const struct keep_rules *rules)
{
	struct keep_result result;
	struct keeping *keeping;
	struct assay_error err;
	int r = keeping_begin("root", rules, &keeping, &err);

	if (r < 0)
		fail_msg("%s", err.text);
	keep_steps = 0;
	while ((r = keeping_step(keeping, &err)) > 0)
		keep_steps++;
	if (r < 0)
		fail_msg("%s", err.text);
	result = *keeping_result(keeping);
	keeping_end(keeping);
	return result;
}

/* A time far behind the files', which are of now. */
#define LATER UINT64_C(9999999999)

static void test_what_is_kept(void **state)
{
	static const struct {
		const char *name;
		struct keep_rules rules;
		uint64_t acknowledged; /* of this boot's log */
		size_t old, log, ima;  /* files that stay */
		bool over;
	} rows[] = {
		{ "all without limits", { .boot_id = OWN, .now = LATER }, 3, 3, 3, 3, false },
		{ "all that nobody has seen",
		  { .size = 1, .age = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER },
		  0,
		  3,
		  3,
		  3,
		  true },
		{ "what was seen goes, but for the newest",
		  { .size = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER },
		  3,
		  3,
		  1,
		  3,
		  true },
		{ "only what was seen goes",
		  { .size = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER },
		  1,
		  3,
		  2,
		  3,
		  true },
		{ "what a verifier says to have seen of what is not written yet stays as well",
		  { .size = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER },
		  INT64_MAX,
		  3,
		  1,
		  3,
		  true },
		{ "all of other boots, if told",
		  { .size = 1, .boot_id = OWN, .now = LATER },
		  0,
		  0,
		  1,
		  3,
		  true },
		{ "what is old goes, if told",
		  { .age = 1000, .boot_id = OWN, .now = LATER },
		  0,
		  0,
		  1,
		  3,
		  false },
		{ "what is not old stays",
		  { .age = LATER, .boot_id = OWN, .now = LATER },
		  0,
		  3,
		  3,
		  3,
		  false },
		{ "with a clock that was set back nothing is old",
		  { .age = 1, .boot_id = OWN, .now = 1000 },
		  0,
		  3,
		  3,
		  3,
		  false },
		{ "with room enough nothing goes",
		  { .size = 1U << 20, .boot_id = OWN, .now = LATER },
		  0,
		  3,
		  3,
		  3,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keep_result result;
		struct assay_error err;

		make_archives();
		assert_int_equal(
			archive_acknowledge("root/" OWN, ARCHIVE_LOG, rows[i].acknowledged, &err),
			0);
		result = keep(&rows[i].rules);
		if (count_files(OLD "/*.zst") != rows[i].old ||
		    count_files(OWN "/*.cel.zst") != rows[i].log ||
		    count_files(OWN "/*.ima.zst") != rows[i].ima ||
		    (result.over > 0) != rows[i].over ||
		    result.files != rows[i].old + rows[i].log + rows[i].ima ||
		    result.removed != 9 - result.files)
			fail_msg("%s: %zu %zu %zu", rows[i].name, count_files(OLD "/*.zst"),
				 count_files(OWN "/*.cel.zst"), count_files(OWN "/*.ima.zst"));
		/* What is empty is gone as well. */
		assert_int_equal(count_files(OLD), rows[i].old > 0);
	}
}

/* The module was loaded again: the log's archive is another one, IMA's list goes on. */
static void test_each_stream_is_acknowledged_where_it_is(void **state)
{
	struct archive_current current;
	struct assay_error err;

	(void)state;
	make_archives();
	assert_int_equal(archiver_acknowledge("root", OWN, "root/" OLD, 1, 2, &err), 0);
	assert_int_equal(archive_current_read("root/" OLD, &current, &err), 0);
	assert_int_equal(current.streams[ARCHIVE_LOG].acknowledged, 1);
	assert_int_equal(current.streams[ARCHIVE_IMA].acknowledged, 0);
	assert_int_equal(archive_current_read("root/" OWN, &current, &err), 0);
	assert_int_equal(current.streams[ARCHIVE_LOG].acknowledged, 0);
	assert_int_equal(current.streams[ARCHIVE_IMA].acknowledged, 2);
	assert_int_equal(archiver_acknowledge("root", "none", NULL, 1, 2, &err), 0);
}

/* A verifier that says to have seen what does not exist has not seen what comes. */
static void test_what_is_acknowledged_is_archived(void **state)
{
	struct keep_rules rules = {
		.size = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER
	};
	struct archive_current current;
	struct assay_error err;

	(void)state;
	make_archives();
	assert_int_equal(archive_acknowledge("root/" OWN, ARCHIVE_LOG, 1, &err), 0);
	for (uint64_t said = 4; said != 0; said = said == 4 ? INT64_MAX : 0) {
		assert_int_equal(archive_acknowledge("root/" OWN, ARCHIVE_LOG, said, &err), 0);
		if (archive_current_read("root/" OWN, &current, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(current.streams[ARCHIVE_LOG].acknowledged, 3);
		assert_int_equal(current.streams[ARCHIVE_IMA].acknowledged, 0);
	}
	add_files(OWN, ARCHIVE_LOG, 3, 5);
	keep(&rules);
	assert_int_equal(count_files(OWN "/*.cel.zst"), 2);
}

/* A directory goes with its last file, but not what is in there that nobody can have seen. */
static void test_what_cannot_be_read_stays(void **state)
{
	struct keep_rules rules = {
		.size = 1, .unacknowledged = true, .boot_id = OWN, .now = LATER
	};
	/* The version, behind the frame's head and the magic number. */
	static const struct {
		const char *name, *change;
	} rows[] = {
		{ "of a newer program",
		  "printf '\\0\\0\\0\\11' | dd of=root/" OLD "/000003.cel.zst bs=1 "
		  "seek=$(grep -obUaP '\\x00\\x00\\x00\\x01' root/" OLD
		  "/000003.cel.zst | head -1 | cut -d: -f1) conv=notrunc 2>dd" },
		{ "damaged",
		  "printf x | dd of=root/" OLD "/000003.cel.zst bs=1 conv=notrunc 2>dd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err;

		make_archives();
		assert_int_equal(archive_acknowledge("root/" OLD, ARCHIVE_LOG, 2, &err), 0);
		if (support_run(rows[i].change) != 0)
			fail_msg("%s: cannot be made", rows[i].name);
		rules.unacknowledged = true;
		keep(&rules);
		if (count_files(OLD "/000003.cel.zst") != 1 || count_files(OLD "/*.zst") != 2)
			fail_msg("%s: %zu", rows[i].name, count_files(OLD "/*.zst"));
		rules.unacknowledged = false;
		keep(&rules);
		assert_int_equal(count_files(OLD), 0);
	}
}

/* A device that starts often has more archives than a process may open files. */
static void test_many_boots(void **state)
{
	struct keep_rules rules = { .size = 1, .boot_id = OWN, .now = LATER };
	struct keep_result result;
	struct rlimit before, few;

	(void)state;
	make_archives();
	assert_int_equal(support_run("for i in $(seq 100); do cp -r root/" OLD
				     " root/$(printf 33333333-0001-4002-8003-%%012d $i) || exit; "
				     "done"),
			 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ 64, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	result = keep(&rules);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result.removed, 101 * 3 + 2);
	assert_int_equal(result.files, 4);
	assert_int_equal(count_files("[13]*"), 0);
}

/* What takes long is done in many steps: some headers, or one file less, at a time. */
static void test_steps_are_small(void **state)
{
	struct keep_rules rules = { .size = 1, .boot_id = OWN, .now = LATER };
	struct keep_result result;

	(void)state;
	assert_int_equal(support_run("rm -rf root && mkdir root"), 0);
	add_files(OLD, ARCHIVE_LOG, 0, 500);
	result = keep(&rules);
	assert_int_equal(result.removed, 500);
	/* 500 headers by 64, the directory, counting, each file, and seeing that there is no more.
	 */
	assert_true(keep_steps >= 500 + 8);
	assert_int_equal(count_files(OLD), 0);
}

/* A disk that is full has no room for a word of what is removed, until something is. */
static void test_full_disk(void **state)
{
	struct keep_rules rules = { .size = 1, .boot_id = OWN, .now = LATER };
	struct keep_result result;
	struct archive_current current;
	struct assay_error err;

	(void)state;
	assert_int_equal(support_run("rm -rf root && mkdir root"), 0);
	/* In a mount of this process alone. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "root", "tmpfs", 0, "size=256k") < 0)
		skip();
	make_stream(OLD, ARCHIVE_LOG);
	make_stream(OWN, ARCHIVE_LOG);
	assert_int_not_equal(support_run("head -c 1M /dev/zero >root/full 2>&1"), 0);
	result = keep(&rules);
	assert_int_equal(result.removed, 3 + 2);
	assert_int_equal(count_files(OLD), 0);
	assert_int_equal(count_files(OWN "/*.zst"), 1);
	assert_int_equal(archive_current_read("root/" OWN, &current, &err), 0);
	assert_int_equal(current.streams[ARCHIVE_LOG].oldest, 3);
	assert_int_equal(support_run("umount root"), 0);
}

static void test_what_is_no_archive_stays(void **state)
{
	struct keep_rules rules = { .size = 1, .boot_id = OWN, .now = LATER };

	(void)state;
	make_archives();
	assert_int_equal(support_run("mkdir root/others && touch root/others/000001.cel.zst "
				     "root/" OLD "/notes root/file"),
			 0);
	keep(&rules);
	assert_int_equal(count_files("others/000001.cel.zst"), 1);
	assert_int_equal(count_files("file"), 1);
	/* The directory stays with what no writer of archives made. */
	assert_int_equal(count_files(OLD "/*"), 1);
	assert_int_equal(count_files(OLD "/notes"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_each_stream_is_acknowledged_where_it_is),
		cmocka_unit_test(test_what_is_acknowledged_is_archived),
		cmocka_unit_test(test_what_cannot_be_read_stays),
		cmocka_unit_test(test_many_boots),
		cmocka_unit_test(test_steps_are_small),
		cmocka_unit_test(test_what_is_no_archive_stays),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
