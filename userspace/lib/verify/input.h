/* SPDX-License-Identifier: MIT */
/*
 * What a verdict is made of: the policy, the evidence and the references, and who wants to see
 * more than the verdict. For lib/verify and all who fill it.
 */
#ifndef ASSAY_VERIFY_INPUT_H
#define ASSAY_VERIFY_INPUT_H

#include <openssl/x509.h>

#include "base/bytes.h"
#include "firmware/rules.h"
#include "sign/chain.h"
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

/* verify_algorithm_bit() - the bit for a TPM_ALG_ID; 0 for one that has none */
uint32_t verify_algorithm_bit(uint16_t algorithm);

/* PCRs 0 to 7 are the firmware's; what is in those above may come from others, later. */
#define FIRMWARE_PCRS 8

/* Whether a device has a log, by its policy. */
enum log_presence {
	PRESENCE_UNSAID,   /* in rules: as PRESENCE_REQUIRED */
	PRESENCE_REQUIRED, /* evidence has to hold it */
	PRESENCE_OPTIONAL, /* evidence may hold it, and then it is judged as a required one */
	PRESENCE_ABSENT,   /* the device has none: one that is there is told, and not judged */
};

/* struct policy_pcr - the values that a PCR may have; any one of them */
struct policy_pcr {
	enum assay_hash bank;
	unsigned int index;
	const struct assay_digest *values;
	size_t count;
};

/**
 * struct policy_path - a file that may be measured although no manifest has it
 * @path: as it is measured; one that ends in '/' stands for all that is below it
 * @reason: why, for people
 * @digests: what it may be, of any algorithm; @count of them. None: anything
 */
struct policy_path {
	const char *path;
	const char *reason;
	const struct assay_digest *digests;
	size_t count;
};

/**
 * struct verify_policy - what evidence must fulfil
 * @required: CHECK_BIT()s; without any, nothing is trusted
 * @required_if_made: what must not fail, but need not have been made
 * @required_with_state: as well, where the verifier has a state of the device
 * @logs: which logs there have to be; what is in the three masks above is not required where it
 *        is of a log that need not be there and is not
 * @manifest_asked: there has to be a manifest, also where there is no log of assay's
 * @algorithms: enum verify_algorithm, what keys, signatures and PCR banks may be of
 * @rsa_bits: the least size of an RSA key
 * @nonce_size: the fewest bytes of a nonce
 * @no_nonce: a verifier that sends none is answered by any quote; then nothing but a state tells an
 *            old one
 * @max_age: seconds from the nonce to the verdict; 0: any
 * @same_boot: the TPM must not have been reset, nor restarted, since the last attestation
 * @suspend: a TPM restart without a reset (TPM Part 1, 12.2.3.2) may be a machine that
 *           resumed from suspend to RAM: an earlier state goes on over it
 * @manifest_min_created: manifests must have been made then or later, in seconds since
 *                        1970-01-01 00:00 UTC; 0: at any time
 * @manifest_file_signature: take manifests that are signed in the old way, as files are: whoever
 *                           gets a file into a signed tree can make such a manifest
 * @manifest_signers: 2: manifests must have a second signer; 0 and 1: need not
 * @manifest_id, @manifest_product: what manifests must say they are; NULL: anything
 * @filesystems, @filesystem_count: UUIDs, of 16 bytes each, of the file systems that
 *                                  measured files may be on; none: any
 * @uefi_accepted: bit n: rule n of enum uefi_rule (log/uefi.h) may be broken
 * @uefi_extended_later: bit n: others extend PCR n (8 to 23) after the firmware's log ends, so
 *                       that its events of that PCR prove nothing and are not compared
 * @firmware: what the events of the firmware's log must be; each rule is a check
 * @ak_certified: the key must have a certificate that is believed
 * @ak_vouched: what such a certificate does not say, that the key is restricted and bound to its
 *              TPM, is so for all that these authorities certify
 * @pcrs: bit n: PCR n must be quoted, all in one bank; and besides them the PCR that anchors a
 *        log which is optional and there
 * @assay_pcr: index of the PCR that anchors assay's log
 * @ima_pcr: index of IMA's PCR
 * @pcr_values, @pcr_value_count: PCRs that must be quoted, and what they may be
 * @starts, @start_count: the values, one a bank or more, which @assay_pcr may have
 *                        before the log's first record, where something else measures
 *                        into it first. Without any: zeros only
 * @prefix: what to take off the front of measured paths before they are looked up,
 *          where the manifest's root was not the device's: "/mnt/root". NULL or
 *          empty: nothing
 * @allowed, @allowed_count: files that need not be in a manifest; in the order of
 *                           ima_name_compare() (log/ima.h), a path more than once or not
 * @trimmed: take a log whose beginning was trimmed, on the word of its TRIM record
 * @ima_digests, @ima_digest_count: digests of files' data, or of other data that IMA
 *                                  measures by name; in the order of ima_name_compare()
 *                                  (log/ima.h), each path once,
 *                                  .reason is not used
 * @unknown_records: take records of kinds that the verifier cannot judge, and content
 *                   of others: they replay, and what they say is not looked at
 * @unknown_templates: the same of IMA's templates
 */
struct verify_policy {
	check_mask required;
	check_mask required_if_made;
	check_mask required_with_state;
	enum log_presence logs[VERIFY_LOGS];
	bool manifest_asked;
	uint32_t algorithms;
	unsigned int rsa_bits;
	size_t nonce_size;
	bool no_nonce;
	uint64_t max_age;
	bool same_boot;
	bool suspend;
	uint64_t manifest_min_created;
	bool manifest_file_signature;
	unsigned int manifest_signers;
	const char *manifest_id, *manifest_product;
	const uint8_t (*filesystems)[16];
	size_t filesystem_count;
	uint32_t uefi_accepted;
	uint32_t uefi_extended_later;
	struct firmware_rules firmware;
	bool ak_certified, ak_vouched;
	uint32_t pcrs;
	unsigned int assay_pcr;
	unsigned int ima_pcr;
	const struct policy_pcr *pcr_values;
	size_t pcr_value_count;
	const struct assay_digest *starts;
	size_t start_count;
	const char *prefix;
	const struct policy_path *allowed;
	size_t allowed_count;
	const struct policy_path *ima_digests;
	size_t ima_digest_count;
	bool trimmed;
	bool unknown_records;
	bool unknown_templates;
};

/*
 * verify_policy_default() - what is required of evidence where nobody says otherwise:
 * all checks but those that ask for what a policy has to name, and those of what is
 * common and shown (ima-log-violations, quote-clock, assay-log-tpm); PCRs 10 and 14;
 * nonces of at least 16 bytes; P-256, P-384, RSA from 2048 bits with RSASSA or RSAPSS;
 * SHA-256 and longer
 */
void verify_policy_default(struct verify_policy *ret);

struct verified_manifest;
struct kept_key;

/**
 * struct verify_manifest - a manifest
 * @name: for messages
 * @text: unread
 * @signature: of its .p7s file
 * @verified: if it is not NULL, the manifest as it was verified and read before
 *            (verify/manifests.h); then the others are not used
 */
struct verify_manifest {
	const char *name;
	struct bytes text;
	struct bytes signature;
	const struct verified_manifest *verified;
};

/* What became of a file that was measured. */
enum file_state {
	FILE_MATCHES, /* it is a reference value */
	FILE_SIGNED,  /* its digest is signed by an accepted key */
	FILE_ALLOWED, /* the policy allows it by its path */
	FILE_UNKNOWN, /* it is none of these */
	FILE_DIFFERS, /* it has a reference value, and is not that, or is badly signed */
	FILE_FAILED,  /* it could not be measured, or was written meanwhile */
	FILE_STATES,
};

/**
 * struct verify_file - an entry of a file, of assay's log or of IMA's list
 * @path: as it was measured, not yet fit to print; .data may be NULL
 * @by_ima: of IMA's list, or of what assay's log mirrors of it
 * @verity: @digest is an fs-verity digest
 * @number: of the record, or of the entry in IMA's list
 * @covered: before the quoted PCR value
 * @digest: what was found; size 0 if nothing was, or nothing known
 * @expected: for FILE_DIFFERS: a reference value; may be NULL
 */
struct verify_file {
	struct bytes path;
	bool by_ima;
	bool verity;
	uint64_t number;
	bool covered;
	enum file_state state;
	struct assay_digest digest;
	const struct assay_digest *expected;
};

/**
 * struct verify_record - a record of assay's log
 * @kind: its name, or NULL for one that is not known
 * @time: nanoseconds since 1970 (UTC), by the device's clock; 0 if the record has none
 * @files, @events, @ima: entries in it
 */
struct verify_record {
	uint64_t number, offset, size;
	const char *kind;
	uint64_t time;
	size_t files, events, ima;
	bool covered;
};

/*
 * struct verify_observer - who wants to see more of the logs than the verdict; what is
 * handed over lives until the call returns. Called only where assay's log is well-formed
 * and the manifests' signatures are good, or there is no manifest. @firmware, which may be NULL, is
 * given the firmware's log if that is proven.
 */
struct verify_observer {
	void *context;
	void (*record)(void *context, const struct verify_record *record);
	void (*file)(void *context, const struct verify_file *file);
	void (*firmware)(void *context, const struct firmware_log *log);
};

struct evidence;

/**
 * struct verify_input - what a verifier has: all borrowed
 * @evidence: JSON text
 * @evidence_read: what evidence_parse() made of it, for who has asked that already: taken over;
 * else NULL
 * @nonce: that it sent
 * @ak_public: TPM2B_PUBLIC of the key that it enrolled; empty where only the key's numbers are
 *             known (verify/ak_given.h): then @ak_key is tpm_public_key_digest() of them
 * @ak_kept: the same as @ak_public, read before (verify/kept_key.h); NULL where it was not
 * @ak_trust: whose certificates of attestation keys are believed; its time is not looked at.
 *            NULL: nobody's, and certificates are not looked at. That is for who read the
 *            policy's "ak" and the files that it names to fill. Where neither of the above is
 *            there, a certificate that passes says which key it is
 * @ak_certificates: of the key, as ak_certificate_check() (verify/ak_certificate.h) takes them;
 *                   empty: the evidence's
 * @ak_vouched: of a key whose numbers alone are known, the caller vouches for what they, and its
 *              certificate, do not say: that it is restricted, and bound to its TPM
 * @ak_qualified_name: that key's qualified name as noted at enrolment; size 0 if it
 *                     was not: then its form alone is checked
 * @state: of the device's last attestation; NULL if this is the first
 * @now: the verifier's clock, in seconds since 1970-01-01 00:00 UTC
 * @nonce_issued: when it sent the nonce, by the same clock; 0 if it does not know
 * @manifests, @manifest_count: reference values
 * @certificates, @certificate_count: of signers that are accepted, of manifests and of
 *                                    files in IMA's list
 * @ima_certificates, @ima_certificate_count: of signers of files in IMA's list only
 * @references: a digest that stands for the policy, the certificates and the manifests as a whole;
 *              size 0 if there is none: then no evidence goes on from a state but by assay's
 *              log alone
 * @observer: NULL if nobody wants to see more
 */
struct verify_input {
	struct bytes evidence;
	struct evidence *evidence_read;
	struct bytes nonce;
	struct bytes ak_public;
	const struct kept_key *ak_kept;
	struct assay_digest ak_key;
	const struct chain_trust *ak_trust;
	struct bytes ak_certificates;
	bool ak_vouched;
	struct bytes ak_qualified_name;
	const struct verify_state *state;
	uint64_t now;
	uint64_t nonce_issued;
	const struct verify_manifest *manifests;
	size_t manifest_count;
	X509 *const *certificates;
	size_t certificate_count;
	X509 *const *ima_certificates;
	size_t ima_certificate_count;
	struct assay_digest references;
	const struct verify_observer *observer;
};

#endif /* ASSAY_VERIFY_INPUT_H */
