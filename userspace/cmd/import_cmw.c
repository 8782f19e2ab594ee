// SPDX-License-Identifier: MIT
/* `assay import cmw`: evidence out of a conceptual message wrapper. */
#include "import.h"

#include "base/cleanup.h"
#include "report/cmw.h"

struct cmw_options {
	struct import_files files;
};

static int read_cmw(const char *path, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	r = cmw_read_evidence(buffer_bytes(&content), &text, err);
	if (r == 0)
		r = evidence_parse(buffer_bytes(&text), evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_cmw(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(import_end) struct import_run run = { 0 };
	struct cmw_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_import_cmw, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_begin(&run, &command_import_cmw, &err);
	if (r == 0)
		r = read_cmw(operands.list[0], &evidence, &err);
	return r < 0 ? command_failed(&command_import_cmw, &err) :
		       import_finish(&run, &options.files, &evidence);
}

static const struct option_row cmw_rows[] = {
	IMPORT_ROWS_OUTPUT(struct cmw_options, files.out, files.json),
	OPTION_END,
};

const struct command command_import_cmw = {
	.name = "import cmw",
	.summary = "evidence out of a conceptual message wrapper",
	.intro = "Takes evidence of 'assay quote' out of a conceptual message wrapper (CMW): a\n"
		 "record or a collection, as JSON or CBOR. FILE '-' is standard input.\n",
	.options = cmw_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_cmw,
};
