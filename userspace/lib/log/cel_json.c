// SPDX-License-Identifier: MIT
#include "log/cel_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "log/uefi.h"

/* Content types of TLV (CEL 1.0, section 5.1; systemd's is in use, not in there). */
#define PCCLIENT_STD 5
#define SYSTEMD 9

/* Fields of an IMA_TEMPLATE's and of a PCCLIENT_STD's value. */
#define FIELD_FIRST 0  /* the template's name; the event's type, u32 */
#define FIELD_SECOND 1 /* the data */

static void put_tlv(struct buffer *out, uint8_t type, struct bytes value)
{
	buffer_append_u8(out, type);
	buffer_append_be32(out, (uint32_t)value.size);
	buffer_append_bytes(out, value);
}

/* A TLV whose value is not written yet; end_tlv() fills in how long it is. */
static size_t begin_tlv(struct buffer *out, uint8_t type)
{
	put_tlv(out, type, BYTES(NULL, 0));
	return out->size;
}

static void end_tlv(struct buffer *out, size_t begin)
{
	if (out->failed)
		return;
	for (size_t i = 0; i < 4; i++)
		out->data[begin - 4 + i] = (uint8_t)((out->size - begin) >> (24 - 8 * i));
}

static bool take_field(struct bytes *in, uint8_t type, struct bytes *ret)
{
	uint32_t length;
	uint8_t found;

	return bytes_take_u8(in, &found) && found == type && bytes_take_be32(in, &length) &&
	       bytes_take(in, length, ret);
}

/* ---------------------------------------------------------------- from JSON */

/* A hexadecimal member as a TLV. */
static int put_hex_field(struct buffer *out, uint8_t type, const json_t *object, const char *key,
			 const char *what, struct assay_error *err)
{
	size_t begin = begin_tlv(out, type);
	int r = json_get_hex(object, key, what, out, err);

	end_tlv(out, begin);
	return r;
}

static int put_ima_template(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "template_name", "template_data", NULL };
	const char *name;
	int r = json_only(content, known, "ima_template", err);

	if (r != 0)
		return r;
	r = json_get_string(content, "template_name", "ima_template", &name, err);
	if (r != 0)
		return r;
	put_tlv(out, FIELD_FIRST, BYTES((const uint8_t *)name, strlen(name)));
	return put_hex_field(out, FIELD_SECOND, content, "template_data", "ima_template", err);
}

/* A number as text: decimal, nothing else. */
static bool parse_decimal(const char *text, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* "EV_IPL", "13" or 13. */
static bool parse_event_type(const json_t *value, uint32_t *ret)
{
	const char *text = json_string_value(value);
	uint64_t number;

	if (text && uefi_type_by_name(text, ret))
		return true;
	if (text ? !parse_decimal(text, &number) :
		   !json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	if (!text)
		number = (uint64_t)json_integer_value(value);
	*ret = (uint32_t)number;
	return number <= UINT32_MAX;
}

static int put_pcclient(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "event_type", "event_data", NULL };
	int r = json_only(content, known, "pcclient_std", err);
	size_t begin;
	uint32_t type;

	if (r < 0)
		return r;
	if (!parse_event_type(json_object_get(content, "event_type"), &type))
		return assay_fail(err, EBADMSG,
				  "pcclient_std: \"event_type\" is missing, or no type of event");
	begin = begin_tlv(out, FIELD_FIRST);
	buffer_append_be32(out, type);
	end_tlv(out, begin);
	return put_hex_field(out, FIELD_SECOND, content, "event_data", "pcclient_std", err);
}

static int put_systemd(struct buffer *out, const json_t *content, struct assay_error *err)
{
	char *text = json_dumps(content, JSON_COMPACT);

	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	buffer_append(out, text, strlen(text));
	free(text);
	return 0;
}

static int put_assay(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "data", NULL };
	int r = json_only(content, known, "content", err);

	return r < 0 ? r : json_get_hex(content, "data", "content", out, err);
}

static const struct content_type {
	const char *name;
	uint8_t type;
	int (*put)(struct buffer *out, const json_t *content, struct assay_error *err);
} content_types[] = {
	{ "assay", ASSAY_CEL_CONTENT, put_assay },
	{ "ima_template", ASSAY_CEL_IMA_TEMPLATE, put_ima_template },
	{ "pcclient_std", PCCLIENT_STD, put_pcclient },
	{ "systemd", SYSTEMD, put_systemd },
};

#define CONTENT_TYPES (sizeof(content_types) / sizeof(content_types[0]))

static int put_any(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "type", "data", NULL };
	int r = json_only(content, known, "tlv", err);
	uint64_t type;

	if (r != 0)
		return r;
	r = json_get_unsigned(content, "type", "tlv", &type, err);
	if (r != 0)
		return r;
	if (type > UINT8_MAX)
		return assay_fail(err, EBADMSG, "tlv: \"type\" %" PRIu64 " is above 255", type);
	return put_hex_field(out, (uint8_t)type, content, "data", "tlv", err);
}

static int put_content(struct buffer *out, const json_t *record, struct assay_error *err)
{
	const json_t *type = json_object_get(record, "content_type"), *content;
	const char *name = json_string_value(type);
	int r = json_get_object(record, "content", "the record", &content, err);

	if (r < 0)
		return r;
	if (name && strcmp(name, "tlv") == 0)
		return put_any(out, content, err);
	for (size_t i = 0; i < CONTENT_TYPES; i++) {
		/* The TCG lets the type be a number, too. */
		bool is = name ? strcmp(name, content_types[i].name) == 0 :
				 json_is_integer(type) &&
					  json_integer_value(type) == content_types[i].type;
		size_t begin;

		if (!is)
			continue;
		begin = begin_tlv(out, content_types[i].type);
		r = content_types[i].put(out, content, err);
		end_tlv(out, begin);
		return r;
	}
	return assay_fail(err, EBADMSG,
			  "\"content_type\" is missing or not known; known are assay, "
			  "ima_template, pcclient_std, systemd and tlv");
}

/* "sha256", "0x000b" or 11. */
static bool parse_algorithm(const json_t *value, uint8_t *ret)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	if (text) {
		char *end;

		number = assay_hash_by_name(text);
		if (number == ASSAY_HASH_NONE && text[0] == '0' && text[1] == 'x') {
			number = (json_int_t)strtoul(text + 2, &end, 16);
			if (*end != '\0')
				return false;
		}
	}
	*ret = (uint8_t)number;
	return number > 0 && number <= UINT8_MAX;
}

static int put_digests(struct buffer *out, const json_t *record, struct assay_error *err)
{
	static const char *const known[] = { "hashAlg", "digest", NULL };
	const json_t *digests = json_object_get(record, "digests"), *digest;
	size_t begin = begin_tlv(out, ASSAY_CEL_DIGESTS), i;
	int r = 0;

	if (!json_is_array(digests))
		return assay_fail(err, EBADMSG, "\"digests\" is missing or not an array");
	json_array_foreach(digests, i, digest) {
		uint8_t algorithm;

		if (!json_is_object(digest))
			return assay_fail(err, EBADMSG, "\"digests\" holds what is no object");
		r = json_only(digest, known, "a digest", err);
		if (r < 0)
			return r;
		if (!parse_algorithm(json_object_get(digest, "hashAlg"), &algorithm))
			return assay_fail(err, EBADMSG, "\"hashAlg\" is missing or no algorithm");
		r = put_hex_field(out, algorithm, digest, "digest", "a digest", err);
		if (r < 0)
			return r;
	}
	end_tlv(out, begin);
	return 0;
}

static int put_register(struct buffer *out, const json_t *record, struct assay_error *err)
{
	static const struct {
		const char *name;
		uint8_t type;
		uint64_t most;
	} registers[] = {
		{ "pcr", ASSAY_CEL_PCR, CEL_PCR_COUNT - 1 },
		{ "nv_index", CEL_NV_INDEX, UINT32_MAX },
		{ "ccmr", CEL_CCMR, UINT8_MAX },
	};
	bool found = false;

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint64_t number;
		size_t begin;
		int r;

		if (!json_object_get(record, registers[i].name))
			continue;
		if (found)
			return assay_fail(err, EBADMSG, "it is of more than one register");
		found = true;
		r = json_get_unsigned(record, registers[i].name, "the record", &number, err);
		if (r < 0)
			return r;
		if (number > registers[i].most)
			return assay_fail(err, EBADMSG, "there is no %s %" PRIu64,
					  registers[i].name, number);
		begin = begin_tlv(out, registers[i].type);
		if (registers[i].type == CEL_NV_INDEX)
			buffer_append_be32(out, (uint32_t)number);
		else
			buffer_append_u8(out, (uint8_t)number);
		end_tlv(out, begin);
	}
	return found ? 0 : assay_fail(err, EBADMSG, "it has no \"pcr\"");
}

/* "recnum" and where it comes from: above 2^63, where JSON's numbers end here, it is text. */
static int get_number(const json_t *record, uint64_t *number, struct assay_error *err)
{
	const json_t *value = json_object_get(record, "recnum");

	if (!value)
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		*number = (uint64_t)json_integer_value(value);
	else if (!json_is_string(value) || !parse_decimal(json_string_value(value), number) ||
		 *number <= INT64_MAX)
		return assay_fail(err, EBADMSG, "\"recnum\" is no number of a record");
	return 0;
}

static int build_record(struct buffer *out, const json_t *record, uint64_t number,
			struct assay_error *err)
{
	size_t begin = begin_tlv(out, ASSAY_CEL_RECNUM);
	int r;

	buffer_append_be64(out, number);
	end_tlv(out, begin);
	r = put_register(out, record, err);
	if (r == 0)
		r = put_digests(out, record, err);
	if (r == 0)
		r = put_content(out, record, err);
	if (r == 0 && out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

/* @number: of the record if it has none of its own; that of the next one then */
static int put_record(struct buffer *out, const json_t *record, uint64_t *number,
		      struct assay_error *err)
{
	static const char *const known[] = { "recnum",	"pcr",		"nv_index", "ccmr",
					     "digests", "content_type", "content",  NULL };
	size_t before = out->size;
	struct cel_record parsed;
	struct cel_reader reader;
	int r = json_only(record, known, "the record", err);

	if (r == 0)
		r = get_number(record, number, err);
	if (r == 0)
		r = build_record(out, record, *number, err);
	if (r == 0) {
		/* What a record of any encoding has to be is known in one place. */
		cel_begin(&reader, BYTES(out->data + before, out->size - before), before);
		r = cel_next(&reader, &parsed, err);
	}
	if (r < 0) {
		out->size = before;
		return r;
	}
	++*number;
	return 0;
}

static int read_array(struct bytes text, struct buffer *out, struct assay_error *err)
{
	uint64_t number = 0;
	json_t *array, *record;
	size_t i;
	int r = json_parse_array(text, "the log", &array, err);

	if (r < 0)
		return r;
	json_array_foreach(array, i, record) {
		r = json_is_object(record) ? put_record(out, record, &number, err) :
					     assay_fail(err, EBADMSG, "it is not an object");
		if (r < 0) {
			assay_fail_context(err, "record at index %zu", i);
			break;
		}
	}
	json_decref(array);
	return r;
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* A sequence or lines: texts with @separator before or behind each. */
static int read_texts(struct bytes text, uint8_t separator, struct buffer *out,
		      struct assay_error *err)
{
	uint64_t number = 0;
	size_t index = 0;

	while (text.size > 0) {
		const uint8_t *end = memchr(text.data, separator, text.size);
		struct bytes piece;
		json_t *record;
		int r;

		bytes_take(&text, end ? (size_t)(end - text.data) : text.size, &piece);
		if (end)
			bytes_take(&text, 1, &(struct bytes){ 0 });
		while (piece.size > 0 && is_space(piece.data[0]))
			bytes_take(&piece, 1, &(struct bytes){ 0 });
		if (piece.size == 0)
			continue;
		r = json_parse(piece, "it", &record, err);
		if (r == 0) {
			r = put_record(out, record, &number, err);
			json_decref(record);
		}
		if (r < 0) {
			assay_fail_context(err, "record at index %zu", index);
			return r;
		}
		index++;
	}
	return 0;
}

/* The first byte that is not white space; 0 if there is none. */
static uint8_t first_byte(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_space(text.data[i]))
			return text.data[i];
	return 0;
}

bool cel_json_is(struct bytes log)
{
	uint8_t first = first_byte(log);

	return first == CEL_JSON_SEPARATOR || first == '{' || first == '[';
}

int cel_json_read(struct bytes text, struct buffer *out, struct assay_error *err)
{
	switch (first_byte(text)) {
	case CEL_JSON_SEPARATOR:
		return read_texts(text, CEL_JSON_SEPARATOR, out, err);
	case '{':
		return read_texts(text, '\n', out, err);
	case '[':
		return read_array(text, out, err);
	default:
		return assay_fail(err, EBADMSG, "it is no log in JSON");
	}
}

/* ---------------------------------------------------------------- to JSON */

static json_t *u64_json(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) :
				    json_sprintf("%" PRIu64, value);
}

static json_t *ima_template_json(struct bytes value)
{
	struct bytes name, data;

	if (!take_field(&value, FIELD_FIRST, &name) || !take_field(&value, FIELD_SECOND, &data))
		return NULL;
	/* NULL also for a name that is no UTF-8. */
	return json_pack("{s:s%, s:o}", "template_name", (const char *)name.data, name.size,
			 "template_data", json_hex(data));
}

static json_t *pcclient_json(struct bytes value)
{
	struct bytes type_field, data;
	uint32_t type;

	if (!take_field(&value, FIELD_FIRST, &type_field) ||
	    !take_field(&value, FIELD_SECOND, &data) || !bytes_take_be32(&type_field, &type))
		return NULL;
	return json_pack("{s:o, s:o}", "event_type",
			 uefi_type_name(type) ? json_string(uefi_type_name(type)) :
						json_sprintf("%" PRIu32, type),
			 "event_data", json_hex(data));
}

static json_t *systemd_json(struct bytes value)
{
	json_t *content;

	return json_parse(value, "", &content, NULL) == 0 ? content : NULL;
}

/* The content as others have it; NULL if it is none of theirs, or not as they write it. */
static json_t *known_content(const struct cel_record *record, const char **ret_name)
{
	struct buffer again = { 0 };
	json_t *content = NULL;
	size_t i = 0;

	switch (record->type) {
	case ASSAY_CEL_CONTENT:
		content = json_pack("{s:o}", "data", json_hex(record->value));
		break;
	case ASSAY_CEL_IMA_TEMPLATE:
		content = ima_template_json(record->value);
		break;
	case PCCLIENT_STD:
		content = pcclient_json(record->value);
		break;
	case SYSTEMD:
		content = systemd_json(record->value);
		break;
	}
	if (!content)
		return NULL;
	while (content_types[i].type != record->type)
		i++;
	*ret_name = content_types[i].name;
	/* Would the same bytes come back? Trailing ones, say, would not. */
	if (content_types[i].put(&again, content, NULL) < 0 || again.failed ||
	    !bytes_equal(buffer_bytes(&again), record->value)) {
		json_decref(content);
		content = NULL;
	}
	buffer_free(&again);
	return content;
}

static json_t *digests_json(const struct cel_record *record)
{
	json_t *digests = json_array();

	for (size_t i = 0; i < record->digest_count; i++) {
		const struct assay_digest *digest = &record->digests[i];
		const char *name = assay_hash_name(digest->hash);

		json_array_append_new(
			digests,
			json_pack("{s:o, s:o}", "hashAlg",
				  name ? json_string(name) :
					 json_sprintf("0x%02x", (unsigned int)digest->hash),
				  "digest", json_hex(BYTES(digest->bytes, digest->size))));
	}
	/* Out of memory is an array that lacks something. */
	if (json_array_size(digests) == record->digest_count)
		return digests;
	json_decref(digests);
	return NULL;
}

json_t *cel_json_record(const struct cel_record *record)
{
	const char *name = "tlv", *reg = record->register_type == CEL_NV_INDEX ? "nv_index" :
					 record->register_type == CEL_CCMR     ? "ccmr" :
										 "pcr";
	json_t *content = known_content(record, &name);

	if (!content) {
		name = "tlv";
		content = json_pack("{s:i, s:o}", "type", record->type, "data",
				    json_hex(record->value));
	}
	return json_pack("{s:o, s:I, s:o, s:s, s:o}", "recnum", u64_json(record->recnum), reg,
			 (json_int_t)record->register_number, "digests", digests_json(record),
			 "content_type", name, "content", content);
}
