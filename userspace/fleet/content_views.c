// SPDX-License-Identifier: MIT
#include "content_views.h"

#include <errno.h>
#include <string.h>

#include "act.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "judge.h"
#include "refs.h"
#include "view_common.h"

/* ---------------------------------------------------------------- evidence */

static int body_row(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	struct buffer *body = context;

	(void)set;
	(void)count;
	buffer_append(body, columns[0].bytes.data, columns[0].bytes.size);
	return body->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_digest(const char *text, struct assay_digest *ret, struct assay_error *err)
{
	if (hex_decode(text, ret->bytes, sizeof(ret->bytes), &ret->size) < 0 ||
	    ret->size != assay_hash_size(ASSAY_HASH_SHA256))
		return assay_fail(err, EINVAL, "evidence is named by its SHA-256 in hexadecimal");
	return 0;
}

static int read_body(struct fleet *fleet, const char *name, struct buffer *ret,
		     struct assay_error *err)
{
	static const struct store_statement get = { "b",
						    "SELECT body FROM evidence WHERE digest = $1",
						    NULL };
	struct assay_digest digest;
	int r = read_digest(name, &digest, err);

	if (r == 0) {
		const struct store_value value = store_blob(BYTES(digest.bytes, digest.size));

		r = store_run(fleet->store, &get, &value, 1, body_row, ret, err);
	}
	return r == 0 && ret->size == 0 ? assay_fail(err, ENOENT, "there is no such evidence") : r;
}

void view_evidence(struct http_call *call)
{
	struct fleet *fleet = call->context;
	CLEANUP(buffer_free) struct buffer body = { 0 };
	CLEANUP(evidence_in_free) struct evidence_in in = { 0 };
	struct assay_error err = { 0 };
	int r = read_body(fleet, call->parameter, &body, &err);

	if (r == 0)
		r = evidence_in_read(buffer_bytes(&body), fleet->settings->evidence_max, &in, &err);
	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_bytes(call, "application/json", buffer_bytes(&in.text));
}

/* ---------------------------------------------------------------- policies */

void view_policy(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct ref ref = { 0 };
	struct assay_error err = { 0 };
	json_t *content = NULL;
	uint64_t version;
	int r = view_number(call, "version", 0, INT64_MAX, &version, &err);

	if (r == 0)
		r = refs_get(fleet->store, REF_POLICY, call->parameter, version, REF_NEWEST, &ref,
			     &err);
	if (r == 0)
		r = json_parse(buffer_bytes(&ref.content), "the policy", &content, &err);
	ref_free(&ref);
	view_answer(call, "policy-content", "content", content, r, &err);
}
