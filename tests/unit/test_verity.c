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

static struct verity_parameters parameters(enum assay_hash hash, uint32_t block_size,
					   size_t salt_size)
{
	struct verity_parameters made = { .hash = hash,
					  .block_size = block_size,
					  .salt_size = salt_size };

	support_fill(made.salt, salt_size, 7);
	return made;
}

/* FILE: what fs-verity's own program says of it */
static void assert_as_fsverity(const struct verity_parameters *made, const char *path,
			       const struct assay_digest *digest)
{
	char ours[VERITY_TEXT_MAX], salt[2 * VERITY_SALT_MAX + 1], *theirs;

	hex_encode(BYTES(made->salt, made->salt_size), salt);
	theirs = support_output("fsverity digest --compact --hash-alg=%s --block-size=%u%s%s %s",
				assay_hash_name(made->hash), made->block_size,
				made->salt_size ? " --salt=" : "", salt, path);
	verity_digest_text(digest, ours);
	if (strcmp(strchr(ours, ':') + 1, theirs) != 0)
		fail_msg("%s with %s, blocks of %u, salt \"%s\": %s, but fsverity: %s", path,
			 assay_hash_name(made->hash), made->block_size, salt, ours, theirs);
	free(theirs);
}

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
		char text[VERITY_TEXT_MAX];

		assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT,
						     BYTES(zeros, rows[i].size), "zeros", &digest,
						     NULL),
				 0);
		verity_digest_text(&digest, text);
		assert_int_equal(strncmp(text, rows[i].begin, strlen(rows[i].begin)), 0);
		assert_string_equal(text + strlen(text) - strlen(rows[i].end), rows[i].end);
	}
}

static void digests_agree_with_fsverity(void **state)
{
	/* Around each boundary: of blocks, of full tree blocks of one and two levels, and of
	 * what is read at a time. */
	static const size_t sizes[] = {
		0,	1,	1023,	1024,	 1025,	  4095,	   4096,    4097,
		16384,	16385,	32768,	32769,	 65536,	  65537,   262143,  262144,
		262145, 524288, 524289, 1048576, 1048577, 2097152, 2097153, 3000001,
	};
	static const uint32_t block_sizes[] = { 1024, 2048, 4096, 16384, 65536 };
	static const size_t salt_sizes[] = { 0, 1, 32 };
	const size_t capacity = 3000001;
	uint8_t *data;

	(void)state;
	if (!support_have("fsverity"))
		skip();
	data = malloc(capacity);
	assert_non_null(data);
	support_fill(data, capacity, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		support_write("data", BYTES(data, sizes[i]));
		for (size_t j = 0; j < sizeof(block_sizes) / sizeof(block_sizes[0]); j++) {
			for (size_t k = 0; k < 2 * 3; k++) {
				struct verity_parameters made =
					parameters(k % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256,
						   block_sizes[j], salt_sizes[k / 2]);
				struct assay_digest digest, of_fd;
				struct verity_hasher *hasher;
				uint64_t size = 1;
				int fd = open("data", O_RDONLY | O_CLOEXEC);

				assert_true(fd >= 0);
				assert_int_equal(verity_hasher_new(&made, &hasher, NULL), 0);
				assert_int_equal(
					verity_hash_fd(hasher, fd, "data", &of_fd, &size, NULL), 0);
				assert_true(size == sizes[i]);
				/* Again, so that a hasher starts each file anew. */
				assert_int_equal(verity_hash_bytes(hasher, BYTES(data, sizes[i]),
								   "data", &digest, NULL),
						 0);
				assert_true(verity_digest_equal(&digest, &of_fd));
				verity_hasher_free(hasher);
				close(fd);
				assert_as_fsverity(&made, "data", &digest);
			}
		}
	}
	free(data);
}

static void holes_are_zeros(void **state)
{
	const struct verity_parameters made = VERITY_PARAMETERS_DEFAULT;
	struct verity_hasher *hasher;
	struct assay_digest digest;
	int fd = open("hole", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	if (!support_have("fsverity"))
		skip();
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 70 * 1024 * 1024 + 5), 0);
	assert_int_equal(pwrite(fd, "x", 1, 33333333), 1);
	assert_int_equal(verity_hasher_new(&made, &hasher, NULL), 0);
	assert_int_equal(verity_hash_fd(hasher, fd, "hole", &digest, NULL, NULL), 0);
	verity_hasher_free(hasher);
	close(fd);
	assert_as_fsverity(&made, "hole", &digest);
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
	struct verity_parameters made = parameters(ASSAY_HASH_SHA512, 1024, 0);
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

static void options_are_taken_as_people_write_them(void **state)
{
	static const char *const bad_hashes[] = { "", "sha1", "sha384", "SHA256", "sha256 " };
	static const char *const bad_sizes[] = { "",	   "0",		 "512",
						 "4097",   "131072",	 "-4096",
						 "+4096",  " 4096",	 "4096k",
						 "0x1000", "4294971392", "18446744073709555712" };
	static const char *const bad_salts[] = {
		"0", "zz", "0x00",
		"000000000000000000000000000000000000000000000000000000000000000000"
	};
	struct verity_parameters made = VERITY_PARAMETERS_DEFAULT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_hashes) / sizeof(bad_hashes[0]); i++)
		assert_int_equal(verity_set_hash(&made, bad_hashes[i], NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
		assert_int_equal(verity_set_block_size(&made, bad_sizes[i], NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_salts) / sizeof(bad_salts[0]); i++)
		assert_int_equal(verity_set_salt(&made, bad_salts[i], NULL), -EINVAL);
	assert_memory_equal(&made, &VERITY_PARAMETERS_DEFAULT, sizeof(made));
	assert_int_equal(verity_set_hash(&made, "sha512", NULL), 0);
	assert_int_equal(verity_set_block_size(&made, "65536", NULL), 0);
	assert_int_equal(verity_set_salt(&made, "00fF", NULL), 0);
	assert_int_equal(made.hash, ASSAY_HASH_SHA512);
	assert_int_equal(made.block_size, 65536);
	assert_int_equal(made.salt_size, 2);
	assert_int_equal(made.salt[1], 0xff);
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
		char text[VERITY_TEXT_MAX];

		assert_int_equal(verity_digest_parse(good[i], &digest), 0);
		assert_string_equal(verity_digest_text(&digest, text), good[i]);
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

/* A pool's files come back in order, each with its own digest or its own error. */
static void a_pool_keeps_the_order(void **state)
{
	const size_t count = 500;
	struct verity_pool *pool;
	size_t put = 0, taken = 0;

	(void)state;
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 4, &pool, NULL), 0);
	while (taken < count) {
		struct assay_digest expected;
		struct verity_job job;
		char number[32];

		while (put < count && verity_pool_room(pool) > 0) {
			int fd;

			snprintf(number, sizeof(number), "n%zu", put);
			/* Every seventh is a directory. */
			fd = put % 7 == 6 ? open(".", O_RDONLY | O_CLOEXEC) :
					    open(number, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
			assert_true(fd >= 0);
			if (put % 7 != 6)
				assert_int_equal(ftruncate(fd, (off_t)(put * 997)), 0);
			verity_pool_put(pool, strdup(number), fd);
			put++;
		}
		verity_pool_take(pool, &job);
		snprintf(number, sizeof(number), "n%zu", taken);
		assert_string_equal(job.path, number);
		if (taken % 7 == 6) {
			assert_int_equal(job.result, -EISDIR);
			support_assert_error(&job.err, number);
		} else {
			uint8_t *zeros = calloc(1, taken * 997 + 1);

			assert_int_equal(job.result, 0);
			assert_int_equal(job.size, taken * 997);
			assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT,
							     BYTES(zeros, taken * 997), "zeros",
							     &expected, NULL),
					 0);
			assert_true(verity_digest_equal(&job.digest, &expected));
			free(zeros);
		}
		close(job.fd);
		free(job.path);
		taken++;
	}
	assert_int_equal(verity_pool_count(pool), 0);
	verity_pool_free(pool);
}

static void a_pool_that_is_dropped_closes_its_files(void **state)
{
	struct verity_pool *pool;
	int before, after;

	(void)state;
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 2, &pool, NULL), 0);
	while (verity_pool_room(pool) > 0) {
		int fd = open("pooled", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		verity_pool_put(pool, strdup("pooled"), fd);
	}
	verity_pool_free(pool);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
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
		cmocka_unit_test(digests_agree_with_fsverity),
		cmocka_unit_test(holes_are_zeros),
		cmocka_unit_test(data_that_is_not_as_long_as_said_is_refused),
		cmocka_unit_test(a_read_that_fails_is_passed_on),
		cmocka_unit_test(what_the_kernel_could_not_hold_is_refused),
		cmocka_unit_test(only_regular_files_have_a_digest),
		cmocka_unit_test(parameters_out_of_range_are_refused),
		cmocka_unit_test(options_are_taken_as_people_write_them),
		cmocka_unit_test(digests_are_read_as_they_are_written_only),
		cmocka_unit_test(formatted_digests_have_the_kernels_layout),
		cmocka_unit_test(a_pool_keeps_the_order),
		cmocka_unit_test(a_pool_that_is_dropped_closes_its_files),
		cmocka_unit_test(a_file_system_without_verity_is_explained),
		cmocka_unit_test(a_signature_too_long_for_the_kernel_is_refused),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
