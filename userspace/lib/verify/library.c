// SPDX-License-Identifier: MIT
/* libassay-verify: verdicts. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "verify/library_internal.h"
#include "verify/library_read.h"
#include "verify/sentence.h"
#include "verify/state.h"
#include "verify/verify.h"

/* What both sides are compiled with: a change here is a change of the ABI. */
#if defined(__LP64__)
_Static_assert(sizeof(struct assay_verify_params) == 240, "struct assay_verify_params");
_Static_assert(sizeof(struct assay_verify_check) == 72, "struct assay_verify_check");
_Static_assert(sizeof(struct assay_verify_file) == 208, "struct assay_verify_file");
_Static_assert(sizeof(struct assay_verify_record) == 104, "struct assay_verify_record");
#endif
_Static_assert(sizeof(((struct assay_verify_digest *)0)->bytes) == ASSAY_DIGEST_MAX,
	       "a digest does not fit");

/* struct kept_file - a file of a verdict; its path is at that offset of the verdict's paths */
struct kept_file {
	struct assay_verify_file file;
	size_t path;
};

bool library_all_zero(const uint64_t *reserved, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reserved[i] != 0)
			return false;
	return true;
}

enum assay_verify_error library_failed(enum assay_verify_error error, const struct assay_error *err,
				       struct assay_verify_message *message)
{
	if (message)
		snprintf(message->text, sizeof(message->text), "%s", err->text);
	return err->code == ENOMEM ? ASSAY_VERIFY_ERROR_MEMORY : error;
}

enum assay_verify_error library_refused(enum assay_verify_error error,
					struct assay_verify_message *message, const char *format,
					...)
{
	va_list args;

	va_start(args, format);
	if (message)
		vsnprintf(message->text, sizeof(message->text), format, args);
	va_end(args);
	return error;
}

/* ---------------------------------------------------------------- parameters */

static enum assay_verify_error check_params(const struct assay_verify_params *params,
					    struct assay_verify_message *message)
{
	if (params->version != ASSAY_VERIFY_PARAMS_VERSION)
		return library_refused(
			ASSAY_VERIFY_ERROR_PARAMETER, message,
			"the parameters are of version %u; this library takes version %d",
			params->version, ASSAY_VERIFY_PARAMS_VERSION);
	if ((params->flags & ~ASSAY_VERIFY_KEEP_FILES) != 0 || !ALL_ZERO(params->reserved))
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "flags that are not known and reserved parameters must be "
				       "0");
	if (params->ak && params->ak_public.size > 0)
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "a key is given in one way: as ak or as ak_public");
	if (!params->policy)
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "a policy is needed, if only the default one");
	for (size_t i = 0; i < params->policy->file_count; i++)
		if (!params->policy->files[i].supplied)
			return library_refused(ASSAY_VERIFY_ERROR_FILE, message,
					       "the policy names the file %s, which was not "
					       "supplied",
					       params->policy->files[i].name);
	return ASSAY_VERIFY_OK;
}

/* ---------------------------------------------------------------- making one */

static struct assay_verify_digest give_digest(const struct assay_digest *digest)
{
	struct assay_verify_digest given = { 0 };

	if (!digest || digest->size == 0)
		return given;
	given.hash = digest->hash;
	given.size = (uint32_t)digest->size;
	memcpy(given.bytes, digest->bytes, digest->size);
	return given;
}

static void keep_file(void *context, const struct verify_file *file)
{
	static const enum assay_verify_file_state states[FILE_STATES] = {
		[FILE_MATCHES] = ASSAY_VERIFY_FILE_MATCHES,
		[FILE_SIGNED] = ASSAY_VERIFY_FILE_SIGNED,
		[FILE_ALLOWED] = ASSAY_VERIFY_FILE_ALLOWED,
		[FILE_UNKNOWN] = ASSAY_VERIFY_FILE_UNKNOWN,
		[FILE_DIFFERS] = ASSAY_VERIFY_FILE_DIFFERS,
		[FILE_FAILED] = ASSAY_VERIFY_FILE_FAILED,
	};
	struct assay_verdict *verdict = context;
	struct kept_file kept = {
		.file = {
			/* The data is filled in when it is asked for: the paths may move. */
			.path = { NULL, file->path.data ? file->path.size : 0 },
			.state = states[file->state],
			.flags = (file->covered ? ASSAY_VERIFY_COVERED : 0) |
				 (file->by_ima ? ASSAY_VERIFY_BY_IMA : 0) |
				 (file->verity ? ASSAY_VERIFY_VERITY : 0),
			.number = file->number,
			.digest = give_digest(&file->digest),
			.expected = give_digest(file->expected),
		},
		.path = verdict->paths.size,
	};

	if (file->path.data)
		buffer_append_bytes(&verdict->paths, file->path);
	buffer_append(&verdict->files, &kept, sizeof(kept));
}

static void keep_record(void *context, const struct verify_record *record)
{
	struct assay_verdict *verdict = context;
	struct assay_verify_record kept = {
		.number = record->number,
		.offset = record->offset,
		.size = record->size,
		.kind = record->kind,
		.time = record->time,
		.files = record->files,
		.events = record->events,
		.ima = record->ima,
		.flags = record->covered ? ASSAY_VERIFY_COVERED : 0,
	};

	buffer_append(&verdict->records, &kept, sizeof(kept));
}

static void judge_evidence(const struct assay_verify_params *params, struct evidence *evidence,
			   const struct verify_state *state, struct assay_verdict *ret)
{
	const struct assay_policy *policy = params->policy;
	const struct kept_key *kept = library_kept_key((struct assay_ak *)params->ak);
	const struct verify_observer observer = { ret, keep_record, keep_file, NULL };
	struct verify_input input = {
		.evidence = library_borrow(params->evidence),
		.evidence_read = evidence,
		.nonce = library_borrow(params->nonce),
		.ak_public = kept ? kept_key_bytes(kept) : library_borrow(params->ak_public),
		.ak_kept = kept,
		.ak_trust = policy->ak_trust.roots ? &policy->ak_trust : NULL,
		.ak_certificates = library_borrow(params->ak_certificates),
		.ak_qualified_name = library_borrow(params->ak_qualified_name),
		.state = params->state.size > 0 ? state : NULL,
		.now = params->now,
		.nonce_issued = params->nonce_issued,
		.manifests = policy->inputs,
		.manifest_count = policy->manifest_count,
		.certificates = policy->signers.list,
		.certificate_count = policy->signers.count,
		.ima_certificates = policy->ima_signers.list,
		.ima_certificate_count = policy->ima_signers.count,
		.references = policy->references,
		.observer = params->flags & ASSAY_VERIFY_KEEP_FILES ? &observer : NULL,
	};

	verify(&input, &policy->policy.rules, &ret->verdict);
	if (verdict_trusted(&ret->verdict))
		state_to_bytes(&ret->verdict.state, &ret->state);
}

enum assay_verify_error library_verify_read(const struct assay_verify_params *params,
					    struct evidence *evidence,
					    struct assay_verdict **ret_verdict,
					    struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	struct assay_error err = { 0 };
	struct verify_state state = { 0 };
	struct assay_verdict *verdict;
	enum assay_verify_error error = check_params(params, message);

	if (error != ASSAY_VERIFY_OK)
		return error;
	if (params->state.size > 0 &&
	    library_read_state(library_borrow(params->state), &state, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_STATE, &err, message);
	verdict = calloc(1, sizeof(*verdict));
	if (verdict)
		judge_evidence(params, evidence, &state, verdict);
	if (!verdict || verdict->files.failed || verdict->records.failed || verdict->paths.failed ||
	    verdict->state.failed) {
		assay_verdict_free(verdict);
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	}
	*ret_verdict = verdict;
	return ASSAY_VERIFY_OK;
}

PUBLIC enum assay_verify_error assay_verify(const struct assay_verify_params *params,
					    struct assay_verdict **ret_verdict,
					    struct assay_verify_message *message)
{
	return library_verify_read(params, NULL, ret_verdict, message);
}

/* ---------------------------------------------------------------- reading it */

const struct verdict *library_verdict(const struct assay_verdict *verdict)
{
	return &verdict->verdict;
}

PUBLIC int assay_verdict_trusted(const struct assay_verdict *verdict)
{
	return verdict_trusted(&verdict->verdict);
}

PUBLIC int assay_verdict_boot_judged(const struct assay_verdict *verdict)
{
	return verdict_boot_judged(&verdict->verdict);
}

PUBLIC const char *assay_verdict_sentence(const struct assay_verdict *verdict)
{
	return verdict_sentence(&verdict->verdict);
}

PUBLIC size_t assay_verdict_checks(const struct assay_verdict *verdict)
{
	(void)verdict;
	return CHECK_COUNT;
}

PUBLIC enum assay_verify_error assay_verdict_check(const struct assay_verdict *verdict,
						   size_t index,
						   struct assay_verify_check *ret_check)
{
	check_mask bit;

	if (index >= CHECK_COUNT)
		return ASSAY_VERIFY_ERROR_RANGE;
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
	return ASSAY_VERIFY_OK;
}

PUBLIC size_t assay_verdict_reason(const struct assay_verdict *verdict)
{
	return verdict_reason(&verdict->verdict);
}

PUBLIC size_t assay_verdict_files(const struct assay_verdict *verdict)
{
	return verdict->files.size / sizeof(struct kept_file);
}

PUBLIC enum assay_verify_error assay_verdict_file(const struct assay_verdict *verdict, size_t index,
						  struct assay_verify_file *ret_file)
{
	struct kept_file kept;

	if (index >= assay_verdict_files(verdict))
		return ASSAY_VERIFY_ERROR_RANGE;
	memcpy(&kept, verdict->files.data + index * sizeof(kept), sizeof(kept));
	*ret_file = kept.file;
	if (kept.file.path.size > 0)
		ret_file->path.data = verdict->paths.data + kept.path;
	return ASSAY_VERIFY_OK;
}

PUBLIC size_t assay_verdict_records(const struct assay_verdict *verdict)
{
	return verdict->records.size / sizeof(struct assay_verify_record);
}

PUBLIC enum assay_verify_error assay_verdict_record(const struct assay_verdict *verdict,
						    size_t index,
						    struct assay_verify_record *ret_record)
{
	if (index >= assay_verdict_records(verdict))
		return ASSAY_VERIFY_ERROR_RANGE;
	memcpy(ret_record, verdict->records.data + index * sizeof(*ret_record),
	       sizeof(*ret_record));
	return ASSAY_VERIFY_OK;
}

/* @json: taken over; may be NULL */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	json_decref(json);
	return text;
}

PUBLIC char *assay_verdict_json(const struct assay_verdict *verdict)
{
	return dump(verdict_to_json(&verdict->verdict));
}

PUBLIC char *assay_verdict_state(const struct assay_verdict *verdict)
{
	if (!verdict_trusted(&verdict->verdict))
		return NULL;
	return dump(state_to_json(&verdict->verdict.state));
}

PUBLIC void assay_verify_text_free(char *text)
{
	free(text);
}

PUBLIC void assay_verdict_free(struct assay_verdict *verdict)
{
	if (!verdict)
		return;
	buffer_free(&verdict->files);
	buffer_free(&verdict->records);
	buffer_free(&verdict->paths);
	buffer_free(&verdict->state);
	free(verdict);
}

PUBLIC const char *assay_verify_version(void)
{
	return ASSAY_VERSION;
}
