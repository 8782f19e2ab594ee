// SPDX-License-Identifier: MIT
/*
 * lib/verify on evidence made here: every row of bad input is caught by the check
 * that is to catch it, and by no other; nothing cut is taken for whole; and there is
 * one way to "trusted".
 */
#define _GNU_SOURCE /* memmem(), open_memstream() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "verify/state.h"
#include "verify_fixture.h"

/* ---------------------------------------------------------------- tables */

static void list(const char *what, check_mask bits, char *text, size_t size)
{
	size_t used = strlen(text);

	for (int i = 0; i < CHECK_COUNT; i++)
		if (bits & CHECK_BIT(i) && used < size) {
			snprintf(text + used, size - used, " %s %s;", what,
				 check_name((enum check)i));
			used = strlen(text);
		}
}

/* A detail is there, and nothing of a log in it can steer a terminal (L11). */
static void assert_fit_to_print(const char *detail)
{
	assert_true(detail[0] != '\0');
	for (; *detail; detail++)
		assert_true((uint8_t)*detail >= 0x20 && *detail != 0x7f);
}

static size_t packages_named;

/* Of files that a manifest has the detail names the package. */
static void assert_package_named(const struct verdict *verdict)
{
	static const enum check checks[] = { CHECK_FILES_MATCH, CHECK_FILES_COMPLETE };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *detail = verdict->detail[checks[i]];

		if ((verdict->failed & CHECK_BIT(checks[i])) &&
		    (strstr(detail, "the manifest says") ||
		     strstr(detail, "is in a manifest and"))) {
			assert_non_null(strstr(detail, ", of package tools 1.2-3 (arm64)"));
			packages_named++;
		}
	}
}

/* Return: whether the row is as it must be; if not, says so */
static bool run_row(const struct bad_row *row, check_mask *seen)
{
	check_mask expected = row->fails & ~TRUSTED;
	static struct verdict verdict;
	char text[1024] = "";

	fixture_judge(row->stage, row->change, &verdict);
	*seen |= verdict.failed;
	assert_true((verdict.failed & verdict.passed) == 0);
	for (int i = 0; i < CHECK_COUNT; i++)
		assert_fit_to_print(verdict.detail[i]);
	assert_package_named(&verdict);
	list("not caught by", expected & ~verdict.failed, text, sizeof(text));
	list("caught by", verdict.failed & ~expected, text, sizeof(text));
	if (verdict_trusted(&verdict) != ((row->fails & TRUSTED) != 0))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %strusted",
			 verdict_trusted(&verdict) ? "" : "not ");
	if (text[0] == '\0')
		return true;
	print_error("%s:%s\n", row->name, text);
	for (int i = 0; i < CHECK_COUNT; i++)
		if (verdict.failed & CHECK_BIT(i))
			print_error("    %s: %s\n", check_name((enum check)i), verdict.detail[i]);
	return false;
}

static void run_table(const struct bad_row *rows, check_mask *seen)
{
	size_t wrong = 0;

	for (; rows->name; rows++)
		wrong += !run_row(rows, seen);
	assert_int_equal(wrong, 0);
}

static check_mask seen_in_tables;

static void test_bad_quotes(void **state)
{
	(void)state;
	run_table(bad_quotes, &seen_in_tables);
}

static void test_bad_logs(void **state)
{
	(void)state;
	run_table(bad_logs, &seen_in_tables);
}

static void test_bad_starts(void **state)
{
	(void)state;
	run_table(bad_starts, &seen_in_tables);
}

static void test_bad_chains(void **state)
{
	(void)state;
	run_table(bad_chain, &seen_in_tables);
}

static void test_bad_firmware(void **state)
{
	(void)state;
	run_table(bad_firmware, &seen_in_tables);
}

static void test_bad_presence(void **state)
{
	(void)state;
	run_table(bad_presence, &seen_in_tables);
}

static void test_bad_sessions(void **state)
{
	(void)state;
	run_table(bad_session, &seen_in_tables);
}

static void test_bad_ima(void **state)
{
	(void)state;
	run_table(bad_ima, &seen_in_tables);
}

static void test_bad_boots(void **state)
{
	(void)state;
	run_table(bad_boot, &seen_in_tables);
}

#define CHECK(...)
#define CONTENT(id, ...) | CHECK_BIT(CHECK_##id)
static const check_mask content_checks = 0
#include "verify/checks.def"
	;
#undef CHECK
#undef CONTENT

/*
 * Where a quote is not what it must be, nothing that a log says is looked at, so that whoever
 * may hand in evidence can neither have it believed nor have a verifier spend its time on it.
 */
static void test_nothing_is_appraised_that_no_quote_proves(void **state)
{
	static struct verdict verdict;
	size_t rows = 0;

	(void)state;
	for (const struct bad_row *row = bad_quotes; row->name; row++) {
		fixture_judge(row->stage, row->change, &verdict);
		if (verdict.passed & CHECK_BIT(CHECK_PCR_DIGEST))
			continue;
		rows++;
		if ((verdict.passed | verdict.failed) & content_checks)
			fail_msg("%s: something was appraised", row->name);
		assert_int_equal(verdict.files, 0);
	}
	assert_true(rows > 50);
}

/* A check that no row makes fail might as well not be there. */
static void test_every_check_was_seen_to_fail(void **state)
{
	char text[1024] = "";

	(void)state;
	assert_true(packages_named >= 2);
	list("never failed:", CHECK_ALL & ~seen_in_tables, text, sizeof(text));
	assert_string_equal(text, "");
}

/* ---------------------------------------------------------------- the verdict */

/* With all that evidence may have, every check can be made but those of rules on the firmware's
 * log, for which bad_firmware.c has boots. */
/* A quote of a session is in bad_session.c. */
#define CHECKS_MADE (CHECK_ALL & ~CHECKS_OF_FIRMWARE_RULES & ~CHECK_BIT(CHECK_QUOTE_SESSION))

static void add_all(struct fixture *fixture)
{
	static const struct policy_path all = { .path = "/", .reason = "a test" };
	static const uint8_t filesystem[][16] = { FIXTURE_FSUUID };

	fixture_add_firmware(fixture);
	fixture_add_ima_files(fixture);
	fixture->policy.allowed = &all;
	fixture->policy.allowed_count = 1;
	fixture->policy.filesystems = filesystem;
	fixture->policy.filesystem_count = 1;
	fixture->boot_named = true;
	fixture->certified = true;
}

static void test_one_missing_bit_is_enough(void **state)
{
	static struct verdict verdict;

	(void)state;
	fixture_judge(BEFORE_PCRS, add_all, &verdict);
	assert_true(verdict_trusted(&verdict));
	assert_int_equal(verdict_reason(&verdict), CHECK_COUNT);
	assert_true(verdict.passed == CHECKS_MADE);
	verdict.required = CHECK_ALL;
	for (int i = 0; i < CHECK_COUNT; i++) {
		verdict.passed = CHECK_ALL & ~CHECK_BIT(i);
		assert_false(verdict_trusted(&verdict));
		assert_int_equal(verdict_reason(&verdict), i);
		assert_string_equal(verdict_result(&verdict, (enum check)i), "not-checked");
		verdict.failed = CHECK_BIT(i);
		assert_string_equal(verdict_result(&verdict, (enum check)i), "fail");
		verdict.failed = 0;
	}
}

static void test_names_are_found_again(void **state)
{
	enum check found = CHECK_COUNT;

	(void)state;
	for (int i = 0; i < CHECK_COUNT; i++) {
		assert_true(check_by_name(check_name((enum check)i), &found));
		assert_int_equal(found, i);
		assert_non_null(strchr(check_question((enum check)i), '?'));
	}
	assert_false(check_by_name("quote", &found));
	assert_false(check_waivable(CHECK_QUOTE_SIGNATURE));
	assert_true(check_waivable(CHECK_FILES_COMPLETE));
}

static void test_verdict_as_json(void **state)
{
	static struct verdict verdict;
	json_t *json, *checks;

	(void)state;
	fixture_judge(BEFORE_PCRS, add_all, &verdict);
	/* Cut inside a character: still JSON. */
	memset(verdict.detail[0], 'x', CHECK_DETAIL_MAX - 2);
	verdict.detail[0][CHECK_DETAIL_MAX - 2] = (char)0xc3;
	verdict.detail[0][CHECK_DETAIL_MAX - 1] = '\0';
	verdict.passed &= ~CHECK_BIT(CHECK_QUOTE_NONCE);
	json = verdict_to_json(&verdict);
	assert_non_null(json);
	assert_true(json_is_false(json_object_get(json, "trusted")));
	checks = json_object_get(json, "checks");
	assert_int_equal(json_array_size(checks), CHECK_COUNT);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		const json_t *check = json_array_get(checks, i);

		assert_string_equal(json_string_value(json_object_get(check, "name")),
				    check_name((enum check)i));
		assert_string_equal(json_string_value(json_object_get(check, "result")),
				    i == CHECK_QUOTE_NONCE || !(CHECKS_MADE & CHECK_BIT(i)) ?
					    "not-checked" :
					    "pass");
		assert_true(json_is_boolean(json_object_get(check, "required")));
		assert_true(json_is_string(json_object_get(check, "detail")));
	}
	json_decref(json);
}

static void add_event(struct fixture *fixture)
{
	struct buffer value = { 0 };

	put_event(&value, "test", BYTES_LITERAL("later"));
	fixture_insert(fixture, fixture->record_count,
		       fixture_record(fixture->record_count, buffer_bytes(&value)));
	buffer_free(&value);
}

static void test_what_is_not_covered_is_told(void **state)
{
	static struct verdict verdict;

	(void)state;
	fixture_judge(AFTER_QUOTE, add_event, &verdict);
	assert_int_equal(verdict.assay_log.records, 6);
	assert_int_equal(verdict.assay_log.covered, 5);
	assert_int_equal(verdict.ima_log.records, 4);
	assert_int_equal(verdict.ima_log.covered, 4);
	assert_int_equal(verdict.files, 4);
	assert_non_null(strstr(verdict.detail[CHECK_ASSAY_LOG_REPLAY], "not covered"));
}

/* ---------------------------------------------------------------- the state */

static struct verify_state kept;

static void go_on_from_kept(struct fixture *fixture)
{
	/* Each fixture's manifest is another one. */
	kept.complete = fixture->state.complete;
	kept.clock = 1;
	fixture->state = kept;
	fixture->cut = 5;
}

static void test_state_leads_to_the_next_verdict(void **state)
{
	static struct verdict verdict;
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	verify(&fixture.input, &fixture.policy, &verdict);
	assert_true(verdict_trusted(&verdict));
	kept = verdict.state;
	assert_int_equal(kept.records, 5);
	assert_true(kept.verified == fixture.input.now);
	assert_string_equal(kept.boot_id, FIXTURE_BOOT_ID);
	assert_memory_equal(kept.value.bytes, fixture.pcrs[1][1].bytes, 32);
	assert_memory_equal(kept.complete.bytes, fixture.state.complete.bytes, 32);
	fixture_free(&fixture);
	fixture_judge(BEFORE_QUOTE, go_on_from_kept, &verdict);
	assert_true(verdict_trusted(&verdict));
	assert_int_equal(verdict.state.records, 5);
	/* The same quote once more is no news, and leaves nothing to keep. */
	fixture_judge(BEFORE_QUOTE, NULL, &verdict);
	kept = verdict.state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	fixture.input.state = &kept;
	verify(&fixture.input, &fixture.policy, &verdict);
	assert_false(verdict_trusted(&verdict));
	assert_true(verdict.failed == CHECK_BIT(CHECK_QUOTE_COUNTERS));
	assert_int_equal(verdict.state.clock, 0);
	fixture_free(&fixture);
}

static void test_state_as_json(void **state)
{
	static const struct {
		const char *name, *value, *says;
	} rows[] = {
		{ "extra", "1", "extra" },
		{ "clock", "1", "clock" },
		{ "clock", "\"\"", "clock" },
		{ "clock", "\"1x\"", "clock" },
		{ "clock", "\"18446744073709551616\"", "clock" },
		{ "firmware_version", "\"00\"", "firmware_version" },
		{ "reset_count", "4294967296", "reset_count" },
		{ "restart_count", "-1", "restart_count" },
		{ "records", "null", "records" },
		{ "pcr", "null", "pcr" },
		{ "pcr", "\"sha256:00\"", "pcr" },
		{ "complete", "5", "complete" },
		{ "late_tpm", "0", "late_tpm" },
		{ "boot_id", "\"x\"", "boot_id" },
		{ "verified", "\"yesterday\"", "verified" },
	};
	struct verify_state before = { .reset_count = UINT32_MAX,
				       .restart_count = 1,
				       .clock = UINT64_MAX,
				       .firmware_version = UINT64_MAX - 1,
				       .boot_id = FIXTURE_BOOT_ID,
				       .records = 7,
				       .value = log_test_digest(ASSAY_HASH_SHA384, 3),
				       .late_tpm = true,
				       .verified = 1760000000 };
	struct verify_state after;
	struct assay_error err;
	json_t *json = state_to_json(&before);

	(void)state;
	memset(&after, 0x55, sizeof(after));
	assert_int_equal(state_from_json(json, &after, &err), 0);
	assert_memory_equal(&after, &before, sizeof(before));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *copy = json_deep_copy(json);

		json_object_set_new(copy, rows[i].name,
				    json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		if (state_from_json(copy, &after, &err) != -EBADMSG ||
		    !strstr(err.text, rows[i].says))
			fail_msg("%s: %s: %s", rows[i].name, rows[i].value, err.text);
		json_decref(copy);
	}
	assert_int_equal(state_from_json(NULL, &after, &err), -EBADMSG);
	json_decref(json);
	/* Of evidence without assay's log. */
	before.records = 0;
	before.value = (struct assay_digest){ 0 };
	json = state_to_json(&before);
	assert_int_equal(state_from_json(json, &after, &err), 0);
	assert_memory_equal(&after, &before, sizeof(before));
	json_object_set_new(json, "records", json_integer(1));
	assert_int_equal(state_from_json(json, &after, &err), -EBADMSG);
	json_decref(json);
}

/* ---------------------------------------------------------------- cut everywhere */

/* A prefix in memory of exactly its size, so that reading on is seen; free() it. */
static struct bytes prefix(struct bytes whole, size_t size, void **ret_memory)
{
	*ret_memory = malloc(size > 0 ? size : 1);
	assert_non_null(*ret_memory);
	if (size > 0)
		memcpy(*ret_memory, whole.data, size);
	return BYTES(*ret_memory, size);
}

static int parse_attest(struct bytes in)
{
	struct assay_error err;
	struct tpm_attest attest;

	return tpm_attest_parse(in, &attest, &err);
}

static int parse_signature(struct bytes in)
{
	struct assay_error err;
	struct tpm_signature signature;

	return tpm_signature_parse(in, &signature, &err);
}

static int parse_public(struct bytes in)
{
	struct assay_error err;
	struct tpm_public public;

	return tpm_public_parse(in, &public, &err);
}

static int parse_evidence(struct bytes in)
{
	struct evidence evidence = { 0 };
	struct assay_error err;
	int r = evidence_parse(in, &evidence, &err);

	evidence_free(&evidence);
	return r;
}

static void cut_everywhere(struct bytes whole, int (*parse)(struct bytes in))
{
	for (size_t size = 0; size < whole.size; size++) {
		void *memory;
		int r = parse(prefix(whole, size, &memory));

		free(memory);
		if (r != -EBADMSG)
			fail_msg("%zu of %zu bytes: %d", size, whole.size, r);
	}
	assert_int_equal(parse(whole), 0);
}

static void rsa_key(struct fixture *fixture)
{
	fixture_use_key(fixture, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
}

static void test_structures_cut_at_every_byte(void **state)
{
	fixture_change *const changes[] = { NULL, rsa_key };
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_begin(&fixture);
		fixture_build(&fixture, BEFORE_QUOTE, changes[i]);
		cut_everywhere(buffer_bytes(&fixture.evidence.attest), parse_attest);
		cut_everywhere(buffer_bytes(&fixture.evidence.signature), parse_signature);
		cut_everywhere(buffer_bytes(&fixture.evidence.ak_public), parse_public);
		fixture_free(&fixture);
	}
}

static void test_evidence_cut_at_every_byte(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	assert_int_equal(fixture.text.data[fixture.text.size - 1], '\n');
	fixture.text.size--; /* without the newline it is whole too */
	cut_everywhere(buffer_bytes(&fixture.text), parse_evidence);
	fixture_free(&fixture);
}

static size_t cut_at;

static void cut_assay_log(struct fixture *fixture)
{
	fixture->evidence.assay_cel.size = cut_at;
}

static void cut_ima_log(struct fixture *fixture)
{
	fixture->evidence.ima_data.size = cut_at;
}

/* Inside a record the log is ill-formed; between two it is whole and does not replay. */
static void cut_log_everywhere(fixture_change *cut, size_t size, size_t records, enum check parsed,
			       enum check replay)
{
	static struct verdict verdict;
	size_t between = 0;

	for (cut_at = 0; cut_at < size; cut_at++) {
		fixture_judge(AT_MARSHALLED, cut, &verdict);
		assert_false(verdict_trusted(&verdict));
		if (verdict.failed & CHECK_BIT(replay))
			between++;
		else if (verdict.failed != CHECK_BIT(parsed))
			fail_msg("cut at byte %zu: %llx", cut_at,
				 (unsigned long long)verdict.failed);
	}
	assert_int_equal(between, records - 1);
}

static void test_logs_cut_at_every_byte(void **state)
{
	size_t assay_size, ima_size;
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	assay_size = fixture.evidence.assay_cel.size;
	ima_size = fixture.evidence.ima_data.size;
	fixture_free(&fixture);
	cut_log_everywhere(cut_ima_log, ima_size, 4, CHECK_IMA_LOG_PARSED, CHECK_IMA_LOG_REPLAY);
	cut_log_everywhere(cut_assay_log, assay_size, 5, CHECK_ASSAY_LOG_PARSED,
			   CHECK_ASSAY_LOG_REPLAY);
}

/* ---------------------------------------------------------------- evidence as JSON */

static void test_evidence_comes_back(void **state)
{
	struct evidence again = { 0 };
	struct assay_error err;
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	buffer_append(&fixture.evidence.ak_certificate, "certificate", 11);
	fixture.evidence.assay_base = INT64_MAX;
	fixture.evidence.assay_first = 7;
	fixture.evidence.assay_start_count = 2;
	fixture.evidence.assay_start[0] = fixture.pcrs[1][0];
	fixture.evidence.assay_start[1] = fixture.pcrs[1][1];
	fixture.evidence.has_uefi_log = true;
	buffer_append(&fixture.evidence.uefi_data, "firmware", 8);
	{
		char *text = NULL;
		size_t size = 0;
		FILE *stream = open_memstream(&text, &size);

		assert_int_equal(evidence_write(stream, &fixture.evidence, &err), 0);
		fclose(stream);
		assert_int_equal(evidence_parse(BYTES((uint8_t *)text, size), &again, &err), 0);
		free(text);
	}
#define SAME(member) \
	assert_true( \
		bytes_equal(buffer_bytes(&again.member), buffer_bytes(&fixture.evidence.member)))
	SAME(nonce);
	SAME(ak_public);
	SAME(ak_certificate);
	SAME(attest);
	SAME(signature);
	SAME(assay_cel);
	SAME(ima_data);
	SAME(uefi_data);
#undef SAME
	assert_int_equal(again.pcr_count, fixture.evidence.pcr_count);
	for (size_t i = 0; i < again.pcr_count; i++) {
		assert_int_equal(again.pcrs[i].index, fixture.evidence.pcrs[i].index);
		assert_memory_equal(&again.pcrs[i].value, &fixture.evidence.pcrs[i].value,
				    sizeof(again.pcrs[i].value));
	}
	assert_true(again.assay_base == INT64_MAX);
	assert_true(again.assay_first == 7);
	assert_int_equal(again.assay_start_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(&again.assay_start[i], &fixture.evidence.assay_start[i],
				    sizeof(again.assay_start[i]));
	assert_true(again.has_assay_log && again.has_ima_log && again.has_uefi_log);
	assert_int_equal(again.ima_template_bank, ASSAY_HASH_SHA1);
	assert_string_equal(again.boot_id, FIXTURE_BOOT_ID);
	assert_true(again.collected == 1760000000);
	evidence_free(&again);
	fixture_free(&fixture);
}

/* The text with the first @from made @to; a string to free(). */
static char *replaced(const struct buffer *text, const char *from, const char *to)
{
	size_t size = text->size + strlen(to) + 1;
	const uint8_t *at = memmem(text->data, text->size, from, strlen(from));
	char *out = calloc(1, size);
	size_t before;

	assert_non_null(out);
	if (!at)
		fail_msg("the evidence has no %s", from);
	before = (size_t)(at - text->data);
	snprintf(out, size, "%.*s%s%.*s", (int)before, text->data, to,
		 (int)(text->size - before - strlen(from)), at + strlen(from));
	return out;
}

static void test_evidence_that_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
		{ "\"assay\": 1", "\"assay\": 2", "version" },
		{ "\"assay\": 1", "\"assay\": \"1\"", "number" },
		{ "\"assay\": 1", "\"assay\": 1, \"assay\": 1", "JSON" },
		{ "\"assay\": 1", "\"assay\": 1, \"extra\\u001b\": 1", "\\x1b\" is not known" },
		{ "\"type\": \"evidence\"", "\"type\": \"manifest\"", "type" },
		{ "\"nonce\": \"", "\"nonce\": \"*", "nonce" },
		{ "\"nonce\": ", "\"nonce2\": ", "nonce2" },
		{ "\"nonce\": \"dGhpcyBpcyBhIG5vbmNlIQ==\"", "\"nonce\": \"\"", "empty" },
		{ "\"attest\"", "\"attest2\"", "attest2" },
		{ "\"quote\": {", "\"quote\": {\"extra\": 1,", "extra" },
		{ "\"ak_public\": ", "\"ak_key\": \"AAAA\", \"ak_public\": ", "one of them" },
		{ "\"ak_public\": ", "\"ak_key\": 1, \"x\": ", "not known" },
		{ "\"signature\": \"", "\"signature\": \" ", "base64" },
		{ "\"sha256\": {", "\"sha512\": {", "its bank" },
		{ "\"sha256\": {", "\"md5\": {", "md5" },
		{ "\"10\": \"", "\"010\": \"", "010" },
		{ "\"10\": \"", "\"32\": \"", "32" },
		{ "\"10\": \"", "\"-1\": \"", "-1" },
		{ "\"10\": \"", "\"\": \"", "index" },
		{ "\"10\": \"", "\"99999999999999999999\": \"", "index" },
		{ "\"10\": \"", "\"10\": \"00", "33 bytes" },
		{ "\"10\": \"", "\"10\": \"x", "hexadecimal" },
		{ "\"10\": \"", "\"11\": 5, \"10\": \"", "hexadecimal" },
		{ "\"pcrs\": {", "\"pcrs\": {\"sha384\": [],", "sha384" },
		{ "\"base\": 0", "\"base\": -1", "negative" },
		{ "\"base\": 0", "\"base\": 9223372036854775808", "JSON" },
		{ "\"base\": 0", "\"base\": 0.5", "number" },
		{ "\"cel\": \"", "\"cel\": \"A", "cel" },
		{ "\"cel\": \"", "\"first\": 0, \"start\": {}, \"cel\": \"", "whole log" },
		{ "\"cel\": \"", "\"first\": 1, \"cel\": \"", "has no \"start\"" },
		{ "\"cel\": \"", "\"start\": {}, \"cel\": \"", "needs \"first\"" },
		{ "\"cel\": \"", "\"first\": 1, \"start\": [], \"cel\": \"", "not an object" },
		{ "\"cel\": \"", "\"first\": 1, \"start\": {\"md5\": \"00\"}, \"cel\": \"",
		  "each bank" },
		{ "\"cel\": \"", "\"first\": 1, \"start\": {\"sha1\": \"00\"}, \"cel\": \"",
		  "each bank" },
		{ "\"cel\": \"", "\"first\": 1, \"start\": {\"sha1\": 0}, \"cel\": \"",
		  "each bank" },
		{ "\"logs\": {", "\"logs\": {\"uefi\": {},", "has no \"data\"" },
		{ "\"logs\": {", "\"logs\": {\"uefi\": {\"data\": \"*\"},", "base64" },
		{ "\"logs\": {", "\"logs\": {\"uefi\": {\"data\": \"\", \"x\": 1},",
		  "\"x\" is not" },
		{ "\"logs\": {", "\"logs\": {\"tdx\": {},", "tdx" },
		{ "\"template_bank\": \"sha1\"", "\"template_bank\": \"md5\"", "md5" },
		{ "\"boot_id\": \"0", "\"boot_id\": \"A", "UUID" },
		{ "\"boot_id\": \"0", "\"boot_id\": \"00", "UUID" },
		{ "\"collected\": \"2025-", "\"collected\": \"2025 ", "time" },
		{ "\"collected\": \"2025-10-09", "\"collected\": \"2025-02-30", "time" },
		{ "\"collected\": \"2025-10-09", "\"collected\": \"2025- 1-09", "time" },
		{ "\"collected\": \"2025-10-09", "\"collected\": \"1969-10-09", "time" },
	};
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = replaced(&fixture.text, rows[i].from, rows[i].to);
		struct evidence evidence = { 0 };
		struct assay_error err = { 0 };
		int r = evidence_parse(BYTES((uint8_t *)text, strlen(text)), &evidence, &err);

		if (r != -EBADMSG || !strstr(err.text, rows[i].says))
			fail_msg("%s made %s: %d, \"%s\" does not say %s", rows[i].from, rows[i].to,
				 r, err.text, rows[i].says);
		free(text);
	}
	fixture_free(&fixture);
}

static void test_evidence_that_is_not_written(void **state)
{
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct evidence evidence = { 0 };
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(evidence_write(stderr, &evidence, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ak_public"));
	buffer_append_u8(&evidence.ak_public, 0);
	buffer_append_u8(&evidence.ak_key, 0);
	assert_int_equal(evidence_write(stderr, &evidence, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not both"));
	assert_int_equal(evidence_add_pcr(&evidence, 32, &value, &err), -EINVAL);
	assert_int_equal(evidence_add_pcr(&evidence, 0, &value, &err), 0);
	assert_int_equal(evidence_add_pcr(&evidence, 0, &value, &err), -EEXIST);
	value.size = 31;
	assert_int_equal(evidence_add_pcr(&evidence, 1, &value, &err), -EINVAL);
	evidence_free(&evidence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_quotes),
		cmocka_unit_test(test_bad_logs),
		cmocka_unit_test(test_bad_starts),
		cmocka_unit_test(test_bad_chains),
		cmocka_unit_test(test_bad_firmware),
		cmocka_unit_test(test_bad_presence),
		cmocka_unit_test(test_bad_sessions),
		cmocka_unit_test(test_bad_ima),
		cmocka_unit_test(test_bad_boots),
		cmocka_unit_test(test_nothing_is_appraised_that_no_quote_proves),
		cmocka_unit_test(test_every_check_was_seen_to_fail),
		cmocka_unit_test(test_one_missing_bit_is_enough),
		cmocka_unit_test(test_names_are_found_again),
		cmocka_unit_test(test_verdict_as_json),
		cmocka_unit_test(test_what_is_not_covered_is_told),
		cmocka_unit_test(test_state_leads_to_the_next_verdict),
		cmocka_unit_test(test_state_as_json),
		cmocka_unit_test(test_structures_cut_at_every_byte),
		cmocka_unit_test(test_evidence_cut_at_every_byte),
		cmocka_unit_test(test_logs_cut_at_every_byte),
		cmocka_unit_test(test_evidence_comes_back),
		cmocka_unit_test(test_evidence_that_is_refused),
		cmocka_unit_test(test_evidence_that_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
