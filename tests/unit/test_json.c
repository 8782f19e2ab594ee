// SPDX-License-Identifier: MIT
/* lib/base: strict JSON. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static void what_is_not_one_json_object_is_refused(void **state)
{
	static const struct {
		struct bytes text;
		const char *why;
	} rows[] = {
		{ BYTES_LITERAL(""), "is empty" },
		{ BYTES_LITERAL(" "), "is not JSON" },
		{ BYTES_LITERAL("null"), "is not JSON" },
		{ BYTES_LITERAL("[]"), "is not a JSON object" },
		{ BYTES_LITERAL("{"), "is not JSON" },
		{ BYTES_LITERAL("{}x"), "is not JSON" },
		{ BYTES_LITERAL("{} {}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":1,}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":1,\"a\":2}"), "duplicate" },
		{ BYTES_LITERAL("{\"a\":\"\xff\"}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":\"\xc0\xaf\"}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":\"\\ud800\"}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":\"\\u0000\"}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":\"\n\"}"), "is not JSON" },
		{ BYTES_LITERAL("{}\0"), "is not JSON" },
		{ BYTES_LITERAL("{'a':1}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":01}"), "is not JSON" },
		{ BYTES_LITERAL("{\"a\":9223372036854775808}"), "is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		json_t *value = NULL;

		if (json_parse(rows[i].text, "the text", &value, &err) != -EBADMSG)
			fail_msg("row %zu was taken", i);
		assert_null(value);
		support_assert_error(&err, rows[i].why);
		support_assert_error(&err, "the text");
	}
}

static void deep_nesting_is_refused(void **state)
{
	static const char head[] = "{\"a\":";
	struct assay_error err = { 0 };
	struct buffer text = { 0 };
	json_t *value;

	(void)state;
	buffer_append(&text, head, strlen(head));
	for (int i = 0; i < 100000; i++)
		buffer_append_u8(&text, '[');
	assert_int_equal(json_parse(buffer_bytes(&text), "it", &value, &err), -EBADMSG);
	buffer_free(&text);
}

static void getters_say_what_is_missing_or_of_another_type(void **state)
{
	static const char text[] =
		"{\"s\":\"x\",\"n\":-1,\"r\":1.5,\"o\":{},\"h\":\"0g\",\"b\":\"Zh==\",\"z\":null}";
	struct buffer out = { 0 };
	const json_t *object;
	const char *string;
	uint64_t number;
	json_t *value;

	(void)state;
#define REFUSED(call, why)                               \
	do {                                             \
		struct assay_error err = { 0 };          \
		assert_int_equal(call, -EBADMSG);        \
		support_assert_error(&err, why);         \
		support_assert_error(&err, "the thing"); \
	} while (0)
	assert_int_equal(json_parse(support_text(text), "it", &value, NULL), 0);
	REFUSED(json_get_string(value, "q", "the thing", &string, &err), "has no \"q\"");
	REFUSED(json_get_string(value, "n", "the thing", &string, &err), "\"n\" is not a string");
	REFUSED(json_get_string(value, "z", "the thing", &string, &err), "\"z\" is not a string");
	REFUSED(json_get_object(value, "s", "the thing", &object, &err), "\"s\" is not an object");
	REFUSED(json_get_unsigned(value, "n", "the thing", &number, &err), "\"n\" is negative");
	REFUSED(json_get_unsigned(value, "r", "the thing", &number, &err), "not a whole number");
	REFUSED(json_get_hex(value, "h", "the thing", &out, &err), "\"h\" is not hexadecimal");
	REFUSED(json_get_hex(value, "o", "the thing", &out, &err), "\"o\" is not a string");
	REFUSED(json_get_base64(value, "b", "the thing", &out, &err), "\"b\" is not base64");
	json_decref(value);
	buffer_free(&out);
}

static void getters_give_what_is_there(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"n\":9223372036854775807,\"o\":{\"i\":0},"
				   "\"h\":\"00fF\",\"b\":\"Zm8=\"}";
	struct buffer out = { 0 };
	const json_t *object;
	const char *string;
	uint64_t number;
	json_t *value;

	(void)state;
	assert_int_equal(json_parse(support_text(text), "it", &value, NULL), 0);
	assert_int_equal(json_get_string(value, "s", "it", &string, NULL), 0);
	assert_string_equal(string, "x");
	assert_int_equal(json_get_unsigned(value, "n", "it", &number, NULL), 0);
	assert_true(number == INT64_MAX);
	assert_int_equal(json_get_object(value, "o", "it", &object, NULL), 0);
	assert_int_equal(json_get_unsigned(object, "i", "it", &number, NULL), 0);
	assert_true(number == 0);
	assert_int_equal(json_get_hex(value, "h", "it", &out, NULL), 0);
	assert_int_equal(json_get_base64(value, "b", "it", &out, NULL), 0);
	assert_true(bytes_equal(buffer_bytes(&out), BYTES_LITERAL("\x00\xff"
								  "fo")));
	buffer_free(&out);
	json_decref(value);
}

static void members_that_are_not_known_are_named(void **state)
{
	static const char *const known[] = { "a", "b", NULL };
	struct assay_error err = { 0 };
	json_t *value;

	(void)state;
	assert_int_equal(json_parse(support_text("{\"a\":1}"), "it", &value, NULL), 0);
	assert_int_equal(json_only(value, known, "it", &err), 0);
	json_decref(value);
	assert_int_equal(json_parse(support_text("{\"a\":1,\"c\\u001b\":2}"), "it", &value, NULL),
			 0);
	assert_int_equal(json_only(value, known, "it", &err), -EBADMSG);
	support_assert_error(&err, "\"c\\x1b\" is not known");
	json_decref(value);
}

static void bytes_become_strings_and_come_back(void **state)
{
	static const uint8_t data[] = { 0, 1, 0xfe, 0xff, '\n' };
	struct buffer out = { 0 };
	json_t *object = json_object();

	(void)state;
	json_object_set_new(object, "h", json_hex(BYTES(data, sizeof(data))));
	json_object_set_new(object, "b", json_base64(BYTES(data, sizeof(data))));
	json_object_set_new(object, "e", json_escaped(BYTES(data, sizeof(data))));
	json_object_set_new(object, "empty", json_hex(BYTES(NULL, 0)));
	assert_int_equal(json_get_hex(object, "h", "it", &out, NULL), 0);
	assert_true(bytes_equal(buffer_bytes(&out), BYTES(data, sizeof(data))));
	out.size = 0;
	assert_int_equal(json_get_base64(object, "b", "it", &out, NULL), 0);
	assert_true(bytes_equal(buffer_bytes(&out), BYTES(data, sizeof(data))));
	out.size = 0;
	assert_int_equal(json_get_hex(object, "empty", "it", &out, NULL), 0);
	assert_int_equal(out.size, 0);
	assert_string_equal(json_string_value(json_object_get(object, "e")),
			    "\\x00\\x01\\xfe\\xff\\x0a");
	buffer_free(&out);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_one_json_object_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(getters_say_what_is_missing_or_of_another_type),
		cmocka_unit_test(getters_give_what_is_there),
		cmocka_unit_test(members_that_are_not_known_are_named),
		cmocka_unit_test(bytes_become_strings_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
