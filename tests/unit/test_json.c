// SPDX-License-Identifier: MIT
/* lib/base: strict JSON. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static void objects_are_taken_off_the_front(void **state)
{
	struct bytes text = BYTES_LITERAL(" {\"a\":\"}\"}\n{}x");
	struct assay_error err;
	json_t *value;

	(void)state;
	assert_int_equal(json_parse_front(&text, "it", &value, &err), 0);
	assert_int_equal(json_object_size(value), 1);
	json_decref(value);
	assert_true(bytes_equal(text, BYTES_LITERAL("\n{}x")));
	assert_int_equal(json_parse_front(&text, "it", &value, &err), 0);
	assert_int_equal(json_object_size(value), 0);
	json_decref(value);
	assert_true(bytes_equal(text, BYTES_LITERAL("x")));
	/* What cannot be taken stays. */
	assert_int_equal(json_parse_front(&text, "it", &value, &err), -EBADMSG);
	support_assert_error(&err, "it is not JSON");
	assert_int_equal(text.size, 1);
	text = BYTES_LITERAL("[1]");
	assert_int_equal(json_parse_front(&text, "it", &value, &err), -EBADMSG);
	support_assert_error(&err, "not a JSON object");
	text = BYTES_LITERAL("");
	assert_int_equal(json_parse_front(&text, "it", &value, &err), -EBADMSG);
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

static void values_are_limited_before_they_are_parsed(void **state)
{
	static const struct {
		const char *text;
		size_t values;
	} rows[] = {
		{ "1", 1 },
		{ "[1,2,3]", 4 },
		{ "{\"a\":1,\"b\":2}", 3 },
		{ "[[1],[2]]", 5 },
		{ "[\"[[[[{{{{,,,,\"]", 2 },
		{ "[\"\\\"[[[[\\\\\",1]", 3 },
		{ "\x1e[1]\n\x1e[2]\n", 3 },
		/* Nobody parses what comes behind a string without an end. */
		{ "[\"[[[[", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes text = support_text(rows[i].text);
		struct assay_error err = { 0 };

		if (json_limit_values(text, rows[i].values, "it", &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(json_limit_values(text, rows[i].values - 1, "it", &err), -EFBIG);
		support_assert_error(&err, "it has more than");
	}
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

/* ---------------------------------------------------------------- long strings */

/* @format with a string of @size times 'A' in the place of %s. */
static char *with_long(const char *format, size_t size)
{
	char *longest = malloc(size + 1), *text = NULL;

	assert_non_null(longest);
	memset(longest, 'A', size);
	longest[size] = '\0';
	assert_true(asprintf(&text, format, longest, longest) > 0);
	free(longest);
	return text;
}

static void long_strings_are_taken_from_where_they_stand(void **state)
{
	static const struct {
		const char *format; /* member "a" is taken, then "b" */
		size_t size;
		size_t lifted;
		int parsed, a, b;
	} rows[] = {
		{ "{\"a\": \"%s\", \"b\": \"QUJD\"}", JSON_LIFT_FROM, 1, 0, 0, 0 },
		{ "{\"a\": \"%s\", \"b\": \"QUJD\"}", JSON_LIFT_FROM - 4, 0, 0, 0, 0 },
		{ "{\"a\": \"%s\", \"b\": \"%s\"}", JSON_LIFT_FROM, 2, 0, 0, 0 },
		{ "{\"a\": \"%s\", \"b\": \"QUJ\\\"\"}", JSON_LIFT_FROM, 1, 0, 0, -EBADMSG },
		{ "{\"a\": \"\\u0051UJD\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, 0, 0 },
		/* With an escape it is left to jansson, and too long a rest is refused. */
		{ "{\"a\": \"%s\\/AAA\", \"b\": \"QUJD\"}", JSON_LIFT_FROM, 0, 0, 0, 0 },
		{ "{\"a\": \"%s\\/AAA\", \"b\": \"QUJD\"}", JSON_LIFT_REST, 0, -EFBIG, 0, 0 },
		/* What stands for a long string cannot be written by whoever wrote the text. */
		{ "{\"a\": \"%s\", \"b\": \"!0\"}", JSON_LIFT_FROM, 1, 0, 0, -EBADMSG },
		{ "{\"a\": \"!0\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, 0, -EBADMSG },
		{ "{\"a\": \"!1\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, -EBADMSG, 0 },
		{ "{\"a\": \"!\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, -EBADMSG, 0 },
		{ "{\"a\": \"!00\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, -EBADMSG, 0 },
		{ "{\"a\": \"\\u00210\", \"b\": \"%s\"}", JSON_LIFT_FROM, 1, 0, 0, -EBADMSG },
		/* Bytes that are no base64, and strings that do not end. */
		{ "{\"a\": \"%s*\", \"b\": \"\"}", JSON_LIFT_FROM, 1, 0, -EBADMSG, 0 },
		{ "{\"a\": \"%s", JSON_LIFT_FROM, 0, -EBADMSG, 0, 0 },
		{ "{\"a\": \"\", \"b\": \"\"} \"%s\"", JSON_LIFT_FROM, 0, -EBADMSG, 0, 0 },
		{ "{\"a\": \"%s\\\"}", JSON_LIFT_FROM, 0, -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = with_long(rows[i].format, rows[i].size);
		struct json_lifted lifted;
		struct buffer out = { 0 };
		struct assay_error err = { 0 };
		json_t *root;
		int r = json_parse_lifting(support_text(text), "it", &lifted, &root, &err);

		if (r != rows[i].parsed)
			fail_msg("row %zu: %d, %s", i, r, err.text);
		if (r == 0) {
			assert_int_equal(lifted.count, rows[i].lifted);
			r = json_take_base64(root, "a", "it", &lifted, &out, &err);
			if (r != rows[i].a)
				fail_msg("row %zu, a: %d, %s", i, r, err.text);
			if (r == 0)
				r = json_take_base64(root, "b", "it", &lifted, &out, &err);
			if (rows[i].a == 0 && r != rows[i].b)
				fail_msg("row %zu, b: %d, %s", i, r, err.text);
			json_decref(root);
		}
		buffer_free(&out);
		free(text);
	}
}

/* The ninth is left where it is. */
static void only_so_many_strings_are_lifted(void **state)
{
	char *one = with_long("\"%s\"", JSON_LIFT_FROM);
	struct buffer text = { 0 };
	struct json_lifted lifted;
	json_t *root;

	(void)state;
	for (int i = 0; i < 9; i++) {
		buffer_append(&text, i == 0 ? "{\"" : ",\"", 2);
		buffer_append_u8(&text, (uint8_t)('a' + i));
		buffer_append(&text, "\":", 2);
		buffer_append(&text, one, strlen(one));
	}
	buffer_append(&text, "}", 1);
	assert_int_equal(json_parse_lifting(buffer_bytes(&text), "it", &lifted, &root, NULL), 0);
	assert_int_equal(lifted.count, JSON_LIFT_MAX);
	for (char key[2] = "a"; key[0] < 'j'; key[0]++) {
		struct buffer out = { 0 };

		assert_int_equal(json_take_base64(root, key, "it", &lifted, &out, NULL), 0);
		assert_int_equal(out.size, JSON_LIFT_FROM / 4 * 3);
		buffer_free(&out);
	}
	json_decref(root);
	buffer_free(&text);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_one_json_object_is_refused),
		cmocka_unit_test(objects_are_taken_off_the_front),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(values_are_limited_before_they_are_parsed),
		cmocka_unit_test(getters_say_what_is_missing_or_of_another_type),
		cmocka_unit_test(getters_give_what_is_there),
		cmocka_unit_test(members_that_are_not_known_are_named),
		cmocka_unit_test(bytes_become_strings_and_come_back),
		cmocka_unit_test(long_strings_are_taken_from_where_they_stand),
		cmocka_unit_test(only_so_many_strings_are_lifted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
