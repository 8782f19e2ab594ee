// SPDX-License-Identifier: MIT
/* The program `assay`: every command. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <string.h>

#include "tpm/context.h"
#include "verity/mapped.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&command_key,
		&command_keyring,
		&command_digest,
		&command_sign,
		&command_check,
		&command_enable,
		&command_measure,
		&command_log,
		&command_enroll,
		&command_quote,
		&command_push,
		&command_import,
		&command_export,
		&command_verify,
		&command_policy,
		&command_replay,
		&command_status,
		&command_fsverity,
		NULL,
	};

	int status;

	mapped_allow();
	/* Through a link of that name: what scripts call that know nothing of assay. */
	if (strcmp(program_invocation_short_name, command_fsverity.name) == 0)
		status = command_fsverity.run(argc, argv);
	else
		status = command_main(argc, argv, commands);
	tpm_end_interrupted();
	return status;
}
