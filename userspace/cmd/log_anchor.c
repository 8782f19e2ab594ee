// SPDX-License-Identifier: MIT
/* `assay log anchor`: extend the TPM with what it does not have yet. */
#include <inttypes.h>
#include <stdio.h>

#include "log.h"

static int anchor_log(const struct device *device, bool json, struct assay_error *err)
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
		return command_print_json(json_pack("{s:I, s:I}", "record_count",
						    (json_int_t)after.records,
						    "anchored_record_count", (json_int_t)anchored),
					  JSON_COMPACT, err);
	now = anchored > before.anchored_records ? anchored - before.anchored_records : 0;
	if (now == 0)
		printf("all %" PRIu64 " records were anchored already\n", anchored);
	else
		printf("%" PRIu64 " record%s anchored now, %" PRIu64 " in all\n", now,
		       now == 1 ? "" : "s", anchored);
	return 0;
}

struct anchor_options {
	bool json;
};

static int run_log_anchor(int argc, char **argv)
{
	struct anchor_options options = { 0 };
	struct assay_error err;
	struct device device;
	int r, status = command_parse(&command_log_anchor, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	r = device_open(&device, DEVICE_WRITE, &err);
	if (r == 0) {
		r = anchor_log(&device, options.json, &err);
		device_close(&device);
	}
	status = command_flush(&command_log_anchor);
	return r < 0 ? command_failed(&command_log_anchor, &err) : status;
}

static const struct option_row anchor_rows[] = {
	OPTION_ROW_JSON(struct anchor_options, json),
	OPTION_END,
};

const struct command command_log_anchor = {
	.name = "log anchor",
	.summary = "extend the TPM with what it does not have yet",
	.intro = "Extend the PCR with the records that are in this system's log and not anchored "
		 "yet, in\n"
		 "their order: those of calls that failed because the TPM did, or that came before "
		 "there\n"
		 "was one. Whoever measures next does the same; this does it now.\n",
	.options = anchor_rows,
	.epilogue =
		"Exit status: 0 all records are anchored, 1 some are not: the TPM still fails,\n"
		"2 wrong usage.\n",
	.run = run_log_anchor,
};
