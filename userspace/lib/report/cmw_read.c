// SPDX-License-Identifier: MIT
/* Evidence out of a CMW, and out of a JSON one itself. */
#include "report/cmw.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "report/cmw_internal.h"

int cmw_see(struct cmw_search *search, struct bytes type, bool *ret_wanted, struct assay_error *err)
{
	static const struct bytes wanted = BYTES_LITERAL(CMW_TYPE_EVIDENCE);

	/* Types are told apart without their case (RFC 6838, section 4.2). */
	*ret_wanted =
		type.size == wanted.size &&
		strncasecmp((const char *)type.data, (const char *)wanted.data, wanted.size) == 0;
	if (++search->messages > CMW_MAX_MESSAGES)
		return assay_fail(err, E2BIG, CMW_WHAT " has more than %d messages",
				  CMW_MAX_MESSAGES);
	if (*ret_wanted && ++search->found > 1)
		return assay_fail(err, EBADMSG, CMW_WHAT " has more than one message of type %s",
				  CMW_TYPE_EVIDENCE);
	return 0;
}

static int read_record(const json_t *record, struct cmw_search *search, struct assay_error *err)
{
	const json_t *type = json_array_get(record, 0), *value = json_array_get(record, 1),
		     *indicator = json_array_get(record, 2);
	size_t count = json_array_size(record);
	bool wanted;
	int r;

	if (count < 2 || count > 3 || !json_is_string(type) || !json_is_string(value) ||
	    (indicator && (!json_is_integer(indicator) || json_integer_value(indicator) < 0)))
		return assay_fail(err, EBADMSG,
				  CMW_WHAT ": a record is a type, a value in base64url and maybe "
					   "an indicator");
	r = cmw_see(search,
		    BYTES((const uint8_t *)json_string_value(type), json_string_length(type)),
		    &wanted, err);
	if (r < 0 || !wanted)
		return r;
	r = base64url_decode(json_string_value(value), json_string_length(value), search->out);
	if (r == -ENOMEM)
		return assay_fail(err, ENOMEM, "out of memory");
	return r < 0 ? assay_fail(err, EBADMSG, CMW_WHAT ": the value of %s is not base64url",
				  CMW_TYPE_EVIDENCE) :
		       0;
}

static int read_message(json_t *message, unsigned int depth, struct cmw_search *search,
			struct assay_error *err);

static int read_collection(json_t *collection, unsigned int depth, struct cmw_search *search,
			   struct assay_error *err)
{
	const char *label;
	json_t *message;

	if (depth == CMW_MAX_DEPTH)
		return assay_fail(err, E2BIG, CMW_WHAT " has collections more than %d deep",
				  CMW_MAX_DEPTH);
	json_object_foreach(collection, label, message) {
		int r = 0;

		if (strcmp(label, CMW_COLLECTION_TYPE) != 0)
			r = read_message(message, depth + 1, search, err);
		else if (!json_is_string(message))
			r = assay_fail(err, EBADMSG,
				       CMW_WHAT ": \"" CMW_COLLECTION_TYPE "\" is no text");
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_message(json_t *message, unsigned int depth, struct cmw_search *search,
			struct assay_error *err)
{
	if (json_is_array(message))
		return read_record(message, search, err);
	if (json_is_object(message))
		return read_collection(message, depth, search, err);
	return assay_fail(err, EBADMSG,
			  CMW_WHAT " has something that is no record and no "
				   "collection");
}

/* The first that is no white space of JSON; NUL where there is none. */
static char first_character(struct bytes in)
{
	uint8_t first;

	while (bytes_take_u8(&in, &first))
		if (first == '\0' || !strchr(" \t\r\n", first))
			return (char)first;
	return '\0';
}

static int read_json(struct bytes in, struct cmw_search *search, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	int r = json_limit_values(in, CMW_MAX_VALUES, CMW_WHAT, err);

	if (r == 0)
		r = first_character(in) == '[' ? json_parse_array(in, CMW_WHAT, &root, err) :
						 json_parse(in, CMW_WHAT, &root, err);
	return r < 0 ? r : read_message(root, 0, search, err);
}

/* JSON begins with a character of ASCII. */
static bool is_cbor(uint8_t first)
{
	return first >= 0x80;
}

bool cmw_is_wrapped(struct bytes in)
{
	return in.size > 0 && (first_character(in) == '[' || is_cbor(in.data[0]));
}

int cmw_read_evidence(struct bytes in, struct buffer *out, struct assay_error *err)
{
	struct cmw_search search = { .out = out };
	int r;

	if (in.size == 0)
		return assay_fail(err, EBADMSG, CMW_WHAT " is empty");
	r = is_cbor(in.data[0]) ? cmw_read_cbor(in, &search, err) : read_json(in, &search, err);
	if (r == 0 && out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0 && search.found == 0)
		r = assay_fail(err, EBADMSG, CMW_WHAT " has no message of type %s",
			       CMW_TYPE_EVIDENCE);
	return r;
}
