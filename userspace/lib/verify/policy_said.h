/* SPDX-License-Identifier: MIT */
/*
 * What a policy, and the options of a command, say: as they say it, before it is known
 * what it amounts to. policy_derive() makes the rules of it. For lib/verify and the
 * commands.
 */
#ifndef ASSAY_VERIFY_POLICY_SAID_H
#define ASSAY_VERIFY_POLICY_SAID_H

#include "verify/input.h"

/* SAID_YES is the stricter of a key's two words, SAID_NO the other. */
enum said {
	SAID_NOTHING,
	SAID_YES,
	SAID_NO,
};

/* The keys of a policy that have two values; policy_derive.c has a row for each. */
enum policy_key {
	POLICY_KEY_UNKNOWN_RECORDS,
	POLICY_KEY_TRIMMED,
	POLICY_KEY_LATE_TPM,
	POLICY_KEY_PROTECTION,
	POLICY_KEY_IMA,
	POLICY_KEY_VIOLATIONS,
	POLICY_KEY_UNKNOWN_TEMPLATES,
	POLICY_KEY_BOOT_AGGREGATE,
	POLICY_KEY_UNKNOWN_FILES,
	POLICY_KEY_UEFI_LOG,
	POLICY_KEY_RESET,
	POLICY_KEY_SUSPEND,
	POLICY_KEY_FILE_SIGNATURE,
	POLICY_KEY_FIRMWARE,
	POLICY_KEY_CLOCK,
	POLICY_KEY_COUNT,
};

/* policy_log_name() - the member that says whether there is that log: "logs.ima" */
const char *policy_log_name(enum verify_log log);

/**
 * struct policy_said - what was said
 * @keys: of each key
 * @logs: what "logs" says of each; PRESENCE_UNSAID where it says nothing
 * @required, @waived: CHECK_BIT()s of the checks that "require" and "waive" name
 * @pcrs: bit n: "pcrs.required" names PCR n
 * @option_waived: CHECK_BIT()s of the checks that the option --waive names
 * @option_no_ima_log: whether the option --no-ima-log was given
 */
struct policy_said {
	enum said keys[POLICY_KEY_COUNT];
	enum log_presence logs[VERIFY_LOGS];
	check_mask required, waived;
	uint32_t pcrs;
	check_mask option_waived;
	bool option_no_ima_log;
};

/*
 * policy_key_words() - the key's name, and its stricter and its other word
 * Both words are NULL for a key that is true or false.
 */
const char *policy_key_words(enum policy_key key, const char **ret_yes, const char **ret_no);

#endif /* ASSAY_VERIFY_POLICY_SAID_H */
