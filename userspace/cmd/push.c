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

static int run_push(int argc, char **argv)
{
	CLEANUP(free_pointer) char *path = NULL;
	CLEANUP(free_pointer) const char **words = calloc((size_t)argc + 2, sizeof(*words));
	struct assay_error err;

	if (!words || program_beside(PROGRAM, &path, &err) < 0) {
		if (!words)
			assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_push, &err);
	}
	words[0] = "assay";
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	execv(path, (char *const *)words);
	assay_fail(&err, errno, "cannot execute %s: %s; install it beside this program", path,
		   strerror(errno));
	return command_failed(&command_push, &err);
}

const struct command command_push = {
	.name = "push",
	.summary = "attest to a verifier over HTTPS, once",
	.run = run_push,
};
