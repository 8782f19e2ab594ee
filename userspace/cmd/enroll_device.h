/* SPDX-License-Identifier: MIT */
/* The device's two steps of an enrolment, with its TPM. Only in the program assay. */
#ifndef ASSAY_CMD_ENROLL_DEVICE_H
#define ASSAY_CMD_ENROLL_DEVICE_H

#include "enroll.h"
#include "tpm/ek.h"
#include "tpm_options.h"

/**
 * struct enroll_device - the device's side of the command line
 * @ak: a key file's name, or a handle's
 * @ek_certificate: a file's path; NULL: as the TPM holds it
 * @no_ek_certificate: none is to be handed over
 * @machine_id: NULL: as the system has it
 */
struct enroll_device {
	struct tpm_options tpm;
	const char *ak, *ek_certificate, *machine_id;
	enum tpm_ek_template template;
	bool no_ek_certificate;
};

/* option_function of a row's member of these kinds */
int option_ek_template(void *place, const char *value, struct assay_error *err);

/* Rows of a command's table; @member: struct enroll_device */
/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define ENROLL_ROWS_DEVICE(structure, member) \
	{ "ak", 0, "KEY", "the attestation key: a key file, or handle:0x81... (assay key create " \
	  "--restricted)", OPTION_INPUT(structure, member.ak), .required = true }, \
	{ "ek", 0, "p256-low|rsa2048-low|p256|rsa2048|p384", "the endorsement key, by its template " \
	  "in the TCG's EK Credential Profile: L-2, L-1, H-2, H-1, H-3 (the first whose certificate " \
	  "the TPM holds)", OPTION_FUNCTION(structure, member.template, option_ek_template) }, \
	OPTION_ROW_TCTI(structure, member.tpm), \
	OPTION_ROW_OWNER_PASSWORD(structure, member.tpm), \
	OPTION_ROW_ENDORSEMENT_PASSWORD(structure, member.tpm), \
	OPTION_ROWS_PARENT(structure, member.tpm)
#define ENROLL_ROWS_IDENTITY(structure, member) \
	{ "ek-cert", 0, "FILE", "the endorsement key's certificate, PEM or DER, and what leads from " \
	  "it to a root, where the TPM does not hold it", \
	  OPTION_INPUT(structure, member.ek_certificate), .needs = "ek" }, \
	{ "no-ek-cert", 0, NULL, "hand over no certificate: the verifier knows the endorsement key " \
	  "(--ek-hashes)", OPTION_FLAG(structure, member.no_ek_certificate), .needs = "ek", \
	  .excludes = "ek-cert" }, \
	{ "machine-id", 0, "ID", "what to call the machine (/etc/machine-id)", \
	  OPTION_FUNCTION(structure, member.machine_id, option_machine_id) }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* enroll_make_request() - @made: filled; enroll_request_free() it, also on failure */
int enroll_make_request(struct tpm *tpm, const struct enroll_device *device,
			struct enroll_request *made, struct assay_error *err);

/* enroll_make_answer() - have the TPM unwrap the secret; -EKEYREJECTED where it does not */
int enroll_make_answer(struct tpm *tpm, const struct enroll_device *device,
		       const struct enroll_challenge *challenge, struct enroll_answer *ret,
		       struct assay_error *err);

#endif /* ASSAY_CMD_ENROLL_DEVICE_H */
