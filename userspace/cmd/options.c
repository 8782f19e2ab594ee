// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/utc.h"
#include "verity/verity.h"

#define OPTIONS_MAX 64 /* rows of a command at most */
#define SHOWN_MAX 160  /* bytes of a word of the command line that an error quotes */
#define HELP_WIDTH 80  /* columns of --help */
#define NAMES_WIDTH 26 /* columns of the options' names there, at most */
#define NAMES_MAX 128  /* bytes of a row's names and value */

/**
 * struct options_run - one command line being read
 * @given: bit n: row n was given
 * @standard_input: name of the option that reads it, NULL: none
 */
struct options_run {
	const struct option_row *rows;
	uint8_t *values;
	uint64_t given;
	const char *standard_input;
	bool help;
};

static const struct option_row help_row = { .name = "help",
					    .letter = 'h',
					    .help = "print this help",
					    .type = OPTION_TYPE_FLAG };

void option_texts_free(struct option_texts *texts)
{
	free(texts->list);
	*texts = (struct option_texts){ 0 };
}

/* A word of the command line as errors quote it. */
static const char *quote_word(const char *word, char text[SHOWN_MAX])
{
	return text_escape(BYTES((const uint8_t *)word, strlen(word)), text, SHOWN_MAX);
}

/* ---------------------------------------------------------------- values */

static int fail_value(const struct option_row *row, const char *value, const char *what,
		      struct assay_error *err)
{
	char text[SHOWN_MAX];

	return assay_fail(err, EINVAL, "--%s must be %s, not '%s'", row->name, what,
			  quote_word(value, text));
}

static bool parse_number(const char *value, uint64_t *ret)
{
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	const char *digits = hex ? value + 2 : value;
	char *end;

	if (digits[0] == '\0' ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*ret = strtoull(digits, &end, hex ? 16 : 10);
	return errno == 0;
}

static int set_number(const struct option_row *row, void *place, const char *value,
		      struct assay_error *err)
{
	uint64_t number;
	char what[80];

	if (!parse_number(value, &number) || number < row->min || number > row->max) {
		snprintf(what, sizeof(what), "a number from %llu to %llu",
			 (unsigned long long)row->min, (unsigned long long)row->max);
		return fail_value(row, value, what, err);
	}
	if (row->size == sizeof(uint64_t))
		*(uint64_t *)place = number;
	else if (row->size == sizeof(uint32_t))
		*(uint32_t *)place = (uint32_t)number;
	else
		*(uint16_t *)place = (uint16_t)number;
	return 0;
}

static int set_hex(const struct option_row *row, uint8_t *place, size_t *ret_size,
		   const char *value, struct assay_error *err)
{
	char what[80];
	size_t size = 0;

	memset(place, 0, row->size);
	if (hex_decode(value, place, row->size, &size) < 0 || size < row->min) {
		snprintf(what, sizeof(what), "%llu to %zu bytes in hexadecimal",
			 (unsigned long long)row->min, row->size);
		return fail_value(row, value, what, err);
	}
	*ret_size = size;
	return 0;
}

/* Which of "first|second" it is; -1 if none. */
static int find_choice(const char *choices, const char *value)
{
	size_t length = strlen(value);

	for (int i = 0;; i++) {
		size_t size = strcspn(choices, "|");

		if (size == length && strncmp(choices, value, size) == 0)
			return i;
		if (choices[size] == '\0')
			return -1;
		choices += size + 1;
	}
}

/* "one of first, second" */
static int fail_choice(const struct option_row *row, const char *value, struct assay_error *err)
{
	char what[256];
	size_t used = (size_t)snprintf(what, sizeof(what), "one of ");

	for (const char *at = row->value; *at && used + 3 < sizeof(what); at++) {
		if (*at == '|') {
			what[used++] = ',';
			what[used++] = ' ';
		} else {
			what[used++] = *at;
		}
	}
	what[used] = '\0';
	return fail_value(row, value, what, err);
}

static int add_text(struct option_texts *texts, const char *value, struct assay_error *err)
{
	const char **list = reallocarray(texts->list, texts->count + 1, sizeof(*list));

	if (!list)
		return assay_fail(err, ENOMEM, "out of memory");
	list[texts->count++] = value;
	texts->list = list;
	return 0;
}

static int set_input(struct options_run *run, const struct option_row *row, const char **place,
		     const char *value, struct assay_error *err)
{
	if (strcmp(value, "-") == 0) {
		if (run->standard_input)
			return assay_fail(err, EINVAL,
					  "--%s and --%s cannot both read standard input",
					  run->standard_input, row->name);
		run->standard_input = row->name;
	}
	*place = value;
	return 0;
}

static int call_function(const struct option_row *row, void *place, const char *value,
			 struct assay_error *err)
{
	int r = row->function(place, value, err);

	if (r < 0)
		assay_fail_context(err, "--%s", row->name);
	return r;
}

static int set_value(struct options_run *run, const struct option_row *row, const char *value,
		     struct assay_error *err)
{
	void *place = run->values + row->place;
	int choice;

	if (!value && row->type != OPTION_TYPE_FLAG && row->type != OPTION_TYPE_FUNCTION)
		return assay_fail(err, EINVAL, "--%s has no name for its value", row->name);
	switch (row->type) {
	case OPTION_TYPE_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_TYPE_TEXT:
		*(const char **)place = value;
		return 0;
	case OPTION_TYPE_INPUT:
	case OPTION_TYPE_INPUTS:
	case OPTION_TYPE_OUTPUT:
	case OPTION_TYPE_DIRECTORY:
	case OPTION_TYPE_TEXTS:
		if (value[0] == '\0')
			return assay_fail(err, EINVAL, "--%s must not be empty", row->name);
		if (row->type == OPTION_TYPE_TEXTS || row->type == OPTION_TYPE_INPUTS)
			return add_text(place, value, err);
		if (row->type == OPTION_TYPE_INPUT)
			return set_input(run, row, place, value, err);
		*(const char **)place = value;
		return 0;
	case OPTION_TYPE_NUMBER:
		return set_number(row, place, value, err);
	case OPTION_TYPE_HEX:
		return set_hex(row, place, (size_t *)(void *)(run->values + row->size_place), value,
			       err);
	case OPTION_TYPE_DIGEST:
		if (assay_digest_parse(value, place) < 0)
			return fail_value(row, value,
					  "a digest such as sha256:HEX with as many digits as "
					  "that hash has",
					  err);
		return 0;
	case OPTION_TYPE_HASH:
		if (find_choice(row->value, value) < 0)
			return fail_choice(row, value, err);
		*(enum assay_hash *)place = assay_hash_by_name(value);
		return 0;
	case OPTION_TYPE_TIME:
		if (!utc_parse(value, place))
			return fail_value(row, value, "a time such as 2026-01-31T23:59:59Z", err);
		return 0;
	case OPTION_TYPE_CHOICE:
		choice = find_choice(row->value, value);
		if (choice < 0)
			return fail_choice(row, value, err);
		*(int *)place = choice;
		return 0;
	case OPTION_TYPE_FUNCTION:
		return call_function(row, place, value, err);
	case OPTION_TYPE_END:
	case OPTION_TYPE_HEADING:
		break;
	}
	return assay_fail(err, EINVAL, "--%s has no type", row->name);
}

int option_block_size(void *parameters, const char *value, struct assay_error *err)
{
	return verity_set_block_size(parameters, value, err);
}

/* ---------------------------------------------------------------- words */

static int take_option(struct options_run *run, const struct option_row *row, const char *value,
		       struct assay_error *err)
{
	uint64_t bit;

	if (row == &help_row) {
		run->help = true;
		return 0;
	}
	bit = UINT64_C(1) << (row - run->rows);
	if ((run->given & bit) && !row->repeatable)
		return assay_fail(err, EINVAL, "--%s is given twice", row->name);
	run->given |= bit;
	if (row->given > 0)
		*(bool *)(run->values + row->given - 1) = true;
	return set_value(run, row, value, err);
}

/* @name of @length characters, or, if @length is 0, the letter @name[0]; NULL if there is none */
static const struct option_row *find_row(const struct option_row *rows, const char *name,
					 size_t length)
{
	for (const struct option_row *row = rows; row->type != OPTION_TYPE_END; row++) {
		if (row->type == OPTION_TYPE_HEADING)
			continue;
		if (length == 0 ? row->letter == name[0] :
				  (strlen(row->name) == length &&
				   strncmp(row->name, name, length) == 0) ||
					  (row->alias && strlen(row->alias) == length &&
					   strncmp(row->alias, name, length) == 0))
			return row;
	}
	if (length == 0 ?
		    name[0] == help_row.letter :
		    length == strlen(help_row.name) && strncmp(name, help_row.name, length) == 0)
		return &help_row;
	return NULL;
}

/* "--name", "--name=VALUE"; @next is the word after it. Return: words beside it that it took */
static int take_long(struct options_run *run, const char *word, const char *next,
		     struct assay_error *err)
{
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
	const struct option_row *row = length > 0 ? find_row(run->rows, word + 2, length) : NULL;
	char text[SHOWN_MAX];
	int r;

	if (!row)
		return assay_fail(err, EINVAL, "unknown option '%s'", quote_word(word, text));
	if (!row->value && value)
		return assay_fail(err, EINVAL, "--%s takes no value", row->name);
	if (row->value && !value && !next)
		return assay_fail(err, EINVAL, "--%s needs a value: %s", row->name, row->value);
	r = take_option(run, row, value || !row->value ? value : next, err);
	return r < 0 ? r : (row->value && !value);
}

/* "-n", "-nVALUE", "-ab"; as take_long() */
static int take_letters(struct options_run *run, const char *word, const char *next,
			struct assay_error *err)
{
	char text[SHOWN_MAX];

	for (const char *at = word + 1; *at && !run->help; at++) {
		const struct option_row *row = find_row(run->rows, at, 0);
		int r;

		if (!row)
			return assay_fail(err, EINVAL, "unknown option '%s'",
					  quote_word(word, text));
		if (!row->value) {
			r = take_option(run, row, NULL, err);
			if (r < 0)
				return r;
			continue;
		}
		if (at[1] == '\0' && !next)
			return assay_fail(err, EINVAL, "-%c needs a value: %s", row->letter,
					  row->value);
		r = take_option(run, row, at[1] ? at + 1 : next, err);
		return r < 0 ? r : at[1] == '\0';
	}
	return 0;
}

static bool was_given(const struct options_run *run, const char *name)
{
	const struct option_row *row = find_row(run->rows, name, strlen(name));

	return row && row != &help_row && (run->given & UINT64_C(1) << (row - run->rows));
}

/* A table of too many rows would let options be given twice. */
static bool rows_fit(const struct option_row *rows)
{
	for (size_t i = 0; i <= OPTIONS_MAX; i++)
		if (rows[i].type == OPTION_TYPE_END)
			return true;
	return false;
}

static int check_rows(const struct options_run *run, struct assay_error *err)
{
	for (const struct option_row *row = run->rows; row->type != OPTION_TYPE_END; row++) {
		if (row->type == OPTION_TYPE_HEADING)
			continue;
		if (!(run->given & UINT64_C(1) << (row - run->rows))) {
			if (row->required)
				return assay_fail(err, EINVAL, "--%s%s%s is needed", row->name,
						  row->value ? " " : "",
						  row->value ? row->value : "");
			continue;
		}
		if (row->needs && !was_given(run, row->needs))
			return assay_fail(err, EINVAL, "--%s needs --%s", row->name, row->needs);
		if (row->excludes && was_given(run, row->excludes))
			return assay_fail(err, EINVAL, "--%s and --%s exclude each other",
					  row->name, row->excludes);
	}
	return 0;
}

int options_parse(const struct option_row *rows, int argc, char **argv, void *values,
		  struct operands *ret, bool *ret_help, struct assay_error *err)
{
	static const struct option_row none[] = { OPTION_END };
	struct options_run run = { .rows = rows ? rows : none, .values = values };
	struct operands operands = { .list = argv + 1 };
	bool ended = false;
	int r;

	*ret_help = false;
	if (!rows_fit(run.rows))
		return assay_fail(err, EINVAL, "the command has more than %d options", OPTIONS_MAX);
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (ended || word[0] != '-' || word[1] == '\0') {
			operands.list[operands.count++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			ended = true;
			continue;
		}
		r = word[1] == '-' ? take_long(&run, word, argv[i + 1], err) :
				     take_letters(&run, word, argv[i + 1], err);
		if (r < 0)
			return r;
		if (run.help) {
			*ret_help = true;
			return 0;
		}
		i += r;
	}
	operands.list[operands.count] = NULL;
	r = check_rows(&run, err);
	if (r == 0)
		*ret = operands;
	return r;
}

static int set_flag(const struct option_row *row, bool *place, const char *value,
		    struct assay_error *err)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return fail_value(row, value, "yes or no", err);
	*place = value[0] == 'y';
	return 0;
}

int options_set(const struct option_row *rows, const char *name, const char *value, void *values,
		const struct option_row **ret, struct assay_error *err)
{
	struct options_run run = { .rows = rows, .values = values };
	const struct option_row *row = find_row(rows, name, strlen(name));
	char text[SHOWN_MAX];

	if (!row || row == &help_row || name[0] == '\0')
		return assay_fail(err, ENOENT, "unknown option '%s'", quote_word(name, text));
	*ret = row;
	if (row->type == OPTION_TYPE_FLAG)
		return set_flag(row, (bool *)(run.values + row->place), value, err);
	if (value[0] == '\0' &&
	    (row->type == OPTION_TYPE_TEXTS || row->type == OPTION_TYPE_INPUTS)) {
		option_texts_free((struct option_texts *)(void *)(run.values + row->place));
		return 0;
	}
	return take_option(&run, row, value, err);
}

/* ---------------------------------------------------------------- outputs */

/* Where the file is, or would be made; false for what writing does not replace. */
static bool locate_file(const char *path, char real[PATH_MAX])
{
	char directory[PATH_MAX];
	const char *name = strrchr(path, '/');
	struct stat status;
	size_t length;

	if (stat(path, &status) == 0)
		return S_ISREG(status.st_mode) && realpath(path, real);
	name = name ? name + 1 : path;
	if (snprintf(directory, sizeof(directory), "%.*s.", (int)(name - path), path) >=
		    (int)sizeof(directory) ||
	    !realpath(directory, real))
		return false;
	length = strlen(real);
	return snprintf(real + length, PATH_MAX - length, "/%s", name) < (int)(PATH_MAX - length);
}

static bool is_same_file(const char *a, const char *b)
{
	char real_a[PATH_MAX], real_b[PATH_MAX];

	return locate_file(a, real_a) && locate_file(b, real_b) && strcmp(real_a, real_b) == 0;
}

static int check_output_file(const struct option_row *row, const char *output, const char *other,
			     const char *what, struct assay_error *err)
{
	char text[SHOWN_MAX];

	if (strcmp(other, "-") == 0 || !is_same_file(output, other))
		return 0;
	return assay_fail(err, EINVAL, "--%s would write over %s, %s; choose another name",
			  row->name, quote_word(other, text), what);
}

static bool uses_standard_output(const struct option_row *row, const uint8_t *place)
{
	const char *const *file = (const char *const *)(const void *)place;

	if (row->type == OPTION_TYPE_FLAG)
		return strcmp(row->name, "json") == 0 && *(const bool *)place;
	return row->type == OPTION_TYPE_OUTPUT && *file && strcmp(*file, "-") == 0;
}

bool options_use_standard_output(const struct option_row *rows, const void *values)
{
	for (const struct option_row *row = rows; row && row->type != OPTION_TYPE_END; row++)
		if (row->type == OPTION_TYPE_OUTPUT &&
		    uses_standard_output(row, (const uint8_t *)values + row->place))
			return true;
	return false;
}

/* @output, the file of @row, and those of another row */
static int check_output_row(const struct option_row *row, const char *output,
			    const struct option_row *other, const uint8_t *place,
			    struct assay_error *err)
{
	const struct option_texts *texts = (const struct option_texts *)(const void *)place;
	const char *file = NULL;
	char what[64];
	int r = 0;

	if (row == other || other->type == OPTION_TYPE_HEADING ||
	    (row->replaces && strcmp(row->replaces, other->name) == 0))
		return 0;
	if (other->type == OPTION_TYPE_INPUT || other->type == OPTION_TYPE_OUTPUT)
		file = *(const char *const *)(const void *)place;
	snprintf(what, sizeof(what), "the file of --%s", other->name);
	if (strcmp(output, "-") == 0 && uses_standard_output(other, place))
		return assay_fail(err, EINVAL, "--%s and --%s cannot both go to standard output",
				  row->name, other->name);
	if (file)
		return check_output_file(row, output, file, what, err);
	for (size_t i = 0; r == 0 && other->type == OPTION_TYPE_INPUTS && i < texts->count; i++)
		r = check_output_file(row, output, texts->list[i], what, err);
	return r;
}

/* @output, which is what @row writes, and all else of the call */
static int check_output(const struct option_row *rows, const struct option_row *row,
			const char *output, const uint8_t *values, char *const *files,
			struct assay_error *err)
{
	int r = 0;

	for (const struct option_row *other = rows; r == 0 && other->type != OPTION_TYPE_END;
	     other++)
		r = check_output_row(row, output, other, values + other->place, err);
	for (char *const *file = files; r == 0 && file && *file; file++)
		r = check_output_file(row, output, *file, "which is to be read", err);
	return r;
}

int options_check_outputs(const struct option_row *rows, const void *values, char *const *files,
			  struct assay_error *err)
{
	char beside[PATH_MAX];
	const char *output;
	int r = 0;

	for (const struct option_row *row = rows; row && row->type != OPTION_TYPE_END; row++) {
		if (row->type != OPTION_TYPE_OUTPUT)
			continue;
		output = *(const char *const *)(const void *)((const uint8_t *)values + row->place);
		if (!output)
			continue;
		r = check_output(rows, row, output, values, files, err);
		if (r == 0 && row->beside &&
		    snprintf(beside, sizeof(beside), "%s%s", output, row->beside) <
			    (int)sizeof(beside))
			r = check_output(rows, row, beside, values, files, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---------------------------------------------------------------- help */

static size_t row_names(const struct option_row *row, char names[NAMES_MAX])
{
	char letter[] = "  -?, ";
	int used;

	letter[3] = row->letter;
	used = snprintf(names, NAMES_MAX, "%s--%s%s%s", row->letter ? letter : "      ", row->name,
			row->value ? " " : "", row->value ? row->value : "");
	return used < NAMES_MAX ? (size_t)used : NAMES_MAX - 1;
}

/* Fills lines with the words of @text, all but the first indented by @column. */
static void print_filled(const char *text, size_t column, FILE *out)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (at > column && at + 1 + word > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)word, text);
		at += word;
		text += word;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		}
		if (*text)
			text++;
	}
	fputc('\n', out);
}

static void print_row(const struct option_row *row, size_t column, FILE *out)
{
	char names[NAMES_MAX];
	size_t width = row_names(row, names);

	if (width + 2 <= column)
		fprintf(out, "%-*s", (int)column, names);
	else
		fprintf(out, "%s\n%*s", names, (int)column, "");
	print_filled(row->help, column, out);
}

void options_print_help(const struct option_row *rows, FILE *out)
{
	static const struct option_row none[] = { OPTION_END };
	size_t column = strlen("  -h, --help") + 2;
	char names[NAMES_MAX];

	if (!rows)
		rows = none;
	for (const struct option_row *row = rows; row->type != OPTION_TYPE_END; row++) {
		size_t width = row->type == OPTION_TYPE_HEADING ? 0 : row_names(row, names) + 2;

		if (width > column && width <= NAMES_WIDTH + 2)
			column = width;
	}
	if (rows->type != OPTION_TYPE_HEADING)
		fputs("Options:\n", out);
	for (const struct option_row *row = rows; row->type != OPTION_TYPE_END; row++) {
		if (row->type == OPTION_TYPE_HEADING)
			fprintf(out, "%s%s\n", row == rows ? "" : "\n", row->help);
		else
			print_row(row, column, out);
	}
	print_row(&help_row, column, out);
}
