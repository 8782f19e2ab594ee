// SPDX-License-Identifier: MIT
#include "enroll/message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/der.h"
#include "base/utc.h"

#define TYPE_REQUEST "enroll-request"
#define TYPE_CHALLENGE "enroll-challenge"
#define TYPE_ANSWER "enroll-answer"
#define TYPE_PENDING "enroll-pending"

#define WHAT_REQUEST "the request for enrolment"
#define WHAT_CHALLENGE "the challenge"
#define WHAT_ANSWER "the answer"
#define WHAT_PENDING "the open challenge"

/* ---------------------------------------------------------------- writing */

/* Each certificate by itself. */
static json_t *chain_to_json(const struct enroll_request *request)
{
	struct bytes rest = buffer_bytes(&request->ek_chain), certificate;
	json_t *chain = json_array();

	while (chain && der_take_sequence(&rest, &certificate))
		if (json_array_append_new(chain, json_base64(certificate)) < 0) {
			json_decref(chain);
			return NULL;
		}
	return chain;
}

static json_t *request_to_json(const struct enroll_request *request)
{
	json_t *root = json_pack("{s:i, s:s, s:s, s:o, s:o}", "assay", JSON_VERSION, "type",
				 TYPE_REQUEST, "machine_id", request->machine_id, "ek_public",
				 json_base64(buffer_bytes(&request->ek_public)), "ak_public",
				 json_base64(buffer_bytes(&request->ak_public)));

	if (root &&
	    ((request->ek_certificate.size > 0 &&
	      json_object_set_new(root, "ek_certificate",
				  json_base64(buffer_bytes(&request->ek_certificate))) < 0) ||
	     (request->ek_chain.size > 0 &&
	      json_object_set_new(root, "ek_chain", chain_to_json(request)) < 0) ||
	     (request->ak_qualified_name.size > 0 &&
	      json_object_set_new(root, "ak_qualified_name",
				  json_hex(buffer_bytes(&request->ak_qualified_name))) < 0))) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static int check_request(const struct enroll_request *request, struct assay_error *err)
{
	if (machine_id_valid(request->machine_id) && request->ek_public.size > 0 &&
	    request->ak_public.size > 0)
		return 0;
	return assay_fail(err, EINVAL, WHAT_REQUEST " is not complete");
}

int enroll_request_write(FILE *stream, const struct enroll_request *request,
			 struct assay_error *err)
{
	int r = check_request(request, err);

	return r < 0 ? r : json_write(stream, request_to_json(request), WHAT_REQUEST, err);
}

int enroll_challenge_write(FILE *stream, const struct enroll_challenge *challenge,
			   struct assay_error *err)
{
	return json_write(
		stream,
		json_pack(
			"{s:i, s:s, s:o, s:o, s:o}", "assay", JSON_VERSION, "type", TYPE_CHALLENGE,
			"id", json_hex(BYTES(challenge->id, sizeof(challenge->id))), "credential",
			json_base64(buffer_bytes(&challenge->credential.blob)), "encrypted_secret",
			json_base64(buffer_bytes(&challenge->credential.secret))),
		WHAT_CHALLENGE, err);
}

int enroll_answer_write(FILE *stream, const struct enroll_answer *answer, struct assay_error *err)
{
	return json_write(stream,
			  json_pack("{s:i, s:s, s:o, s:o}", "assay", JSON_VERSION, "type",
				    TYPE_ANSWER, "id",
				    json_hex(BYTES(answer->id, sizeof(answer->id))), "secret",
				    json_hex(BYTES(answer->secret, sizeof(answer->secret)))),
			  WHAT_ANSWER, err);
}

int enroll_pending_write(FILE *stream, const struct enroll_pending *pending,
			 struct assay_error *err)
{
	char expires[UTC_LENGTH + 1];
	int r = check_request(&pending->request, err);

	if (r < 0)
		return r;
	return json_write(stream,
			  json_pack("{s:i, s:s, s:o, s:o, s:s, s:o}", "assay", JSON_VERSION, "type",
				    TYPE_PENDING, "id",
				    json_hex(BYTES(pending->id, sizeof(pending->id))),
				    "secret_sha256",
				    json_hex(BYTES(pending->secret.bytes, pending->secret.size)),
				    "expires", utc_text(pending->expires, expires), "request",
				    request_to_json(&pending->request)),
			  WHAT_PENDING, err);
}

/* ---------------------------------------------------------------- reading */

static int get_binary(const json_t *object, const char *key, const char *what, size_t limit,
		      struct buffer *out, struct assay_error *err)
{
	int r = json_get_base64(object, key, what, out, err);

	if (r == 0 && (out->size == 0 || out->size > limit))
		r = assay_fail(err, EBADMSG, "%s: \"%s\" has %zu bytes; 1 to %zu are read", what,
			       key, out->size, limit);
	return r;
}

/* Exactly so many bytes in hex. */
static int get_fixed(const json_t *object, const char *key, const char *what, uint8_t *ret,
		     size_t size, struct assay_error *err)
{
	const char *text;
	size_t length;
	int r = json_get_string(object, key, what, &text, err);

	if (r < 0)
		return r;
	if (hex_decode(text, ret, size, &length) < 0 || length != size)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is not %zu bytes in hexadecimal", what,
				  key, size);
	return 0;
}

/* Each is one certificate, by its length at least. */
static int get_chain(const json_t *root, const char *what, struct buffer *out,
		     struct assay_error *err)
{
	const json_t *chain = json_object_get(root, "ek_chain"), *value;
	size_t i;

	if (!chain)
		return 0;
	if (!json_is_array(chain) || json_array_size(chain) == 0)
		return assay_fail(err, EBADMSG, "%s: \"ek_chain\" is not an array of certificates",
				  what);
	json_array_foreach((json_t *)chain, i, value) {
		CLEANUP(buffer_free) struct buffer der = { 0 };
		struct bytes rest, certificate;
		int r = json_is_string(value) ? base64_decode(json_string_value(value),
							      json_string_length(value), &der) :
						-EINVAL;

		if (r == -ENOMEM)
			return assay_fail(err, ENOMEM, "out of memory");
		rest = buffer_bytes(&der);
		if (r < 0 || !der_take_sequence(&rest, &certificate) || rest.size > 0)
			return assay_fail(
				err, EBADMSG,
				"%s: \"ek_chain\": number %zu is not a certificate (DER in "
				"base64)",
				what, i + 1);
		if (out->size + der.size > ENROLL_MAX_CHAIN)
			return assay_fail(
				err, EBADMSG,
				"%s: \"ek_chain\" has more than the %d bytes that are read", what,
				ENROLL_MAX_CHAIN);
		buffer_append_bytes(out, buffer_bytes(&der));
	}
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static int parse_request(const json_t *root, struct enroll_request *request,
			 struct assay_error *err)
{
	static const char *const known[] = {
		"assay",    "type",	 "machine_id",	      "ek_public", "ek_certificate",
		"ek_chain", "ak_public", "ak_qualified_name", NULL
	};
	const char *what = WHAT_REQUEST;
	const char *machine_id;
	int r = json_check_head(root, TYPE_REQUEST, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = json_get_string(root, "machine_id", what, &machine_id, err);
	if (r != 0)
		return r;
	if (!machine_id_valid(machine_id))
		return assay_fail(err, EBADMSG, "%s: \"machine_id\" is not a machine's id", what);
	memcpy(request->machine_id, machine_id, strlen(machine_id) + 1);
	r = get_binary(root, "ek_public", what, ENROLL_MAX_STRUCTURE, &request->ek_public, err);
	if (r == 0 && json_object_get(root, "ek_certificate"))
		r = get_binary(root, "ek_certificate", what, ENROLL_MAX_CERTIFICATE,
			       &request->ek_certificate, err);
	if (r == 0)
		r = get_chain(root, what, &request->ek_chain, err);
	if (r == 0)
		r = get_binary(root, "ak_public", what, ENROLL_MAX_STRUCTURE, &request->ak_public,
			       err);
	if (r == 0 && json_object_get(root, "ak_qualified_name"))
		r = json_get_hex(root, "ak_qualified_name", what, &request->ak_qualified_name, err);
	if (r == 0 && request->ak_qualified_name.size > RECORD_MAX_QUALIFIED_NAME)
		r = assay_fail(err, EBADMSG, "%s: \"ak_qualified_name\" is too long", what);
	return r;
}

static int parse_challenge(const json_t *root, struct enroll_challenge *challenge,
			   struct assay_error *err)
{
	static const char *const known[] = {
		"assay", "type", "id", "credential", "encrypted_secret", NULL
	};
	const char *what = WHAT_CHALLENGE;
	int r = json_check_head(root, TYPE_CHALLENGE, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = get_fixed(root, "id", what, challenge->id, sizeof(challenge->id), err);
	if (r == 0)
		r = get_binary(root, "credential", what, ENROLL_MAX_STRUCTURE,
			       &challenge->credential.blob, err);
	if (r == 0)
		r = get_binary(root, "encrypted_secret", what, ENROLL_MAX_STRUCTURE,
			       &challenge->credential.secret, err);
	return r;
}

static int parse_answer(const json_t *root, struct enroll_answer *answer, struct assay_error *err)
{
	static const char *const known[] = { "assay", "type", "id", "secret", NULL };
	const char *what = WHAT_ANSWER;
	int r = json_check_head(root, TYPE_ANSWER, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = get_fixed(root, "id", what, answer->id, sizeof(answer->id), err);
	if (r == 0)
		r = get_fixed(root, "secret", what, answer->secret, sizeof(answer->secret), err);
	return r;
}

static int parse_pending(const json_t *root, struct enroll_pending *pending,
			 struct assay_error *err)
{
	static const char *const known[] = { "assay",	"type",	   "id", "secret_sha256",
					     "expires", "request", NULL };
	const char *what = WHAT_PENDING;
	const json_t *request;
	int r = json_check_head(root, TYPE_PENDING, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = get_fixed(root, "id", what, pending->id, sizeof(pending->id), err);
	pending->secret = (struct assay_digest){ .hash = ASSAY_HASH_SHA256,
						 .size = assay_hash_size(ASSAY_HASH_SHA256) };
	if (r == 0)
		r = get_fixed(root, "secret_sha256", what, pending->secret.bytes,
			      pending->secret.size, err);
	if (r == 0)
		r = json_get_time(root, "expires", what, &pending->expires, err);
	if (r == 0)
		r = json_get_object(root, "request", what, &request, err);
	if (r == 0)
		r = parse_request(request, &pending->request, err);
	return r;
}

static int parse_text(struct bytes text, const char *what, json_t **ret, struct assay_error *err)
{
	int r;

	if (text.size > ENROLL_MAX_SIZE)
		return assay_fail(err, EFBIG, "%s has %zu bytes; at most %u are read", what,
				  text.size, ENROLL_MAX_SIZE);
	r = json_limit_values(text, ENROLL_MAX_VALUES, what, err);
	return r < 0 ? r : json_parse(text, what, ret, err);
}

int enroll_request_parse(struct bytes text, struct enroll_request *ret, struct assay_error *err)
{
	struct enroll_request request = { 0 };
	json_t *root;
	int r = parse_text(text, WHAT_REQUEST, &root, err);

	if (r < 0)
		return r;
	r = parse_request(root, &request, err);
	json_decref(root);
	if (r < 0)
		enroll_request_free(&request);
	else
		*ret = request;
	return r;
}

int enroll_challenge_parse(struct bytes text, struct enroll_challenge *ret, struct assay_error *err)
{
	struct enroll_challenge challenge = { 0 };
	json_t *root;
	int r = parse_text(text, WHAT_CHALLENGE, &root, err);

	if (r < 0)
		return r;
	r = parse_challenge(root, &challenge, err);
	json_decref(root);
	if (r < 0)
		enroll_challenge_free(&challenge);
	else
		*ret = challenge;
	return r;
}

int enroll_answer_parse(struct bytes text, struct enroll_answer *ret, struct assay_error *err)
{
	struct enroll_answer answer = { 0 };
	json_t *root;
	int r = parse_text(text, WHAT_ANSWER, &root, err);

	if (r < 0)
		return r;
	r = parse_answer(root, &answer, err);
	json_decref(root);
	if (r == 0)
		*ret = answer;
	return r;
}

int enroll_pending_parse(struct bytes text, struct enroll_pending *ret, struct assay_error *err)
{
	struct enroll_pending pending = { 0 };
	json_t *root;
	int r = parse_text(text, WHAT_PENDING, &root, err);

	if (r < 0)
		return r;
	r = parse_pending(root, &pending, err);
	json_decref(root);
	if (r < 0)
		enroll_pending_free(&pending);
	else
		*ret = pending;
	return r;
}

void enroll_request_free(struct enroll_request *request)
{
	buffer_free(&request->ek_public);
	buffer_free(&request->ek_certificate);
	buffer_free(&request->ek_chain);
	buffer_free(&request->ak_public);
	buffer_free(&request->ak_qualified_name);
	*request = (struct enroll_request){ 0 };
}

void enroll_challenge_free(struct enroll_challenge *challenge)
{
	credential_free(&challenge->credential);
}

void enroll_pending_free(struct enroll_pending *pending)
{
	enroll_request_free(&pending->request);
}
