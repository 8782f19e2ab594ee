// SPDX-License-Identifier: MIT
/* `assay export`: evidence in the forms of other programs; what has no place there is told. */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd.h"
#include "evidence_parts.h"
#include "import/pcr_file.h"
#include "options.h"
#include "verify/keylime_evidence.h"
#include "verify/structures.h"

static const struct command command_export_tpm2_tools, command_export_keylime;

static int read_evidence(const char *path, struct evidence *ret, struct assay_error *err)
{
	struct file_view view = { 0 };
	int r = file_map(path, EVIDENCE_MAX_SIZE, &view, err);

	if (r < 0)
		return r;
	r = evidence_parse(view.bytes, ret, err);
	file_unmap(&view);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

/* What was written, and each thing that was not. */
static int show(const struct command *command, const char *out, bool json, const char *const *notes,
		size_t count)
{
	json_t *reasons = json_array();

	for (size_t i = 0; i < count; i++) {
		fprintf(stderr, "assay %s: left out: %s\n", command->name, notes[i]);
		json_array_append_new(reasons, json_text(notes[i]));
	}
	if (json)
		return command_emit_json(command,
					 json_pack("{s:o, s:o}", "path", command_text_json(out),
						   "left_out", reasons));
	json_decref(reasons);
	printf("%s\n", out);
	return command_flush(command);
}

/* ---------------------------------------------------------------- tpm2-tools */

#define PARTS_NOTES_MAX 4

struct parts_options {
	const char *out;
	bool json;
};

static size_t parts_notes(const struct evidence *evidence, const char *notes[PARTS_NOTES_MAX])
{
	size_t count = 0;

	if (evidence->boot_id[0] != '\0')
		notes[count++] = "the boot's id, which no file of tpm2-tools has";
	if (evidence->has_collected)
		notes[count++] = "the time, which no file of tpm2-tools has";
	if (evidence->assay_first > 0 || evidence->assay_key_count > 0)
		notes[count++] = "where assay's log begins, and keys of its records";
	if (evidence->has_session)
		notes[count++] = "the session that the quote was made in, which answers the nonce";
	return count;
}

static int run_tpm2_tools(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	const char *notes[PARTS_NOTES_MAX];
	struct parts_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_export_tpm2_tools, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = read_evidence(operands.list[0], &evidence, &err);
	if (r == 0)
		r = evidence_parts_write(options.out, &evidence, &err);
	return r < 0 ? command_failed(&command_export_tpm2_tools, &err) :
		       show(&command_export_tpm2_tools, options.out, options.json, notes,
			    parts_notes(&evidence, notes));
}

static const struct option_row tpm2_tools_rows[] = {
	{ "out", 'o', "DIR", "the directory to write the files into; made where it is not there",
	  OPTION_DIRECTORY(struct parts_options, out), .required = true },
	OPTION_ROW_JSON(struct parts_options, json),
	OPTION_END,
};

static const struct command command_export_tpm2_tools = {
	.name = "export tpm2-tools",
	.summary = "the files that tpm2_checkquote takes, and the logs",
	.intro = "Writes attest, sig, pcrs and ak.pub, which tpm2_checkquote(1) takes, and what "
		 "else\n"
		 "there is: nonce, ak.crt, assay.cel, ima, uefi. EVIDENCE '-' is standard input.\n",
	.options = tpm2_tools_rows,
	.operands = "EVIDENCE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed, 2 wrong usage.\n",
	.run = run_tpm2_tools,
};

/* ---------------------------------------------------------------- Keylime */

struct keylime_options {
	const char *out, *ek;
	bool json;
};

static int write_body(FILE *stream, const void *body, struct assay_error *err)
{
	return json_write(stream, json_incref((json_t *)body), "the evidence", err);
}

static int write_keylime(const struct keylime_options *options, const struct evidence *evidence,
			 struct keylime_left_out *ret_left_out, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *body = NULL;
	CLEANUP(buffer_free) struct buffer pcrs = { 0 };
	CLEANUP(buffer_free) struct buffer ek = { 0 };
	struct tpm_public public;
	int r = file_read(options->ek, EVIDENCE_MAX_STRUCTURE, &ek, err);

	if (r == 0 && tpm_public_parse(buffer_bytes(&ek), &public, err) < 0)
		r = assay_fail_context(err, "%s is no TPM2B_PUBLIC", options->ek);
	if (r == 0 && evidence->ak_public.size == 0)
		r = assay_fail(err, EINVAL,
			       "the evidence has no more of the attestation key than its numbers, "
			       "and Keylime takes it as TPM2B_PUBLIC");
	if (r == 0)
		r = pcr_file_write(evidence, &pcrs, err);
	if (r == 0)
		r = keylime_evidence(evidence, buffer_bytes(&pcrs), buffer_bytes(&ek), &body,
				     ret_left_out, err);
	return r < 0 ? r : file_write_by(options->out, 0666, write_body, body, err);
}

static int run_keylime(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	const char *notes[KEYLIME_LEFT_OUT_MAX];
	struct keylime_left_out left_out = { 0 };
	struct keylime_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_export_keylime, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = read_evidence(operands.list[0], &evidence, &err);
	if (r == 0)
		r = write_keylime(&options, &evidence, &left_out, &err);
	if (r < 0)
		return command_failed(&command_export_keylime, &err);
	for (size_t i = 0; i < left_out.count; i++)
		notes[i] = left_out.reason[i];
	return show(&command_export_keylime, options.out, options.json, notes, left_out.count);
}

static const struct option_row keylime_rows[] = {
	{ "ek", 0, "FILE", "TPM2B_PUBLIC of the endorsement key, which evidence does not have",
	  OPTION_INPUT(struct keylime_options, ek), .required = true },
	{ "out", 'o', "FILE", "where to write it", OPTION_OUTPUT(struct keylime_options, out),
	  .required = true },
	OPTION_ROW_JSON(struct keylime_options, json),
	OPTION_END,
};

static const struct command command_export_keylime = {
	.name = "export keylime",
	.summary = "the body of Keylime's one-shot check",
	.intro = "Writes what Keylime's verifier takes (POST /verify/evidence), without the "
		 "policies,\n"
		 "of which it wants one at least. EVIDENCE '-' is standard input.\n",
	.options = keylime_rows,
	.operands = "EVIDENCE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_keylime,
};

/* ---------------------------------------------------------------- the verbs */

static const struct command *const export_verbs[] = { &command_export_tpm2_tools,
						      &command_export_keylime, NULL };

const struct command command_export = {
	.name = "export",
	.summary = "write evidence in the forms of other programs",
	.intro = "Writes evidence in the forms of other programs. What has no place there is "
		 "told.\n",
	.verbs = export_verbs,
	.question = "tpm2-tools or keylime?",
};
