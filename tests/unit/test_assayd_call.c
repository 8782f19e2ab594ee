// SPDX-License-Identifier: MIT
/* Calls of Varlink and heads of requests for metrics: what is taken, what is refused, and how. */
#include <errno.h>
#include <string.h>

#include "assayd/http_head.h"
#include "assayd/metrics.h"
#include "assayd/varlink_interface.h"
#include "assayd/varlink_message.h"
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
	int status;
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
		size_t size = 0;
		int status = http_head_status(support_text(heads[i].text), "/metrics", &size);

		if (status != heads[i].status)
			fail_msg("head %zu: %d", i, status);
		if (status == 200)
			assert_int_equal(size, strlen(heads[i].text));
	}
}

static void test_heads_without_end_are_refused(void **state)
{
	static char text[HTTP_HEAD_MAX + 1];
	size_t size;

	(void)state;
	memset(text, 'a', HTTP_HEAD_MAX);
	assert_int_equal(http_head_status(BYTES((uint8_t *)text, HTTP_HEAD_MAX), "/metrics", &size),
			 431);
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
		cmocka_unit_test(test_heads_are_answered),
		cmocka_unit_test(test_heads_without_end_are_refused),
		cmocka_unit_test(test_metrics_escape_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
