// SPDX-License-Identifier: MIT
/*
 * `assay push` is a program of its own, assay-push: libcurl brings some twenty libraries along,
 * which no other command needs, and what speaks with a network is not linked with the TPM stack.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "cmd.h"

#define PROGRAM "assay-push"

/* Return: -errno: it was not executed */
static int execute(const char *path, int argc, char **argv, struct assay_error *err)
{
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	static char program[] = "assay";
	int code;

	if (!words)
		return assay_fail(err, ENOMEM, "out of memory");
	words[0] = program;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	execv(path, words);
	code = errno;
	free(words);
	return assay_fail(err, code, "cannot execute %s: %s; install it beside this program", path,
			  strerror(code));
}

static int run_push(int argc, char **argv)
{
	CLEANUP(free_pointer) char *path = NULL;
	struct assay_error err;

	if (program_beside(PROGRAM, &path, &err) == 0)
		(void)execute(path, argc, argv, &err);
	return command_failed(&command_push, &err);
}

const struct command command_push = {
	.name = "push",
	.summary = "attest to a verifier over HTTPS, once",
	.run = run_push,
};
