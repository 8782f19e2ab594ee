// SPDX-License-Identifier: MIT
/*
 * libassay-verify from several threads at once, under TSAN: one policy for all, and a verdict
 * that all read.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "assay-verify.h"
#include "support.h"

#define THREADS 4
#define ROUNDS 10

static const char waived[] = "{\"assay\": 1, \"type\": \"policy\", \"waive\": {\"boot-known\": "
			     "\"a test\", \"assay-log-chain\": \"a module before keys\"}}";

static struct {
	struct buffer evidence, nonce, ak, text, signature, certificate;
	struct assay_policy *policy;
	struct assay_verdict *shared;
	char *json;
} given;

static struct assay_verify_bytes lend(const struct buffer *buffer)
{
	return (struct assay_verify_bytes){ buffer->data, buffer->size };
}

static struct assay_verdict *judge(void)
{
	struct assay_verify_params params = {
		.version = ASSAY_VERIFY_PARAMS_VERSION,
		.flags = ASSAY_VERIFY_KEEP_FILES,
		.policy = given.policy,
		.evidence = lend(&given.evidence),
		.nonce = lend(&given.nonce),
		.ak_public = lend(&given.ak),
		.now = 1760000000,
	};
	struct assay_verdict *verdict = NULL;

	(void)assay_verify(&params, &verdict, NULL);
	return verdict;
}

/* As any program may look at a verdict. Return: whether it is the one that all are. */
static bool is_that(const struct assay_verdict *verdict)
{
	char *json = assay_verdict_json(verdict), *state = assay_verdict_state(verdict);
	bool good = json && state && strcmp(json, given.json) == 0 &&
		    assay_verdict_trusted(verdict) && assay_verdict_files(verdict) > 0;

	for (size_t i = 0; i < assay_verdict_checks(verdict); i++) {
		struct assay_verify_check check;

		good &= assay_verdict_check(verdict, i, &check) == ASSAY_VERIFY_OK &&
			strlen(check.detail) > 0;
	}
	for (size_t i = 0; i < assay_verdict_files(verdict); i++) {
		struct assay_verify_file file;

		good &= assay_verdict_file(verdict, i, &file) == ASSAY_VERIFY_OK &&
			memchr(file.path.data, '/', file.path.size) != NULL;
	}
	assay_verify_text_free(json);
	assay_verify_text_free(state);
	return good;
}

static void *judge_and_look(void *argument)
{
	bool *good = argument;

	for (int i = 0; i < ROUNDS; i++) {
		struct assay_verdict *verdict = judge();

		*good &= verdict && is_that(verdict) && is_that(given.shared);
		assay_verdict_free(verdict);
	}
	return NULL;
}

static void threads_share_a_policy_and_a_verdict(void **state)
{
	pthread_t threads[THREADS];
	bool good[THREADS];

	(void)state;
	given.shared = judge();
	assert_non_null(given.shared);
	given.json = assay_verdict_json(given.shared);
	assert_non_null(given.json);
	assert_int_equal(assay_verdict_trusted(given.shared), 1);
	for (int i = 0; i < THREADS; i++) {
		good[i] = true;
		assert_int_equal(pthread_create(&threads[i], NULL, judge_and_look, &good[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_true(good[i]);
	assay_verify_text_free(given.json);
	assay_verdict_free(given.shared);
}

/* Policies that share a manifest may go at the same time. */
static void *make_and_free(void *argument)
{
	struct assay_verify_bytes certificate = lend(&given.certificate);

	for (int i = 0; i < 100 * ROUNDS; i++) {
		struct assay_policy *policy = NULL;

		if (assay_policy_new((struct assay_verify_bytes){ NULL, 0 }, &policy, NULL) !=
			    ASSAY_VERIFY_OK ||
		    assay_policy_add_certificate(policy, ASSAY_POLICY_SIGNER, certificate, NULL) !=
			    ASSAY_VERIFY_OK ||
		    assay_policy_add_manifest(policy, argument, NULL) != ASSAY_VERIFY_OK)
			abort();
		assay_policy_free(policy);
	}
	return NULL;
}

static struct assay_manifest *read_manifest(void)
{
	struct assay_manifest_source source = { .name = "manifest.jsonl",
						.text = lend(&given.text),
						.signature = lend(&given.signature) };
	struct assay_verify_bytes certificate = lend(&given.certificate);
	struct assay_verify_message message = { "" };
	struct assay_manifest *manifest = NULL;

	if (assay_manifest_new(&source, &certificate, 1, &manifest, &message) != ASSAY_VERIFY_OK)
		fail_msg("%s", message.text);
	return manifest;
}

static void policies_share_a_manifest(void **state)
{
	struct assay_manifest *manifest = read_manifest();
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_free, manifest), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assay_manifest_free(manifest);
}

static int begin(void **state)
{
	struct assay_verify_bytes certificate;
	struct assay_manifest *manifest;

	(void)state;
	given.evidence = support_read("tests/data/evidence/evidence.json");
	given.nonce = support_read("tests/data/evidence/nonce");
	given.ak = support_read("tests/data/evidence/ak.pub");
	given.text = support_read("tests/data/evidence/manifest.jsonl");
	given.signature = support_read("tests/data/evidence/manifest.jsonl.p7s");
	given.certificate = support_read("tests/data/evidence/cert.pem");
	certificate = lend(&given.certificate);
	manifest = read_manifest();
	if (assay_policy_new((struct assay_verify_bytes){ waived, sizeof(waived) - 1 },
			     &given.policy, NULL) != ASSAY_VERIFY_OK ||
	    assay_policy_add_certificate(given.policy, ASSAY_POLICY_SIGNER, certificate, NULL) !=
		    ASSAY_VERIFY_OK ||
	    assay_policy_add_manifest(given.policy, manifest, NULL) != ASSAY_VERIFY_OK)
		return -1;
	assay_manifest_free(manifest);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assay_policy_free(given.policy);
	buffer_free(&given.evidence);
	buffer_free(&given.nonce);
	buffer_free(&given.ak);
	buffer_free(&given.text);
	buffer_free(&given.signature);
	buffer_free(&given.certificate);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_a_policy_and_a_verdict),
		cmocka_unit_test(policies_share_a_manifest),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
