// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/work.h"

static const char *program = "assay";

/**
 * struct json_call - what a call with --json prints where it fails
 * @wanted: --json was given
 * @begun: an object is being printed, or was
 * @command: what runs, NULL before that is known
 * @error: what was told last
 */
static struct json_call {
	bool wanted, begun;
	const struct command *command;
	struct assay_error error;
} json_call;

/* On standard error, and for the object that is printed where there is no other. */
static void tell_error(const char *name, const char *text)
{
	fflush(stdout);
	fprintf(stderr, "%s%s%s: %s\n", program, name[0] ? " " : "", name, text);
	assay_fail(&json_call.error, EINVAL, "%s", text);
}

int command_failed(const struct command *command, const struct assay_error *err)
{
	tell_error(command->name, err->text);
	return EXIT_FAILED;
}

int command_usage(const struct command *command, const char *format, ...)
{
	struct assay_error err;
	va_list args;

	va_start(args, format);
	vsnprintf(err.text, sizeof(err.text), format, args);
	va_end(args);
	tell_error(command->name, err.text);
	fprintf(stderr, "Try '%s %s --help'.\n", program, command->name);
	return EXIT_USAGE;
}

/* ---------------------------------------------------------------- help */

/* Ways to call a command, a line each. */
static void print_usage_lines(const struct command *command, const char **lead)
{
	const char *line = command->usage;

	while (line && *line) {
		int length = (int)strcspn(line, "\n");

		printf("%s%s %s %.*s\n", *lead, program, command->name, length, line);
		*lead = "       ";
		line += length;
		line += *line == '\n';
	}
	if (command->usage)
		return;
	printf("%s%s %s", *lead, program, command->name);
	*lead = "       ";
	for (const struct option_row *row = command->options; row && row->type != OPTION_TYPE_END;
	     row++)
		if (row->required)
			printf(" --%s%s%s", row->name, row->value ? " " : "",
			       row->value ? row->value : "");
	printf(" [OPTION]...%s%s\n", command->operands ? " " : "",
	       command->operands ? command->operands : "");
}

static const char *verb_name(const struct command *command, const struct command *verb)
{
	return verb->name + strlen(command->name) + 1;
}

static void print_verbs(const struct command *command)
{
	int width = 0;

	for (size_t i = 0; command->verbs[i]; i++) {
		int length = (int)strlen(verb_name(command, command->verbs[i]));

		width = length > width ? length : width;
	}
	for (size_t i = 0; command->verbs[i]; i++)
		printf("  %-*s  %s\n", width, verb_name(command, command->verbs[i]),
		       command->verbs[i]->summary);
	printf("\n'%s %s VERB --help' tells more.\n", program, command->name);
}

static void print_command_help(const struct command *command)
{
	const char *lead = "Usage: ";

	for (size_t i = 0; command->verbs && command->verbs[i]; i++)
		print_usage_lines(command->verbs[i], &lead);
	if (command->run)
		print_usage_lines(command, &lead);
	putchar('\n');
	if (command->intro)
		printf("%s\n", command->intro);
	if (command->verbs)
		print_verbs(command);
	if (command->verbs && command->run)
		putchar('\n');
	if (command->run)
		options_print_help(command->options, stdout);
	if (command->epilogue)
		printf("\n%s", command->epilogue);
}

/* ---------------------------------------------------------------- options */

int command_parse(const struct command *command, int argc, char **argv, void *values,
		  struct operands *ret)
{
	struct operands operands = { 0 };
	struct assay_error err;
	char text[256];
	bool help;

	if (options_parse(command->options, argc, argv, values, &operands, &help, &err) < 0)
		return command_usage(command, "%s", err.text);
	if (help) {
		print_command_help(command);
		return command_flush(command);
	}
	if (operands.count > command->operands_max) {
		const char *word = operands.list[command->operands_max];

		return command_usage(command, "unexpected argument '%s'",
				     text_escape(BYTES((const uint8_t *)word, strlen(word)), text,
						 sizeof(text)));
	}
	if (operands.count < command->operands_min)
		return command_usage(command, "missing argument: %s", command->operands);
	if (options_check_outputs(command->options, values,
				  command->operands_read ? operands.list : NULL, &err) < 0)
		return command_usage(command, "%s", err.text);
	/* A result there is the result alone, fit for a pipe. */
	if (options_use_standard_output(command->options, values) &&
	    file_reserve_standard_output(&err) < 0)
		return command_failed(command, &err);
	if (ret)
		*ret = operands;
	return COMMAND_GO;
}

/* "key create" as a type of JSON object: "key-create" */
static const char *type_of(const struct command *command, char type[64])
{
	snprintf(type, 64, "%s", command ? command->name : "");
	for (char *at = type; *at; at++)
		if (*at == ' ')
			*at = '-';
	return type;
}

/* @value with members "assay" and "type" in front, unless it has them: it is a file of assay's. */
static json_t *with_head(json_t *value)
{
	char type[64];
	json_t *object;

	if (!json_is_object(value) || json_object_get(value, "assay"))
		return value;
	object = json_pack("{s:i, s:s}", "assay", JSON_VERSION, "type",
			   type_of(json_call.command, type));
	if (object && json_object_update(object, value) < 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(value);
	return object;
}

void command_begin_json(const struct command *command)
{
	char type[64];

	json_call.begun = true;
	printf("{\"assay\": %d, \"type\": \"%s\"", JSON_VERSION, type_of(command, type));
}

int command_print_json(json_t *value, size_t flags, struct assay_error *err)
{
	json_t *object = with_head(value);
	int r = 0;

	if (!object)
		return assay_fail(err, ENOMEM, "out of memory");
	json_call.begun = true;
	if (json_dumpf(object, stdout, flags) < 0)
		r = assay_fail(err, EIO, "cannot write the output: %s", strerror(errno));
	else
		putchar('\n');
	json_decref(object);
	return r;
}

/* What a call with --json printed must be JSON, also where it failed before it had a result. */
static void print_failure(int status)
{
	json_t *object =
		json_pack("{s:i, s:s, s:s, s:o, s:i}", "assay", JSON_VERSION, "type", "error",
			  "command", json_call.command ? json_call.command->name : "", "error",
			  json_text(json_call.error.text), "status", status);

	if (object && json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
	fflush(stdout);
}

int command_emit_json(const struct command *command, json_t *value)
{
	struct assay_error err;

	if (command_print_json(value, JSON_INDENT(2), &err) < 0)
		return command_failed(command, &err);
	return command_flush(command);
}

json_t *command_text_json(const char *text)
{
	return json_escaped(BYTES((const uint8_t *)text, strlen(text)));
}

static int run_command(const struct command *command, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	char text[256];

	json_call.command = command;
	for (size_t i = 0; word && command->verbs && command->verbs[i]; i++)
		if (strcmp(word, verb_name(command, command->verbs[i])) == 0)
			return run_command(command->verbs[i], argc - 1, argv + 1);
	if (!command->verbs || (command->run && (!word || word[0] == '-')))
		return command->run(argc, argv);
	if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
		print_command_help(command);
		return command_flush(command);
	}
	if (!word || word[0] == '-')
		return command_usage(command, "%s", command->question);
	return command_usage(
		command, "there is no '%s %s'", command->name,
		text_escape(BYTES((const uint8_t *)word, strlen(word)), text, sizeof(text)));
}

void command_print_json_error(const struct assay_error *err)
{
	json_t *text = json_text(err->text);

	fputs(", \"error\": ", stdout);
	json_dumpf(text, stdout, JSON_ENCODE_ANY);
	json_decref(text);
}

bool command_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0] != '\0') && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

int command_flush(const struct command *command)
{
	struct assay_error err;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	assay_fail(&err, errno, "cannot write the output: %s", strerror(errno));
	return command_failed(command, &err);
}

static void print_help(const struct command *const commands[])
{
	printf("Usage: %s COMMAND [OPTION]...\n\nCommands:\n", program);
	for (size_t i = 0; commands[i]; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'%s COMMAND --help' tells more; so does the manual page, %s(1).\n"
	       "Exit status: 0 done (verify: trusted), 1 failed (verify: not trusted),\n"
	       "2 wrong usage, 3 what verify or check is to judge cannot be read.\n",
	       program, program);
}

static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int fail_without_command(const char *what)
{
	tell_error("", what);
	fprintf(stderr, "Try '%s --help'.\n", program);
	return EXIT_USAGE;
}

/* What is told of the program itself has to get out as what commands print has. */
static int flush_without_command(void)
{
	char text[128];

	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	snprintf(text, sizeof(text), "cannot write the output: %s", strerror(errno));
	tell_error("", text);
	return EXIT_FAILED;
}

static int run_named(int argc, char **argv, const struct command *const commands[])
{
	char name[80], text[128];

	if (argc < 2)
		return fail_without_command("a command is needed");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(commands);
		return flush_without_command();
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", program, ASSAY_VERSION);
		return flush_without_command();
	}
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return run_command(commands[i], argc - 1, argv + 1);
	snprintf(text, sizeof(text), "there is no command '%s'",
		 text_escape(BYTES((const uint8_t *)argv[1], strlen(argv[1])), name, sizeof(name)));
	return fail_without_command(text);
}

int command_main(int argc, char **argv, const struct command *const commands[])
{
	int status;

	program = program_invocation_short_name;
	json_call.wanted = wants_json(argc, argv);
	status = run_named(argc, argv, commands);
	if (status != EXIT_OK && json_call.wanted && !json_call.begun)
		print_failure(status);
	return status;
}
