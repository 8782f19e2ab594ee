// SPDX-License-Identifier: MIT
/*
 * The manifest while it is written: which file is where in each state, and that what an
 * interrupted run left is replaced only by what has all of it.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sign/key_file.h"
#include "sign/manifest_signature.h"
#include "sign/manifest_writer.h"

static struct signer *key;
static X509 *certificate;

static int make_key(void **state)
{
	struct buffer pem;

	if (support_enter_directory(state) < 0 ||
	    support_run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			"-keyout key.pem -out key.crt -subj /CN=key -days 10 2>/dev/null") != 0)
		return -1;
	pem = support_read("key.pem");
	if (key_file_signer(buffer_bytes(&pem), "key.pem", &key, NULL) < 0 ||
	    certificate_load("key.crt", &certificate, NULL) < 0)
		return -1;
	buffer_free(&pem);
	return 0;
}

static int drop_key(void **state)
{
	key->close(key);
	X509_free(certificate);
	return support_leave_directory(state);
}

static struct manifest_header new_header(void)
{
	struct manifest_header header;

	assert_int_equal(manifest_begin(&header, &VERITY_PARAMETERS_DEFAULT, certificate, NULL), 0);
	return header;
}

static struct manifest_writer *open_writer(const char *path, bool resume)
{
	struct manifest_header header = new_header();
	struct manifest_writer *writer;
	struct assay_error err;

	if (manifest_writer_open(path, &header, certificate, resume, &writer, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

static void add_file(struct manifest_writer *writer, const char *path)
{
	struct manifest_entry entry = { .path = path, .pkcs7 = BYTES_LITERAL("x") }, old;
	CLEANUP(buffer_free) struct buffer line = { 0 };

	entry.digest = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	if (manifest_writer_previous(writer))
		assert_true(reuse_find(manifest_writer_previous(writer), path, &old, NULL) >= 0);
	manifest_writer_expect(writer);
	assert_int_equal(manifest_append_entry(&entry, &line, NULL), 0);
	assert_int_equal(manifest_writer_add(writer, buffer_bytes(&line), NULL), 0);
}

/* The paths in a manifest that may have no end, each with a space behind it. */
static void assert_paths(const char *name, const char *expected)
{
	char *paths = support_output("tail -n +2 %s | sed 's/^{\"path\":\"\\([^\"]*\\)\".*/\\1/' | "
				     "tr '\\n' ' '",
				     name);

	assert_string_equal(paths, expected);
	free(paths);
}

static void assert_files(const char *expected)
{
	char *files = support_output("ls -A | grep ^m | tr '\\n' ' '");

	assert_string_equal(files, expected);
	free(files);
}

static void a_manifest_is_in_place_only_once_it_is_signed(void **state)
{
	struct manifest_writer *writer = open_writer("m", true);
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	struct stat stat;
	int fd;

	(void)state;
	add_file(writer, "/a");
	fd = open("m.partial", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &stat) == 0);
	close(fd);
	assert_true(manifest_writer_owns(writer, &stat));
	assert_true(access("m", F_OK) < 0);
	assert_null(manifest_writer_partial(writer));
	assert_int_equal(manifest_writer_commit(writer, key, certificate, false, NULL), 0);
	assert_string_equal(manifest_writer_signature(writer), "m.p7s");
	manifest_writer_leave(writer);
	assert_null(manifest_writer_partial(writer));
	manifest_writer_free(writer);
	assert_files("m m.p7s ");
	assert_int_equal(manifest_read_signed("m", &text, &signature, NULL), 0);
	assert_int_equal(manifest_verify(buffer_bytes(&text), "m", buffer_bytes(&signature),
					 certificate, 0, NULL),
			 0);
	assert_int_equal(support_run("rm m m.p7s"), 0);
}

static void a_run_that_signed_nothing_leaves_nothing(void **state)
{
	struct manifest_writer *writer = open_writer("m", true);

	(void)state;
	manifest_writer_expect(writer);
	assert_int_equal(manifest_writer_add(writer, BYTES(NULL, 0), NULL), 0);
	manifest_writer_leave(writer);
	assert_null(manifest_writer_partial(writer));
	manifest_writer_free(writer);
	assert_files("");
}

static void what_was_left_is_replaced_only_by_what_has_all_of_it(void **state)
{
	struct manifest_writer *writer = open_writer("m", true);

	(void)state;
	add_file(writer, "/a");
	add_file(writer, "/b");
	manifest_writer_leave(writer);
	assert_string_equal(manifest_writer_partial(writer), "m.partial");
	manifest_writer_free(writer);
	assert_paths("m.partial", "/a /b ");

	/* Interrupted before it got that far: the older one stays. */
	writer = open_writer("m", true);
	assert_non_null(manifest_writer_previous(writer));
	add_file(writer, "/a");
	manifest_writer_leave(writer);
	assert_string_equal(manifest_writer_partial(writer), "m.partial");
	manifest_writer_free(writer);
	assert_paths("m.partial", "/a /b ");
	assert_files("m.partial ");

	/* Beyond its end: the new one is the partial one now. */
	writer = open_writer("m", true);
	add_file(writer, "/a");
	add_file(writer, "/b");
	add_file(writer, "/c");
	add_file(writer, "/d");
	manifest_writer_free(writer);
	assert_paths("m.partial", "/a /b /c /d ");
	assert_files("m.partial ");

	/* Not to be resumed: it is forgotten at once. */
	writer = open_writer("m", false);
	assert_null(manifest_writer_previous(writer));
	add_file(writer, "/x");
	manifest_writer_free(writer);
	assert_paths("m.partial", "/x ");

	writer = open_writer("m", true);
	add_file(writer, "/x");
	add_file(writer, "/y");
	assert_int_equal(manifest_writer_commit(writer, key, certificate, false, NULL), 0);
	manifest_writer_free(writer);
	assert_files("m m.p7s ");
	assert_paths("m", "/x /y ");
	assert_int_equal(support_run("rm m m.p7s"), 0);
}

static void two_runs_do_not_write_one_manifest(void **state)
{
	struct manifest_writer *first = open_writer("m", true), *second;
	struct manifest_header header = new_header();
	struct assay_error err = { 0 };

	(void)state;
	add_file(first, "/a");
	assert_int_equal(manifest_writer_open("m", &header, certificate, true, &second, &err),
			 -EBUSY);
	support_assert_error(&err, "another run is writing");
	manifest_writer_free(first);
	assert_int_equal(support_run("rm m.partial"), 0);
}

static void what_is_no_regular_file_is_no_manifest(void **state)
{
	struct manifest_header header = new_header();
	struct manifest_writer *writer;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_true(manifest_writer_open("/dev/stdout", &header, certificate, true, &writer, &err) <
		    0);
	assert_true(manifest_writer_open(".", &header, certificate, true, &writer, &err) < 0);
	support_assert_error(&err, "is a directory");
	assert_int_equal(support_run("ln -s real mlink"), 0);
	writer = open_writer("mlink", true);
	add_file(writer, "/a");
	assert_int_equal(manifest_writer_commit(writer, key, certificate, false, NULL), 0);
	manifest_writer_free(writer);
	assert_int_equal(support_run("[ -L mlink ] && [ -f real ] && [ ! -e real.partial ]"), 0);
	assert_paths("real", "/a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_is_in_place_only_once_it_is_signed),
		cmocka_unit_test(a_run_that_signed_nothing_leaves_nothing),
		cmocka_unit_test(what_was_left_is_replaced_only_by_what_has_all_of_it),
		cmocka_unit_test(two_runs_do_not_write_one_manifest),
		cmocka_unit_test(what_is_no_regular_file_is_no_manifest),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
