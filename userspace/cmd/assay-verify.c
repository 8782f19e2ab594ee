// SPDX-License-Identifier: MIT
/*
 * The program `assay-verify`: the verifier's commands only, so that a verifier's
 * machine needs neither the TPM stack nor keyutils.
 */
#include "cmd.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&command_enroll_verifier, &command_verify, &command_policy_verifier,
		&command_import,	  &command_export, &command_replay,
		&command_check,		  &command_digest, NULL
	};

	return command_main(argc, argv, commands);
}
