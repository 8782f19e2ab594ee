// SPDX-License-Identifier: MIT
#include "report/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/group.h"
#include "verify/sentence.h"

/* Columns: of a check's result, of its name among all, and of a group's name. */
#define RESULT_WIDTH 13
#define NAME_WIDTH 21
#define GROUP_WIDTH 10

struct text {
	struct buffer *out;
	const struct verdict *verdict;
	bool colours;
};

enum colour { RED = 31, GREEN = 32, YELLOW = 33 };

static void text_add(const struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void text_add(const struct text *text, const char *format, ...)
{
	/* A check's detail, its name and its advice are the longest there is. */
	char line[2 * CHECK_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buffer_append(text->out, line, strlen(line));
}

/* @width: of the column; 0: just the word */
static void add_word(const struct text *text, enum colour colour, const char *word, int width)
{
	int padding = width - (int)strlen(word);

	if (text->colours)
		text_add(text, "\033[%dm%s\033[0m", colour, word);
	else
		text_add(text, "%s", word);
	text_add(text, "%*s", padding > 0 ? padding : 0, "");
}

static const struct {
	const char *result;
	enum colour colour;
} outcomes[CHECK_OUTCOMES] = {
	[OUTCOME_PASSED] = { "pass", GREEN },
	[OUTCOME_FAILED] = { "FAIL", RED },
	[OUTCOME_MISSING] = { "not checked", RED },
	[OUTCOME_NOT_REACHED] = { "not checked", YELLOW },
	[OUTCOME_NOTE] = { "note", YELLOW },
	[OUTCOME_NOT_REQUIRED] = { "not checked", YELLOW },
};

static enum check_outcome outcome_of(const struct text *text, int check)
{
	return check_outcome(text->verdict, (enum check)check);
}

static void add_blame(const struct text *text, int check)
{
	enum check_outcome outcome = outcome_of(text, check);

	add_word(text, outcomes[outcome].colour, outcomes[outcome].result, RESULT_WIDTH);
	text_add(text, "%s: %s\n", check_name((enum check)check), text->verdict->detail[check]);
	if (check_blocks(outcome))
		text_add(text, "%*s%s\n", RESULT_WIDTH, "", check_advice((enum check)check));
}

/* Those checks that came to that, as a paragraph. */
static void add_all(const struct text *text, enum check_outcome outcome, const char *before)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		if (outcome_of(text, i) != outcome)
			continue;
		text_add(text, "%s", before);
		before = "";
		add_blame(text, i);
	}
}

/* What failed first, then what could not be checked, then what would have failed. */
static void add_reasons(const struct text *text)
{
	struct check_tally tally = check_tally(text->verdict);

	if (text->verdict->required == 0) {
		text_add(text, "\nThe policy requires no check: name what is to be required.\n");
		return;
	}
	add_all(text, OUTCOME_FAILED, "\n");
	add_all(text, OUTCOME_MISSING, tally.count[OUTCOME_FAILED] > 0 ? "" : "\n");
	add_all(text, OUTCOME_NOTE, "\n");
}

static void add_group(const struct text *text, enum check_group group)
{
	struct check_tally tally = check_group_tally(text->verdict, group);
	const char *separator = "";
	char word[64];

	text_add(text, "%-*s", GROUP_WIDTH, check_group_name(group));
	for (int i = 0; i < CHECK_OUTCOMES; i++) {
		if (tally.count[i] == 0)
			continue;
		snprintf(word, sizeof(word), "%u %s", tally.count[i],
			 check_outcome_words((enum check_outcome)i));
		text_add(text, "%s", separator);
		if (i == OUTCOME_NOT_REQUIRED)
			text_add(text, "%s", word);
		else
			add_word(text, outcomes[i].colour, word, 0);
		separator = ", ";
	}
	text_add(text, "\n");
}

static void add_checks(const struct text *text, enum check_group group)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		enum check_outcome outcome = outcome_of(text, i);
		bool required = (text->verdict->required & CHECK_BIT(i)) != 0;

		if (check_group((enum check)i) != group)
			continue;
		text_add(text, "  ");
		add_word(text, outcomes[outcome].colour, outcomes[outcome].result, RESULT_WIDTH);
		text_add(text, "%-*s %s%s\n", NAME_WIDTH, check_name((enum check)i),
			 text->verdict->detail[i], required ? "" : " (not required)");
	}
}

/* What the files were compared with. */
static void add_manifests(const struct text *text)
{
	const struct verdict *verdict = text->verdict;

	for (size_t i = 0; i < verdict->manifest_count && i < VERDICT_MANIFESTS; i++) {
		const struct verdict_manifest *manifest = &verdict->manifests[i];
		char product[4 * MANIFEST_PRODUCT_MAX + 1];

		text_add(text, "  %-*s%s, created %s", RESULT_WIDTH, "manifest", manifest->id,
			 manifest->created);
		text_escape(BYTES((const uint8_t *)manifest->product, strlen(manifest->product)),
			    product, sizeof(product));
		text_add(text, "%s%s\n", product[0] ? ", of " : "", product);
	}
	if (verdict->manifest_count > VERDICT_MANIFESTS)
		text_add(text, "  %-*sand %zu more\n", RESULT_WIDTH, "manifest",
			 verdict->manifest_count - VERDICT_MANIFESTS);
}

void report_text(struct buffer *out, const struct verdict *verdict, bool verbose, bool colours)
{
	const struct text text = { out, verdict, colours };
	enum colour colour = !verdict_trusted(verdict)	  ? RED :
			     verdict_boot_judged(verdict) ? GREEN :
							    YELLOW;

	add_word(&text, colour, verdict_sentence(verdict), 0);
	text_add(&text, "\n");
	add_reasons(&text);
	for (int i = 0; i < CHECK_GROUPS; i++) {
		text_add(&text, "%s", i == 0 || verbose ? "\n" : "");
		add_group(&text, (enum check_group)i);
		if (verbose)
			add_checks(&text, (enum check_group)i);
		if (verbose && i == CHECK_GROUP_FILES)
			add_manifests(&text);
	}
}
