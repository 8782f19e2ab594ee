// SPDX-License-Identifier: MIT
/* lib/base: digests of bytes, whole or in pieces, by several threads at once. */
#include "support.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#include "base/digest.h"

/* FIPS 180-4's example of one block: "abc". */
static const struct {
	enum assay_hash hash;
	const char *hex;
} abc[] = {
	{ ASSAY_HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ ASSAY_HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ ASSAY_HASH_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			     "8086072ba1e7cc2358baeca134c825a7" },
	{ ASSAY_HASH_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

#define ROWS (sizeof(abc) / sizeof(abc[0]))

static void assert_abc(size_t row, const struct assay_digest *digest)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	assert_int_equal(digest->hash, abc[row].hash);
	hex_encode(BYTES(digest->bytes, digest->size), hex);
	assert_string_equal(hex, abc[row].hex);
}

static void digests_are_the_known_ones(void **state)
{
	const struct bytes pieces[] = { BYTES_LITERAL("a"), { 0 }, BYTES_LITERAL("bc") };

	(void)state;
	for (size_t row = 0; row < ROWS; row++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		struct assay_digest digest = { 0 };
		const struct bytes text = BYTES_LITERAL("abc");
		uint8_t room[ASSAY_DIGEST_MAX];
		const struct bytes in_place = BYTES(room, text.size);

		assert_int_equal(digest_bytes(abc[row].hash, BYTES_LITERAL("abc"), &digest, NULL),
				 0);
		assert_abc(row, &digest);
		digest = (struct assay_digest){ 0 };
		assert_int_equal(digest_pieces(abc[row].hash, pieces, 3, &digest, NULL), 0);
		assert_abc(row, &digest);
		/* The context has been used for another hash before, in the second round. */
		for (int round = 0; round < 2; round++) {
			memcpy(room, text.data, text.size);
			assert_int_equal(digest_write(context, abc[(row + 1) % ROWS].hash, pieces,
						      2, digest.bytes, NULL),
					 0);
			assert_int_equal(
				digest_write(context, abc[row].hash, &in_place, 1, room, NULL), 0);
			memcpy(digest.bytes, room, digest.size);
			assert_abc(row, &digest);
		}
		EVP_MD_CTX_free(context);
	}
}

static void an_unknown_hash_is_named(void **state)
{
	struct assay_digest digest = { .size = 99 };
	struct assay_error err = { 0 };

	(void)state;
	assert_null(digest_algorithm(ASSAY_HASH_NONE));
	assert_null(digest_algorithm((enum assay_hash)0x0012));
	assert_int_equal(digest_bytes((enum assay_hash)0x0012, BYTES_LITERAL("x"), &digest, &err),
			 -ENOTSUP);
	support_assert_error(&err, "hash algorithm 0x0012 is not known");
	assert_int_equal(digest.size, 99);
}

static void *fetch_all(void *context)
{
	for (int i = 0; i < 1000; i++)
		for (size_t row = 0; row < ROWS; row++) {
			struct assay_digest digest;

			((EVP_MD **)context)[row] = digest_algorithm(abc[row].hash);
			assert_int_equal(
				digest_bytes(abc[row].hash, BYTES_LITERAL("abc"), &digest, NULL),
				0);
			assert_abc(row, &digest);
		}
	return NULL;
}

/* Also under the thread sanitizer. It is the first test: what is raced for is the first call. */
static void threads_get_the_same_algorithms(void **state)
{
	EVP_MD *found[4][ROWS];
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fetch_all, found[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t row = 0; row < ROWS; row++)
		for (int i = 1; i < 4; i++)
			assert_ptr_equal(found[i][row], found[0][row]);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_get_the_same_algorithms),
		cmocka_unit_test(digests_are_the_known_ones),
		cmocka_unit_test(an_unknown_hash_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
