// SPDX-License-Identifier: MIT
/* `assay policy diff`: what is another in one boot than in another, in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmd.h"
#include "firmware/diff.h"
#include "verify/evidence.h"

#define LOG_MAX (64U << 20)

struct policy_diff_options {
	bool json;
};

/* struct diff_run - where what is found goes: @changes; NULL to print it */
struct diff_run {
	json_t *changes;
	bool failed;
};

static void show_change(void *context, const struct firmware_change *change)
{
	struct diff_run *run = context;

	if (!run->changes) {
		printf("PCR %2u  %-13s  %s\n", change->pcr, change->area, change->text);
		return;
	}
	if (json_array_append_new(run->changes,
				  json_pack("{s:s, s:i, s:o}", "area", change->area, "pcr",
					    (int)change->pcr, "text", json_text(change->text))) < 0)
		run->failed = true;
}

static bool is_json(struct bytes text)
{
	size_t blank = 0;

	while (blank < text.size && strchr(" \t\r\n", text.data[blank]) && text.data[blank])
		blank++;
	return blank < text.size && text.data[blank] == '{';
}

/* The firmware's log of a file: evidence that holds one, or the log itself. */
static int read_log(const char *path, struct buffer *ret, struct assay_error *err)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(buffer_free) struct buffer file = { 0 };
	int r = file_read(path, LOG_MAX, &file, err);

	if (r < 0)
		return r;
	if (!is_json(buffer_bytes(&file))) {
		buffer_append_bytes(ret, buffer_bytes(&file));
		return ret->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
	}
	r = evidence_parse(buffer_bytes(&file), &evidence, err);
	if (r < 0)
		return assay_fail_context(err, "%s", path);
	if (!evidence.has_uefi_log || evidence.uefi_data.size == 0)
		return assay_fail(err, ENODATA,
				  "%s: the evidence holds no log of the firmware: have the device "
				  "quote with it",
				  path);
	buffer_append_bytes(ret, buffer_bytes(&evidence.uefi_data));
	return ret->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* Return: how many changes there are, or an error */
static int compare(const struct operands *files, struct diff_run *run, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer before = { 0 };
	CLEANUP(buffer_free) struct buffer after = { 0 };
	int r = read_log(files->list[0], &before, err);

	if (r == 0)
		r = read_log(files->list[1], &after, err);
	if (r == 0)
		r = firmware_diff(buffer_bytes(&before), buffer_bytes(&after), show_change, run,
				  err);
	if (r >= 0 && run->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

static int run_diff(int argc, char **argv)
{
	struct policy_diff_options options = { 0 };
	struct diff_run run = { 0 };
	struct operands files;
	struct assay_error err;
	int status = command_parse(&command_policy_diff, argc, argv, &options, &files), r;

	if (status != COMMAND_GO)
		return status;
	run.changes = options.json ? json_array() : NULL;
	r = options.json && !run.changes ? assay_fail(&err, ENOMEM, "out of memory") :
					   compare(&files, &run, &err);
	if (r < 0) {
		json_decref(run.changes);
		command_failed(&command_policy_diff, &err);
		return EXIT_UNREADABLE;
	}
	if (options.json)
		status = command_emit_json(
			&command_policy_diff,
			json_pack("{s:b, s:o}", "ok", r == 0, "changes", run.changes));
	else
		status = command_flush(&command_policy_diff);
	return status == EXIT_OK && r > 0 ? EXIT_FAILED : status;
}

static const struct option_row diff_rows[] = {
	OPTION_ROW_JSON(struct policy_diff_options, json),
	OPTION_END,
};

const struct command command_policy_diff = {
	.name = "policy diff",
	.summary = "say what is another in one boot than in another",
	.intro = "Compares the firmware's logs of two boots, and says in words what is another: "
		 "the\n"
		 "firmware, Secure Boot and its keys, programs, the kernel's command line, files.\n"
		 "BEFORE and AFTER are logs, or evidence that holds one; nothing of them is\n"
		 "verified. One of them may be '-', standard input.\n",
	.options = diff_rows,
	.operands = "BEFORE AFTER",
	.operands_min = 2,
	.operands_max = 2,
	.operands_read = true,
	.epilogue = "Exit status: 0 nothing is another, 1 something is, 2 wrong usage, 3 a file\n"
		    "cannot be read.\n",
	.run = run_diff,
};
