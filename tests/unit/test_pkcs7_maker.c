// SPDX-License-Identifier: MIT
/* lib/sign: many built-in signatures by one key are the same as each made by itself. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/pkcs7.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "sign/key_file.h"
#include "sign/pkcs7.h"
#include "sign_fixture.h"
#include "verity/verity.h"

static const char *const kinds[] = { "p256", "p521", "rsa2048" };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
/* Enough for signatures of ECDSA of several lengths: each second one is a byte shorter or more. */
#define MANY 40

static int make_keys(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run(
		"(set -e\n"
		"for c in 256 521; do openssl genpkey -algorithm EC -pkeyopt "
		"ec_paramgen_curve:P-$c -out p$c.pem; done\n"
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa2048.pem\n"
		"for k in p256 p521 rsa2048; do openssl req -new -x509 -key $k.pem "
		"-subj /O=assay/CN=$k -days 10 -out $k.crt; done) >log 2>&1 || { cat log; exit 1; "
		"}");
}

static struct signer *open_key(const char *name)
{
	struct assay_error err = { 0 };
	struct signer *signer = NULL;
	struct buffer pem;
	char path[64];

	snprintf(path, sizeof(path), "%s.pem", name);
	pem = support_read(path);
	if (key_file_signer(buffer_bytes(&pem), path, &signer, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&pem);
	return signer;
}

static struct assay_digest some_digest(enum assay_hash hash, uint32_t seed)
{
	struct assay_digest digest = { .hash = hash, .size = assay_hash_size(hash) };

	support_fill(digest.bytes, digest.size, seed);
	return digest;
}

/* The signature's own bytes, behind which the structure has nothing. */
static struct bytes own_bytes(struct bytes der)
{
	const unsigned char *at = der.data;
	PKCS7 *pkcs7 = d2i_PKCS7(NULL, &at, (long)der.size);
	size_t size;

	assert_non_null(pkcs7);
	assert_ptr_equal(at, der.data + der.size);
	size = (size_t)ASN1_STRING_length(
		sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(pkcs7), 0)->enc_digest);
	PKCS7_free(pkcs7);
	return BYTES(der.data + der.size - size, size);
}

/* Gives a signature that was made before. */
struct again {
	struct signer signer;
	struct bytes signature;
};

static int sign_again(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		      struct assay_error *err)
{
	(void)digest;
	(void)err;
	buffer_append_bytes(out, ((struct again *)signer)->signature);
	return 0;
}

/* What is made of the same signature by itself. */
static struct buffer made_alone(X509 *certificate, bool inside, const struct assay_digest *digest,
				struct bytes signature)
{
	struct again again = { .signer = { .sign = sign_again }, .signature = signature };
	struct buffer out = { 0 };
	int r = (inside ? pkcs7_sign_with_certificate : pkcs7_sign)(&again.signer, certificate,
								    digest, &out, NULL);

	assert_int_equal(r, 0);
	return out;
}

static void check_with_openssl(const char *kind, bool inside, const struct assay_digest *digest,
			       struct bytes der)
{
	uint8_t room[VERITY_FORMATTED_MAX];

	support_write("signature", der);
	support_write("content", verity_formatted_digest(digest, room));
	assert_int_equal(support_run("openssl cms -verify -binary -inform DER -in signature "
				     "-content content -noverify %s %s.crt -out /dev/null "
				     "2>/dev/null",
				     inside ? "-CAfile" : "-nointern -certfile", kind),
			 0);
}

static void check_kind(const char *kind, bool inside)
{
	struct signer *signer = open_key(kind);
	X509 *certificate = sign_fixture_certificate(kind);
	struct pkcs7_maker *maker = NULL;

	assert_int_equal(pkcs7_maker_new(signer, certificate, inside, &maker, NULL), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		/* The hashes take turns, as the maker keeps what is of each. */
		struct assay_digest digest =
			some_digest(i % 3 == 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256, i);
		struct buffer ours = { 0 }, alone;

		/* It appends. */
		buffer_append_u8(&ours, 0x5a);
		assert_int_equal(pkcs7_maker_sign(maker, &digest, &ours, NULL), 0);
		assert_int_equal(ours.data[0], 0x5a);
		memmove(ours.data, ours.data + 1, --ours.size);
		alone = made_alone(certificate, inside, &digest, own_bytes(buffer_bytes(&ours)));
		assert_true(bytes_equal(buffer_bytes(&ours), buffer_bytes(&alone)));
		if (!inside)
			assert_int_equal(
				pkcs7_verify(buffer_bytes(&ours), &digest, certificate, NULL), 0);
		/* The last ones of each length are made of what was kept. */
		if (i + 6 > MANY)
			check_with_openssl(kind, inside, &digest, buffer_bytes(&ours));
		buffer_free(&ours);
		buffer_free(&alone);
	}
	pkcs7_maker_free(maker);
	X509_free(certificate);
	signer->close(signer);
}

static void many_are_the_same_as_each_made_by_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		check_kind(kinds[i], false);
		check_kind(kinds[i], true);
	}
}

#define THREADS 4

struct threads {
	struct pkcs7_maker *maker;
	X509 *certificate;
	pthread_barrier_t start;
};

static void *sign_many(void *argument)
{
	struct threads *threads = argument;
	uintptr_t good = 0;

	pthread_barrier_wait(&threads->start);
	for (uint32_t i = 0; i < MANY; i++) {
		struct assay_digest digest =
			some_digest(i % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256, i);
		struct buffer out = { 0 };

		good += pkcs7_maker_sign(threads->maker, &digest, &out, NULL) == 0 &&
			pkcs7_verify(buffer_bytes(&out), &digest, threads->certificate, NULL) == 0;
		buffer_free(&out);
	}
	return (void *)good;
}

static void threads_share_one(void **state)
{
	struct signer *signer = open_key("p256");
	struct threads threads = { .certificate = sign_fixture_certificate("p256") };
	pthread_t ids[THREADS];

	(void)state;
	assert_int_equal(pkcs7_maker_new(signer, threads.certificate, false, &threads.maker, NULL),
			 0);
	assert_int_equal(pthread_barrier_init(&threads.start, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, sign_many, &threads), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good = NULL;

		assert_int_equal(pthread_join(ids[i], &good), 0);
		assert_int_equal((uintptr_t)good, MANY);
	}
	pthread_barrier_destroy(&threads.start);
	pkcs7_maker_free(threads.maker);
	X509_free(threads.certificate);
	signer->close(signer);
}

static void what_cannot_be_signed_is_told(void **state)
{
	struct assay_digest sha1 = { .hash = ASSAY_HASH_SHA1, .size = 20 };
	struct signer *signer = open_key("p256");
	X509 *certificate = sign_fixture_certificate("p256");
	struct pkcs7_maker *maker = NULL;
	struct assay_error err = { 0 };
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(pkcs7_maker_new(signer, certificate, false, &maker, NULL), 0);
	assert_int_equal(pkcs7_maker_sign(maker, &sha1, &out, &err), -EINVAL);
	support_assert_error(&err, "fs-verity digests only");
	assert_int_equal(out.size, 0);
	pkcs7_maker_free(maker);
	pkcs7_maker_free(NULL);
	X509_free(certificate);
	signer->close(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_are_the_same_as_each_made_by_itself),
		cmocka_unit_test(threads_share_one),
		cmocka_unit_test(what_cannot_be_signed_is_told),
	};

	return cmocka_run_group_tests(tests, make_keys, support_leave_directory);
}
