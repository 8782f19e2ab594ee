// SPDX-License-Identifier: MIT
/* `assay log`: its verbs are in log_*.c. */
#include "log.h"

static const char help[] =
	"Usage: assay log show [OPTION]... [FILE]...\n"
	"       assay log follow [OPTION]...\n"
	"       assay log anchor [OPTION]...\n"
	"       assay log trim [OPTION]... [RECORD]\n"
	"       assay log export [OPTION]... [FILE]\n"
	"       assay log import [OPTION]... FILE\n"
	"\n"
	"Show assay's measurement log (show), and what comes (follow); have the TPM take what it\n"
	"has not yet (anchor); archive the oldest records and cut them off (trim); write the log\n"
	"in other programs' forms, and read theirs (export, import). 'assay log VERB --help'\n"
	"tells more.\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int run(int argc, char **argv)
{
	static const struct command *const verbs[] = { &command_log_show,   &command_log_follow,
						       &command_log_anchor, &command_log_trim,
						       &command_log_export, &command_log_import };

	return command_verbs(
		&command_log, verbs, sizeof(verbs) / sizeof(verbs[0]),
		"what is to be done with the log: show, follow, anchor, trim, export or import?",
		argc, argv);
}

const struct command command_log = {
	.name = "log",
	.summary = "show, follow, anchor and trim the log, or exchange it with other programs",
	.help = help,
	.run = run,
};
