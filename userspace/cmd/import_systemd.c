// SPDX-License-Identifier: MIT
/* `assay import systemd-report`: evidence of a signed report of systemd. */
#include "import.h"

#include "base/cleanup.h"
#include "import/systemd_report.h"
#include "verify/report_text.h"

struct systemd_options {
	struct import_files files;
};

static int read_report(const char *path, const struct import_run *run, struct evidence *evidence,
		       struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	r = import_systemd_report(buffer_bytes(&content), &run->told, evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_systemd(int argc, char **argv)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(import_end) struct import_run run = { 0 };
	struct systemd_options options = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_import_systemd_report, argc, argv, &options, &operands);
	int r;

	if (status != COMMAND_GO)
		return status;
	r = import_begin(&run, &command_import_systemd_report, &err);
	if (r == 0)
		r = read_report(operands.list[0], &run, &evidence, &err);
	if (r == 0)
		r = import_add_files(&run, &options.files, &evidence, &err);
	return r < 0 ? command_failed(&command_import_systemd_report, &err) :
		       import_finish(&run, &options.files, &evidence);
}

static const struct option_row systemd_rows[] = {
	OPTION_HEADING("What to add:"),
	{ "ak-cert", 0, "FILE", "the key's certificate, PEM or DER",
	  OPTION_INPUT(struct systemd_options, files.certificate) },
	IMPORT_ROWS_LOGS(struct systemd_options, files.ima, files.uefi),
	IMPORT_ROWS_OUTPUT(struct systemd_options, files.out, files.json),
	OPTION_END,
};

const struct command command_import_systemd_report = {
	.name = "import systemd-report",
	.summary = "evidence of a signed report of systemd",
	.intro = "Makes evidence of a report that a TPM signed ('systemd-report generate "
		 "--sign=').\n"
		 "The nonce is the report's own, or its metric " REPORT_TEXT_NONCE_METRIC ". Of a "
		 "report\n"
		 "without one, a policy must say that it takes that (nonce_bytes).\n"
		 "FILE '-' is standard input.\n",
	.options = systemd_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_systemd,
};
