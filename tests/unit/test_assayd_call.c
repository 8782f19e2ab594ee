// SPDX-License-Identifier: MIT
/* Calls of Varlink and heads of requests for metrics: what is taken, what is refused, and how. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "assayd/http_head.h"
#include "assayd/metrics.h"
#include "assayd/varlink_interface.h"
#include "assayd/varlink_message.h"
#include "assayd/varlink_parse.h"
#include "support.h"

static const struct {
	const char *text;
	const char *complaint; /* NULL: it is taken */
} calls[] = {
	{ "{\"method\": \"org.assay.Status\"}", NULL },
	{ "{\"method\": \"org.assay.Status\", \"parameters\": {}}", NULL },
	{ "{\"method\": \"org.assay.Status\", \"parameters\": null}", NULL },
	{ "{\"method\": \"a.B\", \"more\": true, \"oneway\": false, \"upgrade\": false}", NULL },
	{ "", "the call" },
	{ "{", "the call" },
	{ "[]", "the call" },
	{ "{}", "method" },
	{ "{\"method\": null}", "method" },
	{ "{\"method\": \"Status\"}", "INTERFACE.METHOD" },
	{ "{\"method\": \".Status\"}", "INTERFACE.METHOD" },
	{ "{\"method\": \"org.assay.\"}", "INTERFACE.METHOD" },
	{ "{\"method\": \"a.B\", \"parameters\": []}", "\"parameters\" must be an object" },
	{ "{\"method\": \"a.B\", \"more\": null}", "\"more\" must be true or false" },
	{ "{\"method\": \"a.B\", \"oneway\": 0}", "\"oneway\" must be true or false" },
	{ "{\"method\": \"a.B\", \"upgrade\": \"\"}", "\"upgrade\" must be true or false" },
	{ "{\"method\": \"a.B\", \"method\": \"a.C\"}", "duplicate" },
	{ "{\"method\": \"a.B\"} {}", "the call" },
	{ "{\"method\": \"a.B\", \"else\": 1}", "else" },
	{ "{\"method\": \"a\\u0000.B\"}", "the call" },
	{ "{\"method\": \"a.\xff\"}", "the call" },
};

static void test_calls_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct assay_error err = { 0 };
		struct varlink_call call = { 0 };
		int r = varlink_call_parse(support_text(calls[i].text), &call, &err);

		if (!calls[i].complaint ? r != 0 : r >= 0 || !strstr(err.text, calls[i].complaint))
			fail_msg("call %zu: %d, %s", i, r, err.text);
		if (r == 0) {
			assert_true(json_is_object(call.parameters));
			varlink_call_free(&call);
		}
	}
}

static void test_deeply_nested_calls_are_refused(void **state)
{
	static char text[200000];
	struct varlink_call call;
	struct assay_error err;

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	memcpy(text, "{\"method\":", strlen("{\"method\":"));
	assert_true(varlink_call_parse(support_text(text), &call, &err) < 0);
}

static void test_replies_end_with_nul(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(varlink_reply(&out, json_pack("{s:i}", "a", 1)), 0);
	assert_int_equal(varlink_error(&out, "org.assay.Failed", NULL), 0);
	assert_int_equal(out.size,
			 sizeof("{\"parameters\":{\"a\":1}}") +
				 sizeof("{\"error\":\"org.assay.Failed\",\"parameters\":{}}"));
	assert_string_equal(out.data, "{\"parameters\":{\"a\":1}}");
	buffer_free(&out);
}

/* ---------------------------------------------------------------- what the parser gives */

static const struct {
	const char *text;
	enum varlink_what what;
	/* The reply has it, or the method is it; with its paths, a blank between them */
	const char *expected, *paths;
} parsed_calls[] = {
	{ "{\"method\": \"org.assay.Status\"}", VARLINK_CALLED, "Status", "" },
	{ "{\"method\": \"org.assay.Status\", \"parameters\": {\"paths\": [1]}}", VARLINK_CALLED,
	  "Status", "" },
	{ "{\"method\": \"org.assay.List\"}", VARLINK_CALLED, "List", "" },
	{ "{\"method\": \"org.assay.List\", \"parameters\": {\"first\": null, \"count\": 9}}",
	  VARLINK_CALLED, "List", "" },
	{ "{\"method\": \"org.assay.List\", \"parameters\": {\"first\": -1}}", VARLINK_ANSWERED,
	  "{\"parameter\":\"first\"}", NULL },
	{ "{\"method\": \"org.assay.List\", \"parameters\": {\"first\": 1.5}}", VARLINK_ANSWERED,
	  "{\"parameter\":\"first\"}", NULL },
	{ "{\"method\": \"org.assay.List\", \"parameters\": {\"count\": \"1\"}}", VARLINK_ANSWERED,
	  "{\"parameter\":\"count\"}", NULL },
	{ "{\"method\": \"org.assay.Measure\", \"parameters\": {\"paths\": null}}", VARLINK_CALLED,
	  "Measure", "" },
	{ "{\"method\": \"org.assay.Measure\", \"parameters\": {\"paths\": [\"/a\", \"\"]}}",
	  VARLINK_CALLED, "Measure", "/a " },
	{ "{\"method\": \"org.assay.Measure\", \"parameters\": {\"paths\": []}}", VARLINK_ANSWERED,
	  "{\"parameter\":\"paths\"}", NULL },
	{ "{\"method\": \"org.assay.Measure\", \"parameters\": {\"paths\": [\"/a\", 1]}}",
	  VARLINK_ANSWERED, "{\"parameter\":\"paths\"}", NULL },
	{ "{\"method\": \"org.assay.Measure\", \"parameters\": {\"paths\": {\"a\": \"/b\"}}}",
	  VARLINK_ANSWERED, "{\"parameter\":\"paths\"}", NULL },
	{ "{\"method\": \"org.assay.Quote\", \"parameters\": {\"nonce\": \"0a\", \"file\": true}}",
	  VARLINK_CALLED, "Quote", "" },
	{ "{\"method\": \"org.assay.Quote\"}", VARLINK_ANSWERED, "{\"parameter\":\"nonce\"}",
	  NULL },
	{ "{\"method\": \"org.assay.Quote\", \"parameters\": {\"nonce\": \"0\"}}", VARLINK_ANSWERED,
	  "{\"parameter\":\"nonce\"}", NULL },
	{ "{\"method\": \"org.assay.Quote\", \"parameters\": {\"nonce\": \"0a\", \"since\": true}}",
	  VARLINK_ANSWERED, "{\"parameter\":\"since\"}", NULL },
	{ "{\"method\": \"org.assay.Quote\", \"parameters\": {\"nonce\": \"0a\", \"since_ima\": "
	  "-1}}",
	  VARLINK_ANSWERED, "{\"parameter\":\"since_ima\"}", NULL },
	{ "{\"method\": \"org.assay.Quote\", \"parameters\": {\"nonce\": \"0a\", \"file\": 1}}",
	  VARLINK_ANSWERED, "{\"parameter\":\"file\"}", NULL },
	{ "{\"method\": \"org.assay.Nothing\"}", VARLINK_ANSWERED, "MethodNotFound", NULL },
	{ "{\"method\": \"org.nothing.Status\"}", VARLINK_ANSWERED, "InterfaceNotFound", NULL },
	{ "{\"method\": \"org.assay.Status\", \"more\": true}", VARLINK_ANSWERED,
	  "{\"parameter\":\"more\"}", NULL },
	{ "{\"method\": \"org.varlink.service.GetInfo\"}", VARLINK_ANSWERED, "assayd", NULL },
	{ "{\"method\": \"org.assay.Nothing\", \"oneway\": true}", VARLINK_ANSWERED, "", NULL },
	{ "[]", VARLINK_MALFORMED, "org.assay.Failed", NULL },
};

/* The paths, with blanks in the place of the NULs between them. */
static void assert_paths(const struct call_parameters *parameters, const char *expected)
{
	char text[64] = "";

	assert_true(parameters->paths.size < sizeof(text));
	if (parameters->paths.size > 0)
		memcpy(text, parameters->paths.data, parameters->paths.size);
	for (size_t i = 0; i + 1 < parameters->paths.size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	assert_string_equal(text, expected);
}

static void test_calls_become_structures_or_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parsed_calls) / sizeof(parsed_calls[0]); i++) {
		const char *text = parsed_calls[i].text;
		struct assay_error err = { 0 };
		struct varlink_parsed parsed;
		struct buffer out = { 0 };
		struct bytes reply;

		/* With its NUL. */
		assert_int_equal(
			varlink_parse(BYTES((const uint8_t *)text, strlen(text) + 1), &out, &err),
			0);
		assert_int_equal(varlink_take(buffer_bytes(&out), &parsed, &reply, &err), 0);
		if (parsed.what != parsed_calls[i].what)
			fail_msg("%s: %u", text, parsed.what);
		if (parsed.what == VARLINK_CALLED) {
			assert_string_equal(varlink_method_name(parsed.method),
					    parsed_calls[i].expected);
			assert_paths(&parsed.parameters, parsed_calls[i].paths);
		} else if (parsed_calls[i].expected[0] == '\0') {
			assert_int_equal(reply.size, 0);
		} else if (!strstr((const char *)reply.data, parsed_calls[i].expected)) {
			fail_msg("%s: %s", text, (const char *)reply.data);
		}
		buffer_free(&out);
	}
}

static void test_parameters_arrive(void **state)
{
	static const char text[] = "{\"method\": \"org.assay.Quote\", \"oneway\": true, "
				   "\"parameters\": {\"nonce\": \"0102ff\", \"since\": 7, "
				   "\"since_ima\": 9223372036854775807, \"file\": true}}";
	static const char list[] = "{\"method\": \"org.assay.List\"}";
	struct varlink_parsed parsed;
	struct buffer out = { 0 };
	struct assay_error err;
	struct bytes reply;

	(void)state;
	assert_int_equal(varlink_parse(BYTES((const uint8_t *)text, sizeof(text)), &out, &err), 0);
	assert_int_equal(varlink_take(buffer_bytes(&out), &parsed, &reply, &err), 0);
	assert_int_equal(parsed.oneway, 1);
	assert_int_equal(parsed.parameters.nonce_size, 3);
	assert_memory_equal(parsed.parameters.nonce, "\x01\x02\xff", 3);
	assert_int_equal(parsed.parameters.since, 7);
	assert_true(parsed.parameters.since_ima == INT64_MAX);
	assert_int_equal(parsed.parameters.file, 1);
	buffer_free(&out);
	out = (struct buffer){ 0 };
	assert_int_equal(varlink_parse(BYTES((const uint8_t *)list, sizeof(list)), &out, &err), 0);
	assert_int_equal(varlink_take(buffer_bytes(&out), &parsed, &reply, &err), 0);
	assert_true(parsed.parameters.count == CALL_NO_COUNT && parsed.parameters.first == 0);
	buffer_free(&out);
}

/* Of a parser that somebody has taken over. */
static void test_structures_of_no_call_are_refused(void **state)
{
	static const struct {
		const char *name;
		struct varlink_parsed parsed;
		const char *rest;
		size_t rest_size;
	} rows[] = {
		{ "another thing", { .what = VARLINK_MALFORMED + 1 }, "", 0 },
		{ "a method that is none", { .method = 4 }, "", 0 },
		{ "a word that is neither yes nor no", { .oneway = 2 }, "", 0 },
		{ "a larger first", { .parameters.first = UINT64_MAX }, "", 0 },
		{ "a larger count", { .parameters.count = UINT64_MAX - 1 }, "", 0 },
		{ "a larger since", { .parameters.since = UINT64_MAX }, "", 0 },
		{ "a larger since_ima",
		  { .parameters.since_ima = (uint64_t)INT64_MAX + 1 },
		  "",
		  0 },
		{ "another file", { .parameters.file = 2 }, "", 0 },
		{ "a longer nonce", { .parameters.nonce_size = CALL_NONCE_MAX + 1 }, "", 0 },
		{ "more paths", { .parameters.path_count = 2 }, "/a", 3 },
		{ "fewer paths", { .parameters.path_count = 1 }, "/a\0/b", 6 },
		{ "paths that it does not count", { 0 }, "/a", 3 },
		{ "a path without end", { .parameters.path_count = 1 }, "/a\0/b", 5 },
		{ "a path without any end", { 0 }, "/a", 2 },
	};
	struct varlink_parsed parsed;
	struct assay_error err;
	struct bytes reply;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = { 0 };

		buffer_append(&out, &rows[i].parsed, sizeof(rows[i].parsed));
		buffer_append(&out, rows[i].rest, rows[i].rest_size);
		if (varlink_take(buffer_bytes(&out), &parsed, &reply, &err) != -EPROTO)
			fail_msg("%s is taken", rows[i].name);
		buffer_free(&out);
	}
	assert_int_equal(varlink_take(BYTES((const uint8_t *)&parsed, sizeof(parsed) - 1), &parsed,
				      &reply, &err),
			 -EPROTO);
	assert_int_equal(varlink_take(BYTES(NULL, 0), &parsed, &reply, &err), -EPROTO);
}

/* What is declared is what parts answer: no member is left out of the description. */
static void test_interface_describes_itself(void **state)
{
	const char *text = varlink_interface_text(VARLINK_INTERFACE);

	(void)state;
	assert_non_null(strstr(text, "\ninterface org.assay\n"));
	assert_non_null(strstr(text, "\nmethod Status() -> (state: object)\n"));
	assert_non_null(strstr(text, "\nerror Failed (text: string, errno: int)\n"));
	assert_non_null(varlink_interface_text(VARLINK_SERVICE));
	assert_null(varlink_interface_text("org"));
}

static const struct {
	const char *text;
	uint32_t status; /* 0: it is not whole */
} heads[] = {
	{ "", 0 },
	{ "GET /metrics HTTP/1.1\r\n", 0 },
	{ "GET /metrics HTTP/1.1\r\n\r", 0 },
	{ "GET /metrics HTTP/1.1\r\n\r\n", 200 },
	{ "GET /metrics HTTP/1.0\r\n\r\n", 200 },
	{ "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", 200 },
	{ "GET /metricsa HTTP/1.1\r\n\r\n", 404 },
	{ "GET /metric HTTP/1.1\r\n\r\n", 404 },
	{ "GET / HTTP/1.1\r\n\r\n", 404 },
	{ "HEAD /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "get /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "GET /metrics HTTP/2.0\r\n\r\n", 505 },
	{ "GET /metrics\r\n\r\n", 400 },
	{ "GET  /metrics HTTP/1.1\r\n\r\n", 400 },
	{ "GET /metrics HTTP/1.11\r\n\r\n", 400 },
	{ "\r\n\r\n", 400 },
};

static void test_heads_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct bytes text = support_text(heads[i].text);
		size_t size = http_head_size(text, 0);
		uint32_t status = size ? http_head_status(text, "/metrics") : 0;

		if (status != heads[i].status)
			fail_msg("head %zu: %u", i, status);
		if (size)
			assert_int_equal(size, strlen(heads[i].text));
	}
}

static void test_what_follows_a_head_is_left(void **state)
{
	(void)state;
	assert_int_equal(http_head_size(support_text("a\r\n\r\nb\r\n\r\n"), 0), 5);
}

/* As it comes a byte at a time, wherever the end is cut. */
static void test_heads_end_where_they_did_not_before(void **state)
{
	static const char text[] = "GET\r\n\r\r\n\r\n";

	(void)state;
	for (size_t size = 1; size < sizeof(text); size++) {
		struct bytes input = BYTES((const uint8_t *)text, size);

		assert_int_equal(http_head_size(input, size - 1), size == strlen(text) ? size : 0);
	}
}

static void test_heads_without_end_are_refused(void **state)
{
	static char text[HTTP_HEAD_MAX];
	struct bytes head = BYTES((uint8_t *)text, HTTP_HEAD_MAX);

	(void)state;
	memset(text, 'a', HTTP_HEAD_MAX);
	assert_int_equal(http_head_size(BYTES((uint8_t *)text, HTTP_HEAD_MAX - 1), 0), 0);
	assert_int_equal(http_head_size(head, 0), HTTP_HEAD_MAX);
	assert_int_equal(http_head_status(head, "/metrics"), 431);
}

static void test_metrics_escape_labels(void **state)
{
	struct metrics metrics = { 0 };

	(void)state;
	metrics_begin(&metrics, "x", "gauge", "help");
	metrics_value(&metrics, "x", "part", "a\"b\\c\nd", 9007199254740992.0);
	metrics_counter(&metrics, "y_total", "more", UINT64_MAX);
	buffer_append_u8(&metrics.out, 0);
	assert_string_equal(metrics.out.data,
			    "# HELP assay_x help\n# TYPE assay_x gauge\n"
			    "assay_x{part=\"a\\\"b\\\\c\\nd\"} 9007199254740992\n"
			    "# HELP assay_y_total more\n# TYPE assay_y_total counter\n"
			    "assay_y_total 18446744073709551615\n");
	buffer_free(&metrics.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_taken_or_refused),
		cmocka_unit_test(test_deeply_nested_calls_are_refused),
		cmocka_unit_test(test_replies_end_with_nul),
		cmocka_unit_test(test_interface_describes_itself),
		cmocka_unit_test(test_calls_become_structures_or_replies),
		cmocka_unit_test(test_parameters_arrive),
		cmocka_unit_test(test_structures_of_no_call_are_refused),
		cmocka_unit_test(test_heads_are_answered),
		cmocka_unit_test(test_what_follows_a_head_is_left),
		cmocka_unit_test(test_heads_end_where_they_did_not_before),
		cmocka_unit_test(test_heads_without_end_are_refused),
		cmocka_unit_test(test_metrics_escape_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
