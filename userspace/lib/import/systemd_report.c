// SPDX-License-Identifier: MIT
#include "import/systemd_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/utc.h"
#include "import/parts.h"
#include "import/systemd_log.h"
#include "import/systemd_session.h"
#include "import/tss_json.h"
#include "log/cel_json.h"
#include "verify/report_text.h"

#define WHAT "the report"
#define MEDIA_TYPE_SIGNATURE REPORT_TEXT_TYPE ".signature"
#define NAME_SHOWN 64

/* ---------------------------------------------------------------- the sequence */

/* The next text of a sequence, with the separator before it and the newline behind it. */
static bool next_text(struct bytes *rest, struct bytes *ret)
{
	const uint8_t *end;

	if (rest->size == 0)
		return false;
	end = memchr(rest->data + 1, CEL_JSON_SEPARATOR, rest->size - 1);
	return bytes_take(rest, end ? (size_t)(end - rest->data) : rest->size, ret);
}

static int parse_text(struct bytes text, const char *type, const char *what, json_t **ret,
		      struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const char *found = "";
	struct bytes separator;
	int r;

	bytes_take(&text, 1, &separator);
	r = json_parse(text, what, &root, err);
	if (r == 0)
		r = json_get_string(root, "mediaType", what, &found, err);
	if (r < 0)
		return r;
	if (strcmp(found, type) != 0)
		return assay_fail(err, EBADMSG, "%s has another \"mediaType\" than %s", what, type);
	*ret = root;
	root = NULL;
	return 0;
}

static const char *escape_name(const char *name, char shown[NAME_SHOWN])
{
	return text_escape(BYTES((const uint8_t *)name, strlen(name)), shown, NAME_SHOWN);
}

/* ---------------------------------------------------------------- the report itself */

/* "Wed 2026-07-15 12:34:56 UTC" */
static bool parse_time(const char *text, uint64_t *ret)
{
	char utc[UTC_LENGTH + 1];

	if (strlen(text) != strlen("Wed 2026-07-15 12:34:56 UTC") || text[3] != ' ' ||
	    text[14] != ' ' || strcmp(text + 23, " UTC") != 0)
		return false;
	memcpy(utc, text + 4, 10);
	utc[10] = 'T';
	memcpy(utc + 11, text + 15, 8);
	memcpy(utc + 19, "Z", sizeof("Z"));
	return utc_parse(utc, ret);
}

/* What the signature covers is the text as it stands, from the separator to the newline. */
static int is_signed(struct bytes text, const json_t *signature, bool *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer told = { 0 };
	struct assay_digest digest;
	int r = json_get_hex(signature, "sha256", "the signature", &told, err);

	if (r == 0)
		r = digest_bytes(ASSAY_HASH_SHA256, text, &digest, err);
	if (r == 0)
		*ret = bytes_equal(buffer_bytes(&told), BYTES(digest.bytes, digest.size));
	return r;
}

static int take_report(struct bytes text, const json_t *report, const json_t *signature,
		       const struct import_notes *notes, struct evidence *evidence,
		       struct assay_error *err)
{
	static const char *const known[] = { "mediaType", "reportID", "nonce",
					     "timestamp", "metrics",  NULL };
	const char *time = json_string_value(json_object_get(report, "timestamp"));
	const json_t *data = json_object_get(signature, "data");
	bool signed_text = false;
	int r = is_signed(text, signature, &signed_text, err);

	if (r < 0)
		return r;
	import_note_others(notes, WHAT, report, known);
	if (json_array_size(json_object_get(report, "metrics")) > 0)
		import_note(notes, "not judged: the report's metrics");
	if (!signed_text) {
		import_note(notes, "the report is not the one that was signed (sha256): nothing "
				   "of it is taken, and not the session");
		return 0;
	}
	evidence->has_collected = time && parse_time(time, &evidence->collected);
	return systemd_session_import(json_object_get(data, "components"), text, notes, evidence,
				      err);
}

/* ---------------------------------------------------------------- what the TPM signed */

static int take_quote(const json_t *component, const struct import_notes *notes,
		      struct evidence *evidence, struct tpm_attest *ret, struct assay_error *err)
{
	static const char *const known[] = { "type",	     "attestInfo",	  "signature",
					     "signaturePEM", "authenticatedData", NULL };
	static const struct import_scheme unknown = { 0 };
	CLEANUP(buffer_free) struct buffer attest = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	int r = systemd_component(component, TPM_ST_ATTEST_QUOTE, known, notes, &attest, &signature,
				  err);

	if (r == 0)
		r = import_attest(buffer_bytes(&attest), evidence, ret, err);
	return r < 0 ? r :
		       import_signature(buffer_bytes(&signature), &unknown, notes, evidence, err);
}

/* What else the session made, of which a quote says nothing. */
static void tell_component(const json_t *component, const char *type,
			   const struct import_notes *notes)
{
	const char *name = json_string_value(json_object_get(component, "nvpcrName"));
	char shown[NAME_SHOWN];

	if (strcmp(type, "nvpcr") == 0)
		import_note(notes, "not judged: the NvPCR %s, which is no PCR",
			    escape_name(name ? name : "without a name", shown));
	else if (strcmp(type, "session-audit") != 0)
		import_note(notes, "left out: a component of the type %s, which is not known",
			    escape_name(type, shown));
}

static int take_components(const json_t *data, const struct import_notes *notes,
			   struct evidence *evidence, struct tpm_attest *ret,
			   struct assay_error *err)
{
	const json_t *components = json_object_get(data, "components"), *component;
	bool found = false;
	size_t i;

	json_array_foreach(components, i, component) {
		const char *type;
		int r = 0;

		if (!json_is_object(component))
			return assay_fail(err, EBADMSG, "\"components\" holds what is no object");
		r = json_get_string(component, "type", "a component", &type, err);
		if (r < 0)
			return r;
		if (strcmp(type, "pcr") != 0) {
			tell_component(component, type, notes);
			continue;
		}
		if (found)
			return assay_fail(err, EBADMSG, "there are two quotes (\"pcr\")");
		found = true;
		r = take_quote(component, notes, evidence, ret, err);
		if (r < 0)
			return r;
	}
	return found ? 0 : assay_fail(err, EBADMSG, "there is no quote (\"pcr\")");
}

static int take_key(const json_t *data, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer public = { 0 };
	const json_t *key;
	int r = json_get_object(data, "publicKey", "the signature's \"data\"", &key, err);

	if (r == 0)
		r = tss_json_public(key, &public, err);
	return r < 0 ? r : import_ak(buffer_bytes(&public), evidence, err);
}

/* A credential of any form: a certificate of the key is one that can be judged. */
static int take_voucher(const json_t *data, const struct import_notes *notes,
			struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer voucher = { 0 };
	int r;

	if (!json_object_get(data, "voucher"))
		return 0;
	r = json_get_base64(data, "voucher", "the signature's \"data\"", &voucher, err);
	if (r < 0)
		return r;
	r = import_certificate(buffer_bytes(&voucher), evidence, err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		import_note(notes, "left out: the key's voucher, which is no certificate");
	return 0;
}

static int take_signature(const json_t *signature, const struct import_notes *notes,
			  struct evidence *evidence, struct assay_error *err)
{
	static const char *const known[] = { "eventLog", "publicKey",  "publicKeyPEM",
					     "voucher",	 "components", NULL };
	const json_t *data = json_object_get(signature, "data");
	struct tpm_attest attest = { 0 };
	int r = take_key(data, evidence, err);

	if (r == 0)
		r = take_components(data, notes, evidence, &attest, err);
	if (r == 0)
		r = systemd_log_import(json_object_get(data, "eventLog"), &attest, notes, evidence,
				       err);
	if (r == 0)
		r = take_voucher(data, notes, evidence, err);
	if (r < 0)
		return r;
	import_note_others(notes, "the signature's \"data\"", data, known);
	return 0;
}

/* ---------------------------------------------------------------- the whole */

/* The first that a TPM made; what made it otherwise is told. */
static int find_signature(struct bytes rest, const struct import_notes *notes, json_t **ret,
			  struct assay_error *err)
{
	struct bytes text;

	while (next_text(&rest, &text)) {
		CLEANUP(json_decref_pointer) json_t *root = NULL;
		char shown[NAME_SHOWN];
		const char *mechanism = "";
		int r = parse_text(text, MEDIA_TYPE_SIGNATURE, "the signature", &root, err);

		if (r == 0)
			r = json_get_string(root, "mechanism", "the signature", &mechanism, err);
		if (r < 0)
			return r;
		if (!json_is_array(json_object_get(json_object_get(root, "data"), "components"))) {
			import_note(notes, "left out: a signature by %s, which is none of a TPM",
				    escape_name(mechanism, shown));
		} else if (*ret) {
			import_note(notes, "left out: another signature of the TPM's, by %s",
				    escape_name(mechanism, shown));
		} else {
			*ret = root;
			root = NULL;
		}
	}
	return *ret ? 0 :
		      assay_fail(err, ENOENT,
				 "no TPM signed the report: have it made with --sign=require-one, "
				 "and systemd-report-sign-tpm2.socket there");
}

int import_systemd_report(struct bytes in, const struct import_notes *notes, struct evidence *ret,
			  struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *report = NULL;
	CLEANUP(json_decref_pointer) json_t *signature = NULL;
	struct bytes rest = in, text;
	int r;

	if (in.size > SYSTEMD_REPORT_MAX)
		return assay_fail(err, EFBIG, WHAT " has %zu bytes; at most %u are read", in.size,
				  SYSTEMD_REPORT_MAX);
	if (in.size == 0 || in.data[0] != CEL_JSON_SEPARATOR || !next_text(&rest, &text))
		return assay_fail(err, EBADMSG,
				  "this is no signed report of systemd: it does not begin with the "
				  "separator 0x1e of JSON texts");
	r = json_limit_values(in, IMPORT_MAX_VALUES, WHAT, err);
	if (r == 0)
		r = parse_text(text, REPORT_TEXT_TYPE, WHAT, &report, err);
	if (r == 0)
		r = find_signature(rest, notes, &signature, err);
	if (r == 0)
		r = take_signature(signature, notes, ret, err);
	if (r == 0)
		r = take_report(text, report, signature, notes, ret, err);
	if (r == 0 && ret->nonce.size == 0)
		import_note(notes, "the report has no nonce: how old it is, nothing in it proves");
	return r;
}
