// SPDX-License-Identifier: MIT
/* lib/verity: fs-verity digests, against known vectors and the program `fsverity`. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verity/enable.h"
#include "verity/pool.h"
#include "verity/verity.h"
#include "verity_fixture.h"

/* From the documentation and the tests of fs-verity: zeros, SHA-256, blocks of 4096. */
static void digests_of_zeros_are_the_known_ones(void **state)
{
	static const struct {
		size_t size;
		const char *begin, *end;
	} rows[] = {
		{ 0, "sha256:3d248ca542a24fc6", "1af95" },
		{ 1, "sha256:b803429503d95915", "0551" },
		{ 4096, "sha256:babc284ee4ffe7f4", "97e" },
	};
	static const uint8_t zeros[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_digest digest;
		char text[ASSAY_DIGEST_TEXT_MAX];

		assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT,
						     BYTES(zeros, rows[i].size), "zeros", &digest,
						     NULL),
				 0);
		assay_digest_text(&digest, text);
		assert_int_equal(strncmp(text, rows[i].begin, strlen(rows[i].begin)), 0);
		assert_string_equal(text + strlen(text) - strlen(rows[i].end), rows[i].end);
	}
}

struct source {
	uint64_t left;
	int fail_at_call, calls;
};

static ssize_t read_source(void *context, void *data, size_t size, struct assay_error *err)
{
	struct source *source = context;

	if (++source->calls == source->fail_at_call)
		return assay_fail(err, EIO, "the disk is on fire");
	if (size > source->left)
		size = (size_t)source->left;
	memset(data, 0, size);
	source->left -= size;
	return (ssize_t)size;
}

static void data_that_is_not_as_long_as_said_is_refused(void **state)
{
	static const uint64_t given[] = { 0, 1, 999999, 1000001, 1262144, 5000000 };
	struct verity_hasher *hasher;

	(void)state;
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct source source = { .left = given[i] };
		struct assay_digest digest = { .size = 99 };
		struct assay_error err = { 0 };

		assert_int_equal(
			verity_hash(hasher, read_source, &source, 1000000, "it", &digest, &err),
			-EIO);
		support_assert_error(&err, "it changed while it was read");
		assert_int_equal(digest.size, 99);
	}
	verity_hasher_free(hasher);
}

static void a_read_that_fails_is_passed_on(void **state)
{
	struct verity_hasher *hasher;

	(void)state;
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	for (int call = 1; call <= 4; call++) {
		struct source source = { .left = 1000000, .fail_at_call = call };
		struct assay_digest digest;
		struct assay_error err = { 0 };

		assert_int_equal(
			verity_hash(hasher, read_source, &source, 1000000, "it", &digest, &err),
			-EIO);
		support_assert_error(&err, "the disk is on fire");
	}
	verity_hasher_free(hasher);
}

static void what_the_kernel_could_not_hold_is_refused(void **state)
{
	struct verity_parameters made = verity_fixture_parameters(ASSAY_HASH_SHA512, 1024, 0);
	struct source source = { .left = 0 };
	struct verity_hasher *hasher;
	struct assay_digest digest;
	struct assay_error err = { 0 };

	(void)state;
	/* 16 hashes a block: 8 levels are full with 2^32 blocks of 1024 bytes. */
	assert_int_equal(verity_hasher_new(&made, &hasher, NULL), 0);
	assert_int_equal(
		verity_hash(hasher, read_source, &source, (1ULL << 42) + 1, "it", &digest, &err),
		-EFBIG);
	assert_int_equal(source.calls, 0);
	support_assert_error(&err, "larger blocks");
	assert_int_equal(verity_hash(hasher, read_source, &source, UINT64_MAX, "it", &digest, &err),
			 -EFBIG);
	/* One less, and it is read: only to find that it is shorter. */
	assert_int_equal(verity_hash(hasher, read_source, &source, 1ULL << 42, "it", &digest, &err),
			 -EIO);
	verity_hasher_free(hasher);
}

static void only_regular_files_have_a_digest(void **state)
{
	static const char *const paths[] = { ".", "/dev/null", "fifo" };
	struct verity_hasher *hasher;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct assay_error err = { 0 };
		struct assay_digest digest;
		int fd = open(paths[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_true(verity_hash_fd(hasher, fd, paths[i], &digest, NULL, &err) < 0);
		support_assert_error(&err, "only regular files");
		close(fd);
	}
	verity_hasher_free(hasher);
}

static void parameters_out_of_range_are_refused(void **state)
{
	static const struct verity_parameters rows[] = {
		{ .hash = ASSAY_HASH_NONE, .block_size = 4096 },
		{ .hash = ASSAY_HASH_SHA1, .block_size = 4096 },
		{ .hash = ASSAY_HASH_SHA384, .block_size = 4096 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 0 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 1 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 512 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 4095 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 131072 },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 0x80000000U },
		{ .hash = ASSAY_HASH_SHA256, .block_size = 4096, .salt_size = 33 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verity_hasher *hasher = NULL;
		struct assay_error err = { 0 };

		assert_int_equal(verity_hasher_new(&rows[i], &hasher, &err), -EINVAL);
		assert_null(hasher);
		support_assert_error(&err, "");
	}
}

static void block_sizes_are_taken_as_people_write_them(void **state)
{
	static const char *const bad_sizes[] = { "",	   "0",		 "512",
						 "4097",   "131072",	 "-4096",
						 "+4096",  " 4096",	 "4096k",
						 "0x1000", "4294971392", "18446744073709555712" };
	struct verity_parameters made = VERITY_PARAMETERS_DEFAULT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
		assert_int_equal(verity_set_block_size(&made, bad_sizes[i], NULL), -EINVAL);
	assert_memory_equal(&made, &VERITY_PARAMETERS_DEFAULT, sizeof(made));
	assert_int_equal(verity_set_block_size(&made, "65536", NULL), 0);
	assert_int_equal(made.block_size, 65536);
}

/* What no kernel enables must be asked for by its own name: a manifest must not come by it. */
static void small_blocks_are_for_those_who_ask_for_them(void **state)
{
	static const struct {
		enum assay_hash hash;
		uint32_t block_size;
		bool small, kernel;
	} rows[] = {
		{ ASSAY_HASH_SHA256, 32, false, false },
		{ ASSAY_HASH_SHA256, 63, false, false },
		{ ASSAY_HASH_SHA256, 64, true, false },
		{ ASSAY_HASH_SHA512, 64, false, false },
		{ ASSAY_HASH_SHA512, 128, true, false },
		{ ASSAY_HASH_SHA256, 512, true, false },
		{ ASSAY_HASH_SHA256, 1024, true, true },
		{ ASSAY_HASH_SHA512, 65536, true, true },
		{ ASSAY_HASH_SHA256, 131072, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verity_parameters made =
			verity_fixture_parameters(rows[i].hash, rows[i].block_size, 0);
		struct verity_hasher *hasher = NULL;
		struct verity_pool *pool = NULL;
		struct assay_error err = { 0 };
		int r = verity_hasher_new_small(&made, &hasher, &err);

		assert_int_equal(r, rows[i].small ? 0 : -EINVAL);
		if (r < 0)
			support_assert_error(&err, "block");
		verity_hasher_free(hasher);
		hasher = NULL;
		assert_int_equal(verity_hasher_new(&made, &hasher, NULL),
				 rows[i].kernel ? 0 : -EINVAL);
		verity_hasher_free(hasher);
		assert_int_equal(verity_pool_new(&made, 1, &pool, NULL),
				 rows[i].kernel ? 0 : -EINVAL);
		verity_pool_free(pool);
	}
}

static void digests_are_read_as_they_are_written_only(void **state)
{
#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	static const char *const bad[] = {
		"",
		":",
		"sha256",
		"sha256:",
		HEX32,
		"sha256:" HEX32 "00",
		"sha256:00",
		"sha512:" HEX32,
		"sha1:000102030405060708090a0b0c0d0e0f10111213",
		"sha384:" HEX32 "000102030405060708090a0b0c0d0e0f",
		"SHA256:" HEX32,
		" sha256:" HEX32,
		"sha256: " HEX32,
		"sha256:" HEX32 "\n",
		"sha256sha256sha256:" HEX32,
	};
	static const char *const good[] = { "sha256:" HEX32, "sha512:" HEX32 HEX32 };
	struct assay_digest digest = { .size = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(verity_digest_parse(bad[i], &digest), -EINVAL);
	assert_int_equal(digest.size, 99);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[ASSAY_DIGEST_TEXT_MAX];

		assert_int_equal(verity_digest_parse(good[i], &digest), 0);
		assert_string_equal(assay_digest_text(&digest, text), good[i]);
	}
}

static void formatted_digests_have_the_kernels_layout(void **state)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA512, .size = 64 };
	uint8_t room[VERITY_FORMATTED_MAX];
	struct bytes formatted;

	(void)state;
	memset(digest.bytes, 0xab, sizeof(digest.bytes));
	formatted = verity_formatted_digest(&digest, room);
	assert_int_equal(formatted.size, 76);
	assert_memory_equal(formatted.data, "FSVerity\x02\x00\x40\x00\xab", 13);
	digest.size = 32;
	assert_int_equal(verity_formatted_digest(&digest, room).size, 0);
	digest.hash = ASSAY_HASH_SHA256;
	assert_int_equal(verity_formatted_digest(&digest, room).size, 44);
	digest.hash = ASSAY_HASH_SHA1;
	assert_int_equal(verity_formatted_digest(&digest, room).size, 0);
}

/*
 * What the kernel answers on a file system without verity. That it can be enabled needs a
 * file system with it: see the tests in the guest.
 */
static void a_file_system_without_verity_is_explained(void **state)
{
	struct assay_error err = { 0 };
	struct assay_digest digest;
	int fd, r;

	(void)state;
	support_write("plain", BYTES_LITERAL("plain"));
	fd = open("plain", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	r = verity_enable(fd, &VERITY_PARAMETERS_DEFAULT, BYTES(NULL, 0), "plain", &err);
	if (r == 0) {
		close(fd);
		skip(); /* this one has it */
	}
	assert_true(r == -EOPNOTSUPP || r == -ENOTTY);
	support_assert_error(&err, "cannot enable verity for plain");
	support_assert_error(&err, r == -ENOTTY ? "use ext4" : "mke2fs -O verity");
	r = verity_measure(fd, "plain", &digest, &err);
	assert_true(r == -EOPNOTSUPP || r == -ENOTTY || r == -ENODATA);
	support_assert_error(&err, "plain");
	close(fd);
}

static void a_signature_too_long_for_the_kernel_is_refused(void **state)
{
	static const uint8_t signature[VERITY_SIGNATURE_MAX + 1];
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(verity_enable(-1, &VERITY_PARAMETERS_DEFAULT,
				       BYTES(signature, sizeof(signature)), "plain", &err),
			 -EMSGSIZE);
	support_assert_error(&err, "16128");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_of_zeros_are_the_known_ones),
		cmocka_unit_test(data_that_is_not_as_long_as_said_is_refused),
		cmocka_unit_test(a_read_that_fails_is_passed_on),
		cmocka_unit_test(what_the_kernel_could_not_hold_is_refused),
		cmocka_unit_test(only_regular_files_have_a_digest),
		cmocka_unit_test(parameters_out_of_range_are_refused),
		cmocka_unit_test(block_sizes_are_taken_as_people_write_them),
		cmocka_unit_test(small_blocks_are_for_those_who_ask_for_them),
		cmocka_unit_test(digests_are_read_as_they_are_written_only),
		cmocka_unit_test(formatted_digests_have_the_kernels_layout),
		cmocka_unit_test(a_file_system_without_verity_is_explained),
		cmocka_unit_test(a_signature_too_long_for_the_kernel_is_refused),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
