// SPDX-License-Identifier: MIT
#include "import/systemd_session.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "import/tss_json.h"
#include "verify/report_text.h"
#include "verify/structures.h"

#define WHAT "a component"

int systemd_component(const json_t *component, uint16_t type, const char *const known[],
		      const struct import_notes *notes, struct buffer *ret_attest,
		      struct buffer *ret_signature, struct assay_error *err)
{
	const json_t *info, *part = NULL;
	int r = json_get_object(component, "attestInfo", WHAT, &info, err);

	if (r == 0)
		r = json_get_object(info, "attest", "a component's \"attestInfo\"", &part, err);
	if (r == 0)
		r = tss_json_attest(part, type, ret_attest, err);
	if (r == 0)
		r = json_get_object(component, "signature", WHAT, &part, err);
	if (r == 0)
		r = tss_json_signature(part, ret_signature, err);
	if (r == 0)
		import_note_others(notes, WHAT, component, known);
	return r;
}

static bool is_of_type(const json_t *component, const char *type)
{
	const char *found = json_string_value(json_object_get(component, "type"));

	return found && strcmp(found, type) == 0;
}

/* The commands whose digest is the session's: these, in this order. */
static bool is_known(const json_t *components)
{
	const size_t count = json_array_size(components);

	if (count < 2 || !is_of_type(json_array_get(components, 0), "pcr") ||
	    !is_of_type(json_array_get(components, count - 1), "session-audit"))
		return false;
	for (size_t i = 1; i + 1 < count; i++)
		if (!is_of_type(json_array_get(components, i), "nvpcr"))
			return false;
	return true;
}

static int take_certified(const json_t *component, const struct import_notes *notes,
			  struct evidence_session *session, struct assay_error *err)
{
	static const char *const known[] = { "type",	     "nvpcrName", "nvPublic",
					     "attestInfo",   "signature", "authenticatedData",
					     "signaturePEM", NULL };
	CLEANUP(buffer_free) struct buffer attest = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	int r = systemd_component(component, TPM_ST_ATTEST_NV, known, notes, &attest, &signature,
				  err);

	return r < 0 ? r :
		       evidence_add_certified(session, buffer_bytes(&attest),
					      buffer_bytes(&signature), err);
}

static int take_session(const json_t *components, struct bytes text,
			const struct import_notes *notes, struct evidence *evidence,
			struct assay_error *err)
{
	static const char *const known[] = { "type",	     "attestInfo",	    "signature",
					     "signaturePEM", "sessionAuditHashAlg", NULL };
	struct evidence_session *session = &evidence->session;
	const size_t last = json_array_size(components) - 1;
	int r = 0;

	for (size_t i = 1; r == 0 && i < last; i++)
		r = take_certified(json_array_get(components, i), notes, session, err);
	if (r == 0)
		r = systemd_component(json_array_get(components, last), TPM_ST_ATTEST_SESSION_AUDIT,
				      known, notes, &session->attest, &session->signature, err);
	if (r < 0)
		return r == -E2BIG ? assay_fail(err, EBADMSG, "there are too many NvPCRs") : r;
	buffer_append_bytes(&session->text, text);
	evidence->nonce.size = 0;
	evidence->has_session = true;
	if (session->text.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return report_text_nonce(text, &evidence->nonce, err);
}

int systemd_session_import(const json_t *components, struct bytes text,
			   const struct import_notes *notes, struct evidence *evidence,
			   struct assay_error *err)
{
	if (!is_known(components)) {
		import_note(notes, "left out: the session of the quote: it has not a quote first, "
				   "attestations of NvPCRs, and its own last");
		return 0;
	}
	if (text.size > EVIDENCE_MAX_TEXT) {
		import_note(notes,
			    "left out: the session of the quote, since the report has %zu bytes, "
			    "and evidence holds %u: have it made of the metrics that are needed",
			    text.size, EVIDENCE_MAX_TEXT);
		return 0;
	}
	return take_session(components, text, notes, evidence, err);
}
