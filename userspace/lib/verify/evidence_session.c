// SPDX-License-Identifier: MIT
#include "verify/evidence_session.h"

#include <errno.h>
#include <stdlib.h>

#include "verify/evidence_binary.h"

#define WHAT "the evidence's session"
#define WHAT_CERTIFIED "what the evidence's session certified"

int evidence_add_certified(struct evidence_session *session, struct bytes attest,
			   struct bytes signature, struct assay_error *err)
{
	struct evidence_certified *list, *added;

	if (session->certified_count == EVIDENCE_MAX_CERTIFIED)
		return assay_fail(err, E2BIG, WHAT " certified more than %d indices",
				  EVIDENCE_MAX_CERTIFIED);
	list = realloc(session->certified, (session->certified_count + 1) * sizeof(*list));
	if (!list)
		return assay_fail(err, ENOMEM, "out of memory");
	session->certified = list;
	added = &list[session->certified_count++];
	*added = (struct evidence_certified){ 0 };
	buffer_append_bytes(&added->attest, attest);
	buffer_append_bytes(&added->signature, signature);
	if (added->attest.failed || added->signature.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

void evidence_session_free(struct evidence_session *session)
{
	for (size_t i = 0; i < session->certified_count; i++) {
		buffer_free(&session->certified[i].attest);
		buffer_free(&session->certified[i].signature);
	}
	free(session->certified);
	buffer_free(&session->attest);
	buffer_free(&session->signature);
	buffer_free(&session->text);
	*session = (struct evidence_session){ 0 };
}

/* ---------------------------------------------------------------- writing */

static int check_pair(const struct buffer *attest, const struct buffer *signature,
		      struct assay_error *err)
{
	int r = evidence_check_binary(attest, EVIDENCE_MAX_STRUCTURE, "session.attest", err);

	return r < 0 ? r :
		       evidence_check_binary(signature, EVIDENCE_MAX_STRUCTURE, "session.signature",
					     err);
}

int evidence_session_check(const struct evidence_session *session, struct assay_error *err)
{
	int r = check_pair(&session->attest, &session->signature, err);

	if (r == 0)
		r = evidence_check_binary(&session->text, EVIDENCE_MAX_TEXT, "session.text", err);
	for (size_t i = 0; r == 0 && i < session->certified_count; i++)
		r = check_pair(&session->certified[i].attest, &session->certified[i].signature,
			       err);
	return r;
}

static json_t *pair_json(const struct buffer *attest, const struct buffer *signature)
{
	return json_pack("{s:o, s:o}", "attest", json_base64(buffer_bytes(attest)), "signature",
			 json_base64(buffer_bytes(signature)));
}

json_t *evidence_session_json(const struct evidence_session *session)
{
	json_t *ret = pair_json(&session->attest, &session->signature);
	json_t *list = json_array();
	int r = 0;

	r |= json_object_set_new(ret, "text", json_base64(buffer_bytes(&session->text)));
	for (size_t i = 0; i < session->certified_count; i++)
		r |= json_array_append_new(list, pair_json(&session->certified[i].attest,
							   &session->certified[i].signature));
	r |= json_object_set_new(ret, "certified", list);
	if (r < 0) {
		json_decref(ret);
		return NULL;
	}
	return ret;
}

/* ---------------------------------------------------------------- reading */

static int get_pair(const json_t *object, const char *what, struct json_lifted *lifted,
		    struct buffer *attest, struct buffer *signature, struct assay_error *err)
{
	int r = evidence_get_binary(object, "attest", what, EVIDENCE_MAX_STRUCTURE, lifted, attest,
				    err);

	return r < 0 ? r :
		       evidence_get_binary(object, "signature", what, EVIDENCE_MAX_STRUCTURE,
					   lifted, signature, err);
}

static int get_certified(const json_t *each, struct json_lifted *lifted,
			 struct evidence_session *session, struct assay_error *err)
{
	static const char *const known[] = { "attest", "signature", NULL };
	struct buffer attest = { 0 }, signature = { 0 };
	int r = json_is_object(each) ?
			json_only(each, known, WHAT_CERTIFIED, err) :
			assay_fail(err, EBADMSG, WHAT_CERTIFIED " is no list of objects");

	if (r == 0)
		r = get_pair(each, WHAT_CERTIFIED, lifted, &attest, &signature, err);
	if (r == 0)
		r = evidence_add_certified(session, buffer_bytes(&attest), buffer_bytes(&signature),
					   err);
	buffer_free(&attest);
	buffer_free(&signature);
	return r;
}

int evidence_session_parse(const json_t *object, struct json_lifted *lifted,
			   struct evidence_session *ret, struct assay_error *err)
{
	static const char *const known[] = { "attest", "signature", "text", "certified", NULL };
	const json_t *list = json_object_get(object, "certified"), *each;
	int r = json_only(object, known, WHAT, err);
	size_t i;

	if (r == 0)
		r = get_pair(object, WHAT, lifted, &ret->attest, &ret->signature, err);
	if (r == 0)
		r = evidence_get_binary(object, "text", WHAT, EVIDENCE_MAX_TEXT, lifted, &ret->text,
					err);
	if (r == 0 && (!json_is_array(list) || json_array_size(list) > EVIDENCE_MAX_CERTIFIED))
		r = assay_fail(err, EBADMSG,
			       WHAT ": \"certified\" must be a list of at most %d objects",
			       EVIDENCE_MAX_CERTIFIED);
	json_array_foreach(list, i, each) {
		if (r == 0)
			r = get_certified(each, lifted, ret, err);
	}
	return r;
}
