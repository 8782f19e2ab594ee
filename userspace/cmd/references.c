// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf(), reallocarray() */
#include "references.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "sign/certificate.h"
#include "sign/manifest.h"

/* Room for one more behind @count of them; NULL, with the error told, without memory. */
static void *grow(void *array, size_t count, size_t size, struct assay_error *err)
{
	void *larger = reallocarray(array, count + 1, size);

	if (!larger)
		assay_fail(err, ENOMEM, "out of memory");
	return larger;
}

int references_manifest(struct references *references, const char *path, struct assay_error *err)
{
	struct verify_manifest *manifests =
		grow(references->manifests, references->manifest_count, sizeof(*manifests), err);
	struct reference_text *texts;
	int r;

	if (!manifests)
		return -ENOMEM;
	references->manifests = manifests;
	texts = grow(references->texts, references->manifest_count, sizeof(*texts), err);
	if (!texts)
		return -ENOMEM;
	references->texts = texts;
	manifests += references->manifest_count;
	texts += references->manifest_count;
	*texts = (struct reference_text){ .name = strdup(path) };
	r = texts->name ? manifest_read_signed(path, &texts->text, &texts->signature, err) :
			  assay_fail(err, ENOMEM, "out of memory");
	/* What was read of it, if anything, is freed with the rest. */
	references->manifest_count++;
	*manifests = (struct verify_manifest){ .name = texts->name,
					       .text = buffer_bytes(&texts->text),
					       .signature = buffer_bytes(&texts->signature) };
	return r;
}

static int add_certificate(X509 *certificate, X509 ***array, size_t *count, struct assay_error *err)
{
	X509 **certificates = grow(*array, *count, sizeof(X509 *), err);

	if (!certificates) {
		X509_free(certificate);
		return -ENOMEM;
	}
	certificates[(*count)++] = certificate;
	*array = certificates;
	return 0;
}

int references_certificate(struct references *references, const char *path, struct assay_error *err)
{
	X509 *certificate;
	int r = certificate_load(path, &certificate, err);

	if (r < 0)
		return r;
	return add_certificate(certificate, &references->certificates,
			       &references->certificate_count, err);
}

/* @name, if it is relative, from the directory of @file on; a string to free() */
static char *beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path = NULL;

	if (name[0] == '/' || !slash)
		return strdup(name);
	if (asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0)
		return NULL;
	return path;
}

static int read_certificate(const struct policy_certificate *named, const char *policy, X509 **ret,
			    struct assay_error *err)
{
	const char *pem = named->pem;
	char *path;
	int r;

	if (pem)
		return certificate_parse(BYTES((const uint8_t *)pem, strlen(pem)),
					 "a certificate in the policy", ret, err);
	path = beside(policy, named->path);
	r = path ? certificate_load(path, ret, err) : assay_fail(err, ENOMEM, "out of memory");
	free(path);
	return r;
}

static int read_certificates(const struct policy_certificate *named, size_t named_count,
			     const char *policy, X509 ***array, size_t *count,
			     struct assay_error *err)
{
	for (size_t i = 0; i < named_count; i++) {
		X509 *certificate;
		int r = read_certificate(&named[i], policy, &certificate, err);

		if (r == 0)
			r = add_certificate(certificate, array, count, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---------------------------------------------------------------- attestation keys */

/* All of one file or text, into one of the two. */
static int read_trust(const struct policy_certificate *named, const char *policy,
		      STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists,
		      struct assay_error *err)
{
	const char *pem = named->pem, *name = "a text in the policy's \"ak\"";
	struct bytes text = BYTES((const uint8_t *)pem, pem ? strlen(pem) : 0);
	char *path;
	int r;

	if (pem)
		return certificates ?
			       certificates_parse(text, name, certificates, err) :
			       revocations_parse(text, name, REVOCATIONS_ANY_TIME, lists, err);
	path = beside(policy, named->path);
	r = path ? trust_files_add_one(path, certificates, lists, err) :
		   assay_fail(err, ENOMEM, "out of memory");
	free(path);
	return r;
}

static int read_ak(struct chain_trust *trust, const struct policy_ak *ak, const char *policy,
		   struct assay_error *err)
{
	int r = ak->roots.count > 0 ? trust_files_begin(trust, 0, err) : 0;

	for (size_t i = 0; r == 0 && i < ak->roots.count; i++)
		r = read_trust(&ak->roots.list[i], policy, trust->roots, NULL, err);
	for (size_t i = 0; r == 0 && i < ak->intermediates.count; i++)
		r = read_trust(&ak->intermediates.list[i], policy, trust->intermediates, NULL, err);
	for (size_t i = 0; r == 0 && i < ak->crls.count; i++)
		r = read_trust(&ak->crls.list[i], policy, NULL, trust->revocations, err);
	return r;
}

/* ---------------------------------------------------------------- the whole */

static int read_manifests(struct references *references, const struct policy *policy,
			  const char *path, struct assay_error *err)
{
	for (size_t i = 0; i < policy->manifest_count; i++) {
		char *manifest = beside(path, policy->manifests[i]);
		int r = manifest ? references_manifest(references, manifest, err) :
				   assay_fail(err, ENOMEM, "out of memory");

		free(manifest);
		if (r < 0)
			return r;
	}
	return 0;
}

int references_policy(struct references *references, const char *path, struct policy *ret,
		      struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, POLICY_MAX_SIZE, &text, err);

	return r < 0 ? r : references_policy_text(references, buffer_bytes(&text), path, ret, err);
}

int references_policy_text(struct references *references, struct bytes text, const char *path,
			   struct policy *ret, struct assay_error *err)
{
	CLEANUP(policy_free) struct policy policy = { 0 };
	int r = digest_bytes(ASSAY_HASH_SHA256, text, &references->policy_digest, err);

	if (r < 0)
		return r;
	r = policy_parse(text, &policy, err);
	if (r < 0)
		return assay_fail_context(err, "%s", path);
	r = digest_bytes(ASSAY_HASH_SHA256, text, &references->policy, err);
	if (r < 0)
		return r;
	r = read_manifests(references, &policy, path, err);
	if (r < 0)
		return r;
	r = read_certificates(policy.certificates, policy.certificate_count, path,
			      &references->certificates, &references->certificate_count, err);
	if (r < 0)
		return r;
	r = read_certificates(policy.ima_certificates, policy.ima_certificate_count, path,
			      &references->ima_certificates, &references->ima_certificate_count,
			      err);
	if (r == 0)
		r = read_ak(&references->ak_trust, &policy.ak, path, err);
	if (r < 0)
		return r;
	*ret = policy;
	policy = (struct policy){ 0 };
	return 0;
}

void references_free(struct references *references)
{
	for (size_t i = 0; i < references->certificate_count; i++)
		X509_free(references->certificates[i]);
	for (size_t i = 0; i < references->ima_certificate_count; i++)
		X509_free(references->ima_certificates[i]);
	for (size_t i = 0; i < references->manifest_count; i++) {
		free(references->texts[i].name);
		buffer_free(&references->texts[i].text);
		buffer_free(&references->texts[i].signature);
	}
	trust_files_free(&references->ak_trust);
	free(references->certificates);
	free(references->ima_certificates);
	free(references->texts);
	free(references->manifests);
	*references = (struct references){ 0 };
}
