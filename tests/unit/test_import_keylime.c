// SPDX-License-Identifier: MIT
/*
 * lib/import/keylime: the quote in each thing that it comes in is the same evidence; what is not
 * taken over is told by its name; what is none of Keylime's is refused.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/inflate.h"
#include "import/keylime.h"
#include "import/parts.h"
#include "log_builder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEEDS "fuzz_import_keylime/"

static char told[8192];

static void keep_note(void *context, const char *text)
{
	size_t used = strlen(told);

	(void)context;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static int import(struct bytes in, struct evidence *evidence, struct assay_error *err)
{
	static const struct import_notes notes = { keep_note, NULL };

	*evidence = (struct evidence){ 0 };
	*err = (struct assay_error){ 0 };
	told[0] = '\0';
	return import_keylime(in, &notes, evidence, err);
}

static void one_quote_is_the_same_in_all(void **state)
{
	static const struct {
		const char *path;
		bool key, logs;
		const char *notes[6];
	} rows[] = {
		{ SEEDS "quote-string", false, false, { NULL } },
		{ SEEDS "answer.json",
		  false,
		  true,
		  { "enc_alg", "pubkey", "boottime", "\"new_thing\"", "begins with entry 5",
		    NULL } },
		{ SEEDS "one-shot.json", true, true, { "tpm_ek", "tpm_policy", NULL } },
		{ SEEDS "push.json", true, true, { "begins with entry 2", "type moon_log", NULL } },
	};
	struct buffer message = log_test_data("quote/keylime-test-data/quote.out");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = log_test_data(rows[i].path);
		struct evidence evidence;
		struct assay_error err;

		if (import(buffer_bytes(&text), &evidence, &err) < 0)
			fail_msg("%s: %s", rows[i].path, err.text);
		assert_true(bytes_equal(buffer_bytes(&evidence.attest), buffer_bytes(&message)));
		assert_int_equal(evidence.pcr_count, 3);
		assert_int_equal(evidence.nonce.size, 20);
		assert_int_equal(evidence.ak_public.size > 0, rows[i].key);
		assert_int_equal(evidence.has_ima_log, rows[i].logs);
		assert_int_equal(evidence.has_uefi_log, rows[i].logs);
		for (size_t j = 0; rows[i].notes[j]; j++)
			if (!strstr(told, rows[i].notes[j]))
				fail_msg("%s: nothing is told of %s, but\n%s", rows[i].path,
					 rows[i].notes[j], told);
		if (!rows[i].notes[0] && told[0])
			fail_msg("%s: %s", rows[i].path, told);
		evidence_free(&evidence);
		buffer_free(&text);
	}
	buffer_free(&message);
}

/* Of Keylime's agent in Rust, which has the PCR values from its own memory. */
static void a_quote_of_the_agent_is_read(void **state)
{
	struct buffer text = log_test_data("keylime/test-quote.txt");
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	if (import(buffer_bytes(&text), &evidence, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(evidence.pcr_count, 1);
	assert_int_equal(evidence.pcrs[0].value.hash, ASSAY_HASH_SHA1);
	assert_int_equal(evidence.pcrs[0].index, 16);
	assert_true(bytes_equal(buffer_bytes(&evidence.nonce), BYTES_LITERAL("TEST")));
	evidence_free(&evidence);
	buffer_free(&text);
}

/* A text with the first @from made @to; buffer_free() it. */
static struct buffer replaced(const char *path, const char *from, const char *to)
{
	struct buffer text = log_test_data(path), out = { 0 };
	const uint8_t *at = memmem(text.data, text.size, from, strlen(from));
	size_t before;

	if (!at)
		fail_msg("%s has no %s", path, from);
	before = (size_t)(at - text.data);
	buffer_append(&out, text.data, before);
	buffer_append(&out, to, strlen(to));
	buffer_append(&out, at + strlen(from), text.size - before - strlen(from));
	buffer_free(&text);
	return out;
}

/* A part of the quote string, compressed. */
static void put_part(struct buffer *out, struct bytes part, size_t more)
{
	uLongf size = compressBound(part.size);
	uint8_t *compressed = malloc(size + more);
	char *text;

	assert_non_null(compressed);
	assert_int_equal(compress(compressed, &size, part.data, part.size), Z_OK);
	memset(compressed + size, 0, more);
	text = base64_encode(BYTES(compressed, size + more));
	assert_non_null(text);
	buffer_append(out, text, strlen(text));
	free(text);
	free(compressed);
}

/* The quote string with its parts compressed, and bytes behind the last. */
static struct buffer compressed_quote(size_t more)
{
	struct buffer in = log_test_data(SEEDS "quote-string"), out = { 0 };
	const char *at = (const char *)in.data + 1, *end = (const char *)in.data + in.size;

	while (end > at && end[-1] == '\n')
		end--;
	buffer_append_u8(&out, 'r');
	for (int i = 0; i < 3; i++) {
		const char *colon = memchr(at, ':', (size_t)(end - at));
		struct buffer part = { 0 };

		assert_int_equal(base64_decode(at, (size_t)((colon ? colon : end) - at), &part), 0);
		put_part(&out, buffer_bytes(&part), i == 2 ? more : 0);
		if (colon)
			buffer_append_u8(&out, ':');
		at = colon ? colon + 1 : end;
		buffer_free(&part);
	}
	buffer_free(&in);
	return out;
}

static void what_is_compressed_is_the_same(void **state)
{
	struct buffer plain = log_test_data(SEEDS "quote-string");
	struct buffer compressed = compressed_quote(0), longer = compressed_quote(1);
	struct evidence first, second, third;
	struct assay_error err;

	(void)state;
	assert_int_equal(import(buffer_bytes(&plain), &first, &err), 0);
	if (import(buffer_bytes(&compressed), &second, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bytes_equal(buffer_bytes(&first.attest), buffer_bytes(&second.attest)));
	assert_true(bytes_equal(buffer_bytes(&first.signature), buffer_bytes(&second.signature)));
	assert_int_equal(first.pcr_count, second.pcr_count);
	assert_int_equal(import(buffer_bytes(&longer), &third, &err), -EBADMSG);
	evidence_free(&first);
	evidence_free(&second);
	evidence_free(&third);
	buffer_free(&plain);
	buffer_free(&compressed);
	buffer_free(&longer);
}

/* Of a few bytes that hold many, no more come out than there may be. */
static void what_is_compressed_is_bounded(void **state)
{
	static const size_t most[] = { 0, 1, 999, 1000, 1001 };
	uint8_t zeros[1000] = { 0 }, packed[100];
	uLongf size = sizeof(packed);

	(void)state;
	assert_int_equal(compress(packed, &size, zeros, sizeof(zeros)), Z_OK);
	for (size_t i = 0; i < COUNT(most); i++) {
		struct buffer out = { 0 };
		struct assay_error err;
		int r = inflate_bytes(BYTES(packed, size), most[i], &out, &err);

		assert_int_equal(r, most[i] < sizeof(zeros) ? -EFBIG : 0);
		assert_int_equal(out.size, r < 0 ? 0 : sizeof(zeros));
		buffer_free(&out);
	}
	for (size_t cut = 0; cut < size; cut++) {
		struct buffer out = { 0 };
		struct assay_error err;

		assert_true(inflate_bytes(BYTES(packed, cut), sizeof(zeros), &out, &err) < 0);
		buffer_free(&out);
	}
}

static void what_is_off_is_refused(void **state)
{
	static const struct {
		const char *path, *from, *to, *says;
	} rows[] = {
		{ SEEDS "quote-string", "r", "d", "JSON" },
		{ SEEDS "quote-string", "r/", "rr/", "base64" },
		{ SEEDS "quote-string", ":", "", "part 1 of Keylime" },
		{ SEEDS "quote-string", ":", "::", "three parts" },
		{ SEEDS "quote-string", "r/1RDR4", "r:/1RDR4", "three parts" },
		{ SEEDS "quote-string", "r/1RDR4", "reJwDR4", "no whole stream of zlib or gzip" },
		{ SEEDS "quote-string", "/1RDR4AY", "/1RDR4AYAAAA", "no TPMS_ATTEST" },
		{ SEEDS "answer.json", "\"results\"", "\"other\"", "none of Keylime's" },
		{ SEEDS "answer.json", "\"quote\"", "\"quotes\"", "\"quote\"" },
		{ SEEDS "answer.json", "\"quote\": \"r", "\"quote\": \"", "begin with 'r'" },
		{ SEEDS "answer.json", "\"ima_measurement_list\": \"10",
		  "\"ima_measurement_list\": \"x", "IMA's list" },
		{ SEEDS "answer.json", "\"ima_measurement_list_entry\": 5",
		  "\"ima_measurement_list_entry\": -5", "negative" },
		{ SEEDS "answer.json", "\"mb_measurement_list\": \"",
		  "\"mb_measurement_list\": \"*", "base64" },
		{ SEEDS "one-shot.json", "\"type\": \"tpm\"", "\"type\": \"tee\"", "\"tee\"" },
		{ SEEDS "one-shot.json", "\"type\": \"tpm\"", "\"type\": \"x\"",
		  "none of Keylime's" },
		{ SEEDS "one-shot.json", "\"tpm_ak\": \"", "\"tpm_ak\": \"AAAA", "key" },
		{ SEEDS "one-shot.json", "\"mb_log\": \"", "\"mb_log\": \"AAAA", "firmware's log" },
		{ SEEDS "one-shot.json", "\"nonce\": \"2", "\"nonce\": 1, \"n\": \"", "nonce" },
		{ SEEDS "push.json", "\"evidence\": [", "\"x\": [", "another step" },
		{ SEEDS "push.json", "\"evidence\": [", "\"evidence\": [1, ", "not an object" },
		{ SEEDS "push.json", "\"tpm_quote\"", "\"x\"", "no quote" },
		{ SEEDS "push.json", "\"message\": \"", "\"message\": \"*", "base64" },
		{ SEEDS "push.json", "\"message\"", "\"messages\"", "\"message\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = replaced(rows[i].path, rows[i].from, rows[i].to);
		struct evidence evidence;
		struct assay_error err;
		int r = import(buffer_bytes(&text), &evidence, &err);

		if (r >= 0 || !strstr(err.text, rows[i].says))
			fail_msg("%s, %s made %s: %d, \"%s\" does not say %s", rows[i].path,
				 rows[i].from, rows[i].to, r, err.text, rows[i].says);
		evidence_free(&evidence);
		buffer_free(&text);
	}
}

/* What is said beside the quote and is not so: imported, as the quote has it, and told. */
static void what_does_not_agree_is_told(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
		{ "\"nonce\": \"2", "\"nonce\": \"3", "does not answer the nonce" },
		{ "\"hash_alg\": \"sha256\"", "\"hash_alg\": \"sha512\"", "hash_alg" },
		{ "\"type\": \"tpm\"", "\"type\": \"tpm\", \"\\u001b\": 1", "\\x1b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = replaced(SEEDS "one-shot.json", rows[i].from, rows[i].to);
		struct evidence evidence;
		struct assay_error err;

		if (import(buffer_bytes(&text), &evidence, &err) < 0)
			fail_msg("%s: %s", rows[i].to, err.text);
		if (!strstr(told, rows[i].says))
			fail_msg("%s: nothing is told of it, but\n%s", rows[i].to, told);
		evidence_free(&evidence);
		buffer_free(&text);
	}
}

static void what_has_very_many_values_is_not_parsed(void **state)
{
	struct buffer in = support_many_values("{\"results\":[", IMPORT_MAX_VALUES / 2, "]}");
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	assert_int_equal(import(buffer_bytes(&in), &evidence, &err), -EFBIG);
	assert_non_null(strstr(err.text, "has more than 262144 values"));
	buffer_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_quote_is_the_same_in_all),
		cmocka_unit_test(a_quote_of_the_agent_is_read),
		cmocka_unit_test(what_is_compressed_is_the_same),
		cmocka_unit_test(what_is_compressed_is_bounded),
		cmocka_unit_test(what_is_off_is_refused),
		cmocka_unit_test(what_does_not_agree_is_told),
		cmocka_unit_test(what_has_very_many_values_is_not_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
