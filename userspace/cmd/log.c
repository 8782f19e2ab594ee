// SPDX-License-Identifier: MIT
/* `assay log`: its verbs are in log_*.c. */
#include "log.h"

static const struct command *const log_verbs[] = { &command_log_show,		&command_log_follow,
						   &command_log_anchor,		&command_log_trim,
						   &command_log_export,		&command_log_import,
						   &command_log_verify_archive, NULL };

const struct command command_log = {
	.name = "log",
	.summary = "show, follow, anchor and trim the log, or exchange it with other programs",
	.intro = "Show assay's measurement log (show), and what comes (follow); extend "
		 "the TPM\n"
		 "with what it does not have yet (anchor); archive the oldest records and cut them "
		 "off (trim); write "
		 "the log\n"
		 "in other programs' forms, and read theirs (export, import); check an archive of\n"
		 "assayd's (verify-archive).\n",
	.verbs = log_verbs,
	.question = "what is to be done with the log: show, follow, anchor, trim, export, "
		    "import or verify-archive?",
	.epilogue = "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
};
