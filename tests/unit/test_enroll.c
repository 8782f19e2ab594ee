// SPDX-License-Identifier: MIT
/*
 * The verifier's side of an enrolment without any TPM: the messages, the device record, and
 * what of them is refused. tests/data/fuzz_enroll is an enrolment as it went.
 */
#define _GNU_SOURCE /* open_memstream(), memmem() */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/enroll.h"
#include "log_builder.h"
#include "sign/certificate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW 1800000000 /* 2027: the sample's certificates are valid until 9999 */
#define DATA "fuzz_enroll/"

#define GOOD(call)                                           \
	do {                                                 \
		if ((call) < 0)                              \
			fail_msg("%s: %s", #call, err.text); \
	} while (0)

#define BAD(call, number, words)                                                                 \
	do {                                                                                     \
		int bad_result = (call);                                                         \
		if (bad_result != -(number) || err.code != (number) || !strstr(err.text, words)) \
			fail_msg("%s: %d \"%s\", expected \"%s\"", #call, bad_result, err.text,  \
				 words);                                                         \
	} while (0)

/* ---------------------------------------------------------------- parsing */

static int parse_request(struct bytes text, struct assay_error *err)
{
	struct enroll_request request = { 0 };
	int r = enroll_request_parse(text, &request, err);

	enroll_request_free(&request);
	return r;
}

static int parse_challenge(struct bytes text, struct assay_error *err)
{
	struct enroll_challenge challenge = { 0 };
	int r = enroll_challenge_parse(text, &challenge, err);

	enroll_challenge_free(&challenge);
	return r;
}

static int parse_answer(struct bytes text, struct assay_error *err)
{
	struct enroll_answer answer;

	return enroll_answer_parse(text, &answer, err);
}

static int parse_pending(struct bytes text, struct assay_error *err)
{
	struct enroll_pending pending = { 0 };
	int r = enroll_pending_parse(text, &pending, err);

	enroll_pending_free(&pending);
	return r;
}

static int parse_record(struct bytes text, struct assay_error *err)
{
	struct device_record record = { 0 };
	int r = device_record_parse(text, &record, err);

	device_record_free(&record);
	return r;
}

static const struct {
	const char *file;
	int (*parse)(struct bytes text, struct assay_error *err);
} kinds[] = {
	{ DATA "request", parse_request },     { DATA "request-p384", parse_request },
	{ DATA "challenge", parse_challenge }, { DATA "answer", parse_answer },
	{ DATA "pending", parse_pending },     { "fuzz_record/record", parse_record },
};

static void each_kind_is_read_as_itself_only(void **state)
{
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct buffer text = log_test_data(kinds[i].file);

		for (size_t j = 0; j < COUNT(kinds); j++) {
			int r = kinds[j].parse(buffer_bytes(&text), &err);

			if (kinds[i].parse == kinds[j].parse)
				assert_int_equal(r, 0);
			else
				assert_int_equal(r, -EBADMSG);
		}
		buffer_free(&text);
	}
}

static void each_kind_of_very_many_values_is_refused(void **state)
{
	struct buffer text = support_many_values("{\"a\":[", ENROLL_MAX_VALUES, "]}");
	struct assay_error err;

	(void)state;
	/* The last is a record, which no stranger sends. */
	for (size_t i = 0; i + 1 < COUNT(kinds); i++)
		BAD(kinds[i].parse(buffer_bytes(&text), &err), EFBIG, "has more than 256 values");
	buffer_free(&text);
}

static void each_kind_cut_at_every_byte_is_refused(void **state)
{
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct buffer text = log_test_data(kinds[i].file);

		/* The last byte is a newline, which is not missed. */
		for (size_t cut = 0; cut < text.size - 1; cut++)
			if (kinds[i].parse(BYTES(text.data, cut), &err) != -EBADMSG)
				fail_msg("%s cut at %zu is read", kinds[i].file, cut);
		buffer_append(&text, "{}", 2);
		BAD(kinds[i].parse(buffer_bytes(&text), &err), EBADMSG, "not JSON");
		buffer_free(&text);
	}
}

static void what_is_malformed_is_told(void **state)
{
	static const struct {
		size_t kind;
		const char *from, *to, *says;
	} rows[] = {
		{ 0, "\"assay\": 1", "\"assay\": 2", "version 2" },
		{ 0, "\"assay\": 1", "\"assay\": 1, \"x\": 1", "\"x\" is not known" },
		{ 0, "\"sample\"", "\"../sample\"", "not a machine's id" },
		{ 0, "\"sample\"", "\".sample\"", "not a machine's id" },
		{ 0, "\"sample\"", "\"\"", "not a machine's id" },
		{ 0, "\"sample\"",
		  "\"0123456789012345678901234567890123456789012345678901234567890123x\"",
		  "not a machine's id" },
		{ 0, "\"sample\"", "\"sa\\nmple\"", "not a machine's id" },
		{ 0, "\"ek_public\": \"", "\"ek_public\": \"*", "base64" },
		{ 0, "\"ek_public\"", "\"ek_publik\"", "ek_publik" },
		{ 0, "\"ak_qualified_name\": \"", "\"ak_qualified_name\": \"0", "hexadecimal" },
		{ 0, "\"ak_public\"", "\"ek_chain\": {}, \"ak_public\"", "not an array of" },
		{ 0, "\"ak_public\"", "\"ek_chain\": [], \"ak_public\"", "not an array of" },
		{ 0, "\"ak_public\"", "\"ek_chain\": [1], \"ak_public\"", "number 1 is not a" },
		{ 0, "\"ak_public\"", "\"ek_chain\": [\"MAA=\", \"MAEA\", \"MAA\"], \"ak_public\"",
		  "number 3 is not a" },
		{ 0, "\"ak_public\"", "\"ek_chain\": [\"MAAA\"], \"ak_public\"",
		  "number 1 is not a" },
		{ 0, "\"ak_public\"", "\"ek_chain\": [\"MIH/\"], \"ak_public\"",
		  "number 1 is not a" },
		{ 4, "\"ak_public\"", "\"ek_chain\": 1, \"ak_public\"", "not an array of" },
		{ 2, "\"id\": \"", "\"id\": \"00", "16 bytes" },
		{ 2, "\"credential\": \"", "\"credential\": \"\", \"y\": \"",
		  "\"y\" is not known" },
		{ 3, "\"id\": \"", "\"id\": \"x", "16 bytes" },
		{ 3, "\"secret\": \"", "\"secret\": \"00", "32 bytes" },
		{ 3, "\"secret\"", "\"sekret\"", "sekret" },
		{ 4, "\"secret_sha256\": \"", "\"secret_sha256\": \"00", "32 bytes" },
		{ 4, "\"expires\": \"2", "\"expires\": \"x", "not a time" },
		{ 4, "\"request\": {", "\"request\": [], \"z\": {", "\"z\" is not known" },
		{ 4, "enroll-request", "enroll-answer", "\"type\" is not" },
		{ 5, "\"sample\"", "\"a/b\"", "not a machine's id" },
		{ 5, "\"enrolled\": \"2", "\"enrolled\": \"x", "not a time" },
		{ 5, "\"ak_public\": \"AFg", "\"ak_public\": \"AFk", "\"ak_public\"" },
		{ 5, "\"ak_name\": \"000b", "\"ak_name\": \"000c", "not a TPM key's name" },
		{ 5, "\"ak_name\": \"000b", "\"ak_name\": \"0010", "not a TPM key's name" },
		{ 5, "\"ek_key_sha256\": \"", "\"ek_key_sha256\": \"x", "not a SHA-256 digest" },
		{ 5, "\"ek_certificate_sha256\": \"", "\"ek_certificate_sha256\": \"00",
		  "not a SHA-256 digest" },
	};
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = log_test_data(kinds[rows[i].kind].file), changed = { 0 };
		const uint8_t *at =
			memmem(text.data, text.size, rows[i].from, strlen(rows[i].from));
		size_t before;

		if (!at)
			fail_msg("there is no %s", rows[i].from);
		before = (size_t)(at - text.data);
		buffer_append(&changed, text.data, before);
		buffer_append(&changed, rows[i].to, strlen(rows[i].to));
		buffer_append(&changed, at + strlen(rows[i].from),
			      text.size - before - strlen(rows[i].from));
		BAD(kinds[rows[i].kind].parse(buffer_bytes(&changed), &err), EBADMSG, rows[i].says);
		buffer_free(&changed);
		buffer_free(&text);
	}
}

static void a_record_is_of_the_key_whose_name_it_has(void **state)
{
	struct buffer text = log_test_data("fuzz_record/record");
	const uint8_t *at = memmem(text.data, text.size, "\"ak_name\": \"000b", 16);
	struct assay_error err;

	(void)state;
	assert_non_null(at);
	text.data[at - text.data + 20] ^= 1; /* "0" and "1", "a" and "`"... */
	if (parse_record(buffer_bytes(&text), &err) == 0)
		fail_msg("a record with another name than its key's is read");
	buffer_free(&text);
}

/* ---------------------------------------------------------------- judging */

/* The sample's maker. */
static void trust_begin(struct chain_trust *trust)
{
	static const char *const files[] = { "enroll/ek-root.pem", "enroll/ek-issuer.pem" };
	struct assay_error err;

	*trust = (struct chain_trust){ .roots = sk_X509_new_null(),
				       .intermediates = sk_X509_new_null(),
				       .now = NOW };
	for (size_t i = 0; i < COUNT(files); i++) {
		struct buffer text = log_test_data(files[i]);

		GOOD(certificates_parse(buffer_bytes(&text), files[i],
					i == 0 ? trust->roots : trust->intermediates, &err));
		buffer_free(&text);
	}
}

static void trust_end(struct chain_trust *trust)
{
	sk_X509_pop_free(trust->roots, X509_free);
	sk_X509_pop_free(trust->intermediates, X509_free);
}

static void load_request(const char *name, struct enroll_request *ret)
{
	struct buffer text = log_test_data(name);
	struct assay_error err;

	GOOD(enroll_request_parse(buffer_bytes(&text), ret, &err));
	buffer_free(&text);
}

static int challenge(const struct enroll_request *request, const struct chain_trust *trust,
		     struct assay_error *err)
{
	struct enroll_challenge made = { 0 };
	struct enroll_pending pending = { 0 };
	int r = enroll_challenge(request, trust, NULL, 1, &made, &pending, NULL, err);

	if (r == 0)
		assert_true(pending.expires == NOW + 1);
	enroll_challenge_free(&made);
	enroll_pending_free(&pending);
	return r;
}

static void a_request_gets_a_challenge_each_time_another(void **state)
{
	static const char *const names[] = { DATA "request", DATA "request-p384" };
	struct chain_trust trust;
	struct assay_error err;

	(void)state;
	trust_begin(&trust);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct enroll_challenge made[2] = { 0 };
		struct enroll_pending pending[2] = { 0 };
		struct enroll_request request;

		load_request(names[i], &request);
		for (size_t j = 0; j < 2; j++)
			GOOD(enroll_challenge(&request, &trust, NULL, 1, &made[j], &pending[j],
					      NULL, &err));
		assert_memory_not_equal(made[0].id, made[1].id, sizeof(made[0].id));
		assert_memory_equal(made[0].id, pending[0].id, sizeof(made[0].id));
		assert_false(bytes_equal(buffer_bytes(&made[0].credential.blob),
					 buffer_bytes(&made[1].credential.blob)));
		assert_memory_not_equal(pending[0].secret.bytes, pending[1].secret.bytes, 32);
		for (size_t j = 0; j < 2; j++) {
			enroll_challenge_free(&made[j]);
			enroll_pending_free(&pending[j]);
		}
		enroll_request_free(&request);
	}
	trust_end(&trust);
}

/* It is written as it was read, and read as it was written. */
static void a_request_keeps_its_chain(void **state)
{
	struct buffer first = log_test_data("enroll/ek-issuer.pem");
	STACK_OF(X509) *certificates = sk_X509_new_null();
	struct enroll_request request, again;
	struct assay_error err;
	char *text = NULL;
	size_t size = 0;
	FILE *stream;

	(void)state;
	load_request(DATA "request", &request);
	assert_int_equal(request.ek_chain.size, 0);
	GOOD(certificates_parse(buffer_bytes(&first), "it", certificates, &err));
	for (int i = 0; i < 2; i++)
		GOOD(certificate_append_der(sk_X509_value(certificates, 0), &request.ek_chain,
					    &err));
	stream = open_memstream(&text, &size);
	GOOD(enroll_request_write(stream, &request, &err));
	fclose(stream);
	GOOD(enroll_request_parse(BYTES((const uint8_t *)text, size), &again, &err));
	assert_true(bytes_equal(buffer_bytes(&again.ek_chain), buffer_bytes(&request.ek_chain)));
	free(text);
	buffer_free(&first);
	sk_X509_pop_free(certificates, X509_free);
	enroll_request_free(&request);
	enroll_request_free(&again);
}

/* What is kept, and digested for the record, is the certificate alone. */
static void a_padded_certificate_is_kept_without_its_padding(void **state)
{
	struct enroll_challenge made = { 0 };
	struct enroll_pending pending = { 0 };
	struct enroll_request request;
	struct chain_trust trust;
	struct assay_error err;
	size_t size;

	(void)state;
	trust_begin(&trust);
	load_request(DATA "request", &request);
	size = request.ek_certificate.size;
	for (size_t i = 0; i < 512; i++)
		buffer_append_u8(&request.ek_certificate, 0xff);
	GOOD(enroll_challenge(&request, &trust, NULL, 1, &made, &pending, NULL, &err));
	assert_int_equal(pending.request.ek_certificate.size, size);
	enroll_challenge_free(&made);
	enroll_pending_free(&pending);
	request.ek_certificate.data[size + 100] = 0x41;
	BAD(enroll_challenge(&request, &trust, NULL, 1, &made, &pending, NULL, &err), EBADMSG,
	    "the endorsement key's certificate");
	enroll_request_free(&request);
	trust_end(&trust);
}

/* Of keys and certificate no byte can be another one. */
static void no_byte_of_a_request_can_be_changed(void **state)
{
	struct assay_digest expected;
	struct enroll_request request;
	struct chain_trust trust;
	struct assay_error err;
	struct tpm_public ek;
	size_t changeable = 0;

	(void)state;
	trust_begin(&trust);
	load_request(DATA "request", &request);
	GOOD(challenge(&request, &trust, &err));
	for (size_t i = 0; i < request.ek_certificate.size; i += 3) {
		request.ek_certificate.data[i] ^= 0x10;
		if (challenge(&request, &trust, &err) == 0)
			fail_msg("byte %zu of the certificate can be changed", i);
		request.ek_certificate.data[i] ^= 0x10;
	}
	/*
	 * But what says how the device may use the key (attributes and policy), not which key it
	 * is: the record identifies it all the same.
	 */
	GOOD(tpm_public_parse(buffer_bytes(&request.ek_public), &ek, &err));
	GOOD(tpm_public_key_digest(&ek, &expected, &err));
	for (size_t i = 0; i < request.ek_public.size; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct assay_digest found;

			request.ek_public.data[i] ^= (uint8_t)(1 << bit);
			if (challenge(&request, &trust, &err) == 0) {
				GOOD(tpm_public_parse(buffer_bytes(&request.ek_public), &ek, &err));
				GOOD(tpm_public_key_digest(&ek, &found, &err));
				assert_memory_equal(&found, &expected, sizeof(found));
				changeable++;
			}
			request.ek_public.data[i] ^= (uint8_t)(1 << bit);
		}
	/* 32 bits of attributes but for 6 that are checked, 256 of the policy. */
	assert_int_equal(changeable, 32 - 6 + 256);
	request.ak_public.size--;
	BAD(challenge(&request, &trust, &err), EBADMSG, "the attestation key");
	request.ak_public.size++;
	request.ak_public.data[7] ^= 0x04; /* sign */
	BAD(challenge(&request, &trust, &err), EKEYREJECTED, "is not a signing key");
	request.ak_public.data[7] ^= 0x04;
	trust.now = 1;
	BAD(challenge(&request, &trust, &err), EKEYREJECTED, "not yet valid");
	enroll_request_free(&request);
	trust_end(&trust);
}

static void an_answer_is_taken_or_not(void **state)
{
	struct buffer answer_text = log_test_data(DATA "answer");
	struct buffer pending_text = log_test_data(DATA "pending");
	struct buffer record_text = log_test_data("fuzz_record/record"), written = { 0 };
	struct device_record record = { 0 };
	struct enroll_pending pending;
	struct enroll_answer answer;
	struct assay_error err;
	uint64_t enrolled;

	(void)state;
	GOOD(enroll_answer_parse(buffer_bytes(&answer_text), &answer, &err));
	GOOD(enroll_pending_parse(buffer_bytes(&pending_text), &pending, &err));
	GOOD(device_record_parse(buffer_bytes(&record_text), &record, &err));
	enrolled = record.enrolled;
	device_record_free(&record);
	/* The record that comes of it is the sample's, to the byte. */
	GOOD(enroll_accept(&answer, &pending, enrolled, &record, &err));
	{
		char *text = NULL;
		size_t size = 0;
		FILE *stream = open_memstream(&text, &size);

		GOOD(device_record_write(stream, &record, &err));
		fclose(stream);
		buffer_append(&written, text, size);
		free(text);
	}
	assert_true(bytes_equal(buffer_bytes(&written), buffer_bytes(&record_text)));
	device_record_free(&record);
	for (size_t i = 0; i < sizeof(answer.secret); i++) {
		answer.secret[i] ^= 0x80;
		BAD(enroll_accept(&answer, &pending, enrolled, &record, &err), EKEYREJECTED,
		    "not the one of the challenge");
		answer.secret[i] ^= 0x80;
	}
	answer.id[15] ^= 1;
	BAD(enroll_accept(&answer, &pending, enrolled, &record, &err), EKEYREJECTED,
	    "another challenge");
	answer.id[15] ^= 1;
	BAD(enroll_accept(&answer, &pending, pending.expires + 1, &record, &err), ETIME,
	    "make a new one");
	GOOD(enroll_accept(&answer, &pending, pending.expires, &record, &err));
	device_record_free(&record);
	enroll_pending_free(&pending);
	buffer_free(&answer_text);
	buffer_free(&pending_text);
	buffer_free(&record_text);
	buffer_free(&written);
}

/* ---------------------------------------------------------------- known endorsement keys */

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ff112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void a_list_of_endorsement_keys_is_read(void **state)
{
	static const struct {
		const char *text;
		size_t count;	  /* 0: refused */
		const char *says; /* why */
	} rows[] = {
		{ KEY_A, 1, NULL },
		{ KEY_B "\n" KEY_A "  ek.der\n", 2, NULL },
		{ "# ours\r\n\r\n  " KEY_A "\tx\r\n" KEY_A "\n", 2, NULL },
		{ "", 0, "holds no endorsement key's digest" },
		{ "# " KEY_A "\n\n", 0, "holds no endorsement key's digest" },
		{ KEY_A "\nabc\n", 0, "line 2 does not begin with" },
		{ KEY_A "0", 0, "line 1 does not begin with" },
		{ "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 0, "line 1" },
		{ "sha256:" KEY_A, 0, "line 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_digest key = { .hash = ASSAY_HASH_SHA256 };
		struct ek_list list = { 0 };
		struct assay_error err = { 0 };
		int r = ek_list_parse(support_text(rows[i].text), "it", &list, &err);

		assert_int_equal(r, rows[i].count ? 0 : -EBADMSG);
		if (r < 0) {
			support_assert_error(&err, rows[i].says);
			ek_list_free(&list);
			continue;
		}
		assert_int_equal(list.count, rows[i].count);
		hex_decode(KEY_A, key.bytes, sizeof(key.bytes), &key.size);
		assert_true(ek_list_has(&list, &key));
		key.bytes[31] ^= 1;
		assert_false(ek_list_has(&list, &key));
		ek_list_free(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_read_as_itself_only),
		cmocka_unit_test(each_kind_of_very_many_values_is_refused),
		cmocka_unit_test(each_kind_cut_at_every_byte_is_refused),
		cmocka_unit_test(what_is_malformed_is_told),
		cmocka_unit_test(a_record_is_of_the_key_whose_name_it_has),
		cmocka_unit_test(a_request_gets_a_challenge_each_time_another),
		cmocka_unit_test(a_request_keeps_its_chain),
		cmocka_unit_test(a_padded_certificate_is_kept_without_its_padding),
		cmocka_unit_test(no_byte_of_a_request_can_be_changed),
		cmocka_unit_test(an_answer_is_taken_or_not),
		cmocka_unit_test(a_list_of_endorsement_keys_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
