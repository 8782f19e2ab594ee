// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "report/vsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/utc.h"
#include "verify/sentence.h"

/* The policy where none is given: assay-verify(1). UUID 6acea581-57c7-425f-a9d1-121e629465d6 */
#define POLICY_BUILT_IN "urn:oid:2.25.141971137551242909418425801665236198870"
/* What a manifest's ".p7s" is to it, and the largest URI of a digest, RFC 6920: 43 characters. */
#define DIGEST_URI_MAX 80

/* "ni:///sha-256;BASE64URL", without padding (RFC 6920, section 3) */
static int digest_uri(const struct assay_digest *digest, char uri[static DIGEST_URI_MAX],
		      struct assay_error *err)
{
	CLEANUP(free_pointer) char *text = base64_encode(BYTES(digest->bytes, digest->size));

	if (!text)
		return assay_fail(err, ENOMEM, "cannot write a summary: out of memory");
	for (char *at = text; *at; at++)
		*at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
	snprintf(uri, DIGEST_URI_MAX, "ni:///sha-256;%.*s", (int)strcspn(text, "="), text);
	return 0;
}

static json_t *policy_json(const struct assay_digest *policy, struct assay_error *err)
{
	char uri[DIGEST_URI_MAX];
	json_t *object;

	if (policy->size == 0)
		return json_pack("{s:s}", "uri", POLICY_BUILT_IN);
	if (digest_uri(policy, uri, err) < 0)
		return NULL;
	object = statement_artifact(NULL, policy);
	json_object_set_new(object, "uri", json_string(uri));
	return object;
}

static int add_manifests(const struct vsa *vsa, json_t *inputs, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < vsa->manifest_count; i++) {
		const struct verify_manifest *manifest = &vsa->manifests[i];
		struct assay_digest digest;

		r = digest_bytes(ASSAY_HASH_SHA256, manifest->text, &digest, err);
		if (r == 0 &&
		    json_array_append_new(inputs, statement_artifact(manifest->name, &digest)) < 0)
			r = assay_fail(err, ENOMEM, "cannot write a summary: out of memory");
	}
	return r;
}

static const char *level(const struct verdict *verdict)
{
	if (!verdict_trusted(verdict))
		return "FAILED";
	return verdict_boot_judged(verdict) ? "ASSAY_TRUSTED" : "ASSAY_TRUSTED_BOOT_NOT_JUDGED";
}

int vsa_write(const struct verdict *verdict, const struct vsa *vsa,
	      const struct statement_signer *signer, struct buffer *out, struct assay_error *err)
{
	char now[UTC_LENGTH + 1], uri[DIGEST_URI_MAX];
	json_t *inputs = json_array(), *predicate, *subject;
	struct assay_digest evidence;
	int r = digest_bytes(ASSAY_HASH_SHA256, vsa->evidence, &evidence, err);

	if (r == 0)
		r = digest_uri(&evidence, uri, err);
	if (r == 0)
		r = add_manifests(vsa, inputs, err);
	if (r < 0) {
		json_decref(inputs);
		return r;
	}
	predicate = json_pack("{s:{s:s, s:{s:s}}, s:s, s:s, s:o, s:o, s:s, s:[s], s:s}", "verifier",
			      "id", vsa->verifier, "version", "assay", ASSAY_VERSION,
			      "timeVerified", utc_text(vsa->now, now), "resourceUri",
			      vsa->resource ? vsa->resource : uri, "policy",
			      policy_json(&vsa->policy, err), "inputAttestations", inputs,
			      "verificationResult", verdict_trusted(verdict) ? "PASSED" : "FAILED",
			      "verifiedLevels", level(verdict), "slsaVersion", "1.0");
	subject = json_pack("[o]", statement_artifact(vsa->evidence_name, &evidence));
	return statement_sign(subject, VSA_PREDICATE_TYPE, predicate, signer, 1, out, err);
}
