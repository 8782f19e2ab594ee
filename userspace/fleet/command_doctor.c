// SPDX-License-Identifier: MIT
/* What is wrong with a database, or with what is in it; and taking out what is old. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "commands.h"
#include "fleet.h"
#include "retention.h"
#include "schema.h"

#define DAY 86400U
/* Seconds without a look for silent devices, after which nobody serves. */
#define UNATTENDED 600U

static int take_number(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	(void)set;
	(void)count;
	(void)err;
	*(uint64_t *)context += store_get_number(&columns[0]);
	return 0;
}

/* ---------------------------------------------------------------- doctor */

struct doctor_options {
	struct database_options database;
	bool json;
};

/* struct diagnosis - what was looked at: an array of rows; @bad: how many of them */
struct diagnosis {
	struct store *store;
	json_t *rows;
	unsigned int bad;
};

/* @r: 0, or why it is not so, in @err */
static void note(struct diagnosis *diagnosis, const char *what, int r,
		 const struct assay_error *err)
{
	json_array_append_new(diagnosis->rows,
			      json_pack("{s:s, s:b, s:s}", "name", what, "good", r == 0, "detail",
					r == 0 ? "" : err->text));
	diagnosis->bad += r < 0;
}

static int look_at_file(struct store *store, struct assay_error *err)
{
	static const struct store_statement errors = {
		"",
		"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
		"SELECT 0::bigint",
	};
	uint64_t found = 0;
	int r = store_run(store, &errors, NULL, 1, take_number, &found, err);

	if (r == 0 && found > 0)
		return assay_fail(err, EIO,
				  "the file is damaged at %" PRIu64 " places: restore a copy",
				  found);
	return r;
}

static int look_at_rows(struct store *store, struct assay_error *err)
{
	static const struct store_statement lost = {
		"",
		"SELECT count(*) FROM device d LEFT JOIN device_state s ON s.name = d.name WHERE "
		"s.name IS NULL UNION ALL SELECT count(*) FROM device_state s LEFT JOIN device d "
		"ON "
		"d.name = s.name WHERE d.name IS NULL",
		NULL,
	};
	uint64_t found = 0;
	int r = store_run(store, &lost, NULL, 1, take_number, &found, err);

	if (r == 0 && found > 0)
		return assay_fail(err, EIO,
				  "%" PRIu64 " devices have no state, or states no device: enrol "
				  "them anew",
				  found);
	return r;
}

static int look_at_keys(struct store *store, struct assay_error *err)
{
	static const struct store_statement keys = { "", "SELECT count(*) FROM nonce_key", NULL };
	uint64_t found = 0;
	int r = store_run(store, &keys, NULL, 1, take_number, &found, err);

	if (r == 0 && found == 0)
		return assay_fail(
			err, ENOENT,
			"there is no key for nonces: the service makes one when it starts");
	return r;
}

static int look_at_looks(struct store *store, struct assay_error *err)
{
	static const struct store_statement swept = { "",
						      "SELECT value FROM meta WHERE name = 'swept'",
						      NULL };
	uint64_t at = 0, now = 0;
	int r = store_run(store, &swept, NULL, 1, take_number, &at, err);

	if (r == 0)
		r = clock_read(store, &now, err);
	if (r == 0 && at > now)
		return assay_fail(err, EINVAL,
				  "the database's clock was ahead by %" PRIu64 " s, or is behind",
				  at - now);
	if (r == 0 && at + UNATTENDED < now)
		return assay_fail(err, ESTALE,
				  "nobody has looked for silent devices for %" PRIu64
				  " s: no service is running",
				  now - at);
	return r;
}

/* The service goes by the database's, whatever its machine's is; TLS does not. */
static int look_at_clock(struct store *store, struct assay_error *err)
{
	int64_t ahead = 0;
	int r = clock_compare(store, &ahead, err);

	if (r == 0 && ahead != 0)
		return assay_fail(err, EINVAL,
				  "it is %" PRId64 " s %s: set it, or the database's; certificates "
				  "are checked by it, and all else by the database's",
				  ahead > 0 ? ahead : -ahead, ahead > 0 ? "behind" : "ahead");
	return r;
}

static void look_at_policies(struct diagnosis *diagnosis)
{
	struct ref_assignment *list = calloc(REF_ASSIGNMENTS_MAX, sizeof(*list));
	struct assay_error err = { 0 };
	size_t count = 0;
	int r = list ? refs_assignments(diagnosis->store, list, &count, &err) :
		       assay_fail(&err, ENOMEM, "out of memory");

	if (r == 0 && count == 0)
		r = assay_fail(&err, ENOENT, "no policy is assigned: nothing is judged");
	note(diagnosis, "policies are assigned", r, &err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct fleet_policy policy = { 0 };
		char what[REF_NAME_MAX + 64];
		int one = policies_read(diagnosis->store, list[i].policy, list[i].version,
					list[i].generation, &policy, &err);

		snprintf(what, sizeof(what), "the policy %s can be used", list[i].policy);
		note(diagnosis, what, one, &err);
		policies_end(&policy);
	}
	free(list);
}

static void diagnose(struct diagnosis *diagnosis)
{
	static const struct {
		const char *what;
		int (*look)(struct store *store, struct assay_error *err);
	} looks[] = {
		{ "the database is whole", look_at_file },
		{ "each device has its state", look_at_rows },
		{ "there are keys for nonces", look_at_keys },
		{ "a service is running", look_at_looks },
		{ "this machine's clock is the database's", look_at_clock },
	};
	struct assay_error err = { 0 };
	uint64_t rows;
	int r = schema_check(diagnosis->store, &err);

	note(diagnosis, "the database is of this version", r, &err);
	if (r < 0)
		return;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		note(diagnosis, looks[i].what, looks[i].look(diagnosis->store, &err), &err);
	note(diagnosis, "the audit is a chain", audit_check(diagnosis->store, &rows, &err), &err);
	look_at_policies(diagnosis);
}

static int print_diagnosis(const struct doctor_options *options, const struct diagnosis *diagnosis)
{
	json_t *row;
	size_t i;
	int status;

	if (options->json) {
		status = command_emit_json(&command_fleet_doctor,
					   json_pack("{s:O}", "looks", diagnosis->rows));
	} else {
		json_array_foreach(diagnosis->rows, i, row) {
			const char *detail = json_string_value(json_object_get(row, "detail"));

			printf("%s  %s%s%s\n",
			       json_is_true(json_object_get(row, "good")) ? "good" : "BAD ",
			       json_string_value(json_object_get(row, "name")),
			       detail[0] ? ": " : "", detail);
		}
		status = command_flush(&command_fleet_doctor);
	}
	return status != EXIT_OK ? status : diagnosis->bad > 0 ? EXIT_FAILED : EXIT_OK;
}

static int run_doctor(int argc, char **argv)
{
	struct doctor_options options = { 0 };
	struct diagnosis diagnosis = { 0 };
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_doctor, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (fleet_database(&options.database, &err) < 0 ||
	    store_connect(options.database.url, &diagnosis.store, &err) < 0)
		return command_failed(&command_fleet_doctor, &err);
	diagnosis.rows = json_array();
	diagnose(&diagnosis);
	status = print_diagnosis(&options, &diagnosis);
	json_decref(diagnosis.rows);
	store_disconnect(diagnosis.store);
	return status;
}

static const struct option_row doctor_rows[] = {
	FLEET_ROWS_DATABASE(struct doctor_options),
	OPTION_ROW_JSON(struct doctor_options, json),
	OPTION_END,
};

const struct command command_fleet_doctor = {
	.name = "doctor",
	.summary = "look whether a database and what is in it are as they should be",
	.intro =
		"The file, the version, the audit's chain, the policies that are assigned, whether "
		"a\n"
		"service is running, and this machine's clock. Nothing is changed.\n",
	.options = doctor_rows,
	.epilogue = "Exit status: 0 all is good, 1 something is not, 2 wrong usage.\n",
	.run = run_doctor,
};

/* ---------------------------------------------------------------- prune */

struct prune_options {
	struct database_options database;
	uint64_t days, summary_days;
};

static int prune(struct store *store, const struct prune_options *options,
		 struct retention_done *ret, struct assay_error *err)
{
	const struct retention_terms terms = { fleet_now(), options->days, options->summary_days,
					       PARTITION_CHANGES };
	bool more = true;
	int r = retention_begin(store, &terms, ret, err);

	while (r == 0 && more)
		r = retention_step(store, &terms, ret, &more, err);
	return r;
}

static int run_prune(int argc, char **argv)
{
	struct prune_options options = { .days = RETENTION_DAYS,
					 .summary_days = RETENTION_SUMMARY_DAYS };
	struct retention_done done = { 0 };
	struct store *store = NULL;
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_prune, argc, argv, &options, NULL), r;

	if (status != COMMAND_GO)
		return status;
	r = fleet_database(&options.database, &err);
	if (r == 0)
		r = store_connect(options.database.url, &store, &err);
	if (r == 0)
		r = schema_check(store, &err);
	if (r == 0)
		r = prune(store, &options, &done, &err);
	store_disconnect(store);
	if (r < 0)
		return command_failed(&command_fleet_prune, &err);
	printf("%" PRIu64 " former verdicts and %" PRIu64 " pieces of evidence are removed\n",
	       done.changes, done.evidence);
	if (done.partitions > 0)
		printf("and %" PRIu64 " partitions of former verdicts, whole\n", done.partitions);
	return command_flush(&command_fleet_prune);
}

static const struct option_row prune_rows[] = {
	FLEET_ROWS_DATABASE(struct prune_options),
	{ "days", 0, "N", "what is older is removed (90)",
	  OPTION_NUMBER(struct prune_options, days, 0, 36500) },
	{ "summary-days", 0, "N", "counts of days that are older are removed (800)",
	  OPTION_NUMBER(struct prune_options, summary_days, 1, 36500) },
	OPTION_END,
};

const struct command command_fleet_prune = {
	.name = "prune",
	.summary = "remove what is old: former verdicts, and evidence of former boots",
	.intro = "A service does so by itself once a day (--retain). What each device is held for "
		 "stays,\n"
		 "with its reason, and so does the evidence of its present boot, and the audit.\n",
	.options = prune_rows,
	.epilogue = "Exit status: 0 removed, 1 failed, 2 wrong usage.\n",
	.run = run_prune,
};
