// SPDX-License-Identifier: MIT
/* lib/sign/trust: several threads that check signatures with one trust, under TSAN. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "sign/ima_sig.h"
#include "sign/key_file.h"
#include "sign/trust.h"
#include "sign_fixture.h"

#define THREADS 4
#define COUNT 16
/* What they share is made in the beginning of each. */
#define ROUNDS 40

static struct {
	struct assay_digest digests[COUNT];
	struct buffer pkcs7[COUNT], ima[COUNT];
	X509 *certificate;
	struct trust *trust;
	pthread_barrier_t start;
} given;

static int make_signatures(void **state)
{
	struct signer *signer = NULL;
	struct buffer pem = { 0 };

	if (support_enter_directory(state) < 0 ||
	    support_run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			"-subj /CN=key -keyout key.pem -out key.crt -days 2 2>log") != 0)
		return -1;
	given.certificate = sign_fixture_certificate("key");
	pem = support_read("key.pem");
	assert_int_equal(key_file_signer(buffer_bytes(&pem), "key.pem", &signer, NULL), 0);
	for (size_t i = 0; i < COUNT; i++) {
		struct assay_digest *digest = &given.digests[i];

		*digest = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
		support_fill(digest->bytes, digest->size, (uint32_t)i);
		assert_int_equal(
			pkcs7_sign(signer, given.certificate, digest, &given.pkcs7[i], NULL), 0);
		assert_int_equal(
			ima_sig_sign(signer, given.certificate, digest, &given.ima[i], NULL), 0);
	}
	buffer_free(&pem);
	signer->close(signer);
	return 0;
}

static int forget_signatures(void **state)
{
	X509_free(given.certificate);
	for (size_t i = 0; i < COUNT; i++) {
		buffer_free(&given.pkcs7[i]);
		buffer_free(&given.ima[i]);
	}
	return support_leave_directory(state);
}

/* Each third one is of another file. */
static void *check_signatures(void *argument)
{
	bool *good = argument;

	pthread_barrier_wait(&given.start);
	for (size_t i = 0; i < COUNT; i++) {
		const struct assay_digest *digest = &given.digests[i % 3 ? i : (i + 1) % COUNT];
		int expected = i % 3 ? 0 : -EKEYREJECTED;
		X509 *signer = NULL;

		*good &= trust_verify_pkcs7(given.trust, buffer_bytes(&given.pkcs7[i]), digest,
					    &signer, NULL) == expected;
		*good &= (signer != NULL) == (expected == 0);
		X509_free(signer);
		*good &= trust_verify_ima(given.trust, buffer_bytes(&given.ima[i]), digest, NULL,
					  NULL, NULL) == expected;
	}
	return NULL;
}

static void threads_share_a_trust(void **state)
{
	pthread_t threads[THREADS];
	bool good[THREADS];

	(void)state;
	assert_int_equal(pthread_barrier_init(&given.start, NULL, THREADS), 0);
	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(trust_new(&given.trust, NULL), 0);
		assert_int_equal(trust_add(given.trust, given.certificate, TRUST_SIGNER, NULL), 0);
		for (int i = 0; i < THREADS; i++) {
			good[i] = true;
			assert_int_equal(
				pthread_create(&threads[i], NULL, check_signatures, &good[i]), 0);
		}
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		for (int i = 0; i < THREADS; i++)
			assert_true(good[i]);
		trust_free(given.trust);
	}
	pthread_barrier_destroy(&given.start);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(threads_share_a_trust) };

	return cmocka_run_group_tests(tests, make_signatures, forget_signatures);
}
