/* SPDX-License-Identifier: MIT */
/*
 * libassay-verify: the verifier of assay, for programs in C and C++.
 *
 * Pure functions: bytes in, verdict out. No file is opened, nothing is printed, no clock and no
 * TPM are asked, and no state is kept between calls, which may be made from several threads. (A
 * call may start threads of its own for a long log; it ends them before it returns.)
 *
 * What evidence, manifests and policies are, and what each check asks, is in assay-verify(1) and
 * assay-policy(5). Link with `pkg-config --libs libassay-verify`.
 *
 * Stable: structures have a version and reserved members, which must be zero. A later library
 * takes what is compiled against this header; a later version of a structure gives members that
 * are reserved here a meaning.
 */
#ifndef ASSAY_VERIFY_LIBRARY_H
#define ASSAY_VERIFY_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_VERIFY_PARAMS_VERSION 1

/* Borrowed bytes; size 0 where there are none. */
struct assay_verify_bytes {
	const void *data;
	size_t size;
};

/**
 * struct assay_verify_manifest - reference values: a manifest and the signature beside it
 * @name: for the verdict's sentences, such as the name of its file
 * @text: the manifest, JSON lines
 * @signature: of its .p7s file
 */
struct assay_verify_manifest {
	const char *name;
	struct assay_verify_bytes text;
	struct assay_verify_bytes signature;
	uint64_t reserved[4];
};

/**
 * struct assay_verify_params - what a verifier has; all is borrowed for the call
 * @version: ASSAY_VERIFY_PARAMS_VERSION
 * @flags: 0
 * @evidence: JSON, as `assay quote` writes it
 * @nonce: that the verifier sent, raw
 * @ak_public: TPM2B_PUBLIC of the attestation key that it enrolled
 * @ak_qualified_name: that key's qualified name as noted at enrolment; may be missing: then
 *                     only its form is checked
 * @policy: JSON, assay-policy(5); without it the default holds. Files that it names are not
 *          opened: their bytes are to be in @manifests and @certificates
 * @state: assay_verdict_state() of the device's last verdict; missing for its first
 * @now: the verifier's clock, in seconds since 1970-01-01 00:00 UTC
 * @nonce_issued: when it sent the nonce, by the same clock; 0 if it does not know
 * @manifests, @manifest_count: reference values
 * @certificates, @certificate_count: PEM or DER, each of a signer of manifests that is accepted
 * @ima_certificates, @ima_certificate_count: of signers of files in IMA's list only
 *
 * Begin with all of it zero, set the version, and then what there is.
 */
struct assay_verify_params {
	uint32_t version;
	uint32_t flags;
	struct assay_verify_bytes evidence;
	struct assay_verify_bytes nonce;
	struct assay_verify_bytes ak_public;
	struct assay_verify_bytes ak_qualified_name;
	struct assay_verify_bytes policy;
	struct assay_verify_bytes state;
	uint64_t now;
	uint64_t nonce_issued;
	const struct assay_verify_manifest *manifests;
	size_t manifest_count;
	const struct assay_verify_bytes *certificates;
	size_t certificate_count;
	const struct assay_verify_bytes *ima_certificates;
	size_t ima_certificate_count;
	uint64_t reserved[16];
};

/* struct assay_verify_error - why there is no verdict: a sentence, always terminated */
struct assay_verify_error {
	char text[1024];
};

/* What came of a check. "Not checked" is never a pass. */
enum assay_verify_result {
	ASSAY_VERIFY_NOT_CHECKED = 0,
	ASSAY_VERIFY_PASS = 1,
	ASSAY_VERIFY_FAIL = 2,
};

/**
 * struct assay_verify_check - one check of a verdict; the texts live as long as the verdict
 * @name: "quote-nonce" and so on: names stay what they are, new ones may come
 * @question: what it asks, for people
 * @detail: what was found, and what was expected; UTF-8, fit to print
 * @advice: what to do where it did not pass
 * @result: enum assay_verify_result
 * @required: 1 if the policy requires it, else 0
 */
struct assay_verify_check {
	const char *name;
	const char *question;
	const char *detail;
	const char *advice;
	uint32_t result;
	uint32_t required;
	uint64_t reserved[4];
};

struct assay_verdict;

/*
 * assay_verify() - judge evidence
 * @error: filled where there is no verdict; may be NULL
 *
 * Evidence that is not what it must be, or none at all, has a verdict: that it is not trusted.
 *
 * Return: 0 with a verdict, to be given to assay_verdict_free(); -EINVAL for parameters of
 * another version, or reserved ones that are not zero; -EBADMSG for a policy, a state or a
 * certificate that is none; -ENOMEM
 */
int assay_verify(const struct assay_verify_params *params, struct assay_verdict **ret_verdict,
		 struct assay_verify_error *error);

/* assay_verdict_trusted() - 1 if every check that the policy requires has passed, else 0 */
int assay_verdict_trusted(const struct assay_verdict *verdict);

/* assay_verdict_checks() - how many checks there are; in the order in which they are made */
size_t assay_verdict_checks(const struct assay_verdict *verdict);

/* assay_verdict_check() - the check of that index; 0, or -ERANGE if there is none */
int assay_verdict_check(const struct assay_verdict *verdict, size_t index,
			struct assay_verify_check *ret_check);

/*
 * assay_verdict_reason() - the index of the first check that is required and did not pass; how
 * many checks there are if all did
 */
size_t assay_verdict_reason(const struct assay_verdict *verdict);

/* assay_verdict_json() - as `assay verify --json` prints it; NULL without memory */
const char *assay_verdict_json(struct assay_verdict *verdict);

/*
 * assay_verdict_state() - what to keep of the device, and to give to its next verdict: JSON.
 * NULL if it is not trusted, or without memory
 */
const char *assay_verdict_state(struct assay_verdict *verdict);

/* assay_verdict_free() - and all texts of it; does nothing with NULL */
void assay_verdict_free(struct assay_verdict *verdict);

/* assay_verify_version() - of the library, "0.1.0" */
const char *assay_verify_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSAY_VERIFY_LIBRARY_H */
