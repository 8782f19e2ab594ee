// SPDX-License-Identifier: MIT
#include "report/ear.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "report/trust_vector.h"
#include "sign/jws.h"
#include "verify/sentence.h"

#define SUBMODULE "assay"
#define DEVELOPER "assay"
#define BUILD "assay " ASSAY_VERSION
#define NONCE_MIN 8 /* bytes of an eat_nonce: RFC 9711, section 4.1; at most as evidence has */

/* The names of claims by profile. */
static const struct names {
	const char *tag, *status, *vector, *policy, *verifier;
	bool many_policies; /* the policies are an array */
} names[] = {
	[EAR_VERAISON] = { "tag:github.com,2023:veraison/ear", "ear.status",
			   "ear.trustworthiness-vector", "ear.appraisal-policy-id",
			   "ear.verifier-id", false },
	[EAR_IETF] = { "tag:ietf.org,2026:rats/ear#03", "ear_status", "ear_trustworthiness_vector",
		       "ear_appraisal_policy_ids", "ear_verifier_id", true },
};

const char *ear_profile_tag(enum ear_profile profile)
{
	return names[profile].tag;
}

static json_t *vector_to_json(const struct trust_vector *vector)
{
	json_t *object = json_object();

	for (int claim = 0; object && claim < TRUST_CLAIMS; claim++)
		if (vector->value[claim] != 0)
			json_object_set_new(object, trust_claim_name((enum trust_claim)claim),
					    json_integer(vector->value[claim]));
	return object;
}

/* What the verdict says in this program's own words: a private claim. */
static json_t *verdict_claim(const struct verdict *verdict, const char *device)
{
	json_t *failed = json_array();

	for (int i = 0; failed && i < CHECK_COUNT; i++)
		if (verdict->required & ~verdict->passed & CHECK_BIT(i))
			json_array_append_new(failed, json_string(check_name((enum check)i)));
	return json_pack("{s:s, s:b, s:o, s:s*}", "sentence", verdict_sentence(verdict),
			 "boot_judged", (int)verdict_boot_judged(verdict), "not_passed", failed,
			 "device", device);
}

static json_t *appraisal(const struct verdict *verdict, const struct ear_facts *facts)
{
	const struct names *name = &names[facts->profile];
	struct trust_vector vector = trust_vector_of(verdict);
	json_t *policy = json_string(facts->policy_id);
	json_t *claims;

	if (name->many_policies)
		policy = json_pack("[o]", policy);
	claims = json_pack("{s:s, s:o, s:o, s:o}", name->status,
			   trust_tier_name(trust_status(verdict, &vector)), name->vector,
			   vector_to_json(&vector), name->policy, policy, "assay_verdict",
			   verdict_claim(verdict, facts->device));
	/* That the evidence answers it is the check's to say. */
	if (claims && facts->profile == EAR_IETF && facts->nonce.size >= NONCE_MIN &&
	    verdict->passed & CHECK_BIT(CHECK_QUOTE_NONCE))
		json_object_set_new(claims, "eat_nonce", json_base64(facts->nonce));
	return claims;
}

json_t *ear_claims(const struct verdict *verdict, const struct ear_facts *facts)
{
	const struct names *name = &names[facts->profile];
	json_t *claims =
		json_pack("{s:s, s:I, s:{s:s, s:s}, s:{s:o}}", "eat_profile", name->tag, "iat",
			  (json_int_t)facts->now, name->verifier, "developer", DEVELOPER, "build",
			  BUILD, "submods", SUBMODULE, appraisal(verdict, facts));

	if (claims && facts->nonce.size >= NONCE_MIN)
		json_object_set_new(claims, "eat_nonce", json_base64(facts->nonce));
	return claims;
}

int ear_write(const struct verdict *verdict, const struct ear_facts *facts, struct signer *signer,
	      struct buffer *out, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *claims = ear_claims(verdict, facts);
	CLEANUP(free_pointer) char *text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;

	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	return jws_sign(signer, "JWT", BYTES((const uint8_t *)text, strlen(text)), out, err);
}
