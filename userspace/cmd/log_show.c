// SPDX-License-Identifier: MIT
/* `assay log show`: the records of a log, for people or as JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "log/archive.h"

/**
 * struct show - what is to be shown: one log in as many pieces as there are sources
 * @live, @evidence, @archive, @previous: where from, beside files
 */
struct show {
	struct log_source *sources;
	struct log_piece *pieces;
	size_t count;
	struct log_view view;
	uint64_t tail;
	struct log_filter filter;
	const char *evidence, *archive;
	bool live, previous;
};

/* The records of one piece; at the end of each the view has counted them. */
static int show_piece(struct show *show, size_t i, struct assay_error *err)
{
	const struct log_source *source = &show->sources[i];
	struct cel_reader reader;
	struct cel_record record;
	int r;

	/* Only what was anchored can have been cut off. */
	show->view.anchored = source->device ? source->header.anchored : UINT64_MAX;
	cel_begin(&reader, buffer_bytes(&source->cel), show->pieces[i].base);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		const char *separator = !show->view.json      ? "" :
					show->view.shown == 0 ? "\n" :
								",\n";

		r = log_view_record(&show->view, &record, separator, err);
		if (r < 0)
			break;
	}
	show->tail = reader.offset;
	if (r == 0 && source->broken.code)
		r = assay_fail(err, EBADMSG, "%s", source->broken.text);
	return r;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_text_end(const struct show *show)
{
	const struct log_view *view = &show->view;
	const struct log_source *last = &show->sources[show->count - 1];

	for (size_t i = 0; i + 1 < show->count; i++)
		printf("%s: records %" PRIu64 " to %" PRIu64 "; record %" PRIu64
		       " (TRIM) has its digest\n",
		       show->pieces[i].name, show->pieces[i].first,
		       show->pieces[i].first + show->pieces[i].records - 1,
		       show->pieces[i].trim_recnum);
	if (view->shown != view->records)
		printf("%" PRIu64 " of ", view->shown);
	printf("%" PRIu64 " record%s", view->records, plural(view->records));
	if (last->device && last->header.anchored < last->header.tail)
		printf(", %" PRIu64 " not anchored in the TPM%s",
		       (uint64_t)(last->header.records - last->header.anchored_records),
		       show->previous ? "" : " yet");
	else if (last->device && view->records > 0)
		fputs(", all anchored in the TPM", stdout);
	putchar('\n');
	if (last->device && last->pcr_state != ASSAY_PCR_RIGHT)
		printf("The PCR does not hold this log any more: %s.\n",
		       device_pcr_state_text(last->pcr_state));
	if (last->device && last->header.flags & ASSAY_LOG_DAMAGED)
		printf("What was behind offset %" PRIu64 " was damaged and is lost.\n",
		       (uint64_t)last->header.damaged_at);
}

static void print_json_end(const struct show *show)
{
	const struct log_source *last = &show->sources[show->count - 1];
	json_t *archives = json_array();

	for (size_t i = 0; i + 1 < show->count; i++)
		json_array_append_new(archives,
				      json_pack("{s:s, s:I, s:I, s:I}", "name",
						show->pieces[i].name, "first",
						(json_int_t)show->pieces[i].first, "record_count",
						(json_int_t)show->pieces[i].records, "trim_recnum",
						(json_int_t)show->pieces[i].trim_recnum));
	printf("\n], \"shown_count\": %" PRIu64 ", \"record_count\": %" PRIu64, show->view.shown,
	       show->view.records);
	if (show->count > 1) {
		fputs(", \"archives\": ", stdout);
		json_dumpf(archives, stdout, JSON_COMPACT);
	}
	if (last->device && last->header.flags & ASSAY_LOG_DAMAGED)
		printf(", \"damaged_at\": %" PRIu64, (uint64_t)last->header.damaged_at);
	printf(", \"tail\": %" PRIu64, show->tail);
	if (last->device)
		printf(", \"anchored_offset\": %" PRIu64, (uint64_t)last->header.anchored);
	if (last->device && !show->previous)
		printf(", \"pcr_state\": \"%s\"", device_pcr_state_name(last->pcr_state));
	json_decref(archives);
}

static int show_all(struct show *show, struct assay_error *err)
{
	int r = 0;

	if (show->view.json) {
		command_begin_json(&command_log_show);
		printf(", \"first_offset\": %" PRIu64 ", \"records\": [", show->pieces[0].base);
	} else {
		log_view_header(&show->view);
	}
	for (size_t i = 0; i < show->count && r == 0; i++)
		r = show_piece(show, i, err);
	if (r == 0 && show->view.bad > 0)
		r = assay_fail(err, EBADMSG,
			       "%" PRIu64 " of %" PRIu64
			       " records are malformed or have a digest that does not match",
			       show->view.bad, show->view.records);
	if (show->view.json) {
		print_json_end(show);
		if (r < 0)
			command_print_json_error(err);
		fputs("}\n", stdout);
	} else {
		print_text_end(show);
	}
	return r;
}

/* Read all pieces and put them one behind the other. */
static int load_pieces(struct show *show, const struct operands *files, struct assay_error *err)
{
	size_t last = show->count - 1;
	int r = 0;

	for (size_t i = 0; i < files->count && r == 0; i++) {
		r = log_source_file(&show->sources[i], files->list[i], err);
		/* Of several pieces each must be whole. */
		if (r == 0 && show->sources[i].broken.code && show->count > 1)
			r = assay_fail(err, EBADMSG, "%s", show->sources[i].broken.text);
	}
	if (r == 0 && show->evidence)
		r = log_source_evidence(&show->sources[0], show->evidence, err);
	else if (r == 0 && show->archive)
		r = log_source_archive(&show->sources[0], show->archive, true, err);
	else if (r == 0 && files->count < show->count)
		r = log_source_device(&show->sources[last], show->previous, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < show->count; i++)
		show->pieces[i] = (struct log_piece){
			.name = i < files->count ? files->list[i] : "what is left",
			.cel = buffer_bytes(&show->sources[i].cel),
			.base = show->sources[i].base,
		};
	return show->count > 1 ? archive_chain(show->pieces, show->count, err) : 0;
}

static int show_log(struct show *show, const struct operands *files)
{
	struct assay_error err;
	int status, r;

	show->sources = calloc(show->count, sizeof(*show->sources));
	show->pieces = calloc(show->count, sizeof(*show->pieces));
	if (!show->sources || !show->pieces)
		r = assay_fail(&err, ENOMEM, "out of memory");
	else
		r = load_pieces(show, files, &err);
	if (r == 0)
		r = show_all(show, &err);
	log_view_end(&show->view);
	for (size_t i = 0; show->sources && i < show->count; i++)
		log_source_free(&show->sources[i]);
	free(show->sources);
	free(show->pieces);
	status = command_flush(&command_log_show);
	return r < 0 ? command_failed(&command_log_show, &err) : status;
}

static int run_log_show(int argc, char **argv)
{
	struct show show = { 0 };
	struct operands files;
	int status;

	log_filter_init(&show.filter);
	status = command_parse(&command_log_show, argc, argv, &show, &files);
	if (status != COMMAND_GO)
		return status;
	if (!!show.evidence + show.previous + !!show.archive + (show.live || files.count > 0) > 1)
		return command_usage(&command_log_show,
				     "one of FILE... (with or without --live), --evidence, "
				     "--archive and --previous");
	show.count = files.count + (show.live || files.count == 0);
	show.view.filter = &show.filter;
	show.view.colours = !show.view.json && command_colours();
	show.view.has_anchored = !show.evidence && show.count > files.count;
	return show_log(&show, &files);
}

static const struct option_row show_rows[] = {
	{ "evidence", 'e', "E", "read the log out of evidence that 'assay quote' wrote",
	  OPTION_INPUT(struct show, evidence) },
	{ "previous", 0, NULL, "the log of the boot before, if memory has kept it over the reset",
	  OPTION_FLAG(struct show, previous) },
	{ "archive", 'a', "DIR",
	  "this system's log whole: what assayd has archived of it in DIR, and what is left",
	  OPTION_INPUT(struct show, archive) },
	{ "live", 'l', NULL, "this system's log, behind the FILEs",
	  OPTION_FLAG(struct show, live) },
	OPTION_ROW_JSON(struct show, view.json),
	LOG_FILTER_ROWS(struct show, filter),
	OPTION_END,
};

const struct command command_log_show = {
	.name = "log show",
	.summary = "show the records of a log",
	.intro = "Show the records of assay's measurement log, oldest first: this system's (read\n"
		 "through a mapping of /dev/assay, without a system call a record), the one in "
		 "FILE\n"
		 "('-' is standard input, a directory an archive of assayd's), or the one in "
		 "evidence.\n"
		 "\n"
		 "Several FILEs are the pieces of one log, oldest first: what 'assay log trim' "
		 "archived,\n"
		 "and with --live what is left of it here. Each archive must be, byte for byte, "
		 "what a\n"
		 "TRIM record in a later piece says was cut off.\n"
		 "\n"
		 "Each record is one extend of a PCR. Its digest is compared with its content "
		 "here, but\n"
		 "only 'assay verify' says whether a TPM vouches for the log.\n",
	.options = show_rows,
	.operands = "[FILE]...",
	.operands_max = SIZE_MAX,
	.epilogue =
		"Exit status: 0 shown, 1 the log cannot be read, breaks off, has records that are\n"
		"malformed or have a digest that does not match (what was read is shown), or has "
		"pieces\n"
		"that do not fit, 2 wrong usage.\n",
	.run = run_log_show,
};
