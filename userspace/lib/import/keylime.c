// SPDX-License-Identifier: MIT
#include "import/keylime.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "import/keylime_push.h"
#include "import/keylime_quote.h"

#define WHAT "Keylime's evidence"

/* Members of the object with the quote, and what becomes of them. */
enum what_of {
	TAKEN,	  /* it is read */
	CHECKED,  /* it is compared with what the quote says */
	LEFT_OUT, /* evidence has no place for it */
	POLICY,	  /* the verifier's own */
};

static const struct {
	const char *name;
	enum what_of what;
	const char *why;
} members[] = {
	{ "quote", TAKEN, NULL },
	{ "tpm_ak", TAKEN, NULL },
	{ "ima_measurement_list", TAKEN, NULL },
	{ "mb_log", TAKEN, NULL },
	{ "mb_measurement_list", TAKEN, NULL },
	{ "nonce", CHECKED, NULL },
	{ "hash_alg", CHECKED, NULL },
	{ "ima_measurement_list_entry", CHECKED, NULL },
	{ "sign_alg", LEFT_OUT, "the signature says it itself" },
	{ "enc_alg", LEFT_OUT, "it is of the agent's key for payloads" },
	{ "pubkey", LEFT_OUT, "it is the agent's key for payloads, not the attestation key" },
	{ "boottime", LEFT_OUT, "evidence has a boot's id, which is another thing" },
	{ "tpm_ek", LEFT_OUT, "the endorsement key is for enrolling: see assay-enroll(1)" },
	{ "tpm_policy", POLICY, NULL },
	{ "runtime_policy", POLICY, NULL },
	{ "mb_policy", POLICY, NULL },
	{ "vtpm_policy", POLICY, NULL },
	{ "metadata", LEFT_OUT, "it is for people" },
};

/* Whatever Keylime has for "nothing there". */
static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       ((json_is_object(value) || json_is_array(value)) && json_object_size(value) == 0 &&
		json_array_size(value) == 0);
}

static bool has(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return value && !is_empty(value);
}

static void tell_members(const json_t *object, const struct import_notes *notes)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		size_t i = 0;

		while (i < sizeof(members) / sizeof(members[0]) &&
		       strcmp(name, members[i].name) != 0)
			i++;
		if (i == sizeof(members) / sizeof(members[0]))
			import_note_member(notes, WHAT, name);
		else if (members[i].what == LEFT_OUT && !is_empty(value))
			import_note(notes, "left out: %s: %s", name, members[i].why);
		else if (members[i].what == POLICY && !is_empty(value))
			import_note(notes,
				    "left out: %s, which is the verifier's: see 'assay policy "
				    "import'",
				    name);
	}
}

static struct bytes string_bytes(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

static int take_text(const json_t *object, const char *name, struct bytes *ret,
		     struct assay_error *err)
{
	const char *text;
	int r = json_get_string(object, name, WHAT, &text, err);

	if (r == 0)
		*ret = string_bytes(text);
	return r;
}

/* Keylime compares nonces as text, or as what they are in base64. */
static bool is_nonce(struct bytes text, struct bytes quoted)
{
	CLEANUP(buffer_free) struct buffer decoded = { 0 };

	return bytes_equal(text, quoted) ||
	       (base64_decode((const char *)text.data, text.size, &decoded) == 0 &&
		bytes_equal(buffer_bytes(&decoded), quoted));
}

static int check_told(const json_t *object, const struct import_notes *notes,
		      const struct evidence *evidence, struct assay_error *err)
{
	struct tpm_signature signature;
	struct bytes text;
	uint64_t entry = 0;
	int r = 0;

	if (has(object, "nonce")) {
		r = take_text(object, "nonce", &text, err);
		if (r == 0 && !is_nonce(text, buffer_bytes(&evidence->nonce)))
			import_note(notes, "the quote does not answer the nonce that is beside it: "
					   "taken is the one that it answers");
	}
	if (r == 0 && has(object, "hash_alg")) {
		r = take_text(object, "hash_alg", &text, err);
		if (r == 0 &&
		    tpm_signature_parse(buffer_bytes(&evidence->signature), &signature, NULL) ==
			    0 &&
		    assay_hash_by_name((const char *)text.data) != (enum assay_hash)signature.hash)
			import_note(notes, "the quote is not signed with the hash that hash_alg "
					   "says: taken is the one that it is signed with");
	}
	if (r == 0 && json_object_get(object, "ima_measurement_list_entry")) {
		r = json_get_unsigned(object, "ima_measurement_list_entry", WHAT, &entry, err);
		if (r == 0 && entry > 0)
			import_note(notes,
				    "IMA's list begins with entry %llu: without those before, it "
				    "does not replay",
				    (unsigned long long)entry);
	}
	return r;
}

static int take_ak(const json_t *object, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer key = { 0 };
	int r = json_get_base64(object, "tpm_ak", WHAT, &key, err);

	return r < 0 ? r : import_ak(buffer_bytes(&key), evidence, err);
}

static int take_firmware(const json_t *object, const char *name, struct evidence *evidence,
			 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer log = { 0 };
	int r = json_get_base64(object, name, WHAT, &log, err);

	return r < 0 ? r : import_uefi_log(buffer_bytes(&log), evidence, err);
}

/* The object that has the quote, and the logs beside it. */
static int import_object(const json_t *object, const struct import_notes *notes,
			 struct evidence *evidence, struct assay_error *err)
{
	struct bytes text = { 0 };
	int r = take_text(object, "quote", &text, err);

	if (r == 0 && has(object, "tpm_ak"))
		r = take_ak(object, evidence, err);
	if (r == 0)
		r = keylime_quote_read(text, evidence, err);
	if (r == 0 && has(object, "ima_measurement_list")) {
		r = take_text(object, "ima_measurement_list", &text, err);
		if (r == 0)
			r = import_ima_list(text, notes, evidence, err);
	}
	if (r == 0 && has(object, "mb_log"))
		r = take_firmware(object, "mb_log", evidence, err);
	else if (r == 0 && has(object, "mb_measurement_list"))
		r = take_firmware(object, "mb_measurement_list", evidence, err);
	if (r == 0)
		r = check_told(object, notes, evidence, err);
	if (r == 0)
		tell_members(object, notes);
	return r;
}

static int import_root(const json_t *root, const struct import_notes *notes,
		       struct evidence *evidence, struct assay_error *err)
{
	static const char *const answer[] = { "code", "status", "results", NULL };
	static const char *const one_shot[] = { "type", "data", NULL };
	const json_t *results = json_object_get(root, "results");
	const json_t *data = json_object_get(root, "data");
	const char *type = json_string_value(json_object_get(root, "type"));

	if (json_is_object(results)) {
		import_note_others(notes, WHAT, root, answer);
		return import_object(results, notes, evidence, err);
	}
	if (type && strcmp(type, "tpm") == 0 && json_is_object(data)) {
		import_note_others(notes, WHAT, root, one_shot);
		return import_object(data, notes, evidence, err);
	}
	if (type && strcmp(type, "tee") == 0)
		return assay_fail(err, EBADMSG,
				  WHAT " is of a trusted execution environment (\"tee\"), and has "
				       "no quote of a TPM");
	if (json_is_object(data) && json_is_object(json_object_get(data, "attributes")))
		return keylime_push_read(root, notes, evidence, err);
	if (json_object_get(root, "quote"))
		return import_object(root, notes, evidence, err);
	return assay_fail(
		err, EBADMSG,
		"the file is JSON, but none of Keylime's: neither an agent's answer, "
		"(\"results\"), nor the body of a one-shot check (\"type\", \"data\"), nor "
		"push evidence (\"data\" with \"attributes\")");
}

int import_keylime(struct bytes in, const struct import_notes *notes, struct evidence *ret,
		   struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	int r;

	while (in.size > 0 && strchr(" \t\r\n", in.data[in.size - 1]) && in.data[in.size - 1] != 0)
		in.size--;
	if (in.size > 0 && in.data[0] == KEYLIME_QUOTE_MARK)
		return keylime_quote_read(in, ret, err);
	r = json_limit_values(in, IMPORT_MAX_VALUES, WHAT, err);
	if (r == 0)
		r = json_parse(in, WHAT, &root, err);
	return r < 0 ? r : import_root(root, notes, ret, err);
}
