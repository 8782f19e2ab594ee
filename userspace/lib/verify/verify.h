/* SPDX-License-Identifier: MIT */
/*
 * The verifier: is this evidence a TPM's word, given now, for a log whose every
 * entry is what a signed manifest says?
 *
 * Pure: bytes in, verdict out. No I/O, no globals, no clock, no TPM stack. For
 * `assay verify` and for whoever embeds it.
 *
 * Each check is made by exactly one function (verify.c has the table), is made
 * only when those it builds on have passed, and sets one bit of the verdict.
 */
#ifndef ASSAY_VERIFY_H
#define ASSAY_VERIFY_H

#include <openssl/x509.h>

#include "base/bytes.h"
#include "verify/verdict.h"

/* Signatures, hashes, curves: bits of struct verify_policy.algorithms. */
enum verify_algorithm {
	VERIFY_RSASSA = 1U << 0,
	VERIFY_RSAPSS = 1U << 1,
	VERIFY_ECDSA = 1U << 2,
	VERIFY_SHA256 = 1U << 3,
	VERIFY_SHA384 = 1U << 4,
	VERIFY_SHA512 = 1U << 5,
	VERIFY_P256 = 1U << 6,
	VERIFY_P384 = 1U << 7,
};

/**
 * struct verify_policy - what evidence must fulfil
 * @required: CHECK_BIT()s; without any, nothing is trusted
 * @algorithms: enum verify_algorithm, what keys, signatures and PCR banks may be of
 * @rsa_bits: the least size of an RSA key
 * @nonce_size: the fewest bytes of a nonce
 * @pcrs: bit n: PCR n must be quoted, all in one bank
 * @assay_pcr: index of the PCR that anchors assay's log
 * @ima_pcr: index of IMA's PCR
 * @start: the value which @assay_pcr may have before the log's first record, where
 *         something else measures into it first; size 0: zeros only
 * @prefix: what to take off the front of measured paths before they are looked up,
 *          where the manifest's root was not the device's: "/mnt/root". NULL or
 *          empty: nothing
 */
struct verify_policy {
	uint64_t required;
	uint32_t algorithms;
	unsigned int rsa_bits;
	size_t nonce_size;
	uint32_t pcrs;
	unsigned int assay_pcr;
	unsigned int ima_pcr;
	struct assay_digest start;
	const char *prefix;
};

/*
 * verify_policy_default() - everything required but ima-log-violations (which are
 * common and are shown); PCRs 10 and 14; nonces of at least 16 bytes; P-256, P-384,
 * RSA from 2048 bits with RSASSA or RSAPSS; SHA-256 and longer
 */
void verify_policy_default(struct verify_policy *ret);

/* struct verify_manifest - a manifest, unread; @name is for messages */
struct verify_manifest {
	const char *name;
	struct bytes text;
	struct bytes signature; /* of its .p7s file */
};

/**
 * struct verify_input - what a verifier has: all borrowed
 * @evidence: JSON text
 * @nonce: that it sent
 * @ak_public: TPM2B_PUBLIC of the key that it enrolled
 * @ak_qualified_name: that key's qualified name as noted at enrolment; size 0 if it
 *                     was not: then its form alone is checked
 * @manifests, @manifest_count: reference values
 * @certificates, @certificate_count: of signers that are accepted
 */
struct verify_input {
	struct bytes evidence;
	struct bytes nonce;
	struct bytes ak_public;
	struct bytes ak_qualified_name;
	const struct verify_manifest *manifests;
	size_t manifest_count;
	X509 *const *certificates;
	size_t certificate_count;
};

/*
 * verify() - judge evidence
 * It cannot fail: what cannot be checked, be it for want of memory, is not passed.
 */
void verify(const struct verify_input *input, const struct verify_policy *policy,
	    struct verdict *ret);

#endif /* ASSAY_VERIFY_H */
