/* SPDX-License-Identifier: MIT */
/* The commands of the program assay-fleet. */
#ifndef ASSAY_FLEET_COMMANDS_H
#define ASSAY_FLEET_COMMANDS_H

#include "cmd.h"

extern const struct command command_fleet_serve;
extern const struct command command_fleet_migrate;
extern const struct command command_fleet_routes;

#endif /* ASSAY_FLEET_COMMANDS_H */
