// SPDX-License-Identifier: MIT
/*
 * A command line of any words, each up to a NUL: it is refused with a sentence, or every value is
 * in its range, and operands are words of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "options.h"

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	const char *text, *input, *output;
	struct option_texts texts;
	unsigned int number;
	uint16_t small;
	uint8_t hex[8];
	size_t hex_size;
	struct assay_digest digest;
	enum assay_hash hash;
	uint64_t time;
	int choice;
	bool flag, given;
	size_t called;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static int take_function(void *place, const char *value, struct assay_error *err)
{
	if (strlen(value) > 3)
		return assay_fail(err, EINVAL, "must be short, not '%s'", value);
	(*(size_t *)place)++;
	return 0;
}

static const struct option_row rows[] = {
	{ "text", 't', "TEXT", "a text", OPTION_TEXT(struct values, text) },
	{ "input", 'i', "FILE", "a file", OPTION_INPUT(struct values, input) },
	{ "output", 'o', "FILE", "another", OPTION_OUTPUT(struct values, output), .alias = "out" },
	{ "texts", 'T', "TEXT", "texts", OPTION_TEXTS(struct values, texts) },
	{ "number", 'n', "N", "a number", OPTION_NUMBER(struct values, number, 3, 300) },
	{ "small", 's', "N", "another", OPTION_NUMBER(struct values, small, 0, UINT16_MAX) },
	{ "hex", 'x', "HEX", "bytes", OPTION_HEX(struct values, hex, hex_size, 1) },
	{ "digest", 'd', "HASH:HEX", "a digest", OPTION_DIGEST(struct values, digest) },
	{ "hash", 0, "sha256|sha512", "a hash", OPTION_HASH(struct values, hash) },
	{ "time", 0, "TIME", "a time", OPTION_TIME(struct values, time) },
	{ "choice", 'c', "one|two|three", "a word", OPTION_CHOICE(struct values, choice),
	  OPTION_GIVEN(struct values, given) },
	{ "flag", 'f', NULL, "a flag", OPTION_FLAG(struct values, flag), .needs = "text" },
	{ "function", 'F', "X", "anything", OPTION_FUNCTION(struct values, called, take_function),
	  .repeatable = true, .excludes = "flag" },
	OPTION_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct values values = { .number = 3, .hex_size = 1 };
	char *copy = malloc(size + 1), *argv[WORDS_MAX + 2] = { copy };
	struct assay_error err = { 0 };
	struct operands operands;
	int argc = 1;
	bool help;

	require(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	for (char *at = copy; argc <= WORDS_MAX && at < copy + size; at += strlen(at) + 1)
		argv[argc++] = at;
	if (options_parse(rows, argc, argv, &values, &operands, &help, &err) < 0) {
		require(err.text[0] != '\0');
	} else if (!help) {
		require(values.number >= 3 && values.number <= 300);
		require(values.hex_size >= 1 && values.hex_size <= sizeof(values.hex));
		require(values.choice >= 0 && values.choice <= 2);
		require(values.digest.size == assay_hash_size(values.digest.hash));
		require(!values.input || values.input[0]);
		require(!values.flag || values.text);
		require(operands.count < (size_t)argc && !operands.list[operands.count]);
		for (size_t i = 0; i < operands.count; i++)
			require(operands.list[i] >= copy && operands.list[i] <= copy + size);
	}
	option_texts_free(&values.texts);
	free(copy);
	return 0;
}
