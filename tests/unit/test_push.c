// SPDX-License-Identifier: MIT
/* lib/push: what a verifier's answers may be, what their status means, and when to come back. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "push/answer.h"
#include "push/http.h"
#include "push/message.h"
#include "push/schedule.h"

#define HEAD(type) "{\"assay\": 1, \"type\": \"" type "\", "
#define NONCE "\"nonce\": \"000102030405060708090a0b0c0d0e0f\""
#define CHALLENGE(more) HEAD("push-challenge") NONCE ", \"expires_in\": 60" more "}"
#define VERDICT(more) HEAD("push-verdict") more "}"

/* ---------------------------------------------------------------- challenges */

static void a_challenge_is_read(void **state)
{
	struct push_challenge challenge;
	struct assay_error err;

	(void)state;
	assert_int_equal(push_challenge_parse(support_text(CHALLENGE(", \"have\": {\"log\": 7, "
								     "\"uefi\": 9, \"ima\": "
								     "9223372036854775807}")),
					      &challenge, &err),
			 0);
	assert_int_equal(challenge.nonce_size, 16);
	assert_int_equal(challenge.nonce[15], 15);
	assert_int_equal(challenge.expires_in, 60);
	assert_int_equal(challenge.log, 7);
	assert_true(challenge.ima == INT64_MAX);
	assert_int_equal(challenge.uefi, 9);
	assert_int_equal(push_challenge_check(&challenge, &err), 0);
	/* What is not there, and what is there besides. */
	assert_int_equal(push_challenge_parse(
				 support_text(CHALLENGE(", \"new\": [{}], \"have\": {\"x\": 1}")),
				 &challenge, &err),
			 0);
	assert_true(challenge.log == 0 && challenge.ima == 0 && challenge.uefi == 0);
	assert_int_equal(push_challenge_parse(support_text(CHALLENGE("")), &challenge, &err), 0);
	assert_true(challenge.log == 0 && challenge.ima == 0 && challenge.uefi == 0);
}

static void bad_challenges_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "is empty" },
		{ "<html>", "is not JSON" },
		{ "[]", "not a JSON object" },
		{ "{}", "\"assay\"" },
		{ VERDICT(NONCE), "\"type\" is not" },
		{ "{\"assay\": 2, \"type\": \"push-challenge\", " NONCE ", \"expires_in\": 60}",
		  "of version 2" },
		{ HEAD("push-challenge") "\"expires_in\": 60}", "\"nonce\"" },
		{ HEAD("push-challenge") "\"nonce\": 5, \"expires_in\": 60}", "\"nonce\"" },
		{ HEAD("push-challenge") "\"nonce\": \"00\", \"expires_in\": 60}",
		  "16 to 64 bytes" },
		{ HEAD("push-challenge") "\"nonce\": \"000102030405060708090a0b0c0d0e0g\", "
					 "\"expires_in\": 60}",
		  "16 to 64 bytes" },
		{ HEAD("push-challenge") NONCE "}", "\"expires_in\"" },
		{ HEAD("push-challenge") NONCE ", \"expires_in\": 0}", "1 to 86400 seconds" },
		{ HEAD("push-challenge") NONCE ", \"expires_in\": 86401}", "1 to 86400 seconds" },
		{ HEAD("push-challenge") NONCE ", \"expires_in\": -1}", "is negative" },
		{ HEAD("push-challenge") NONCE ", \"expires_in\": 1.5}", "whole number" },
		{ CHALLENGE(", \"have\": 7"), "\"have\"" },
		{ CHALLENGE(", \"have\": {\"log\": -1}"), "is negative" },
		{ CHALLENGE(", \"have\": {\"uefi\": -1}"), "is negative" },
		{ CHALLENGE(", \"have\": {\"log\": \"1\"}"), "\"log\"" },
		{ CHALLENGE(", \"have\": {\"ima\": 9223372036854775808}"), "is not JSON" },
		{ CHALLENGE(", " NONCE), "duplicate" },
		{ CHALLENGE("") "x", "is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct push_challenge challenge = { .expires_in = 4711 };
		struct assay_error err = { 0 };

		if (push_challenge_parse(support_text(rows[i].text), &challenge, &err) != -EBADMSG)
			fail_msg("row %zu: %s", i, rows[i].text);
		assert_int_equal(err.code, EBADMSG);
		support_assert_error(&err, rows[i].why);
		support_assert_error(&err, "the verifier's challenge");
		assert_int_equal(challenge.expires_in, 4711);
	}
}

static void a_nonce_is_not_too_long(void **state)
{
	char text[400], nonce[2 * 65 + 1];
	struct push_challenge challenge;
	struct assay_error err;

	(void)state;
	for (size_t size = 15; size <= 65; size++) {
		bool good = size >= PUSH_NONCE_MIN && size <= PUSH_NONCE_MAX;

		memset(nonce, 'a', 2 * size);
		nonce[2 * size] = '\0';
		snprintf(text, sizeof(text),
			 HEAD("push-challenge") "\"nonce\": \"%s\", \"expires_in\": 1}", nonce);
		assert_int_equal(push_challenge_parse(support_text(text), &challenge, &err),
				 good ? 0 : -EBADMSG);
		assert_true(!good || challenge.nonce_size == size);
	}
}

static void long_answers_are_refused(void **state)
{
	struct push_challenge challenge;
	struct push_verdict verdict;
	struct buffer text = { 0 };
	struct assay_error err;

	(void)state;
	memset(buffer_reserve(&text, PUSH_ANSWER_MAX + 1), ' ', PUSH_ANSWER_MAX + 1);
	text.size = PUSH_ANSWER_MAX + 1;
	assert_int_equal(push_challenge_parse(buffer_bytes(&text), &challenge, &err), -EFBIG);
	assert_int_equal(push_verdict_parse(buffer_bytes(&text), &verdict, &err), -EFBIG);
	/* As long as may be. */
	memcpy(text.data, CHALLENGE(""), strlen(CHALLENGE("")));
	text.size = PUSH_ANSWER_MAX;
	assert_int_equal(push_challenge_parse(buffer_bytes(&text), &challenge, &err), 0);
	buffer_free(&text);
}

/* ---------------------------------------------------------------- verdicts */

static void verdicts_are_read(void **state)
{
	struct push_verdict verdict;
	struct assay_error err;

	(void)state;
	assert_int_equal(push_verdict_parse(
				 support_text(VERDICT("\"verdict\": \"not-trusted\", \"reason\": "
						      "\"a\\u001b[1m\\nb\", \"next_in\": 600, "
						      "\"acknowledged\": {\"log\": 3}, \"x\": 0")),
				 &verdict, &err),
			 0);
	assert_int_equal(verdict.word, PUSH_NOT_TRUSTED);
	assert_string_equal(verdict.reason, "a\\x1b[1m\\x0ab");
	assert_int_equal(verdict.next_in, 600);
	assert_true(verdict.has_acknowledged && verdict.log == 3 && verdict.ima == 0);
	assert_int_equal(push_verdict_check(&verdict, &err), 0);
	for (uint32_t word = 0; word < PUSH_WORDS; word++) {
		char text[200];

		snprintf(text, sizeof(text), VERDICT("\"verdict\": \"%s\", \"next_in\": 31622400"),
			 push_word_name((enum push_word)word));
		assert_int_equal(push_verdict_parse(support_text(text), &verdict, &err), 0);
		assert_true(verdict.word == word && !verdict.has_acknowledged);
		assert_string_equal(verdict.reason, "");
	}
}

static void a_reason_is_cut(void **state)
{
	struct push_verdict verdict;
	struct assay_error err;
	char text[2000], reason[1500];

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	snprintf(text, sizeof(text),
		 VERDICT("\"verdict\": \"trusted\", \"next_in\": 1, \"reason\": \"%s\""), reason);
	assert_int_equal(push_verdict_parse(support_text(text), &verdict, &err), 0);
	assert_int_equal(strlen(verdict.reason), PUSH_SENTENCE_MAX - 1);
	assert_int_equal(push_verdict_check(&verdict, &err), 0);
}

static void bad_verdicts_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "is empty" },
		{ CHALLENGE(""), "\"type\" is not" },
		{ VERDICT("\"next_in\": 1"), "\"verdict\"" },
		{ VERDICT("\"verdict\": true, \"next_in\": 1"), "\"verdict\"" },
		{ VERDICT("\"verdict\": \"Trusted\", \"next_in\": 1"), "must be \"trusted\"" },
		{ VERDICT("\"verdict\": \"trusted\""), "\"next_in\"" },
		{ VERDICT("\"verdict\": \"trusted\", \"next_in\": 0"), "1 to 31622400 seconds" },
		{ VERDICT("\"verdict\": \"trusted\", \"next_in\": 31622401"),
		  "1 to 31622400 seconds" },
		{ VERDICT("\"verdict\": \"trusted\", \"next_in\": 1, \"acknowledged\": []"),
		  "\"acknowledged\"" },
		{ VERDICT("\"verdict\": \"trusted\", \"next_in\": 1, \"acknowledged\": {\"log\": "
			  "-1}"),
		  "is negative" },
		{ VERDICT("\"verdict\": \"trusted\", \"next_in\": 1, \"acknowledged\": {\"ima\": "
			  "null}"),
		  "\"ima\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct push_verdict verdict = { .next_in = 4711 };
		struct assay_error err = { 0 };

		if (push_verdict_parse(support_text(rows[i].text), &verdict, &err) != -EBADMSG)
			fail_msg("row %zu: %s", i, rows[i].text);
		support_assert_error(&err, rows[i].why);
		support_assert_error(&err, "the verifier's verdict");
		assert_int_equal(verdict.next_in, 4711);
	}
}

static void errors_are_read(void **state)
{
	char sentence[PUSH_SENTENCE_MAX];

	(void)state;
	push_error_parse(
		support_text("{\"assay\": 1, \"type\": \"push-error\", \"error\": \"no\"}"),
		sentence);
	assert_string_equal(sentence, "no");
	push_error_parse(support_text("<html>no</html>"), sentence);
	assert_string_equal(sentence, "");
	push_error_parse(support_text("{\"assay\": 1, \"type\": \"push-error\", \"error\": 5}"),
			 sentence);
	assert_string_equal(sentence, "");
}

/* What no parser makes, but whoever has taken a parser over could hand out. */
static void structures_from_elsewhere_are_checked(void **state)
{
	const struct push_challenge good = { .nonce_size = 16, .expires_in = 1 };
	const struct push_verdict fine = { .next_in = 1, .reason = "fine" };
	struct push_challenge c;
	struct push_verdict v;
	struct assay_error err;

	(void)state;
	assert_int_equal(push_challenge_check(&good, &err), 0);
	assert_int_equal(push_verdict_check(&fine, &err), 0);
#define REFUSES(check, copy, from, change)                          \
	do {                                                        \
		(copy) = (from);                                    \
		change;                                             \
		assert_int_equal((check)(&(copy), &err), -EBADMSG); \
	} while (0)
	REFUSES(push_challenge_check, c, good, c.nonce_size = 65);
	REFUSES(push_challenge_check, c, good, c.nonce_size = 15);
	REFUSES(push_challenge_check, c, good, c.expires_in = 0);
	REFUSES(push_challenge_check, c, good, c.expires_in = UINT32_MAX);
	REFUSES(push_challenge_check, c, good, c.log = UINT64_MAX);
	REFUSES(push_challenge_check, c, good, c.ima = UINT64_MAX);
	REFUSES(push_challenge_check, c, good, c.uefi = UINT64_MAX);
	REFUSES(push_verdict_check, v, fine, v.word = PUSH_WORDS);
	REFUSES(push_verdict_check, v, fine, v.next_in = 0);
	REFUSES(push_verdict_check, v, fine, v.next_in = UINT32_MAX);
	REFUSES(push_verdict_check, v, fine, v.has_acknowledged = 2);
	REFUSES(push_verdict_check, v, fine, v.log = UINT64_MAX);
	REFUSES(push_verdict_check, v, fine, v.ima = UINT64_MAX);
	REFUSES(push_verdict_check, v, fine, memset(v.reason, 'x', sizeof(v.reason)));
	REFUSES(push_verdict_check, v, fine, v.reason[1] = '\x1b');
	REFUSES(push_verdict_check, v, fine, v.reason[1] = '\xff');
#undef REFUSES
}

static void the_request_for_a_challenge(void **state)
{
	struct buffer text = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(push_ask("01234567-89ab-cdef-0123-456789abcdef", &text, &err), 0);
	buffer_append_u8(&text, 0);
	assert_string_equal((char *)text.data,
			    "{\"assay\":1,\"type\":\"push-challenge-request\",\"boot_id\":"
			    "\"01234567-89ab-cdef-0123-456789abcdef\"}");
	buffer_free(&text);
}

/* ---------------------------------------------------------------- statuses */

static void statuses_say_what_to_do(void **state)
{
	static const struct {
		long status;
		int code;
		const char *words;
	} rows[] = {
		{ 301, EREMOTE, "which is refused: set the URL" },
		{ 308, EREMOTE, "which is refused" },
		{ 400, EPROTO, "assay-push(7), version 1" },
		{ 401, EACCES, "configure the certificate" },
		{ 403, EACCES, "does not let this device in" },
		{ 404, ENOENT, "enrol the device" },
		{ 405, EPROTO, "assay-push(7)" },
		{ 407, EACCES, "proxy" },
		{ 408, EAGAIN, "too long" },
		{ 409, ESTALE, "the nonce" },
		{ 410, ENOENT, "enrol it again" },
		{ 413, EMSGSIZE, "raise its limit" },
		{ 415, EPROTO, "zstd" },
		{ 429, EAGAIN, "too often" },
		{ 500, EAGAIN, "cannot answer now" },
		{ 503, EAGAIN, "cannot answer now" },
		{ 599, EAGAIN, "cannot answer now" },
		{ 600, EPROTO, "nobody expects" },
		{ 204, EPROTO, "nobody expects" },
		{ 0, EPROTO, "nobody expects" },
		{ -1, EPROTO, "nobody expects" },
	};
	const struct push_peer peer = { "https://v.example", "d1" };
	struct assay_error err;

	(void)state;
	assert_int_equal(push_answer_check(200, "", &peer, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char status[16];

		assert_int_equal(push_answer_check(rows[i].status, "so it is", &peer, &err),
				 -rows[i].code);
		support_assert_error(&err, rows[i].words);
		support_assert_error(&err, "https://v.example");
		support_assert_error(&err, "it says: so it is");
		snprintf(status, sizeof(status), "%ld", rows[i].status);
		support_assert_error(&err, status);
	}
	push_answer_check(503, "", &peer, &err);
	assert_null(strstr(err.text, "it says"));
}

/* ---------------------------------------------------------------- when */

static const struct push_schedule schedule = {
	.least = 10000,
	.most = 3600000,
	.retry_first = 5000,
	.retry_most = 900000,
	.jitter = 10,
};

static void the_next_is_not_late(void **state)
{
	(void)state;
	assert_int_equal(push_next(&schedule, 600, 0), 600000);
	assert_int_equal(push_next(&schedule, 600, UINT32_MAX), 540001);
	assert_int_equal(push_next(&schedule, 600, UINT32_MAX / 2), 570001);
	/* Into the bounds. */
	assert_int_equal(push_next(&schedule, 1, 0), 10000);
	assert_int_equal(push_next(&schedule, UINT64_MAX, 0), 3600000);
	assert_int_equal(push_next(&schedule, UINT64_MAX / 1000 + 1, 0), 3600000);
}

static void failures_are_spread(void **state)
{
	uint64_t most = 5000;

	(void)state;
	for (unsigned int failures = 1; failures < 100; failures++) {
		assert_int_equal(push_retry(&schedule, failures, 0, 0), most / 2);
		assert_in_range(push_retry(&schedule, failures, 0, UINT32_MAX), most / 2, most);
		if (most < 900000)
			most = 2 * most > 900000 ? 900000 : 2 * most;
	}
	assert_int_equal(most, 900000);
	assert_int_equal(push_retry(&schedule, UINT32_MAX, 0, 0), 450000);
}

static void what_the_verifier_asks_for_is_kept(void **state)
{
	(void)state;
	assert_int_equal(push_retry(&schedule, 1, 60, 0), 60000);
	assert_in_range(push_retry(&schedule, 1, 60, UINT32_MAX), 60000, 66000);
	/* But not less than failures ask for, nor more than a day. */
	assert_int_equal(push_retry(&schedule, 50, 1, 0), 450000);
	assert_int_equal(push_retry(&schedule, 1, UINT64_MAX, 0), 86400000);
}

/* ---------------------------------------------------------------- settings */

static void settings_are_checked(void **state)
{
	static const struct {
		struct push_settings settings;
		const char *why; /* NULL: good */
	} rows[] = {
		{ { .url = "https://v", .name = "d" }, NULL },
		{ { .url = "https://v.example:8443/assay/", .name = "a-B_c.9" }, NULL },
		{ { .url = "https://[::1]:1", .name = "d" }, NULL },
		{ { .url = "http://v", .name = "d", .unix_socket = "/run/v" }, NULL },
		{ { .url = "https://v", .name = "d", .certificate = "c", .key = "k" }, NULL },
		{ { .url = "https://v", .name = "d", .certificate = "c" }, NULL },
		{ { .name = "d" }, "URL is not given" },
		{ { .url = "", .name = "d" }, "URL is not given" },
		{ { .url = "http://v", .name = "d" }, "must begin with https://" },
		{ { .url = "http://v", .name = "d", .unix_socket = "" },
		  "must begin with https://" },
		{ { .url = "ftp://v", .name = "d", .unix_socket = "/run/v" },
		  "must begin with https://" },
		{ { .url = "file:///etc/passwd", .name = "d" }, "must begin with https://" },
		{ { .url = "v.example", .name = "d" }, "is no URL" },
		{ { .url = "https://", .name = "d" }, "is no URL" },
		{ { .url = "https://a b", .name = "d" }, "is no URL" },
		{ { .url = "https://v\n", .name = "d" }, "is no URL" },
		{ { .url = "https://u@v", .name = "d" }, "without user" },
		{ { .url = "https://u:p@v", .name = "d" }, "without user" },
		{ { .url = "https://v/?q", .name = "d" }, "without user" },
		{ { .url = "https://v/#f", .name = "d" }, "without user" },
		{ { .url = "https://v" }, "device's name" },
		{ { .url = "https://v", .name = "" }, "device's name" },
		{ { .url = "https://v", .name = "../d" }, "device's name" },
		{ { .url = "https://v", .name = ".d" }, "device's name" },
		{ { .url = "https://v", .name = "d/e" }, "device's name" },
		{ { .url = "https://v", .name = "d%2fe" }, "device's name" },
		{ { .url = "https://v", .name = "d", .key = "k" }, "without its certificate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		int r = push_settings_check(&rows[i].settings, &err);

		if (r != (rows[i].why ? -EINVAL : 0))
			fail_msg("row %zu: %d: %s", i, r, err.text);
		if (rows[i].why)
			support_assert_error(&err, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_challenge_is_read),
		cmocka_unit_test(bad_challenges_are_refused),
		cmocka_unit_test(a_nonce_is_not_too_long),
		cmocka_unit_test(long_answers_are_refused),
		cmocka_unit_test(verdicts_are_read),
		cmocka_unit_test(a_reason_is_cut),
		cmocka_unit_test(bad_verdicts_are_refused),
		cmocka_unit_test(errors_are_read),
		cmocka_unit_test(structures_from_elsewhere_are_checked),
		cmocka_unit_test(the_request_for_a_challenge),
		cmocka_unit_test(statuses_say_what_to_do),
		cmocka_unit_test(the_next_is_not_late),
		cmocka_unit_test(failures_are_spread),
		cmocka_unit_test(what_the_verifier_asks_for_is_kept),
		cmocka_unit_test(settings_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
