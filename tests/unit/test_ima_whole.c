// SPDX-License-Identifier: MIT
/*
 * All of IMA's list, of an archive and what the kernel has: the list of another project, cut in
 * two in every way that the service, a kill of it or another program can.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive_writer.h"
#include "archive/ima_notes.h"
#include "archive/ima_whole.h"
#include "log/ima.h"
#include "log_builder.h"
#include "support.h"

#define BOOT_ID "01234567-89ab-cdef-0123-456789abcdef"
#define ARCHIVE "archive/" BOOT_ID
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NO_NOTES UINT64_MAX

static struct buffer full, full_sha1;
static size_t ends[400]; /* of each entry of @full, behind a 0 */
static size_t total;

static int read_full(void **state)
{
	struct ima_reader reader;
	struct ima_frame frame;

	full = log_test_data("ima/ibmtss-sha256.log");
	full_sha1 = log_test_data("ima/ibmtss-sha1.log");
	ima_begin(&reader, buffer_bytes(&full), ASSAY_HASH_SHA256);
	while (ima_skim(&reader, &frame, NULL) == 1)
		ends[++total] = (size_t)frame.end;
	assert_int_equal(total, 362);
	return support_enter_directory(state);
}

static int free_full(void **state)
{
	buffer_free(&full);
	buffer_free(&full_sha1);
	return support_leave_directory(state);
}

/* Entries @from to @to, without that one. */
static struct bytes part(size_t from, size_t to)
{
	return BYTES(full.data + ends[from], ends[to] - ends[from]);
}

static void clear(void)
{
	assert_int_equal(support_run("rm -rf archive kernel ima.json; mkdir archive kernel"), 0);
}

static void archive_entries(struct bytes bytes, uint64_t first, uint64_t count, uint64_t offset)
{
	struct archive_batch batch = { .bytes = bytes,
				       .first = first,
				       .count = count,
				       .offset = offset,
				       .bank = ASSAY_HASH_SHA256 };
	struct archive_writer *writer;
	struct assay_error err;

	assert_int_equal(archive_writer_open(ARCHIVE, ARCHIVE_IMA, BOOT_ID, &writer, &err), 0);
	assert_int_equal(archive_write(writer, &batch, &err), 0);
	archive_writer_close(writer);
}

static void write_notes(uint64_t deleted)
{
	struct ima_notes notes = { .boot_id = BOOT_ID, .deleted = deleted };
	struct assay_error err;

	if (deleted != NO_NOTES)
		assert_int_equal(ima_notes_save("ima.json", &notes, &err), 0);
}

static int read_whole(enum assay_hash bank, size_t limit, struct buffer *out,
		      struct ima_whole *whole, struct assay_error *err)
{
	const struct ima_places places = { "kernel", ARCHIVE, "ima.json" };

	return ima_whole_read(&places, bank, limit, out, whole, err);
}

static void parts_make_the_whole(void **state)
{
	static const struct {
		const char *what;
		size_t archived, staged_from, staged_to, kernel_from;
		uint64_t deleted;
	} rows[] = {
		{ "no archive", 0, 0, 0, 0, NO_NOTES },
		{ "followed", 100, 0, 0, 0, 0 },
		{ "followed to its end", 362, 0, 0, 0, 0 },
		{ "deleted", 100, 0, 0, 100, 100 },
		{ "deleted, all of it", 362, 0, 0, 362, 362 },
		{ "deleted, without notes", 100, 0, 0, 100, NO_NOTES },
		{ "deleted, and not noted", 100, 0, 0, 100, 60 },
		{ "staged, not archived", 100, 100, 150, 150, 100 },
		{ "staged and archived", 150, 100, 150, 150, 100 },
		{ "staged, archived in part", 120, 100, 150, 150, 100 },
		{ "staged and archived, without notes", 150, 100, 150, 150, NO_NOTES },
		{ "staged by somebody else", 100, 0, 50, 50, 0 },
		{ "deleted by somebody else, what was archived", 100, 0, 0, 80, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer out = { 0 };
		struct assay_error err;
		struct ima_whole whole;

		print_message("%s\n", rows[i].what);
		clear();
		if (rows[i].archived > 0) {
			/* in two files */
			archive_entries(part(0, 50), 0, 50, 0);
			archive_entries(part(50, rows[i].archived), 50, rows[i].archived - 50,
					ends[50]);
		}
		write_notes(rows[i].deleted);
		support_write("kernel/binary_runtime_measurements_sha256_staged",
			      part(rows[i].staged_from, rows[i].staged_to));
		support_write("kernel/binary_runtime_measurements_sha256",
			      part(rows[i].kernel_from, total));
		assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), 0);
		assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&full)));
		assert_int_equal(whole.entries, total);
		assert_int_equal(whole.archived, rows[i].archived);
		assert_int_equal(whole.bank, ASSAY_HASH_SHA256);
		buffer_free(&out);
	}
}

static void append_part(struct buffer *list, size_t from, size_t to)
{
	buffer_append_bytes(list, part(from, to));
}

/*
 * A kexec has handed over less than was archived: entries @from to @to of 100, and the new boot's
 * own behind them, of which the archive has @own.
 */
static void a_kexec_handed_less_over(void **state)
{
	static const struct {
		const char *what;
		size_t from, to, own;
		uint64_t deleted, behind;
	} rows[] = {
		{ "before the service starts", 0, 60, 0, 0, 0 },
		{ "without notes", 0, 60, 0, NO_NOTES, 0 },
		{ "a part was deleted before", 20, 60, 0, 20, 0 },
		{ "the new boot is archived", 0, 60, 50, 40, 100 },
		{ "and more was not noted", 0, 60, 50, NO_NOTES, 0 },
		{ "the boot's own entry alone", 0, 60, 1, NO_NOTES, 0 },
		{ "notes that do not fit", 0, 60, 50, 30, 90 },
		{ "the first alone", 0, 1, 5, 99, 100 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ima_notes notes = { .boot_id = BOOT_ID,
					   .deleted = rows[i].deleted,
					   .behind = rows[i].behind };
		struct buffer out = { 0 }, kernel = { 0 }, expected = { 0 }, own = { 0 };
		struct assay_error err;
		struct ima_whole whole;

		print_message("%s\n", rows[i].what);
		clear();
		archive_entries(part(0, 100), 0, 100, 0);
		append_part(&own, 0, 1);
		if (rows[i].own > 1)
			append_part(&own, 100, 99 + rows[i].own);
		if (rows[i].own > 0)
			archive_entries(buffer_bytes(&own), 100, rows[i].own, ends[100]);
		if (rows[i].deleted != NO_NOTES)
			assert_int_equal(ima_notes_save("ima.json", &notes, &err), 0);
		append_part(&kernel, rows[i].from, rows[i].to);
		append_part(&kernel, 0, 1);
		append_part(&kernel, 100, 200);
		support_write("kernel/binary_runtime_measurements_sha256", buffer_bytes(&kernel));
		append_part(&expected, 0, 100);
		append_part(&expected, 0, 1);
		append_part(&expected, 100, 200);
		if (read_whole(ASSAY_HASH_SHA256, 2 * full.size, &out, &whole, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(whole.entries, 201);
		assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&expected)));
		buffer_free(&out);
		buffer_free(&kernel);
		buffer_free(&expected);
		buffer_free(&own);
	}
}

static void another_bank_is_computed(void **state)
{
	struct buffer out = { 0 };
	struct assay_error err;
	struct ima_whole whole;

	(void)state;
	clear();
	archive_entries(part(0, 100), 0, 100, 0);
	write_notes(100);
	support_write("kernel/binary_runtime_measurements_sha256", part(100, total));
	assert_int_equal(read_whole(ASSAY_HASH_SHA1, full.size, &out, &whole, &err), 0);
	assert_int_equal(whole.bank, ASSAY_HASH_SHA1);
	assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&full_sha1)));
	buffer_free(&out);
}

/* Two violations may be alike: the notes tell that the second is another one. */
static void entries_that_are_alike(void **state)
{
	struct buffer out = { 0 }, twice = { 0 };
	struct assay_error err;
	struct ima_whole whole;

	(void)state;
	clear();
	archive_entries(part(0, 100), 0, 100, 0);
	write_notes(100);
	buffer_append_bytes(&twice, part(99, 100));
	buffer_append_bytes(&twice, part(100, total));
	support_write("kernel/binary_runtime_measurements_sha256", buffer_bytes(&twice));
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, 2 * full.size, &out, &whole, &err), 0);
	assert_int_equal(whole.entries, total + 1);
	buffer_free(&out);
	buffer_free(&twice);
}

static void what_makes_no_list_is_refused(void **state)
{
	static const uint8_t zeros[100];
	struct buffer out = { 0 };
	struct assay_error err;
	struct ima_whole whole;

	(void)state;
	clear();
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), -ENOENT);
	support_assert_error(&err, "mount -t securityfs");
	support_write("kernel/binary_runtime_measurements_sha256", part(1, total));
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), -ESTALE);
	support_assert_error(&err, "name the archive that has them");
	support_write("kernel/binary_runtime_measurements_sha256", buffer_bytes(&full));
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size - 1, &out, &whole, &err), -EFBIG);
	support_write("kernel/binary_runtime_measurements_sha256", BYTES(zeros, sizeof(zeros)));
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), -EBADMSG);
	support_write("kernel/binary_runtime_measurements_sha256", BYTES(full.data, full.size - 1));
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), -EBADMSG);
	support_assert_error(&err, "truncated");
	archive_entries(part(0, 100), 0, 100, 0);
	assert_int_equal(support_run("mv kernel/binary_runtime_measurements_sha256 "
				     "kernel/binary_runtime_measurements"),
			 0);
	assert_int_equal(read_whole(ASSAY_HASH_SHA256, full.size, &out, &whole, &err), -ENOTSUP);
	support_assert_error(&err, "of which the kernel has no list");
	buffer_free(&out);
}

#define NOTES(members) "{\"assay\": 1, \"type\": \"ima-keeper\", " members "}"
#define GOOD_ID "\"boot_id\": \"" BOOT_ID "\""
#define GOOD_NUMBERS "\"deleted\": 5, \"deleting\": 9, \"mirrored\": 2, \"record\": 3"

static void notes_that_cannot_be_used(void **state)
{
	static const struct {
		const char *what, *text, *sentence;
	} rows[] = {
		{ "nothing", "", "" },
		{ "no object", "[]", "" },
		{ "cut", "{\"assay\": 1", "" },
		{ "another type", "{\"assay\": 1, \"type\": \"policy\"}", "type" },
		{ "another version", "{\"assay\": 2, \"type\": \"ima-keeper\"}",
		  "it is of version 2" },
		{ "no boot", NOTES(GOOD_NUMBERS), "boot_id" },
		{ "half a boot", NOTES("\"boot_id\": \"0123\", " GOOD_NUMBERS), "no UUID" },
		{ "another directory before",
		  NOTES(GOOD_ID
			", \"before\": \"../01234567-89ab-cdef-0123-456789abcde\", " GOOD_NUMBERS),
		  "its before is no UUID" },
		{ "no number", NOTES(GOOD_ID ", \"deleted\": 5"), "deleting" },
		{ "a negative number",
		  NOTES(GOOD_ID
			", \"deleted\": -5, \"deleting\": 9, \"mirrored\": 2, \"record\": 3"),
		  "deleted" },
		{ "text for a number",
		  NOTES(GOOD_ID
			", \"deleted\": \"5\", \"deleting\": 9, \"mirrored\": 2, \"record\": 3"),
		  "deleted" },
		{ "text for where a kexec's list ends",
		  NOTES(GOOD_ID ", " GOOD_NUMBERS ", \"behind\": \"8\""), "behind" },
		{ "a log elsewhere", NOTES(GOOD_ID ", " GOOD_NUMBERS ", \"log\": \"../x\""),
		  "its log is no directory" },
		{ "a log's name that is long",
		  NOTES(GOOD_ID ", " GOOD_NUMBERS
				", \"log\": \"0123456789012345678901234567890123456789012345\""),
		  "its log is no directory" },
		{ "a member that is not known", NOTES(GOOD_ID ", " GOOD_NUMBERS ", \"x\": 1"),
		  "x" },
		{ "a member twice", NOTES(GOOD_ID ", " GOOD_ID ", " GOOD_NUMBERS), "" },
	};
	struct ima_notes notes;
	struct assay_error err;

	(void)state;
	clear();
	assert_int_equal(ima_notes_load("ima.json", &notes, &err), 0);
	assert_string_equal(notes.boot_id, "");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		print_message("%s\n", rows[i].what);
		support_write("ima.json", support_text(rows[i].text));
		assert_true(ima_notes_load("ima.json", &notes, &err) < 0);
		support_assert_error(&err, "ima.json cannot be used (remove it");
		support_assert_error(&err, rows[i].sentence);
		assert_string_equal(notes.boot_id, "");
	}
	support_write("ima.json", support_text(NOTES(GOOD_ID ", " GOOD_NUMBERS)));
	assert_int_equal(ima_notes_load("ima.json", &notes, &err), 0);
	assert_int_equal(notes.deleting, 9);
	assert_int_equal(ima_notes_save("again.json", &notes, &err), 0);
	notes = (struct ima_notes){ 0 };
	assert_int_equal(ima_notes_load("again.json", &notes, &err), 0);
	assert_string_equal(notes.boot_id, BOOT_ID);
	assert_int_equal(notes.deleted, 5);
	assert_int_equal(notes.mirrored, 2);
	assert_int_equal(notes.record, 3);
	assert_int_equal(notes.behind, 0);
	notes.behind = 8;
	snprintf(notes.log, sizeof(notes.log), "%s.1", BOOT_ID);
	assert_int_equal(ima_notes_save("again.json", &notes, &err), 0);
	notes = (struct ima_notes){ 0 };
	assert_int_equal(ima_notes_load("again.json", &notes, &err), 0);
	assert_int_equal(notes.behind, 8);
	assert_string_equal(notes.log, BOOT_ID ".1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_make_the_whole),
		cmocka_unit_test(a_kexec_handed_less_over),
		cmocka_unit_test(another_bank_is_computed),
		cmocka_unit_test(entries_that_are_alike),
		cmocka_unit_test(what_makes_no_list_is_refused),
		cmocka_unit_test(notes_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, read_full, free_full);
}
