// SPDX-License-Identifier: MIT
#include "verify/state.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/utc.h"
#include "verity/verity.h"

#define WHAT "the device's state"

static json_t *digest_to_json(const struct assay_digest *digest)
{
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (digest->size == 0)
		return json_null();
	return json_string(assay_digest_text(digest, text));
}

static json_t *manifests_to_json(const struct verify_state *state)
{
	json_t *list = json_array();
	char created[UTC_LENGTH + 1];

	for (size_t i = 0; i < state->manifest_count; i++)
		if (json_array_append_new(
			    list, json_pack("{s:s, s:s}", "product", state->manifests[i].product,
					    "created",
					    utc_text(state->manifests[i].created, created))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *state_to_json(const struct verify_state *state)
{
	char verified[UTC_LENGTH + 1], clock[21], firmware[17];

	/* JSON's whole numbers end at 2^63: these two do not. */
	snprintf(clock, sizeof(clock), "%llu", (unsigned long long)state->clock);
	snprintf(firmware, sizeof(firmware), "%016llx",
		 (unsigned long long)state->firmware_version);
	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:I, s:o, s:o, s:b, s:b, s:o, s:o}",
			 "verified", utc_text(state->verified, verified), "reset_count",
			 (json_int_t)state->reset_count, "restart_count",
			 (json_int_t)state->restart_count, "clock", clock, "firmware_version",
			 firmware, "boot_id", state->boot_id, "records", (json_int_t)state->records,
			 "pcr", digest_to_json(&state->value), "next_key",
			 digest_to_json(&state->next_key), "late_tpm", (int)state->late_tpm,
			 "writable", (int)state->writable, "complete",
			 digest_to_json(&state->complete), "manifests", manifests_to_json(state));
}

static int get_count(const json_t *json, const char *name, uint32_t *ret, struct assay_error *err)
{
	uint64_t count;
	int r = json_get_unsigned(json, name, WHAT, &count, err);

	if (r == 0 && count > UINT32_MAX)
		return assay_fail(err, EBADMSG, WHAT ": \"%s\" is over 32 bits", name);
	if (r == 0)
		*ret = (uint32_t)count;
	return r;
}

static int get_bool(const json_t *json, const char *name, bool *ret, struct assay_error *err)
{
	const json_t *value = json_object_get(json, name);

	if (!json_is_boolean(value))
		return assay_fail(err, EBADMSG, WHAT ": \"%s\" is neither true nor false", name);
	*ret = json_is_true(value);
	return 0;
}

/* @may_be_none: null stands for none */
static int get_digest(const json_t *json, const char *name, bool may_be_none,
		      struct assay_digest *ret, struct assay_error *err)
{
	const json_t *value = json_object_get(json, name);

	if (may_be_none && json_is_null(value))
		return 0;
	if (!json_is_string(value) || assay_digest_parse(json_string_value(value), ret) < 0)
		return assay_fail(err, EBADMSG, WHAT ": \"%s\" is no digest", name);
	return 0;
}

static int get_clock(const json_t *json, uint64_t *ret, struct assay_error *err)
{
	const char *text;
	int r = json_get_string(json, "clock", WHAT, &text, err);
	uint64_t clock = 0;

	if (r < 0)
		return r;
	for (const char *at = text; r == 0; at++) {
		if (*at == '\0' && at > text)
			break;
		if (*at < '0' || *at > '9' || __builtin_mul_overflow(clock, 10, &clock) ||
		    __builtin_add_overflow(clock, (uint64_t)(*at - '0'), &clock))
			r = assay_fail(err, EBADMSG, WHAT ": \"clock\" is not a number of 64 bits");
	}
	*ret = clock;
	return r;
}

static int get_firmware(const json_t *json, uint64_t *ret, struct assay_error *err)
{
	struct buffer bytes = { 0 };
	struct bytes rest;
	int r = json_get_hex(json, "firmware_version", WHAT, &bytes, err);

	rest = buffer_bytes(&bytes);
	if (r == 0 && (rest.size != sizeof(*ret) || !bytes_take_be64(&rest, ret)))
		r = assay_fail(err, EBADMSG, WHAT ": \"firmware_version\" is not of 8 bytes");
	buffer_free(&bytes);
	return r;
}

static int get_text(const json_t *json, struct verify_state *state, struct assay_error *err)
{
	const char *boot_id = NULL, *verified = NULL;
	int r = json_get_string(json, "boot_id", WHAT, &boot_id, err);

	if (r == 0)
		r = json_get_string(json, "verified", WHAT, &verified, err);
	if (r < 0)
		return r;
	/* Evidence that others collected does not say it. */
	if (boot_id[0] != '\0' && strlen(boot_id) != EVIDENCE_BOOT_ID_LENGTH)
		return assay_fail(err, EBADMSG, WHAT ": \"boot_id\" is not a UUID");
	if (!utc_parse(verified, &state->verified))
		return assay_fail(err, EBADMSG, WHAT ": \"verified\" is not a time");
	memcpy(state->boot_id, boot_id, strlen(boot_id) + 1);
	return 0;
}

/* States of before have none. */
static int get_manifests(const json_t *json, struct verify_state *state, struct assay_error *err)
{
	static const char *const known[] = { "product", "created", NULL };
	const json_t *list = json_object_get(json, "manifests"), *item;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > VERIFY_STATE_PRODUCTS)
		return assay_fail(err, EBADMSG,
				  WHAT ": \"manifests\" must be an array of at most %d",
				  VERIFY_STATE_PRODUCTS);
	json_array_foreach(list, i, item) {
		const char *product = NULL, *created = NULL;
		int r = json_is_object(item) ?
				json_only(item, known, WHAT, err) :
				assay_fail(err, EBADMSG, WHAT ": \"manifests\" must hold objects");

		if (r < 0)
			return r;
		r = json_get_string(item, "product", WHAT, &product, err);
		if (r < 0)
			return r;
		r = json_get_string(item, "created", WHAT, &created, err);
		if (r < 0)
			return r;
		if (strlen(product) > MANIFEST_PRODUCT_MAX)
			return assay_fail(err, EBADMSG, WHAT ": \"product\" is too long");
		if (!utc_parse(created, &state->manifests[i].created))
			return assay_fail(err, EBADMSG, WHAT ": \"created\" is not a time");
		memcpy(state->manifests[i].product, product, strlen(product) + 1);
		state->manifest_count = i + 1;
	}
	return 0;
}

int state_from_json(const json_t *json, struct verify_state *ret, struct assay_error *err)
{
	static const char *const known[] = {
		"verified", "reset_count", "restart_count", "clock",	"firmware_version",
		"boot_id",  "records",	   "pcr",	    "next_key", "late_tpm",
		"writable", "complete",	   "manifests",	    NULL
	};
	struct verify_state state = { 0 };
	int r;

	if (!json_is_object(json))
		return assay_fail(err, EBADMSG, WHAT " is not an object");
	r = json_only(json, known, WHAT, err);
	if (r == 0)
		r = get_text(json, &state, err);
	if (r == 0)
		r = get_count(json, "reset_count", &state.reset_count, err);
	if (r == 0)
		r = get_count(json, "restart_count", &state.restart_count, err);
	if (r == 0)
		r = get_clock(json, &state.clock, err);
	if (r == 0)
		r = get_firmware(json, &state.firmware_version, err);
	if (r == 0)
		r = json_get_unsigned(json, "records", WHAT, &state.records, err);
	if (r == 0)
		r = get_digest(json, "pcr", true, &state.value, err);
	/* Of evidence without assay's log, which no record was counted of. */
	if (r == 0 && state.value.size == 0 && state.records > 0)
		r = assay_fail(err, EBADMSG, WHAT ": \"pcr\" is none, and there are \"records\"");
	/* States of before have none. */
	if (r == 0 && json_object_get(json, "next_key"))
		r = get_digest(json, "next_key", true, &state.next_key, err);
	if (r == 0 && state.next_key.size > 0 && state.next_key.hash != ASSAY_HASH_SHA256)
		r = assay_fail(err, EBADMSG, WHAT ": \"next_key\" is not a SHA-256 digest");
	if (r == 0)
		r = get_bool(json, "late_tpm", &state.late_tpm, err);
	if (r == 0)
		r = get_bool(json, "writable", &state.writable, err);
	if (r == 0)
		r = get_digest(json, "complete", true, &state.complete, err);
	if (r == 0)
		r = get_manifests(json, &state, err);
	if (r == 0)
		*ret = state;
	return r;
}
