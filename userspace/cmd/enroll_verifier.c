// SPDX-License-Identifier: MIT
/*
 * The verifier's verbs of `assay enroll`, challenge and accept. Also in the program
 * assay-verify, so nothing here may need the TPM stack.
 */
#include "enroll.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"

/* ---------------------------------------------------------------- shared */

int enroll_read(const char *path, struct buffer *out, struct assay_error *err)
{
	return file_read(path, ENROLL_MAX_SIZE, out, err);
}

void enroll_print_revocation(const struct command *command, const struct enroll_verifier *verifier,
			     const struct chain_revocation *revocation)
{
	if (verifier->trust.crls.count > 0 && revocation->unknown > 0)
		fprintf(stderr,
			"assay %s: of %zu certificates of %zu no revocation list that was given "
			"can tell\n",
			command->name, revocation->unknown, revocation->certificates);
}

int enroll_print_record(const struct command *command, const struct device_record *record,
			const char *path, bool json)
{
	char name[2 * TPM_NAME_MAX + 1];

	hex_encode(BYTES(record->ak_name.bytes, record->ak_name.size), name);
	if (json)
		return command_emit_json(command, json_pack("{s:o, s:s, s:s}", "record",
							    command_text_json(path), "machine_id",
							    record->machine_id, "ak_name", name));
	printf("%s: the machine %s is enrolled with the attestation key %s\n", path,
	       record->machine_id, name);
	return command_flush(command);
}

/* ---------------------------------------------------------------- challenge */

struct challenge_options {
	struct enroll_verifier verifier;
	const char *out;
	bool json;
};

static int write_challenge(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_challenge_write(stream, message, err);
}

static int print_challenge(const struct challenge_options *options,
			   const struct enroll_request *request,
			   const struct enroll_challenge *made,
			   const struct chain_revocation *revocation)
{
	const struct command *command = &command_enroll_challenge;

	if (options->json)
		return command_emit_json(
			command, json_pack("{s:o, s:s, s:o, s:I}", "challenge",
					   command_text_json(options->out), "machine_id",
					   request->machine_id, "id",
					   json_hex(BYTES(made->id, sizeof(made->id))),
					   "not_in_lists", (json_int_t)revocation->unknown));
	enroll_print_revocation(command, &options->verifier, revocation);
	printf("%s: challenge for the machine %s\n", options->out, request->machine_id);
	return command_flush(command);
}

static int make_challenge(const struct challenge_options *options, const char *in)
{
	CLEANUP(enroll_challenge_free) struct enroll_challenge made = { 0 };
	CLEANUP(enroll_request_free) struct enroll_request request = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct chain_revocation revocation = { 0 };
	struct assay_error err;
	int r = enroll_read(in, &text, &err);

	if (r == 0)
		r = enroll_request_parse(buffer_bytes(&text), &request, &err);
	if (r == 0)
		r = enroll_make_challenge(&options->verifier, &request, &made, &revocation, &err);
	if (r == 0)
		r = file_write_by(options->out, 0666, write_challenge, &made, &err);
	return r < 0 ? command_failed(&command_enroll_challenge, &err) :
		       print_challenge(options, &request, &made, &revocation);
}

static int run_challenge(int argc, char **argv)
{
	struct challenge_options options = { .verifier.days = ENROLL_DAYS };
	struct operands operands;
	int status = command_parse(&command_enroll_challenge, argc, argv, &options, &operands);

	if (status == COMMAND_GO)
		status = enroll_check_trust(&command_enroll_challenge, &options.verifier);
	if (status == COMMAND_GO)
		status = make_challenge(&options, operands.list[0]);
	enroll_verifier_free(&options.verifier);
	return status;
}

static const struct option_row challenge_rows[] = {
	ENROLL_ROWS_RECORDS(struct challenge_options, verifier),
	ENROLL_ROWS_TRUST(struct challenge_options, verifier),
	{ "out", 'o', "FILE", "where to write the challenge, for the device",
	  OPTION_OUTPUT(struct challenge_options, out), .required = true },
	{ "days", 0, "N", "how long it may be answered (7)",
	  OPTION_NUMBER(struct challenge_options, verifier.days, 1, ENROLL_DAYS_MAX) },
	OPTION_ROW_JSON(struct challenge_options, json),
	OPTION_END,
};

const struct command command_enroll_challenge = {
	.name = "enroll challenge",
	.summary = "check a device's request, and make a challenge for its TPM",
	.intro = "The verifier's first step: is the certificate in the request one of an\n"
		 "endorsement key, made by a maker who is trusted, and for the key that the\n"
		 "device names; and is the attestation key one that may attest? Then wrap a\n"
		 "secret that only a TPM with both keys can unwrap. An open challenge for the\n"
		 "same endorsement key is no longer open then. Needs no TPM. REQUEST '-' is\n"
		 "standard input.\n",
	.options = challenge_rows,
	.operands = "REQUEST",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 made, 1 refused or failed, 2 wrong usage.\n",
	.run = run_challenge,
};

/* ---------------------------------------------------------------- accept */

struct accept_options {
	struct enroll_verifier verifier;
	bool json;
};

static int accept_answer(const struct accept_options *options, const char *in)
{
	CLEANUP(device_record_free) struct device_record record = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	struct enroll_answer answer;
	struct assay_error err;
	int r = enroll_read(in, &text, &err);

	if (r == 0)
		r = enroll_answer_parse(buffer_bytes(&text), &answer, &err);
	if (r == 0)
		r = enroll_take_answer(&options->verifier, &answer, &record, &path, &err);
	return r < 0 ? command_failed(&command_enroll_accept, &err) :
		       enroll_print_record(&command_enroll_accept, &record, path, options->json);
}

static int run_accept(int argc, char **argv)
{
	struct accept_options options = { 0 };
	struct operands operands;
	int status = command_parse(&command_enroll_accept, argc, argv, &options, &operands);

	return status == COMMAND_GO ? accept_answer(&options, operands.list[0]) : status;
}

static const struct option_row accept_rows[] = {
	ENROLL_ROWS_RECORDS(struct accept_options, verifier),
	OPTION_ROW_JSON(struct accept_options, json),
	OPTION_END,
};

const struct command command_enroll_accept = {
	.name = "enroll accept",
	.summary = "check a device's answer, and keep its record",
	.intro = "The verifier's second step: is the secret the one that was wrapped? Then the\n"
		 "device is enrolled: its record, which 'assay verify --device' takes, is in\n"
		 "DIR/devices. An endorsement key stands for one machine, and a machine for one\n"
		 "endorsement key; a challenge is answered once. ANSWER '-' is standard input.\n",
	.options = accept_rows,
	.operands = "ANSWER",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 enrolled, 1 refused or failed, 2 wrong usage.\n",
	.run = run_accept,
};

/* ---------------------------------------------------------------- enroll, of assay-verify */

static const struct command *const verifier_verbs[] = { &command_enroll_challenge,
							&command_enroll_accept,
							&command_enroll_certificate, NULL };

const struct command command_enroll_verifier = {
	.name = "enroll",
	.summary = "enrol a device: tie its attestation key to its TPM's maker",
	.intro = "What the device does takes the program assay: 'assay enroll request' and\n"
		 "'assay enroll answer'.\n",
	.verbs = verifier_verbs,
	.question = "challenge, accept or certificate?",
};
