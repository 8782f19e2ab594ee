// SPDX-License-Identifier: MIT
#include "out_ear.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "devices.h"
#include "kept_verdict.h"
#include "report/cmw.h"
#include "report/ear.h"
#include "sign/jws.h"

#define COORDINATE 32 /* bytes, of P-256 */

/* ---------------------------------------------------------------- results */

/* struct kept - what the device is held for, and by what; .json: owned */
struct kept {
	uint64_t judged, due;
	enum device_verdict verdict;
	char policy[REF_NAME_MAX + 32];
	json_t *json;
};

static int take_kept(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	struct kept *kept = context;

	(void)set;
	(void)count;
	kept->judged = store_get_number(&columns[0]);
	kept->due = store_get_number(&columns[1]);
	kept->verdict = (enum device_verdict)store_get_number(&columns[2]);
	snprintf(kept->policy, sizeof(kept->policy), "%s", store_get_text(&columns[3]));
	return kept_verdict_take(&columns[4], &kept->json, err);
}

/* What is overdue is silent, even while nobody notes that. */
static bool holds(const struct kept *kept, uint64_t interval)
{
	return (kept->verdict == DEVICE_TRUSTED || kept->verdict == DEVICE_NOT_TRUSTED) &&
	       kept->due + interval >= fleet_now();
}

static int read_kept(struct fleet *fleet, const char *name, struct kept *ret,
		     struct assay_error *err)
{
	static const struct store_statement get = {
		"t",
		"SELECT s.judged, s.due, s.verdict, c.policy, " KEPT_VERDICT_COLUMNS(
			"c.") " FROM device_state s JOIN verdict_change c ON c.id = s.change_id "
			      "WHERE s.name = $1",
		NULL,
	};
	const struct store_value value = store_text(name);
	int r = store_run(fleet->store, &get, &value, 1, take_kept, ret, err);

	if (r == 0 && (!ret->json || ret->judged == 0))
		r = assay_fail(err, ENOENT, "there is no verdict of the device %s", name);
	if (r == 0 && !holds(ret, fleet->settings->interval))
		r = assay_fail(err, ENOENT,
			       "the device %s is silent: no verdict of it holds any more", name);
	return r;
}

/* The sets of checks, as verify() made them: what was kept says each by its name. */
static int read_checks(const json_t *json, struct verdict *ret, struct assay_error *err)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(json, "checks"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *result = json_string_value(json_object_get(row, "result"));
		enum check check;

		if (!name || !result || !check_by_name(name, &check))
			return assay_fail(err, EIO, "a verdict in the database has another form");
		if (json_is_true(json_object_get(row, "required")))
			ret->required |= CHECK_BIT(check);
		if (strcmp(result, "pass") == 0)
			ret->passed |= CHECK_BIT(check);
		else if (strcmp(result, "fail") == 0)
			ret->failed |= CHECK_BIT(check);
	}
	return ret->required != 0 ? 0 : assay_fail(err, EIO, "a verdict in the database is empty");
}

/* struct form - in which a result is wanted, and its media type */
struct form {
	enum ear_profile profile;
	void (*wrap)(const struct cmw *message, struct buffer *out);
	const char *type;
};

static int take_form(const struct http_call *call, struct form *ret, struct assay_error *err)
{
	static const struct {
		const char *name;
		struct form form;
	} wraps[] = {
		{ "", { EAR_VERAISON, NULL, "application/eat+jwt" } },
		{ "json", { EAR_VERAISON, cmw_write_record, "application/cmw+json" } },
		{ "cbor", { EAR_VERAISON, cmw_write_cbor_record, "application/cmw+cbor" } },
	};
	char profile[HTTP_PARAMETER_MAX], wrapped[HTTP_PARAMETER_MAX];

	if (!http_query(call, "profile", profile) ||
	    (profile[0] != '\0' && strcmp(profile, "ietf") != 0 &&
	     strcmp(profile, "veraison") != 0))
		return assay_fail(err, EINVAL, "profile must be veraison or ietf");
	if (!http_query(call, "cmw", wrapped))
		return assay_fail(err, EINVAL, "cmw is too long");
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (strcmp(wraps[i].name, wrapped) != 0)
			continue;
		*ret = wraps[i].form;
		ret->profile = strcmp(profile, "ietf") == 0 ? EAR_IETF : EAR_VERAISON;
		return 0;
	}
	return assay_fail(err, EINVAL, "cmw must be json or cbor");
}

/* In a conceptual message wrapper (RFC 9999), where one is wanted. */
static int wrap(const struct form *form, struct buffer *text, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer out = { 0 };
	struct buffer plain = *text;
	char type[128];

	if (!form->wrap)
		return 0;
	snprintf(type, sizeof(type), "application/eat+jwt; eat_profile=\"%s\"",
		 ear_profile_tag(form->profile));
	const struct cmw message = { .type = type,
				     .value = buffer_bytes(text),
				     .indicator = CMW_ATTESTATION_RESULTS };

	form->wrap(&message, &out);
	if (out.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	*text = out;
	out = plain;
	return 0;
}

static int make_ear(struct http_call *call, struct verdict *verdict, struct form *form,
		    struct buffer *out, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	struct kept kept = { 0 };
	int r;

	if (!fleet->result_signer)
		return assay_fail(err, ENOENT, "the service has no key to sign results by");
	r = take_form(call, form, err);
	if (r < 0)
		return r;
	r = read_kept(fleet, call->parameter, &kept, err);
	if (r == 0)
		r = read_checks(kept.json, verdict, err);
	json_decref(kept.json);
	if (r < 0)
		return r;
	const struct ear_facts facts = {
		.profile = form->profile,
		.now = kept.judged,
		.policy_id = kept.policy,
		.device = call->parameter,
	};

	r = ear_write(verdict, &facts, fleet->result_signer, out, err);
	return r < 0 ? r : wrap(form, out, err);
}

void out_ear(struct http_call *call)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));
	CLEANUP(buffer_free) struct buffer out = { 0 };
	struct form form = { .type = "" };
	struct assay_error err = { 0 };
	int r = verdict ? make_ear(call, verdict, &form, &out, &err) :
			  assay_fail(&err, ENOMEM, "out of memory");

	free(verdict);
	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_bytes(call, form.type, buffer_bytes(&out));
}

/* ---------------------------------------------------------------- the key */

static json_t *coordinate(EVP_PKEY *key, const char *parameter)
{
	uint8_t bytes[COORDINATE];
	struct buffer text = { 0 };
	BIGNUM *number = NULL;
	json_t *json = NULL;

	if (EVP_PKEY_get_bn_param(key, parameter, &number) == 1 &&
	    BN_bn2binpad(number, bytes, sizeof(bytes)) == sizeof(bytes)) {
		jws_base64url(BYTES(bytes, sizeof(bytes)), &text);
		if (!text.failed)
			json = json_stringn((const char *)text.data, text.size);
	}
	BN_free(number);
	buffer_free(&text);
	return json;
}

/* As jws_sign() names the key: the SHA-256 of its SubjectPublicKeyInfo. */
static json_t *key_id(EVP_PKEY *key)
{
	struct assay_digest digest = { 0 };
	uint8_t *der = NULL;
	int size = i2d_PUBKEY(key, &der);
	json_t *json = NULL;

	if (size > 0 &&
	    digest_bytes(ASSAY_HASH_SHA256, BYTES(der, (size_t)size), &digest, NULL) == 0)
		json = json_hex(BYTES(digest.bytes, digest.size));
	OPENSSL_free(der);
	return json;
}

void out_jwks(struct http_call *call)
{
	const struct fleet *fleet = call->context;
	EVP_PKEY *key = fleet->result_signer ? fleet->result_signer->public_key : NULL;

	if (!key) {
		http_answer_json(call, 200, json_pack("{s:[]}", "keys"));
		return;
	}
	http_answer_json(call, 200,
			 json_pack("{s:[{s:s, s:s, s:s, s:s, s:o, s:o, s:o}]}", "keys", "kty", "EC",
				   "crv", "P-256", "use", "sig", "alg", "ES256", "kid", key_id(key),
				   "x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X), "y",
				   coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)));
}
