// SPDX-License-Identifier: MIT
#include "verify/record.h"

#include <errno.h>
#include <string.h>

#include "base/utc.h"
#include "verify/appraisal.h"
#include "verify/state.h"

#define RECORD_TYPE "device"

static struct bytes name_bytes(const struct tpm_name *name)
{
	return BYTES(name->bytes, name->size);
}

bool machine_id_valid(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.";
	size_t length = strlen(text);

	return length > 0 && length <= RECORD_MAX_MACHINE_ID && text[0] != '.' &&
	       strspn(text, allowed) == length;
}

int device_record_check_ak(const struct tpm_public *ak, struct assay_error *err)
{
	static check_function *const checks[] = { check_ak_attributes, check_ak_algorithm };
	const struct verify_input input = { 0 };
	struct verify_policy policy;
	struct appraisal appraisal = { .input = &input, .policy = &policy, .ak = *ak };
	char detail[CHECK_DETAIL_MAX];

	verify_policy_default(&policy);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](&appraisal, detail) != CHECK_PASSED)
			return assay_fail(err, EKEYREJECTED, "the attestation key: %s", detail);
	return 0;
}

int device_record_identity(const struct device_record *record, struct assay_digest *ret,
			   struct assay_error *err)
{
	struct tpm_public ak;
	int r;

	*ret = record->ek_key;
	if (ret->size > 0)
		return 0;
	r = tpm_public_parse(buffer_bytes(&record->ak_public), &ak, err);
	return r < 0 ? r : tpm_public_key_digest(&ak, ret, err);
}

/* ---------------------------------------------------------------- writing */

/* A digest that may be missing; false without memory. */
static bool add_sha256(json_t *root, const char *key, const struct assay_digest *digest)
{
	return digest->size == 0 ||
	       json_object_set_new(root, key, json_hex(BYTES(digest->bytes, digest->size))) == 0;
}

int device_record_write(FILE *stream, const struct device_record *record, struct assay_error *err)
{
	char enrolled[UTC_LENGTH + 1];
	json_t *root;

	if (!machine_id_valid(record->machine_id) || record->ak_public.size == 0 ||
	    record->ak_name.size == 0 ||
	    (record->ek_key.size == 0) == (record->ak_certificate.size == 0))
		return assay_fail(err, EINVAL, "the device record is not complete");
	root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "assay", JSON_VERSION, "type",
			 RECORD_TYPE, "machine_id", record->machine_id, "enrolled",
			 utc_text(record->enrolled, enrolled), "ak_public",
			 json_base64(buffer_bytes(&record->ak_public)), "ak_name",
			 json_hex(name_bytes(&record->ak_name)));
	if (root && (!add_sha256(root, "ek_key_sha256", &record->ek_key) ||
		     !add_sha256(root, "ek_certificate_sha256", &record->ek_certificate) ||
		     !add_sha256(root, "ak_certificate_sha256", &record->ak_certificate))) {
		json_decref(root);
		root = NULL;
	}
	if (root && record->ak_qualified_name.size > 0 &&
	    json_object_set_new(root, "ak_qualified_name",
				json_hex(buffer_bytes(&record->ak_qualified_name))) < 0) {
		json_decref(root);
		root = NULL;
	}
	if (root && record->has_state &&
	    json_object_set_new(root, "state", state_to_json(&record->state)) < 0) {
		json_decref(root);
		root = NULL;
	}
	return json_write(stream, root, "the device record", err);
}

/* ---------------------------------------------------------------- reading */

/* A name: one of those of enum assay_hash, and a digest of its size. */
static int get_name(const json_t *root, const char *key, const char *what, struct tpm_name *ret,
		    struct assay_error *err)
{
	struct buffer buffer = { 0 };
	int r = json_get_hex(root, key, what, &buffer, err);

	if (r == 0 &&
	    (buffer.size < 2 || buffer.size > sizeof(ret->bytes) ||
	     assay_hash_size((enum assay_hash)(buffer.data[0] << 8 | buffer.data[1])) == 0 ||
	     buffer.size !=
		     2 + assay_hash_size((enum assay_hash)(buffer.data[0] << 8 | buffer.data[1]))))
		r = assay_fail(err, EBADMSG, "%s: \"%s\" is not a TPM key's name", what, key);
	if (r == 0) {
		memcpy(ret->bytes, buffer.data, buffer.size);
		ret->size = buffer.size;
	}
	buffer_free(&buffer);
	return r;
}

static int get_ak(const json_t *root, const char *what, struct device_record *record,
		  struct assay_error *err)
{
	struct tpm_public public;
	struct tpm_name name;
	int r = json_get_base64(root, "ak_public", what, &record->ak_public, err);

	if (r == 0)
		r = get_name(root, "ak_name", what, &record->ak_name, err);
	if (r < 0)
		return r;
	if (tpm_public_parse(buffer_bytes(&record->ak_public), &public, err) < 0 ||
	    tpm_key_name(&public, &name, err) < 0)
		return assay_fail_context(err, "%s: \"ak_public\"", what);
	if (!bytes_equal(name_bytes(&name), name_bytes(&record->ak_name)))
		return assay_fail(err, EBADMSG, "%s: \"ak_name\" is not the name of \"ak_public\"",
				  what);
	return 0;
}

static int get_sha256(const json_t *root, const char *key, const char *what,
		      struct assay_digest *ret, struct assay_error *err)
{
	const char *text;
	int r = json_get_string(root, key, what, &text, err);

	if (r < 0)
		return r;
	*ret = (struct assay_digest){ .hash = ASSAY_HASH_SHA256 };
	if (hex_decode(text, ret->bytes, sizeof(ret->bytes), &ret->size) < 0 ||
	    ret->size != assay_hash_size(ret->hash))
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not a SHA-256 digest", what, key);
	return 0;
}

/* What the attestation key was believed for. */
static int get_proof(const json_t *root, const char *what, struct device_record *record,
		     struct assay_error *err)
{
	bool by_ek = json_object_get(root, "ek_key_sha256") ||
		     json_object_get(root, "ek_certificate_sha256");
	int r;

	if (json_object_get(root, "ak_certificate_sha256") && by_ek)
		return assay_fail(err, EBADMSG,
				  "%s: \"ak_certificate_sha256\" stands for a device without an "
				  "endorsement key, and one is there",
				  what);
	if (json_object_get(root, "ak_certificate_sha256"))
		return get_sha256(root, "ak_certificate_sha256", what, &record->ak_certificate,
				  err);
	r = get_sha256(root, "ek_key_sha256", what, &record->ek_key, err);
	if (r == 0 && json_object_get(root, "ek_certificate_sha256"))
		r = get_sha256(root, "ek_certificate_sha256", what, &record->ek_certificate, err);
	return r;
}

static int parse_root(const json_t *root, struct device_record *record, struct assay_error *err)
{
	static const char *const known[] = { "assay",
					     "type",
					     "machine_id",
					     "enrolled",
					     "ak_public",
					     "ak_name",
					     "ak_qualified_name",
					     "ek_key_sha256",
					     "ek_certificate_sha256",
					     "ak_certificate_sha256",
					     "state",
					     NULL };
	const char *what = "the device record";
	const char *machine_id;
	int r = json_check_head(root, RECORD_TYPE, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = json_get_string(root, "machine_id", what, &machine_id, err);
	if (r == 0 && !machine_id_valid(machine_id))
		r = assay_fail(err, EBADMSG, "%s: \"machine_id\" is not a machine's id", what);
	if (r != 0)
		return r;
	memcpy(record->machine_id, machine_id, strlen(machine_id) + 1);
	r = json_get_time(root, "enrolled", what, &record->enrolled, err);
	if (r == 0)
		r = get_ak(root, what, record, err);
	if (r == 0 && json_object_get(root, "ak_qualified_name"))
		r = json_get_hex(root, "ak_qualified_name", what, &record->ak_qualified_name, err);
	if (r == 0 && record->ak_qualified_name.size > RECORD_MAX_QUALIFIED_NAME)
		r = assay_fail(err, EBADMSG, "%s: \"ak_qualified_name\" is too long", what);
	if (r == 0)
		r = get_proof(root, what, record, err);
	record->has_state = json_object_get(root, "state") != NULL;
	if (r == 0 && record->has_state)
		r = state_from_json(json_object_get(root, "state"), &record->state, err);
	return r;
}

int device_record_parse(struct bytes text, struct device_record *ret, struct assay_error *err)
{
	struct device_record record = { 0 };
	struct assay_error reason = { 0 };
	json_t *root;
	int r;

	if (!err)
		err = &reason;
	if (text.size > RECORD_MAX_SIZE)
		return assay_fail(err, EFBIG,
				  "the device record has %zu bytes; at most %d are read", text.size,
				  RECORD_MAX_SIZE);
	r = json_parse(text, "the device record", &root, err);
	if (r < 0)
		return r;
	r = parse_root(root, &record, err);
	json_decref(root);
	if (r < 0) {
		device_record_free(&record);
		return r;
	}
	*ret = record;
	return 0;
}

void device_record_free(struct device_record *record)
{
	buffer_free(&record->ak_public);
	buffer_free(&record->ak_qualified_name);
	*record = (struct device_record){ 0 };
}
