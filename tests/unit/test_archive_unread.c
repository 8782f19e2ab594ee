// SPDX-License-Identifier: MIT
/*
 * A boot's archive on a disk that cannot be read for a while: nothing of it is taken for damaged,
 * and all is as before once the disk reads. The program's own open functions, fstatat() and read()
 * stand before the kernel's.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/archive_current.h"
#include "archive/archive_reader.h"
#include "archive/archive_replay.h"
#include "archive/archive_writer.h"
#include "log_builder.h"

#define BOOT "6b1d3e20-0001-4002-8003-010203040506"
#define FILES 3

/* What fails, of the file @faulty: with @code, from the byte @from on. */
static enum { NOTHING, OPENING, LOOKING, READING } fault;
static const char *faulty;
static int code;
static size_t from;
static unsigned int met;

static int own_errno(void)
{
	met++;
	errno = code;
	return -1;
}

static bool is_faulty(const char *path)
{
	size_t length = strlen(path), end = faulty ? strlen(faulty) : 0;

	return faulty && length >= end && strcmp(path + length - end, faulty) == 0;
}

static bool is_faulty_fd(int fd)
{
	char name[64], path[4096];
	ssize_t size;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	size = readlink(name, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	return is_faulty(path);
}

/* These stand for the C library's. */
ssize_t own_read(int fd, void *data, size_t size) __asm__("read");
int own_open(const char *path, int flags, ...) __asm__("open");
int own_openat(int directory, const char *path, int flags, ...) __asm__("openat");
int own_fstatat(int directory, const char *path, struct stat *status, int flags) __asm__("fstatat");

ssize_t own_read(int fd, void *data, size_t size)
{
	if (fault == READING && is_faulty_fd(fd)) {
		off_t at = lseek(fd, 0, SEEK_CUR);

		if (at >= (off_t)from)
			return own_errno();
		/* As of a page that is in the cache, in front of one that is not. */
		if (size > from - (size_t)at)
			size = from - (size_t)at;
	}
	return syscall(SYS_read, fd, data, size);
}

int own_openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	int mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	va_end(arguments);
	if (fault == OPENING && is_faulty(path))
		return own_errno();
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

int own_open(const char *path, int flags, ...)
{
	va_list arguments;
	int mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	va_end(arguments);
	return own_openat(AT_FDCWD, path, flags, mode);
}

int own_fstatat(int directory, const char *path, struct stat *status, int flags)
{
	if (fault == LOOKING && is_faulty(path))
		return own_errno();
	return (int)syscall(SYS_newfstatat, directory, path, status, flags);
}

/* ---------------------------------------------------------------- what is archived */

static struct buffer whole;
static size_t begins[FILES + 2];

static int begin_log(void **state)
{
	struct log_builder builder;

	log_builder_begin(&builder);
	for (size_t i = 0; i <= FILES; i++) {
		struct buffer value = { 0 };
		uint8_t data[2000];

		begins[i] = builder.log.size;
		support_fill(data, sizeof(data), (uint32_t)i);
		put_event(&value, "test", BYTES(data, sizeof(data)));
		log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		buffer_free(&value);
	}
	begins[FILES + 1] = builder.log.size;
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

static void write_one(struct archive_writer *writer, size_t record)
{
	struct archive_batch batch = {
		.bytes = BYTES(whole.data + begins[record], begins[record + 1] - begins[record]),
		.first = record,
		.count = 1,
		.offset = begins[record],
	};
	struct assay_error err;

	if (archive_write(writer, &batch, &err) < 0)
		fail_msg("%s", err.text);
}

static struct archive_writer *open_writer(void)
{
	struct archive_writer *writer;
	struct assay_error err;

	if (archive_writer_open("a", ARCHIVE_LOG, BOOT, &writer, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

static void make_archive(void)
{
	struct archive_writer *writer;
	struct assay_error err;

	assert_int_equal(support_run("rm -rf a"), 0);
	writer = open_writer();
	for (size_t i = 0; i < FILES; i++)
		write_one(writer, i);
	archive_writer_close(writer);
	assert_int_equal(archive_acknowledge("a", ARCHIVE_LOG, 2, &err), 0);
	assert_int_equal(support_run("rm -rf before && cp -a a before"), 0);
}

static void assert_untouched(void)
{
	assert_int_equal(support_run("diff -r a before"), 0);
}

/* The faults of an archive, as bits, by what `assay log verify-archive` does. */
static unsigned int faults_of(void)
{
	const struct archive_problem *problems;
	struct archive_replayed replayed;
	struct archive *archive;
	struct assay_error err;
	unsigned int kinds = 0;
	size_t count;

	assert_int_equal(archive_open("a", &archive, &err), 0);
	assert_int_equal(archive_check(archive, ARCHIVE_LOG, NULL, &err), 0);
	assert_int_equal(archive_replay(archive, &replayed, &err), 0);
	problems = archive_problems(archive, &count);
	for (size_t i = 0; i < count; i++)
		kinds |= 1U << problems[i].fault;
	archive_close(archive);
	return kinds;
}

/* ---------------------------------------------------------------- tests */

static const struct {
	const char *name;
	int fault, code;
	size_t from;
} rows[] = {
	{ "the first page, EIO", READING, EIO, 0 },
	{ "in the header", READING, EIO, 100 },
	{ "behind the header", READING, EIO, 1500 },
	{ "no memory to read", READING, ENOMEM, 1500 },
	{ "the file system's checksum", READING, EBADMSG, 0 },
	{ "the inode", OPENING, EIO, 0 },
	{ "the inode's checksum", OPENING, EBADMSG, 0 },
	{ "no memory to open", OPENING, ENOMEM, 0 },
	{ "no descriptor", OPENING, EMFILE, 0 },
	{ "no permission", OPENING, EACCES, 0 },
};

/* Of the newest file, which a writer goes on from; also where it is not the only one. */
static void test_newest_file_is_not_taken_for_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_writer *writer;
		struct assay_error err;
		int r, set_aside;

		make_archive();
		fault = rows[i / 2].fault;
		code = rows[i / 2].code;
		from = rows[i / 2].from;
		faulty = i % 2 ? ".cel.zst" : "000003.cel.zst";
		met = 0;
		r = archive_writer_open("a", ARCHIVE_LOG, BOOT, &writer, &err);
		if (r != (code == EBADMSG ? -EIO : -code) || met == 0)
			fail_msg("%s: gives %d: %s", rows[i / 2].name, r, r < 0 ? err.text : "");
		support_assert_error(&err, code == EBADMSG ? "cannot " : strerror(code));
		/* Only where the header can be read does it not notice: content is not its. */
		set_aside = from < 1024 ? archive_set_aside("a", ARCHIVE_LOG, 0, &err) : -code;
		assert_int_equal(set_aside, r);
		if (code != ENOMEM)
			assert_true(faults_of() & 1U << ARCHIVE_UNREADABLE);
		if (code != ENOMEM)
			assert_false(faults_of() & 1U << ARCHIVE_DAMAGED);
		fault = NOTHING;
		assert_untouched();
		assert_int_equal(faults_of(), 0);
		writer = open_writer();
		assert_int_equal(archive_writer_next(writer), FILES);
		write_one(writer, FILES);
		archive_writer_close(writer);
		assert_int_equal(faults_of(), 0);
	}
}

/* A file that is only not seen is not written over. */
static void test_what_cannot_be_looked_for(void **state)
{
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	make_archive();
	code = EIO;
	faulty = "000004.cel.zst";
	fault = LOOKING;
	assert_int_equal(archive_writer_open("a", ARCHIVE_LOG, BOOT, &writer, &err), -EIO);
	support_assert_error(&err, "cannot look for a/000004.cel.zst: Input/output error");
	assert_int_equal(archive_set_aside("a", ARCHIVE_LOG, 0, &err), -EIO);
	fault = NOTHING;
	assert_untouched();
}

/* Neither what the other stream has nor what a verifier has seen is forgotten. */
static void test_current_is_not_replaced(void **state)
{
	struct archive_current current;
	struct archive_writer *writer;
	struct assay_error err;

	(void)state;
	make_archive();
	writer = open_writer();
	code = EIO;
	from = 0;
	faulty = "current.json";
	fault = READING;
	write_one(writer, FILES);
	assert_int_equal(archive_writer_head(writer, &err), -EIO);
	support_assert_error(&err, "cannot read a/current.json: Input/output error");
	assert_int_equal(archive_remove_file("a", ARCHIVE_LOG, 1, &err), -EIO);
	assert_int_equal(access("a/000001.cel.zst", F_OK), 0);
	fault = NOTHING;
	assert_int_equal(archive_writer_head(writer, &err), 0);
	archive_writer_close(writer);
	assert_int_equal(archive_current_read("a", &current, &err), 0);
	assert_int_equal(current.streams[ARCHIVE_LOG].acknowledged, 2);
	assert_int_equal(current.streams[ARCHIVE_LOG].number, FILES + 1);
	assert_int_equal(faults_of(), 0);
}

/* One in the middle is of no matter for who goes on at the end. */
static void test_an_older_file_keeps_no_writer(void **state)
{
	(void)state;
	make_archive();
	code = EIO;
	from = 0;
	faulty = "000002.cel.zst";
	fault = READING;
	archive_writer_close(open_writer());
	fault = NOTHING;
	assert_untouched();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_file_is_not_taken_for_damaged),
		cmocka_unit_test(test_what_cannot_be_looked_for),
		cmocka_unit_test(test_current_is_not_replaced),
		cmocka_unit_test(test_an_older_file_keeps_no_writer),
	};

	return cmocka_run_group_tests(tests, begin_log, end_log);
}
