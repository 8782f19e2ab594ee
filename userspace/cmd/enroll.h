/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of `assay enroll` share: the verifier's are in assay-verify too, and need
 * no TPM stack (enroll_verifier.c); the device's do (enroll.c).
 */
#ifndef ASSAY_CMD_ENROLL_H
#define ASSAY_CMD_ENROLL_H

#include "cmd.h"
#include "enroll/enroll.h"

#define ENROLL_MAX_FILES 64 /* files of certificates of one call */

extern const struct command command_enroll_challenge, command_enroll_accept;

/* What the verifier's side of the command line says. */
struct enroll_verifier {
	const char *records;
	const char *roots[ENROLL_MAX_FILES], *intermediates[ENROLL_MAX_FILES];
	size_t root_count, intermediate_count;
	uint64_t valid; /* seconds */
	bool replace;
};

/* Rows of a command's table of options for that, numbered from this on. */
enum {
	ENROLL_RECORDS = 512,
	ENROLL_ROOTS,
	ENROLL_INTERMEDIATES,
	ENROLL_DAYS,
	ENROLL_REPLACE,
};
/* clang-format off */
#define ENROLL_RECORDS_OPTIONS \
	{ "records", required_argument, NULL, ENROLL_RECORDS }, \
	{ "replace", no_argument, NULL, ENROLL_REPLACE }
#define ENROLL_TRUST_OPTIONS \
	{ "roots", required_argument, NULL, ENROLL_ROOTS }, \
	{ "intermediates", required_argument, NULL, ENROLL_INTERMEDIATES }
/* clang-format on */

#define ENROLL_RECORDS_HELP                                                                \
	"      --records DIR        the verifier's device records and open challenges\n"   \
	"      --replace            where the machine is enrolled with this endorsement\n" \
	"                           key already, let it have a new attestation key\n"
#define ENROLL_TRUST_HELP                                                                    \
	"      --roots FILE         certificates of TPM makers that are trusted, PEM, one\n" \
	"                           or many; repeatable\n"                                   \
	"      --intermediates FILE certificates that may stand between, not trusted for\n"  \
	"                           being there; repeatable\n"

/*
 * enroll_verifier_option() - take one of these options
 * Return: EXIT_OK, or EXIT_USAGE once told
 */
int enroll_verifier_option(const struct command *command, int option, const char *value,
			   struct enroll_verifier *verifier);

/* enroll_make_challenge() - check a request, make the challenge, and keep it in the records */
int enroll_make_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request, struct enroll_challenge *ret,
			  struct assay_error *err);

/*
 * enroll_take_answer() - judge an answer and keep the record; its challenge is closed then
 * @ret: device_record_free() it
 * @ret_path: where the record is; free() it
 */
int enroll_take_answer(const struct enroll_verifier *verifier, const struct enroll_answer *answer,
		       struct device_record *ret, char **ret_path, struct assay_error *err);

/* enroll_print_record() - tell what was enrolled; an exit status */
int enroll_print_record(const struct command *command, const struct device_record *record,
			const char *path, bool json);

/* enroll_read() - a message's file; "-" is standard input */
int enroll_read(const char *path, struct buffer *out, struct assay_error *err);

/*
 * enroll_write() - write a message to a file
 * @write: writes @message to a stream
 */
int enroll_write(const char *path, mode_t mode,
		 int (*write)(FILE *stream, const void *message, struct assay_error *err),
		 const void *message, struct assay_error *err);

#endif /* ASSAY_CMD_ENROLL_H */
