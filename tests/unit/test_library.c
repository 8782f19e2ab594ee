// SPDX-License-Identifier: MIT
/* libassay-verify gives lib/verify's verdicts, and takes nothing that it does not know. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "assay-verify.h"
#include "support.h"
#include "verify_fixture.h"

static struct assay_verify_bytes lend(struct bytes bytes)
{
	return (struct assay_verify_bytes){ bytes.data, bytes.size };
}

/* What a fixture has, as the library wants it; @der is freed by given_free(). */
struct given {
	struct fixture fixture;
	struct assay_verify_manifest manifest;
	struct assay_verify_bytes certificate;
	unsigned char *der;
	struct assay_verify_params params;
};

#define WITHOUT_BOOT "{\"assay\": 1, \"type\": \"policy\", \"waive\": {\"boot-known\": \"a test\"}}"

static void given_begin(struct given *given, enum fixture_stage stage, fixture_change *change)
{
	const struct verify_input *input = &given->fixture.input;
	int size;

	memset(given, 0, sizeof(*given));
	fixture_begin(&given->fixture);
	fixture_build(&given->fixture, stage, change);
	size = i2d_X509(given->fixture.certificates[0], &given->der);
	assert_true(size > 0);
	given->certificate = (struct assay_verify_bytes){ given->der, (size_t)size };
	given->manifest.name = given->fixture.manifest.name;
	given->manifest.text = lend(given->fixture.manifest.text);
	given->manifest.signature = lend(given->fixture.manifest.signature);
	given->params.version = ASSAY_VERIFY_PARAMS_VERSION;
	given->params.evidence = lend(input->evidence);
	given->params.nonce = lend(input->nonce);
	given->params.ak_public = lend(input->ak_public);
	given->params.ak_qualified_name = lend(input->ak_qualified_name);
	given->params.now = input->now;
	given->params.nonce_issued = input->nonce_issued;
	given->params.manifests = &given->manifest;
	given->params.manifest_count = 1;
	given->params.certificates = &given->certificate;
	given->params.certificate_count = 1;
	/* Nothing measured these boots. */
	given->params.policy = lend(BYTES_LITERAL(WITHOUT_BOOT));
}

static void given_free(struct given *given)
{
	OPENSSL_free(given->der);
	fixture_free(&given->fixture);
}

static struct assay_verdict *judge(const struct given *given)
{
	struct assay_verify_error error = { "" };
	struct assay_verdict *verdict = NULL;

	if (assay_verify(&given->params, &verdict, &error) != 0)
		fail_msg("%s", error.text);
	return verdict;
}

static void good_evidence_is_trusted(void **state)
{
	static struct given given;
	struct assay_verify_check check;
	struct assay_verdict *verdict;

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	verdict = judge(&given);
	assert_int_equal(assay_verdict_trusted(verdict), 1);
	assert_int_equal(assay_verdict_checks(verdict), CHECK_COUNT);
	assert_int_equal(assay_verdict_reason(verdict), CHECK_COUNT);
	assert_int_equal(assay_verdict_check(verdict, CHECK_QUOTE_NONCE, &check), 0);
	assert_string_equal(check.name, "quote-nonce");
	assert_int_equal(check.result, ASSAY_VERIFY_PASS);
	assert_int_equal(check.required, 1);
	assert_true(strlen(check.question) > 0 && strlen(check.detail) > 0);
	assert_int_equal(assay_verdict_check(verdict, CHECK_COUNT, &check), -ERANGE);
	assert_non_null(strstr(assay_verdict_json(verdict), "\"trusted\": true"));
	assert_ptr_equal(assay_verdict_json(verdict), assay_verdict_json(verdict));
	assert_string_equal(assay_verify_version(), ASSAY_VERSION);
	assay_verdict_free(verdict);
	assay_verdict_free(NULL);
	given_free(&given);
}

/* Row by row, the library says what verify() says. */
static void verdicts_are_those_of_the_verifier(void **state)
{
	size_t rows = 0;

	(void)state;
	for (const struct bad_row *row = bad_quotes; row->name && rows < 60; row++, rows++) {
		static struct given given;
		static struct verdict expected;
		struct verify_policy policy;
		struct assay_verdict *verdict;

		/* The policy of a fixture is none that was read. */
		if (row->stage == AT_VERIFIER)
			continue;
		given_begin(&given, row->stage, row->change);
		verify_policy_default(&policy);
		policy.required &= ~CHECK_BIT(CHECK_BOOT_KNOWN);
		given.fixture.input.state = NULL;
		verify(&given.fixture.input, &policy, &expected);
		verdict = judge(&given);
		assert_int_equal(assay_verdict_trusted(verdict), verdict_trusted(&expected));
		assert_int_equal(assay_verdict_reason(verdict), verdict_reason(&expected));
		for (size_t i = 0; i < CHECK_COUNT; i++) {
			struct assay_verify_check check;

			assert_int_equal(assay_verdict_check(verdict, i, &check), 0);
			assert_string_equal(check.detail, expected.detail[i]);
			assert_int_equal(check.result == ASSAY_VERIFY_PASS,
					 (expected.passed >> i) & 1);
			assert_int_equal(check.result == ASSAY_VERIFY_FAIL,
					 (expected.failed >> i) & 1);
		}
		if (!assay_verdict_trusted(verdict))
			assert_null(assay_verdict_state(verdict));
		assay_verdict_free(verdict);
		given_free(&given);
	}
}

/* The state of one verdict is taken by the next, which sees the same quote again. */
static void a_state_goes_from_verdict_to_verdict(void **state)
{
	static struct given given;
	struct assay_verify_check check;
	struct assay_verdict *first, *second;

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	first = judge(&given);
	assert_non_null(assay_verdict_state(first));
	given.params.state = lend(support_text(assay_verdict_state(first)));
	second = judge(&given);
	assert_int_equal(assay_verdict_trusted(second), 0);
	assert_int_equal(assay_verdict_check(second, assay_verdict_reason(second), &check), 0);
	assert_string_equal(check.name, "quote-counters");
	assay_verdict_free(second);
	assay_verdict_free(first);
	given_free(&given);
}

static void refused(const struct given *given, int expected, const char *part)
{
	struct assay_verify_error error = { "" };
	struct assay_verdict *verdict = NULL;

	assert_int_equal(assay_verify(&given->params, &verdict, &error), expected);
	assert_null(verdict);
	if (!strstr(error.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, error.text);
	assert_int_equal(assay_verify(&given->params, &verdict, NULL), expected);
}

static void parameters_that_are_off(void **state)
{
	static struct given given;

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	given.params.version = 0;
	refused(&given, -EINVAL, "of version 0; this library takes version 1");
	given.params.version = 2;
	refused(&given, -EINVAL, "of version 2");
	given.params.version = 1;
	given.params.flags = 1;
	refused(&given, -EINVAL, "must be 0");
	given.params.flags = 0;
	given.params.reserved[15] = 1;
	refused(&given, -EINVAL, "must be 0");
	given.params.reserved[15] = 0;
	given.manifest.reserved[0] = 1;
	refused(&given, -EINVAL, "manifests must be 0");
	given.manifest.reserved[0] = 0;
	given.params.policy = lend(BYTES_LITERAL("{"));
	refused(&given, -EBADMSG, "JSON");
	given.params.policy = lend(BYTES_LITERAL("{}"));
	refused(&given, -EBADMSG, "");
	given.params.policy = (struct assay_verify_bytes){ NULL, 0 };
	given.params.state = lend(BYTES_LITERAL("{}"));
	refused(&given, -EBADMSG, "");
	given.params.state = (struct assay_verify_bytes){ NULL, 0 };
	given.certificate.size--;
	refused(&given, -EBADMSG, "certificate 0");
	given_free(&given);
}

/* Nothing at all has a verdict, too. */
static void without_anything_nothing_is_trusted(void **state)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION };
	struct assay_verdict *verdict;

	(void)state;
	assert_int_equal(assay_verify(&params, &verdict, NULL), 0);
	assert_int_equal(assay_verdict_trusted(verdict), 0);
	assert_int_equal(assay_verdict_reason(verdict), CHECK_EVIDENCE_PARSED);
	assay_verdict_free(verdict);
}

/* The program's errors, of which the first is marked, are there afterwards. */
static void errors_of_the_program_stay(void **state)
{
	(void)state;
	for (const struct bad_row *row = bad_quotes; row->name; row++) {
		static struct given given;

		if (row->stage == AT_VERIFIER)
			continue;
		given_begin(&given, row->stage, row->change);
		ERR_clear_error();
		ERR_raise_data(ERR_LIB_USER, 1, "the first");
		assert_int_equal(ERR_set_mark(), 1);
		ERR_raise_data(ERR_LIB_USER, 2, "the second");
		assay_verdict_free(judge(&given));
		if (ERR_GET_REASON(ERR_peek_last_error()) != 2)
			fail_msg("%s leaves an error", row->name);
		assert_int_equal(ERR_pop_to_mark(), 1);
		assert_int_equal(ERR_GET_REASON(ERR_get_error()), 1);
		assert_int_equal(ERR_get_error(), 0);
		given_free(&given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_evidence_is_trusted),
		cmocka_unit_test(verdicts_are_those_of_the_verifier),
		cmocka_unit_test(a_state_goes_from_verdict_to_verdict),
		cmocka_unit_test(parameters_that_are_off),
		cmocka_unit_test(without_anything_nothing_is_trusted),
		cmocka_unit_test(errors_of_the_program_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
