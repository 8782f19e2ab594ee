/* SPDX-License-Identifier: MIT */
/* The commands of the program assay-fleet. */
#ifndef ASSAY_FLEET_COMMANDS_H
#define ASSAY_FLEET_COMMANDS_H

#include "cmd.h"
#include "options.h"

/* struct database_options - which database: @url, or what the configuration says */
struct database_options {
	const char *url, *config;
};

/* The rows that all commands with a database have; the structure's member is .database. */
/* clang-format off */
#define FLEET_ROWS_DATABASE(structure) \
	{ "database", 'd', "URL", \
	  "sqlite:PATH, or one that begins with postgresql: (that of the configuration)", \
	  OPTION_TEXT(structure, database.url) }, \
	{ "config", 'c', "FILE", "the configuration (/etc/assay/assay-fleet.conf)", \
	  OPTION_INPUT(structure, database.config) }
/* clang-format on */

/*
 * fleet_database() - where the command line did not say it, that of the configuration
 * Return: 0 with @database->url set; -EINVAL if nothing says it; as config_load()
 */
int fleet_database(struct database_options *database, struct assay_error *err);

extern const struct command command_fleet_serve;
extern const struct command command_fleet_migrate;
extern const struct command command_fleet_backup;
extern const struct command command_fleet_restore;
extern const struct command command_fleet_prune;
extern const struct command command_fleet_doctor;
extern const struct command command_fleet_routes;

#endif /* ASSAY_FLEET_COMMANDS_H */
