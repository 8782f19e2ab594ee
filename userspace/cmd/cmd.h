/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands share: one file a subcommand, each with a
 * `const struct command` that the program's table names.
 */
#ifndef ASSAY_CMD_H
#define ASSAY_CMD_H

#include "assay.h"
#include "base/json.h"
#include "options.h"

/* Exit statuses, the same for every subcommand (documented in assay(1)). */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,     /* it could not be done; for verify: not trusted */
	EXIT_USAGE = 2,	     /* the call's words are off */
	EXIT_UNREADABLE = 3, /* verify, check: what is to be judged cannot be read */
};

/**
 * struct command - a command, or a verb of one
 * @name: "sign"; of a verb "keyring load"
 * @summary: one line for the list in `assay --help`
 * @usage: ways to call it, a line each: what follows "assay NAME "; NULL: one way, made of the
 *         options that are required and the operands
 * @intro: lines of --help between the usage and the options: what it does
 * @options: its options, see options.h; NULL: none but --help
 * @operands: how the usage shows them, "FILE..."; NULL: there are none
 * @operands_min, @operands_max: how many there may be
 * @operands_read: they are names of files that are read
 * @epilogue: lines of --help after the options: exit statuses, examples
 * @verbs: what the first word may be, ended by NULL; a command with verbs may have options and
 *         @run as well, for calls without one
 * @question: what to ask where none was given, and there is no @run: "load or list?"
 * @run: argv[0] is the command's name; an exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	const char *intro;
	const struct option_row *options;
	const char *operands;
	size_t operands_min, operands_max;
	bool operands_read;
	const char *epilogue;
	const struct command *const *verbs;
	const char *question;
	int (*run)(int argc, char **argv);
};

extern const struct command command_key;
extern const struct command command_key_lint; /* a verb of command_key */
extern const struct command command_keyring;
extern const struct command command_digest;
extern const struct command command_sign;
extern const struct command command_check;
extern const struct command command_enable;
extern const struct command command_fsverity;
extern const struct command command_measure;
extern const struct command command_log;
extern const struct command command_enroll;
extern const struct command command_enroll_verifier; /* the same in assay-verify */
extern const struct command command_import;
extern const struct command command_export;
extern const struct command command_push;
extern const struct command command_quote;
extern const struct command command_replay;
extern const struct command command_verify;
extern const struct command command_policy;
extern const struct command command_policy_verifier; /* what assay-verify has of it */
extern const struct command command_policy_lint;     /* verbs of command_policy */
extern const struct command command_policy_learn;
extern const struct command command_policy_import;
extern const struct command command_policy_make;
extern const struct command command_policy_diff;
extern const struct command command_policy_pcr11;
extern const struct command command_status;
extern const struct command command_status_service; /* a verb of command_status */

/* command_main() - run the command that argv names; ends of `commands` is NULL. */
int command_main(int argc, char **argv, const struct command *const commands[]);

/* command_failed() - print an error as "assay NAME: TEXT"; returns EXIT_FAILED. */
int command_failed(const struct command *command, const struct assay_error *err);

/*
 * command_usage() - print what is wrong with the call and where help is
 * Return: EXIT_USAGE
 */
int command_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What command_parse() returns where the command is to go on. */
#define COMMAND_GO (-1)

/*
 * command_parse() - take options and operands by the command's table; prints --help, and what
 * is wrong as command_usage() does
 * @values: the structure that the table's members are in, with the defaults
 * @ret: may be NULL where there are no operands
 *
 * Return: COMMAND_GO, or the exit status to return at once
 */
int command_parse(const struct command *command, int argc, char **argv, void *values,
		  struct operands *ret);

/*
 * JSON on standard output: one object a call, with members "assay" (JSON_VERSION) and "type" (the
 * command, "key-create" for `assay key create`) before its own; what they are is said in
 * policy/output.schema.json. Where a call with --json fails and none was printed,
 * command_main() prints one of type "error" with the error that was told last.
 */

/*
 * command_print_json() - print a value and a newline
 * @value: taken over; NULL, which jansson gives without memory, is told
 * @flags: jansson's, JSON_INDENT(2) and the like
 *
 * Return: 0, -ENOMEM, -EIO
 */
int command_print_json(json_t *value, size_t flags, struct assay_error *err);

/* command_begin_json() - begin an object that is printed bit by bit: `{"assay": 1, "type": ...` */
void command_begin_json(const struct command *command);

/* command_emit_json() - the same, indented, as all that is printed; an exit status */
int command_emit_json(const struct command *command, json_t *value);

/* command_text_json() - a word of the command line as a JSON string; NULL without memory */
json_t *command_text_json(const char *text);

/* command_print_json_error() - go on with an object printed bit by bit: `, "error": TEXT` */
void command_print_json_error(const struct assay_error *err);

/* command_colours() - is standard output a terminal whose user wants colours (no-color.org)? */
bool command_colours(void);

/* command_flush() - EXIT_OK if standard output took all that was printed. */
int command_flush(const struct command *command);

#endif /* ASSAY_CMD_H */
