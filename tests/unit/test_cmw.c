// SPDX-License-Identifier: MIT
/* lib/report/cmw: wrappers as RFC 9999 has them, and what is none. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cmw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TYPE CMW_TYPE_EVIDENCE /* of 35 = 0x23 characters */
#define TYPE_CBOR "\x78\x23" TYPE
#define RECORD_CBOR "\x82" TYPE_CBOR "\x42{}"
#define OTHER_CBOR "\x82\x61\x61\x41\x62"

static void the_type_has_that_many_characters(void **state)
{
	(void)state;
	assert_int_equal(strlen(TYPE), 0x23);
}

/* Section 5.1 and 5.4, with indicators. */
static const uint8_t example[] = { 0x23, 0x47, 0xda, 0x55 };
static const struct cmw messages[] = {
	{ "attester A", "application/vnd.example.rats-conceptual-msg",
	  BYTES(example, sizeof(example)), CMW_EVIDENCE },
	{ "attester B", "a/b; c=\"d\"", BYTES_LITERAL("{}"), CMW_ATTESTATION_RESULTS },
};

static void json_is_as_the_rfc_has_it(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	cmw_write_record(&messages[0], &out);
	buffer_append_u8(&out, '\0');
	assert_string_equal((char *)out.data,
			    "[\"application/vnd.example.rats-conceptual-msg\", \"I0faVQ\", 4]\n");
	out.size = 0;
	cmw_write_collection(messages, 2, &out);
	buffer_append_u8(&out, '\0');
	assert_string_equal((char *)out.data,
			    "{\n \"attester A\": [\"application/vnd.example.rats-conceptual-msg\", "
			    "\"I0faVQ\", 4],\n \"attester B\": [\"a/b; c=\\\"d\\\"\", \"e30\", 8]"
			    "\n}\n");
	buffer_free(&out);
}

/* The bytes are written down by hand from RFC 8949, section 3. */
static void cbor_is_as_the_rfc_has_it(void **state)
{
	static const struct bytes record =
		BYTES_LITERAL("\x83\x78\x2b"
			      "application/vnd.example.rats-conceptual-msg"
			      "\x44\x23\x47\xda\x55\x04");
	static const struct bytes second = BYTES_LITERAL("\x6a"
							 "attester B"
							 "\x83\x6a"
							 "a/b; c=\"d\""
							 "\x42{}\x08");
	struct buffer out = { 0 }, wanted = { 0 };

	(void)state;
	cmw_write_cbor_record(&messages[0], &out);
	assert_true(bytes_equal(buffer_bytes(&out), record));
	out.size = 0;
	cmw_write_cbor_collection(messages, 2, &out);
	buffer_append(&wanted,
		      "\xa2\x6a"
		      "attester A",
		      12);
	buffer_append_bytes(&wanted, record);
	buffer_append_bytes(&wanted, second);
	assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&wanted)));
	buffer_free(&out);
	buffer_free(&wanted);
}

#define ROW(text) BYTES_LITERAL(text)

static void evidence_is_taken_out(void **state)
{
	static const struct bytes rows[] = {
		ROW("[\"" TYPE "\", \"e30\"]"),
		ROW(" [\"" TYPE "\", \"e30\", 4]\n"),
		ROW("[\"Application/VND.assay.Evidence+JSON\", \"e30\", 12]"),
		ROW("{\"a\": [\"" TYPE "\", \"e30\"]}"),
		ROW("{\"__cmwc_t\": \"tag:example.com,2024:x\", \"a\": [\"b\", \"Yg\"], \"c\": "
		    "[\"" TYPE "\", \"e30\", 4]}"),
		ROW("{\"a\": {\"b\": {\"c\": {\"d\": [\"" TYPE "\", \"e30\"]}}}}"),
		ROW(RECORD_CBOR),
		ROW("\x83" TYPE_CBOR "\x42{}\x04"),
		ROW("\x83" TYPE_CBOR "\x58\x02{}\x18\x0c"), /* longer heads than need be */
		ROW("\xa1\x61\x61" RECORD_CBOR),
		ROW("\xbf\x61\x61" RECORD_CBOR "\xff"),
		/* With a type; labels that are numbers; a content format, and a tag of one (RFC's
		   example). */
		ROW("\xa5\x68__cmwc_t\x63tag\x00\x83\x19\xfd\xe7\x44\x23\x47\xda\x55\x04"
		    "\x01\xda\x63\x74\xff\xe6\x44\x23\x47\xda\x55\x20" OTHER_CBOR
		    "\x02" RECORD_CBOR),
		ROW("\xa1\x01\xa1\x01\xa1\x01\xa1\x01" RECORD_CBOR),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };
		struct assay_error err = { 0 };

		if (cmw_read_evidence(rows[i], &out, &err) != 0)
			fail_msg("row %zu: %s", i, err.text);
		assert_true(bytes_equal(buffer_bytes(&out), BYTES_LITERAL("{}")));
		buffer_free(&out);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const struct {
		struct bytes in;
		const char *error;
	} rows[] = {
		{ ROW(""), "is empty" },
		{ ROW("["), "is not JSON" },
		{ ROW("x"), "is not JSON" },
		{ ROW("[]"), "a record is a type" },
		{ ROW("[\"" TYPE "\"]"), "a record is a type" },
		{ ROW("[50, \"e30\"]"), "a record is a type" },
		{ ROW("[\"" TYPE "\", 3]"), "a record is a type" },
		{ ROW("[\"" TYPE "\", \"e30\", -1]"), "a record is a type" },
		{ ROW("[\"" TYPE "\", \"e30\", \"4\"]"), "a record is a type" },
		{ ROW("[\"" TYPE "\", \"e30\", 4, 4]"), "a record is a type" },
		{ ROW("[\"" TYPE "\", \"e30=\"]"), "is not base64url" },
		{ ROW("[\"" TYPE "\", \"e3\"]"), "is not base64url" }, /* bits that nobody has */
		{ ROW("[\"" TYPE "\", \"e\"]"), "is not base64url" },
		{ ROW("[\"" TYPE "\", \"a+b/\"]"), "is not base64url" },
		{ ROW("[\"" TYPE "\", \"e 30\"]"), "is not base64url" },
		{ ROW("[\"" TYPE "\", \"e30\"] ["), "is not JSON" },
		{ ROW("[\"a/b\", \"e30\"]"), "has no message of type" },
		{ ROW("[\"" TYPE "; a=b\", \"e30\"]"), "has no message of type" },
		{ ROW("[\"" TYPE "\\u0000\", \"e30\"]"), "is not JSON" },
		{ ROW("{}"), "has no message of type" },
		{ ROW("{\"a\": 1}"), "no record and no collection" },
		{ ROW("{\"__cmwc_t\": [\"" TYPE "\", \"e30\"]}"), "is no text" },
		{ ROW("{\"a\": [\"a\", \"\"], \"a\": [\"" TYPE "\", \"e30\"]}"), "duplicate" },
		{ ROW("{\"a\": [\"" TYPE "\", \"e30\"], \"b\": [\"" TYPE "\", \"e30\"]}"),
		  "more than one message" },
		{ ROW("{\"a\": {\"b\": {\"c\": {\"d\": {\"e\": [\"" TYPE "\", \"e30\"]}}}}}"),
		  "more than 4 deep" },
		{ ROW("\x82"), "ends within" },
		{ ROW("\x82" TYPE_CBOR), "ends within" },
		{ ROW("\x82" TYPE_CBOR "\x43{}"), "ends within" },
		{ ROW("\x82" TYPE_CBOR "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff{}"), "ends within" },
		{ ROW("\x82" TYPE_CBOR "\x5b\xff\xff\xff\xff\xff\xff\xff\xff{}"), "ends within" },
		{ ROW("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), "a record is a type" },
		{ ROW("\xbb\xff\xff\xff\xff\xff\xff\xff\xff"), "ends within" },
		{ ROW("\x81" TYPE_CBOR), "a record is a type" },
		{ ROW("\x84" TYPE_CBOR "\x42{}\x04\x04"), "a record is a type" },
		{ ROW("\x82" TYPE_CBOR "\x62{}"), "a record is a type" }, /* text, not bytes */
		{ ROW("\x82" TYPE_CBOR "\x5f\x42{}\xff"), "a record is a type" }, /* in pieces */
		{ ROW("\x83" TYPE_CBOR "\x42{}\x20"),
		  "a record is a type" }, /* an indicator of -1 */
		{ ROW("\x82\x58\x23" TYPE "\x42{}"), "a record is a type" }, /* bytes, not text */
		{ ROW("\x9f" TYPE_CBOR "\x42{}\xff"), "no record and no collection" },
		{ ROW("\x82\x1c\x42{}"), "is not CBOR" },
		{ ROW("\xff"), "no record and no collection" },
		{ ROW("\xf6"), "no record and no collection" },
		{ ROW(RECORD_CBOR "\n"), "1 bytes behind it" },
		{ ROW(OTHER_CBOR), "has no message of type" },
		{ ROW("\xd2\x84\x40\xa0\x40\x40"), "is not CBOR" }, /* COSE_Sign1, tag 18 */
		{ ROW("\xd8\x3d\x42{}"), "CBOR tag 61" },	    /* a CWT */
		{ ROW("\xda\x63\x74\x01\x33\x42{}"), "has no message of type" },
		{ ROW("\xda\x63\x74\x01\x33\x62{}"), "no byte string" },
		{ ROW("\xa1\x61\x61"), "ends within" },
		{ ROW("\xa1\x41\x61" RECORD_CBOR), "a label that is no text" },
		{ ROW("\xa2\x01" OTHER_CBOR "\x01" RECORD_CBOR), "a label twice" },
		{ ROW("\xa2\x01" RECORD_CBOR "\x02" RECORD_CBOR), "more than one message" },
		{ ROW("\xa1\x68__cmwc_t" RECORD_CBOR), "is no text" },
		{ ROW("\xa1\xff" RECORD_CBOR), "a label that is no text" },
		{ ROW("\xa1\x01\xa1\x01\xa1\x01\xa1\x01\xa1\x01" RECORD_CBOR), "more than 4 deep" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer out = { 0 };
		struct assay_error err = { 0 };

		if (cmw_read_evidence(rows[i].in, &out, &err) == 0)
			fail_msg("row %zu (%s) was taken", i, rows[i].error);
		if (!strstr(err.text, rows[i].error))
			fail_msg("row %zu: \"%s\", not \"%s\"", i, err.text, rows[i].error);
		buffer_free(&out);
	}
}

/* One more than the limit, of messages and of labels. */
static void there_are_no_more_messages_than_the_limit(void **state)
{
	for (unsigned int count = CMW_MAX_MESSAGES; count <= CMW_MAX_MESSAGES + 1; count++) {
		struct buffer cbor = { 0 }, json = { 0 }, out = { 0 };
		struct assay_error err;
		int wanted = count <= CMW_MAX_MESSAGES ? 0 : -E2BIG;
		char label[16];

		(void)state;
		buffer_append(&cbor, "\xb8", 1);
		buffer_append_u8(&cbor, (uint8_t)count);
		for (unsigned int i = 0; i + 1 < count; i++) {
			buffer_append(&cbor, "\x18", 1);
			buffer_append_u8(&cbor, (uint8_t)(100 + i));
			buffer_append(&cbor, OTHER_CBOR, sizeof(OTHER_CBOR) - 1);
			snprintf(label, sizeof(label), "%s\"%u\": ", i > 0 ? "," : "{", i);
			buffer_append(&json, label, strlen(label));
			buffer_append_bytes(&json, BYTES_LITERAL("[\"a\", \"\"]"));
		}
		buffer_append_bytes(&cbor, BYTES_LITERAL("\x01" RECORD_CBOR));
		buffer_append_bytes(&json, BYTES_LITERAL(",\"e\": [\"" TYPE "\", \"e30\"]}"));
		assert_int_equal(cmw_read_evidence(buffer_bytes(&cbor), &out, &err), wanted);
		assert_int_equal(cmw_read_evidence(buffer_bytes(&json), &out, &err), wanted);
		buffer_free(&cbor);
		buffer_free(&json);
		buffer_free(&out);
	}
}

static void what_is_written_is_read(void **state)
{
	static uint8_t content[70000];
	const struct cmw written[] = {
		{ "result", "application/eat+jwt", BYTES_LITERAL("e.e.e"),
		  CMW_ATTESTATION_RESULTS },
		{ "evidence", TYPE, BYTES(content, 0), CMW_EVIDENCE },
	};
	static const size_t sizes[] = { 0, 1, 2, 3, 23, 24, 255, 256, 65535, 65536, 70000 };

	(void)state;
	support_fill(content, sizeof(content), 1);
	for (size_t i = 0; i < 4 * COUNT(sizes); i++) {
		struct buffer out = { 0 }, back = { 0 };
		struct cmw both[] = { written[0], written[1] };
		struct assay_error err;

		both[1].value.size = sizes[i / 4];
		if (i % 4 == 0)
			cmw_write_record(&both[1], &out);
		else if (i % 4 == 1)
			cmw_write_collection(both, 2, &out);
		else if (i % 4 == 2)
			cmw_write_cbor_record(&both[1], &out);
		else
			cmw_write_cbor_collection(both, 2, &out);
		assert_int_equal(cmw_is_wrapped(buffer_bytes(&out)), i % 4 != 1);
		if (cmw_read_evidence(buffer_bytes(&out), &back, &err) != 0)
			fail_msg("%zu bytes: %s", sizes[i / 4], err.text);
		assert_true(bytes_equal(buffer_bytes(&back), both[1].value));
		buffer_free(&out);
		buffer_free(&back);
	}
}

static void very_many_values_are_not_parsed(void **state)
{
	static const char *const begins[] = { "[", "{\"a\":[" }, *const ends[] = { "]", "]}" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buffer in = support_many_values(begins[i], CMW_MAX_VALUES, ends[i]);
		struct buffer out = { 0 };
		struct assay_error err = { 0 };

		assert_int_equal(cmw_read_evidence(buffer_bytes(&in), &out, &err), -EFBIG);
		support_assert_error(&err, "the CMW has more than 4096 values");
		buffer_free(&out);
		buffer_free(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_type_has_that_many_characters),
		cmocka_unit_test(json_is_as_the_rfc_has_it),
		cmocka_unit_test(cbor_is_as_the_rfc_has_it),
		cmocka_unit_test(evidence_is_taken_out),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(there_are_no_more_messages_than_the_limit),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(very_many_values_are_not_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
