// SPDX-License-Identifier: MIT
/*
 * lib/verity against the program `fsverity`: each way of hashing, around each border of blocks,
 * levels and pieces; and Merkle trees and descriptors.
 */
#define _GNU_SOURCE
#include "support.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verity/runs.h"
#include "verity/verity.h"
#include "verity/pool.h"
#include "verity_fixture.h"

#define SIZES_MAX 48

/* Options of fsverity for the same; in static memory. */
static const char *options(const struct verity_parameters *made)
{
	static char text[160];
	char salt[2 * VERITY_SALT_MAX + 1];

	hex_encode(BYTES(made->salt, made->salt_size), salt);
	snprintf(text, sizeof(text), "--hash-alg=%s --block-size=%u%s%s",
		 assay_hash_name(made->hash), made->block_size, made->salt_size ? " --salt=" : "",
		 salt);
	return text;
}

/* Files named by their sizes, those of up to @most bytes. */
static size_t make_files(const uint64_t *wanted, size_t count, uint64_t most, uint64_t *sizes)
{
	uint8_t *data = malloc(most);
	size_t kept = 0;

	assert_non_null(data);
	support_fill(data, most, 3);
	for (size_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "f%llu", (unsigned long long)wanted[i]);
		if (wanted[i] > most)
			continue;
		if (access(name, F_OK) < 0)
			support_write(name, BYTES(data, wanted[i]));
		sizes[kept++] = wanted[i];
	}
	free(data);
	return kept;
}

/* What fsverity says of all these files, one hexadecimal digest a line. */
static char *oracle(const struct verity_parameters *made, const uint64_t *sizes, size_t count)
{
	char names[SIZES_MAX * 16] = "";

	for (size_t i = 0; i < count; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " f%llu",
			 (unsigned long long)sizes[i]);
	return support_output("fsverity digest --compact %s%s", options(made), names);
}

static void assert_digest(const char *way, const struct verity_parameters *made, uint64_t size,
			  const struct assay_digest *digest, const char *line)
{
	char text[ASSAY_DIGEST_TEXT_MAX];
	size_t length = 2 * digest->size;

	assay_digest_text(digest, text);
	if (strncmp(strchr(text, ':') + 1, line, length) != 0 ||
	    (line[length] != '\n' && line[length] != '\0'))
		fail_msg("%llu bytes, %s, by %s: %s, but fsverity: %.*s", (unsigned long long)size,
			 options(made), way, text, (int)length, line);
}

static void compare_hasher(const char *way, const struct verity_parameters *made,
			   const uint64_t *sizes, size_t count, const char *lines)
{
	struct verity_hasher *hasher;

	assert_int_equal(verity_hasher_new_small(made, &hasher, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct assay_digest digest;
		char name[32];
		uint64_t size;
		int fd;

		snprintf(name, sizeof(name), "f%llu", (unsigned long long)sizes[i]);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(verity_hash_fd(hasher, fd, name, &digest, &size, NULL), 0);
		assert_true(size == sizes[i]);
		close(fd);
		assert_digest(way, made, size, &digest, lines + i * (2 * digest.size + 1));
	}
	verity_hasher_free(hasher);
}

static void compare_pool(const struct verity_parameters *made, unsigned int threads,
			 const uint64_t *sizes, size_t count, const char *lines)
{
	struct verity_pool *pool;

	assert_int_equal(verity_pool_new(made, threads, &pool, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		char *name;

		assert_true(asprintf(&name, "f%llu", (unsigned long long)sizes[i]) > 0);
		assert_true(verity_pool_room(pool) > 0);
		verity_pool_put(pool, name, -1);
	}
	for (size_t i = 0; i < count; i++) {
		struct verity_job job;

		verity_pool_take(pool, &job);
		assert_int_equal(job.result, 0);
		assert_true(job.size == sizes[i]);
		assert_digest("a pool", made, job.size, &job.digest,
			      lines + i * (2 * job.digest.size + 1));
		free(job.path);
	}
	verity_pool_free(pool);
}

static void compare_all(const struct verity_parameters *made, const uint64_t *sizes, size_t count)
{
	char *lines = oracle(made, sizes, count);
	const struct lanes_engine *engine;

	assert_int_equal(strlen(lines), count * (2 * assay_hash_size(made->hash) + 1) - 1);
	for (size_t i = 0; (engine = lanes_engine(i)); i++) {
		if (engine->hash != made->hash)
			continue;
		lanes_use_only(engine);
		compare_hasher(engine->name, made, sizes, count, lines);
		lanes_use_only(NULL);
	}
	compare_hasher("the best way", made, sizes, count, lines);
	/* Pools are for what a kernel can enable. */
	if (made->block_size >= VERITY_BLOCK_SIZE_MIN) {
		compare_pool(made, 1, sizes, count, lines);
		compare_pool(made, 3, sizes, count, lines);
	}
	free(lines);
}

static void every_way_agrees_with_fsverity_around_each_border(void **state)
{
	static const size_t salt_sizes[] = { 0, 1, 32 };

	(void)state;
	if (!support_have("fsverity"))
		skip();
	for (uint32_t bs = VERITY_BLOCK_SIZE_SMALL; bs <= VERITY_BLOCK_SIZE_MAX; bs *= 2) {
		for (int sha512 = 0; sha512 < (bs < 128 ? 1 : 2); sha512++) {
			uint64_t per_block = bs / (sha512 ? 64 : 32), one = bs * per_block;
			uint64_t two = one * per_block, three = two * per_block;
			/* What one block's hash covers, and a full tree of one, two and three
			 * levels; as many blocks as there are lanes; a piece of a large file. */
			const uint64_t wanted[] = {
				0,
				1,
				63,
				64,
				65,
				bs - 1,
				bs,
				bs + 1,
				2 * bs,
				3 * bs + 7,
				15 * bs,
				16 * bs,
				16 * bs + 1,
				17 * bs,
				33 * bs - 1,
				one - 1,
				one,
				one + 1,
				one + bs,
				one + bs + 1,
				2 * one + 5,
				two - 1,
				two,
				two + 1,
				two + one + 1,
				three - 1,
				three,
				three + 1,
				HASHER_PIECE - 1,
				HASHER_PIECE,
				HASHER_PIECE + 1,
				2 * HASHER_PIECE,
				2 * HASHER_PIECE + bs + 1,
			};
			uint64_t sizes[SIZES_MAX];
			size_t count = make_files(wanted, sizeof(wanted) / sizeof(wanted[0]),
						  2 * HASHER_PIECE + 65537, sizes);

			/* With salt, only how a block is hashed is different. */
			for (size_t i = 0; i < 3; i++) {
				struct verity_parameters made = verity_fixture_parameters(
					sha512 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256, bs,
					salt_sizes[i]);

				compare_all(&made, sizes, i == 0 ? count : 12);
			}
		}
	}
}

/* Sparse, with some bytes here and there. */
static void make_large(uint64_t size)
{
	int fd;

	unlink("large");
	fd = open("large", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (uint64_t at = 1234567; at + 4 < size; at += 7654321)
		assert_int_equal(pwrite(fd, "here", 4, (off_t)at), 4);
	close(fd);
}

static void large_files_agree_with_fsverity(void **state)
{
	/* Two and three full levels, and one byte more; blocks of which a piece has a few. */
	static const struct {
		enum assay_hash hash;
		uint32_t block_size;
		uint64_t size;
	} rows[] = {
		{ ASSAY_HASH_SHA256, 1024, 32 << 20 },
		{ ASSAY_HASH_SHA256, 1024, (32 << 20) + 1 },
		{ ASSAY_HASH_SHA512, 1024, 4 << 20 },
		{ ASSAY_HASH_SHA512, 1024, (4 << 20) + 1 },
		{ ASSAY_HASH_SHA256, 4096, (64 << 20) + 1 },
		{ ASSAY_HASH_SHA256, 65536, (128 << 20) + 1 },
		{ ASSAY_HASH_SHA512, 16384, 30000001 },
	};

	(void)state;
	if (!support_have("fsverity"))
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verity_parameters made =
			verity_fixture_parameters(rows[i].hash, rows[i].block_size, 32);
		struct verity_pool *pool;
		struct verity_job job;
		char *line;

		make_large(rows[i].size);
		line = support_output("fsverity digest --compact %s large", options(&made));
		assert_int_equal(verity_pool_new(&made, 3, &pool, NULL), 0);
		verity_pool_put(pool, strdup("large"), -1);
		verity_pool_take(pool, &job);
		verity_pool_free(pool);
		assert_int_equal(job.result, 0);
		assert_digest("a pool", &made, rows[i].size, &job.digest, line);
		free(job.path);
		free(line);
	}
}

/* A tree that is written to a file. */
static int write_tree(void *context, uint64_t offset, struct bytes blocks, struct assay_error *err)
{
	const int *fd = context;

	(void)err;
	assert_true(pwrite(*fd, blocks.data, blocks.size, (off_t)offset) == (ssize_t)blocks.size);
	return 0;
}

static void compare_output(const struct verity_output *output, int fd, const char *way)
{
	support_write("descriptor", BYTES(output->descriptor, sizeof(output->descriptor)));
	close(fd);
	if (support_run("cmp descriptor their-descriptor && cmp tree their-tree") != 0)
		fail_msg("%s: the tree or the descriptor is another one than fsverity's", way);
}

static void trees_and_descriptors_are_fsveritys(void **state)
{
	static const uint32_t block_sizes[] = { 1024, 4096, 65536 };

	(void)state;
	if (!support_have("fsverity"))
		skip();
	for (size_t i = 0; i < 2 * sizeof(block_sizes) / sizeof(block_sizes[0]); i++) {
		uint32_t bs = block_sizes[i / 2];
		struct verity_parameters made = verity_fixture_parameters(
			i % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256, bs, i % 2 ? 5 : 0);
		const uint64_t wanted[] = { 0,
					    1,
					    bs,
					    bs + 1,
					    20 * bs + 3,
					    33 * bs,
					    HASHER_PIECE,
					    HASHER_PIECE + 1,
					    5 * HASHER_PIECE + 12345 };
		uint64_t sizes[SIZES_MAX];
		size_t count = make_files(wanted, sizeof(wanted) / sizeof(wanted[0]),
					  5 * HASHER_PIECE + 12345, sizes);
		struct verity_hasher *hasher;
		struct verity_pool *pool;

		assert_int_equal(verity_hasher_new(&made, &hasher, NULL), 0);
		assert_int_equal(verity_pool_new(&made, 3, &pool, NULL), 0);
		for (size_t j = 0; j < count; j++) {
			int fd = open("tree", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			struct verity_output output = { .write = write_tree, .context = &fd };
			struct assay_digest digest;
			struct verity_job job;
			char *name;
			int file;

			assert_true(asprintf(&name, "f%llu", (unsigned long long)sizes[j]) > 0);
			assert_int_equal(
				support_run("fsverity digest %s --out-merkle-tree=their-tree "
					    "--out-descriptor=their-descriptor %s >/dev/null",
					    options(&made), name),
				0);
			file = open(name, O_RDONLY | O_CLOEXEC);
			assert_int_equal(verity_hash_fd_output(hasher, file, name, &output, &digest,
							       NULL, NULL),
					 0);
			close(file);
			compare_output(&output, fd, "a hasher");

			fd = open("tree", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			memset(output.descriptor, 0, sizeof(output.descriptor));
			verity_pool_put_output(pool, name, -1, &output);
			verity_pool_take(pool, &job);
			assert_int_equal(job.result, 0);
			assert_true(verity_digest_equal(&job.digest, &digest));
			compare_output(&output, fd, "a pool");
			free(job.path);
		}
		verity_pool_free(pool);
		verity_hasher_free(hasher);
	}
}

/* H(salt || block), with nothing of lib/verity. */
static void hash_simply(const struct verity_parameters *made, const uint8_t *block, uint8_t *digest)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md = made->hash == ASSAY_HASH_SHA512 ? EVP_sha512() : EVP_sha256();
	uint8_t salt[128] = { 0 };

	memcpy(salt, made->salt, made->salt_size);
	assert_true(EVP_DigestInit_ex(context, md, NULL));
	if (made->salt_size > 0)
		assert_true(EVP_DigestUpdate(context, salt, (size_t)EVP_MD_get_block_size(md)));
	assert_true(EVP_DigestUpdate(context, block, made->block_size));
	assert_true(EVP_DigestFinal_ex(context, digest, NULL));
	EVP_MD_CTX_free(context);
}

/* Any number of blocks, at any address, filled to any byte: with lanes left idle and without. */
static void each_lane_hashes_its_own_block(void **state)
{
	enum { BLOCKS = 37, BLOCK_SIZE = 1024 };
	static const size_t used[] = { 0, 1, 63, 64, 65, 511, 960, 1023, 1024 };
	static uint8_t data[BLOCKS][BLOCK_SIZE + 3];
	const struct lanes_engine *engine;

	(void)state;
	for (size_t index = 0; (engine = lanes_engine(index)); index++) {
		for (size_t salt_size = 0; salt_size < 2; salt_size++) {
			struct verity_parameters made =
				verity_fixture_parameters(engine->hash, BLOCK_SIZE, salt_size);
			struct lanes *lanes;

			lanes_use_only(engine);
			assert_int_equal(lanes_new(&made, &lanes, NULL), 0);
			lanes_use_only(NULL);
			for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
				const uint8_t *in[BLOCKS];
				uint8_t digests[BLOCKS][ASSAY_DIGEST_MAX], *out[BLOCKS];

				memset(data, 0, sizeof(data));
				for (size_t j = 0; j < BLOCKS; j++) {
					in[j] = data[j] + j % 4;
					support_fill(data[j] + j % 4, used[i], (uint32_t)j + 1);
					out[j] = digests[j];
				}
				for (size_t count = 0; count <= BLOCKS; count++) {
					memset(digests, 0, sizeof(digests));
					assert_int_equal(
						lanes_hash(lanes, count, in, out, used[i], NULL),
						0);
					for (size_t j = 0; j < BLOCKS; j++) {
						uint8_t right[ASSAY_DIGEST_MAX] = { 0 };

						if (j < count)
							hash_simply(&made, in[j], right);
						assert_memory_equal(digests[j], right,
								    ASSAY_DIGEST_MAX);
					}
				}
			}
			lanes_free(lanes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lane_hashes_its_own_block),
		cmocka_unit_test(every_way_agrees_with_fsverity_around_each_border),
		cmocka_unit_test(large_files_agree_with_fsverity),
		cmocka_unit_test(trees_and_descriptors_are_fsveritys),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
