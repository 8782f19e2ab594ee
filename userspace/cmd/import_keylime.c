// SPDX-License-Identifier: MIT
/* `assay import keylime`: evidence of what Keylime's agents and verifiers exchange. */
#include "import.h"

#include <errno.h>

#include "base/cleanup.h"
#include "import/keylime.h"

static int read_keylime(const char *path, const struct import_run *run, struct evidence *evidence,
			struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	r = import_keylime(buffer_bytes(&content), &run->told, evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_keylime(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(import_end) struct import_run run = { 0 };
	struct import_files files = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_import_keylime, argc, argv, &files, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_begin(&run, &command_import_keylime, &err);
	if (r == 0)
		r = read_keylime(operands.list[0], &run, &evidence, &err);
	if (r == 0)
		r = import_add_files(&run, &files, &evidence, &err);
	if (r == 0 && evidence.ak_public.size == 0 && evidence.ak_key.size == 0)
		r = assay_fail(&err, EINVAL,
			       "%s does not say which attestation key it is of: give that (--ak)",
			       operands.list[0]);
	return r < 0 ? command_failed(&command_import_keylime, &err) :
		       import_finish(&run, &files, &evidence);
}

static const struct option_row keylime_rows[] = {
	IMPORT_ROW_AK(struct import_files, ak,
		      "the attestation key, in any form, where there is none in there"),
	OPTION_HEADING("What to add:"),
	{ "ak-cert", 0, "FILE", "the key's certificate, PEM or DER",
	  OPTION_INPUT(struct import_files, certificate) },
	IMPORT_ROWS_LOGS(struct import_files, ima, uefi),
	IMPORT_ROWS_OUTPUT(struct import_files, out, json),
	OPTION_END,
};

const struct command command_import_keylime = {
	.name = "import keylime",
	.summary = "evidence of Keylime's quotes and push evidence",
	.intro = "Makes evidence of a quote string of Keylime's, of an agent's answer with one, of "
		 "the\n"
		 "body of a one-shot check (POST /verify/evidence), or of push evidence (API 3). "
		 "FILE\n"
		 "'-' is standard input.\n",
	.options = keylime_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_keylime,
};
