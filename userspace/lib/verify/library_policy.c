// SPDX-License-Identifier: MIT
/* libassay-verify: policies, with the certificates and manifests that they compare with. */
#define _GNU_SOURCE /* reallocarray() */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "sign/certificate.h"
#include "verify/library_internal.h"

#if defined(__LP64__)
_Static_assert(sizeof(struct assay_policy_file) == 48, "a change of the ABI");
#endif

/* ---------------------------------------------------------------- certificates */

static struct library_certificates *certificates_of(struct assay_policy *policy,
						    enum assay_policy_use use)
{
	switch (use) {
	case ASSAY_POLICY_SIGNER:
		return &policy->signers;
	case ASSAY_POLICY_IMA_SIGNER:
		return &policy->ima_signers;
	default:
		return NULL;
	}
}

/* The policy is another one with that. */
static enum assay_verify_error refer(struct assay_policy *policy, struct bytes what,
				     struct assay_verify_message *message)
{
	struct assay_digest before = policy->references;
	const struct bytes pieces[] = { BYTES(before.bytes, before.size), what };
	struct assay_error err = { 0 };

	if (digest_pieces(ASSAY_HASH_SHA256, pieces, 2, &policy->references, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_MEMORY, &err, message);
	return ASSAY_VERIFY_OK;
}

static enum assay_verify_error refer_tagged(struct assay_policy *policy, enum assay_policy_use use,
					    const uint8_t *digest, size_t size,
					    struct assay_verify_message *message)
{
	uint8_t tagged[1 + ASSAY_DIGEST_MAX] = { (uint8_t)use };

	memcpy(tagged + 1, digest, size);
	return refer(policy, BYTES(tagged, 1 + size), message);
}

static enum assay_verify_error refer_certificate(struct assay_policy *policy,
						 enum assay_policy_use use, X509 *certificate,
						 struct assay_verify_message *message)
{
	uint8_t digest[ASSAY_DIGEST_MAX];
	unsigned int size = 0;

	if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	return refer_tagged(policy, use, digest, size, message);
}

static enum assay_verify_error add_certificate(struct assay_policy *policy,
					       enum assay_policy_use use, struct bytes data,
					       const char *name,
					       struct assay_verify_message *message)
{
	struct library_certificates *certificates = certificates_of(policy, use);
	struct assay_error err = { 0 };
	X509 **list = reallocarray(certificates->list, certificates->count + 1, sizeof(X509 *));

	if (!list)
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	certificates->list = list;
	if (certificate_parse(data, name, &list[certificates->count], &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_CERTIFICATE, &err, message);
	certificates->count++;
	return refer_certificate(policy, use, list[certificates->count - 1], message);
}

static enum assay_verify_error add_authority(struct assay_policy *policy, enum assay_policy_use use,
					     struct bytes data, const char *name,
					     struct assay_verify_message *message)
{
	struct assay_error err = { 0 };
	struct assay_digest digest;

	if (library_trust_add(&policy->ak_trust, use, data, name, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_CERTIFICATE, &err, message);
	if (digest_bytes(ASSAY_HASH_SHA256, data, &digest, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_MEMORY, &err, message);
	return refer_tagged(policy, use, digest.bytes, digest.size, message);
}

static enum assay_verify_error add_either(struct assay_policy *policy, enum assay_policy_use use,
					  struct bytes data, const char *name,
					  struct assay_verify_message *message)
{
	return library_is_trust(use) ? add_authority(policy, use, data, name, message) :
				       add_certificate(policy, use, data, name, message);
}

PUBLIC enum assay_verify_error assay_policy_add_certificate(struct assay_policy *policy,
							    enum assay_policy_use use,
							    struct assay_verify_bytes certificate,
							    struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;

	if (!library_is_trust(use) && !certificates_of(policy, use))
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "%d is no use of a certificate", (int)use);
	return add_either(policy, use, library_borrow(certificate), "the certificate", message);
}

/* ---------------------------------------------------------------- manifests */

static bool accepts(const struct assay_policy *policy, X509 *signer)
{
	for (size_t i = 0; i < policy->signers.count; i++)
		if (X509_cmp(policy->signers.list[i], signer) == 0)
			return true;
	return false;
}

static enum assay_verify_error add_manifest(struct assay_policy *policy,
					    struct assay_manifest *manifest,
					    struct assay_verify_message *message)
{
	size_t count = policy->manifest_count;
	struct assay_manifest **manifests;
	const struct assay_digest *digest;
	struct verify_manifest *inputs;

	if (!accepts(policy, manifest->signer))
		return library_refused(ASSAY_VERIFY_ERROR_MANIFEST, message,
				       "%s is signed by a certificate that the policy does not "
				       "have: add that first",
				       manifest->name);
	manifests = reallocarray(policy->manifests, count + 1, sizeof(struct assay_manifest *));
	if (manifests)
		policy->manifests = manifests;
	inputs = reallocarray(policy->inputs, count + 1, sizeof(*inputs));
	if (inputs)
		policy->inputs = inputs;
	if (!manifests || !inputs)
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	atomic_fetch_add(&manifest->holders, 1);
	manifests[count] = manifest;
	inputs[count] =
		(struct verify_manifest){ .name = manifest->name, .verified = manifest->verified };
	policy->manifest_count++;
	digest = verified_manifest_digest(manifest->verified);
	return refer(policy, BYTES(digest->bytes, digest->size), message);
}

PUBLIC enum assay_verify_error assay_policy_add_manifest(struct assay_policy *policy,
							 struct assay_manifest *manifest,
							 struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;

	return add_manifest(policy, manifest, message);
}

/* ---------------------------------------------------------------- the files that it names */

static bool add_file(struct assay_policy *policy, const char *name, enum assay_policy_use use)
{
	struct library_file *files =
		reallocarray(policy->files, policy->file_count + 1, sizeof(*files));

	if (!files)
		return false;
	files[policy->file_count++] = (struct library_file){ .name = name, .use = use };
	policy->files = files;
	return true;
}

/* Those within the policy are taken at once, of those in files the names are noted. */
static enum assay_verify_error read_certificates(struct assay_policy *policy,
						 const struct policy_certificate *named,
						 size_t count, enum assay_policy_use use,
						 struct assay_verify_message *message)
{
	for (size_t i = 0; i < count; i++) {
		const char *pem = named[i].pem;
		enum assay_verify_error error = ASSAY_VERIFY_OK;

		if (pem)
			error = add_either(policy, use, BYTES((const uint8_t *)pem, strlen(pem)),
					   "a text in the policy", message);
		else if (!add_file(policy, named[i].path, use))
			error = library_refused(ASSAY_VERIFY_ERROR_MEMORY, message,
						"out of memory");
		if (error != ASSAY_VERIFY_OK)
			return error;
	}
	return ASSAY_VERIFY_OK;
}

static enum assay_verify_error read_references(struct assay_policy *policy,
					       struct assay_verify_message *message)
{
	const struct policy *read = &policy->policy;
	const struct {
		const struct policy_certificate *list;
		size_t count;
		enum assay_policy_use use;
	} rows[] = {
		{ read->certificates, read->certificate_count, ASSAY_POLICY_SIGNER },
		{ read->ima_certificates, read->ima_certificate_count, ASSAY_POLICY_IMA_SIGNER },
		{ read->ak.roots.list, read->ak.roots.count, ASSAY_POLICY_AK_ROOT },
		{ read->ak.intermediates.list, read->ak.intermediates.count,
		  ASSAY_POLICY_AK_INTERMEDIATE },
		{ read->ak.crls.list, read->ak.crls.count, ASSAY_POLICY_AK_CRL },
	};
	enum assay_verify_error error = ASSAY_VERIFY_OK;

	for (size_t i = 0; error == ASSAY_VERIFY_OK && i < sizeof(rows) / sizeof(rows[0]); i++)
		error = read_certificates(policy, rows[i].list, rows[i].count, rows[i].use,
					  message);
	for (size_t i = 0; error == ASSAY_VERIFY_OK && i < read->manifest_count; i++)
		if (!add_file(policy, read->manifests[i], ASSAY_POLICY_MANIFEST))
			error = library_refused(ASSAY_VERIFY_ERROR_MEMORY, message,
						"out of memory");
	return error;
}

PUBLIC enum assay_verify_error assay_policy_new(struct assay_verify_bytes json,
						struct assay_policy **ret_policy,
						struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	struct assay_policy *policy = calloc(1, sizeof(*policy));
	struct assay_error err = { 0 };
	enum assay_verify_error error = ASSAY_VERIFY_OK;

	if (!policy)
		return library_refused(ASSAY_VERIFY_ERROR_MEMORY, message, "out of memory");
	if (json.size == 0)
		policy_default(&policy->policy);
	else if (policy_parse(library_borrow(json), &policy->policy, &err) < 0)
		error = library_failed(ASSAY_VERIFY_ERROR_POLICY, &err, message);
	if (error == ASSAY_VERIFY_OK)
		error = refer(policy, library_borrow(json), message);
	if (error == ASSAY_VERIFY_OK)
		error = read_references(policy, message);
	if (error != ASSAY_VERIFY_OK) {
		assay_policy_free(policy);
		return error;
	}
	*ret_policy = policy;
	return ASSAY_VERIFY_OK;
}

PUBLIC size_t assay_policy_files(const struct assay_policy *policy)
{
	return policy->file_count;
}

PUBLIC enum assay_verify_error assay_policy_file(const struct assay_policy *policy, size_t index,
						 struct assay_policy_file *ret_file)
{
	if (index >= policy->file_count)
		return ASSAY_VERIFY_ERROR_RANGE;
	*ret_file = (struct assay_policy_file){
		.name = policy->files[index].name,
		.use = policy->files[index].use,
		.supplied = policy->files[index].supplied,
	};
	return ASSAY_VERIFY_OK;
}

/* Is the file of that index one whose content may be supplied now, as a manifest or not? */
static enum assay_verify_error check_file(const struct assay_policy *policy, size_t index,
					  bool manifest, struct assay_verify_message *message)
{
	const struct library_file *file;

	if (index >= policy->file_count)
		return library_refused(ASSAY_VERIFY_ERROR_RANGE, message,
				       "the policy names %zu files; there is none of index %zu",
				       policy->file_count, index);
	file = &policy->files[index];
	if ((file->use == ASSAY_POLICY_MANIFEST) != manifest)
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message, "%s must be a %s",
				       file->name, manifest ? "certificate" : "manifest");
	if (file->supplied)
		return library_refused(ASSAY_VERIFY_ERROR_PARAMETER, message,
				       "%s was supplied already", file->name);
	return ASSAY_VERIFY_OK;
}

PUBLIC enum assay_verify_error assay_policy_supply(struct assay_policy *policy, size_t index,
						   struct assay_verify_bytes certificate,
						   struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	enum assay_verify_error error = check_file(policy, index, false, message);
	struct library_file *file;

	if (error != ASSAY_VERIFY_OK)
		return error;
	file = &policy->files[index];
	error = add_either(policy, file->use, library_borrow(certificate), file->name, message);
	file->supplied = error == ASSAY_VERIFY_OK;
	return error;
}

PUBLIC enum assay_verify_error assay_policy_supply_manifest(struct assay_policy *policy,
							    size_t index,
							    struct assay_manifest *manifest,
							    struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	enum assay_verify_error error = check_file(policy, index, true, message);

	if (error == ASSAY_VERIFY_OK)
		error = add_manifest(policy, manifest, message);
	if (error == ASSAY_VERIFY_OK)
		policy->files[index].supplied = true;
	return error;
}

/* ---------------------------------------------------------------- its end */

static void free_certificates(struct library_certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		X509_free(certificates->list[i]);
	free(certificates->list);
}

PUBLIC void assay_policy_free(struct assay_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->manifest_count; i++)
		assay_manifest_free(policy->manifests[i]);
	free(policy->manifests);
	free(policy->inputs);
	free(policy->files);
	free_certificates(&policy->signers);
	free_certificates(&policy->ima_signers);
	library_trust_free(&policy->ak_trust);
	policy_free(&policy->policy);
	free(policy);
}
