// SPDX-License-Identifier: MIT
#include "verify/policy_learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utc.h"
#include "log/cel.h"
#include "verify/structures.h"
#include "verity/verity.h"

/* Longest path that is learned, as text. */
#define PATH_TEXT 4096

struct learning {
	bool ima;
	json_t *allow;	 /* path -> array of digests */
	json_t *digests; /* the same, of IMA's list */
	bool failed;
};

/* The digest for that name, once. */
static void add(struct learning *learning, json_t *object, const char *name,
		const struct assay_digest *digest)
{
	json_t *array = json_object_get(object, name);
	char text[VERITY_TEXT_MAX];

	if (!array) {
		array = json_array();
		learning->failed |= json_object_set_new(object, name, array) < 0;
	}
	verity_digest_text(digest, text);
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
			return;
	learning->failed |= json_array_append_new(array, json_string(text)) < 0;
}

static void see_record(void *context, const struct verify_record *record)
{
	(void)context;
	(void)record;
}

/* What has no reference value, and can be told by one: a path that is text, and a digest. */
static void see_file(void *context, const struct verify_file *file)
{
	struct learning *learning = context;
	char path[PATH_TEXT];
	json_t *text;

	if (file->state != FILE_UNKNOWN || file->digest.size == 0 || !file->path.data ||
	    file->path.size >= sizeof(path) || memchr(file->path.data, '\0', file->path.size) ||
	    (file->by_ima && !learning->ima))
		return;
	memcpy(path, file->path.data, file->path.size);
	path[file->path.size] = '\0';
	/* JSON has no path that is no UTF-8. */
	text = json_string(path);
	if (text)
		add(learning, file->by_ima && !file->verity ? learning->digests : learning->allow,
		    path, &file->digest);
	json_decref(text);
}

/* ---------------------------------------------------------------- evidence by itself */

/* What evidence must fulfil to be learned from: the rest needs a policy, or a device. */
static uint64_t needed(bool ima)
{
	uint64_t checks = CHECK_BIT(CHECK_QUOTE_SIGNATURE) | CHECK_BIT(CHECK_QUOTE_MAGIC) |
			  CHECK_BIT(CHECK_QUOTE_TYPE) | CHECK_BIT(CHECK_AK_ATTRIBUTES) |
			  CHECK_BIT(CHECK_PCR_DIGEST) | CHECK_BIT(CHECK_ASSAY_LOG_RECORDS) |
			  CHECK_BIT(CHECK_ASSAY_LOG_DIGESTS) | CHECK_BIT(CHECK_ASSAY_LOG_REPLAY);

	return ima ? checks | CHECK_BIT(CHECK_IMA_LOG_DIGESTS) | CHECK_BIT(CHECK_IMA_LOG_REPLAY) :
		     checks;
}

static int judge(const struct verify_input *input, const struct evidence *evidence,
		 const struct tpm_attest *attest, struct learning *learning,
		 struct assay_error *err)
{
	const struct verify_observer observer = { learning, see_record, see_file };
	struct verify_input own = {
		.evidence = input->evidence,
		.nonce = attest->extra_data,
		.ak_public = buffer_bytes(&evidence->ak_public),
		.manifests = input->manifests,
		.manifest_count = input->manifest_count,
		.certificates = input->certificates,
		.certificate_count = input->certificate_count,
		.observer = &observer,
	};
	struct verdict *verdict = malloc(sizeof(*verdict));
	struct verify_policy policy;
	uint64_t missing;
	int check = 0, r = 0;

	if (!verdict)
		return assay_fail(err, ENOMEM, "out of memory");
	verify_policy_default(&policy);
	if (!learning->ima)
		policy.pcrs = 1U << policy.assay_pcr;
	verify(&own, &policy, verdict);
	missing = needed(learning->ima) & ~verdict->passed;
	if (input->manifest_count > 0)
		missing |= CHECK_BIT(CHECK_MANIFEST_SIGNATURE) & ~verdict->passed;
	while (missing != 0 && !(missing & CHECK_BIT(check)))
		check++;
	if (missing != 0)
		r = assay_fail(err, EKEYREJECTED, "nothing is learned from evidence where %s: %s",
			       check_name((enum check)check), verdict->detail[check]);
	free(verdict);
	return r;
}

/* ---------------------------------------------------------------- into the policy */

/* PCRs that files change from boot to boot say nothing of another boot. */
static json_t *pcr_values(const struct evidence *evidence, const struct verify_policy *rules)
{
	json_t *values = json_object();
	bool failed = false;

	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];
		char name[sizeof("sha512:4294967295")];

		if (pcr->index == rules->assay_pcr || pcr->index == rules->ima_pcr ||
		    pcr->value.hash == ASSAY_HASH_SHA1)
			continue;
		snprintf(name, sizeof(name), "%s:%u", assay_hash_name(pcr->value.hash), pcr->index);
		failed |=
			json_object_set_new(values, name,
					    json_pack("[o]", json_hex(BYTES(pcr->value.bytes,
									    pcr->value.size)))) < 0;
	}
	if (!failed)
		return values;
	json_decref(values);
	return NULL;
}

/* What the PCR was before the log, where something else measured into it: an array. */
static json_t *starts(const struct evidence *evidence)
{
	json_t *array = json_array();
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	if (cel_next(&reader, &record, NULL) <= 0 ||
	    assay_content_parse(&record, &content, NULL) < 0 || content.kind != ASSAY_KIND_START)
		return array;
	for (size_t i = 0; i < content.pcr_value_count; i++) {
		const struct assay_digest *value = &content.pcr_values[i];
		char text[VERITY_TEXT_MAX];

		if (assay_hash_size(value->hash) == 0 ||
		    bytes_are_zero(BYTES(value->bytes, value->size)))
			continue;
		if (json_array_append_new(array, json_string(verity_digest_text(value, text))) <
		    0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Adds it if it has something in it; takes it over in any case. */
static int set(json_t *object, const char *name, json_t *value)
{
	if (!value)
		return -1;
	if (json_object_size(value) == 0 && json_array_size(value) == 0) {
		json_decref(value);
		return 0;
	}
	return json_object_set_new(object, name, value);
}

static json_t *allowed(const json_t *paths, const char *reason)
{
	json_t *array = json_array(), *digests;
	const char *path;

	json_object_foreach((json_t *)paths, path, digests)
		if (json_array_append_new(array, json_pack("{s:s, s:s, s:O}", "path", path,
							   "reason", reason, "digests", digests)) <
		    0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int fill(json_t *policy, const struct evidence *evidence, const struct learning *learning)
{
	struct verify_policy rules;
	char collected[UTC_LENGTH + 1], reason[64];
	json_t *pcrs = json_object(), *ima = json_object();
	int r;

	verify_policy_default(&rules);
	snprintf(reason, sizeof(reason), "learned from evidence of %s",
		 utc_text(evidence->collected, collected));
	r = json_object_set_new(policy, "description", json_string(reason));
	r |= set(pcrs, "values", pcr_values(evidence, &rules));
	r |= set(policy, "pcrs", pcrs);
	r |= set(policy, "start", starts(evidence));
	r |= set(policy, "allow", allowed(learning->allow, reason));
	if (learning->ima) {
		r |= json_object_set_new(ima, "unknown_files", json_string("refuse"));
		r |= json_object_set(ima, "digests", learning->digests);
	} else if (!evidence->has_ima_log) {
		r |= json_object_set_new(ima, "required", json_false());
	}
	r |= set(policy, "ima", ima);
	return r;
}

int policy_learn(const struct verify_input *input, bool ima, json_t *policy,
		 struct assay_error *err)
{
	struct learning learning = { .ima = ima, .allow = json_object(), .digests = json_object() };
	struct evidence evidence = { 0 };
	struct tpm_attest attest;
	int r = evidence_parse(input->evidence, &evidence, err);

	if (r == 0)
		r = tpm_attest_parse(buffer_bytes(&evidence.attest), &attest, err);
	if (r == 0)
		r = judge(input, &evidence, &attest, &learning, err);
	if (r == 0 && (learning.failed || fill(policy, &evidence, &learning) != 0))
		r = assay_fail(err, ENOMEM, "out of memory");
	json_decref(learning.allow);
	json_decref(learning.digests);
	evidence_free(&evidence);
	return r;
}
