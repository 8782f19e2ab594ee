// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "kept_verdict.h"
#include "kept_verdict_internal.h"
#include "verify/verdict.h"

#define WHAT "the verdict in the database"

static const char *const state_names[KEPT_STATES] = {
	[KEPT_STATE_FAILED] = "failed",	  [KEPT_STATE_DIFFERS] = "differs",
	[KEPT_STATE_UNKNOWN] = "unknown", [KEPT_STATE_ALLOWED] = "allowed",
	[KEPT_STATE_SIGNED] = "signed",	  [KEPT_STATE_MATCHES] = "matches",
};

static bool take_text8(struct bytes *in, struct bytes *ret)
{
	uint8_t size;

	return bytes_take_u8(in, &size) && bytes_take(in, size, ret);
}

static bool take_text16(struct bytes *in, struct bytes *ret)
{
	uint16_t size;

	return bytes_take_be16(in, &size) && bytes_take(in, size, ret);
}

/* With a NUL at its end; false where it is too long, or has one. */
static bool copy_text(struct bytes text, char *to, size_t capacity)
{
	if (text.size >= capacity || (text.size > 0 && memchr(text.data, 0, text.size)))
		return false;
	if (text.size > 0)
		memcpy(to, text.data, text.size);
	to[text.size] = '\0';
	return true;
}

static bool take_check(struct bytes *in, struct verdict *ret)
{
	struct bytes text;
	char name[UINT8_MAX + 1];
	uint8_t flags;
	enum check check;

	if (!take_text8(in, &text) || !copy_text(text, name, sizeof(name)) ||
	    !check_by_name(name, &check) || !bytes_take_u8(in, &flags) || !take_text16(in, &text) ||
	    !copy_text(text, ret->detail[check], sizeof(ret->detail[check])))
		return false;
	ret->required |= flags & KEPT_REQUIRED ? CHECK_BIT(check) : 0;
	ret->passed |= flags & KEPT_PASSED ? CHECK_BIT(check) : 0;
	ret->failed |= flags & KEPT_FAILED ? CHECK_BIT(check) : 0;
	return (ret->passed & ret->failed) == 0;
}

static bool take_checks(struct bytes *in, struct verdict *ret)
{
	uint8_t count;
	bool good = bytes_take_u8(in, &count);

	for (unsigned int i = 0; good && i < count; i++)
		good = take_check(in, ret);
	return good;
}

static bool take_manifest(struct bytes *in, struct verdict_manifest *ret)
{
	struct bytes id, created, product;

	return take_text8(in, &id) && copy_text(id, ret->id, sizeof(ret->id)) &&
	       take_text8(in, &created) && copy_text(created, ret->created, sizeof(ret->created)) &&
	       take_text8(in, &product) && copy_text(product, ret->product, sizeof(ret->product));
}

/* A number of a device's, up to what JSON can have. */
static bool take_number(struct bytes *in, uint64_t *ret)
{
	if (!bytes_take_be64(in, ret))
		return false;
	*ret = *ret <= INT64_MAX ? *ret : INT64_MAX;
	return true;
}

static bool take_logs(struct bytes *in, struct verdict *ret)
{
	uint8_t count;
	bool good = take_number(in, &ret->assay_log.records) &&
		    take_number(in, &ret->assay_log.covered) &&
		    take_number(in, &ret->ima_log.records) &&
		    take_number(in, &ret->ima_log.covered) && take_number(in, &ret->files) &&
		    bytes_take_u8(in, &count) && count <= VERDICT_MANIFESTS;

	if (!good)
		return false;
	ret->manifest_count = count;
	for (size_t i = 0; good && i < count; i++)
		good = take_manifest(in, &ret->manifests[i]);
	return good;
}

static json_t *hex_or_null(struct bytes bytes)
{
	return bytes.size > 0 ? json_hex(bytes) : json_null();
}

static bool take_states(struct bytes *in, json_t *ret)
{
	uint8_t count, state;
	uint64_t number;

	if (!bytes_take_u8(in, &count))
		return false;
	for (unsigned int i = 0; i < count; i++)
		if (!bytes_take_u8(in, &state) || state >= KEPT_STATES ||
		    !take_number(in, &number) ||
		    json_object_set_new(ret, state_names[state], json_integer((json_int_t)number)) <
			    0)
			return false;
	return true;
}

static bool take_file(struct bytes *in, json_t *ret)
{
	struct bytes path, digest, expected;
	char shown[KEPT_PATH_MAX];
	uint8_t state, flags;
	uint64_t number;

	if (!bytes_take_u8(in, &state) || state >= KEPT_STATES || !bytes_take_u8(in, &flags) ||
	    !take_number(in, &number) || !take_text16(in, &path) || !take_text8(in, &digest) ||
	    !take_text8(in, &expected))
		return false;
	text_escape(path, shown, sizeof(shown));
	return json_array_append_new(ret, json_pack("{s:o, s:s, s:s, s:I, s:o, s:o}", "path",
						    json_string(shown), "state", state_names[state],
						    "log", flags & KEPT_BY_IMA ? "ima" : "assay",
						    "number", (json_int_t)number, "digest",
						    json_hex(digest), "expected",
						    hex_or_null(expected))) == 0;
}

static bool take_record(struct bytes *in, json_t *ret)
{
	uint64_t number, time, files, events, entries;
	char kind[UINT8_MAX + 1];
	struct bytes text;

	if (!take_number(in, &number) || !take_text8(in, &text) ||
	    !copy_text(text, kind, sizeof(kind)) || !take_number(in, &time) ||
	    !take_number(in, &files) || !take_number(in, &events) || !take_number(in, &entries))
		return false;
	return json_array_append_new(ret,
				     json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "number",
					       (json_int_t)number, "kind", json_text(kind), "at",
					       (json_int_t)time, "file_count", (json_int_t)files,
					       "event_count", (json_int_t)events, "ima_count",
					       (json_int_t)entries)) == 0;
}

typedef bool take_one(struct bytes *in, json_t *ret);

static bool take_list(struct bytes *in, unsigned int most, take_one *one, json_t *ret)
{
	uint16_t count;
	bool good = bytes_take_be16(in, &count) && count <= most;

	for (unsigned int i = 0; good && i < count; i++)
		good = one(in, ret);
	return good;
}

static int bad(struct assay_error *err)
{
	return assay_fail(err, EBADMSG, WHAT " has another form");
}

/* @json: what of the verdict is there already */
static int add_details(struct bytes *in, json_t *json, struct assay_error *err)
{
	json_t *states = json_object(), *files = json_array(), *records = json_array();
	bool good = states && files && records && take_states(in, states) &&
		    take_list(in, KEPT_FILES_MAX, take_file, files) &&
		    take_list(in, KEPT_RECORDS_MAX, take_record, records) && in->size == 0;
	bool kept = json_object_set_new(json, "file_states", states) == 0;

	kept &= json_object_set_new(json, "files", files) == 0;
	kept &= json_object_set_new(json, "records", records) == 0;
	if (!kept)
		return assay_fail(err, ENOMEM, "out of memory");
	return good ? 0 : bad(err);
}

/* @verdict: zeros, to be filled */
static int read_into(struct bytes plain, struct verdict *verdict, json_t **ret,
		     struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	uint8_t version;
	int r;

	if (!bytes_take_u8(&plain, &version) || version != KEPT_VERSION ||
	    !take_checks(&plain, verdict) || !take_logs(&plain, verdict))
		return bad(err);
	json = verdict_to_json(verdict);
	r = json ? add_details(&plain, json, err) : assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		*ret = json_incref(json);
	return r;
}

int kept_verdict_read(struct bytes plain, json_t **ret, struct assay_error *err)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));
	int r = verdict ? read_into(plain, verdict, ret, err) :
			  assay_fail(err, ENOMEM, "out of memory");

	free(verdict);
	return r;
}

static int expand(struct bytes packed, struct buffer *out, struct assay_error *err)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.size);
	size_t made;
	void *place;

	/* What is not known, or wrong, is more than that. */
	if (size > KEPT_EXPANDED_MAX)
		return bad(err);
	place = buffer_reserve(out, (size_t)size + 1);
	if (!place)
		return assay_fail(err, ENOMEM, "out of memory");
	made = ZSTD_decompress(place, (size_t)size, packed.data, packed.size);
	if (ZSTD_isError(made) || made != size)
		return bad(err);
	out->size = made;
	return 0;
}

int kept_verdict_json(struct bytes packed, json_t **ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer plain = { 0 };
	int r = expand(packed, &plain, err);

	return r < 0 ? r : kept_verdict_read(buffer_bytes(&plain), ret, err);
}

int kept_verdict_take(const struct store_value columns[static 2], json_t **ret,
		      struct assay_error *err)
{
	if (columns[1].type == STORE_BLOB)
		return kept_verdict_json(columns[1].bytes, ret, err);
	return json_parse(columns[0].bytes, WHAT, ret, err);
}
