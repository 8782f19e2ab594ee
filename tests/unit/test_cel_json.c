// SPDX-License-Identifier: MIT
/* Logs in JSON: ours and others', there and back, and what is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "log/cel_content.h"
#include "log/cel_json.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A whole log as a sequence. */
static struct buffer to_json(struct bytes cel)
{
	struct buffer text = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;
	int r;

	cel_begin(&reader, cel, 0);
	while ((r = cel_next(&reader, &record, &err)) == 1) {
		json_t *object = cel_json_record(&record);
		char *line = json_dumps(object, JSON_COMPACT);

		assert_non_null(line);
		buffer_append_u8(&text, CEL_JSON_SEPARATOR);
		buffer_append(&text, line, strlen(line));
		buffer_append_u8(&text, '\n');
		free(line);
		json_decref(object);
	}
	if (r < 0)
		fail_msg("%s", err.text);
	return text;
}

static void comes_back(struct bytes cel)
{
	struct buffer text = to_json(cel), again = { 0 };
	struct assay_error err;

	assert_true(cel_json_is(buffer_bytes(&text)));
	assert_false(cel_json_is(cel));
	if (cel_json_read(buffer_bytes(&text), &again, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bytes_equal(buffer_bytes(&again), cel));
	buffer_free(&text);
	buffer_free(&again);
}

static void our_logs_come_back(void **state)
{
	struct log_builder builder;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	log_builder_kinds(&builder);
	/* Numbers that JSON has no room for. */
	builder.recnum = UINT64_MAX - 1;
	log_builder_sample(&builder);
	comes_back(buffer_bytes(&builder.log));
	log_builder_free(&builder);
}

static void a_log_of_another_project_comes_back(void **state)
{
	struct buffer text = log_test_data("cel/gotpmtools-cel.b64"), log = { 0 };

	(void)state;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	assert_int_equal(base64_decode((const char *)text.data, text.size, &log), 0);
	comes_back(buffer_bytes(&log));
	buffer_free(&text);
	buffer_free(&log);
}

/* Contents that others have a form for in JSON, and some that only look like them. */
static void contents_of_others_come_back(void **state)
{
	static const struct {
		uint8_t type;
		struct bytes value;
		const char *name; /* content type in JSON */
	} rows[] = {
		{ 7, BYTES_LITERAL("\0\0\0\0\6ima-ng\1\0\0\0\3\0\xff\33"), "ima_template" },
		{ 7, BYTES_LITERAL("\0\0\0\0\0\1\0\0\0\0"), "ima_template" },
		{ 7, BYTES_LITERAL("\0\0\0\0\2\xff\xfe\1\0\0\0\1x"), "tlv" }, /* no UTF-8 */
		{ 7, BYTES_LITERAL("\0\0\0\0\2\0x\1\0\0\0\1x"), "tlv" },
		{ 7, BYTES_LITERAL("\0\0\0\0\1x\1\0\0\0\1xx"), "tlv" }, /* a byte more */
		{ 7, BYTES_LITERAL("\0\0\0\0\1x\1\0\0\0\2x"), "tlv" },	/* a byte less */
		{ 7, BYTES_LITERAL("\1\0\0\0\1x\0\0\0\0\1x"), "tlv" },
		{ 7, BYTES_LITERAL(""), "tlv" },
		{ 5, BYTES_LITERAL("\0\0\0\0\4\0\0\0\xd\1\0\0\0\4g\0r\0"), "pcclient_std" },
		{ 5, BYTES_LITERAL("\0\0\0\0\4\x12\x34\x56\x78\1\0\0\0\0"), "pcclient_std" },
		{ 5, BYTES_LITERAL("\0\0\0\0\3\0\0\xd\1\0\0\0\0"), "tlv" },
		{ 5, BYTES_LITERAL("\0\0\0\0\5\0\0\0\0\xd\1\0\0\0\0"), "tlv" },
		{ 9, BYTES_LITERAL("{\"string\":\"enter-initrd\",\"timestamp\":17}"), "systemd" },
		{ 9, BYTES_LITERAL("{}"), "systemd" },
		{ 9, BYTES_LITERAL("{ }"), "tlv" },
		{ 9, BYTES_LITERAL("{\"a\":1,\"a\":2}"), "tlv" },
		{ 9, BYTES_LITERAL("{\"a\":\"\\u0041\"}"), "tlv" },
		{ 9, BYTES_LITERAL("[]"), "tlv" },
		{ 9, BYTES_LITERAL("\0"), "tlv" },
		{ 80, BYTES_LITERAL("vendor"), "tlv" },
		{ 4, BYTES_LITERAL("\x50\0\0\0\x8\0\0\0\0\0\0\0\1"), "tlv" },
		{ 4, BYTES_LITERAL("\x50\0\0\0\1\1"), "cel" },
		{ 4, BYTES_LITERAL("\x50\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff"), "tlv" },
		{ 4, BYTES_LITERAL("\x50\0\0\0\x8\x7f\xff\xff\xff\xff\xff\xff\xff"), "cel" },
		{ 4, BYTES_LITERAL("\1\0\0\0\xc\0\0\0\0\1\1\1\0\0\0\1\0"), "cel" },
		{ 4, BYTES_LITERAL("\2\0\0\0\0"), "cel" },
		{ 4, BYTES_LITERAL("\x51\0\0\0\1\2"), "cel" },
		{ 4, BYTES_LITERAL("\x51\0\0\0\1\3"), "tlv" },
		{ 4, BYTES_LITERAL("\2\0\0\0\0\x51\0\0\0\1\0"), "cel" },
		{ 4, BYTES_LITERAL(""), "cel" },
		{ 0x4a, BYTES_LITERAL("{\"content_type\":\"tss2\",\"content\":{\"data\":\"00\"}}"),
		  "tss2" },
		{ 0x4a, BYTES_LITERAL("{\"content_type\":\"systemd\",\"content\":{}}"), "tlv" },
		{ 0x4a, BYTES_LITERAL("{\"content_type\":\"tlv\",\"content\":{}}"), "tlv" },
		{ 0x4a, BYTES_LITERAL("{\"recnum\":1}"), "tlv" },
		{ 0x4a, BYTES_LITERAL("x"), "tlv" },
		{ 0x41, BYTES_LITERAL("not ours at all"), "assay" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct log_builder builder;
		char wanted[64];
		struct buffer text;

		log_builder_begin(&builder);
		log_builder_record(&builder, rows[i].type, rows[i].value);
		comes_back(buffer_bytes(&builder.log));
		text = to_json(buffer_bytes(&builder.log));
		buffer_append_u8(&text, '\0');
		snprintf(wanted, sizeof(wanted), "\"content_type\":\"%s\"", rows[i].name);
		if (!strstr((const char *)text.data, wanted))
			fail_msg("row %zu: no %s in %s", i, wanted, (const char *)text.data);
		buffer_free(&text);
		log_builder_free(&builder);
	}
}

#define SHA1 "{\"hashAlg\":\"sha1\",\"digest\":\"bac9a8935b720760bcdea2faae75152f5d1e4bea\"}"
#define SHA256                     \
	"{\"hashAlg\":\"sha256\"," \
	"\"digest\":\"d18bf8d221a3a3b08774c8d077328c4b2ca205e4f1618ad4bac2b5786f453bc7\"}"
#define DIGESTS "\"digests\":[" SHA1 "," SHA256 "]"
#define IMA                                                          \
	"\"content_type\":\"ima_template\",\"content\":{\"template_" \
	"name\":\"ima-ng\",\"template_data\":\"00ff\"}"
#define PCCLIENT                                                                       \
	"\"content_type\":\"pcclient_std\",\"content\":{\"event_type\":\"EV_COMPACT_"  \
	"HASH\",\"event_data\":\"44656c6c20436f6e66696775726174696f6e20496e666f726d61" \
	"74696f6e2032\"}"
#define RECORD "{\"recnum\":2,\"pcr\":6," DIGESTS "," PCCLIENT "}"

/* The records of a log in JSON, in the encoding that is checked elsewhere. */
static size_t count_records(struct bytes text, struct cel_record *last, struct buffer *cel)
{
	struct cel_reader reader;
	struct assay_error err;
	size_t count = 0;

	if (cel_json_read(text, cel, &err) < 0)
		fail_msg("%s", err.text);
	cel_begin(&reader, buffer_bytes(cel), 0);
	while (cel_next(&reader, last, NULL) == 1)
		count++;
	assert_int_equal(reader.rest.size, 0);
	return count;
}

/* The same record (the example of CEL 1.0, section 5.3) in whatever holds records. */
static void forms_of_a_log(void **state)
{
	static const struct {
		const char *name;
		struct bytes text;
		size_t records;
	} rows[] = {
		{ "a sequence", BYTES_LITERAL("\x1e" RECORD "\n\x1e" RECORD "\n"), 2 },
		{ "a sequence without a newline at its end", BYTES_LITERAL("\x1e" RECORD), 1 },
		{ "a sequence over lines",
		  BYTES_LITERAL("\x1e{\n\"pcr\":6,\n" DIGESTS ",\r\n" PCCLIENT "\n}\n"), 1 },
		{ "separators in a row", BYTES_LITERAL("\x1e\x1e" RECORD "\n\x1e\n\x1e"), 1 },
		{ "lines", BYTES_LITERAL(RECORD "\n" RECORD "\n\n" RECORD), 3 },
		{ "one object", BYTES_LITERAL(" " RECORD), 1 },
		{ "an array", BYTES_LITERAL("[" RECORD ",\n" RECORD "]\n"), 2 },
		{ "an array of none", BYTES_LITERAL("[]"), 0 },
		{ "an array with white space",
		  BYTES_LITERAL("\n[\t" RECORD "\n,\r\n " RECORD " ] "), 2 },
		{ "an object over lines",
		  BYTES_LITERAL("{\n\"pcr\":6,\n" DIGESTS ",\r\n" PCCLIENT "\n}\n"), 1 },
		{ "objects over lines",
		  BYTES_LITERAL("{\n\"pcr\":6,\n" DIGESTS ",\n" PCCLIENT
				"\n}\n{\n\"pcr\":6,\n" DIGESTS ",\n" PCCLIENT "\n}\n"),
		  2 },
		{ "a separator only", BYTES_LITERAL("\x1e"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct cel_record last = { 0 };
		struct buffer cel = { 0 };

		assert_true(cel_json_is(rows[i].text));
		if (count_records(rows[i].text, &last, &cel) != rows[i].records)
			fail_msg("%s", rows[i].name);
		if (rows[i].records > 0) {
			assert_int_equal(last.pcr, 6);
			assert_int_equal(last.digest_count, 2);
			assert_int_equal(last.digests[0].bytes[0], 0xba);
			assert_int_equal(last.digests[1].bytes[31], 0xc7);
			assert_int_equal(last.type, 5);
			assert_true(bytes_equal(last.value,
						BYTES_LITERAL("\0\0\0\0\4\0\0\0\xc\1\0\0\0\x20"
							      "Dell Configuration Information 2")));
		}
		buffer_free(&cel);
	}
}

/* What systemd writes has no numbers; a number once given is gone on from. */
static void records_without_numbers(void **state)
{
	static const char text[] =
		"[{\"pcr\":6," DIGESTS "," IMA "},{\"pcr\":6," DIGESTS "," IMA
		"},{\"recnum\":7,\"pcr\":6," DIGESTS "," IMA "},{\"pcr\":6," DIGESTS "," IMA "}]";
	static const uint64_t numbers[] = { 0, 1, 7, 8 };
	struct buffer cel = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;

	(void)state;
	assert_int_equal(cel_json_read(BYTES_LITERAL(text), &cel, &err), 0);
	cel_begin(&reader, buffer_bytes(&cel), 0);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_int_equal(cel_next(&reader, &record, NULL), 1);
		assert_int_equal(record.recnum, numbers[i]);
	}
	buffer_free(&cel);
}

/* Other ways to write the same that others use. */
static void numbers_instead_of_names(void **state)
{
	static const struct bytes texts[] = {
		BYTES_LITERAL("{\"nv_index\":22020097,\"digests\":[{\"hashAlg\":4,\"digest\":"
			      "\"BAC9A8935B720760BCDEA2FAAE75152F5D1E4BEA\"}],"
			      "\"content_type\":5,\"content\":{\"event_type\":12,\"event_data\":"
			      "\"\"}}"),
		BYTES_LITERAL("{\"nv_index\":22020097,\"digests\":[{\"hashAlg\":\"0x0004\","
			      "\"digest\":\"bac9a8935b720760bcdea2faae75152f5d1e4bea\"}],"
			      "\"content_type\":\"pcclient_std\",\"content\":{\"event_type\":"
			      "\"ev_compact_hash\",\"event_data\":\"\"}}"),
		BYTES_LITERAL("{\"nv_index\":22020097,\"digests\":[" SHA1 "],"
			      "\"content_type\":\"pcclient_std\",\"content\":{\"event_type\":"
			      "\"12\",\"event_data\":\"\"}}"),
		BYTES_LITERAL("{\"nv_index\":22020097,\"digests\":[" SHA1 "],"
			      "\"content_type\":\"tlv\",\"content\":{\"type\":5,\"data\":"
			      "\"00000000040000000c0100000000\"}}"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct buffer cel = { 0 };
		struct cel_record record;

		assert_int_equal(count_records(texts[i], &record, &cel), 1);
		assert_int_equal(record.register_type, CEL_NV_INDEX);
		assert_int_equal(record.register_number, 0x1500001);
		assert_int_equal(record.digests[0].hash, ASSAY_HASH_SHA1);
		assert_int_equal(record.digests[0].bytes[0], 0xba);
		assert_true(
			bytes_equal(record.value, BYTES_LITERAL("\0\0\0\0\4\0\0\0\xc\1\0\0\0\0")));
		buffer_free(&cel);
	}
}

static void logs_that_are_off(void **state)
{
	static const struct {
		const char *name, *text, *error;
	} rows[] = {
		{ "nothing", "", "no log in JSON" },
		{ "white space", " \n\t", "no log in JSON" },
		{ "TLV", "\1\2\3", "no log in JSON" },
		{ "a string", "\"x\"", "no log in JSON" },
		{ "no JSON", "{\"pcr\":", "index 0: it is not JSON" },
		{ "cut", "\x1e" RECORD "\n\x1e{\"recnum\":2,\"pcr\"", "index 1: it is not JSON" },
		{ "two in one text", "\x1e" RECORD RECORD, "there is text behind" },
		{ "text behind a record", "\x1e" RECORD "\nx\n", "there is text behind" },
		{ "text behind an object", RECORD "x", "index 1: it is not JSON" },
		{ "an array in a sequence", "\x1e[" RECORD "]\n", "not a JSON object" },
		{ "an array cut", "[" RECORD ",", "index 1: it is empty" },
		{ "an array cut behind a record", "[" RECORD, "before its ']'" },
		{ "an array without commas", "[" RECORD RECORD "]", "before its ']'" },
		{ "an array with a comma too many", "[" RECORD ",]", "index 1: it is not JSON" },
		{ "an array with a comma first", "[," RECORD "]", "index 0: it is not JSON" },
		{ "text behind an array", "[" RECORD "]x", "behind the array" },
		{ "a number in an array", "[" RECORD ",7]", "index 1: it is not" },
		{ "a member twice", "{\"pcr\":6,\"pcr\":6," DIGESTS "," IMA "}", "not JSON" },
		{ "a member not known", "{\"pcr\":6,\"x\":1," DIGESTS "," IMA "}",
		  "\"x\" is not known" },
		{ "a name with ESC", "{\"pcr\":6,\"\\u001b[31m\":1," DIGESTS "," IMA "}",
		  "\"\\x1b[31m\" is not known" },
		{ "no register", "{" DIGESTS "," IMA "}", "has no \"pcr\"" },
		{ "two registers", "{\"pcr\":6,\"nv_index\":1," DIGESTS "," IMA "}",
		  "more than one register" },
		{ "PCR 24", "{\"pcr\":24," DIGESTS "," IMA "}", "there is no pcr 24" },
		{ "PCR -1", "{\"pcr\":-1," DIGESTS "," IMA "}", "\"pcr\" is negative" },
		{ "PCR as text", "{\"pcr\":\"6\"," DIGESTS "," IMA "}", "not a whole number" },
		{ "PCR 6.0", "{\"pcr\":6.0," DIGESTS "," IMA "}", "not a whole number" },
		{ "CCMR 256", "{\"ccmr\":256," DIGESTS "," IMA "}", "there is no ccmr 256" },
		{ "NV index of 33 bits", "{\"nv_index\":4294967296," DIGESTS "," IMA "}",
		  "there is no nv_index 4294967296" },
		{ "recnum -1", "{\"recnum\":-1,\"pcr\":6," DIGESTS "," IMA "}",
		  "\"recnum\" is no" },
		{ "recnum 1.5", "{\"recnum\":1.5,\"pcr\":6," DIGESTS "," IMA "}",
		  "\"recnum\" is no" },
		{ "recnum of 65 bits",
		  "{\"recnum\":\"18446744073709551616\",\"pcr\":6," DIGESTS "," IMA "}",
		  "\"recnum\" is no" },
		{ "recnum as text for no reason",
		  "{\"recnum\":\"1\",\"pcr\":6," DIGESTS "," IMA "}", "\"recnum\" is no" },
		{ "no digests", "{\"pcr\":6," IMA "}", "\"digests\" is missing" },
		{ "digests no array", "{\"pcr\":6,\"digests\":{}," IMA "}",
		  "\"digests\" is missing" },
		{ "digests empty", "{\"pcr\":6,\"digests\":[]," IMA "}", "has no digest" },
		{ "a digest no object", "{\"pcr\":6,\"digests\":[1]," IMA "}",
		  "what is no object" },
		{ "a bank twice", "{\"pcr\":6,\"digests\":[" SHA1 "," SHA1 "]," IMA "}",
		  "algorithm 0x04 twice" },
		{ "no algorithm", "{\"pcr\":6,\"digests\":[{\"digest\":\"00\"}]," IMA "}",
		  "\"hashAlg\" is missing" },
		{ "algorithm of no name",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":\"md5\",\"digest\":\"00\"}]," IMA "}",
		  "no algorithm" },
		{ "algorithm 0",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":0,\"digest\":\"00\"}]," IMA "}",
		  "no algorithm" },
		{ "algorithm 256",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":256,\"digest\":\"00\"}]," IMA "}",
		  "no algorithm" },
		{ "algorithm 0x10004",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":\"0x10004\",\"digest\":\"00\"}]," IMA "}",
		  "no algorithm" },
		{ "digest of another size",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"00\"}]," IMA "}",
		  "1 bytes for algorithm 0x04" },
		{ "digest of half a byte",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"0\"}]," IMA "}",
		  "not hexadecimal" },
		{ "digest not hexadecimal",
		  "{\"pcr\":6,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"0g\"}]," IMA "}",
		  "not hexadecimal" },
		{ "no content", "{\"pcr\":6," DIGESTS ",\"content_type\":\"systemd\"}",
		  "no \"content\"" },
		{ "content no object",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"systemd\",\"content\":[]}",
		  "\"content\" is not an object" },
		{ "no content type", "{\"pcr\":6," DIGESTS ",\"content\":{}}",
		  "\"content_type\" is missing" },
		{ "content type of another JSON type",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":[],\"content\":{}}",
		  "\"content_type\" is missing" },
		{ "management of no kind",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"cel\",\"content\":{\"type\":\"x\"}}",
		  "\"type\" is missing or not known" },
		{ "management that is no object",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"cel\",\"content\":[1]}",
		  "is not an object" },
		{ "management with more",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"cel\",\"content\":{\"type\":2,\"x\":1}}",
		  "\"x\" is not known" },
		{ "a version without its minor number",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"cel\",\"content\":{\"type\":1,\"data\":{"
		  "\"major\":1}}}",
		  "no \"minor\"" },
		{ "a version of 17 bits",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"cel\",\"content\":{\"type\":1,\"data\":{"
		  "\"major\":65536,\"minor\":0}}}",
		  "above 65535" },
		{ "a state of no name",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"cel\",\"content\":{\"type\":"
		  "\"state_trans\",\"data\":\"off\"}}",
		  "no state_trans" },
		{ "a state of no number",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"cel\",\"content\":{\"type\":81,\"data\":3}}",
		  "no state_trans" },
		{ "a time below 0",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"cel\",\"content\":{\"type\":80,\"data\":-1}}",
		  "no cel_timestamp" },
		{ "template without a name",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"ima_template\",\"content\":{\"template_data\":\"\"}}",
		  "no \"template_name\"" },
		{ "template's name with NUL",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"ima_template\",\"content\":{"
		  "\"template_name\":\"\\u0000\",\"template_data\":\"\"}}",
		  "not JSON" },
		{ "template of more",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"ima_template\",\"content\":{"
		  "\"template_name\":\"x\",\"template_data\":\"\",\"x\":1}}",
		  "\"x\" is not known" },
		{ "event of no type",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"pcclient_std\",\"content\":{\"event_data\":\"\"}}",
		  "\"event_type\" is missing" },
		{ "event of a type of no name",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"pcclient_std\",\"content\":{"
		  "\"event_type\":\"EV_X\",\"event_data\":\"\"}}",
		  "or no type of event" },
		{ "event of a type of 33 bits",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"pcclient_std\",\"content\":{"
		  "\"event_type\":\"4294967296\",\"event_data\":\"\"}}",
		  "or no type of event" },
		{ "event without data",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"pcclient_std\",\"content\":{\"event_type\":13}}",
		  "no \"event_data\"" },
		{ "ours without data",
		  "{\"pcr\":6," DIGESTS ",\"content_type\":\"assay\",\"content\":{}}",
		  "no \"data\"" },
		{ "a TLV of type 256",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"tlv\",\"content\":{\"type\":256,\"data\":\"\"}}",
		  "256 is above 255" },
		{ "a TLV that is no content",
		  "{\"pcr\":6," DIGESTS
		  ",\"content_type\":\"tlv\",\"content\":{\"type\":3,\"data\":\"\"}}",
		  "where the record's content is due" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes text = BYTES((const uint8_t *)rows[i].text, strlen(rows[i].text));
		struct assay_error err = { 0 };
		struct buffer cel = { 0 };
		struct cel_reader reader;
		struct cel_record record;
		int r = cel_json_read(text, &cel, &err);

		if (r != -EBADMSG || !strstr(err.text, rows[i].error) || strchr(err.text, '\33'))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
		/* What was read before it is whole records. */
		cel_begin(&reader, buffer_bytes(&cel), 0);
		while (cel_next(&reader, &record, NULL) == 1)
			;
		assert_int_equal(reader.rest.size, 0);
		buffer_free(&cel);
	}
}

/* Records as other programs write them, in files of theirs. */
static void files_of_others(void **state)
{
	static const struct {
		const char *file;
		size_t records;
		uint64_t last;
		const char *error; /* NULL: it is whole */
	} rows[] = {
		{ "cel/cel-pretty-object.json", 1, 1, NULL },
		{ "cel/cel-no-action.json", 3, 2, NULL },
		{ "cel/pcrlock-257-without-content.json", 1, 27, NULL },
		{ "cel/systemd-cut.json", 2, 1, "record at index 2: it is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer text = log_test_data(rows[i].file), cel = { 0 };
		struct cel_record record = { 0 };
		struct cel_reader reader;
		struct assay_error err;
		size_t count = 0;
		int r = cel_json_read(buffer_bytes(&text), &cel, &err);

		print_message("%s\n", rows[i].file);
		assert_int_equal(r, rows[i].error ? -EBADMSG : 0);
		if (rows[i].error)
			support_assert_error(&err, rows[i].error);
		cel_begin(&reader, buffer_bytes(&cel), 0);
		while (cel_next(&reader, &record, NULL) == 1)
			count++;
		assert_int_equal(reader.rest.size, 0);
		assert_int_equal(count, rows[i].records);
		assert_int_equal(record.recnum, rows[i].last);
		comes_back(buffer_bytes(&cel));
		buffer_free(&cel);
		buffer_free(&text);
	}
}

/* What is not known is kept: "content_type" and "content", or neither. */
static void contents_that_are_not_known(void **state)
{
	static const struct {
		const char *members, *kept;
	} rows[] = {
		{ "", "{}" },
		{ ",\"content_type\":\"tss2\",\"content\":{\"event\":[1,2]}",
		  "{\"content_type\":\"tss2\",\"content\":{\"event\":[1,2]}}" },
		{ ",\"content\":7,\"content_type\":6", "{\"content_type\":6,\"content\":7}" },
		{ ",\"content_type\":\"x\"", "{\"content_type\":\"x\"}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer cel = { 0 };
		struct cel_record record;
		char text[512];

		snprintf(text, sizeof(text), "{\"pcr\":6," DIGESTS "%s}", rows[i].members);
		assert_int_equal(count_records(support_text(text), &record, &cel), 1);
		assert_int_equal(record.type, CEL_JSON);
		assert_true(bytes_equal(record.value, support_text(rows[i].kept)));
		comes_back(buffer_bytes(&cel));
		buffer_free(&cel);
	}
}

/* What other programs write of a log's management, and what it is as TLV. */
static void management_in_its_forms(void **state)
{
	static const struct {
		const char *content;
		struct bytes value;
	} rows[] = {
		{ "{\"type\":\"cel_version\",\"data\":{\"major\":1,\"minor\":0}}",
		  BYTES_LITERAL("\1\0\0\0\xc\0\0\0\0\1\1\1\0\0\0\1\0") },
		{ "{\"type\":\"CEL_VERSION\",\"data\":{\"major\":258,\"minor\":0}}",
		  BYTES_LITERAL("\1\0\0\0\xd\0\0\0\0\2\1\2\1\0\0\0\1\0") },
		{ "{\"type\":\"firmware_end\"}", BYTES_LITERAL("\2\0\0\0\0") },
		{ "{\"type\":2,\"data\":null}", BYTES_LITERAL("\2\0\0\0\0") },
		{ "{\"type\":\"cel_timestamp\",\"data\":4660}",
		  BYTES_LITERAL("\x50\0\0\0\2\x12\x34") },
		{ "{\"type\":80,\"data\":{\"cel_timestamp\":0}}", BYTES_LITERAL("\x50\0\0\0\1\0") },
		{ "{\"type\":\"state_trans\",\"data\":\"kexec\"}",
		  BYTES_LITERAL("\x51\0\0\0\1\2") },
		{ "{\"type\":81,\"data\":0}", BYTES_LITERAL("\x51\0\0\0\1\0") },
		{ "[{\"type\":2},{\"type\":81,\"data\":1}]",
		  BYTES_LITERAL("\2\0\0\0\0\x51\0\0\0\1\1") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer cel = { 0 };
		struct cel_record record;
		char text[512];

		/* Without digests, too: it need not be extended. */
		snprintf(text, sizeof(text),
			 "{\"pcr\":6,\"digests\":[],\"content_type\":\"cel\",\"content\":%s}",
			 rows[i].content);
		print_message("%s\n", rows[i].content);
		assert_int_equal(count_records(support_text(text), &record, &cel), 1);
		assert_int_equal(record.type, CEL_MANAGEMENT);
		assert_int_equal(record.digest_count, 0);
		assert_true(bytes_equal(record.value, rows[i].value));
		comes_back(buffer_bytes(&cel));
		buffer_free(&cel);
	}
}

static void mutations_do_no_harm(void **state)
{
	static const char whole[] = "\x1e" RECORD "\n\x1e{\"ccmr\":6," DIGESTS "," IMA "}\n";
	uint32_t seed = 2463534242U;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t size = sizeof(whole) - 1 - support_random(&seed) % 32;
		struct buffer cel = { 0 };
		struct assay_error err;
		char *copy = malloc(size);
		int r;

		assert_non_null(copy);
		memcpy(copy, whole, size);
		for (uint32_t i = support_random(&seed) % 4; i-- > 0;)
			copy[support_random(&seed) % size] = (char)support_random(&seed);
		r = cel_json_read(BYTES((uint8_t *)copy, size), &cel, &err);
		assert_true(r == 0 || r == -EBADMSG);
		buffer_free(&cel);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_logs_come_back),
		cmocka_unit_test(a_log_of_another_project_comes_back),
		cmocka_unit_test(contents_of_others_come_back),
		cmocka_unit_test(forms_of_a_log),
		cmocka_unit_test(records_without_numbers),
		cmocka_unit_test(numbers_instead_of_names),
		cmocka_unit_test(files_of_others),
		cmocka_unit_test(contents_that_are_not_known),
		cmocka_unit_test(management_in_its_forms),
		cmocka_unit_test(logs_that_are_off),
		cmocka_unit_test(mutations_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
