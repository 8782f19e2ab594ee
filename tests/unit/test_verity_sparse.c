// SPDX-License-Identifier: MIT
/*
 * lib/verity on files with holes: the digest is that of the same bytes without holes, and takes
 * the time of the data, whatever the file's size. Needs nothing but libcrypto, so that it also
 * runs under the thread sanitizer; where the program `fsverity` is, it is asked, too.
 */
#define _GNU_SOURCE
#include "support.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "verity/pool.h"
#include "verity/runs.h"
#include "verity/verity.h"
#include "verity_fixture.h"

#define TIB ((uint64_t)1 << 40)

/* ---------------------------------------------------------------- the digest, computed simply */

/**
 * struct nodes - the hashes of one height that are not over zeros only
 * @zero: those that are
 * @total: all of the height
 */
struct nodes {
	size_t count;
	uint64_t index[64];
	uint8_t hash[64][ASSAY_DIGEST_MAX];
	uint8_t zero[ASSAY_DIGEST_MAX];
	uint64_t total;
};

static void hash_simply(const struct verity_parameters *made, const uint8_t *data, size_t size,
			bool salted, uint8_t *digest)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md = made->hash == ASSAY_HASH_SHA512 ? EVP_sha512() : EVP_sha256();
	uint8_t salt[128] = { 0 };

	memcpy(salt, made->salt, made->salt_size);
	assert_true(EVP_DigestInit_ex(context, md, NULL));
	if (salted && made->salt_size > 0)
		assert_true(EVP_DigestUpdate(context, salt, (size_t)EVP_MD_get_block_size(md)));
	assert_true(EVP_DigestUpdate(context, data, size));
	assert_true(EVP_DigestFinal_ex(context, digest, NULL));
	EVP_MD_CTX_free(context);
}

/* The hashes of the height above: of each block with such a hash, and of the last one. */
static void raise_simply(const struct verity_parameters *made, const struct nodes *from,
			 struct nodes *to)
{
	size_t size = assay_hash_size(made->hash), per_block = made->block_size / size, used = 0;
	uint8_t *block = malloc(made->block_size);

	*to = (struct nodes){ .total = (from->total + per_block - 1) / per_block };
	for (size_t i = 0; i < per_block; i++)
		memcpy(block + i * size, from->zero, size);
	hash_simply(made, block, made->block_size, true, to->zero);
	while (used < from->count || to->count == 0 || to->index[to->count - 1] + 1 < to->total) {
		uint64_t index = used < from->count ? from->index[used] / per_block : to->total - 1;

		for (size_t i = 0; i < per_block; i++)
			if (index * per_block + i < from->total)
				memcpy(block + i * size, from->zero, size);
			else
				memset(block + i * size, 0, size);
		for (; used < from->count && from->index[used] / per_block == index; used++)
			memcpy(block + from->index[used] % per_block * size, from->hash[used],
			       size);
		assert_true(to->count < 64);
		to->index[to->count] = index;
		hash_simply(made, block, made->block_size, true, to->hash[to->count++]);
	}
	free(block);
}

/* The digest of zeros with a letter at each of @count offsets, each in a block of its own. */
static void digest_simply(const struct verity_parameters *made, uint64_t size,
			  const uint64_t *offsets, size_t count, struct assay_digest *ret)
{
	uint8_t *block = calloc(1, made->block_size), descriptor[VERITY_DESCRIPTOR_SIZE];
	struct nodes *now = calloc(2, sizeof(*now)), *next = now + 1, *both = now;

	now->total = (size + made->block_size - 1) / made->block_size;
	hash_simply(made, block, made->block_size, true, now->zero);
	for (size_t i = 0; i < count; i++) {
		memset(block, 0, made->block_size);
		block[offsets[i] % made->block_size] = 'x';
		now->index[i] = offsets[i] / made->block_size;
		hash_simply(made, block, made->block_size, true, now->hash[i]);
	}
	now->count = count;
	while (now->total > 1) {
		struct nodes *before = now;

		raise_simply(made, now, next);
		now = next;
		next = before;
	}
	merkle_descriptor(made, size, now->count > 0 ? now->hash[0] : now->zero, descriptor);
	*ret = (struct assay_digest){ .hash = made->hash, .size = assay_hash_size(made->hash) };
	hash_simply(made, descriptor, sizeof(descriptor), false, ret->bytes);
	free(both);
	free(block);
}

/* ---------------------------------------------------------------- files */

static int make_sparse(uint64_t size)
{
	int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void by_pool(const struct verity_parameters *made, unsigned int threads, uint64_t size,
		    struct assay_digest *ret)
{
	struct verity_pool *pool;
	struct verity_job job;

	assert_int_equal(verity_pool_new(made, threads, &pool, NULL), 0);
	verity_pool_put(pool, strdup("sparse"), -1);
	verity_pool_take(pool, &job);
	verity_pool_free(pool);
	assert_int_equal(job.result, 0);
	assert_true(job.size == size);
	*ret = job.digest;
	free(job.path);
}

static void assert_same(const char *way, const struct verity_parameters *made, uint64_t size,
			const struct assay_digest *is, const struct assay_digest *right)
{
	char a[ASSAY_DIGEST_TEXT_MAX], b[ASSAY_DIGEST_TEXT_MAX];

	if (!verity_digest_equal(is, right))
		fail_msg("%llu bytes in blocks of %u, by %s: %s, not %s", (unsigned long long)size,
			 made->block_size, way, assay_digest_text(is, a),
			 assay_digest_text(right, b));
}

static ssize_t read_all(void *context, void *data, size_t size, struct assay_error *err)
{
	int fd = *(const int *)context;
	ssize_t got = read(fd, data, size);

	(void)err;
	assert_true(got >= 0);
	return got;
}

/* The one that reads all of the file, whatever holes it has, is the measure of the others. */
static void compare(const struct verity_parameters *made, int fd, uint64_t size)
{
	struct assay_digest right, digest;
	struct verity_hasher *hasher;

	assert_int_equal(verity_hasher_new_small(made, &hasher, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(verity_hash(hasher, read_all, &fd, size, "read", &right, NULL), 0);
	assert_int_equal(lseek(fd, 77, SEEK_SET), 77);
	assert_int_equal(verity_hash_fd(hasher, fd, "sparse", &digest, NULL, NULL), 0);
	assert_same("a hasher", made, size, &digest, &right);
	/* The position is the caller's. */
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 77);
	verity_hasher_free(hasher);
	if (made->block_size >= VERITY_BLOCK_SIZE_MIN) {
		by_pool(made, 1, size, &digest);
		assert_same("one thread", made, size, &digest, &right);
		by_pool(made, 3, size, &digest);
		assert_same("three threads", made, size, &digest, &right);
	}
	if (support_have("fsverity")) {
		char hex[2 * ASSAY_DIGEST_MAX + 1], salt[2 * VERITY_SALT_MAX + 1];
		char *line;

		hex_encode(BYTES(made->salt, made->salt_size), salt);
		hex_encode(BYTES(right.bytes, right.size), hex);
		line = support_output("fsverity digest --compact --hash-alg=%s --block-size=%u%s%s"
				      " sparse",
				      assay_hash_name(made->hash), made->block_size,
				      made->salt_size ? " --salt=" : "", salt);
		assert_string_equal(line, hex);
		free(line);
	}
}

/* ---------------------------------------------------------------- the tests */

static void holes_are_zeros_wherever_they_are(void **state)
{
	static const uint32_t block_sizes[] = { 64, 512, 1024, 4096, 16384, 65536 };
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		struct verity_parameters made = verity_fixture_parameters(
			i % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256,
			block_sizes[support_random(&random) % 6], i % 3 ? 0 : 5);
		uint64_t size = support_random(&random) % (9 * HASHER_PIECE) + 1;
		unsigned int runs = support_random(&random) % 9;
		int fd;

		if (made.block_size < 2 * assay_hash_size(made.hash))
			made.block_size = 512;
		/* Also whole pieces, and pages. */
		if (i % 4 == 0)
			size = (size / HASHER_PIECE + 2) * HASHER_PIECE;
		else if (i % 4 == 1)
			size = (size / 4096 + 1) * 4096;
		fd = make_sparse(size);
		for (unsigned int run = 0; run < runs; run++) {
			static uint8_t data[3 * HASHER_PIECE / 2];
			uint64_t at = support_random(&random) % size;
			uint64_t length =
				support_random(&random) % (run % 2 ? sizeof(data) : (size_t)5000);

			if (length > size - at)
				length = size - at;
			support_fill(data, length, run + 1);
			assert_true(pwrite(fd, data, length, (off_t)at) == (ssize_t)length);
		}
		compare(&made, fd, size);
		close(fd);
	}
}

/* Every other page is a hole: as many changes between data and holes as there can be. */
static void a_file_may_have_many_holes(void **state)
{
	const uint64_t size = 5 * HASHER_PIECE + 4096;
	int fd = make_sparse(size);

	(void)state;
	for (uint64_t at = 0; at < size; at += 8192)
		assert_int_equal(pwrite(fd, "page", 4, (off_t)at), 4);
	compare(&VERITY_PARAMETERS_DEFAULT, fd, size);
	close(fd);
}

/*
 * No machine reads a TiB in that time. Where the file system takes no
 * file of so many bytes, a smaller one does.
 */
static void a_huge_file_takes_the_time_of_its_data(void **state)
{
	static const struct {
		enum assay_hash hash;
		uint32_t block_size;
	} rows[] = {
		{ ASSAY_HASH_SHA256, 4096 },
		{ ASSAY_HASH_SHA512, 4096 },
		{ ASSAY_HASH_SHA256, 65536 },
		{ ASSAY_HASH_SHA256, 1024 },
	};
	const uint64_t sizes[] = { TIB, TIB + 1, TIB - 5000, 15 * TIB + 123456789 };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t size = sizes[i / 2];
		/* With nothing in it at all, and with some bytes. */
		const uint64_t offsets[] = { 5, HASHER_PIECE * 1000 + 70000, size / 3,
					     size / 2 + 12345678, size - 1 };
		size_t count = i % 2 ? sizeof(offsets) / sizeof(offsets[0]) : 0;
		int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		if (ftruncate(fd, (off_t)size) < 0) {
			print_message("# no file of %llu bytes here\n", (unsigned long long)size);
			close(fd);
			continue;
		}
		for (size_t j = 0; j < count; j++)
			assert_int_equal(pwrite(fd, "x", 1, (off_t)offsets[j]), 1);
		for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
			struct verity_parameters made = verity_fixture_parameters(
				rows[row].hash, rows[row].block_size, row % 2 ? 3 : 0);
			struct assay_digest right, digest;
			struct verity_hasher *hasher;
			double from;

			digest_simply(&made, size, offsets, count, &right);
			assert_int_equal(verity_hasher_new(&made, &hasher, NULL), 0);
			from = seconds();
			assert_int_equal(verity_hash_fd(hasher, fd, "sparse", &digest, NULL, NULL),
					 0);
			assert_same("a hasher", &made, size, &digest, &right);
			by_pool(&made, 2, size, &digest);
			assert_same("a pool", &made, size, &digest, &right);
			/* All of its bytes would take a quarter of an hour. */
			assert_true(seconds() - from < 60);
			verity_hasher_free(hasher);
		}
		close(fd);
	}
	unlink("sparse");
}

static int count_blocks(void *context, uint64_t offset, struct bytes blocks,
			struct assay_error *err)
{
	(void)offset;
	(void)err;
	__atomic_fetch_add((uint64_t *)context, blocks.size, __ATOMIC_RELAXED);
	return 0;
}

static void a_tree_is_written_without_holes(void **state)
{
	const uint64_t size = 20 * HASHER_PIECE + 4096;
	int fd = make_sparse(size);
	uint64_t written = 0;
	struct verity_output output = { .write = count_blocks, .context = &written };
	struct assay_digest digest, right;
	struct verity_hasher *hasher;
	struct verity_pool *pool;
	struct verity_job job;
	struct merkle merkle;

	(void)state;
	assert_int_equal(merkle_plan(&VERITY_PARAMETERS_DEFAULT, size, &merkle), 0);
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	assert_int_equal(verity_hash_fd(hasher, fd, "sparse", &right, NULL, NULL), 0);
	assert_int_equal(verity_hash_fd_output(hasher, fd, "sparse", &output, &digest, NULL, NULL),
			 0);
	assert_true(verity_digest_equal(&digest, &right));
	assert_true(written == merkle.tree_size);
	written = 0;
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 3, &pool, NULL), 0);
	verity_pool_put_output(pool, strdup("sparse"), -1, &output);
	verity_pool_take(pool, &job);
	verity_pool_free(pool);
	free(job.path);
	assert_int_equal(job.result, 0);
	assert_true(verity_digest_equal(&job.digest, &right));
	assert_true(written == merkle.tree_size);
	verity_hasher_free(hasher);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_zeros_wherever_they_are),
		cmocka_unit_test(a_file_may_have_many_holes),
		cmocka_unit_test(a_huge_file_takes_the_time_of_its_data),
		cmocka_unit_test(a_tree_is_written_without_holes),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
