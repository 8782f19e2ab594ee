// SPDX-License-Identifier: MIT
/* `assay log anchor`: have the TPM take what it has not yet. */
#include <inttypes.h>
#include <stdio.h>

#include "log.h"

static const char help[] =
	"Usage: assay log anchor [OPTION]...\n"
	"\n"
	"Extend the PCR with the records that are in this system's log and not anchored yet, in\n"
	"their order: those of calls that failed because the TPM did, or that came before there\n"
	"was one. Whoever measures next does the same; this does it now.\n"
	"\n"
	"Options:\n"
	"      --json  print one JSON object: records, anchored_records\n"
	"  -h, --help  print this\n"
	"\n"
	"Exit status: 0 all records are anchored, 1 some are not: the TPM still fails, 2 wrong\n"
	"usage.\n";

static int anchor(const struct device *device, bool json, struct assay_error *err)
{
	struct assay_info before, after;
	uint64_t anchored = 0, now;
	int r = device_info(device, &before, err), anchor_result;

	if (r < 0)
		return r;
	anchor_result = device_anchor(device, &anchored, err);
	/* Some may have been anchored before the TPM failed. */
	r = device_info(device, &after, anchor_result < 0 ? NULL : err);
	if (anchor_result < 0 && r == 0)
		assay_fail_context(err, "%" PRIu64 " of %" PRIu64 " records are not anchored",
				   (uint64_t)(after.records - after.anchored_records),
				   (uint64_t)after.records);
	if (anchor_result < 0)
		return anchor_result;
	if (r < 0)
		return r;
	if (json)
		return command_print_json(json_pack("{s:I, s:I}", "records",
						    (json_int_t)after.records, "anchored_records",
						    (json_int_t)anchored),
					  JSON_COMPACT, err);
	now = anchored > before.anchored_records ? anchored - before.anchored_records : 0;
	if (now == 0)
		printf("all %" PRIu64 " records were anchored already\n", anchored);
	else
		printf("%" PRIu64 " record%s anchored now, %" PRIu64 " in all\n", now,
		       now == 1 ? "" : "s", anchored);
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct assay_error err;
	struct device device;
	bool json = false;
	int c, status, r;

	while ((c = command_option(&command_log_anchor, argc, argv, ":h", options, &status)) != -1)
		json = c == 'j';
	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(&command_log_anchor, "what is '%s'?", argv[optind]);
	r = device_open(&device, DEVICE_WRITE, &err);
	if (r == 0) {
		r = anchor(&device, json, &err);
		device_close(&device);
	}
	status = command_flush(&command_log_anchor);
	return r < 0 ? command_failed(&command_log_anchor, &err) : status;
}

const struct command command_log_anchor = {
	.name = "log anchor",
	.summary = "have the TPM take what it has not yet",
	.help = help,
	.run = run,
};
