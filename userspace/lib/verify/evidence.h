/* SPDX-License-Identifier: MIT */
/*
 * Evidence: what an attester hands to a verifier, as one JSON object (binary
 * members in base64, PCR values in hex). `assay quote` writes it, `assay verify`
 * and `assay log show --evidence` read it.
 *
 * Nothing here is believed: parsing says that the members are there and are of
 * the right kind, no more. What they mean is judged in verify/verify.h.
 */
#ifndef ASSAY_VERIFY_EVIDENCE_H
#define ASSAY_VERIFY_EVIDENCE_H

#include <stdio.h>

#include "base/bytes.h"
#include "log/cel.h"
#include "verify/evidence_session.h"

/* Limits of what is read; more is refused. */
#define EVIDENCE_MAX_SIZE (256U << 20)		/* bytes of the whole JSON text */
#define EVIDENCE_MAX_NONCE 64			/* bytes; a TPM takes at most its largest digest */
#define EVIDENCE_MAX_CERTIFICATE 16384		/* bytes of the AK's certificate */
#define EVIDENCE_MAX_PCRS 128			/* PCR values over all banks: 4 banks of 32 */
#define EVIDENCE_PCR_LIMIT 32			/* PCR indices are below it */
#define EVIDENCE_BOOT_ID_LENGTH 36		/* characters of a UUID */
#define EVIDENCE_MAX_BANKS 4			/* banks that enum assay_hash can name */
#define EVIDENCE_MAX_RECNUM 999999999999999999U /* of a record whose key is there: 18 digits */

/* One PCR value, as read beside the quote. */
struct evidence_pcr {
	unsigned int index;	   /* below EVIDENCE_PCR_LIMIT */
	struct assay_digest value; /* value.hash is the bank */
};

/* The key of a record of assay's log (ASSAY_IOC_KEYS). */
struct evidence_key {
	uint64_t recnum;
	uint8_t key[ASSAY_KEY_SIZE];
};

/**
 * struct evidence - what an attester hands to a verifier
 * @nonce: the verifier's nonce as the attester was given it; 1 to 64 bytes, or size 0 where
 *         there was none. The verifier compares its own with the one the TPM signed, never with
 *         this
 * @has_session: whether the quote was made in an audited session, which is @session
 * @ak_public: TPM2B_PUBLIC of the attestation key
 * @ak_key: where that is not known (then it is of size 0): the key alone, as
 *          SubjectPublicKeyInfo (RFC 5280, section 4.1) in DER
 * @ak_certificate: its certificate in DER; size 0 if there is none
 * @attest: TPMS_ATTEST, without a TPM2B's size in front
 * @signature: TPMT_SIGNATURE over @attest
 * @pcrs: PCR values in the order of the quote's selection; owned
 * @pcr_count: how many
 * @has_assay_log: whether the next seven are set
 * @assay_base: offset of the first byte of @assay_cel in assay's log
 * @assay_first: number of the record that is there, or will be: 0 for the whole log,
 *               more for one that was trimmed or that goes on where an earlier one ended
 * @assay_start: what the attester says the PCR was before that record, a value a bank;
 *               of a whole log its START record tells
 * @assay_start_count: how many; 0 where @assay_first is 0
 * @assay_cel: assay's log from there, TCG CEL-TLV; empty where nothing is newer
 * @assay_keys: keys of its records that its records do not tell, by number; owned
 * @assay_key_count: how many
 * @has_ima_log: whether the next three are set
 * @ima_template_bank: whose template digests @ima_data holds
 * @ima_first: how many entries of the list come before @ima_data: 0 for the whole list, more for
 *             one that goes on where an earlier one ended
 * @ima_data: IMA's binary measurement list
 * @has_uefi_log: whether there was a log of the firmware; it may be of 0 bytes
 * @uefi_data: TCG event log (binary_bios_measurements)
 * @boot_id: the boot's UUID as text, as in /proc/sys/kernel/random/boot_id; "" where nobody
 *           noted it
 * @has_collected: whether the next one is set
 * @collected: when, in seconds since 1970-01-01 00:00 UTC
 *
 * Start with {0}, end with evidence_free(), which frees what is owned.
 */
struct evidence {
	struct buffer nonce;
	struct buffer ak_public;
	struct buffer ak_key;
	struct buffer ak_certificate;
	struct buffer attest;
	struct buffer signature;
	bool has_session;
	struct evidence_session session;
	struct evidence_pcr *pcrs;
	size_t pcr_count;
	bool has_assay_log;
	uint64_t assay_base;
	uint64_t assay_first;
	struct assay_digest assay_start[EVIDENCE_MAX_BANKS];
	size_t assay_start_count;
	struct buffer assay_cel;
	struct evidence_key *assay_keys;
	size_t assay_key_count;
	bool has_ima_log;
	enum assay_hash ima_template_bank;
	uint64_t ima_first;
	struct buffer ima_data;
	bool has_uefi_log;
	struct buffer uefi_data;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	bool has_collected;
	uint64_t collected;
};

/*
 * evidence_add_pcr() - append a PCR value; the same PCR of a bank twice is refused
 * Return: 0, -EINVAL (index or digest size off), -EEXIST, -E2BIG, -ENOMEM
 */
int evidence_add_pcr(struct evidence *evidence, unsigned int index,
		     const struct assay_digest *value, struct assay_error *err);

/*
 * evidence_add_key() - append the key of a record, of a higher number than those before
 * Return: 0, -EINVAL (the number is not higher, or over EVIDENCE_MAX_RECNUM), -ENOMEM
 */
int evidence_add_key(struct evidence *evidence, uint64_t recnum, const uint8_t *key,
		     struct assay_error *err);

/* evidence_key() - the key of a record; NULL if it is not there */
const uint8_t *evidence_key(const struct evidence *evidence, uint64_t recnum);

/*
 * evidence_write() - write @evidence as JSON with a newline at its end
 *
 * The stream's own errors are its owner's to check (file_commit() does).
 * Return: 0, -EINVAL if a member that must be there is missing or over its
 * limit, -ENOMEM, -EIO
 */
int evidence_write(FILE *stream, const struct evidence *evidence, struct assay_error *err);

/*
 * evidence_parse() - read the JSON text of evidence
 *
 * Strict: unknown members, duplicates, other types, values over their limits and
 * bytes behind the object are refused. The logs are decoded straight out of @text, once, into
 * memory that nobody else changes: all checks see the same bytes. Nothing else is copied that
 * grows with them.
 * Return: 0, -EBADMSG with the rule that broke, -EFBIG, -ENOMEM
 */
int evidence_parse(struct bytes text, struct evidence *ret, struct assay_error *err);

void evidence_free(struct evidence *evidence);

#endif /* ASSAY_VERIFY_EVIDENCE_H */
