// SPDX-License-Identifier: MIT
/* libassay-verify: manifests that were verified once. */
#define _GNU_SOURCE /* strdup() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign/certificate.h"
#include "verify/library_internal.h"

#if defined(__LP64__)
_Static_assert(sizeof(struct assay_manifest_source) == 72, "a change of the ABI");
_Static_assert(sizeof(struct assay_manifest_info) == 64, "a change of the ABI");
#endif

static enum assay_verify_error verify_by(const struct verify_manifest *manifest, X509 *certificate,
					 struct assay_manifest *ret,
					 struct assay_verify_message *message)
{
	struct assay_error err = { 0 };

	if (verified_manifest_new(manifest, &certificate, 1, 0, &ret->verified, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_MANIFEST, &err, message);
	ret->signer = certificate;
	X509_up_ref(certificate);
	return ASSAY_VERIFY_OK;
}

static enum assay_verify_error verify_by_any(const struct verify_manifest *manifest,
					     const struct assay_verify_bytes *certificates,
					     size_t count, struct assay_manifest *ret,
					     struct assay_verify_message *message)
{
	enum assay_verify_error error = library_refused(ASSAY_VERIFY_ERROR_MANIFEST, message,
							"no signer's certificate is accepted");

	for (size_t i = 0; i < count && error == ASSAY_VERIFY_ERROR_MANIFEST; i++) {
		CLEANUP(x509_free_pointer) X509 *certificate = NULL;
		struct assay_error err = { 0 };
		char name[64];

		snprintf(name, sizeof(name), "certificate %zu", i);
		if (certificate_parse(library_borrow(certificates[i]), name, &certificate, &err) <
		    0)
			return library_failed(ASSAY_VERIFY_ERROR_CERTIFICATE, &err, message);
		error = verify_by(manifest, certificate, ret, message);
	}
	return error;
}

PUBLIC enum assay_verify_error assay_manifest_new(const struct assay_manifest_source *source,
						  const struct assay_verify_bytes *certificates,
						  size_t count,
						  struct assay_manifest **ret_manifest,
						  struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	struct verify_manifest manifest = {
		.name = source->name ? source->name : "the manifest",
		.text = library_borrow(source->text),
		.signature = library_borrow(source->signature),
	};
	struct assay_manifest *made;
	enum assay_verify_error error;

	if (!ALL_ZERO(source->reserved))
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "reserved members of manifests must be 0");
	made = calloc(1, sizeof(*made));
	if (!made)
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	made->holders = 1;
	made->name = strdup(manifest.name);
	error = made->name ? verify_by_any(&manifest, certificates, count, made, message) :
			     library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	if (error != ASSAY_VERIFY_OK) {
		assay_manifest_free(made);
		return error;
	}
	*ret_manifest = made;
	return ASSAY_VERIFY_OK;
}

PUBLIC void assay_manifest_info(const struct assay_manifest *manifest,
				struct assay_manifest_info *ret_info)
{
	const struct manifest *read = verified_manifest_read(manifest->verified);

	*ret_info = (struct assay_manifest_info){
		.id = read->header.id,
		.created = read->header.created,
		.product = read->header.product,
		.signer = read->header.subject,
		.files = read->count,
	};
}

PUBLIC void assay_manifest_free(struct assay_manifest *manifest)
{
	if (!manifest || atomic_fetch_sub(&manifest->holders, 1) > 1)
		return;
	verified_manifest_free(manifest->verified);
	X509_free(manifest->signer);
	free(manifest->name);
	free(manifest);
}
