// SPDX-License-Identifier: MIT
#include "keylime_message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "import/keylime_push.h"
#include "import/parts.h"

#define WHAT "the request"
#define ITEMS_MAX 64   /* of a list in a request */
#define PROOF_MAX 4096 /* bytes of a TPM's structure */

const struct keylime_log keylime_logs[KEYLIME_LOGS] = {
	[KEYLIME_UEFI] = { "uefi_log", "application/octet-stream" },
	[KEYLIME_IMA] = { "ima_log", "text/plain" },
};

/* An object {"data": {"type": @type, "attributes": {...}}} */
static int open_message(struct bytes body, const char *type, json_t **ret_root,
			const json_t **ret_attributes, struct assay_error *err)
{
	const json_t *data = NULL;
	const char *found = "";
	int r = json_limit_values(body, IMPORT_MAX_VALUES, WHAT, err);

	if (r == 0)
		r = json_parse(body, WHAT, ret_root, err);
	if (r == 0)
		r = json_get_object(*ret_root, "data", WHAT, &data, err);
	if (r == 0)
		r = json_get_string(data, "type", WHAT, &found, err);
	if (r == 0 && strcmp(found, type) != 0)
		r = assay_fail(err, EBADMSG, WHAT ": \"type\" must be \"%s\"", type);
	return r < 0 ? r : json_get_object(data, "attributes", WHAT, ret_attributes, err);
}

static int get_list(const json_t *attributes, const char *key, const json_t **ret,
		    struct assay_error *err)
{
	*ret = json_object_get(attributes, key);
	if (!json_is_array(*ret) || json_array_size(*ret) == 0 || json_array_size(*ret) > ITEMS_MAX)
		return assay_fail(err, EBADMSG, WHAT ": \"%s\" must be a list of 1 to %d", key,
				  ITEMS_MAX);
	return 0;
}

int keylime_read_capabilities(struct bytes body, unsigned int *ret, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const json_t *attributes = NULL, *list = NULL, *each;
	bool quotes = false;
	size_t i;
	int r = open_message(body, "attestation", &root, &attributes, err);

	if (r == 0)
		r = get_list(attributes, "evidence_supported", &list, err);
	if (r < 0)
		return r;
	*ret = 0;
	json_array_foreach(list, i, each) {
		const char *type = json_string_value(json_object_get(each, "evidence_type"));

		if (!type)
			return assay_fail(err, EBADMSG,
					  WHAT ": a kind of evidence has no \"evidence_type\"");
		quotes |= strcmp(type, "tpm_quote") == 0;
		for (unsigned int log = 0; log < KEYLIME_LOGS; log++)
			if (strcmp(type, keylime_logs[log].type) == 0)
				*ret |= 1U << log;
	}
	return quotes ? 0 : assay_fail(err, EBADMSG, WHAT ": the device has no \"tpm_quote\"");
}

static int get_structure(const json_t *object, const char *key, struct buffer *ret,
			 struct assay_error *err)
{
	int r = json_get_base64(object, key, WHAT, ret, err);

	if (r == 0 && ret->size > PROOF_MAX)
		r = assay_fail(err, EBADMSG, WHAT ": \"%s\" has more than %d bytes", key,
			       PROOF_MAX);
	return r;
}

static int get_agent(const json_t *attributes, const char **ret, struct assay_error *err)
{
	int r = json_get_string(attributes, "agent_id", WHAT, ret, err);

	if (r == 0 && !machine_id_valid(*ret))
		r = assay_fail(err, EBADMSG, WHAT ": \"agent_id\" is no device's name");
	return r;
}

int keylime_read_session(struct bytes body, char agent[RECORD_MAX_MACHINE_ID + 1],
			 struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const json_t *attributes = NULL;
	const char *found = "";
	int r = open_message(body, "session", &root, &attributes, err);

	if (r == 0)
		r = get_agent(attributes, &found, err);
	if (r == 0)
		memcpy(agent, found, strlen(found) + 1);
	return r;
}

int keylime_read_proof(struct bytes body, const char *agent, struct buffer *ret_proof,
		       struct buffer *ret_signature, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const json_t *attributes = NULL, *list = NULL, *data = NULL;
	const char *found = "";
	int r = open_message(body, "session", &root, &attributes, err);

	if (r == 0)
		r = get_agent(attributes, &found, err);
	if (r == 0 && strcmp(found, agent) != 0)
		r = assay_fail(err, EBADMSG, WHAT ": \"agent_id\" is not whose session it is");
	if (r == 0)
		r = get_list(attributes, "authentication_provided", &list, err);
	if (r == 0)
		r = json_get_object(json_array_get(list, 0), "data", WHAT, &data, err);
	if (r == 0)
		r = get_structure(data, "message", ret_proof, err);
	return r < 0 ? r : get_structure(data, "signature", ret_signature, err);
}

/* What the agent leaves out, since the service knows it, is whose key signs. */
int keylime_read_evidence(struct bytes body, struct bytes ak, size_t limit, struct evidence_in *ret,
			  struct assay_error *err)
{
	static const struct import_notes nobody = { 0 };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	const json_t *attributes = NULL;
	int r = open_message(body, "attestation", &root, &attributes, err);

	if (r == 0)
		r = keylime_push_read(root, &nobody, &evidence, err);
	if (r < 0)
		return r;
	evidence.ak_public.size = evidence.ak_key.size = 0;
	buffer_append_bytes(&evidence.ak_public, ak);
	if (evidence.ak_public.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return evidence_in_make(&evidence, limit, ret, err);
}
