// SPDX-License-Identifier: MIT
/* `assay import go-tpm-tools`: evidence of an attestation of go-tpm-tools. */
#include "import.h"

#include "base/cleanup.h"
#include "import/go_tpm_tools.h"

struct go_options {
	struct import_files files;
	enum assay_hash bank;
};

static int read_go(const char *path, const struct go_options *options, const struct import_run *run,
		   struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	r = import_go_tpm_tools(buffer_bytes(&content), options->bank, &run->told, evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_go(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(import_end) struct import_run run = { 0 };
	struct go_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_import_go_tpm_tools, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_begin(&run, &command_import_go_tpm_tools, &err);
	if (r == 0)
		r = read_go(operands.list[0], &options, &run, &evidence, &err);
	if (r == 0)
		r = import_add_files(&run, &options.files, &evidence, &err);
	return r < 0 ? command_failed(&command_import_go_tpm_tools, &err) :
		       import_finish(&run, &options.files, &evidence);
}

static const struct option_row go_rows[] = {
	{ "bank", 0, "sha1|sha256|sha384|sha512",
	  "the bank whose quote to take (the first there is of sha256, sha384, sha512, sha1)",
	  OPTION_HASH(struct go_options, bank) },
	OPTION_HEADING("What to add:"),
	IMPORT_ROWS_LOGS(struct go_options, files.ima, files.uefi),
	IMPORT_ROWS_OUTPUT(struct go_options, files.out, files.json),
	OPTION_END,
};

const struct command command_import_go_tpm_tools = {
	.name = "import go-tpm-tools",
	.summary = "evidence of an attestation of go-tpm-tools",
	.intro = "Makes evidence of an attestation that go-tpm-tools wrote in binary form ('gotpm\n"
		 "attest'), of which evidence holds the quote of one bank. FILE '-' is standard "
		 "input.\n",
	.options = go_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_go,
};
