// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

int json_parse(struct bytes text, const char *what, json_t **ret, struct assay_error *err)
{
	json_error_t error;
	json_t *value;

	if (text.size == 0)
		return assay_fail(err, EBADMSG, "%s is empty", what);
	value = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
	if (!value) {
		char escaped[256];

		text_escape(BYTES((const uint8_t *)error.text, strlen(error.text)), escaped,
			    sizeof(escaped));
		return assay_fail(err, EBADMSG, "%s is not JSON: line %d, column %d: %s", what,
				  error.line, error.column, escaped);
	}
	if (!json_is_object(value)) {
		json_decref(value);
		return assay_fail(err, EBADMSG, "%s is not a JSON object", what);
	}
	*ret = value;
	return 0;
}

/* The member, NULL (with *err set) if there is none of that type. */
static const json_t *get(const json_t *object, const char *key, json_type type,
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
	const json_t *value = get(object, key, JSON_OBJECT, "an object", what, err);

	if (!value)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int json_get_string(const json_t *object, const char *key, const char *what, const char **ret,
		    struct assay_error *err)
{
	const json_t *value = get(object, key, JSON_STRING, "a string", what, err);

	if (!value)
		return -EBADMSG;
	*ret = json_string_value(value);
	return 0;
}

int json_get_unsigned(const json_t *object, const char *key, const char *what, uint64_t *ret,
		      struct assay_error *err)
{
	const json_t *value = get(object, key, JSON_INTEGER, "a whole number", what, err);

	if (!value)
		return -EBADMSG;
	if (json_integer_value(value) < 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is negative", what, key);
	*ret = (uint64_t)json_integer_value(value);
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

int json_get_base64(const json_t *object, const char *key, const char *what, struct buffer *out,
		    struct assay_error *err)
{
	const char *text;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	r = base64_decode(text, strlen(text), out);
	if (r == -ENOMEM)
		return assay_fail(err, ENOMEM, "%s: out of memory", what);
	if (r < 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not base64", what, key);
	return 0;
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
