/* SPDX-License-Identifier: MIT */
/*
 * A verdict as a Verification Summary Attestation (https://slsa.dev/verification_summary/v1), an
 * in-toto statement in a signed envelope (sign/statement.h), for CI and for admission by others.
 * Pure but for the signer's own I/O.
 *
 * The subject is the evidence, by its SHA-256. What it was judged by, as input attestations: the
 * manifests, by theirs. "verifiedLevels" is one of
 *
 *	ASSAY_TRUSTED			trusted
 *	ASSAY_TRUSTED_BOOT_NOT_JUDGED	trusted, and the boot was not judged
 *	FAILED				not trusted
 */
#ifndef ASSAY_REPORT_VSA_H
#define ASSAY_REPORT_VSA_H

#include "sign/statement.h"
#include "verify/input.h"
#include "verify/verdict.h"

#define VSA_PREDICATE_TYPE "https://slsa.dev/verification_summary/v1"

/**
 * struct vsa - what a summary says
 * @verifier: URI of whoever judged
 * @resource: URI of what the evidence is of; NULL: the evidence itself
 * @policy: SHA-256 of the policy; of size 0: there was none but the options and the built-in one
 * @evidence, @evidence_name: its bytes, and its name for people
 * @manifests, @manifest_count: what it was judged by
 * @now: when, in seconds since 1970
 */
struct vsa {
	const char *verifier, *resource;
	struct assay_digest policy;
	struct bytes evidence;
	const char *evidence_name;
	const struct verify_manifest *manifests;
	size_t manifest_count;
	uint64_t now;
};

/* vsa_write() - append the envelope to @out */
int vsa_write(const struct verdict *verdict, const struct vsa *vsa,
	      const struct statement_signer *signer, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_REPORT_VSA_H */
