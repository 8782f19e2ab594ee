// SPDX-License-Identifier: MIT
/* lib/base: bounded reading and writing, and the text encodings of bytes. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void takes_stop_at_the_end(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	uint64_t u64 = 77;
	uint32_t u32 = 77;
	uint16_t u16 = 77;
	uint8_t u8 = 77;

	(void)state;
	for (size_t size = 0; size < sizeof(data); size++) {
		struct bytes in = BYTES(data, size), piece = BYTES(NULL, 77);

		assert_int_equal(bytes_take_u8(&in, &u8), size >= 1);
		in = BYTES(data, size);
		assert_int_equal(bytes_take_be16(&in, &u16), size >= 2);
		assert_int_equal(in.size, size >= 2 ? size - 2 : size);
		in = BYTES(data, size);
		assert_int_equal(bytes_take_le32(&in, &u32), size >= 4);
		in = BYTES(data, size);
		assert_int_equal(bytes_take_be64(&in, &u64), size >= 8);
		in = BYTES(data, size);
		assert_false(bytes_take(&in, size + 1, &piece));
		assert_false(bytes_take(&in, SIZE_MAX, &piece));
		assert_int_equal(piece.size, 77);
		assert_true(bytes_take(&in, size, &piece));
		assert_int_equal(piece.size, size);
		assert_int_equal(in.size, 0);
	}
}

static void takes_read_both_byte_orders(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct bytes in;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	(void)state;
	in = BYTES(data, sizeof(data));
	assert_true(bytes_take_be16(&in, &u16));
	assert_int_equal(u16, 0x0102);
	assert_true(bytes_take_le16(&in, &u16));
	assert_int_equal(u16, 0x0403);
	assert_true(bytes_take_be32(&in, &u32));
	assert_int_equal(u32, 0x05060708);
	in = BYTES(data, sizeof(data));
	assert_true(bytes_take_le32(&in, &u32));
	assert_int_equal(u32, 0x04030201);
	in = BYTES(data, sizeof(data));
	assert_true(bytes_take_be64(&in, &u64));
	assert_true(u64 == 0x0102030405060708);
	in = BYTES(data, sizeof(data));
	assert_true(bytes_take_le64(&in, &u64));
	assert_true(u64 == 0x0807060504030201);
}

static void buffers_write_what_takes_read(void **state)
{
	struct buffer out = { 0 };
	struct bytes in, rest;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	(void)state;
	for (int i = 0; i < 100; i++) {
		buffer_append_u8(&out, 0x12);
		buffer_append_be16(&out, 0x3456);
		buffer_append_be32(&out, 0x789abcde);
		buffer_append_be64(&out, 0xfedcba9876543210);
		buffer_append(&out, "xyz", 3);
		buffer_append(&out, NULL, 0);
	}
	in = buffer_bytes(&out);
	assert_int_equal(in.size, 1800);
	for (int i = 0; i < 100; i++) {
		assert_true(bytes_take_u8(&in, &u8) && u8 == 0x12);
		assert_true(bytes_take_be16(&in, &u16) && u16 == 0x3456);
		assert_true(bytes_take_be32(&in, &u32) && u32 == 0x789abcde);
		assert_true(bytes_take_be64(&in, &u64) && u64 == 0xfedcba9876543210);
		assert_true(bytes_take(&in, 3, &rest) && bytes_equal(rest, support_text("xyz")));
	}
	buffer_free(&out);
	assert_null(out.data);
}

static void a_buffer_remembers_a_failed_append(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	buffer_append(&out, "abc", 3);
	assert_null(buffer_reserve(&out, SIZE_MAX / 2));
	assert_true(out.failed);
	buffer_append(&out, "def", 3);
	assert_int_equal(out.size, 3);
	buffer_free(&out);
	assert_false(out.failed);
}

static void comparisons_look_at_size_and_content(void **state)
{
	(void)state;
	assert_true(bytes_equal(BYTES(NULL, 0), support_text("")));
	assert_true(bytes_equal(support_text("ab"), support_text("ab")));
	assert_false(bytes_equal(support_text("ab"), support_text("abc")));
	assert_false(bytes_equal(support_text("ab"), support_text("ac")));
	assert_true(bytes_equal_constant_time(BYTES(NULL, 0), support_text("")));
	assert_true(bytes_equal_constant_time(support_text("ab"), support_text("ab")));
	assert_false(bytes_equal_constant_time(support_text("ab"), support_text("a")));
	assert_false(bytes_equal_constant_time(support_text("ab"), support_text("bb")));
}

static void hex_takes_digits_only(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t size;
	} rows[] = {
		{ "", 0, 0 },
		{ "00", 0, 1 },
		{ "fF", 0, 1 },
		{ "0123456789", 0, 5 },
		{ "0", -EINVAL, 0 },
		{ "0g", -EINVAL, 0 },
		{ "0x12", -EINVAL, 0 },
		{ " 12", -EINVAL, 0 },
		{ "12 ", -EINVAL, 0 },
		{ "1 2 ", -EINVAL, 0 },
		{ "00000000000000", -EMSGSIZE, 0 },
	};
	uint8_t out[6];
	char text[2 * sizeof(out) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t size = 0;

		assert_int_equal(hex_decode(rows[i].text, out, sizeof(out), &size), rows[i].result);
		assert_int_equal(size, rows[i].size);
		hex_encode(BYTES(out, size), text);
		if (rows[i].result == 0)
			assert_int_equal(strcasecmp(text, rows[i].text), 0);
	}
}

/* RFC 4648, section 10 */
static void base64_has_the_vectors_of_its_rfc(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = base64_encode(support_text(rows[i][0]));
		struct buffer out = { 0 }, appended = { 0 };

		assert_string_equal(text, rows[i][1]);
		buffer_append_u8(&appended, '>');
		base64_append(&appended, support_text(rows[i][0]));
		assert_int_equal(appended.size, 1 + strlen(text));
		assert_memory_equal(appended.data + 1, text, strlen(text));
		buffer_free(&appended);
		assert_int_equal(base64_decode(text, strlen(text), &out), 0);
		assert_true(bytes_equal(buffer_bytes(&out), support_text(rows[i][0])));
		buffer_free(&out);
		free(text);
	}
}

static void base64_takes_the_one_encoding_only(void **state)
{
	static const char *const rows[] = {
		"Z",	"Zg",	"Zg=",	"Zg===",    "=Zg=",	"Z===",	     "====",
		"Zh==", "Zm9=", "Zm8",	"Zm9v\n",   "Zm 9v",	"Zm9v Zm9v", "Zg==Zm9v",
		"Zm9-", "Zm9_", "Z=g=", "Zm8=Zm8=", "\n\n\n\n", "Zm9\xc3",   "Zg=A",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = { 0 };

		if (base64_decode(rows[i], strlen(rows[i]), &out) != -EINVAL)
			fail_msg("base64 \"%s\" was taken", rows[i]);
		buffer_free(&out);
	}
}

static void base64_agrees_with_another_program(void **state)
{
	uint8_t data[200];

	(void)state;
	for (size_t size = 1; size <= sizeof(data); size += 7) {
		char *ours, *theirs;

		support_fill(data, size, (uint32_t)size);
		support_write("data", BYTES(data, size));
		ours = base64_encode(BYTES(data, size));
		theirs = support_output("base64 -w0 data");
		assert_string_equal(ours, theirs);
		free(ours);
		free(theirs);
	}
}

static void text_for_people_has_no_control_characters(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain /usr/bin", "plain /usr/bin" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "new\nline", "new\\x0aline" },
		{ "esc\033[31m", "esc\\x1b[31m" },
		{ "back\\slash", "back\\x5cslash" },
		{ "del\x7f", "del\\x7f" },
		{ "c1\xc2\x9b", "c1\\xc2\\x9b" },
		{ "rlo\xe2\x80\xae", "rlo\\xe2\\x80\\xae" },
		{ "isolate\xe2\x81\xa6", "isolate\\xe2\\x81\\xa6" },
		{ "alm\xd8\x9c", "alm\\xd8\\x9c" },
		/* None of these can be seen: two names would look the same. */
		{ "zero width\xe2\x80\x8b", "zero width\\xe2\\x80\\x8b" },
		{ "joiner\xe2\x80\x8d", "joiner\\xe2\\x80\\x8d" },
		{ "soft hyphen\xc2\xad", "soft hyphen\\xc2\\xad" },
		{ "no-break space\xc2\xa0", "no-break space\\xc2\\xa0" },
		{ "word joiner\xe2\x81\xa0", "word joiner\\xe2\\x81\\xa0" },
		{ "byte order mark\xef\xbb\xbf", "byte order mark\\xef\\xbb\\xbf" },
		{ "variation\xef\xb8\x8f", "variation\\xef\\xb8\\x8f" },
		{ "Hangul filler\xe3\x85\xa4", "Hangul filler\\xe3\\x85\\xa4" },
		{ "tag\xf3\xa0\x81\xa1", "tag\\xf3\\xa0\\x81\\xa1" },
		{ "selector\xf3\xa0\x84\x80", "selector\\xf3\\xa0\\x84\\x80" },
		{ "private\xee\x80\x80", "private\\xee\\x80\\x80" },
		{ "separator\xe2\x80\xa8", "separator\\xe2\\x80\\xa8" },
		/* Letters of all scripts and marks on them can. */
		{ "e\xcc\x81\xd7\x90\xe3\x81\x82\xf0\x90\x8d\x88",
		  "e\xcc\x81\xd7\x90\xe3\x81\x82\xf0\x90\x8d\x88" },
		{ "overlong\xc0\xaf", "overlong\\xc0\\xaf" },
		{ "overlong\xe0\x80\xaf", "overlong\\xe0\\x80\\xaf" },
		{ "surrogate\xed\xa0\x80", "surrogate\\xed\\xa0\\x80" },
		{ "beyond\xf4\x90\x80\x80", "beyond\\xf4\\x90\\x80\\x80" },
		{ "cut\xe2\x82", "cut\\xe2\\x82" },
		{ "\xff\xfe", "\\xff\\xfe" },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(text_escape(support_text(rows[i][0]), text, sizeof(text)),
				    rows[i][1]);
	assert_string_equal(text_escape(BYTES((const uint8_t *)"a\0b", 3), text, sizeof(text)),
			    "a\\x00b");
}

/* Every code point, as Perl's Unicode database has it. */
static void what_cannot_be_seen_is_escaped(void **state)
{
	static const char ask[] =
		"perl -CO -e 'for (0x20 .. 0x10ffff) { next if $_ >= 0xd800 && $_ <= 0xdfff;"
		" print chr($_), chr($_) =~ /[\\\\\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Co}"
		"\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}]|(?! )\\p{Zs}/"
		" || $_ == 0x2800 ? 1 : 0, qq(\\n) }' 2>/dev/null";
	char *table, *line, *rest = NULL, text[32];
	size_t points = 0;

	(void)state;
	if (!support_have("perl"))
		skip();
	table = support_output("%s", ask);
	for (line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t length = strlen(line) - 1;
		bool escaped;

		text_escape(BYTES((const uint8_t *)line, length), text, sizeof(text));
		escaped = text[0] == '\\';
		points++;
		/* What Unicode 15 has since, where Perl has an older one. */
		if (length == 4 && memcmp(line, "\xf0\x93\x90", 3) == 0)
			continue;
		if (escaped != (line[length] == '1'))
			fail_msg("%s is %sescaped", text, escaped ? "" : "not ");
	}
	free(table);
	assert_int_equal(points, 0x110000 - 0x20 - 0x800);
}

static void text_that_does_not_fit_is_cut_between_characters(void **state)
{
	static const char sample[] = "ab\n\xe2\x82\xac\xe2\x82\xac z\xff\xc3\xa4 the end of it";
	char whole[128];

	(void)state;
	text_escape(support_text(sample), whole, sizeof(whole));
	for (size_t capacity = 1; capacity < sizeof(whole); capacity++) {
		/* Its own allocation, so that the sanitizer sees a byte too many. */
		char *text = malloc(capacity);
		size_t length;

		assert_non_null(text);
		assert_ptr_equal(text_escape(support_text(sample), text, capacity), text);
		length = strlen(text);
		assert_true(length < capacity);
		if (capacity > strlen(whole)) {
			assert_string_equal(text, whole);
		} else {
			size_t dots = length < 3 ? length : 3;

			assert_int_equal(strncmp(text + length - dots, "...", dots), 0);
			assert_int_equal(strncmp(text, whole, length - dots), 0);
			/* Not within a UTF-8 sequence. */
			assert_int_not_equal(whole[length - dots] & 0xc0, 0x80);
		}
		free(text);
	}
}

/* What it says is UTF-8 also where it was too long. */
static void a_long_error_is_cut_between_characters(void **state)
{
	char letters[2 * sizeof(((struct assay_error *)0)->text)];
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(letters); i += 2)
		memcpy(letters + i, "\xc3\xa4", 3);
	for (size_t shift = 0; shift < 4; shift++) {
		char text[sizeof(err.text) + 8];
		struct bytes whole;

		assert_int_equal(assay_fail(&err, EINVAL, "%.*s%s", (int)shift, "xxx", letters),
				 -EINVAL);
		for (int i = 0; i < 2; i++) {
			whole = support_text(err.text);
			assert_true(whole.size >= sizeof(err.text) - 5);
			assert_string_equal(err.text + whole.size - 3, "...");
			/* Nothing of it has to be escaped. */
			assert_string_equal(text_escape(whole, text, sizeof(text)), err.text);
			assert_int_equal(assay_fail_context(&err, "where"), -EINVAL);
			assert_int_equal(strncmp(err.text, "where: ", 7), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_stop_at_the_end),
		cmocka_unit_test(takes_read_both_byte_orders),
		cmocka_unit_test(buffers_write_what_takes_read),
		cmocka_unit_test(a_buffer_remembers_a_failed_append),
		cmocka_unit_test(comparisons_look_at_size_and_content),
		cmocka_unit_test(hex_takes_digits_only),
		cmocka_unit_test(base64_has_the_vectors_of_its_rfc),
		cmocka_unit_test(base64_takes_the_one_encoding_only),
		cmocka_unit_test(base64_agrees_with_another_program),
		cmocka_unit_test(text_for_people_has_no_control_characters),
		cmocka_unit_test(what_cannot_be_seen_is_escaped),
		cmocka_unit_test(a_long_error_is_cut_between_characters),
		cmocka_unit_test(text_that_does_not_fit_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
