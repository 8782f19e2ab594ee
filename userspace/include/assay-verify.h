/* SPDX-License-Identifier: MIT */
/*
 * libassay-verify: the verifier of assay, for programs in C and C++.
 *
 * Pure functions: bytes in, verdict out. No file is opened, nothing is printed, and neither a
 * clock nor a TPM is asked. (A call may start threads of its own for a long log; it ends them
 * before it returns.)
 *
 * A program reads its policy, with certificates and manifests, once, and judges as many devices
 * with it as it likes:
 *
 *	assay_policy_new(), assay_policy_add_certificate()
 *	assay_manifest_new(), assay_policy_add_manifest()
 *	for each device: assay_verify(), assay_verdict_...(), assay_verdict_free()
 *
 * Threads: policies are changed by one thread at a time, and by none once they are verified
 * with; then any number of threads may use them, at once. Manifests and verdicts never change:
 * any thread may read them, until they are freed.
 *
 * OpenSSL: the calling thread's error queue is left as it was, as long as it has room for what
 * a call adds for a while.
 *
 * What evidence, manifests and policies are, and what each check asks, is in assay-verify(1),
 * assay-evidence(5) and assay-policy(5). Link with `pkg-config --libs libassay-verify`.
 *
 * The interface, and what keeps programs: this is interface 2, as the version of all symbols
 * (ASSAY_VERIFY_2) and of the parameters says. Within it structures only give reserved members,
 * which must be zero, a meaning, and enumerations and functions are only added to. While
 * the library's own version begins with 0, a later one may have another interface under the
 * same soname (libassay-verify.so.0): a program that was built for this one is then not started
 * with it, rather than misunderstood.
 */
#ifndef ASSAY_VERIFY_LIBRARY_H
#define ASSAY_VERIFY_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_VERIFY_PARAMS_VERSION 2

/* Borrowed bytes; size 0 where there are none. */
struct assay_verify_bytes {
	const void *data;
	size_t size;
};

/* What a function returns. Numbers stay what they are, new ones may come. */
enum assay_verify_error {
	ASSAY_VERIFY_OK = 0,
	ASSAY_VERIFY_ERROR_PARAMETER = 1,   /* another version, reserved and not zero, missing */
	ASSAY_VERIFY_ERROR_RANGE = 2,	    /* no such index */
	ASSAY_VERIFY_ERROR_MEMORY = 3,	    /* there is not enough */
	ASSAY_VERIFY_ERROR_POLICY = 4,	    /* not a policy */
	ASSAY_VERIFY_ERROR_CERTIFICATE = 5, /* not a certificate */
	ASSAY_VERIFY_ERROR_MANIFEST = 6,    /* not one, or not signed by an accepted signer */
	ASSAY_VERIFY_ERROR_STATE = 7,	    /* not a state */
	ASSAY_VERIFY_ERROR_FILE = 8,	    /* the policy names a file that was not supplied */
	ASSAY_VERIFY_ERROR_KEY = 9,	    /* not a TPM2B_PUBLIC of a key that is known */
};

/* struct assay_verify_message - an error in a sentence, always terminated; fit to print */
struct assay_verify_message {
	char text[1024];
};

/* ---------------------------------------------------------------- manifests */

/**
 * struct assay_manifest_source - a manifest as its signer published it; borrowed for the call
 * @name: for messages, such as the name of its file; may be NULL
 * @text: the manifest, JSON lines
 * @signature: of its .p7s file
 */
struct assay_manifest_source {
	const char *name;
	struct assay_verify_bytes text;
	struct assay_verify_bytes signature;
	uint64_t reserved[4];
};

/* A manifest whose signature was found good, for any number of policies. */
struct assay_manifest;

/**
 * struct assay_manifest_info - what a manifest says of itself; lives as long as it does
 * @id: 32 hexadecimal digits, another for each manifest
 * @created: "2026-01-31T23:59:59Z"
 * @product: what the files are of; "" if it is not said
 * @signer: the subject of its signer's certificate, as the manifest has it; not fit to print
 * @files: how many it has
 */
struct assay_manifest_info {
	const char *id;
	const char *created;
	const char *product;
	const char *signer;
	uint64_t files;
	uint64_t reserved[3];
};

/*
 * assay_manifest_new() - verify a manifest's signature, then read it
 * @certificates, @count: PEM or DER, of signers, one of whom must have signed it. Each policy
 *                        that it is added to must have that signer's certificate, too
 * @message: filled if it fails; may be NULL
 *
 * Return: ASSAY_VERIFY_OK, with a manifest to be given to assay_manifest_free();
 * ASSAY_VERIFY_ERROR_PARAMETER, _MANIFEST, _CERTIFICATE, _MEMORY
 */
enum assay_verify_error assay_manifest_new(const struct assay_manifest_source *source,
					   const struct assay_verify_bytes *certificates,
					   size_t count, struct assay_manifest **ret_manifest,
					   struct assay_verify_message *message);

/* assay_manifest_info() - what it says of itself */
void assay_manifest_info(const struct assay_manifest *manifest,
			 struct assay_manifest_info *ret_info);

/* assay_manifest_free() - policies that have it keep it; does nothing with NULL */
void assay_manifest_free(struct assay_manifest *manifest);

/* ---------------------------------------------------------------- policies */

/* What evidence must fulfil, with the certificates and manifests that it is compared with. */
struct assay_policy;

/* What a certificate or a file that a policy names is for. */
enum assay_policy_use {
	ASSAY_POLICY_SIGNER = 1,     /* certificate: a signer of manifests and of IMA's files */
	ASSAY_POLICY_IMA_SIGNER = 2, /* certificate: a signer of files in IMA's list only */
	ASSAY_POLICY_MANIFEST = 3,
	/* Of the policy's "ak": whose certificates of attestation keys are believed. A file of
	 * these may hold several, one after the other. */
	ASSAY_POLICY_AK_ROOT = 4,	  /* certificates: trusted as they are */
	ASSAY_POLICY_AK_INTERMEDIATE = 5, /* certificates: what may stand between */
	ASSAY_POLICY_AK_CRL = 6,	  /* revocation lists */
};

/**
 * struct assay_policy_file - a file that a policy names
 * @name: as it stands in the policy: relative to where the policy is; lives as long as it does
 * @use: enum assay_policy_use
 * @supplied: 1 once its content was supplied, else 0
 */
struct assay_policy_file {
	const char *name;
	uint32_t use;
	uint32_t supplied;
	uint64_t reserved[4];
};

/*
 * assay_policy_new() - read a policy
 * @json: assay-policy(5); of size 0: the default, which names no files
 * @message: filled if it fails; may be NULL
 *
 * Files that it names are not opened: assay_policy_file() tells their names, and until
 * assay_policy_supply() or assay_policy_supply_manifest() was given each, nothing can be
 * verified with it.
 *
 * Return: ASSAY_VERIFY_OK, with a policy to be given to assay_policy_free();
 * ASSAY_VERIFY_ERROR_POLICY, _CERTIFICATE (one within it), _MEMORY
 */
enum assay_verify_error assay_policy_new(struct assay_verify_bytes json,
					 struct assay_policy **ret_policy,
					 struct assay_verify_message *message);

/* assay_policy_files() - how many files it names */
size_t assay_policy_files(const struct assay_policy *policy);

/* assay_policy_file() - the file of that index; ASSAY_VERIFY_ERROR_RANGE if there is none */
enum assay_verify_error assay_policy_file(const struct assay_policy *policy, size_t index,
					  struct assay_policy_file *ret_file);

/*
 * assay_policy_supply() - the certificate in a file that it names, PEM or DER; for
 * ASSAY_POLICY_AK_..., all certificates or revocation lists in it
 * Return: ASSAY_VERIFY_OK; ASSAY_VERIFY_ERROR_RANGE, _PARAMETER (a manifest's, or supplied
 * already), _CERTIFICATE, _MEMORY
 */
enum assay_verify_error assay_policy_supply(struct assay_policy *policy, size_t index,
					    struct assay_verify_bytes certificate,
					    struct assay_verify_message *message);

/*
 * assay_policy_supply_manifest() - the manifest in a file that it names
 * The certificate of its signer must be there before. The policy shares the manifest.
 *
 * Return: ASSAY_VERIFY_OK; ASSAY_VERIFY_ERROR_RANGE, _PARAMETER (a certificate's, or supplied
 * already), _MANIFEST (signed by nobody whom this policy accepts), _MEMORY
 */
enum assay_verify_error assay_policy_supply_manifest(struct assay_policy *policy, size_t index,
						     struct assay_manifest *manifest,
						     struct assay_verify_message *message);

/*
 * assay_policy_add_certificate() - of a signer, or an authority, whom it does not name
 * @use: any but ASSAY_POLICY_MANIFEST
 *
 * With an ASSAY_POLICY_AK_ROOT certificates of attestation keys are looked at, also where the
 * policy does not ask for one. Revocation lists are judged by the time of each verdict.
 */
enum assay_verify_error assay_policy_add_certificate(struct assay_policy *policy,
						     enum assay_policy_use use,
						     struct assay_verify_bytes certificate,
						     struct assay_verify_message *message);

/* assay_policy_add_manifest() - one that it does not name; as assay_policy_supply_manifest() */
enum assay_verify_error assay_policy_add_manifest(struct assay_policy *policy,
						  struct assay_manifest *manifest,
						  struct assay_verify_message *message);

/* assay_policy_free() - verdicts do not need it any more; does nothing with NULL */
void assay_policy_free(struct assay_policy *policy);

/* ---------------------------------------------------------------- attestation keys */

/* An attestation key that was read once: of a device that is judged often. */
struct assay_ak;

/*
 * assay_ak_new() - read a key
 * @ak_public: TPM2B_PUBLIC; nothing of it is borrowed
 *
 * Whether the policy takes such a key is for the verdict to say.
 *
 * Return: ASSAY_VERIFY_OK, with a key to be given to assay_ak_free(); ASSAY_VERIFY_ERROR_KEY,
 * _MEMORY
 */
enum assay_verify_error assay_ak_new(struct assay_verify_bytes ak_public, struct assay_ak **ret_ak,
				     struct assay_verify_message *message);

/* assay_ak_free() - no verdict is under way with it; does nothing with NULL */
void assay_ak_free(struct assay_ak *ak);

/* ---------------------------------------------------------------- states */

/**
 * struct assay_state_info - what a state says of its device's last good attestation
 * @boot_id: of which boot, a UUID as text; "" where the evidence did not say it
 * @log, @ima, @uefi: what evidence of the same boot may leave out: records of assay's log,
 *                    entries of IMA's list, both from the first on, and the firmware's log if
 *                    it has so many bytes; 0 where it must be all there
 * @clock: the TPM's, in milliseconds
 * @firmware_version: the TPM's
 * @verified: when, in seconds since 1970-01-01 00:00 UTC, by the verifier's clock
 * @reset_count, @restart_count: the TPM's
 */
struct assay_state_info {
	char boot_id[40];
	uint64_t log;
	uint64_t ima;
	uint64_t uefi;
	uint64_t clock;
	uint64_t firmware_version;
	uint64_t verified;
	uint32_t reset_count;
	uint32_t restart_count;
	uint64_t reserved[4];
};

/*
 * assay_state_info() - read a state
 * @state: as assay_verdict_state_bytes() or assay_verdict_state() gave it
 * @policy: what the next evidence will be judged by; may be NULL. What was judged by another
 *          one, or by other manifests, has to be judged again: then @ret_info->log, ima and
 *          uefi are 0
 *
 * Return: ASSAY_VERIFY_OK, ASSAY_VERIFY_ERROR_STATE, _MEMORY
 */
enum assay_verify_error assay_state_info(struct assay_verify_bytes state,
					 const struct assay_policy *policy,
					 struct assay_state_info *ret_info,
					 struct assay_verify_message *message);

/* ---------------------------------------------------------------- verdicts */

/* In flags of struct assay_verify_params: keep files and records, for assay_verdict_file() */
#define ASSAY_VERIFY_KEEP_FILES 1u

/**
 * struct assay_verify_params - a device's evidence, and what it is judged by; borrowed
 * @version: ASSAY_VERIFY_PARAMS_VERSION
 * @flags: 0 or ASSAY_VERIFY_KEEP_FILES
 * @policy: that is whole: every file that it names was supplied
 * @evidence: JSON, as `assay quote` writes it
 * @nonce: that the verifier sent, raw
 * @ak_public: TPM2B_PUBLIC of the attestation key that it enrolled. It may be missing where the
 *             policy has an ASSAY_POLICY_AK_ROOT: then a certificate that is believed says
 *             which key it is
 * @ak_qualified_name: that key's qualified name as noted at enrolment; may be missing: then
 *                     only its form is checked
 * @state: assay_verdict_state_bytes() or assay_verdict_state() of the device's last verdict that
 *         was trusted; missing for its first. Only the verifier may be able to change it
 * @now: the verifier's clock, in seconds since 1970-01-01 00:00 UTC
 * @nonce_issued: when it sent the nonce, by the same clock; 0 if it does not know
 * @ak: instead of @ak_public: the key as it was read once; else NULL
 * @ak_certificates: of the attestation key, for a policy with an ASSAY_POLICY_AK_ROOT: DER, the
 *                   key's first, then what leads to a root; missing: the evidence's
 *
 * Begin with all of it zero, set the version, and then what there is.
 */
struct assay_verify_params {
	uint32_t version;
	uint32_t flags;
	const struct assay_policy *policy;
	struct assay_verify_bytes evidence;
	struct assay_verify_bytes nonce;
	struct assay_verify_bytes ak_public;
	struct assay_verify_bytes ak_qualified_name;
	struct assay_verify_bytes state;
	uint64_t now;
	uint64_t nonce_issued;
	const struct assay_ak *ak;
	struct assay_verify_bytes ak_certificates;
	uint64_t reserved[13];
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

/**
 * struct assay_verify_digest - a digest
 * @hash: TPM_ALG_ID: 0x0004 SHA-1, 0x000b SHA-256, 0x000c SHA-384, 0x000d SHA-512
 * @size: bytes of it; 0 where there is none
 */
struct assay_verify_digest {
	uint32_t hash;
	uint32_t size;
	uint8_t bytes[64];
};

/* What became of a file that was measured. */
enum assay_verify_file_state {
	ASSAY_VERIFY_FILE_MATCHES = 1, /* it is a reference value */
	ASSAY_VERIFY_FILE_SIGNED = 2,  /* its digest is signed by an accepted key */
	ASSAY_VERIFY_FILE_ALLOWED = 3, /* the policy allows it by its path */
	ASSAY_VERIFY_FILE_UNKNOWN = 4, /* it is none of these */
	ASSAY_VERIFY_FILE_DIFFERS = 5, /* not what its reference value says, or badly signed */
	ASSAY_VERIFY_FILE_FAILED = 6,  /* could not be measured, or was written meanwhile */
};

/* In flags of the two below. */
#define ASSAY_VERIFY_COVERED 1u /* it is before the quoted PCR value: the TPM vouches for it */
#define ASSAY_VERIFY_BY_IMA 2u	/* of IMA's list, or of what assay's log mirrors of it */
#define ASSAY_VERIFY_VERITY 4u	/* the digest is an fs-verity digest, not that of the data */

/**
 * struct assay_verify_file - a measurement of a file
 * @path: as it was measured: any bytes, not fit to print; no data if it was too long
 * @state: enum assay_verify_file_state
 * @number: of the record in assay's log, or of the entry in IMA's list
 * @digest: what was found
 * @expected: for ASSAY_VERIFY_FILE_DIFFERS: a reference value, where there is one
 */
struct assay_verify_file {
	struct assay_verify_bytes path;
	uint32_t state;
	uint32_t flags;
	uint64_t number;
	struct assay_verify_digest digest;
	struct assay_verify_digest expected;
	uint64_t reserved[4];
};

/**
 * struct assay_verify_record - a record of assay's log
 * @number: from 0
 * @offset, @size: where it is in the log, in bytes
 * @kind: "START", "MEASURE" and so on; NULL for one that is not known
 * @time: nanoseconds since 1970-01-01 00:00 UTC by the device's clock; 0 if it has none
 * @files, @events, @ima: entries in it
 * @flags: ASSAY_VERIFY_COVERED
 */
struct assay_verify_record {
	uint64_t number;
	uint64_t offset;
	uint64_t size;
	const char *kind;
	uint64_t time;
	uint64_t files;
	uint64_t events;
	uint64_t ima;
	uint32_t flags;
	uint32_t padding;
	uint64_t reserved[4];
};

struct assay_verdict;

/*
 * assay_verify() - judge evidence
 * @message: filled where there is no verdict; may be NULL
 *
 * Evidence that is not what it must be, or none at all, has a verdict: that it is not trusted.
 *
 * Return: ASSAY_VERIFY_OK with a verdict, to be given to assay_verdict_free();
 * ASSAY_VERIFY_ERROR_PARAMETER, _FILE (with the name of the file that was not supplied),
 * _STATE, _MEMORY
 */
enum assay_verify_error assay_verify(const struct assay_verify_params *params,
				     struct assay_verdict **ret_verdict,
				     struct assay_verify_message *message);

/* assay_verdict_trusted() - 1 if every check that the policy requires has passed, else 0 */
int assay_verdict_trusted(const struct assay_verdict *verdict);

/*
 * assay_verdict_boot_judged() - 1 if it is known what the machine booted, else 0
 * Root of any machine can extend PCRs 10 and 14: without this, a log is only worth what the
 * kernel is that nobody looked at. The check boot-known, which a policy may waive.
 */
int assay_verdict_boot_judged(const struct assay_verdict *verdict);

/* assay_verdict_sentence() - "trusted", "trusted (the boot was not judged)", "NOT TRUSTED" */
const char *assay_verdict_sentence(const struct assay_verdict *verdict);

/* assay_verdict_checks() - how many checks there are; in the order in which they are made */
size_t assay_verdict_checks(const struct assay_verdict *verdict);

/* assay_verdict_check() - the check of that index; ASSAY_VERIFY_ERROR_RANGE if there is none */
enum assay_verify_error assay_verdict_check(const struct assay_verdict *verdict, size_t index,
					    struct assay_verify_check *ret_check);

/*
 * assay_verdict_reason() - the index of the first check that is required and did not pass; how
 * many checks there are if all did
 */
size_t assay_verdict_reason(const struct assay_verdict *verdict);

/**
 * struct assay_verify_quote - when the quote was made, by the TPM
 * @boot_id: as the evidence says; "" where it does not
 * @clock: in milliseconds
 * @firmware_version: the TPM's
 * @reset_count, @restart_count: the TPM's
 * @safe: 0 if the clock may have shown more before
 * @proven: 1 if it is the enrolled key's, and of the nonce, else 0: then anybody may have said it.
 *          What else is in the evidence may still be another's, also the values of PCRs
 */
struct assay_verify_quote {
	char boot_id[40];
	uint64_t clock;
	uint64_t firmware_version;
	uint32_t reset_count;
	uint32_t restart_count;
	uint32_t safe;
	uint32_t proven;
	uint64_t reserved[4];
};

/*
 * assay_verdict_quote() - trusted or not: for telling one attestation from another
 * Return: ASSAY_VERIFY_OK; ASSAY_VERIFY_ERROR_RANGE where the evidence has no quote that parses
 */
enum assay_verify_error assay_verdict_quote(const struct assay_verdict *verdict,
					    struct assay_verify_quote *ret_quote);

/*
 * Files and records, in the order of the logs: with ASSAY_VERIFY_KEEP_FILES, and where the logs
 * and manifests are good enough to be looked at; else there are none. Texts and bytes live as
 * long as the verdict.
 */
size_t assay_verdict_files(const struct assay_verdict *verdict);
enum assay_verify_error assay_verdict_file(const struct assay_verdict *verdict, size_t index,
					   struct assay_verify_file *ret_file);
size_t assay_verdict_records(const struct assay_verdict *verdict);
enum assay_verify_error assay_verdict_record(const struct assay_verdict *verdict, size_t index,
					     struct assay_verify_record *ret_record);

/*
 * assay_verdict_json() - as `assay verify --json` prints it: a new string, to be given to
 * assay_verify_text_free(); NULL without memory
 */
char *assay_verdict_json(const struct assay_verdict *verdict);

/*
 * assay_verdict_state() - what to keep of the device, and to give to its next verdict: JSON in
 * a new string, to be given to assay_verify_text_free(). NULL if it is not trusted, or without
 * memory
 */
char *assay_verdict_state(const struct assay_verdict *verdict);

/*
 * assay_verdict_state_bytes() - the same as bytes, some 400 of them, for a database: they live as
 * long as the verdict
 *
 * They say besides what the logs said until then, so that the next evidence may leave that out,
 * and its verdict is that of the whole evidence all the same: libassay-verify(3). Nothing in them
 * is secret; whoever can change them can have a device trusted.
 *
 * Return: ASSAY_VERIFY_OK; ASSAY_VERIFY_ERROR_RANGE if it is not trusted
 */
enum assay_verify_error assay_verdict_state_bytes(const struct assay_verdict *verdict,
						  struct assay_verify_bytes *ret_state);

/* assay_verify_text_free() - does nothing with NULL */
void assay_verify_text_free(char *text);

/* assay_verdict_free() - and all texts of it; does nothing with NULL */
void assay_verdict_free(struct assay_verdict *verdict);

/* assay_verify_version() - of the library, "0.1.0" */
const char *assay_verify_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ASSAY_VERIFY_LIBRARY_H */
