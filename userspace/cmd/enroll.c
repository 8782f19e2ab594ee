// SPDX-License-Identifier: MIT
/* `assay enroll`: the device's verbs, request and answer, and both sides in one. */
#include "enroll.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enroll_device.h"
#include "tpm/context.h"

CLEANUP_POINTER(struct tpm, tpm_close, tpm_close);

static const struct command command_request, command_answer;

static int print_message(const struct command *command, const char *path, const char *key,
			 const char *what, bool json)
{
	if (json)
		return command_emit_json(command, json_pack("{s:o}", key, command_text_json(path)));
	printf("%s: %s\n", path, what);
	return command_flush(command);
}

/* ---------------------------------------------------------------- request */

struct request_options {
	struct enroll_device device;
	const char *out;
	bool json;
};

static int write_request(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_request_write(stream, message, err);
}

static int make_request(const struct request_options *options, struct assay_error *err)
{
	CLEANUP(enroll_request_free) struct enroll_request made = { 0 };
	CLEANUP(tpm_close_pointer) struct tpm *tpm = NULL;
	int r = tpm_options_open(&options->device.tpm, &tpm, err);

	if (r == 0)
		r = enroll_make_request(tpm, &options->device, &made, err);
	return r < 0 ? r : file_write_by(options->out, 0666, write_request, &made, err);
}

static int run_request(int argc, char **argv)
{
	struct request_options options = { 0 };
	struct assay_error err;
	int status = command_parse(&command_request, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (make_request(&options, &err) < 0)
		return command_failed(&command_request, &err);
	return print_message(&command_request, options.out, "request", "request for enrolment",
			     options.json);
}

static const struct option_row request_rows[] = {
	ENROLL_ROWS_DEVICE(struct request_options, device),
	ENROLL_ROWS_IDENTITY(struct request_options, device),
	{ "out", 'o', "FILE", "where to write the request, for the verifier",
	  OPTION_OUTPUT(struct request_options, out), .required = true },
	OPTION_ROW_JSON(struct request_options, json),
	OPTION_END,
};

static const struct command command_request = {
	.name = "enroll request",
	.summary = "the device's first step: tell which keys it has",
	.intro = "The device's first step: write down its endorsement key with the certificate\n"
		 "that the TPM's maker made, its attestation key, and its machine id.\n",
	.options = request_rows,
	.epilogue = "Exit status: 0 made, 1 failed, 2 wrong usage.\n",
	.run = run_request,
};

/* ---------------------------------------------------------------- answer */

struct answer_options {
	struct enroll_device device;
	const char *out;
	bool json;
};

static int write_answer(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_answer_write(stream, message, err);
}

static int answer_challenge(const struct answer_options *options, const char *in,
			    struct assay_error *err)
{
	CLEANUP(enroll_challenge_free) struct enroll_challenge challenge = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(tpm_close_pointer) struct tpm *tpm = NULL;
	struct enroll_answer made;
	int r = enroll_read(in, &text, err);

	if (r == 0)
		r = enroll_challenge_parse(buffer_bytes(&text), &challenge, err);
	if (r == 0)
		r = tpm_options_open(&options->device.tpm, &tpm, err);
	if (r == 0)
		r = enroll_make_answer(tpm, &options->device, &challenge, &made, err);
	return r < 0 ? r : file_write_by(options->out, 0600, write_answer, &made, err);
}

static int run_answer(int argc, char **argv)
{
	struct answer_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_answer, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		return status;
	if (answer_challenge(&options, operands.list[0], &err) < 0)
		return command_failed(&command_answer, &err);
	return print_message(&command_answer, options.out, "answer", "answer to the challenge",
			     options.json);
}

static const struct option_row answer_rows[] = {
	ENROLL_ROWS_DEVICE(struct answer_options, device),
	{ "out", 'o', "FILE", "where to write the answer, for the verifier",
	  OPTION_OUTPUT(struct answer_options, out), .required = true },
	OPTION_ROW_JSON(struct answer_options, json),
	OPTION_END,
};

static const struct command command_answer = {
	.name = "enroll answer",
	.summary = "the device's second step: have the TPM unwrap the secret",
	.intro = "The device's second step: have the TPM unwrap the secret that the verifier\n"
		 "wrapped for its two keys. CHALLENGE '-' is standard input.\n",
	.options = answer_rows,
	.operands = "CHALLENGE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 made, 1 refused by the TPM or failed, 2 wrong usage.\n",
	.run = run_answer,
};

/* ---------------------------------------------------------------- both sides in one */

struct here_options {
	struct enroll_device device;
	struct enroll_verifier verifier;
	bool json;
};

static int enroll_here(const struct here_options *options, struct device_record *record,
		       char **ret_path, struct assay_error *err)
{
	CLEANUP(enroll_challenge_free) struct enroll_challenge challenge = { 0 };
	CLEANUP(enroll_request_free) struct enroll_request made = { 0 };
	CLEANUP(tpm_close_pointer) struct tpm *tpm = NULL;
	struct chain_revocation revocation = { 0 };
	struct enroll_answer answered;
	int r = tpm_options_open(&options->device.tpm, &tpm, err);

	if (r == 0)
		r = enroll_make_request(tpm, &options->device, &made, err);
	if (r == 0)
		r = enroll_make_challenge(&options->verifier, &made, &challenge, &revocation, err);
	if (r == 0)
		r = enroll_make_answer(tpm, &options->device, &challenge, &answered, err);
	if (r == 0)
		r = enroll_take_answer(&options->verifier, &answered, record, ret_path, err);
	if (r == 0)
		enroll_print_revocation(&command_enroll, &options->verifier, &revocation);
	return r;
}

static int run_here(int argc, char **argv)
{
	CLEANUP(device_record_free) struct device_record record = { 0 };
	struct here_options options = { .verifier.days = ENROLL_DAYS };
	CLEANUP(free_pointer) char *path = NULL;
	struct assay_error err;
	int status = command_parse(&command_enroll, argc, argv, &options, NULL);

	if (status == COMMAND_GO)
		status = enroll_check_trust(&command_enroll, &options.verifier);
	if (status == COMMAND_GO)
		status = enroll_here(&options, &record, &path, &err) < 0 ?
				 command_failed(&command_enroll, &err) :
				 enroll_print_record(&command_enroll, &record, path, options.json);
	enroll_verifier_free(&options.verifier);
	return status;
}

static const struct option_row here_rows[] = {
	ENROLL_ROWS_DEVICE(struct here_options, device),
	ENROLL_ROWS_IDENTITY(struct here_options, device),
	ENROLL_ROWS_RECORDS(struct here_options, verifier),
	ENROLL_ROWS_TRUST(struct here_options, verifier),
	OPTION_ROW_JSON(struct here_options, json),
	OPTION_END,
};

static const struct command *const enroll_verbs[] = {
	&command_request,	&command_enroll_challenge,   &command_answer,
	&command_enroll_accept, &command_enroll_certificate, NULL
};

const struct command command_enroll = {
	.name = "enroll",
	.summary = "enrol a device: tie its attestation key to its TPM's maker",
	.intro = "Without a verb all four are done here, where TPM and records are both at hand.\n",
	.verbs = enroll_verbs,
	.options = here_rows,
	.epilogue = "Exit status: 0 enrolled, 1 refused or failed, 2 wrong usage.\n",
	.run = run_here,
};
