// SPDX-License-Identifier: MIT
/*
 * lib/verify on quotes of other projects' TPMs (tests/data/quote): what is good is
 * accepted, a certification in a quote's place is not.
 */
#define _GNU_SOURCE /* open_memstream() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_builder.h"
#include "verify/evidence.h"
#include "verify/key.h"
#include "verify/verify.h"

/* Everything up to the PCR values: these quotes come without logs. */
#define QUOTE_CHECKS (CHECK_BIT(CHECK_ASSAY_LOG_PARSED) - 1)

#define KEYLIME "quote/keylime-test-data/"
#define VERAISON "quote/veraison-parsec-tpm/"

static struct buffer hex(const char *text)
{
	struct buffer out = { 0 };
	void *place = buffer_reserve(&out, strlen(text));

	assert_non_null(place);
	assert_int_equal(hex_decode(text, place, strlen(text), &out.size), 0);
	return out;
}

static void judge(struct evidence *evidence, struct bytes enrolled, struct bytes nonce,
		  uint32_t pcrs, struct verdict *ret)
{
	struct verify_policy policy;
	struct verify_input input;
	struct assay_error err;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	if (evidence_write(stream, evidence, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fclose(stream), 0);
	verify_policy_default(&policy);
	/* Without those that need what only a policy says. */
	policy.required &= QUOTE_CHECKS & ~CHECK_BIT(CHECK_BOOT_KNOWN);
	policy.pcrs = pcrs;
	policy.nonce_size = 8;
	input = (struct verify_input){ .evidence = BYTES((uint8_t *)text, size),
				       .nonce = nonce,
				       .ak_public = enrolled };
	verify(&input, &policy, ret);
	free(text);
}

static void begin(struct evidence *evidence, const char *attest, const char *signature)
{
	*evidence = (struct evidence){ .boot_id = "01234567-89ab-cdef-0123-456789abcdef" };
	evidence->nonce = hex("00");
	evidence->attest = log_test_data(attest);
	evidence->signature = log_test_data(signature);
}

/*
 * tpm2-tools' file of PCR values: the C structs as they are in memory of a
 * little-endian machine, TPML_PCR_SELECTION (132 bytes), a count of lists, then
 * TPML_DIGEST (a count, then 8 times a size and 64 bytes).
 */
static void add_keylime_pcrs(struct evidence *evidence)
{
	static const unsigned int indices[] = { 15, 16, 22 };
	struct buffer file = log_test_data(KEYLIME "quotepcr.out");
	struct assay_error err;

	assert_int_equal(file.size, 668);
	for (size_t i = 0; i < 3; i++) {
		struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };

		memcpy(value.bytes, file.data + 132 + 4 + 4 + 66 * i + 2, 32);
		assert_int_equal(evidence_add_pcr(evidence, indices[i], &value, &err), 0);
	}
	buffer_free(&file);
}

static void test_keylime_quote_is_accepted(void **state)
{
	const uint32_t pcrs = 1U << 15 | 1U << 16 | 1U << 22;
	struct buffer nonce = hex("db1db298db6d60e6385b7231743e9c3056a18003");
	struct evidence evidence;
	static struct verdict verdict;
	struct bytes ak;

	(void)state;
	begin(&evidence, KEYLIME "quote.out", KEYLIME "quotesig.out");
	evidence.ak_public = log_test_data(KEYLIME "ak.pub");
	ak = buffer_bytes(&evidence.ak_public);
	add_keylime_pcrs(&evidence);
	judge(&evidence, ak, buffer_bytes(&nonce), pcrs, &verdict);
	for (int i = 0; i < CHECK_ASSAY_LOG_PARSED; i++)
		if (verdict.required & CHECK_BIT(i) && !(verdict.passed & CHECK_BIT(i)))
			fail_msg("%s: %s", check_name((enum check)i), verdict.detail[i]);
	assert_true(verdict_trusted(&verdict));

	nonce.data[0] ^= 1;
	judge(&evidence, ak, buffer_bytes(&nonce), pcrs, &verdict);
	assert_true((verdict.failed & QUOTE_CHECKS) == CHECK_BIT(CHECK_QUOTE_NONCE));
	nonce.data[0] ^= 1;
	judge(&evidence, ak, buffer_bytes(&nonce), pcrs | 1, &verdict);
	assert_true((verdict.failed & QUOTE_CHECKS) == CHECK_BIT(CHECK_PCR_REQUIRED));
	evidence.pcrs[0].value.bytes[0] ^= 1;
	judge(&evidence, ak, buffer_bytes(&nonce), pcrs, &verdict);
	assert_true((verdict.failed & QUOTE_CHECKS) == CHECK_BIT(CHECK_PCR_DIGEST));
	evidence_free(&evidence);
	buffer_free(&nonce);
}

static void test_keylime_key_name(void **state)
{
	struct buffer public = log_test_data(KEYLIME "ak.pub");
	struct buffer expected = log_test_data(KEYLIME "ak.name");
	struct tpm_public key;
	struct tpm_name name;
	struct assay_error err;

	(void)state;
	assert_int_equal(tpm_public_parse(buffer_bytes(&public), &key, &err), 0);
	assert_int_equal(tpm_key_name(&key, &name, &err), 0);
	assert_true(bytes_equal(BYTES(name.bytes, name.size), buffer_bytes(&expected)));
	buffer_free(&public);
	buffer_free(&expected);
}

/* kat-pubArea.bin has the size in front of unique's parts, but none of its own. */
static struct buffer veraison_key(void)
{
	struct buffer area = log_test_data(VERAISON "kat-pubArea.bin");
	struct buffer out = { 0 };

	buffer_append_be16(&out, (uint16_t)area.size);
	buffer_append_bytes(&out, buffer_bytes(&area));
	buffer_free(&area);
	return out;
}

static void test_certification_is_no_quote(void **state)
{
	struct assay_digest zeros = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct tpm_attest attest;
	struct evidence evidence;
	static struct verdict verdict;
	struct assay_error err;

	(void)state;
	begin(&evidence, VERAISON "kat-certInfo.bin", VERAISON "kat-sig.bin");
	assert_int_equal(tpm_attest_parse(buffer_bytes(&evidence.attest), &attest, &err), 0);
	evidence.ak_public = veraison_key();
	assert_int_equal(evidence_add_pcr(&evidence, 0, &zeros, &err), 0);
	judge(&evidence, buffer_bytes(&evidence.ak_public), attest.extra_data, 1, &verdict);
	assert_true((verdict.failed & CHECK_BIT(CHECK_QUOTE_TYPE)) != 0);
	assert_non_null(strstr(verdict.detail[CHECK_QUOTE_TYPE], "CERTIFY"));
	assert_true((verdict.passed & CHECK_BIT(CHECK_PCR_SELECTION)) == 0);
	assert_false(verdict_trusted(&verdict));
	evidence_free(&evidence);
}

static void test_veraison_quote_parses(void **state)
{
	struct buffer file = log_test_data(VERAISON "pat-attestInfo.bin");
	struct buffer signature_file = log_test_data(VERAISON "pat-sig.bin");
	struct tpm_signature signature;
	struct tpm_attest attest;
	struct assay_error err;

	(void)state;
	assert_int_equal(tpm_attest_parse(buffer_bytes(&file), &attest, &err), 0);
	assert_int_equal(attest.magic, TPM_GENERATED);
	assert_int_equal(attest.type, TPM_ST_ATTEST_QUOTE);
	assert_true(
		bytes_equal(attest.extra_data, BYTES_LITERAL("\xde\xad\xbe\xef\xde\xad\xbe\xef")));
	assert_int_equal(attest.selection_count, 1);
	assert_int_equal(attest.selections[0].bank, ASSAY_HASH_SHA256);
	assert_int_equal(attest.selections[0].mask, 7);
	assert_int_equal(attest.pcr_digest.size, 32);
	assert_true(attest.safe);
	assert_int_equal(tpm_signature_parse(buffer_bytes(&signature_file), &signature, &err), 0);
	assert_int_equal(signature.algorithm, TPM_ALG_ECDSA);
	assert_int_equal(signature.hash, ASSAY_HASH_SHA256);
	assert_int_equal(signature.r.size, 32);
	assert_int_equal(signature.s.size, 32);
	buffer_free(&file);
	buffer_free(&signature_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keylime_quote_is_accepted),
		cmocka_unit_test(test_keylime_key_name),
		cmocka_unit_test(test_certification_is_no_quote),
		cmocka_unit_test(test_veraison_quote_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
