// SPDX-License-Identifier: MIT
#include "verify/policy_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "verify/structures.h"

/* Memory that lives as long as the policy. */
struct policy_memory {
	struct policy_memory *next;
	_Alignas(16) uint8_t bytes[];
};

void *policy_allocate(struct policy_parser *parser, size_t count, size_t size)
{
	struct policy_memory *memory = NULL;

	if (count < SIZE_MAX / 2 / size)
		memory = calloc(1, sizeof(*memory) + count * size);
	if (!memory) {
		assay_fail(parser->err, ENOMEM, "out of memory");
		return NULL;
	}
	memory->next = parser->policy->memory;
	parser->policy->memory = memory;
	return memory->bytes;
}

void policy_free(struct policy *policy)
{
	while (policy->memory) {
		struct policy_memory *next = policy->memory->next;

		free(policy->memory);
		policy->memory = next;
	}
	json_decref(policy->json);
	*policy = (struct policy){ 0 };
}

int policy_refuse(struct policy_parser *parser, const char *path, const char *format, ...)
{
	char what[512], escaped[POLICY_PATH];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_escape(BYTES((const uint8_t *)path, strlen(path)), escaped, sizeof(escaped));
	return assay_fail(parser->err, EBADMSG, "\"%s\" %s", escaped, what);
}

static void mark_cut(char out[static POLICY_PATH], int length)
{
	if (length >= POLICY_PATH)
		memcpy(out + POLICY_PATH - sizeof("..."), "...", sizeof("..."));
}

void policy_inner_path(char out[static POLICY_PATH], const char *path, const char *name)
{
	mark_cut(out, snprintf(out, POLICY_PATH, "%s%s%s", path, path[0] ? "." : "", name));
}

void policy_item_path(char out[static POLICY_PATH], const char *path, size_t index)
{
	mark_cut(out, snprintf(out, POLICY_PATH, "%s[%zu]", path, index));
}

int policy_read_object(struct policy_parser *parser, const char *path, const json_t *value,
		       const struct policy_member members[], size_t count)
{
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object");
	/* jansson's iterator wants a writable object and does not write to it. */
	json_object_foreach((json_t *)value, name, item) {
		char inner[POLICY_PATH];
		size_t i = 0;
		int r;

		policy_inner_path(inner, path, name);
		while (i < count && strcmp(members[i].name, name) != 0)
			i++;
		if (i == count)
			return policy_refuse(parser, inner, "is not known; see assay-policy(5)");
		r = members[i].read ? members[i].read(parser, inner, item) :
				      policy_read_key(parser, inner, item, members[i].key);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_read_array(struct policy_parser *parser, const char *path, const json_t *value)
{
	return json_is_array(value) ? 0 : policy_refuse(parser, path, "is not an array");
}

int policy_read_text(struct policy_parser *parser, const char *path, const json_t *value,
		     const char **ret)
{
	if (!json_is_string(value))
		return policy_refuse(parser, path, "is not a string");
	if (json_string_length(value) == 0)
		return policy_refuse(parser, path, "is empty");
	*ret = json_string_value(value);
	return 0;
}

int policy_read_number(struct policy_parser *parser, const char *path, const json_t *value,
		       uint64_t least, uint64_t most, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) < least ||
	    (uint64_t)json_integer_value(value) > most)
		return policy_refuse(parser, path, "is not a whole number from %llu to %llu",
				     (unsigned long long)least, (unsigned long long)most);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

int policy_read_time(struct policy_parser *parser, const char *path, const json_t *value,
		     uint64_t *ret)
{
	const char *text = json_string_value(value);

	if (!text || !utc_parse(text, ret))
		return policy_refuse(parser, path,
				     "is not a time such as \"2026-01-31T23:59:59Z\"");
	return 0;
}

int policy_read_key(struct policy_parser *parser, const char *path, const json_t *value,
		    enum policy_key key)
{
	enum said *said = &parser->policy->said.keys[key];
	const char *text = json_string_value(value), *yes, *no;

	(void)policy_key_words(key, &yes, &no);
	if (!yes && !json_is_boolean(value))
		return policy_refuse(parser, path, "is neither true nor false");
	if (yes && (!text || (strcmp(text, yes) != 0 && strcmp(text, no) != 0)))
		return policy_refuse(parser, path, "is neither \"%s\" nor \"%s\"", yes, no);
	*said = (yes ? strcmp(text, yes) == 0 : json_is_true(value)) ? SAID_YES : SAID_NO;
	return 0;
}

int policy_read_pcr(struct policy_parser *parser, const char *path, const json_t *value,
		    unsigned int *ret)
{
	uint64_t index = 0;
	int r = policy_read_number(parser, path, value, 0, TPM_PCR_COUNT - 1, &index);

	*ret = (unsigned int)index;
	return r;
}

int policy_read_digests(struct policy_parser *parser, const char *path, const json_t *value,
			const struct assay_digest **ret, size_t *ret_count)
{
	struct assay_digest *digests;
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return policy_refuse(parser, path, "is empty: nothing could fulfil it");
	digests = policy_allocate(parser, json_array_size(value), sizeof(*digests));
	if (!digests)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		if (!text || assay_digest_parse(text, &digests[i]) < 0)
			return policy_refuse(parser, inner,
					     "is not a digest such as \"sha256:HEX\" with as many "
					     "digits as that hash has");
	}
	*ret = digests;
	*ret_count = json_array_size(value);
	return 0;
}

int policy_read_uuid(struct policy_parser *parser, const char *path, const json_t *value,
		     uint8_t ret[static 16])
{
	/* RFC 9562, section 4: groups of 8, 4, 4, 4 and 12 digits. */
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *text = json_string_value(value);
	char digits[2 * 16 + 1];
	size_t used = 0, size = 0;

	if (!text || strlen(text) != sizeof(form) - 1)
		return policy_refuse(parser, path, "is not a UUID such as \"%s\"", form);
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'x')
			digits[used++] = text[i];
		else if (text[i] != '-')
			return policy_refuse(parser, path, "is not a UUID such as \"%s\"", form);
	digits[used] = '\0';
	if (hex_decode(digits, ret, 16, &size) < 0 || size != 16)
		return policy_refuse(parser, path, "is not a UUID such as \"%s\"", form);
	return 0;
}

static int read_file(struct policy_parser *parser, const char *path, const json_t *value,
		     struct policy_certificate *ret)
{
	char inner[POLICY_PATH];

	if (json_is_string(value))
		return policy_read_text(parser, path, value, &ret->path);
	if (!json_is_object(value) || json_object_size(value) != 1 ||
	    !json_object_get(value, "pem"))
		return policy_refuse(parser, path, "is neither a file's name nor {\"pem\": TEXT}");
	policy_inner_path(inner, path, "pem");
	return policy_read_text(parser, inner, json_object_get(value, "pem"), &ret->pem);
}

int policy_read_files(struct policy_parser *parser, const char *path, const json_t *value,
		      struct policy_certificate **ret, size_t *ret_count)
{
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	*ret = policy_allocate(parser, json_array_size(value) + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		r = read_file(parser, inner, json_array_get(value, i), &(*ret)[i]);
		*ret_count += r == 0;
	}
	return r;
}
