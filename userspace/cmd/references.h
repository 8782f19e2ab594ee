/* SPDX-License-Identifier: MIT */
/*
 * The verifier's side of a verdict, read from files: the policy, and the manifests and
 * certificates that it or the command line names. For the commands that judge.
 */
#ifndef ASSAY_CMD_REFERENCES_H
#define ASSAY_CMD_REFERENCES_H

#include "trust_files.h"
#include "verify/policy.h"

/* struct reference_text - what a manifest is in */
struct reference_text {
	char *name;
	struct buffer text, signature;
};

/**
 * struct references - what was read; references_free() it
 * @manifests, @manifest_count: unread, each beside its signature
 * @certificates, @certificate_count: of signers of manifests
 * @ima_certificates, @ima_certificate_count: of signers in IMA's list only
 * @ak_trust: whose certificates of attestation keys are believed; all NULL where the policy does
 *            not say it. Its time is 0
 * @policy_digest: SHA-256 of the policy's text; of size 0 where none was read
 * @texts: what the manifests are in, as many
 * @policy: SHA-256 of the policy's file; size 0 without one
 *
 * Start with {0}.
 */
struct references {
	struct verify_manifest *manifests;
	size_t manifest_count;
	X509 **certificates;
	size_t certificate_count;
	X509 **ima_certificates;
	size_t ima_certificate_count;
	struct chain_trust ak_trust;
	struct assay_digest policy_digest;
	struct reference_text *texts;
	struct assay_digest policy;
};

/* references_manifest() - read a manifest and its signature, the file beside it */
int references_manifest(struct references *references, const char *path, struct assay_error *err);

/* references_certificate() - read the certificate of a signer of manifests */
int references_certificate(struct references *references, const char *path,
			   struct assay_error *err);

/*
 * references_policy() - read a policy and all that it names
 * @path: "-" is standard input, whose names are relative to the current directory
 */
int references_policy(struct references *references, const char *path, struct policy *ret,
		      struct assay_error *err);

/* references_policy_text() - the same of a policy that was read from @path */
int references_policy_text(struct references *references, struct bytes text, const char *path,
			   struct policy *ret, struct assay_error *err);

void references_free(struct references *references);

#endif /* ASSAY_CMD_REFERENCES_H */
