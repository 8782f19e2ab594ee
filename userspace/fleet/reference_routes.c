// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "reference_routes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "audit.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "refs.h"
#include "verify/record.h"

#define WHAT "the request"

/* ---------------------------------------------------------------- uploads */

/* What can be told of one by itself: a policy has to be one; the others are read with it. */
static int check_content(enum ref_kind kind, struct bytes content, struct bytes signature,
			 struct assay_error *err)
{
	struct assay_verify_message message;
	struct assay_policy *policy;

	if (kind == REF_MANIFEST && signature.size == 0)
		return assay_fail(err, EINVAL, "a manifest must have its \"signature\"");
	if (kind != REF_MANIFEST && signature.size > 0)
		return assay_fail(err, EINVAL, "only a manifest has a \"signature\"");
	if (content.size == 0)
		return assay_fail(err, EINVAL, "\"content\" is empty");
	if (content.size > REF_CONTENT_MAX || signature.size > REF_SIGNATURE_MAX)
		return assay_fail(err, EFBIG, "it has more bytes than are taken: %u",
				  REF_CONTENT_MAX);
	if (kind != REF_POLICY)
		return 0;
	if (assay_policy_new((struct assay_verify_bytes){ content.data, content.size }, &policy,
			     &message) != ASSAY_VERIFY_OK)
		return assay_fail(err, EINVAL, "%s", message.text);
	assay_policy_free(policy);
	return 0;
}

static int read_upload(struct http_call *call, struct buffer *content, struct buffer *signature,
		       struct assay_error *err)
{
	static const char *const known[] = { "content", "signature", NULL };
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	int r = json_parse(call->body, WHAT, &json, err);

	if (r == 0)
		r = json_only(json, known, WHAT, err);
	if (r == 0)
		r = json_get_base64(json, "content", WHAT, content, err);
	if (r == 0 && json_object_get(json, "signature"))
		r = json_get_base64(json, "signature", WHAT, signature, err);
	return r;
}

static int add(struct http_call *call, enum ref_kind kind, uint64_t *ret_version,
	       struct assay_error *err)
{
	struct fleet *fleet = call->context;
	CLEANUP(buffer_free) struct buffer content = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	char what[HTTP_PARAMETER_MAX + 64];
	int r = ref_name_valid(call->parameter) ?
			read_upload(call, &content, &signature, err) :
			assay_fail(err, EINVAL,
				   "a name has up to %d letters, digits, '-', '_', "
				   "'.' and '/'",
				   REF_NAME_MAX);

	if (r == 0)
		r = check_content(kind, buffer_bytes(&content), buffer_bytes(&signature), err);
	if (r == 0)
		r = refs_add(fleet->store, kind, call->parameter, buffer_bytes(&content),
			     buffer_bytes(&signature), call->who, fleet_now(), ret_version, err);
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "%s %s@%" PRIu64, ref_kind_name(kind), call->parameter,
		 *ret_version);
	return audit_add(fleet->store, fleet_now(), call->who, "upload", what, err);
}

static void upload(struct http_call *call, enum ref_kind kind)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	uint64_t version = 0;
	int r = store_begin(fleet->store, &err);

	if (r == 0)
		r = add(call, kind, &version, &err);
	if (r == 0)
		r = store_commit(fleet->store, &err);
	else
		store_rollback(fleet->store);
	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_json(call, 200,
				 json_pack("{s:i, s:s, s:s, s:s, s:I}", "assay", JSON_VERSION,
					   "type", "uploaded", "kind", ref_kind_name(kind), "name",
					   call->parameter, "version", (json_int_t)version));
}

void reference_upload_policy(struct http_call *call)
{
	upload(call, REF_POLICY);
}

void reference_upload_manifest(struct http_call *call)
{
	upload(call, REF_MANIFEST);
}

void reference_upload_certificate(struct http_call *call)
{
	upload(call, REF_CERTIFICATE);
}

/* ---------------------------------------------------------------- lists */

static int list_row(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	json_t *row = json_pack(
		"{s:s, s:s, s:I, s:I, s:s, s:I}", "kind", store_get_text(&columns[0]), "name",
		store_get_text(&columns[1]), "version", (json_int_t)store_get_number(&columns[2]),
		"at", (json_int_t)store_get_number(&columns[3]), "who", store_get_text(&columns[4]),
		"size", (json_int_t)store_get_number(&columns[5]));

	(void)set;
	(void)count;
	return json_array_append_new(context, row) < 0 ? assay_fail(err, ENOMEM, "out of memory") :
							 0;
}

void reference_list(struct http_call *call)
{
	static const struct store_statement get = {
		"",
		"SELECT kind, name, version, at, who, length(content) FROM reference ORDER BY "
		"kind, name, version DESC",
		NULL,
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *list = json_array();
	int r = store_run(fleet->store, &get, NULL, 1, list_row, list, &err);

	if (r < 0) {
		json_decref(list);
		act_failed(call, r, &err);
		return;
	}
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", "references",
				   "references", list));
}

/* ---------------------------------------------------------------- assignments */

void reference_assignments(struct http_call *call)
{
	struct fleet *fleet = call->context;
	CLEANUP(free_pointer)
	struct ref_assignment *assignments = calloc(REF_ASSIGNMENTS_MAX, sizeof(*assignments));
	struct assay_error err = { 0 };
	json_t *list = json_array();
	size_t count = 0;
	int r = assignments ? refs_assignments(fleet->store, assignments, &count, &err) :
			      assay_fail(&err, ENOMEM, "out of memory");

	for (size_t i = 0; r == 0 && i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:I}", "label", assignments[i].label,
						"policy", assignments[i].policy, "version",
						(json_int_t)assignments[i].version));
	if (r < 0) {
		json_decref(list);
		act_failed(call, r, &err);
		return;
	}
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", "assignments",
				   "assignments", list));
}
