// SPDX-License-Identifier: MIT
/* The program `assay-push`, which is `assay push`: see push.c. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "push_run.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_push_run, NULL };
	static char called[] = "assay", command[] = "push";
	char **words;
	int status;

	if (argc > 1 && strcmp(argv[0], "assay") == 0)
		return command_main(argc, argv, commands);
	/* Called by its own name: what follows is the command's. */
	words = calloc((size_t)argc + 2, sizeof(*words));
	if (!words)
		return EXIT_FAILED;
	program_invocation_short_name = words[0] = called;
	words[1] = command;
	if (argc > 1)
		memcpy(words + 2, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	status = command_main(argc > 0 ? argc + 1 : 2, words, commands);
	free(words);
	return status;
}
