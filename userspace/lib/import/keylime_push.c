// SPDX-License-Identifier: MIT
#include "import/keylime_push.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "import/keylime_quote.h"

#define WHAT "Keylime's push evidence"
#define TYPE_SHOWN 64

/* What is sent has the one, what is kept the other. */
static const char *const lists[] = { "evidence_collected", "evidence" };

/* Of an item, and of its data: what a verifier noted, and what only says how it was made. */
static const char *const item_members[] = { "evidence_class",
					    "evidence_type",
					    "capabilities",
					    "chosen_parameters",
					    "data",
					    "results",
					    NULL };
static const char *const quote_members[] = { "subject_data", "message", "signature", "meta", NULL };
static const char *const log_members[] = { "entries", "entry_count", "meta", NULL };

/* The key, where the verifier kept what the agent said of it. */
static int take_key(const json_t *item, struct evidence *evidence, struct assay_error *err)
{
	const json_t *keys =
		json_object_get(json_object_get(item, "capabilities"), "certification_keys");
	const json_t *parameters = json_object_get(item, "chosen_parameters");
	const json_t *key = json_object_get(parameters, "certification_key");
	CLEANUP(buffer_free) struct buffer public = { 0 };
	int r;

	if (!json_is_object(key) && json_array_size(keys) == 1)
		key = json_array_get(keys, 0);
	if (!json_is_string(json_object_get(key, "public")))
		return 0;
	r = json_get_base64(key, "public", WHAT, &public, err);
	return r < 0 ? r : import_ak(buffer_bytes(&public), evidence, err);
}

static int take_quote(const json_t *item, const json_t *data, const struct import_notes *notes,
		      struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer message = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	CLEANUP(buffer_free) struct buffer pcrs = { 0 };
	int r;

	if (evidence->attest.size > 0) {
		import_note(notes, "left out: a quote beyond the first");
		return 0;
	}
	r = json_get_base64(data, "message", WHAT, &message, err);
	if (r == 0)
		r = json_get_base64(data, "signature", WHAT, &signature, err);
	if (r == 0)
		r = json_get_base64(data, "subject_data", WHAT, &pcrs, err);
	if (r == 0)
		r = take_key(item, evidence, err);
	if (r == 0)
		r = keylime_quote_parts(buffer_bytes(&message), buffer_bytes(&signature),
					buffer_bytes(&pcrs), evidence, err);
	if (r == 0)
		import_note_others(notes, WHAT, data, quote_members);
	return r;
}

static int take_ima(const json_t *item, const json_t *data, const struct import_notes *notes,
		    struct evidence *evidence, struct assay_error *err)
{
	const json_t *parameters = json_object_get(item, "chosen_parameters");
	json_int_t start = json_integer_value(json_object_get(parameters, "starting_offset"));
	const char *text;
	int r = json_get_string(data, "entries", WHAT, &text, err);

	if (r < 0)
		return r;
	if (start > 0)
		import_note(notes,
			    "IMA's list begins with entry %lld: without those before, it does not "
			    "replay",
			    (long long)start);
	import_note_others(notes, WHAT, data, log_members);
	return import_ima_list(BYTES((const uint8_t *)text, strlen(text)), notes, evidence, err);
}

static int take_firmware(const json_t *data, const struct import_notes *notes,
			 struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer log = { 0 };
	int r = json_get_base64(data, "entries", WHAT, &log, err);

	if (r < 0)
		return r;
	import_note_others(notes, WHAT, data, log_members);
	return import_uefi_log(buffer_bytes(&log), evidence, err);
}

static int take_item(const json_t *item, const struct import_notes *notes,
		     struct evidence *evidence, struct assay_error *err)
{
	const json_t *data = NULL;
	const char *type = NULL;
	char shown[TYPE_SHOWN];
	int r;

	if (!json_is_object(item))
		return assay_fail(err, EBADMSG, WHAT " has an item that is not an object");
	r = json_get_string(item, "evidence_type", WHAT, &type, err);
	if (r == 0)
		r = json_get_object(item, "data", WHAT, &data, err);
	if (r < 0)
		return r;
	import_note_others(notes, WHAT, item, item_members);
	if (strcmp(type, "tpm_quote") == 0)
		return take_quote(item, data, notes, evidence, err);
	if ((strcmp(type, "ima_log") == 0 || strcmp(type, "uefi_log") == 0) &&
	    json_is_null(json_object_get(data, "entries"))) {
		import_note(notes, "the %s has no entries", type);
		return 0;
	}
	if (strcmp(type, "ima_log") == 0)
		return take_ima(item, data, notes, evidence, err);
	if (strcmp(type, "uefi_log") == 0)
		return take_firmware(data, notes, evidence, err);
	import_note(notes, "left out: evidence of the type %s, which is not known",
		    text_escape(BYTES((const uint8_t *)type, strlen(type)), shown, sizeof(shown)));
	return 0;
}

int keylime_push_read(const json_t *root, const struct import_notes *notes,
		      struct evidence *evidence, struct assay_error *err)
{
	const json_t *attributes = json_object_get(json_object_get(root, "data"), "attributes");
	const json_t *items = NULL, *item;
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]) && !items; i++)
		items = json_object_get(attributes, lists[i]);
	if (!json_is_array(items))
		return assay_fail(err, EBADMSG,
				  WHAT
				  " has neither \"evidence_collected\" nor \"evidence\": it is "
				  "of another step of the exchange");
	json_array_foreach(items, i, item) {
		r = take_item(item, notes, evidence, err);
		if (r < 0)
			return r;
	}
	if (evidence->attest.size == 0)
		return assay_fail(err, EBADMSG, WHAT " has no quote (\"tpm_quote\")");
	return 0;
}
