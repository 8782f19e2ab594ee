// SPDX-License-Identifier: MIT
/* `assay sign --provenance`: SLSA provenance of the manifest, as a signed in-toto statement. */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/utc.h"
#include "sign/statement.h"

#define PROVENANCE_TYPE "https://slsa.dev/provenance/v1"
/* What it is that was done: assay-sign(1) describes it. UUID c890d42e-e9cb-4eef-a672-d161191a4aac
 */
#define SIGN_BUILD_TYPE "urn:oid:2.25.266597593492299431564665756804624042668"
/* Of the manifest and its signature, in bytes. */
#define SUBJECT_MAX ((size_t)1 << 30)

int sign_builder_uri(void *place, const char *value, struct assay_error *err)
{
	*(const char **)place = value;
	return statement_check_uri(value, err);
}

static int add_subject(json_t *subject, const char *path, struct assay_error *err)
{
	CLEANUP(file_unmap) struct file_view view = { 0 };
	const char *slash = strrchr(path, '/');
	struct assay_digest digest;
	int r = file_map(path, SUBJECT_MAX, &view, err);

	if (r == 0)
		r = digest_bytes(ASSAY_HASH_SHA256, view.bytes, &digest, err);
	if (r == 0 && json_array_append_new(
			      subject, statement_artifact(slash ? slash + 1 : path, &digest)) < 0)
		r = assay_fail(err, ENOMEM, "cannot write the provenance: out of memory");
	return r;
}

static json_t *texts(const char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			array, json_escaped(BYTES((const uint8_t *)list[i], strlen(list[i]))));
	return array;
}

/* What whoever called it could choose, and what came of it depends on. */
static json_t *external_parameters(const struct sign_call *call)
{
	const struct sign_options *options = call->options;
	const struct verity_parameters *parameters = &options->parameters;

	return json_pack("{s:s, s:b, s:b, s:o, s:s*, s:o, s:o, s:s*, s:s, s:I, s:o, s:s, s:b}",
			 "source", sign_source_name(options), "configurationFiles",
			 options->conffiles, "changed", options->changed, "paths",
			 texts((const char *const *)options->paths.list, options->paths.count),
			 "filesFrom", options->list, "include",
			 texts(options->include.list, options->include.count), "exclude",
			 texts(options->exclude.list, options->exclude.count), "product",
			 options->product, "hash", assay_hash_name(parameters->hash), "blockSize",
			 (json_int_t)parameters->block_size, "salt",
			 json_hex(BYTES(parameters->salt, parameters->salt_size)), "signatures",
			 !call->work.ima   ? "pkcs7" :
			 !call->work.pkcs7 ? "ima" :
					     "both",
			 "delegate", call->work.delegated);
}

static json_t *predicate(const struct sign_call *call)
{
	const struct manifest_header *header = &call->header;
	char now[UTC_LENGTH + 1];

	return json_pack("{s:{s:s, s:o, s:{s:I, s:I, s:{s:s, s:o}}}, s:{s:{s:s, s:{s:s}}, s:{s:s, "
			 "s:s, s:s}}}",
			 "buildDefinition", "buildType", SIGN_BUILD_TYPE, "externalParameters",
			 external_parameters(call), "internalParameters", "files",
			 (json_int_t)call->run.signed_files, "bytes", (json_int_t)call->run.bytes,
			 "signer", "subject", header->subject, "keyId",
			 json_hex(BYTES(header->key_id, header->key_id_size)), "runDetails",
			 "builder", "id", call->options->builder, "version", "assay", ASSAY_VERSION,
			 "metadata", "invocationId", header->id, "startedOn", header->created,
			 "finishedOn", utc_text((uint64_t)time(NULL), now));
}

int sign_provenance(const struct sign_call *call, struct assay_error *err)
{
	const struct statement_signer signers[] = {
		{ call->work.signer, call->work.certificate },
		{ call->also, call->also_certificate },
	};
	CLEANUP(buffer_free) struct buffer envelope = { 0 };
	json_t *subject = json_array();
	int r = add_subject(subject, call->options->manifest, err);

	if (r == 0)
		r = add_subject(subject, manifest_writer_signature(call->run.writer), err);
	if (r < 0) {
		json_decref(subject);
		return r;
	}
	r = statement_sign(subject, PROVENANCE_TYPE, predicate(call), signers, call->also ? 2 : 1,
			   &envelope, err);
	return r < 0 ? r :
		       file_write(call->options->provenance, buffer_bytes(&envelope), 0644, err);
}
