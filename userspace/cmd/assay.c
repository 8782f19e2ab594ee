// SPDX-License-Identifier: MIT
/* The program `assay`: every command. */
#include "cmd.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&command_key, &command_digest, &command_sign,	&command_enable, &command_measure,
		&command_log, &command_quote,  &command_verify, &command_status, NULL,
	};

	return command_main(argc, argv, commands);
}
