// SPDX-License-Identifier: MIT
/* A boot's archive on disk: written, read, gone on with, and everything that can be off with it. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_reader.h"
#include "archive/archive_writer.h"
#include "log_builder.h"

#define BOOT "6b1d3e20-0001-4002-8003-010203040506"
#define BOOT_AFTER "7c1d3e20-0001-4002-8003-010203040506"

/* ---------------------------------------------------------------- what is archived */

/* A log of records of events, and where each begins. */
#define RECORDS 30
static struct buffer whole;
static size_t begins[RECORDS + 1];

/* Of tests/data, absolute: the tests run in a directory of their own. */
static char data_directory[PATH_MAX];

static int begin_log(void **state)
{
	struct log_builder builder;

	if (!realpath("tests/data", data_directory))
		return -1;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	begins[0] = 0;
	/* The sample's three are one part here: parts are cut between whole records. */
	for (size_t i = 1; i < RECORDS; i++) {
		struct buffer value = { 0 };
		uint8_t data[200];

		begins[i] = builder.log.size;
		support_fill(data, sizeof(data), (uint32_t)i);
		put_event(&value, "test", BYTES(data, i * 6));
		log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		buffer_free(&value);
	}
	begins[RECORDS] = builder.log.size;
	whole = builder.log;
	builder.log = (struct buffer){ 0 };
	log_builder_free(&builder);
	return support_enter_directory(state);
}

static int end_log(void **state)
{
	buffer_free(&whole);
	return support_leave_directory(state);
}

/* Records 0 to 2 are the part 0, record n + 2 the part n. */
static uint64_t record_of(size_t part)
{
	return part == 0 ? 0 : part + 2;
}

static struct archive_batch parts(size_t from, size_t to)
{
	return (struct archive_batch){
		.bytes = BYTES(whole.data + begins[from], begins[to] - begins[from]),
		.first = record_of(from),
		.count = record_of(to) - record_of(from),
		.offset = begins[from],
	};
}

static int write_parts(struct archive_writer *writer, size_t from, size_t to,
		       struct assay_error *err)
{
	struct archive_batch batch = parts(from, to);

	return archive_write(writer, &batch, err);
}

static struct archive_writer *open_writer(const char *path)
{
	struct archive_writer *writer;
	struct assay_error err;

	if (archive_writer_open(path, ARCHIVE_LOG, BOOT, &writer, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

/* An archive of three files: parts 0 to 9, 10 to 19, 20 to 29. */
static void make_archive(const char *path)
{
	struct archive_writer *writer = open_writer(path);
	struct assay_error err;

	assert_true(archive_writer_is_empty(writer));
	for (size_t i = 0; i < RECORDS; i += 10)
		if (write_parts(writer, i, i + 10, &err) < 0)
			fail_msg("%s", err.text);
	assert_int_equal(archive_writer_next(writer), record_of(RECORDS));
	assert_int_equal(archive_writer_offset(writer), begins[RECORDS]);
	archive_writer_close(writer);
}

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	(void)err;
	buffer_append_bytes(context, bytes);
	return 0;
}

static int read_from(const char *path, uint64_t from, struct buffer *out, struct assay_error *err)
{
	struct archive *archive;
	int r = archive_open(path, &archive, err);

	if (r < 0)
		return r;
	r = archive_read(archive, ARCHIVE_LOG, from, collect, out, err);
	archive_close(archive);
	return r;
}

/* From each record on, the archive holds what the log does. */
static void assert_whole(const char *path)
{
	for (size_t part = 0; part <= RECORDS; part++) {
		struct buffer out = { 0 };
		struct assay_error err;

		if (read_from(path, record_of(part), &out, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(out.size, whole.size - begins[part]);
		if (out.size > 0)
			assert_memory_equal(out.data, whole.data + begins[part], out.size);
		buffer_free(&out);
	}
}

/* All problems, one a line, and which kinds they are. */
static unsigned int problems_of(const char *path, char *text, size_t size)
{
	const struct archive_problem *problems;
	struct archive *archive;
	struct assay_error err;
	unsigned int kinds = 0;
	size_t count;

	if (archive_open(path, &archive, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(archive_check(archive, ARCHIVE_LOG, NULL, &err), 0);
	problems = archive_problems(archive, &count);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(text);

		kinds |= 1U << problems[i].fault;
		snprintf(text + used, size - used, "%s\n", problems[i].text);
	}
	archive_close(archive);
	return kinds;
}

static void assert_problems(const char *path, unsigned int kinds, const char *part)
{
	char text[4096];
	unsigned int found = problems_of(path, text, sizeof(text));

	if (found != kinds || !strstr(text, part))
		fail_msg("%s: problems %x, not %x with '%s': %s", path, found, kinds, part, text);
}

static void change_byte(const char *path, long at)
{
	FILE *stream = fopen(path, "r+b");
	int byte;

	assert_non_null(stream);
	assert_int_equal(fseek(stream, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	byte = fgetc(stream);
	assert_int_equal(fseek(stream, -1, SEEK_CUR), 0);
	assert_true(fputc(byte ^ 1, stream) != EOF);
	assert_int_equal(fclose(stream), 0);
}

/* ---------------------------------------------------------------- right ones */

static void test_what_is_written_is_read(void **state)
{
	(void)state;
	make_archive("a");
	assert_whole("a");
	assert_whole("a/");
	assert_problems("a", 0, "");
	/* zstd(1) passes over the frame at the front. */
	if (support_have("zstd")) {
		struct buffer out = { 0 };

		assert_int_equal(support_run("cat a/*.cel.zst | zstd -dcq >all"), 0);
		out = support_read("all");
		assert_int_equal(out.size, whole.size);
		assert_memory_equal(out.data, whole.data, out.size);
		buffer_free(&out);
	}
}

static void test_digests_are_the_files(void **state)
{
	char *digest, *said;

	(void)state;
	make_archive("d");
	digest = support_output("sha256sum d/000003.cel.zst | cut -d' ' -f1");
	said = support_output(
		"sed -n 's/.*\"digest\": \"sha256:\\(.*\\)\".*/\\1/p' d/current.json");
	assert_string_equal(digest, said);
	free(digest);
	free(said);
	/* The frame of the second file has the digest of the first, at its place. */
	digest = support_output("sha256sum d/000001.cel.zst | cut -d' ' -f1");
	said = support_output("od -An -v -tx1 -j136 -N32 d/000002.cel.zst | tr -d ' \\n'");
	assert_string_equal(digest, said);
	free(digest);
	free(said);
}

static void test_writing_goes_on(void **state)
{
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < RECORDS; i += 3) {
		struct archive_writer *writer = open_writer("again");

		assert_int_equal(archive_writer_next(writer), record_of(i));
		assert_int_equal(archive_writer_lost(writer), 0);
		assert_int_equal(write_parts(writer, i, i + 3, &err), 0);
		archive_writer_close(writer);
	}
	assert_whole("again");
	assert_problems("again", 0, "");
}

static void test_one_writer_at_a_time(void **state)
{
	struct archive_writer *writer, *second;
	struct assay_error err;
	struct stat status;

	(void)state;
	writer = open_writer("one");
	/* Who may read the archive may not keep the service from it. */
	assert_int_equal(stat("one/.log.lock", &status), 0);
	assert_int_equal(status.st_mode & 077, 0);
	assert_int_equal(archive_writer_open("one", ARCHIVE_LOG, BOOT, &second, &err),
			 -EWOULDBLOCK);
	support_assert_error(&err, "a second assayd");
	/* The other stream is another's. */
	assert_int_equal(archive_writer_open("one", ARCHIVE_IMA, BOOT, &second, &err), 0);
	archive_writer_close(second);
	archive_writer_close(writer);
	archive_writer_close(open_writer("one"));
}

static void test_wrong_batches_are_refused(void **state)
{
	struct archive_writer *writer = open_writer("wrong");
	struct archive_batch batch;
	struct assay_error err;

	(void)state;
	assert_int_equal(write_parts(writer, 0, 5, &err), 0);
	assert_int_equal(write_parts(writer, 4, 8, &err), -EINVAL);
	assert_int_equal(write_parts(writer, 6, 8, &err), -EINVAL);
	support_assert_error(&err, "record 7 is due");
	batch = parts(5, 8);
	batch.count++;
	assert_int_equal(archive_write(writer, &batch, &err), -EINVAL);
	batch = parts(5, 8);
	batch.bytes.size--;
	assert_int_equal(archive_write(writer, &batch, &err), -EINVAL);
	batch = parts(5, 8);
	batch.bytes.data++;
	batch.bytes.size--;
	assert_int_equal(archive_write(writer, &batch, &err), -EBADMSG);
	assert_int_equal(write_parts(writer, 5, RECORDS, &err), 0);
	archive_writer_close(writer);
	assert_whole("wrong");
}

/* A log that goes on after kexec: the archive of the boot after it begins where that one ends. */
static void test_another_boot_goes_on(void **state)
{
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	assert_int_equal(mkdir("boots", 0700), 0);
	writer = open_writer("boots/" BOOT);
	assert_int_equal(write_parts(writer, 0, 7, &err), 0);
	assert_int_equal(write_parts(writer, 7, 11, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(
		archive_writer_open("boots/" BOOT_AFTER, ARCHIVE_LOG, BOOT_AFTER, &writer, &err),
		0);
	assert_int_equal(archive_writer_follow(writer, "boots/" BOOT, &err), 0);
	assert_int_equal(archive_writer_next(writer), record_of(11));
	assert_int_equal(archive_writer_offset(writer), begins[11]);
	assert_int_equal(write_parts(writer, 11, 20, &err), 0);
	assert_int_equal(archive_writer_follow(writer, "boots/" BOOT, &err), -EINVAL);
	assert_int_equal(write_parts(writer, 20, RECORDS, &err), 0);
	archive_writer_close(writer);
	assert_whole("boots/" BOOT_AFTER);
	assert_problems("boots/" BOOT_AFTER, 0, "");
	/* Another file in its place is found out. */
	change_byte("boots/" BOOT "/000002.cel.zst", 100);
	{
		struct buffer out = { 0 };

		assert_int_equal(read_from("boots/" BOOT_AFTER, 0, &out, &err), -EBADMSG);
		buffer_free(&out);
	}
	/* Where it is gone, what is left begins later. */
	assert_int_equal(support_run("rm -r boots/" BOOT), 0);
	{
		struct buffer out = { 0 };

		assert_int_equal(read_from("boots/" BOOT_AFTER, 0, &out, &err), -ESTALE);
		assert_int_equal(read_from("boots/" BOOT_AFTER, record_of(11), &out, &err), 0);
		assert_int_equal(out.size, whole.size - begins[11]);
		buffer_free(&out);
	}
}

static void test_oldest_are_removed(void **state)
{
	struct buffer out = { 0 };
	struct assay_error err;

	(void)state;
	make_archive("old");
	assert_int_equal(archive_remove_file("old", ARCHIVE_LOG, 1, &err), 0);
	assert_int_equal(access("old/000001.cel.zst", F_OK), -1);
	assert_problems("old", 0, "");
	assert_int_equal(read_from("old", 0, &out, &err), -ESTALE);
	support_assert_error(&err, "begins with record 12");
	assert_int_equal(read_from("old", record_of(10), &out, &err), 0);
	assert_int_equal(out.size, whole.size - begins[10]);
	buffer_free(&out);
	assert_int_equal(archive_remove_file("old", ARCHIVE_LOG, 2, &err), 0);
	assert_int_equal(archive_remove_file("old", ARCHIVE_LOG, 3, &err), -ENODATA);
	/* What was removed on purpose is not told as missing, after more was written as well. */
	archive_writer_close(open_writer("old"));
	assert_problems("old", 0, "");
}

/* ---------------------------------------------------------------- small files */

/* Each part in turn, with small files joined up to @limit bytes. */
static struct archive_writer *write_each(const char *path, size_t to, uint64_t limit)
{
	struct archive_writer *writer = open_writer(path);
	struct assay_error err;

	archive_writer_join(writer, limit);
	for (size_t i = 0; i < to; i++)
		if (write_parts(writer, i, i + 1, &err) < 0)
			fail_msg("%s", err.text);
	return writer;
}

static size_t count_files(const char *path)
{
	char *text = support_output("ls %s | grep -c zst$", path);
	size_t count = (size_t)strtoul(text, NULL, 10);

	free(text);
	return count;
}

/* Whenever it is looked at, there are few files, all is there once, and nothing is off. */
static void test_small_files_are_joined(void **state)
{
	(void)state;
	for (size_t to = 1; to <= RECORDS; to++) {
		struct buffer out = { 0 };
		struct assay_error err;

		assert_int_equal(support_run("rm -rf joined"), 0);
		archive_writer_close(write_each("joined", to, UINT64_MAX));
		assert_true(count_files("joined") <= 6);
		assert_problems("joined", 0, "");
		assert_int_equal(read_from("joined", 0, &out, &err), 0);
		assert_int_equal(out.size, begins[to]);
		assert_memory_equal(out.data, whole.data, out.size);
		buffer_free(&out);
	}
	assert_whole("joined");
}

/* Up to the limit: the files are as large as that, about, whatever they were made of. */
static void test_files_are_joined_to_the_limit(void **state)
{
	enum { LIMIT = 2000 };
	struct assay_error err;
	struct archive *archive;
	const struct archive_file *files;
	size_t count;

	(void)state;
	archive_writer_close(write_each("limit", RECORDS, LIMIT));
	assert_whole("limit");
	assert_problems("limit", 0, "");
	assert_int_equal(archive_open("limit", &archive, &err), 0);
	files = archive_files(archive, ARCHIVE_LOG, &count);
	assert_true(count >= begins[RECORDS] / LIMIT && count <= 3 * begins[RECORDS] / LIMIT);
	for (size_t i = 0; i < count; i++)
		assert_true(files[i].content <= LIMIT);
	archive_close(archive);
}

/* A writer that was opened again joins what another one has left. */
static void test_joining_goes_on(void **state)
{
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < RECORDS; i++) {
		struct archive_writer *writer = open_writer("later");

		archive_writer_join(writer, UINT64_MAX);
		assert_int_equal(archive_writer_next(writer), record_of(i));
		assert_int_equal(archive_writer_lost(writer), 0);
		assert_int_equal(write_parts(writer, i, i + 1, &err), 0);
		archive_writer_close(writer);
	}
	assert_true(count_files("later") <= 6);
	assert_whole("later");
	assert_problems("later", 0, "");
}

/* As long as somebody reads, what he has seen stays. */
static void test_readers_are_not_disturbed(void **state)
{
	struct archive_writer *writer = write_each("read", 4, UINT64_MAX);
	struct archive *archive;
	struct buffer out = { 0 };
	struct assay_error err;
	size_t before = count_files("read");

	(void)state;
	assert_int_equal(archive_open("read", &archive, &err), 0);
	for (size_t i = 4; i < RECORDS; i++)
		assert_int_equal(write_parts(writer, i, i + 1, &err), 0);
	assert_int_equal(count_files("read"), before + RECORDS - 4);
	assert_int_equal(archive_read(archive, ARCHIVE_LOG, 0, collect, &out, &err), 0);
	assert_int_equal(out.size, begins[4]);
	buffer_free(&out);
	archive_close(archive);
	assert_whole("read");
	archive_writer_close(writer);
}

/*
 * It ends at any moment of joining: between what is there then and what is to be, each state is
 * whole, and the next writer makes of it what it was to be.
 */
static void test_joining_is_cut_off(void **state)
{
	static const struct {
		const char *name, *command;
	} rows[] = {
		{ "before the new one is in its place", "cp -a before cut" },
		{ "before current.json is written",
		  "cp -a before cut && cp after/000001.cel.zst cut/" },
		{ "before any is removed",
		  "cp -a before cut && cp after/000001.cel.zst after/current.json cut/" },
		{ "before the second is removed",
		  "cp -a before cut && cp after/000001.cel.zst after/current.json cut/ && "
		  "rm cut/000003.cel.zst" },
		{ "at the end", "cp -a after cut" },
	};
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	/* Three that are not joined, and what joins all of them. */
	writer = open_writer("before");
	assert_int_equal(write_parts(writer, 0, 6, &err), 0);
	assert_int_equal(write_parts(writer, 6, 8, &err), 0);
	assert_int_equal(write_parts(writer, 8, 10, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(support_run("cp -a before after"), 0);
	writer = open_writer("after");
	archive_writer_join(writer, UINT64_MAX);
	assert_int_equal(write_parts(writer, 10, 22, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(count_files("after"), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t next = i == 0 ? 10 : 22;
		struct buffer out = { 0 };

		assert_int_equal(support_run("rm -rf cut && %s", rows[i].command), 0);
		assert_problems("cut", 0, "");
		assert_int_equal(read_from("cut", 0, &out, &err), 0);
		if (out.size != begins[next])
			fail_msg("%s: %zu bytes", rows[i].name, out.size);
		buffer_free(&out);
		writer = open_writer("cut");
		assert_int_equal(archive_writer_next(writer), record_of(next));
		assert_int_equal(archive_writer_lost(writer), 0);
		if (count_files("cut") != (i == 0 ? 3 : 1))
			fail_msg("%s: %zu files", rows[i].name, count_files("cut"));
		assert_int_equal(write_parts(writer, next, RECORDS, &err), 0);
		archive_writer_close(writer);
		assert_whole("cut");
		assert_problems("cut", 0, "");
	}
}

/* What is damaged is not made part of another file. */
static void test_damaged_files_are_not_joined(void **state)
{
	struct archive_writer *writer = write_each("harm", 5, 0);
	struct assay_error err;

	(void)state;
	assert_int_equal(count_files("harm"), 5);
	change_byte("harm/000004.cel.zst", -3);
	archive_writer_join(writer, UINT64_MAX);
	for (size_t i = 5; i < RECORDS; i++)
		assert_int_equal(write_parts(writer, i, i + 1, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(access("harm/000005.cel.zst", F_OK), 0);
	assert_problems("harm", 1U << ARCHIVE_DAMAGED, "000004.cel.zst");
}

/* The first file of a boot after kexec keeps what it says of the boot before. */
static void test_a_boot_that_goes_on_is_joined(void **state)
{
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	assert_int_equal(mkdir("kexec", 0700), 0);
	archive_writer_close(write_each("kexec/" BOOT, 11, UINT64_MAX));
	assert_int_equal(
		archive_writer_open("kexec/" BOOT_AFTER, ARCHIVE_LOG, BOOT_AFTER, &writer, &err),
		0);
	archive_writer_join(writer, UINT64_MAX);
	assert_int_equal(archive_writer_follow(writer, "kexec/" BOOT, &err), 0);
	for (size_t i = 11; i < RECORDS; i++)
		assert_int_equal(write_parts(writer, i, i + 1, &err), 0);
	archive_writer_close(writer);
	assert_true(count_files("kexec/" BOOT_AFTER) <= 5);
	assert_whole("kexec/" BOOT_AFTER);
	assert_problems("kexec/" BOOT_AFTER, 0, "");
}

/* What was removed for its age, and files of more banks than before, are left as they are. */
static void test_what_is_not_joined(void **state)
{
	struct archive_writer *writer = write_each("other", 12, 0);
	struct assay_digest start = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct archive_batch batch = parts(12, RECORDS);
	struct assay_error err;

	(void)state;
	for (uint64_t i = 1; i <= 6; i++)
		assert_int_equal(archive_remove_file("other", ARCHIVE_LOG, i, &err), 0);
	archive_writer_join(writer, UINT64_MAX);
	batch.start = &start;
	batch.start_count = 1;
	assert_int_equal(archive_write(writer, &batch, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(count_files("other"), 7);
	assert_problems("other", 0, "");
}

/* An archive of version 1, as it was written once. */
static void test_version_1_is_read(void **state)
{
	struct buffer sample = { 0 }, out = { 0 };
	struct assay_error err;
	char path[PATH_MAX + 100];

	(void)state;
	snprintf(path, sizeof(path), "%s/fuzz_cel/sample", data_directory);
	sample = support_read(path);
	snprintf(path, sizeof(path), "%s/archive/" BOOT, data_directory);
	if (read_from(path, 0, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(out.size, sample.size);
	assert_memory_equal(out.data, sample.data, sample.size);
	assert_problems(path, 0, "");
	buffer_free(&out);
	buffer_free(&sample);
}

/* ---------------------------------------------------------------- what is off */

static void test_unfinished_files_go(void **state)
{
	struct archive_writer *writer;

	(void)state;
	make_archive("part");
	support_write("part/000004.cel.zst.partial", support_text("not all"));
	support_write("part/current.json.0123abcd", support_text("{"));
	assert_problems("part", 0, "");
	writer = open_writer("part");
	assert_int_equal(archive_writer_next(writer), record_of(RECORDS));
	archive_writer_close(writer);
	assert_int_equal(access("part/000004.cel.zst.partial", F_OK), -1);
	assert_whole("part");
}

/* The newest file is durable before current.json says so. */
static void test_current_that_lags_is_mended(void **state)
{
	(void)state;
	make_archive("lag");
	assert_int_equal(support_run("cp lag/current.json right && sed -i s/000003/000002/ "
				     "lag/current.json"),
			 0);
	assert_problems("lag", 0, "");
	assert_whole("lag");
	{
		struct archive_writer *writer = open_writer("lag");
		struct assay_error err;

		assert_int_equal(archive_writer_lost(writer), 0);
		assert_int_equal(archive_writer_head(writer, &err), 0);
		archive_writer_close(writer);
	}
	assert_int_equal(support_run("cmp lag/current.json right"), 0);
	support_write("lag/current.json", support_text("{"));
	assert_problems("lag", 1U << ARCHIVE_DAMAGED, "current.json");
	assert_whole("lag");
}

static void test_each_byte_counts(void **state)
{
	struct stat status;
	char text[4096];

	(void)state;
	make_archive("bytes");
	assert_int_equal(stat("bytes/000002.cel.zst", &status), 0);
	for (long at = 0; at < status.st_size; at += 7) {
		change_byte("bytes/000002.cel.zst", at);
		if (problems_of("bytes", text, sizeof(text)) == 0)
			fail_msg("byte %ld can be changed", at);
		change_byte("bytes/000002.cel.zst", at);
	}
	assert_problems("bytes", 0, "");
	/* Of the newest, current.json has the digest. */
	assert_int_equal(stat("bytes/000003.cel.zst", &status), 0);
	for (long at = 0; at < status.st_size; at += 13) {
		change_byte("bytes/000003.cel.zst", at);
		if (problems_of("bytes", text, sizeof(text)) == 0)
			fail_msg("byte %ld of the newest can be changed", at);
		change_byte("bytes/000003.cel.zst", at);
	}
}

static void test_faults_are_told(void **state)
{
	static const struct {
		const char *name, *command, *says;
		unsigned int kinds;
		int read; /* from the first record on */
	} rows[] = {
		{ "a foreign file", "echo x >faulty/notes.txt",
		  "notes.txt is no file of the archive", 1U << ARCHIVE_FOREIGN, 0 },
		{ "a foreign name", "touch \"faulty/$(printf 'a\\033b')\"", "a\\x1bb",
		  1U << ARCHIVE_FOREIGN, 0 },
		{ "one in the middle is missing", "rm faulty/000002.cel.zst",
		  "000002.cel.zst is missing", 1U << ARCHIVE_MISSING, -ENODATA },
		{ "the first is missing", "rm faulty/000001.cel.zst", "000001.cel.zst is missing",
		  1U << ARCHIVE_MISSING, -ESTALE },
		{ "the newest is missing", "rm faulty/000003.cel.zst", "000003.cel.zst is missing",
		  1U << ARCHIVE_MISSING, 0 },
		{ "two are missing", "rm faulty/00000[12].cel.zst",
		  "000001.cel.zst to 000002.cel.zst", 1U << ARCHIVE_MISSING, -ESTALE },
		{ "another kind of file", "echo hello >faulty/000002.cel.zst",
		  "it is no file of an archive", 1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "one that is empty", ": >faulty/000002.cel.zst", "it is no file of an archive",
		  1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "a directory", "rm faulty/000002.cel.zst; mkdir faulty/000002.cel.zst",
		  "no regular file", 1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "a link", "mv faulty/000002.cel.zst x; ln -s ../x faulty/000002.cel.zst",
		  "cannot open", 1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "a FIFO", "rm faulty/000002.cel.zst; mkfifo faulty/000002.cel.zst",
		  "no regular file", 1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "a future version",
		  "printf '\\002' | dd of=faulty/000002.cel.zst bs=1 seek=19 conv=notrunc "
		  "2>/dev/null",
		  "use a newer assay", 1U << ARCHIVE_FUTURE, -ENOTSUP },
		{ "one that breaks off", "truncate -s -9 faulty/000002.cel.zst", "it breaks off",
		  1U << ARCHIVE_DAMAGED, -EBADMSG },
		{ "one with more behind it", "echo more >>faulty/000002.cel.zst",
		  "cannot be decompressed", 1U << ARCHIVE_DAMAGED, -EBADMSG },
		{ "one with an empty frame behind it",
		  "printf '\\132\\052\\115\\030\\000\\000\\000\\000' >>faulty/000002.cel.zst",
		  "by its digest", 1U << ARCHIVE_CHAIN, -EBADMSG },
		{ "the name of another", "cp faulty/000001.cel.zst faulty/000002.cel.zst",
		  "another file of an archive", 1U << ARCHIVE_DAMAGED, -ENODATA },
		{ "one of another boot",
		  "printf X | dd of=faulty/000002.cel.zst bs=1 seek=24 conv=notrunc 2>/dev/null",
		  "another boot", 1U << ARCHIVE_DAMAGED, -ENODATA },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = { 0 };
		struct assay_error err;
		int r;

		assert_int_equal(support_run("rm -rf faulty x"), 0);
		make_archive("faulty");
		if (support_run("%s", rows[i].command) != 0)
			fail_msg("%s: cannot be made", rows[i].name);
		r = read_from("faulty", 0, &out, &err);
		if (r != rows[i].read)
			fail_msg("%s: reading gives %d (%s)", rows[i].name, r, r ? err.text : "");
		if (r == 0 && strcmp(rows[i].name, "the newest is missing") != 0)
			assert_int_equal(out.size, whole.size);
		buffer_free(&out);
		assert_problems("faulty", rows[i].kinds, rows[i].says);
	}
}

/* The newest file is what a writer goes on from. */
static void test_writer_and_a_bad_newest_file(void **state)
{
	static const struct {
		const char *command, *says;
		int code;
	} rows[] = {
		{ "truncate -s -9 bad/000003.cel.zst", "breaks off", EBADMSG },
		{ "truncate -s 20 bad/000003.cel.zst", "damaged", EBADMSG },
		{ "echo text >bad/000003.cel.zst", "no file of an archive", EBADMSG },
		{ "printf '\\011' | dd of=bad/000003.cel.zst bs=1 seek=19 conv=notrunc 2>/dev/null",
		  "use a newer assay", ENOTSUP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_writer *writer;
		struct assay_error err;

		assert_int_equal(support_run("rm -rf bad"), 0);
		make_archive("bad");
		assert_int_equal(support_run("%s", rows[i].command), 0);
		assert_int_equal(archive_writer_open("bad", ARCHIVE_LOG, BOOT, &writer, &err),
				 -rows[i].code);
		support_assert_error(&err, rows[i].says);
		/* The kernel has only what is behind it: nothing is done. */
		assert_int_equal(archive_set_aside("bad", ARCHIVE_LOG, record_of(21), &err),
				 -ENODATA);
		support_assert_error(&err, "Put it back from a copy");
		/* The kernel has it still: it is written once more. */
		assert_int_equal(archive_set_aside("bad", ARCHIVE_LOG, record_of(20), &err), 0);
		writer = open_writer("bad");
		assert_int_equal(archive_writer_next(writer), record_of(20));
		assert_int_equal(archive_writer_lost(writer), 10);
		assert_int_equal(write_parts(writer, 20, RECORDS, &err), 0);
		archive_writer_close(writer);
		assert_whole("bad");
		assert_int_equal(access("bad/000003.cel.zst.damaged", F_OK), 0);
		assert_problems("bad", 0, "");
	}
}

/* What was lost for good is said by the archive for ever. */
static void test_gaps_are_told(void **state)
{
	struct archive_batch batch = parts(13, RECORDS);
	struct archive_writer *writer = open_writer("gap");
	struct buffer out = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(write_parts(writer, 0, 10, &err), 0);
	batch.gap = true;
	assert_int_equal(archive_write(writer, &batch, &err), 0);
	archive_writer_close(writer);
	assert_problems("gap", 1U << ARCHIVE_GAP, "record 12 to 14 were lost");
	assert_int_equal(read_from("gap", 0, &out, &err), -ENODATA);
	buffer_free(&out);
	assert_int_equal(read_from("gap", record_of(13), &out, &err), 0);
	assert_int_equal(out.size, whole.size - begins[13]);
	buffer_free(&out);
}

static void test_another_boots_archive_is_not_written_to(void **state)
{
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	make_archive("mine");
	assert_int_equal(archive_writer_open("mine", ARCHIVE_LOG, BOOT_AFTER, &writer, &err),
			 -EBADMSG);
	support_assert_error(&err, "another boot");
	assert_int_equal(archive_writer_open("mine", ARCHIVE_LOG, "no-uuid", &writer, &err),
			 -EINVAL);
	assert_int_equal(archive_writer_open("no/parent", ARCHIVE_LOG, BOOT, &writer, &err),
			 -ENOENT);
	support_assert_error(&err, "cannot make no/parent");
}

/* The disk is full: by RLIMIT_FSIZE, which fails writes in the same place with EFBIG. */
static void test_failed_writes_leave_nothing(void **state)
{
	struct rlimit before, small = { .rlim_cur = 700 };
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	writer = open_writer("full");
	assert_int_equal(write_parts(writer, 0, 5, &err), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(write_parts(writer, 5, RECORDS, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	support_assert_error(&err, "full/000002.cel.zst.partial: cannot write");
	assert_int_equal(support_run("test $(ls full | wc -l) = 2"), 0);
	assert_int_equal(archive_writer_next(writer), record_of(5));
	assert_int_equal(write_parts(writer, 5, RECORDS, &err), 0);
	archive_writer_close(writer);
	assert_whole("full");
	assert_problems("full", 0, "");
}

/* The directory is removed under the writer. */
static void test_removed_directory_is_told(void **state)
{
	struct archive_writer *writer = open_writer("gone");
	struct assay_error err;

	(void)state;
	assert_int_equal(write_parts(writer, 0, 5, &err), 0);
	assert_int_equal(support_run("rm -r gone"), 0);
	assert_int_equal(write_parts(writer, 5, 10, &err), -ENOENT);
	archive_writer_close(writer);
	writer = open_writer("gone");
	assert_true(archive_writer_is_empty(writer));
	archive_writer_close(writer);
}

static int count_bytes(void *context, struct bytes bytes, struct assay_error *err)
{
	(void)err;
	*(uint64_t *)context += bytes.size;
	return 0;
}

/*
 * A file that is little on the disk and much in memory: read in pieces. The entry of IMA's list
 * is of the largest size, 1 MiB of zeros, 256 times.
 */
static void test_large_files_are_read_in_pieces(void **state)
{
	enum { DATA = 1U << 20, ENTRIES = 256 };
	static const uint8_t front[] = { 10, 0, 0, 0 };
	struct archive_writer *writer;
	struct buffer list = { 0 };
	struct archive *archive;
	struct rusage before, after;
	struct assay_error err;
	uint64_t size = 0;

	(void)state;
	for (size_t i = 0; i < ENTRIES; i++) {
		uint8_t digest[20] = { 1 };

		buffer_append(&list, front, sizeof(front));
		buffer_append(&list, digest, sizeof(digest));
		buffer_append(&list, "\6\0\0\0ima-ng\0\0\20\0", 14);
		memset(buffer_reserve(&list, DATA), 0, DATA);
		list.size += DATA;
	}
	assert_int_equal(archive_writer_open("large", ARCHIVE_IMA, BOOT, &writer, &err), 0);
	{
		struct archive_batch batch = { .bytes = buffer_bytes(&list),
					       .count = ENTRIES,
					       .bank = ASSAY_HASH_SHA1 };

		if (archive_write(writer, &batch, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(archive_writer_bank(writer), ASSAY_HASH_SHA1);
	}
	archive_writer_close(writer);
	buffer_free(&list);
	/* A process of its own, whose memory is counted. */
	assert_int_equal(archive_open("large", &archive, &err), 0);
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	assert_int_equal(archive_read(archive, ARCHIVE_IMA, 0, count_bytes, &size, &err), 0);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_int_equal(size, (uint64_t)ENTRIES * (DATA + 38));
	assert_true(after.ru_maxrss - before.ru_maxrss < 16384);
	archive_close(archive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_digests_are_the_files),
		cmocka_unit_test(test_writing_goes_on),
		cmocka_unit_test(test_one_writer_at_a_time),
		cmocka_unit_test(test_wrong_batches_are_refused),
		cmocka_unit_test(test_another_boot_goes_on),
		cmocka_unit_test(test_oldest_are_removed),
		cmocka_unit_test(test_small_files_are_joined),
		cmocka_unit_test(test_files_are_joined_to_the_limit),
		cmocka_unit_test(test_joining_goes_on),
		cmocka_unit_test(test_readers_are_not_disturbed),
		cmocka_unit_test(test_joining_is_cut_off),
		cmocka_unit_test(test_damaged_files_are_not_joined),
		cmocka_unit_test(test_a_boot_that_goes_on_is_joined),
		cmocka_unit_test(test_what_is_not_joined),
		cmocka_unit_test(test_version_1_is_read),
		cmocka_unit_test(test_unfinished_files_go),
		cmocka_unit_test(test_current_that_lags_is_mended),
		cmocka_unit_test(test_each_byte_counts),
		cmocka_unit_test(test_faults_are_told),
		cmocka_unit_test(test_writer_and_a_bad_newest_file),
		cmocka_unit_test(test_gaps_are_told),
		cmocka_unit_test(test_another_boots_archive_is_not_written_to),
		cmocka_unit_test(test_failed_writes_leave_nothing),
		cmocka_unit_test(test_removed_directory_is_told),
		cmocka_unit_test(test_large_files_are_read_in_pieces),
	};

	return cmocka_run_group_tests(tests, begin_log, end_log);
}
