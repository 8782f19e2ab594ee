// SPDX-License-Identifier: MIT
/* `assay log verify-archive`: is an archive of assayd's whole, and what the log was? */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_replay.h"
#include "log.h"

struct verify_options {
	bool json;
};

static const char *const fault_names[] = {
	[ARCHIVE_FOREIGN] = "foreign",
	[ARCHIVE_FUTURE] = "future",
	[ARCHIVE_DAMAGED] = "damaged",
	[ARCHIVE_MISSING] = "missing",
	[ARCHIVE_GAP] = "gap",
	[ARCHIVE_CHAIN] = "chain",
	[ARCHIVE_UNREADABLE] = "unreadable",
};

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_stream(const struct archive *archive, enum archive_stream stream)
{
	size_t count;
	const struct archive_file *files = archive_files(archive, stream, &count);
	uint64_t size = 0, content = 0, items = 0;
	const char *unit = stream == ARCHIVE_IMA ? "entries" : "records";

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		size += files[i].size;
		content += files[i].content;
		items += files[i].count;
	}
	printf("%-4s %zu file%s of %" PRIu64 " bytes: %" PRIu64 " %s, %" PRIu64 " to %" PRIu64
	       ", of %" PRIu64 " bytes\n",
	       archive_stream_name(stream), count, plural(count), size, items, unit,
	       archive_begin(archive, stream), archive_end(archive, stream) - 1, content);
}

static void print_text(const struct archive *archive, const struct archive_replayed *replayed)
{
	const struct archive_problem *problems;
	size_t count;

	for (int stream = 0; stream < ARCHIVE_STREAMS; stream++)
		print_stream(archive, (enum archive_stream)stream);
	if (replayed->records > 0)
		printf("%" PRIu64 " TRIM record%s that the archive must fit, %" PRIu64
		       " of them about what is in it: %s\n",
		       replayed->trims, plural(replayed->trims), replayed->trims_compared,
		       replayed->trims_compared == 0 ? "nothing to compare" : "it fits");
	problems = archive_problems(archive, &count);
	for (size_t i = 0; i < count; i++)
		printf("%-8s %s\n", fault_names[problems[i].fault], problems[i].text);
	if (count == 0)
		printf("the archive is whole\n");
}

static json_t *stream_json(const struct archive *archive, enum archive_stream stream)
{
	size_t count;
	const struct archive_file *files = archive_files(archive, stream, &count);
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += files[i].size;
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "stream", archive_stream_name(stream),
			 "file_count", (json_int_t)count, "bytes", (json_int_t)size, "first",
			 (json_int_t)archive_begin(archive, stream), "end",
			 (json_int_t)archive_end(archive, stream));
}

static int print_json(const struct archive *archive, const struct archive_replayed *replayed,
		      struct assay_error *err)
{
	const struct archive_problem *problems;
	json_t *streams = json_array(), *list = json_array();
	size_t count;

	for (int stream = 0; stream < ARCHIVE_STREAMS; stream++)
		json_array_append_new(streams, stream_json(archive, (enum archive_stream)stream));
	problems = archive_problems(archive, &count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "fault",
						      fault_names[problems[i].fault], "text",
						      json_text(problems[i].text)));
	return command_print_json(json_pack("{s:b, s:o, s:I, s:I, s:o}", "whole", count == 0,
					    "streams", streams, "trim_count",
					    (json_int_t)replayed->trims, "trims_compared",
					    (json_int_t)replayed->trims_compared, "faults", list),
				  JSON_COMPACT, err);
}

static int check_archive(struct archive *archive, struct archive_replayed *replayed,
			 struct assay_error *err)
{
	int r = 0;

	for (int stream = 0; stream < ARCHIVE_STREAMS && r == 0; stream++)
		r = archive_check(archive, (enum archive_stream)stream, NULL, err);
	/* What is in files is looked at if it can be read. */
	return r == 0 ? archive_replay(archive, replayed, err) : r;
}

static int run_log_verify_archive(int argc, char **argv)
{
	struct archive_replayed replayed = { 0 };
	struct verify_options options = { 0 };
	struct operands operands;
	struct archive *archive;
	struct assay_error err;
	size_t problems = 0;
	int r, status;

	status = command_parse(&command_log_verify_archive, argc, argv, &options, &operands);
	if (status != COMMAND_GO)
		return status;
	r = archive_open(operands.list[0], &archive, &err);
	if (r < 0)
		return command_failed(&command_log_verify_archive, &err);
	r = check_archive(archive, &replayed, &err);
	if (r == 0 && options.json)
		r = print_json(archive, &replayed, &err);
	else if (r == 0)
		print_text(archive, &replayed);
	archive_problems(archive, &problems);
	if (r == 0 && problems > 0)
		r = assay_fail(&err, EBADMSG, "%s is not whole", archive_path(archive));
	archive_close(archive);
	status = command_flush(&command_log_verify_archive);
	return r < 0 ? command_failed(&command_log_verify_archive, &err) : status;
}

static const struct option_row verify_rows[] = {
	OPTION_ROW_JSON(struct verify_options, json),
	OPTION_END,
};

const struct command command_log_verify_archive = {
	.name = "log verify-archive",
	.summary = "check an archive that assayd has made",
	.intro = "Check the archive of a boot, DIR, as assay-archive(5) describes it: that its "
		 "files are\n"
		 "there and are what their headers say, that each is the one that the next names "
		 "by its\n"
		 "digest, that every record's digest is that of its content, that what the PCR "
		 "was in\n"
		 "front of each file is what the files before it make of it, and that what TRIM "
		 "records\n"
		 "say was cut off is what is archived. All that is off is told, with what to do.\n",
	.options = verify_rows,
	.operands = "DIR",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "That a TPM vouches for the log only 'assay verify' can say.\n"
		    "\n"
		    "Exit status: 0 the archive is whole, 1 it is not, or cannot be read, 2 wrong "
		    "usage.\n",
	.run = run_log_verify_archive,
};
