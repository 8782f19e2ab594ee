// SPDX-License-Identifier: MIT
/*
 * libassay-verify gives lib/verify's verdicts, takes nothing that it does not know, and leaves
 * the program's OpenSSL as it was.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assay-verify.h"
#include "support.h"
#include "verify/policy.h"
#include "verify_fixture.h"

/* The fixture's boot is none that a policy knows. */
#define POLICY(members)                                                     \
	"{\"assay\": 1, \"type\": \"policy\", \"waive\": {\"boot-known\": " \
	"\"a test\"}" members "}"

static struct assay_verify_bytes lend(struct bytes bytes)
{
	return (struct assay_verify_bytes){ bytes.data, bytes.size };
}

static struct assay_verify_bytes lend_text(const char *text)
{
	return (struct assay_verify_bytes){ text, strlen(text) };
}

/* What a fixture has, as the library wants it; given_free() it. */
struct given {
	struct fixture fixture;
	struct assay_manifest_source source;
	struct assay_verify_bytes certificate;
	unsigned char *der;
	struct assay_policy *policy;
	struct assay_verify_params params;
};

static void must_be(enum assay_verify_error got, enum assay_verify_error wanted,
		    const struct assay_verify_message *message)
{
	if (got != wanted)
		fail_msg("error %d, not %d: %s", (int)got, (int)wanted, message->text);
}

static struct assay_policy *new_policy(const char *json)
{
	struct assay_verify_message message = { "" };
	struct assay_policy *policy = NULL;

	must_be(assay_policy_new(lend_text(json), &policy, &message), ASSAY_VERIFY_OK, &message);
	return policy;
}

static void given_begin(struct given *given, enum fixture_stage stage, fixture_change *change)
{
	const struct verify_input *input = &given->fixture.input;
	struct assay_verify_message message = { "" };
	int size;

	memset(given, 0, sizeof(*given));
	fixture_begin(&given->fixture);
	fixture_build(&given->fixture, stage, change);
	size = i2d_X509(given->fixture.certificates[0], &given->der);
	assert_true(size > 0);
	given->certificate = (struct assay_verify_bytes){ given->der, (size_t)size };
	given->source.name = given->fixture.manifest.name;
	given->source.text = lend(given->fixture.manifest.text);
	given->source.signature = lend(given->fixture.manifest.signature);
	given->policy = new_policy(POLICY(""));
	must_be(assay_policy_add_certificate(given->policy, ASSAY_POLICY_SIGNER, given->certificate,
					     &message),
		ASSAY_VERIFY_OK, &message);
	given->params.version = ASSAY_VERIFY_PARAMS_VERSION;
	given->params.policy = given->policy;
	given->params.evidence = lend(input->evidence);
	given->params.nonce = lend(input->nonce);
	given->params.ak_public = lend(input->ak_public);
	given->params.ak_qualified_name = lend(input->ak_qualified_name);
	given->params.now = input->now;
	given->params.nonce_issued = input->nonce_issued;
}

/* Not of a manifest that is bad: then nothing is added. */
static enum assay_verify_error add_manifest(struct given *given)
{
	struct assay_verify_message message = { "" };
	struct assay_manifest *manifest = NULL;
	enum assay_verify_error error =
		assay_manifest_new(&given->source, &given->certificate, 1, &manifest, &message);

	if (error != ASSAY_VERIFY_OK)
		return error;
	error = assay_policy_add_manifest(given->policy, manifest, &message);
	/* The policy keeps it. */
	assay_manifest_free(manifest);
	return error;
}

static void given_good(struct given *given)
{
	given_begin(given, BEFORE_PCRS, NULL);
	assert_int_equal(add_manifest(given), ASSAY_VERIFY_OK);
}

static void given_free(struct given *given)
{
	OPENSSL_free(given->der);
	assay_policy_free(given->policy);
	fixture_free(&given->fixture);
}

static struct assay_verdict *judge(const struct given *given)
{
	struct assay_verify_message message = { "" };
	struct assay_verdict *verdict = NULL;

	must_be(assay_verify(&given->params, &verdict, &message), ASSAY_VERIFY_OK, &message);
	return verdict;
}

/* ---------------------------------------------------------------- verdicts */

static void good_evidence_is_trusted(void **state)
{
	static struct given given;
	struct assay_verify_check check;
	struct assay_verdict *verdict;
	char *json;

	(void)state;
	given_good(&given);
	verdict = judge(&given);
	assert_int_equal(assay_verdict_trusted(verdict), 1);
	assert_int_equal(assay_verdict_boot_judged(verdict), 0);
	assert_string_equal(assay_verdict_sentence(verdict), "trusted (the boot was not judged)");
	assert_int_equal(assay_verdict_checks(verdict), CHECK_COUNT);
	assert_int_equal(assay_verdict_reason(verdict), CHECK_COUNT);
	assert_int_equal(assay_verdict_check(verdict, CHECK_QUOTE_NONCE, &check), ASSAY_VERIFY_OK);
	assert_string_equal(check.name, "quote-nonce");
	assert_int_equal(check.result, ASSAY_VERIFY_PASS);
	assert_int_equal(check.required, 1);
	assert_true(strlen(check.question) > 0 && strlen(check.detail) > 0);
	assert_int_equal(assay_verdict_check(verdict, CHECK_COUNT, &check),
			 ASSAY_VERIFY_ERROR_RANGE);
	json = assay_verdict_json(verdict);
	assert_non_null(strstr(json, "\"trusted\": true"));
	assay_verify_text_free(json);
	assay_verify_text_free(NULL);
	assert_string_equal(assay_verify_version(), ASSAY_VERSION);
	assay_verdict_free(verdict);
	assay_verdict_free(NULL);
	given_free(&given);
}

static void compare(const struct assay_verdict *verdict, const struct verdict *expected)
{
	char *text;

	assert_int_equal(assay_verdict_trusted(verdict), verdict_trusted(expected));
	assert_int_equal(assay_verdict_reason(verdict), verdict_reason(expected));
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		struct assay_verify_check check;

		assert_int_equal(assay_verdict_check(verdict, i, &check), ASSAY_VERIFY_OK);
		assert_string_equal(check.detail, expected->detail[i]);
		assert_int_equal(check.result == ASSAY_VERIFY_PASS, (expected->passed >> i) & 1);
		assert_int_equal(check.result == ASSAY_VERIFY_FAIL, (expected->failed >> i) & 1);
	}
	text = assay_verdict_state(verdict);
	assert_int_equal(text != NULL, verdict_trusted(expected));
	assay_verify_text_free(text);
}

/* Row by row, the library says what verify() says. */
static void verdicts_are_those_of_the_verifier(void **state)
{
	size_t rows = 0;

	(void)state;
	for (const struct bad_row *row = bad_quotes; row->name && rows < 60; row++, rows++) {
		struct assay_error err = { 0 };
		static struct given given;
		static struct verdict expected;
		struct policy policy = { 0 };
		struct assay_verdict *verdict;

		/* The policy of a fixture is none that was read. */
		if (row->stage == AT_VERIFIER)
			continue;
		given_begin(&given, row->stage, row->change);
		assert_int_equal(policy_parse(support_text(POLICY("")), &policy, &err), 0);
		given.fixture.input.state = NULL;
		verify(&given.fixture.input, &policy.rules, &expected);
		policy_free(&policy);
		if (add_manifest(&given) == ASSAY_VERIFY_OK) {
			verdict = judge(&given);
			compare(verdict, &expected);
			assay_verdict_free(verdict);
		} else {
			assert_true((expected.failed & CHECK_BIT(CHECK_MANIFEST_SIGNATURE)) != 0);
		}
		given_free(&given);
	}
	assert_true(rows > 30);
}

/* The state of one verdict is taken by the next, which sees the same quote again. */
static void a_state_goes_from_verdict_to_verdict(void **state)
{
	static struct given given;
	struct assay_verify_check check;
	struct assay_verdict *first, *second;
	char *text;

	(void)state;
	given_good(&given);
	first = judge(&given);
	text = assay_verdict_state(first);
	assert_non_null(text);
	given.params.state = lend_text(text);
	second = judge(&given);
	assert_int_equal(assay_verdict_trusted(second), 0);
	assert_string_equal(assay_verdict_sentence(second), "NOT TRUSTED");
	assert_int_equal(assay_verdict_check(second, assay_verdict_reason(second), &check),
			 ASSAY_VERIFY_OK);
	assert_string_equal(check.name, "quote-counters");
	assay_verdict_free(second);
	assay_verdict_free(first);
	assay_verify_text_free(text);
	given_free(&given);
}

static struct assay_verify_bytes state_of(const struct assay_verdict *verdict)
{
	struct assay_verify_bytes bytes = { NULL, 0 };

	assert_int_equal(assay_verdict_state_bytes(verdict, &bytes), ASSAY_VERIFY_OK);
	return bytes;
}

/* Bytes say what JSON says; the quote of before is refused by both. */
static void a_state_may_be_bytes(void **state)
{
	struct assay_verify_message message = { "" };
	struct assay_verify_bytes bytes;
	struct assay_verify_quote quote;
	struct assay_verify_check check;
	struct assay_verdict *first, *second;
	struct assay_state_info info;
	struct assay_policy *other;
	static struct given given;

	(void)state;
	given_good(&given);
	first = judge(&given);
	bytes = state_of(first);
	assert_true(bytes.size > 200 && bytes.size < 500);
	assert_int_equal(assay_state_info(bytes, given.policy, &info, &message), ASSAY_VERIFY_OK);
	assert_string_equal(info.boot_id, FIXTURE_BOOT_ID);
	assert_int_equal(info.clock, 123456);
	assert_int_equal(info.reset_count, 7);
	assert_int_equal(info.restart_count, 2);
	assert_int_equal(info.log, 5);
	assert_int_equal(info.ima, 4);
	/* By another policy, nothing may be left out. */
	other = new_policy(POLICY(""));
	assert_int_equal(assay_state_info(bytes, other, &info, &message), ASSAY_VERIFY_OK);
	assert_int_equal(info.log, 0);
	assert_int_equal(info.ima, 0);
	assay_policy_free(other);
	assert_int_equal(assay_verdict_quote(first, &quote), ASSAY_VERIFY_OK);
	assert_string_equal(quote.boot_id, FIXTURE_BOOT_ID);
	assert_int_equal(quote.clock, 123456);
	assert_int_equal(quote.proven, 1);
	given.params.state = bytes;
	second = judge(&given);
	assert_int_equal(assay_verdict_check(second, assay_verdict_reason(second), &check),
			 ASSAY_VERIFY_OK);
	assert_string_equal(check.name, "quote-counters");
	assert_int_equal(assay_verdict_state_bytes(second, &bytes), ASSAY_VERIFY_ERROR_RANGE);
	assay_verdict_free(second);
	assay_verdict_free(first);
	given_free(&given);
}

static void change_a_value(struct fixture *f)
{
	f->evidence.pcrs[0].value.bytes[0] ^= 1;
}
static void leave_a_value_out(struct fixture *f)
{
	f->evidence.pcr_count--;
}
static void change_the_signature(struct fixture *f)
{
	f->evidence.signature.data[f->evidence.signature.size - 1] ^= 1;
}
static void answer_no_nonce(struct fixture *f)
{
	f->quote.nonce.size = 0;
}
static void have_the_key_sign_anything(struct fixture *f)
{
	f->ak.attributes &= ~TPMA_OBJECT_RESTRICTED;
}
static void make_it_outside_of_a_tpm(struct fixture *f)
{
	f->quote.magic = 0;
}
static void name_another_signer(struct fixture *f)
{
	f->quote.qualified_signer = fixture_copy(BYTES_LITERAL("\x40\x00\x00\x01"));
}

/* A device whose PCRs are said to be others than it quoted has still made that quote. */
static void whose_quote_it_is_does_not_depend_on_what_is_beside_it(void **state)
{
	static const struct {
		enum fixture_stage stage;
		fixture_change *change;
		const char *check;
		uint32_t proven;
	} rows[] = {
		{ AFTER_QUOTE, change_a_value, "pcr-digest", 1 },
		{ AFTER_QUOTE, leave_a_value_out, "pcr-selection", 1 },
		{ AFTER_QUOTE, change_the_signature, "quote-signature", 0 },
		{ BEFORE_QUOTE, answer_no_nonce, "quote-nonce", 0 },
		{ BEFORE_QUOTE, have_the_key_sign_anything, "ak-attributes", 0 },
		{ BEFORE_QUOTE, make_it_outside_of_a_tpm, "quote-magic", 0 },
		{ BEFORE_QUOTE, name_another_signer, "quote-signer", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct given given;
		struct assay_verify_quote quote;
		struct assay_verify_check check;
		struct assay_verdict *verdict;

		given_begin(&given, rows[i].stage, rows[i].change);
		verdict = judge(&given);
		assert_int_equal(assay_verdict_trusted(verdict), 0);
		assert_int_equal(
			assay_verdict_check(verdict, assay_verdict_reason(verdict), &check),
			ASSAY_VERIFY_OK);
		assert_string_equal(check.name, rows[i].check);
		assert_int_equal(assay_verdict_quote(verdict, &quote), ASSAY_VERIFY_OK);
		if (quote.proven != rows[i].proven)
			fail_msg("%s: proven is %u", rows[i].check, quote.proven);
		assay_verdict_free(verdict);
		given_free(&given);
	}
}

/* Each byte of a state is looked at, and none of its lengths is believed. */
static void a_state_that_is_cut_or_longer_is_none(void **state)
{
	struct assay_verify_message message = { "" };
	struct assay_verify_bytes bytes;
	struct assay_verdict *verdict;
	struct assay_state_info info;
	static struct given given;
	uint8_t copy[1024];

	(void)state;
	given_good(&given);
	verdict = judge(&given);
	bytes = state_of(verdict);
	assert_true(bytes.size + 1 < sizeof(copy));
	memcpy(copy, bytes.data, bytes.size);
	copy[bytes.size] = 0;
	for (size_t size = 0; size <= bytes.size + 1; size++)
		assert_int_equal(assay_state_info((struct assay_verify_bytes){ copy, size }, NULL,
						  &info, &message),
				 size == bytes.size ? ASSAY_VERIFY_OK : ASSAY_VERIFY_ERROR_STATE);
	copy[1] = 2;
	given.params.state = (struct assay_verify_bytes){ copy, bytes.size };
	must_be(assay_verify(&given.params, &verdict, &message), ASSAY_VERIFY_ERROR_STATE,
		&message);
	assert_non_null(strstr(message.text, "version 2"));
	assay_verdict_free(verdict);
	given_free(&given);
}

static void a_key_that_is_kept_judges_as_one_that_is_given(void **state)
{
	struct assay_verify_message message = { "" };
	struct assay_verdict *verdict, *kept_verdict;
	struct assay_ak *ak = NULL;
	static struct given given;
	char *text, *kept_text;

	(void)state;
	given_good(&given);
	verdict = judge(&given);
	must_be(assay_ak_new(given.params.ak_public, &ak, &message), ASSAY_VERIFY_OK, &message);
	given.params.ak = ak;
	must_be(assay_verify(&given.params, &kept_verdict, &message), ASSAY_VERIFY_ERROR_PARAMETER,
		&message);
	given.params.ak_public.size = 0;
	kept_verdict = judge(&given);
	text = assay_verdict_json(verdict);
	kept_text = assay_verdict_json(kept_verdict);
	assert_string_equal(text, kept_text);
	assay_verify_text_free(text);
	assay_verify_text_free(kept_text);
	assay_verdict_free(verdict);
	assay_verdict_free(kept_verdict);
	assay_ak_free(ak);
	assay_ak_free(NULL);
	must_be(assay_ak_new(lend_text("no key"), &ak, &message), ASSAY_VERIFY_ERROR_KEY, &message);
	given_free(&given);
}

/* Nothing at all has a verdict, too. */
static void of_a_machine_without_the_module(struct fixture *f)
{
	fixture_add_ima_files(f);
	fixture_add_firmware(f);
	f->hands_no_assay_log = true;
}

/* By signatures in IMA's list alone: without a manifest, and its state goes on. */
static void a_machine_without_the_module(void **state)
{
	struct assay_verify_message message = { "" };
	static struct given given;
	struct assay_verify_check check;
	struct assay_verdict *verdict;
	char *text;

	(void)state;
	given_begin(&given, BEFORE_PCRS, of_a_machine_without_the_module);
	verdict = judge(&given);
	assert_int_equal(assay_verdict_trusted(verdict), 0);
	assert_int_equal(assay_verdict_check(verdict, assay_verdict_reason(verdict), &check),
			 ASSAY_VERIFY_OK);
	assert_string_equal(check.name, "evidence-logs");
	assay_verdict_free(verdict);
	assay_policy_free(given.policy);
	given.policy = new_policy(POLICY(", \"logs\": {\"assay_log\": \"absent\"}"));
	must_be(assay_policy_add_certificate(given.policy, ASSAY_POLICY_SIGNER, given.certificate,
					     &message),
		ASSAY_VERIFY_OK, &message);
	given.params.policy = given.policy;
	verdict = judge(&given);
	assert_int_equal(assay_verdict_trusted(verdict), 1);
	text = assay_verdict_state(verdict);
	assert_non_null(text);
	assay_verdict_free(verdict);
	/* The same once more: the TPM's clock stands. */
	given.params.state = lend_text(text);
	verdict = judge(&given);
	assert_int_equal(assay_verdict_check(verdict, assay_verdict_reason(verdict), &check),
			 ASSAY_VERIFY_OK);
	assert_string_equal(check.name, "quote-counters");
	assay_verdict_free(verdict);
	assay_verify_text_free(text);
	given_free(&given);
}

static void without_anything_nothing_is_trusted(void **state)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION };
	struct assay_policy *policy = new_policy("");
	struct assay_verdict *verdict;

	(void)state;
	params.policy = policy;
	assert_int_equal(assay_verify(&params, &verdict, NULL), ASSAY_VERIFY_OK);
	/* A verdict needs its policy no longer. */
	assay_policy_free(policy);
	assert_int_equal(assay_verdict_trusted(verdict), 0);
	assert_int_equal(assay_verdict_reason(verdict), CHECK_EVIDENCE_PARSED);
	assert_int_equal(assay_verdict_files(verdict), 0);
	assay_verdict_free(verdict);
}

/* ---------------------------------------------------------------- files and records */

static void add_files(struct fixture *fixture)
{
	struct buffer value = { 0 };

	fixture_add_ima_files(fixture);
	put_measure(&value);
	put_failed_file(&value, fixture_path(1), 5);
	fixture_insert(fixture, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
}

static void files_and_records_are_kept(void **state)
{
	static struct given given;
	size_t states[ASSAY_VERIFY_FILE_FAILED + 1] = { 0 }, by_ima = 0;
	struct assay_verify_record record;
	struct assay_verify_file file;
	struct assay_verdict *verdict;

	(void)state;
	given_begin(&given, BEFORE_PCRS, add_files);
	assert_int_equal(add_manifest(&given), ASSAY_VERIFY_OK);
	verdict = judge(&given);
	assert_int_equal(assay_verdict_files(verdict), 0);
	assert_int_equal(assay_verdict_records(verdict), 0);
	assert_int_equal(assay_verdict_file(verdict, 0, &file), ASSAY_VERIFY_ERROR_RANGE);
	assay_verdict_free(verdict);

	given.params.flags = ASSAY_VERIFY_KEEP_FILES;
	verdict = judge(&given);
	/* The evidence is not needed any more. */
	given_free(&given);
	assert_int_equal(assay_verdict_records(verdict), 6);
	assert_int_equal(assay_verdict_record(verdict, 0, &record), ASSAY_VERIFY_OK);
	assert_string_equal(record.kind, "START");
	assert_int_equal(record.offset, 0);
	assert_true(record.time > 0 && record.flags == ASSAY_VERIFY_COVERED);
	assert_int_equal(assay_verdict_record(verdict, 5, &record), ASSAY_VERIFY_OK);
	assert_string_equal(record.kind, "MEASURE");
	assert_int_equal(record.number, 5);
	assert_int_equal(record.files, 1);
	assert_int_equal(assay_verdict_record(verdict, 6, &record), ASSAY_VERIFY_ERROR_RANGE);
	for (size_t i = 0; i < assay_verdict_files(verdict); i++) {
		assert_int_equal(assay_verdict_file(verdict, i, &file), ASSAY_VERIFY_OK);
		assert_in_range(file.state, ASSAY_VERIFY_FILE_MATCHES, ASSAY_VERIFY_FILE_FAILED);
		assert_true(file.flags & ASSAY_VERIFY_COVERED);
		states[file.state]++;
		by_ima += (file.flags & ASSAY_VERIFY_BY_IMA) != 0;
		assert_true(file.path.size > 0 && *(const char *)file.path.data == '/');
		if (file.state == ASSAY_VERIFY_FILE_FAILED) {
			assert_int_equal(file.path.size, strlen(fixture_path(1)));
			assert_memory_equal(file.path.data, fixture_path(1), file.path.size);
			assert_int_equal(file.number, 5);
			assert_int_equal(file.digest.size, 0);
		}
	}
	assert_int_equal(assay_verdict_file(verdict, assay_verdict_files(verdict), &file),
			 ASSAY_VERIFY_ERROR_RANGE);
	assert_int_equal(states[ASSAY_VERIFY_FILE_FAILED], 1);
	assert_int_equal(states[ASSAY_VERIFY_FILE_SIGNED], 1);
	assert_true(states[ASSAY_VERIFY_FILE_MATCHES] >= 4);
	assert_true(by_ima > 0 && by_ima < assay_verdict_files(verdict));
	assay_verdict_free(verdict);
}

/* ---------------------------------------------------------------- what is refused */

static void refused(const struct given *given, enum assay_verify_error expected, const char *part)
{
	struct assay_verify_message message = { "" };
	struct assay_verdict *verdict = NULL;

	must_be(assay_verify(&given->params, &verdict, &message), expected, &message);
	assert_null(verdict);
	if (!strstr(message.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, message.text);
	assert_int_equal(assay_verify(&given->params, &verdict, NULL), expected);
}

static void parameters_that_are_off(void **state)
{
	static struct given given;

	(void)state;
	given_good(&given);
	given.params.version = 0;
	refused(&given, ASSAY_VERIFY_ERROR_PARAMETER, "of version 0; this library takes version 2");
	given.params.version = 3;
	refused(&given, ASSAY_VERIFY_ERROR_PARAMETER, "of version 3");
	given.params.version = ASSAY_VERIFY_PARAMS_VERSION;
	given.params.flags = 2;
	refused(&given, ASSAY_VERIFY_ERROR_PARAMETER, "must be 0");
	given.params.flags = 0;
	given.params.reserved[12] = 1;
	refused(&given, ASSAY_VERIFY_ERROR_PARAMETER, "must be 0");
	given.params.reserved[12] = 0;
	given.params.policy = NULL;
	refused(&given, ASSAY_VERIFY_ERROR_PARAMETER, "a policy is needed");
	given.params.policy = given.policy;
	given.params.state = lend_text("{}");
	refused(&given, ASSAY_VERIFY_ERROR_STATE, "");
	given.params.state = lend_text("{");
	refused(&given, ASSAY_VERIFY_ERROR_STATE, "JSON");
	given_free(&given);
}

static void policies_that_are_none(void **state)
{
	static const struct {
		const char *json;
		enum assay_verify_error error;
		const char *part;
	} rows[] = {
		{ "{", ASSAY_VERIFY_ERROR_POLICY, "JSON" },
		{ "{}", ASSAY_VERIFY_ERROR_POLICY, "" },
		{ POLICY(", \"max_aeg\": 5"), ASSAY_VERIFY_ERROR_POLICY, "max_aeg" },
		{ POLICY(", \"certificates\": [{\"pem\": \"no\"}]"), ASSAY_VERIFY_ERROR_CERTIFICATE,
		  "in the policy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_verify_message message = { "" };
		struct assay_policy *policy = NULL;

		must_be(assay_policy_new(lend_text(rows[i].json), &policy, &message), rows[i].error,
			&message);
		assert_null(policy);
		assert_non_null(strstr(message.text, rows[i].part));
		assert_int_equal(assay_policy_new(lend_text(rows[i].json), &policy, NULL),
				 rows[i].error);
	}
	assay_policy_free(NULL);
}

static void manifests_that_are_bad(void **state)
{
	static struct given given;
	struct assay_verify_message message = { "" };
	struct assay_manifest_info info;
	struct assay_manifest *manifest = NULL;
	struct assay_policy *policy = new_policy("");

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	given.source.reserved[3] = 1;
	must_be(assay_manifest_new(&given.source, &given.certificate, 1, &manifest, &message),
		ASSAY_VERIFY_ERROR_PARAMETER, &message);
	given.source.reserved[3] = 0;
	must_be(assay_manifest_new(&given.source, NULL, 0, &manifest, &message),
		ASSAY_VERIFY_ERROR_MANIFEST, &message);
	given.certificate.size--;
	must_be(assay_manifest_new(&given.source, &given.certificate, 1, &manifest, &message),
		ASSAY_VERIFY_ERROR_CERTIFICATE, &message);
	given.certificate.size++;
	given.source.text.size--;
	must_be(assay_manifest_new(&given.source, &given.certificate, 1, &manifest, &message),
		ASSAY_VERIFY_ERROR_MANIFEST, &message);
	given.source.text.size++;
	assert_null(manifest);
	must_be(assay_manifest_new(&given.source, &given.certificate, 1, &manifest, &message),
		ASSAY_VERIFY_OK, &message);
	assay_manifest_info(manifest, &info);
	assert_int_equal(strlen(info.id), 32);
	assert_int_equal(info.files, 3);
	assert_string_equal(info.product, "");
	assert_int_equal(strlen(info.created), strlen("2026-01-31T23:59:59Z"));
	/* A good one is not good for a policy that does not have its signer. */
	must_be(assay_policy_add_manifest(policy, manifest, &message), ASSAY_VERIFY_ERROR_MANIFEST,
		&message);
	assert_non_null(strstr(message.text, "that the policy does not have"));
	must_be(assay_policy_add_certificate(policy, ASSAY_POLICY_IMA_SIGNER, given.certificate,
					     &message),
		ASSAY_VERIFY_OK, &message);
	must_be(assay_policy_add_manifest(policy, manifest, &message), ASSAY_VERIFY_ERROR_MANIFEST,
		&message);
	must_be(assay_policy_add_certificate(policy, ASSAY_POLICY_MANIFEST, given.certificate,
					     &message),
		ASSAY_VERIFY_ERROR_PARAMETER, &message);
	must_be(assay_policy_add_certificate(policy, ASSAY_POLICY_SIGNER, given.certificate,
					     &message),
		ASSAY_VERIFY_OK, &message);
	must_be(assay_policy_add_manifest(policy, manifest, &message), ASSAY_VERIFY_OK, &message);
	assay_manifest_free(manifest);
	assay_manifest_free(NULL);
	assay_policy_free(policy);
	given_free(&given);
}

/* ---------------------------------------------------------------- files that a policy names */

static void files_of_a_policy_are_to_be_supplied(void **state)
{
	static struct given given;
	struct assay_verify_message message = { "" };
	struct assay_manifest *manifest;
	struct assay_policy_file file;
	struct assay_policy *policy =
		new_policy(POLICY(", \"manifests\": [\"image.jsonl\"], \"certificates\": "
				  "[\"release.pem\"], \"ima\": {\"certificates\": [\"ima.pem\"]}"));
	static const struct {
		const char *name;
		enum assay_policy_use use;
	} named[] = { { "release.pem", ASSAY_POLICY_SIGNER },
		      { "ima.pem", ASSAY_POLICY_IMA_SIGNER },
		      { "image.jsonl", ASSAY_POLICY_MANIFEST } };

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	given.params.policy = policy;
	assert_int_equal(assay_manifest_new(&given.source, &given.certificate, 1, &manifest, NULL),
			 ASSAY_VERIFY_OK);
	assert_int_equal(assay_policy_files(policy), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(assay_policy_file(policy, i, &file), ASSAY_VERIFY_OK);
		assert_string_equal(file.name, named[i].name);
		assert_int_equal(file.use, named[i].use);
		assert_int_equal(file.supplied, 0);
		refused(&given, ASSAY_VERIFY_ERROR_FILE, named[i].name);
		/* Each is what it is to be, and only once. */
		if (named[i].use == ASSAY_POLICY_MANIFEST) {
			must_be(assay_policy_supply(policy, i, given.certificate, &message),
				ASSAY_VERIFY_ERROR_PARAMETER, &message);
			must_be(assay_policy_supply_manifest(policy, i, manifest, &message),
				ASSAY_VERIFY_OK, &message);
			must_be(assay_policy_supply_manifest(policy, i, manifest, &message),
				ASSAY_VERIFY_ERROR_PARAMETER, &message);
		} else {
			must_be(assay_policy_supply_manifest(policy, i, manifest, &message),
				ASSAY_VERIFY_ERROR_PARAMETER, &message);
			must_be(assay_policy_supply(policy, i, lend_text("no"), &message),
				ASSAY_VERIFY_ERROR_CERTIFICATE, &message);
			assert_non_null(strstr(message.text, named[i].name));
			must_be(assay_policy_supply(policy, i, given.certificate, &message),
				ASSAY_VERIFY_OK, &message);
			must_be(assay_policy_supply(policy, i, given.certificate, &message),
				ASSAY_VERIFY_ERROR_PARAMETER, &message);
		}
		assert_int_equal(assay_policy_file(policy, i, &file), ASSAY_VERIFY_OK);
		assert_int_equal(file.supplied, 1);
	}
	assert_int_equal(assay_policy_file(policy, 3, &file), ASSAY_VERIFY_ERROR_RANGE);
	must_be(assay_policy_supply(policy, 3, given.certificate, &message),
		ASSAY_VERIFY_ERROR_RANGE, &message);
	assay_manifest_free(manifest);
	{
		struct assay_verdict *verdict = judge(&given);

		assert_int_equal(assay_verdict_trusted(verdict), 1);
		assay_verdict_free(verdict);
	}
	assay_policy_free(policy);
	given_free(&given);
}

/* ---------------------------------------------------------------- who certifies keys */

static void must_fail_by(const struct given *given, const char *name)
{
	struct assay_verify_check check;
	struct assay_verdict *verdict = judge(given);

	assert_int_equal(assay_verdict_trusted(verdict), 0);
	assert_int_equal(assay_verdict_check(verdict, assay_verdict_reason(verdict), &check),
			 ASSAY_VERIFY_OK);
	assert_string_equal(check.name, name);
	assay_verdict_free(verdict);
}

static void must_be_trusted(const struct given *given)
{
	struct assay_verdict *verdict = judge(given);

	assert_int_equal(assay_verdict_trusted(verdict), 1);
	assay_verdict_free(verdict);
}

/* The same evidence and references, by the policy with @ak and the authority of @root. */
static void judge_certified(struct given *given, const char *ak, enum fixture_key root)
{
	struct assay_verify_message message = { "" };

	given_good(given);
	assay_policy_free(given->policy);
	given->policy = new_policy(ak);
	given->params.policy = given->policy;
	must_be(assay_policy_add_certificate(given->policy, ASSAY_POLICY_SIGNER, given->certificate,
					     &message),
		ASSAY_VERIFY_OK, &message);
	assert_int_equal(add_manifest(given), ASSAY_VERIFY_OK);
	must_be(assay_policy_supply(given->policy, 0, lend(fixture_certificate_der(root)),
				    &message),
		ASSAY_VERIFY_OK, &message);
	given->params.ak_public = (struct assay_verify_bytes){ NULL, 0 };
	given->params.ak_certificates = lend(fixture_certificate_der(KEY_P256));
	/* The certificates are made with the process, and so valid now. */
	given->params.now = given->params.nonce_issued = (uint64_t)time(NULL);
}

static void a_certificate_says_which_key_it_is(void **state)
{
	static const char vouched[] =
		POLICY(", \"ak\": {\"roots\": [\"r.pem\"], \"vouched\": true}");
	static const char plain[] = POLICY(", \"ak\": {\"roots\": [\"r.pem\"]}");
	static struct given given;

	(void)state;
	judge_certified(&given, vouched, KEY_P256);
	must_be_trusted(&given);
	given.params.ak_certificates.size = 0;
	must_fail_by(&given, "ak-certificate");
	given.params.ak_public = lend(given.fixture.input.ak_public);
	must_fail_by(&given, "ak-certificate");
	given_free(&given);
	judge_certified(&given, vouched, KEY_P384);
	must_fail_by(&given, "ak-certificate");
	given_free(&given);
	/* It does not say that the key is restricted; the enrolled key does. */
	judge_certified(&given, plain, KEY_P256);
	must_fail_by(&given, "ak-attributes");
	given.params.ak_public = lend(given.fixture.input.ak_public);
	must_be_trusted(&given);
	given.params.now += UINT64_C(200) * 366 * 24 * 60 * 60;
	given.params.nonce_issued = given.params.now;
	must_fail_by(&given, "ak-certificate");
	given_free(&given);
}

static void files_of_authorities_are_to_be_supplied(void **state)
{
	static const struct {
		const char *name;
		enum assay_policy_use use;
	} named[] = { { "root.pem", ASSAY_POLICY_AK_ROOT },
		      { "mid.pem", ASSAY_POLICY_AK_INTERMEDIATE },
		      { "it.crl", ASSAY_POLICY_AK_CRL } };
	static struct given given;
	struct assay_verify_message message = { "" };
	struct assay_policy_file file;
	struct assay_policy *policy =
		new_policy(POLICY(", \"ak\": {\"crls\": [\"it.crl\"], \"roots\": [\"root.pem\"], "
				  "\"intermediates\": [\"mid.pem\"]}"));

	(void)state;
	given_begin(&given, BEFORE_PCRS, NULL);
	given.params.policy = policy;
	assert_int_equal(assay_policy_files(policy), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(assay_policy_file(policy, i, &file), ASSAY_VERIFY_OK);
		assert_string_equal(file.name, named[i].name);
		assert_int_equal(file.use, named[i].use);
		refused(&given, ASSAY_VERIFY_ERROR_FILE, named[i].name);
		must_be(assay_policy_supply(policy, i, lend_text("no"), &message),
			ASSAY_VERIFY_ERROR_CERTIFICATE, &message);
		assert_non_null(strstr(message.text, named[i].name));
		/* A certificate is no revocation list. */
		must_be(assay_policy_supply(policy, i, given.certificate, &message),
			named[i].use == ASSAY_POLICY_AK_CRL ? ASSAY_VERIFY_ERROR_CERTIFICATE :
							      ASSAY_VERIFY_OK,
			&message);
	}
	must_be(assay_policy_add_certificate(policy, (enum assay_policy_use)7, given.certificate,
					     &message),
		ASSAY_VERIFY_ERROR_PARAMETER, &message);
	assay_policy_free(policy);
	assert_int_equal(assay_policy_new(lend_text(POLICY(", \"ak\": {\"roots\": [{\"pem\": "
							   "\"no\"}]}")),
					  &policy, &message),
			 ASSAY_VERIFY_ERROR_CERTIFICATE);
	given.params.policy = given.policy;
	given_free(&given);
}

/* ---------------------------------------------------------------- OpenSSL's errors */

/* The program's errors, of which the first is marked. */
static void leave_errors(void)
{
	ERR_clear_error();
	ERR_raise_data(ERR_LIB_USER, 1, "the program's first");
	assert_int_equal(ERR_set_mark(), 1);
	ERR_raise_data(ERR_LIB_USER, 2, "the program's second");
}

static void must_have_errors(const char *after)
{
	const char *data;
	int flags;

	if (ERR_GET_REASON(ERR_peek_last_error()) != 2 || ERR_GET_REASON(ERR_peek_error()) != 1)
		fail_msg("%s changed the program's errors", after);
	ERR_peek_last_error_data(&data, &flags);
	assert_string_equal(data, "the program's second");
	/* The mark is where it was. */
	assert_int_equal(ERR_pop_to_mark(), 1);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 1);
	assert_int_equal(ERR_get_error(), 0);
}

static void errors_of_the_program_stay(void **state)
{
	static struct given given;
	struct assay_manifest *manifest = NULL;
	struct assay_verdict *verdict = NULL;
	struct assay_policy *policy = NULL;

	(void)state;
	leave_errors();
	assert_int_equal(assay_policy_new(lend_text(POLICY(", \"certificates\": [{\"pem\": "
							   "\"no\"}]")),
					  &policy, NULL),
			 ASSAY_VERIFY_ERROR_CERTIFICATE);
	must_have_errors("a bad policy");
	for (size_t size = 0; size < 3; size++) {
		given_begin(&given, BEFORE_PCRS, NULL);
		given.certificate.size -= size;
		leave_errors();
		(void)assay_manifest_new(&given.source, &given.certificate, 1, &manifest, NULL);
		must_have_errors("a manifest");
		assay_manifest_free(manifest);
		manifest = NULL;
		leave_errors();
		(void)assay_policy_add_certificate(given.policy, ASSAY_POLICY_SIGNER,
						   given.certificate, NULL);
		must_have_errors("a certificate");
		given_free(&given);
	}
	for (const struct bad_row *row = bad_quotes; row->name; row++) {
		if (row->stage == AT_VERIFIER)
			continue;
		given_begin(&given, row->stage, row->change);
		(void)add_manifest(&given);
		leave_errors();
		assert_int_equal(assay_verify(&given.params, &verdict, NULL), ASSAY_VERIFY_OK);
		must_have_errors(row->name);
		/* Where there was none, none is left. */
		assay_verdict_free(verdict);
		assert_int_equal(assay_verify(&given.params, &verdict, NULL), ASSAY_VERIFY_OK);
		assert_int_equal(ERR_peek_error(), 0);
		assay_verdict_free(verdict);
		given_free(&given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_evidence_is_trusted),
		cmocka_unit_test(verdicts_are_those_of_the_verifier),
		cmocka_unit_test(a_state_goes_from_verdict_to_verdict),
		cmocka_unit_test(a_state_may_be_bytes),
		cmocka_unit_test(whose_quote_it_is_does_not_depend_on_what_is_beside_it),
		cmocka_unit_test(a_state_that_is_cut_or_longer_is_none),
		cmocka_unit_test(a_key_that_is_kept_judges_as_one_that_is_given),
		cmocka_unit_test(a_machine_without_the_module),
		cmocka_unit_test(without_anything_nothing_is_trusted),
		cmocka_unit_test(files_and_records_are_kept),
		cmocka_unit_test(parameters_that_are_off),
		cmocka_unit_test(policies_that_are_none),
		cmocka_unit_test(manifests_that_are_bad),
		cmocka_unit_test(files_of_a_policy_are_to_be_supplied),
		cmocka_unit_test(a_certificate_says_which_key_it_is),
		cmocka_unit_test(files_of_authorities_are_to_be_supplied),
		cmocka_unit_test(errors_of_the_program_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
