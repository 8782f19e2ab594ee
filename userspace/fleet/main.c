// SPDX-License-Identifier: MIT
/* The program `assay-fleet`: the verifier as a service. */
#include "commands.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&command_fleet_serve,  &command_fleet_migrate,
		&command_fleet_backup, &command_fleet_restore,
		&command_fleet_prune,  &command_fleet_doctor,
		&command_fleet_routes, NULL
	};

	return command_main(argc, argv, commands);
}
