// SPDX-License-Identifier: MIT
/* `assay import`: evidence of what other programs hold; and IMA's list as text. */
#include "import.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "import/tpm2_tools.h"
#include "log/ima_ascii.h"

/* ---------------------------------------------------------------- tpm2-tools */

enum scheme_choice { SCHEME_AUTO, SCHEME_RSASSA, SCHEME_RSAPSS };

struct tpm2_tools_options {
	struct import_files files;
	const char *message, *signature, *pcrs;
	enum scheme_choice scheme;
	enum assay_hash hash;
};

/* The files of one quote, read. */
struct tpm2_tools_input {
	struct buffer message, signature, pcrs, ak;
};

static void input_free(struct tpm2_tools_input *input)
{
	buffer_free(&input->message);
	buffer_free(&input->signature);
	buffer_free(&input->pcrs);
	buffer_free(&input->ak);
}

static int read_tpm2_tools(const struct tpm2_tools_options *options, const struct import_run *run,
			   struct evidence *evidence, struct assay_error *err)
{
	static const uint16_t algorithms[] = { 0, TPM_ALG_RSASSA, TPM_ALG_RSAPSS };
	const struct import_scheme scheme = { algorithms[options->scheme], options->hash };
	CLEANUP(input_free) struct tpm2_tools_input input = { 0 };
	int r = import_read(options->message, &input.message, err);

	if (r == 0)
		r = import_read(options->signature, &input.signature, err);
	if (r == 0)
		r = import_read(options->pcrs, &input.pcrs, err);
	if (r == 0)
		r = import_read(options->files.ak, &input.ak, err);
	if (r == 0)
		r = import_tpm2_tools(
			&(struct tpm2_tools_files){ .message = buffer_bytes(&input.message),
						    .signature = buffer_bytes(&input.signature),
						    .pcrs = buffer_bytes(&input.pcrs),
						    .ak = buffer_bytes(&input.ak) },
			&scheme, &run->told, evidence, err);
	return r;
}

static int run_tpm2_tools(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(import_end) struct import_run run = { 0 };
	struct tpm2_tools_options options = { 0 };
	struct assay_error err;
	int status = command_parse(&command_import_tpm2_tools, argc, argv, &options, NULL);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_begin(&run, &command_import_tpm2_tools, &err);
	if (r == 0)
		r = read_tpm2_tools(&options, &run, &evidence, &err);
	if (r == 0)
		r = import_add_files(&run, &options.files, &evidence, &err);
	return r < 0 ? command_failed(&command_import_tpm2_tools, &err) :
		       import_finish(&run, &options.files, &evidence);
}

static const struct option_row tpm2_tools_rows[] = {
	{ "message", 'm', "FILE", "what was signed (tpm2_quote -m): TPMS_ATTEST",
	  OPTION_INPUT(struct tpm2_tools_options, message), .required = true },
	{ "signature", 's', "FILE", "its signature (-s), of the format tss or plain",
	  OPTION_INPUT(struct tpm2_tools_options, signature), .required = true },
	{ "pcrs", 'f', "FILE", "the PCR values (-o), of the format serialized, marshaled or values",
	  OPTION_INPUT(struct tpm2_tools_options, pcrs), .required = true },
	{ "ak", 'u', "FILE", "the attestation key: TPM2B_PUBLIC, TPMT_PUBLIC, PEM, DER or JWK",
	  OPTION_INPUT(struct tpm2_tools_options, files.ak), .required = true },
	{ "scheme", 0, "auto|rsassa|rsapss",
	  "how a plain signature of an RSA key was made (what the key says, or what holds)",
	  OPTION_CHOICE(struct tpm2_tools_options, scheme) },
	{ "hash", 'g', "sha1|sha256|sha384|sha512",
	  "the hash of a plain signature (what the key says, or that of the quote)",
	  OPTION_HASH(struct tpm2_tools_options, hash) },
	OPTION_HEADING("What to add:"),
	{ "ak-cert", 0, "FILE", "the key's certificate, PEM or DER",
	  OPTION_INPUT(struct tpm2_tools_options, files.certificate) },
	IMPORT_ROWS_LOGS(struct tpm2_tools_options, files.ima, files.uefi),
	IMPORT_ROWS_OUTPUT(struct tpm2_tools_options, files.out, files.json),
	OPTION_END,
};

const struct command command_import_tpm2_tools = {
	.name = "import tpm2-tools",
	.summary = "evidence of the files that tpm2_quote wrote",
	.intro = "Makes evidence of what tpm2_quote(1) wrote, and of logs where there are some. "
		 "What\n"
		 "the files do not say, the evidence does not have: the boot's id and the time.\n",
	.options = tpm2_tools_rows,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_tpm2_tools,
};

/* ---------------------------------------------------------------- IMA's list as text */

struct ima_options {
	const char *out;
	bool json;
};

static int print_ima(const struct ima_options *options, const struct ima_ascii_list *list)
{
	if (options->json)
		return command_emit_json(&command_import_ima,
					 json_pack("{s:o, s:s, s:I, s:I}", "path",
						   command_text_json(options->out), "template_bank",
						   assay_hash_name(list->bank), "entry_count",
						   (json_int_t)list->entries, "problem_count",
						   (json_int_t)list->others));
	printf("%s: %llu entries, template digests in %s\n", options->out,
	       (unsigned long long)list->entries, assay_hash_name(list->bank));
	return command_flush(&command_import_ima);
}

static int run_ima(int argc, char **argv)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(buffer_free) struct buffer binary = { 0 };
	struct ima_ascii_list list = { 0 };
	struct ima_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_import_ima, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_read(operands.list[0], &text, &err);
	if (r == 0) {
		r = ima_ascii_read(buffer_bytes(&text), &binary, &list, &err);
		if (r < 0)
			assay_fail_context(&err, "%s", operands.list[0]);
	}
	if (r == 0)
		r = file_write(options.out, buffer_bytes(&binary), 0666, &err);
	if (r < 0)
		return command_failed(&command_import_ima, &err);
	if (list.others > 0)
		fprintf(stderr,
			"assay %s: the template digest of line %llu, and of %llu more, is not that "
			"of the fields; it is taken as it stands\n",
			command_import_ima.name, (unsigned long long)list.first,
			(unsigned long long)(list.others - 1));
	return print_ima(&options, &list);
}

static const struct option_row ima_rows[] = {
	{ "out", 'o', "FILE", "where to write the list", OPTION_OUTPUT(struct ima_options, out),
	  .required = true },
	OPTION_ROW_JSON(struct ima_options, json),
	OPTION_END,
};

const struct command command_import_ima = {
	.name = "import ima",
	.summary = "IMA's list in binary form, of the list as text",
	.intro =
		"Writes a list that is there as text (ascii_runtime_measurements, or the one of a\n"
		"bank) in the binary form that the kernel has as well. LIST '-' is standard "
		"input.\n",
	.options = ima_rows,
	.operands = "LIST",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_ima,
};

/* ---------------------------------------------------------------- the verbs */

static const struct command *const import_verbs[] = { &command_import_tpm2_tools,
						      &command_import_keylime,
						      &command_import_go_tpm_tools,
						      &command_import_systemd_report,
						      &command_import_cmw,
						      &command_import_ima,
						      NULL };

const struct command command_import = {
	.name = "import",
	.summary = "make evidence of what other programs hold",
	.intro = "Make evidence for 'assay verify' of what other programs wrote. What cannot be "
		 "taken\n"
		 "over is told; what they did not note is not made up.\n",
	.verbs = import_verbs,
	.question = "tpm2-tools, keylime, go-tpm-tools, systemd-report, cmw or ima?",
};
