/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of `assay enroll` share: the verifier's are in assay-verify too, and need no TPM
 * stack (enroll_verifier.c, enroll_records.c); the device's do (enroll.c, enroll_device.c).
 */
#ifndef ASSAY_CMD_ENROLL_H
#define ASSAY_CMD_ENROLL_H

#include "cmd.h"
#include "enroll/enroll.h"
#include "trust_files.h"

extern const struct command command_enroll_challenge, command_enroll_accept,
	command_enroll_certificate;

#define ENROLL_DAYS 7 /* how long a challenge may be answered */
#define ENROLL_DAYS_MAX 3650

/**
 * struct enroll_verifier - the verifier's side of the command line
 * @known: paths of lists of endorsement keys
 * @days: how long a challenge may be answered
 */
struct enroll_verifier {
	const char *records;
	struct trust_paths trust;
	struct option_texts known;
	uint32_t days;
	bool replace;
};

/* enroll_check_trust() - is anybody to be believed? COMMAND_GO, or an exit status */
int enroll_check_trust(const struct command *command, const struct enroll_verifier *verifier);

void enroll_verifier_free(struct enroll_verifier *verifier);

/* Rows of a command's table; @member: struct enroll_verifier */
/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define ENROLL_ROWS_RECORDS(structure, member) \
	{ "records", 0, "DIR", "the verifier's device records and open challenges", \
	  OPTION_DIRECTORY(structure, member.records), .required = true }, \
	{ "replace", 0, NULL, "where the machine is enrolled with this endorsement key already, " \
	  "let it have a new attestation key", OPTION_FLAG(structure, member.replace) }
#define ENROLL_ROWS_TRUST(structure, member) \
	{ "roots", 0, "FILE", "certificates of TPM makers that are trusted, PEM or DER, one or " \
	  "many, or a directory of such files; repeatable", OPTION_INPUTS(structure, member.trust.roots) }, \
	{ "ek-hashes", 0, "FILE", "lists of endorsement keys that need no certificate, a line a key: the " \
	  "SHA-256 of its SubjectPublicKeyInfo; repeatable", \
	  OPTION_INPUTS(structure, member.known) }, \
	{ "intermediates", 0, "FILE", "certificates that may stand between, not trusted for being " \
	  "there, likewise; repeatable", OPTION_INPUTS(structure, member.trust.intermediates) }, \
	{ "crl", 0, "FILE", "revocation lists of such makers, PEM or DER, likewise; repeatable", \
	  OPTION_INPUTS(structure, member.trust.crls) }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/*
 * enroll_make_challenge() - check a request, make the challenge, and keep it in the records
 * @ret_revocation: what the revocation lists could say
 */
int enroll_make_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request, struct enroll_challenge *ret,
			  struct chain_revocation *ret_revocation, struct assay_error *err);

/*
 * enroll_take_answer() - judge an answer and keep the record; its challenge is closed then
 * @ret: device_record_free() it
 * @ret_path: where the record is; free() it
 */
int enroll_take_answer(const struct enroll_verifier *verifier, const struct enroll_answer *answer,
		       struct device_record *ret, char **ret_path, struct assay_error *err);

/* enroll_print_revocation() - say of how many certificates no list could tell, if lists were given
 */
void enroll_print_revocation(const struct command *command, const struct enroll_verifier *verifier,
			     const struct chain_revocation *revocation);

/* enroll_print_record() - tell what was enrolled; an exit status */
int enroll_print_record(const struct command *command, const struct device_record *record,
			const char *path, bool json);

/* option_function of a row's member: a machine's id */
int option_machine_id(void *place, const char *value, struct assay_error *err);

/* enroll_read() - a message's file; "-" is standard input */
int enroll_read(const char *path, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_CMD_ENROLL_H */
