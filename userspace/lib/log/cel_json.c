// SPDX-License-Identifier: MIT
#include "log/cel_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "log/cel_content.h"
#include "log/uefi.h"

static void append_tlv(struct buffer *out, uint8_t type, struct bytes value)
{
	buffer_append_u8(out, type);
	buffer_append_be32(out, (uint32_t)value.size);
	buffer_append_bytes(out, value);
}

/* A TLV whose value is not written yet; end_tlv() fills in how long it is. */
static size_t begin_tlv(struct buffer *out, uint8_t type)
{
	append_tlv(out, type, BYTES(NULL, 0));
	return out->size;
}

static void end_tlv(struct buffer *out, size_t begin)
{
	if (out->failed)
		return;
	for (size_t i = 0; i < 4; i++)
		out->data[begin - 4 + i] = (uint8_t)((out->size - begin) >> (24 - 8 * i));
}

/* ---------------------------------------------------------------- from JSON */

/* A hexadecimal member as a TLV. */
static int append_hex_field(struct buffer *out, uint8_t type, const json_t *object, const char *key,
			    const char *what, struct assay_error *err)
{
	size_t begin = begin_tlv(out, type);
	int r = json_get_hex(object, key, what, out, err);

	end_tlv(out, begin);
	return r;
}

static int append_ima_template(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "template_name", "template_data", NULL };
	const char *name;
	int r = json_only(content, known, "ima_template", err);

	if (r != 0)
		return r;
	r = json_get_string(content, "template_name", "ima_template", &name, err);
	if (r != 0)
		return r;
	append_tlv(out, CEL_IMA_NAME, BYTES((const uint8_t *)name, strlen(name)));
	return append_hex_field(out, CEL_IMA_DATA, content, "template_data", "ima_template", err);
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

static int append_pcclient(struct buffer *out, const json_t *content, struct assay_error *err)
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
	begin = begin_tlv(out, CEL_PCCLIENT_TYPE);
	buffer_append_be32(out, type);
	end_tlv(out, begin);
	return append_hex_field(out, CEL_PCCLIENT_DATA, content, "event_data", "pcclient_std", err);
}

static int append_systemd(struct buffer *out, const json_t *content, struct assay_error *err)
{
	char *text = json_dumps(content, JSON_COMPACT);

	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	buffer_append(out, text, strlen(text));
	free(text);
	return 0;
}

static int append_assay(struct buffer *out, const json_t *content, struct assay_error *err)
{
	static const char *const known[] = { "data", NULL };
	int r = json_only(content, known, "content", err);

	return r < 0 ? r : json_get_hex(content, "data", "content", out, err);
}

static const struct {
	const char *name;
	uint8_t kind;
} management_kinds[] = {
	{ "cel_version", CEL_MANAGEMENT_VERSION },
	{ "firmware_end", CEL_MANAGEMENT_FIRMWARE_END },
	{ "cel_timestamp", CEL_MANAGEMENT_TIMESTAMP },
	{ "state_trans", CEL_MANAGEMENT_STATE },
};

static const char *const management_states[] = { "suspend", "hibernate", "kexec" };

#define MANAGEMENT_KINDS (sizeof(management_kinds) / sizeof(management_kinds[0]))
#define MANAGEMENT_STATES (sizeof(management_states) / sizeof(management_states[0]))

/* An integer in no more bytes than it needs, as libcel writes it. */
static void append_integer(struct buffer *out, uint8_t type, uint64_t value)
{
	size_t size = 1;

	while (size < sizeof(value) && value >> 8 * size != 0)
		size++;
	append_tlv(out, type, BYTES(NULL, 0));
	if (!out->failed)
		out->data[out->size - 1] = (uint8_t)size;
	while (size-- > 0)
		buffer_append_u8(out, (uint8_t)(value >> 8 * size));
}

static int append_version(struct buffer *out, const json_t *data, struct assay_error *err)
{
	static const char *const names[] = { "major", "minor", NULL };
	size_t begin = begin_tlv(out, CEL_MANAGEMENT_VERSION);
	int r = json_is_object(data) ? json_only(data, names, "cel_version", err) :
				       assay_fail(err, EBADMSG, "cel_version is not an object");

	for (uint8_t i = 0; i < 2 && r == 0; i++) {
		uint64_t number;

		r = json_get_unsigned(data, names[i], "cel_version", &number, err);
		if (r == 0 && number > UINT16_MAX)
			r = assay_fail(err, EBADMSG, "cel_version: \"%s\" is above 65535",
				       names[i]);
		if (r == 0)
			append_integer(out, i == 0 ? CEL_VERSION_MAJOR : CEL_VERSION_MINOR, number);
	}
	end_tlv(out, begin);
	return r;
}

/* The number of a state, or of a time stamp, which tpm2-tss puts into an object. */
static bool parse_management_value(uint8_t kind, const json_t *data, uint64_t *ret)
{
	const char *name = json_string_value(data);

	if (kind == CEL_MANAGEMENT_TIMESTAMP && json_is_object(data))
		data = json_object_get(data, "cel_timestamp");
	if (kind == CEL_MANAGEMENT_STATE && name) {
		for (size_t i = 0; i < MANAGEMENT_STATES; i++)
			if (strcasecmp(name, management_states[i]) == 0) {
				*ret = i;
				return true;
			}
		return false;
	}
	if (!json_is_integer(data) || json_integer_value(data) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(data);
	return kind == CEL_MANAGEMENT_TIMESTAMP || *ret < MANAGEMENT_STATES;
}

static int append_statement(struct buffer *out, const json_t *statement, struct assay_error *err)
{
	static const char *const known[] = { "type", "data", NULL };
	const json_t *type = json_object_get(statement, "type");
	const json_t *data = json_object_get(statement, "data");
	const char *name = json_string_value(type);
	uint64_t value;
	size_t i = 0;
	int r;

	if (!json_is_object(statement))
		return assay_fail(err, EBADMSG, "cel: what it says is not an object");
	r = json_only(statement, known, "cel", err);
	if (r < 0)
		return r;
	while (i < MANAGEMENT_KINDS &&
	       !(name ? strcasecmp(name, management_kinds[i].name) == 0 :
			json_is_integer(type) &&
				 json_integer_value(type) == management_kinds[i].kind))
		i++;
	if (i == MANAGEMENT_KINDS)
		return assay_fail(err, EBADMSG, "cel: \"type\" is missing or not known");
	switch (management_kinds[i].kind) {
	case CEL_MANAGEMENT_VERSION:
		return append_version(out, data, err);
	case CEL_MANAGEMENT_FIRMWARE_END:
		append_tlv(out, CEL_MANAGEMENT_FIRMWARE_END, BYTES(NULL, 0));
		return 0;
	default:
		if (!parse_management_value(management_kinds[i].kind, data, &value))
			return assay_fail(err, EBADMSG, "cel: \"data\" is no %s",
					  management_kinds[i].name);
		append_integer(out, management_kinds[i].kind, value);
		return 0;
	}
}

/* One statement, or an array of them. */
static int append_management(struct buffer *out, const json_t *content, struct assay_error *err)
{
	const json_t *statement;
	size_t i;

	if (json_is_object(content))
		return append_statement(out, content, err);
	json_array_foreach(content, i, statement) {
		int r = append_statement(out, statement, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct content_type {
	const char *name;
	uint8_t type;
	int (*append)(struct buffer *out, const json_t *content, struct assay_error *err);
} content_types[] = {
	{ "assay", ASSAY_CEL_CONTENT, append_assay },
	{ "ima_template", ASSAY_CEL_IMA_TEMPLATE, append_ima_template },
	{ "pcclient_std", CEL_PCCLIENT_STD, append_pcclient },
	{ "systemd", CEL_SYSTEMD, append_systemd },
	{ "cel", CEL_MANAGEMENT, append_management },
};

#define CONTENT_TYPES (sizeof(content_types) / sizeof(content_types[0]))

static int append_any(struct buffer *out, const json_t *content, struct assay_error *err)
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
	return append_hex_field(out, (uint8_t)type, content, "data", "tlv", err);
}

/* What this library does not know is kept as it is, in an object of its own. */
static int append_kept(struct buffer *out, const json_t *type, const json_t *content,
		       struct assay_error *err)
{
	size_t begin = begin_tlv(out, CEL_JSON);
	json_t *kept = json_object();
	char *text;

	if (type)
		json_object_set(kept, "content_type", (json_t *)type);
	if (content)
		json_object_set(kept, "content", (json_t *)content);
	text = json_dumps(kept, JSON_COMPACT);
	json_decref(kept);
	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	buffer_append(out, text, strlen(text));
	free(text);
	end_tlv(out, begin);
	return 0;
}

static const struct content_type *find_content_type(const json_t *type)
{
	const char *name = json_string_value(type);

	for (size_t i = 0; i < CONTENT_TYPES; i++)
		/* The TCG lets the type be a number, too. */
		if (name ? strcmp(name, content_types[i].name) == 0 :
			   json_is_integer(type) &&
				    json_integer_value(type) == content_types[i].type)
			return &content_types[i];
	return NULL;
}

/* @record: its "content_type" and "content", of which systemd-pcrlock leaves out both. */
static int append_content(struct buffer *out, const json_t *record, struct assay_error *err)
{
	const json_t *type = json_object_get(record, "content_type");
	const json_t *content = json_object_get(record, "content");
	const struct content_type *known = find_content_type(type);
	const char *name = json_string_value(type);
	size_t begin;
	int r;

	if (type ? !name && !json_is_integer(type) : content != NULL)
		return assay_fail(err, EBADMSG,
				  "\"content_type\" is missing, or neither a name nor a number");
	if (!known && !(name && strcmp(name, "tlv") == 0))
		return append_kept(out, type, content, err);
	if (!content)
		return assay_fail(err, EBADMSG, "the record has no \"content\"");
	if (!json_is_object(content) &&
	    !(known && known->type == CEL_MANAGEMENT && json_is_array(content)))
		return assay_fail(err, EBADMSG, "the record: \"content\" is not an object");
	if (!known)
		return append_any(out, content, err);
	begin = begin_tlv(out, known->type);
	r = known->append(out, content, err);
	end_tlv(out, begin);
	return r;
}

/* "sha256", "0x000b" or 11. */
static bool parse_algorithm(const json_t *value, uint8_t *ret)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	if (text) {
		number = assay_hash_by_name(text);
		if (number == ASSAY_HASH_NONE && text[0] == '0' && text[1] == 'x' &&
		    text[2] != '\0' &&
		    strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2))
			number = (json_int_t)strtoul(text + 2, NULL, 16);
	}
	*ret = (uint8_t)number;
	return number > 0 && number <= UINT8_MAX;
}

static int append_digests(struct buffer *out, const json_t *record, struct assay_error *err)
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
		r = append_hex_field(out, algorithm, digest, "digest", "a digest", err);
		if (r < 0)
			return r;
	}
	end_tlv(out, begin);
	return 0;
}

static int append_register(struct buffer *out, const json_t *record, struct assay_error *err)
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
	r = append_register(out, record, err);
	if (r == 0)
		r = append_digests(out, record, err);
	if (r == 0)
		r = append_content(out, record, err);
	if (r == 0 && out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

/* @number: of the record if it has none of its own; that of the next one then */
static int append_record(struct buffer *out, const json_t *record, uint64_t *number,
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

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_space(struct bytes *in)
{
	while (in->size > 0 && is_space(in->data[0]))
		bytes_take(in, 1, &(struct bytes){ 0 });
}

/* Is this the next byte that is no white space? Then it is taken. */
static bool take_byte(struct bytes *in, uint8_t byte)
{
	skip_space(in);
	if (in->size == 0 || in->data[0] != byte)
		return false;
	return bytes_take(in, 1, &(struct bytes){ 0 });
}

/* What is read one record after the other: its text, where to, and what number comes next. */
struct json_log {
	struct bytes rest;
	struct buffer *out;
	uint64_t number;
	size_t index;
};

/* The next record. */
static int read_record(struct json_log *log, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *record = NULL;
	int r = json_parse_front(&log->rest, "it", &record, err);

	if (r == 0)
		r = append_record(log->out, record, &log->number, err);
	if (r < 0) {
		assay_fail_context(err, "record at index %zu", log->index);
		return r;
	}
	log->index++;
	return 0;
}

static int fail_at(const struct json_log *log, const char *what, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "record at index %zu: it is not JSON: %s", log->index,
			  what);
}

/* Record by record, so that what comes before an error is there. */
static int read_array(struct json_log *log, struct assay_error *err)
{
	bool first = true;

	take_byte(&log->rest, '[');
	for (; !take_byte(&log->rest, ']'); first = false) {
		int r;

		if (!first && !take_byte(&log->rest, ','))
			return fail_at(log, "the array ends before its ']'", err);
		skip_space(&log->rest);
		r = read_record(log, err);
		if (r < 0)
			return r;
	}
	skip_space(&log->rest);
	return log->rest.size > 0 ? fail_at(log, "there is text behind the array", err) : 0;
}

/* Objects with nothing but white space between them: lines, or an object that is indented. */
static int read_objects(struct json_log *log, struct assay_error *err)
{
	for (skip_space(&log->rest); log->rest.size > 0; skip_space(&log->rest)) {
		int r = read_record(log, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Texts of one object, with a separator before each (RFC 7464). */
static int read_sequence(struct json_log *log, struct assay_error *err)
{
	struct bytes text = log->rest;

	while (text.size > 0) {
		const uint8_t *end = memchr(text.data, CEL_JSON_SEPARATOR, text.size);
		int r;

		bytes_take(&text, end ? (size_t)(end - text.data) : text.size, &log->rest);
		if (end)
			bytes_take(&text, 1, &(struct bytes){ 0 });
		skip_space(&log->rest);
		if (log->rest.size == 0)
			continue;
		r = read_record(log, err);
		if (r < 0)
			return r;
		skip_space(&log->rest);
		if (log->rest.size > 0)
			return fail_at(log,
				       "there is text behind a record and before the next "
				       "separator",
				       err);
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
	struct json_log log = { .rest = text, .out = out };

	switch (first_byte(text)) {
	case CEL_JSON_SEPARATOR:
		return read_sequence(&log, err);
	case '{':
		return read_objects(&log, err);
	case '[':
		return read_array(&log, err);
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

static json_t *ima_template_json(const struct cel_record *record)
{
	struct ima_entry entry;

	if (cel_ima_parse(record, &entry, NULL) < 0)
		return NULL;
	/* NULL also for a name that is no UTF-8. */
	return json_pack("{s:s%, s:o}", "template_name", (const char *)entry.name.data,
			 entry.name.size, "template_data", json_hex(entry.data));
}

static json_t *pcclient_json(const struct cel_record *record)
{
	struct bytes data;
	uint32_t type;

	if (cel_pcclient_parse(record, &type, &data, NULL) < 0)
		return NULL;
	return json_pack("{s:o, s:o}", "event_type",
			 uefi_type_name(type) ? json_string(uefi_type_name(type)) :
						json_sprintf("%" PRIu32, type),
			 "event_data", json_hex(data));
}

static json_t *statement_json(const struct cel_management *statement)
{
	json_t *data;
	size_t i = 0;

	while (management_kinds[i].kind != statement->kind)
		i++;
	switch (statement->kind) {
	case CEL_MANAGEMENT_VERSION:
		data = json_pack("{s:i, s:i}", "major", statement->major, "minor",
				 statement->minor);
		break;
	case CEL_MANAGEMENT_FIRMWARE_END:
		data = json_object();
		break;
	case CEL_MANAGEMENT_STATE:
		data = json_string(management_states[statement->value]);
		break;
	default:
		/* Above that, it will not come back, and is kept as bytes. */
		data = json_integer((json_int_t)(statement->value & INT64_MAX));
	}
	return json_pack("{s:s, s:o}", "type", management_kinds[i].name, "data", data);
}

/* An object where there is one statement; an array of several. */
static json_t *management_json(const struct cel_record *record)
{
	struct bytes rest = record->value;
	struct cel_management statement;
	json_t *all = json_array(), *only;
	int r;

	while ((r = cel_management_next(&rest, &statement, NULL)) > 0)
		json_array_append_new(all, statement_json(&statement));
	if (r == 0 && json_array_size(all) != 1)
		return all;
	only = r == 0 ? json_incref(json_array_get(all, 0)) : NULL;
	json_decref(all);
	return only;
}

static json_t *object_json(struct bytes value)
{
	json_t *object;

	return json_parse(value, "", &object, NULL) == 0 ? object : NULL;
}

static json_t *tlv_json(const struct cel_record *record)
{
	return json_pack("{s:s, s:{s:i, s:o}}", "content_type", "tlv", "content", "type",
			 record->type, "data", json_hex(record->value));
}

/* "content_type" and "content" as others have them; NULL if they are none of theirs. */
static json_t *known_members(const struct cel_record *record)
{
	json_t *content = NULL;
	size_t i = 0;

	switch (record->type) {
	case ASSAY_CEL_CONTENT:
		content = json_pack("{s:o}", "data", json_hex(record->value));
		break;
	case ASSAY_CEL_IMA_TEMPLATE:
		content = ima_template_json(record);
		break;
	case CEL_PCCLIENT_STD:
		content = pcclient_json(record);
		break;
	case CEL_SYSTEMD:
		content = object_json(record->value);
		break;
	case CEL_MANAGEMENT:
		content = management_json(record);
		break;
	case CEL_JSON:
		return object_json(record->value);
	}
	if (!content)
		return NULL;
	while (content_types[i].type != record->type)
		i++;
	return json_pack("{s:s, s:o}", "content_type", content_types[i].name, "content", content);
}

/* Would the same bytes come back? Trailing ones, say, would not. */
static bool comes_back(const json_t *members, const struct cel_record *record)
{
	CLEANUP(buffer_free) struct buffer again = { 0 };

	return append_content(&again, members, NULL) == 0 && !again.failed &&
	       bytes_equal(buffer_bytes(&again), record->content);
}

static json_t *content_members(const struct cel_record *record)
{
	json_t *members = known_members(record);

	if (members && comes_back(members, record))
		return members;
	json_decref(members);
	return tlv_json(record);
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
	const char *reg = record->register_type == CEL_NV_INDEX ? "nv_index" :
			  record->register_type == CEL_CCMR	? "ccmr" :
								  "pcr";
	json_t *members = content_members(record);
	json_t *object =
		json_pack("{s:o, s:I, s:o}", "recnum", u64_json(record->recnum), reg,
			  (json_int_t)record->register_number, "digests", digests_json(record));

	if (object && members && json_object_update(object, members) == 0) {
		json_decref(members);
		return object;
	}
	json_decref(members);
	json_decref(object);
	return NULL;
}
