/* SPDX-License-Identifier: MIT */
/* The commands of the program assay-fleet. */
#ifndef ASSAY_FLEET_COMMANDS_H
#define ASSAY_FLEET_COMMANDS_H

#include "cmd.h"
#include "options.h"

/* The row that all commands with a database have. */
/* clang-format off */
#define FLEET_ROW_DATABASE(structure) \
	{ "database", 'd', "URL", "sqlite:PATH, or one that begins with postgresql:", \
	  OPTION_TEXT(structure, database), .required = true }
/* clang-format on */

extern const struct command command_fleet_serve;
extern const struct command command_fleet_migrate;
extern const struct command command_fleet_backup;
extern const struct command command_fleet_restore;
extern const struct command command_fleet_prune;
extern const struct command command_fleet_doctor;
extern const struct command command_fleet_routes;

#endif /* ASSAY_FLEET_COMMANDS_H */
