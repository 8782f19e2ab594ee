/* SPDX-License-Identifier: MIT */
/*
 * A command's options as one table, of which the parser, --help and the completion are made.
 *
 *	struct sign_options { const char *key; unsigned int jobs; bool json; ... };
 *
 *	static const struct option_row sign_rows[] = {
 *		{ "key", 'k', "KEY", "the signing key", OPTION_TEXT(struct sign_options, key),
 *		  .required = true },
 *		OPTION_HEADING("Output:"),
 *		OPTION_ROW_JOBS(struct sign_options, jobs),
 *		OPTION_ROW_JSON(struct sign_options, json),
 *		OPTION_END,
 *	};
 *
 *	const struct command command_sign = {
 *		.name = "sign",
 *		.summary = "sign files, and write the signed manifest of them",
 *		.intro = "Computes the fs-verity digest of each regular file ...\n",
 *		.options = sign_rows,
 *		.operands = "[PATH]...",
 *		.operands_max = SIZE_MAX,
 *		.epilogue = "Exit status: 0 done, 1 ...\n",
 *		.run = run_sign,
 *	};
 *
 * and in run_sign(), with the defaults already set in `options`:
 *
 *	struct sign_options options = { 0 };
 *	struct operands operands;
 *	int status = command_parse(&command_sign, argc, argv, &options, &operands);
 *
 *	if (status != COMMAND_GO)
 *		return status;
 *
 * What the parser does, the same for every command:
 *  - "--name VALUE" and "--name=VALUE", "-n VALUE" and "-nVALUE"; letters without a value may
 *    stand together; names are never abbreviated; "--" ends the options; options and operands
 *    may be mixed; "-" alone is an operand.
 *  - An option given twice is an error, unless its row is .repeatable; its alias counts as itself.
 *  - Operands are counted: "unexpected argument 'x'".
 *  - "-h" and "--help" need no row.
 */
#ifndef ASSAY_CMD_OPTIONS_H
#define ASSAY_CMD_OPTIONS_H

#include <stdio.h>

#include "assay.h"

enum option_type {
	OPTION_TYPE_END,
	OPTION_TYPE_HEADING,
	OPTION_TYPE_FLAG,
	OPTION_TYPE_TEXT,
	OPTION_TYPE_INPUT,
	OPTION_TYPE_INPUTS,
	OPTION_TYPE_OUTPUT,
	OPTION_TYPE_DIRECTORY,
	OPTION_TYPE_TEXTS,
	OPTION_TYPE_NUMBER,
	OPTION_TYPE_HEX,
	OPTION_TYPE_DIGEST,
	OPTION_TYPE_HASH,
	OPTION_TYPE_TIME,
	OPTION_TYPE_CHOICE,
	OPTION_TYPE_FUNCTION,
};

/*
 * option_function - what takes the value of an option that is of no common type
 * @place: the row's member
 * @value: NULL if the row has no .value
 *
 * Return: 0, or a negative errno with *err set: a sentence that says what the value must be and
 * what it is; the option's name is put before it
 */
typedef int (*option_function)(void *place, const char *value, struct assay_error *err);

/**
 * struct option_row - one option
 * @name: without the dashes
 * @letter: the short option, 0 for none
 * @value: the value's name in --help, "FILE"; of a choice and a hash the words, "pkcs7|ima|both";
 *         NULL: it takes no value
 * @help: one or more sentences; they are filled to lines, a newline in them begins a new one
 * @type and what follows up to @function: set by the OPTION_* macros below
 * @place: offset of the member that takes the value
 * @size: bytes of that member
 * @size_place: offset of the member that takes its length (hex)
 * @min, @max: a number's range; bytes of hex at least
 * @alias: an old name, still taken, not shown; NULL: none
 * @required: to be given
 * @repeatable: may be given more than once; of other types than TEXTS and FUNCTION the last counts
 * @given: OPTION_GIVEN(): a bool that is set if it was given; for members whose default is
 *         a value that can be given as well
 * @needs, @excludes: name of another option, without which, with which, it may not be given
 * @replaces: name of an option whose file this one may write over
 * @beside: of an output: ending of a further file that is written, behind its name; NULL: none
 */
struct option_row {
	const char *name;
	char letter;
	const char *value;
	const char *help;

	enum option_type type;
	size_t place, size, size_place;
	uint64_t min, max;
	option_function function;

	const char *alias;
	bool required, repeatable;
	size_t given;
	const char *needs, *excludes, *replaces, *beside;
};

/* Values of an option that may be repeated, as they were given; option_texts_free() it. */
struct option_texts {
	const char **list;
	size_t count;
};

void option_texts_free(struct option_texts *texts);

/* What stands on the command line beside options; @list ends with NULL. */
struct operands {
	char **list;
	size_t count;
};

/*
 * What these macros get is parts of an initializer: names of members, an operator and its right
 * side. They cannot stand in parentheses.
 * NOLINTBEGIN(bugprone-macro-parentheses)
 */

/* Offset of a member; an error of the compiler if it is not of that type, or not of a size. */
#define OPTION_PLACE(structure, member, type) \
	(offsetof(structure, member) + 0 * sizeof(&((structure *)0)->member == (type *)0))
#define OPTION_PLACE_OF_SIZE(structure, member, check) \
	(offsetof(structure, member) +                 \
	 0 * sizeof(char[OPTION_SIZE(structure, member) check ? 1 : -1]))
#define OPTION_SIZE(structure, member) sizeof(((structure *)0)->member)

/* Common types. @member may be of a structure within: `key.passphrase`. */

/* bool: set to true; no value */
#define OPTION_FLAG(structure, member) \
	.type = OPTION_TYPE_FLAG, .place = OPTION_PLACE(structure, member, bool)

/* const char *: the value as it is; may be empty */
#define OPTION_TEXT(structure, member) \
	.type = OPTION_TYPE_TEXT, .place = OPTION_PLACE(structure, member, const char *)

/* const char *: a file to read, not empty; "-", standard input, for one option only */
#define OPTION_INPUT(structure, member) \
	.type = OPTION_TYPE_INPUT, .place = OPTION_PLACE(structure, member, const char *)

/* const char *: a file to write, not empty; options_check_outputs() compares it with the others */
#define OPTION_OUTPUT(structure, member) \
	.type = OPTION_TYPE_OUTPUT, .place = OPTION_PLACE(structure, member, const char *)

/* const char *: a directory, not empty */
#define OPTION_DIRECTORY(structure, member) \
	.type = OPTION_TYPE_DIRECTORY, .place = OPTION_PLACE(structure, member, const char *)

/* struct option_texts: files to read, none with an empty name; may be repeated */
#define OPTION_INPUTS(structure, member)                                                           \
	.type = OPTION_TYPE_INPUTS, .place = OPTION_PLACE(structure, member, struct option_texts), \
	.repeatable = true

/* struct option_texts: each value, not empty; may be repeated */
#define OPTION_TEXTS(structure, member)                                                           \
	.type = OPTION_TYPE_TEXTS, .place = OPTION_PLACE(structure, member, struct option_texts), \
	.repeatable = true

/* unsigned of 16, 32 or 64 bits: decimal, or hexadecimal with 0x; from @least to @most */
#define OPTION_NUMBER(structure, member, least, most)                         \
	.type = OPTION_TYPE_NUMBER,                                           \
	.place = OPTION_PLACE_OF_SIZE(structure, member, != sizeof(uint8_t)), \
	.size = OPTION_SIZE(structure, member), .min = (least), .max = (most)

/* uint8_t[] and its size_t: hexadecimal; @least bytes, and at most what the array holds */
#define OPTION_HEX(structure, member, size_member, least)                        \
	.type = OPTION_TYPE_HEX,                                                 \
	.place = OPTION_PLACE_OF_SIZE(structure, member[0], == sizeof(uint8_t)), \
	.size = OPTION_SIZE(structure, member),                                  \
	.size_place = OPTION_PLACE(structure, size_member, size_t), .min = (least)

/* struct assay_digest: "sha256:HEX" */
#define OPTION_DIGEST(structure, member) \
	.type = OPTION_TYPE_DIGEST, .place = OPTION_PLACE(structure, member, struct assay_digest)

/* enum assay_hash: one of the row's .value, "sha256|sha512" */
#define OPTION_HASH(structure, member) \
	.type = OPTION_TYPE_HASH, .place = OPTION_PLACE(structure, member, enum assay_hash)

/* uint64_t: seconds since 1970, of "2026-01-31T23:59:59Z" */
#define OPTION_TIME(structure, member) \
	.type = OPTION_TYPE_TIME, .place = OPTION_PLACE(structure, member, uint64_t)

/* an enum or int: which of the row's .value "first|second" it is, 0 for the first */
#define OPTION_CHOICE(structure, member) \
	.type = OPTION_TYPE_CHOICE, .place = OPTION_PLACE_OF_SIZE(structure, member, == sizeof(int))

/* anything: the function gets a pointer to the member */
#define OPTION_FUNCTION(structure, member, taker) \
	.type = OPTION_TYPE_FUNCTION, .place = offsetof(structure, member), .function = (taker)

#define OPTION_GIVEN(structure, member) .given = OPTION_PLACE(structure, member, bool) + 1

/* A line of --help between rows; the first rows are below "Options:" if they have none. */
#define OPTION_HEADING(text)                                \
	{                                                   \
		.type = OPTION_TYPE_HEADING, .help = (text) \
	}
#define OPTION_END                      \
	{                               \
		.type = OPTION_TYPE_END \
	}

/* Rows that several commands have, always in these words. */
/* clang-format off */
#define OPTION_ROW_JSON(structure, member) \
	{ "json", 0, NULL, "print one JSON object, also where the call fails", \
	  OPTION_FLAG(structure, member) }
/* @member: unsigned int; 0, for one each processor, is set by leaving the option out */
#define OPTION_ROW_JOBS(structure, member, most) \
	{ "jobs", 'j', "N", "threads (one for each processor)", \
	  OPTION_NUMBER(structure, member, 1, most) }
/* @member: struct verity_parameters; more fields of these rows may follow */
#define OPTION_ROWS_VERITY_TREE(structure, member, ...) \
	{ "block-size", 0, "N", \
	  "bytes of a Merkle tree block, a power of two from 1024 to 65536 (4096)", \
	  OPTION_FUNCTION(structure, member, option_block_size), ##__VA_ARGS__ }, \
	{ "salt", 0, "HEX", "up to 32 bytes (none)", \
	  OPTION_HEX(structure, member.salt, member.salt_size, 0), ##__VA_ARGS__ }
#define OPTION_ROWS_VERITY(structure, member) \
	{ "hash", 0, "sha256|sha512", "hash algorithm (sha256)", \
	  OPTION_HASH(structure, member.hash) }, \
	OPTION_ROWS_VERITY_TREE(structure, member)
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

int option_block_size(void *parameters, const char *value, struct assay_error *err);

/*
 * options_parse() - take what argv says; command_parse() of cmd.h is what commands call
 * @rows: ended by OPTION_END; NULL: no options
 * @values: the structure that the rows' members are in
 * @ret: operands, in @argv, which is reordered
 * @ret_help: --help was given: then nothing after it was looked at
 *
 * Return: 0, -EINVAL, -ENOMEM
 */
int options_parse(const struct option_row *rows, int argc, char **argv, void *values,
		  struct operands *ret, bool *ret_help, struct assay_error *err);

/*
 * options_set() - take one option that is from elsewhere, such as a file of settings
 * @rows: ended by OPTION_END
 * @name: without the dashes
 * @value: of a flag "yes" or "no"; must stay for as long as what it was put into. An empty one
 *         takes away what a repeatable option had
 * @ret: which row it is
 *
 * Return: 0; -ENOENT if there is no such option; -EINVAL with what the value must be
 */
int options_set(const struct option_row *rows, const char *name, const char *value, void *values,
		const struct option_row **ret, struct assay_error *err);

/*
 * options_check_outputs() - no file is to be written over that the same call reads or writes
 * @values: as options_parse() filled it
 * @files: names of files that are read besides, ended by NULL; NULL: none
 *
 * Files are the same if they are one file, by whatever path; what is neither a regular file nor
 * to be made one is not looked at, but for standard output.
 *
 * Return: 0, -EINVAL
 */
int options_check_outputs(const struct option_row *rows, const void *values, char *const *files,
			  struct assay_error *err);

/* options_use_standard_output() - is "-" an output of this call? */
bool options_use_standard_output(const struct option_row *rows, const void *values);

/* options_print_help() - the rows, with their headings */
void options_print_help(const struct option_row *rows, FILE *out);

#endif /* ASSAY_CMD_OPTIONS_H */
