// SPDX-License-Identifier: MIT
/*
 * lib/report: what a verdict says to relying parties, and how it is signed. What openssl and jq
 * read of an EAR is tests/e2e/test_ear.sh's.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

#include "report/ear.h"
#include "report/trust_vector.h"
#include "sign/jws.h"
#include "sign/key_file.h"
#include "verify_fixture.h"

static void add_boot(struct fixture *fixture)
{
	fixture_add_firmware(fixture);
	fixture->boot_named = true;
}

static void judge(fixture_change *change, enum fixture_stage stage, struct verdict *verdict)
{
	fixture_judge(stage, change, verdict);
}

static void old_nonce(struct fixture *fixture)
{
	fixture->input.nonce = BYTES((const uint8_t *)"another nonce of 20 bytes", 20);
}

static void what_a_verdict_says_of_each_claim(void **state)
{
	static const struct {
		const char *name;
		enum fixture_stage stage;
		fixture_change *change;
		enum trust_tier status;
		int value[TRUST_CLAIMS]; /* identity, configuration, executables, files, hardware */
	} rows[] = {
		{ "all that is known", BEFORE_PCRS, add_boot, TIER_AFFIRMING, { 2, 2, 2, 2, 2 } },
		{ "an old nonce",
		  AT_VERIFIER,
		  old_nonce,
		  TIER_CONTRAINDICATED,
		  { 99, 99, 99, 99, 99 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct verdict verdict;
		struct trust_vector vector;

		judge(rows[i].change, rows[i].stage, &verdict);
		vector = trust_vector_of(&verdict);
		for (int claim = 0; claim < TRUST_CLAIMS; claim++)
			if (vector.value[claim] != rows[i].value[claim])
				fail_msg("%s: %s is %d", rows[i].name,
					 trust_claim_name((enum trust_claim)claim),
					 vector.value[claim]);
		assert_int_equal(trust_status(&verdict, &vector), rows[i].status);
	}
}

/* AR4SI, 2.3.5: whichever check fails, the status is the worst, and some claim says so. */
static void each_check_that_fails_is_told(void **state)
{
	(void)state;
	for (int i = 0; i < CHECK_COUNT; i++) {
		static struct verdict verdict;
		struct trust_vector vector;
		bool told = false;

		memset(&verdict, 0, sizeof(verdict));
		verdict.required = CHECK_ALL;
		verdict.failed = CHECK_BIT(i);
		verdict.passed = CHECK_ALL & ~CHECK_BIT(i);
		vector = trust_vector_of(&verdict);
		assert_int_equal(trust_status(&verdict, &vector), TIER_CONTRAINDICATED);
		for (int claim = 0; claim < TRUST_CLAIMS; claim++)
			told |= trust_tier_of(vector.value[claim]) != TIER_AFFIRMING;
		if (!told)
			fail_msg("%s: every claim is affirmed", check_name((enum check)i));
		/* Where it is not required, it takes what it affirms with it, and no more. */
		verdict.required &= ~CHECK_BIT(i);
		vector = trust_vector_of(&verdict);
		for (int claim = 0; claim < TRUST_CLAIMS; claim++)
			assert_true(trust_tier_of(vector.value[claim]) < TIER_CONTRAINDICATED);
	}
}

static void a_verdict_without_anything_is_contraindicated(void **state)
{
	static const struct verdict nothing;
	struct trust_vector vector = trust_vector_of(&nothing);

	(void)state;
	for (int claim = 0; claim < TRUST_CLAIMS; claim++)
		assert_int_equal(vector.value[claim], 0);
	assert_int_equal(trust_status(&nothing, &vector), TIER_CONTRAINDICATED);
}

static void tiers_are_those_of_ar4si(void **state)
{
	static const struct {
		int least, most;
		enum trust_tier tier;
	} rows[] = { { -1, 1, TIER_NONE },
		     { 2, 31, TIER_AFFIRMING },
		     { -32, -2, TIER_AFFIRMING },
		     { 32, 95, TIER_WARNING },
		     { -96, -33, TIER_WARNING },
		     { 96, 127, TIER_CONTRAINDICATED },
		     { -128, -97, TIER_CONTRAINDICATED } };
	int count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int value = rows[i].least; value <= rows[i].most; value++, count++)
			assert_int_equal(trust_tier_of(value), rows[i].tier);
	assert_int_equal(count, 256);
}

/* ---------------------------------------------------------------- JWS */

static void base64url_is_that_of_the_rfc(void **state)
{
	/* RFC 7515, appendix C, and RFC 4648, section 10. */
	static const uint8_t octets[] = { 3, 236, 255, 224, 193 };
	static const struct {
		struct bytes bytes;
		const char *text;
	} rows[] = { { { octets, 5 }, "A-z_4ME" },     { BYTES_LITERAL(""), "" },
		     { BYTES_LITERAL("f"), "Zg" },     { BYTES_LITERAL("fo"), "Zm8" },
		     { BYTES_LITERAL("foo"), "Zm9v" }, { BYTES_LITERAL("foob"), "Zm9vYg" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = { 0 };

		jws_base64url(rows[i].bytes, &out);
		buffer_append_u8(&out, '\0');
		assert_string_equal((char *)out.data, rows[i].text);
		buffer_free(&out);
	}
}

static struct signer *open_signer(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	struct signer *signer;
	struct assay_error err;

	assert_non_null(key);
	if (key_file_wrap(key, curve, true, &signer, &err) < 0)
		fail_msg("%s", err.text);
	return signer;
}

/* R and S with leading zeros are as long as others: of many signatures each has 64 bytes. */
static void a_signature_has_both_numbers_at_full_length(void **state)
{
	struct signer *signer = open_signer("P-256");
	struct assay_error err;

	(void)state;
	for (int i = 0; i < 600; i++) {
		struct buffer out = { 0 };
		const uint8_t *dot;

		assert_int_equal(jws_sign(signer, "JWT", support_text("{}"), &out, &err), 0);
		dot = memrchr(out.data, '.', out.size);
		assert_non_null(dot);
		assert_int_equal(out.data + out.size - dot - 1, 86);
		buffer_free(&out);
	}
	signer->close(signer);
}

static void another_key_signs_nothing(void **state)
{
	struct signer *signer = open_signer("P-384");
	struct buffer out = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(jws_sign(signer, "JWT", support_text("{}"), &out, &err), -EINVAL);
	support_assert_error(&err, "cannot sign by ES256");
	assert_int_equal(out.size, 0);
	signer->close(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_verdict_says_of_each_claim),
		cmocka_unit_test(each_check_that_fails_is_told),
		cmocka_unit_test(a_verdict_without_anything_is_contraindicated),
		cmocka_unit_test(tiers_are_those_of_ar4si),
		cmocka_unit_test(base64url_is_that_of_the_rfc),
		cmocka_unit_test(a_signature_has_both_numbers_at_full_length),
		cmocka_unit_test(another_key_signs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
