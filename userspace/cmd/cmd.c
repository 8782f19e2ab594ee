// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/work.h"

static const char *program = "assay";

int command_failed(const struct command *command, const struct assay_error *err)
{
	fflush(stdout);
	fprintf(stderr, "%s %s: %s\n", program, command->name, err->text);
	return EXIT_FAILED;
}

int command_usage(const struct command *command, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s %s: ", program, command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry '%s %s --help'.\n", program, command->name);
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

	if (command->help) {
		fputs(command->help, stdout);
		return;
	}
	for (size_t i = 0; command->verbs && command->verbs[i]; i++)
		print_usage_lines(command->verbs[i], &lead);
	if (!command->verbs)
		print_usage_lines(command, &lead);
	putchar('\n');
	if (command->intro)
		printf("%s\n", command->intro);
	if (command->verbs)
		print_verbs(command);
	else
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
	if (ret)
		*ret = operands;
	return COMMAND_GO;
}

int command_option(const struct command *command, int argc, char **argv, const char *letters,
		   const struct option *options, int *ret_status)
{
	int before = optind, c;

	opterr = 0;
	*ret_status = -1;
	c = getopt_long(argc, argv, letters, options, NULL);
	switch (c) {
	case 'h':
		print_command_help(command);
		*ret_status = command_flush(command);
		return -1;
	case ':':
		*ret_status = command_usage(command, "option '%s' needs a value", argv[optind - 1]);
		return -1;
	case '?':
		*ret_status = command_usage(command, "option '%s' is not known", argv[before]);
		return -1;
	default:
		return c;
	}
}

int command_verity_option(int option, const char *value, struct verity_parameters *parameters,
			  struct assay_error *err)
{
	switch (option) {
	case COMMAND_HASH:
		return verity_set_hash(parameters, value, err);
	case COMMAND_BLOCK_SIZE:
		return verity_set_block_size(parameters, value, err);
	default:
		return verity_set_salt(parameters, value, err);
	}
}

int command_jobs(const char *value, unsigned int *ret, struct assay_error *err)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno != 0 || number < 1 ||
	    number > WORK_THREADS_MAX)
		return assay_fail(err, EINVAL, "--jobs is a number from 1 to %u", WORK_THREADS_MAX);
	*ret = (unsigned int)number;
	return 0;
}

int command_print_json(json_t *value, size_t flags, struct assay_error *err)
{
	int r = 0;

	if (!value)
		return assay_fail(err, ENOMEM, "out of memory");
	if (json_dumpf(value, stdout, flags) < 0)
		r = assay_fail(err, EIO, "cannot write the output");
	else
		putchar('\n');
	json_decref(value);
	return r;
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

static int run_command(const struct command *command, int argc, char **argv);

static int run_verb(const struct command *command, const struct command *const verbs[],
		    size_t count, const char *question, int argc, char **argv)
{
	char text[256];

	for (size_t i = 0; argc > 1 && i < count; i++)
		if (strcmp(argv[1], verb_name(command, verbs[i])) == 0)
			return run_command(verbs[i], argc - 1, argv + 1);
	if (argc < 2)
		return command_usage(command, "%s", question);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_command_help(command);
		return command_flush(command);
	}
	return command_usage(
		command, "there is no '%s %s'", command->name,
		text_escape(BYTES((const uint8_t *)argv[1], strlen(argv[1])), text, sizeof(text)));
}

int command_verbs(const struct command *command, const struct command *const verbs[], size_t count,
		  const char *question, int argc, char **argv)
{
	return run_verb(command, verbs, count, question, argc, argv);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	size_t count = 0;

	if (!command->verbs)
		return command->run(argc, argv);
	while (command->verbs[count])
		count++;
	return run_verb(command, command->verbs, count, command->question, argc, argv);
}

void command_print_json_error(const struct assay_error *err)
{
	json_t *text = json_string(err->text);

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
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	fprintf(stderr, "%s %s: cannot write the output: %s\n", program, command->name,
		strerror(errno));
	return EXIT_FAILED;
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

int command_main(int argc, char **argv, const struct command *const commands[])
{
	program = program_invocation_short_name;
	if (argc < 2) {
		fprintf(stderr, "%s: which command? Try '%s --help'.\n", program, program);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(commands);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", program, ASSAY_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return run_command(commands[i], argc - 1, argv + 1);
	fprintf(stderr, "%s: there is no command '%s'. Try '%s --help'.\n", program, argv[1],
		program);
	return EXIT_USAGE;
}
