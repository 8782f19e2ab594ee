// SPDX-License-Identifier: MIT
#include "verify/policy_references.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

const char *references_text(struct bytes bytes, char text[static REFERENCE_TEXT])
{
	return text_escape(bytes, text, REFERENCE_TEXT);
}

void references_warn(struct policy_references *references, const char *format, ...)
{
	char sentence[4 * REFERENCE_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	references->each(references->context, sentence);
}

int references_no_memory(struct policy_references *references)
{
	return assay_fail(references->err, ENOMEM, "out of memory");
}

/* Which hash has that many digits; NULL if none does. */
static const char *hash_of(size_t digits)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (digits == 2 * assay_hash_size(hashes[i]))
			return assay_hash_name(hashes[i]);
	return NULL;
}

static bool is_there(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *there = json_string_value(json_array_get(array, i));

		if (there && strcmp(there, text) == 0)
			return true;
	}
	return false;
}

bool references_add_text(json_t *object, const char *name, const char *text)
{
	json_t *array = json_object_get(object, name);

	if (!array) {
		array = json_array();
		if (json_object_set_new(object, name, array) < 0)
			return false;
	}
	return is_there(array, text) || json_array_append_new(array, json_string(text)) == 0;
}

int references_add_digest(struct policy_references *references, struct bytes name, const char *hex,
			  const char **ret_problem)
{
	char text[sizeof("sha512:") + 2 * ASSAY_DIGEST_MAX];
	uint8_t bytes[ASSAY_DIGEST_MAX];
	const char *hash = hash_of(strlen(hex));
	CLEANUP(json_decref_pointer) json_t *key = NULL;
	size_t size;

	if (!hash || hex_decode(hex, bytes, sizeof(bytes), &size) < 0) {
		*ret_problem = "it does not begin with a digest";
		return 1;
	}
	if (bytes_equal(name, BYTES_LITERAL("boot_aggregate"))) {
		*ret_problem = "boot_aggregate is of PCRs, which are compared with it themselves";
		return 1;
	}
	key = json_stringn((const char *)name.data, name.size);
	if (!key) {
		/* Without memory for it, or no UTF-8. */
		key = json_stringn_nocheck((const char *)name.data, name.size);
		if (!key)
			return references_no_memory(references);
		*ret_problem =
			"its name is not UTF-8, and JSON can hold no other; rename the file, "
			"or sign it";
		return 1;
	}
	snprintf(text, sizeof(text), "%s:", hash);
	hex_encode(BYTES(bytes, size), text + strlen(text));
	if (!references_add_text(references->digests, json_string_value(key), text))
		return references_no_memory(references);
	return 0;
}
