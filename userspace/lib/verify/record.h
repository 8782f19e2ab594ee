/* SPDX-License-Identifier: MIT */
/*
 * A device record: what a verifier keeps of an enrolled device, and judges its evidence by.
 * One JSON object; `assay enroll` writes it, `assay verify --device` reads it.
 */
#ifndef ASSAY_VERIFY_RECORD_H
#define ASSAY_VERIFY_RECORD_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/json.h"
#include "verify/key.h"
#include "verify/verdict.h"

#define RECORD_MAX_SIZE 131072	      /* bytes of the JSON text */
#define RECORD_MAX_MACHINE_ID 64      /* characters */
#define RECORD_MAX_QUALIFIED_NAME 128 /* bytes; a TPM's name has at most 66 */

/**
 * struct device_record - an enrolled device
 * @machine_id: letters, digits, '-', '_' and '.', not first: fit for a file's name
 * @enrolled: when, in seconds since 1970-01-01 00:00 UTC
 * @ak_public: TPM2B_PUBLIC of the attestation key
 * @ak_name: its name, which the TPM proved to hold
 * @ak_qualified_name: as the device told it; size 0 if it did not
 * @ek_key: tpm_public_key_digest() of the endorsement key that it was proved with
 *          size 0 where a certificate of the attestation key was believed instead
 * @ek_certificate: SHA-256 of that key's certificate; size 0 where it is known without one
 * @ak_certificate: SHA-256 of the attestation key's certificate; size 0 where an endorsement key
 *                  was proved
 * @has_state: @state is set: of the device's last attestation that was trusted
 *
 * Start with {0}, end with device_record_free().
 */
struct device_record {
	char machine_id[RECORD_MAX_MACHINE_ID + 1];
	uint64_t enrolled;
	struct buffer ak_public;
	struct tpm_name ak_name;
	struct buffer ak_qualified_name;
	struct assay_digest ek_key;
	struct assay_digest ek_certificate;
	struct assay_digest ak_certificate;
	bool has_state;
	struct verify_state state;
};

/* machine_id_valid() - is this text fit to be a machine id? */
bool machine_id_valid(const char *text);

/*
 * device_record_check_ak() - could evidence of this key be trusted at all?
 * @ak: of a TPM2B_PUBLIC
 *
 * What verify() checks by the default policy: a restricted signing key that was made inside
 * its TPM, of an algorithm that is accepted.
 * Return: 0; -EKEYREJECTED with what is off
 */
int device_record_check_ak(const struct tpm_public *ak, struct assay_error *err);

/*
 * device_record_identity() - which key the device is known by, as tpm_public_key_digest(): its
 * endorsement key, or where a certificate of the attestation key was believed, that one
 */
int device_record_identity(const struct device_record *record, struct assay_digest *ret,
			   struct assay_error *err);

/* device_record_write() - as JSON with a newline; the stream's errors are its owner's */
int device_record_write(FILE *stream, const struct device_record *record, struct assay_error *err);

/*
 * device_record_parse() - read a record's JSON text
 *
 * Strict: unknown members, duplicates, other types and bytes behind the object are refused,
 * and so is a key that has not the name that stands beside it.
 * Return: 0, -EBADMSG with the rule that broke, -EFBIG, -ENOMEM
 */
int device_record_parse(struct bytes text, struct device_record *ret, struct assay_error *err);

void device_record_free(struct device_record *record);

#endif /* ASSAY_VERIFY_RECORD_H */
