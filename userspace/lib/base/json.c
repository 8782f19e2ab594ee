// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

/* @flags: JSON_DISABLE_EOF_CHECK, and then *ret_size is what the value took; or 0 */
static int parse_text(struct bytes text, size_t flags, const char *what, json_type type,
		      const char *type_name, json_t **ret, size_t *ret_size,
		      struct assay_error *err)
{
	json_error_t error;
	json_t *value;

	if (text.size == 0)
		return assay_fail(err, EBADMSG, "%s is empty", what);
	value = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES | flags,
			   &error);
	if (!value) {
		char escaped[256];

		text_escape(BYTES((const uint8_t *)error.text, strlen(error.text)), escaped,
			    sizeof(escaped));
		return assay_fail(err, EBADMSG, "%s is not JSON: line %d, column %d: %s", what,
				  error.line, error.column, escaped);
	}
	if (json_typeof(value) != type) {
		json_decref(value);
		return assay_fail(err, EBADMSG, "%s is not a JSON %s", what, type_name);
	}
	*ret = value;
	*ret_size = (size_t)error.position;
	return 0;
}

int json_parse(struct bytes text, const char *what, json_t **ret, struct assay_error *err)
{
	return parse_text(text, 0, what, JSON_OBJECT, "object", ret, &(size_t){ 0 }, err);
}

int json_parse_array(struct bytes text, const char *what, json_t **ret, struct assay_error *err)
{
	return parse_text(text, 0, what, JSON_ARRAY, "array", ret, &(size_t){ 0 }, err);
}

int json_parse_front(struct bytes *in, const char *what, json_t **ret, struct assay_error *err)
{
	size_t size;
	int r = parse_text(*in, JSON_DISABLE_EOF_CHECK, what, JSON_OBJECT, "object", ret, &size,
			   err);

	if (r == 0)
		*in = BYTES(in->data + size, in->size - size);
	return r;
}

/* ---------------------------------------------------------------- long strings */

/* The string behind a quotation mark, up to the one that ends it; false if none does. */
static bool take_string(struct bytes *in, struct bytes *ret, bool *ret_escapes)
{
	const uint8_t *end = memchr(in->data, '"', in->size);
	size_t size = end ? (size_t)(end - in->data) : in->size;

	*ret_escapes = memchr(in->data, '\\', size);
	if (*ret_escapes) {
		/* A quotation mark may be escaped, and so may what escapes it. */
		for (size = 0; size < in->size && in->data[size] != '"'; size++)
			size += in->data[size] == '\\';
	}
	if (size >= in->size)
		return false;
	*ret = BYTES(in->data, size);
	*in = BYTES(in->data + size + 1, in->size - size - 1);
	return true;
}

/* Append what comes before the next string, and the string, or what stands for it. */
static void lift_one(struct bytes *in, struct json_lifted *lifted, struct buffer *rest)
{
	const uint8_t *quote = memchr(in->data, '"', in->size);
	struct bytes string;
	bool escapes;
	size_t before = quote ? (size_t)(quote - in->data) + 1 : in->size;

	buffer_append(rest, in->data, before);
	*in = BYTES(in->data + before, in->size - before);
	if (in->size == 0)
		return;
	if (!take_string(in, &string, &escapes)) {
		buffer_append_bytes(rest, *in);
		*in = BYTES(in->data + in->size, 0);
		return;
	}
	if (!escapes && string.size >= JSON_LIFT_FROM && lifted->count < JSON_LIFT_MAX) {
		buffer_append_u8(rest, JSON_LIFT_MARK);
		buffer_append_u8(rest, (uint8_t)('0' + lifted->count));
		lifted->strings[lifted->count++] = string;
	} else {
		buffer_append_bytes(rest, string);
	}
	buffer_append_u8(rest, '"');
}

/* Before each value there is what opens the one that it is in, or a comma. */
int json_limit_values(struct bytes text, size_t most, const char *what, struct assay_error *err)
{
	struct bytes string;
	size_t values = 1;
	uint8_t c = 0;
	bool escapes;

	while (values <= most && bytes_take_u8(&text, &c)) {
		values += c == '{' || c == '[' || c == ',';
		/* Whose end is missing, the parser refuses. */
		if (c == '"' && !take_string(&text, &string, &escapes))
			break;
	}
	return values <= most ? 0 :
				assay_fail(err, EFBIG, "%s has more than %zu values", what, most);
}

int json_parse_lifting(struct bytes text, const char *what, struct json_lifted *ret_lifted,
		       json_t **ret, struct assay_error *err)
{
	struct json_lifted lifted = { 0 };
	struct buffer rest = { 0 };
	int r = 0;

	while (text.size > 0 && !rest.failed && rest.size <= JSON_LIFT_REST)
		lift_one(&text, &lifted, &rest);
	if (rest.failed)
		r = assay_fail(err, ENOMEM, "%s: out of memory", what);
	else if (rest.size > JSON_LIFT_REST)
		r = assay_fail(err, EFBIG, "%s has more than %u bytes beside its logs", what,
			       JSON_LIFT_REST);
	else
		r = json_parse(buffer_bytes(&rest), what, ret, err);
	buffer_free(&rest);
	if (r == 0)
		*ret_lifted = lifted;
	return r;
}

/* The member, NULL (with *err set) if there is none of that type. */
static const json_t *get_member(const json_t *object, const char *key, json_type type,
				const char *type_name, const char *what, struct assay_error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!value) {
		assay_fail(err, EBADMSG, "%s has no \"%s\"", what, key);
		return NULL;
	}
	if (json_typeof(value) != type) {
		assay_fail(err, EBADMSG, "%s: \"%s\" is not %s", what, key, type_name);
		return NULL;
	}
	return value;
}

int json_get_object(const json_t *object, const char *key, const char *what, const json_t **ret,
		    struct assay_error *err)
{
	const json_t *value = get_member(object, key, JSON_OBJECT, "an object", what, err);

	if (!value)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int json_get_string(const json_t *object, const char *key, const char *what, const char **ret,
		    struct assay_error *err)
{
	const json_t *value = get_member(object, key, JSON_STRING, "a string", what, err);

	if (!value)
		return -EBADMSG;
	*ret = json_string_value(value);
	return 0;
}

int json_get_unsigned(const json_t *object, const char *key, const char *what, uint64_t *ret,
		      struct assay_error *err)
{
	const json_t *value = get_member(object, key, JSON_INTEGER, "a whole number", what, err);

	if (!value)
		return -EBADMSG;
	if (json_integer_value(value) < 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is negative", what, key);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

int json_check_head(const json_t *root, const char *type, const char *what, struct assay_error *err)
{
	const char *found;
	uint64_t version;
	int r = json_get_unsigned(root, "assay", what, &version, err);

	if (r == 0)
		r = json_get_string(root, "type", what, &found, err);
	if (r != 0)
		return r;
	if (strcmp(found, type) != 0)
		return assay_fail(err, EBADMSG, "%s: \"type\" is not \"%s\"", what, type);
	if (version != JSON_VERSION)
		return assay_fail(err, EBADMSG, "%s is of version %llu; version %d can be read",
				  what, (unsigned long long)version, JSON_VERSION);
	return 0;
}

int json_get_hex(const json_t *object, const char *key, const char *what, struct buffer *out,
		 struct assay_error *err)
{
	const char *text;
	size_t size, length;
	void *place;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	length = strlen(text);
	place = buffer_reserve(out, length / 2 + 1);
	if (!place)
		return assay_fail(err, ENOMEM, "%s: out of memory", what);
	r = hex_decode(text, place, length / 2 + 1, &size);
	if (r < 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not hexadecimal", what, key);
	out->size += size;
	return 0;
}

static int decode_base64(struct bytes text, const char *key, const char *what, struct buffer *out,
			 struct assay_error *err)
{
	int r = base64_decode((const char *)text.data, text.size, out);

	if (r == -ENOMEM)
		return assay_fail(err, ENOMEM, "%s: out of memory", what);
	if (r < 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not base64", what, key);
	return 0;
}

int json_get_base64(const json_t *object, const char *key, const char *what, struct buffer *out,
		    struct assay_error *err)
{
	const char *text;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	return decode_base64(BYTES((const uint8_t *)text, strlen(text)), key, what, out, err);
}

int json_take_base64(const json_t *object, const char *key, const char *what,
		     struct json_lifted *lifted, struct buffer *out, struct assay_error *err)
{
	const char *text;
	size_t index;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	if (text[0] != JSON_LIFT_MARK)
		return decode_base64(BYTES((const uint8_t *)text, strlen(text)), key, what, out,
				     err);
	index = (size_t)(text[1] - '0');
	if (text[1] < '0' || text[2] != '\0' || index >= lifted->count ||
	    lifted->taken & 1U << index)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not base64", what, key);
	lifted->taken |= 1U << index;
	return decode_base64(lifted->strings[index], key, what, out, err);
}

int json_get_time(const json_t *object, const char *key, const char *what, uint64_t *ret,
		  struct assay_error *err)
{
	const char *text;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	if (!utc_parse(text, ret))
		return assay_fail(err, EBADMSG,
				  "%s: \"%s\" is not a time such as 2026-01-31T23:59:59Z", what,
				  key);
	return 0;
}

int json_only(const json_t *object, const char *const known[], const char *what,
	      struct assay_error *err)
{
	const char *key;
	json_t *value;

	/* jansson's iterator wants a writable object and does not write to it. */
	json_object_foreach((json_t *)object, key, value) {
		size_t i = 0;
		char escaped[128];

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (known[i])
			continue;
		text_escape(BYTES((const uint8_t *)key, strlen(key)), escaped, sizeof(escaped));
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not known", what, escaped);
	}
	return 0;
}

json_t *json_hex(struct bytes bytes)
{
	char *text = malloc(2 * bytes.size + 1);
	json_t *value;

	if (!text)
		return NULL;
	hex_encode(bytes, text);
	value = json_string(text);
	free(text);
	return value;
}

json_t *json_base64(struct bytes bytes)
{
	char *text = base64_encode(bytes);
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
}

json_t *json_text(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : json_escaped(BYTES((const uint8_t *)text, strlen(text)));
}

json_t *json_escaped(struct bytes bytes)
{
	size_t capacity = 4 * bytes.size + 1;
	char *text = malloc(capacity);
	json_t *value;

	if (!text)
		return NULL;
	value = json_string(text_escape(bytes, text, capacity));
	free(text);
	return value;
}

int json_write(FILE *stream, json_t *root, const char *what, struct assay_error *err)
{
	int r;

	if (!root)
		return assay_fail(err, ENOMEM, "out of memory while making %s", what);
	r = json_dumpf(root, stream, JSON_INDENT(1));
	json_decref(root);
	if (r < 0 || putc('\n', stream) == EOF)
		return assay_fail(err, EIO, "cannot write %s", what);
	return 0;
}
