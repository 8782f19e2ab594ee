// SPDX-License-Identifier: MIT
/* Commands that look after the database. */
#include <inttypes.h>

#include "commands.h"
#include "schema.h"

struct migrate_options {
	struct database_options database;
	uint64_t version;
};

static const struct option_row migrate_rows[] = {
	FLEET_ROWS_DATABASE(struct migrate_options),
	{ "to", 0, "VERSION", "not to the newest version, but this one",
	  OPTION_NUMBER(struct migrate_options, version, 1, UINT32_MAX) },
	OPTION_END,
};

static int migrate(const struct migrate_options *options, struct assay_error *err)
{
	struct store *store = NULL;
	uint64_t before = 0;
	int r = store_connect(options->database.url, &store, err);

	if (r == 0)
		r = schema_version(store, &before, err);
	if (r == 0)
		r = schema_migrate(store, options->version, err);
	if (r == 0)
		printf("version %" PRIu64 " before, version %" PRIu64 " now\n", before,
		       options->version);
	store_disconnect(store);
	return r;
}

static int run_migrate(int argc, char **argv)
{
	struct migrate_options options = { .version = schema_newest() };
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_migrate, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (fleet_database(&options.database, &err) < 0 || migrate(&options, &err) < 0)
		return command_failed(&command_fleet_migrate, &err);
	return command_flush(&command_fleet_migrate);
}

const struct command command_fleet_migrate = {
	.name = "migrate",
	.summary = "bring a database to this program's version",
	.intro = "Makes the tables of an empty database, or changes those of an older version, in\n"
		 "one transaction. Stop all that use it before, and make a backup.\n",
	.options = migrate_rows,
	.epilogue = "Exit status: 0 it has that version, 1 it failed, 2 wrong usage.\n",
	.run = run_migrate,
};
