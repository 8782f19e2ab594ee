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

static const char export_help[] =
	"Usage: assay log export [OPTION]... [FILE]\n"
	"\n"
	"Write the records of assay's log, this system's or the one in FILE ('-' is standard\n"
	"input), in a form that other programs read: the TCG's Canonical Event Log as JSON, in\n"
	"the dialect of systemd-pcrlock, or as TLV, which is how the log is in memory.\n"
	"\n"
	"Options:\n"
	"      --format cel-json|cel-tlv  what to write; cel-json if not told\n"
	"  -o, --output FILE              where to; standard output if not told\n"
	"      --evidence E               the log in evidence that 'assay quote' wrote\n"
	"      --previous                 the log of the boot before\n"
	"  -h, --help                     print this\n"
	"\n"
	"Exit status: 0 written, 1 the log cannot be read, or the output not be written,\n"
	"2 wrong usage.\n";

static const char import_help[] =
	"Usage: assay log import [OPTION]... FILE\n"
	"\n"
	"Read a Canonical Event Log from FILE ('-' is standard input), as JSON or as TLV, of\n"
	"assay or of another program, and write it as TLV, which 'assay log show' and\n"
	"verifiers read. Every record is checked to be one; what it says is not judged. What\n"
	"'assay log export' wrote comes back byte for byte.\n"
	"\n"
	"Options:\n"
	"  -o, --output FILE  where to; standard output if not told\n"
	"  -h, --help         print this\n"
	"\n"
	"Exit status: 0 written, 1 FILE is no log, or the output cannot be written, 2 wrong\n"
	"usage.\n";

static int write_json(FILE *stream, const struct cel_record *record, struct assay_error *err)
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
		else if ((r = write_json(stream, &record, err)) < 0)
			break;
	}
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

/* Where to, if not to standard output. */
static const char *output_path(const char *value)
{
	return strcmp(value, "-") == 0 ? NULL : value;
}

static bool spoils_terminal(bool json, const char *output)
{
	return !json && !output && isatty(STDOUT_FILENO);
}

static int run_export(int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "output", required_argument, NULL, 'o' },
		{ "evidence", required_argument, NULL, 'e' },
		{ "previous", no_argument, NULL, 'p' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const char *evidence = NULL, *output = NULL, *file = NULL;
	bool json = true, previous = false;
	struct log_source source = { 0 };
	struct assay_error err;
	int c, status, r;

	while ((c = command_option(&command_log_export, argc, argv, ":o:h", options, &status)) !=
	       -1) {
		switch (c) {
		case 'f':
			json = strcmp(optarg, "cel-json") == 0;
			if (!json && strcmp(optarg, "cel-tlv") != 0)
				return command_usage(&command_log_export,
						     "--format is cel-json or cel-tlv");
			break;
		case 'o':
			output = output_path(optarg);
			break;
		case 'e':
			evidence = optarg;
			break;
		case 'p':
			previous = true;
			break;
		}
	}
	if (status >= 0)
		return status;
	if (optind < argc)
		file = argv[optind++];
	if (optind < argc)
		return command_usage(&command_log_export, "one FILE at most");
	if (!!file + !!evidence + previous > 1)
		return command_usage(&command_log_export, "one of FILE, --evidence and --previous");
	if (spoils_terminal(json, output))
		return command_usage(&command_log_export,
				     "cel-tlv is binary: send it to a file, not a terminal");
	r = file     ? log_source_file(&source, file, &err) :
	    evidence ? log_source_evidence(&source, evidence, &err) :
		       log_source_device(&source, previous, &err);
	status = r < 0 ? command_failed(&command_log_export, &err) :
			 write_log(&command_log_export, &source, json, output);
	log_source_free(&source);
	return status;
}

static int run_import(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct log_source source = { 0 };
	const char *output = NULL;
	struct assay_error err;
	int c, status;

	while ((c = command_option(&command_log_import, argc, argv, ":o:h", options, &status)) !=
	       -1)
		if (c == 'o')
			output = output_path(optarg);
	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(&command_log_import, "which FILE? One, or '-'");
	if (spoils_terminal(false, output))
		return command_usage(&command_log_import,
				     "the output is binary: send it to a file, not a terminal");
	status = log_source_file(&source, argv[optind], &err) < 0 ?
			 command_failed(&command_log_import, &err) :
			 write_log(&command_log_import, &source, false, output);
	log_source_free(&source);
	return status;
}

const struct command command_log_export = {
	.name = "log export",
	.summary = "write a log for other programs",
	.help = export_help,
	.run = run_export,
};

const struct command command_log_import = {
	.name = "log import",
	.summary = "read another program's log",
	.help = import_help,
	.run = run_import,
};
