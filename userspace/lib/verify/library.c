// SPDX-License-Identifier: MIT
/* libassay-verify: assay-verify.h in the terms of lib/verify. */
#include "assay-verify.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sign/certificate.h"
#include "verify/policy.h"
#include "verify/state.h"
#include "verify/verify.h"

/* All else of the library is hidden. */
#define PUBLIC __attribute__((visibility("default")))

/* What both sides are compiled with: a change here is a change of the ABI. */
#if defined(__LP64__)
_Static_assert(sizeof(struct assay_verify_manifest) == 72, "struct assay_verify_manifest");
_Static_assert(sizeof(struct assay_verify_params) == 296, "struct assay_verify_params");
_Static_assert(sizeof(struct assay_verify_check) == 72, "struct assay_verify_check");
#endif

struct assay_verdict {
	struct verdict verdict;
	char *json;
	char *state;
};

/* What the parameters are made into; inputs_free() it. */
struct inputs {
	struct policy policy;
	struct verify_state state;
	struct verify_manifest *manifests;
	X509 **certificates, **ima_certificates;
	size_t certificate_count, ima_certificate_count;
};

static struct bytes borrow(struct assay_verify_bytes bytes)
{
	return BYTES(bytes.data, bytes.size);
}

/* ---------------------------------------------------------------- parameters */

static bool all_zero(const uint64_t *reserved, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reserved[i] != 0)
			return false;
	return true;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int check_params(const struct assay_verify_params *params, struct assay_error *err)
{
	if (params->version != ASSAY_VERIFY_PARAMS_VERSION)
		return assay_fail(err, EINVAL,
				  "the parameters are of version %u; this library takes version %d",
				  params->version, ASSAY_VERIFY_PARAMS_VERSION);
	if (params->flags != 0 || !all_zero(params->reserved, COUNT_OF(params->reserved)))
		return assay_fail(err, EINVAL, "flags and reserved parameters must be 0");
	for (size_t i = 0; i < params->manifest_count; i++)
		if (!all_zero(params->manifests[i].reserved,
			      COUNT_OF(params->manifests[i].reserved)))
			return assay_fail(err, EINVAL, "reserved members of manifests must be 0");
	return 0;
}

static int add_certificate(struct bytes data, const char *name, X509 ***array, size_t *count,
			   struct assay_error *err)
{
	X509 **grown = realloc(*array, (*count + 1) * sizeof(X509 *));
	int r;

	if (!grown)
		return assay_fail(err, ENOMEM, "out of memory");
	*array = grown;
	r = certificate_parse(data, name, &grown[*count], err);
	if (r == 0)
		(*count)++;
	else if (r != -ENOMEM)
		r = -EBADMSG;
	return r;
}

static int read_certificates(const struct assay_verify_bytes *given, size_t given_count,
			     const struct policy_certificate *named, size_t named_count,
			     X509 ***array, size_t *count, struct assay_error *err)
{
	char name[64];
	int r = 0;

	for (size_t i = 0; i < given_count && r == 0; i++) {
		snprintf(name, sizeof(name), "certificate %zu", i);
		r = add_certificate(borrow(given[i]), name, array, count, err);
	}
	for (size_t i = 0; i < named_count && r == 0; i++) {
		const char *pem = named[i].pem;

		if (pem)
			r = add_certificate(BYTES((const uint8_t *)pem, strlen(pem)),
					    "a certificate in the policy", array, count, err);
	}
	return r;
}

static int read_manifests(const struct assay_verify_params *params, struct inputs *inputs,
			  struct assay_error *err)
{
	if (params->manifest_count == 0)
		return 0;
	inputs->manifests = calloc(params->manifest_count, sizeof(*inputs->manifests));
	if (!inputs->manifests)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < params->manifest_count; i++)
		inputs->manifests[i] = (struct verify_manifest){
			.name = params->manifests[i].name ? params->manifests[i].name : "",
			.text = borrow(params->manifests[i].text),
			.signature = borrow(params->manifests[i].signature),
		};
	return 0;
}

static int read_state(struct bytes text, struct verify_state *ret, struct assay_error *err)
{
	json_t *json;
	int r = json_parse(text, "the state", &json, err);

	if (r < 0)
		return r;
	r = state_from_json(json, ret, err);
	json_decref(json);
	return r;
}

static int read_inputs(const struct assay_verify_params *params, struct inputs *inputs,
		       struct assay_error *err)
{
	const struct policy *policy = &inputs->policy;
	int r = 0;

	verify_policy_default(&inputs->policy.rules);
	if (params->policy.size > 0)
		r = policy_parse(borrow(params->policy), &inputs->policy, err);
	if (r == 0 && params->state.size > 0)
		r = read_state(borrow(params->state), &inputs->state, err);
	if (r == 0)
		r = read_manifests(params, inputs, err);
	if (r == 0)
		r = read_certificates(params->certificates, params->certificate_count,
				      policy->certificates, policy->certificate_count,
				      &inputs->certificates, &inputs->certificate_count, err);
	if (r == 0)
		r = read_certificates(params->ima_certificates, params->ima_certificate_count,
				      policy->ima_certificates, policy->ima_certificate_count,
				      &inputs->ima_certificates, &inputs->ima_certificate_count,
				      err);
	return r;
}

static void free_certificates(X509 **certificates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		X509_free(certificates[i]);
	free(certificates);
}

static void inputs_free(struct inputs *inputs)
{
	policy_free(&inputs->policy);
	free(inputs->manifests);
	free_certificates(inputs->certificates, inputs->certificate_count);
	free_certificates(inputs->ima_certificates, inputs->ima_certificate_count);
}

/* ---------------------------------------------------------------- the verdict */

static void judge(const struct assay_verify_params *params, const struct inputs *inputs,
		  struct verdict *ret)
{
	struct verify_input input = {
		.evidence = borrow(params->evidence),
		.nonce = borrow(params->nonce),
		.ak_public = borrow(params->ak_public),
		.ak_qualified_name = borrow(params->ak_qualified_name),
		.state = params->state.size > 0 ? &inputs->state : NULL,
		.now = params->now,
		.nonce_issued = params->nonce_issued,
		.manifests = inputs->manifests,
		.manifest_count = params->manifest_count,
		.certificates = inputs->certificates,
		.certificate_count = inputs->certificate_count,
		.ima_certificates = inputs->ima_certificates,
		.ima_certificate_count = inputs->ima_certificate_count,
	};

	verify(&input, &inputs->policy.rules, ret);
}

PUBLIC int assay_verify(const struct assay_verify_params *params,
			struct assay_verdict **ret_verdict, struct assay_verify_error *error)
{
	struct assay_error err = { 0 };
	struct inputs inputs = { 0 };
	struct assay_verdict *verdict = NULL;
	int r = check_params(params, &err);

	/* What is in the caller's queue of errors stays, and nothing comes to it. */
	(void)ERR_set_mark();
	if (r == 0)
		r = read_inputs(params, &inputs, &err);
	if (r == 0) {
		verdict = calloc(1, sizeof(*verdict));
		if (!verdict)
			r = assay_fail(&err, ENOMEM, "out of memory");
	}
	if (verdict) {
		judge(params, &inputs, &verdict->verdict);
		*ret_verdict = verdict;
	}
	inputs_free(&inputs);
	(void)ERR_pop_to_mark();
	if (r < 0 && error)
		snprintf(error->text, sizeof(error->text), "%s", err.text);
	return r;
}

PUBLIC int assay_verdict_trusted(const struct assay_verdict *verdict)
{
	return verdict_trusted(&verdict->verdict);
}

PUBLIC size_t assay_verdict_checks(const struct assay_verdict *verdict)
{
	(void)verdict;
	return CHECK_COUNT;
}

PUBLIC int assay_verdict_check(const struct assay_verdict *verdict, size_t index,
			       struct assay_verify_check *ret_check)
{
	uint64_t bit;

	if (index >= CHECK_COUNT)
		return -ERANGE;
	bit = CHECK_BIT(index);
	*ret_check = (struct assay_verify_check){
		.name = check_name((enum check)index),
		.question = check_question((enum check)index),
		.detail = verdict->verdict.detail[index],
		.advice = check_advice((enum check)index),
		.result = verdict->verdict.passed & bit ? ASSAY_VERIFY_PASS :
			  verdict->verdict.failed & bit ? ASSAY_VERIFY_FAIL :
							  ASSAY_VERIFY_NOT_CHECKED,
		.required = (verdict->verdict.required & bit) != 0,
	};
	return 0;
}

PUBLIC size_t assay_verdict_reason(const struct assay_verdict *verdict)
{
	return verdict_reason(&verdict->verdict);
}

/* @json: taken over; may be NULL */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	json_decref(json);
	return text;
}

PUBLIC const char *assay_verdict_json(struct assay_verdict *verdict)
{
	if (!verdict->json)
		verdict->json = dump(verdict_to_json(&verdict->verdict));
	return verdict->json;
}

PUBLIC const char *assay_verdict_state(struct assay_verdict *verdict)
{
	if (!verdict->state && verdict_trusted(&verdict->verdict))
		verdict->state = dump(state_to_json(&verdict->verdict.state));
	return verdict->state;
}

PUBLIC void assay_verdict_free(struct assay_verdict *verdict)
{
	if (!verdict)
		return;
	free(verdict->json);
	free(verdict->state);
	free(verdict);
}

PUBLIC const char *assay_verify_version(void)
{
	return ASSAY_VERSION;
}
