// SPDX-License-Identifier: MIT
/* `assay log export` and `assay log import`: a log in other programs' forms, and back. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "log.h"
#include "log/cel_json.h"

/* struct export_options - of either verb; import has only @out */
struct export_options {
	int format; /* enum export_format */
	const char *out, *evidence, *archive;
	bool previous, ima;
	enum assay_hash bank;
};

enum export_format { EXPORT_CEL_JSON, EXPORT_CEL_TLV };

static int write_json_record(FILE *stream, const struct cel_record *record, struct assay_error *err)
{
	json_t *object = cel_json_record(record);
	int r = 0;

	if (!object)
		return assay_fail(err, ENOMEM, "out of memory");
	putc(CEL_JSON_SEPARATOR, stream);
	if (json_dumpf(object, stream, JSON_COMPACT) < 0)
		r = assay_fail(err, EIO, "cannot write the output");
	putc('\n', stream);
	json_decref(object);
	return r;
}

static int write_records(FILE *stream, const struct log_source *source, bool json,
			 struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, buffer_bytes(&source->cel), source->base);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		size_t at = (size_t)(record.offset - source->base);

		if (!json)
			fwrite(source->cel.data + at, 1, (size_t)record.size, stream);
		else if ((r = write_json_record(stream, &record, err)) < 0)
			break;
	}
	if (r == 0 && source->broken.code)
		r = assay_fail(err, EBADMSG, "%s", source->broken.text);
	return r;
}

/* To a file that is complete or not there, or to standard output. */
static int write_log(const struct command *command, const struct log_source *source, bool json,
		     const char *output)
{
	struct file_writer writer;
	struct assay_error err;
	int status, r;

	if (!output) {
		r = write_records(stdout, source, json, &err);
		status = command_flush(command);
		return r < 0 ? command_failed(command, &err) : status;
	}
	r = file_begin(&writer, output, 0640, &err);
	if (r < 0)
		return command_failed(command, &err);
	r = write_records(writer.stream, source, json, &err);
	if (r == 0)
		r = file_commit(&writer, &err);
	file_abort(&writer);
	return r < 0 ? command_failed(command, &err) : EXIT_OK;
}

static bool spoils_terminal(bool json, const char *output)
{
	return !json && (!output || strcmp(output, "-") == 0) && isatty(file_standard_output());
}

static int run_log_export(int argc, char **argv)
{
	struct export_options options = { 0 };
	struct log_source source = { 0 };
	struct operands files;
	struct assay_error err;
	bool json;
	int r, status = command_parse(&command_log_export, argc, argv, &options, &files);

	if (status != COMMAND_GO)
		return status;
	json = options.format == EXPORT_CEL_JSON && !options.ima;
	if ((files.count > 0) + !!options.evidence + options.previous +
		    (options.ima || options.archive) >
	    1)
		return command_usage(&command_log_export,
				     "one of FILE, --evidence, --previous, and --ima or --archive");
	if (spoils_terminal(json, options.out))
		return command_usage(&command_log_export,
				     "the output is binary: send it to a file, not a terminal");
	if (options.ima)
		return log_export_ima(&command_log_export, options.archive, options.bank,
				      options.out);
	if (files.count > 0)
		r = log_source_file(&source, files.list[0], &err);
	else if (options.evidence)
		r = log_source_evidence(&source, options.evidence, &err);
	else if (options.archive)
		r = log_source_archive(&source, options.archive, true, &err);
	else
		r = log_source_device(&source, options.previous, &err);
	status = r < 0 ? command_failed(&command_log_export, &err) :
			 write_log(&command_log_export, &source, json, options.out);
	log_source_free(&source);
	return status;
}

static int run_log_import(int argc, char **argv)
{
	struct export_options options = { 0 };
	struct log_source source = { 0 };
	struct operands files;
	struct assay_error err;
	int status = command_parse(&command_log_import, argc, argv, &options, &files);

	if (status != COMMAND_GO)
		return status;
	if (spoils_terminal(false, options.out))
		return command_usage(&command_log_import,
				     "the output is binary: send it to a file, not a terminal");
	status = log_source_file(&source, files.list[0], &err) < 0 ?
			 command_failed(&command_log_import, &err) :
			 write_log(&command_log_import, &source, false, options.out);
	log_source_free(&source);
	return status;
}

/* clang-format off */
#define ROW_OUT \
	{ "out", 'o', "FILE", "where to; standard output if not told", \
	  OPTION_OUTPUT(struct export_options, out), .alias = "output" }
/* clang-format on */

static const struct option_row export_rows[] = {
	{ "format", 'f', "cel-json|cel-tlv", "what to write (cel-json)",
	  OPTION_CHOICE(struct export_options, format) },
	ROW_OUT,
	{ "evidence", 'e', "E", "the log in evidence that 'assay quote' wrote",
	  OPTION_INPUT(struct export_options, evidence) },
	{ "archive", 'a', "DIR",
	  "this boot's archive: the log whole, from there and what is left here; with --ima, where "
	  "that is from (/var/lib/assay/archive/BOOT-ID, if it is there)",
	  OPTION_INPUT(struct export_options, archive) },
	{ "previous", 0, NULL, "the log of the boot before",
	  OPTION_FLAG(struct export_options, previous) },
	{ "ima", 0, NULL,
	  "IMA's list of this boot in its place: what assayd has archived, and what the kernel has",
	  OPTION_FLAG(struct export_options, ima), .excludes = "format" },
	{ "bank", 0, "sha1|sha256|sha384|sha512",
	  "of the list's template digests (that of the archive, or sha256)",
	  OPTION_HASH(struct export_options, bank), .needs = "ima" },
	OPTION_END,
};

static const struct option_row import_rows[] = {
	ROW_OUT,
	OPTION_END,
};

const struct command command_log_export = {
	.name = "log export",
	.summary = "write a log for other programs",
	.intro = "Write the records of assay's log, this system's or the one in FILE ('-' is "
		 "standard\n"
		 "input, a directory an archive of assayd's), in a form that other programs read: "
		 "the TCG's Canonical Event Log as "
		 "JSON, in\n"
		 "the dialect of systemd-pcrlock, or as TLV, which is how the log is in memory.\n"
		 "\n"
		 "With --ima, write the list that the kernel's binary_runtime_measurements would "
		 "have if\n"
		 "assayd had deleted nothing of it. This needs root.\n",
	.options = export_rows,
	.operands = "[FILE]",
	.operands_max = 1,
	.operands_read = true,
	.epilogue =
		"Exit status: 0 written, 1 the log cannot be read, or the output not be written,\n"
		"2 wrong usage.\n",
	.run = run_log_export,
};

const struct command command_log_import = {
	.name = "log import",
	.summary = "read another program's log",
	.intro = "Read a Canonical Event Log from FILE ('-' is standard input), as JSON or as TLV, "
		 "of\n"
		 "assay or of another program, and write it as TLV, which 'assay log show' and\n"
		 "verifiers read. Every record is checked to be one; what it says is not judged. "
		 "What\n"
		 "'assay log export' wrote comes back byte for byte.\n",
	.options = import_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 written, 1 FILE is no log, or the output cannot be written, 2 "
		    "wrong\n"
		    "usage.\n",
	.run = run_log_import,
};
